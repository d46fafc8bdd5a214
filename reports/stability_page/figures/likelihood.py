"""The likelihood, or the weighted ELBO, of the optimum at each noise."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from reports.stability_page.axes import Spectrum, mark_vertically, name_marks, noise_rows
from verify.landscape.weighted import PLAIN
from verify.pictures.palette import PALETTE
from verify.pictures.ticks import decades, noise_axis, plain_numbers
from verify.words.numerals import as_threshold, learned_plateau, likeliest, typed, weight
from verify.words.wording import nats, number, told_of

Document = dict[str, Any]
SECTION, ORDER = "noise", 40
# Of the likelihood, whose top is marked itself, so many times as deep as the right end another noise may lie.
_DEEP = 20


def draw(axes: Axes, document: Document) -> None:
    """L at the optimum of each noise; its maximum over the noise is the maximum-likelihood solution.

    With another beta than 1 the ELBO with the KL so weighted, whose maximum is where a learned noise goes.
    """
    sigma2, _, value = noise_rows(document)
    found = Spectrum(document)
    low, high = found.low, found.high
    inside = (sigma2 >= low) & (sigma2 <= high)
    axes.plot(sigma2[inside], value[inside], color=PALETTE["blue"])
    best = int(value[inside].argmax())
    # Below the maximum L falls like 1/sigma2 without end; the frame ends where the other side does, or a marked noise.
    top, bottom = value[inside][best], value[inside][best:].min()
    marked = value[np.isin(sigma2, [s for s, _, _ in found.marks])]
    seen = marked if found.beta != PLAIN else marked[top - marked <= _DEEP * (top - bottom)]
    bottom = min([bottom, *seen])
    room = max(top - bottom, 1e-9 * abs(top), 1e-300)
    axes.set(xscale="log", xlim=(low, high), ylim=(bottom - 0.08 * room, top + 0.1 * room))
    what = "L at the optimum" if found.beta == PLAIN else f"ELBO (β = {typed(found.beta)})"
    axes.set(xlabel=noise_axis(found.beta), ylabel=f"{what}, nats per datum")
    decades(axes.xaxis)
    plain_numbers(axes.yaxis)
    highest = _highest(document["stability"])
    if highest is not None and low <= highest <= high:
        axes.plot(highest, top, "o", color=PALETTE["blue"], markersize=6)
    mark_vertically(axes, found.marks)


def label(axes: Axes, document: Document) -> None:
    """The names of marked noises."""
    name_marks(axes, Spectrum(document).marks)


def caption(document: Document) -> str:
    """The values at the noises told of, and where it is highest."""
    values = "; at ".join(f"sigma2 = {typed(row['sigma2'])}: {nats(row['value'])}" for row in told_of(document))
    text, where = f"{_what(document)} at that optimum. At {values} nats per datum", _where(document)
    return f"{text}." if where is None else f"{text}; highest at {where}."


def alt(document: Document) -> str:
    """For who cannot see it."""
    where = _where(document)
    highest = "the less noise, the higher" if where is None else f"highest at {where}"
    return f"{_what(document)} of the optimum over noise: {highest}."


def _what(document: Document) -> str:
    beta = weight(document["stability"])
    return "Likelihood" if beta == PLAIN else f"ELBO with beta = {typed(beta)}"


def _highest(facts: Document) -> float | None:
    return facts["sigma2_mle"] if weight(facts) == PLAIN else facts["sigma2_learned"]


def _where(document: Document) -> str | None:
    """At which noise it is highest; None: the less, the higher."""
    facts = document["stability"]
    highest = _highest(facts)
    if highest is None:
        return None
    if weight(facts) != PLAIN:
        if learned_plateau(facts):
            return f"every noise up to sigma2 = {as_threshold(highest)}"
        return f"sigma2 = {number(highest)}, where a learned noise goes"
    up_to = "every noise up to " if document["k"] == document["n"] else ""
    return f"{up_to}the maximum-likelihood noise {likeliest(facts)}"
