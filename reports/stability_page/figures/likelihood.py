"""The likelihood of the optimum at each noise."""

from typing import Any

from matplotlib.axes import Axes

from reports.pages.palette import PALETTE
from reports.pages.ticks import decades, plain_numbers
from reports.stability_page.axes import Spectrum, mark_vertically, name_marks, noise_rows
from reports.words.numerals import likeliest
from reports.words.wording import nats

Document = dict[str, Any]
SECTION, ORDER = "noise", 40


def draw(axes: Axes, document: Document) -> None:
    """L at the optimum of each noise; its maximum over the noise is the maximum-likelihood solution."""
    sigma2, _, value = noise_rows(document)
    found = Spectrum(document)
    low, high = found.low, found.high
    inside = (sigma2 >= low) & (sigma2 <= high)
    axes.plot(sigma2[inside], value[inside], color=PALETTE["blue"])
    best = int(value[inside].argmax())
    # Below the maximum L falls like 1/sigma2 without end; the frame ends where the other side does.
    top, bottom = value[inside][best], value[inside][best:].min()
    room = max(top - bottom, 1e-9 * abs(top), 1e-300)
    axes.set(xscale="log", xlim=(low, high), ylim=(bottom - 0.08 * room, top + 0.1 * room))
    axes.set(xlabel="noise σ²", ylabel="L at the optimum, nats per datum")
    decades(axes.xaxis)
    plain_numbers(axes.yaxis)
    mle = document["stability"]["sigma2_mle"]
    if mle is not None and low <= mle <= high:
        axes.plot(mle, top, "o", color=PALETTE["blue"], markersize=6)
    mark_vertically(axes, found.marks)


def label(axes: Axes, document: Document) -> None:
    """The names of marked noises."""
    name_marks(axes, Spectrum(document).marks)


def caption(document: Document) -> str:
    """The value at sigma2 = 1, and where it is highest."""
    mle = likeliest(document["stability"])
    text = f"Likelihood at that optimum. At sigma2 = 1: {nats(document['usual']['value'])} nats per datum"
    return f"{text}." if mle is None else f"{text}; highest at {_up_to(document)}the maximum-likelihood noise {mle}."


def alt(document: Document) -> str:
    """For who cannot see it."""
    mle = likeliest(document["stability"])
    highest = (
        "the less noise, the higher"
        if mle is None
        else f"highest at {_up_to(document)}the maximum-likelihood noise {mle}"
    )
    return f"Likelihood of the optimum over noise: {highest}."


def _up_to(document: Document) -> str:
    return "every noise up to " if document["k"] == document["n"] else ""
