"""The eigenvalues over beta, which are the thresholds of collapse."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from reports.stability_page.axes import (
    Spectrum,
    mark_horizontally,
    ring,
    ring_caption,
    room_above,
    said_of_ties,
)
from verify.landscape.weighted import PLAIN
from verify.pictures.palette import PALETTE
from verify.pictures.placing import beside, row
from verify.pictures.ticks import counts, decades
from verify.words.numerals import named_threshold, share, share_of, threshold, typed, weight
from verify.words.wording import number

Document = dict[str, Any]
SECTION, ORDER = "noise", 10
# So few eigenvalues are all drawn, over as many decades as a double can hold apart.
_FEW, _DECADES = 100, 1e-12
_WIDE = 0.45


def lowest(found: Spectrum) -> float:
    """Where the axis begins: below every positive eigenvalue of a few, else where the other pictures end."""
    low = found.low
    if found.rank <= _FEW:
        low = min(low, max(found.lam[found.rank - 1], found.lam[0] * _DECADES) / 1.8)
    # Below the lowest marked noise its name has room.
    room = (found.high / low) ** -0.11
    return float(min(low, *(sigma2 * room for sigma2, _, _ in found.marks), found.low))


def draw(axes: Axes, document: Document) -> None:
    """The eigenvalues, the thresholds of collapse, on a logarithmic scale; the first k in colour."""
    found = Spectrum(document)
    lam, k, low, high = found.lam, found.k, lowest(found), found.high
    j = np.arange(1, lam.size + 1)
    shown = (lam >= low) & (lam > 0)
    size = 18 if shown.sum() <= 100 else 5
    for chosen, colour in ((shown & (j > k), PALETTE["muted"]), (shown & (j <= k), PALETTE["blue"])):
        axes.scatter(j[chosen], lam[chosen], s=size, color=colour, linewidths=0, zorder=3)
    m, below, above = found.band(low)
    if m:
        axes.vlines(j[:m], below, above, color=PALETTE["blue"], linewidth=1.2, alpha=0.6, zorder=2)
        axes.fill_between(j[:m], below, above, color=PALETTE["blue"], alpha=0.18, linewidth=0, zorder=1)
    if ties := found.ties():
        ring(axes, ties, lam[np.array(ties) - 1])
    last = max(found.rank, min(k, lam.size))
    side = max(_WIDE, 0.03 * last)
    axes.set(yscale="log", ylim=(low, high), xlim=(1 - side, max(last, k + 0.5) + side))
    axes.set(xlabel="eigen-direction j", ylabel=_scale(found.beta))
    counts(axes.xaxis, 1)
    decades(axes.yaxis)
    axes.axvline(k + 0.5, color=PALETTE["blue"], linewidth=0.9, linestyle=":")
    room_above(axes)
    mark_horizontally(axes, found.marks)


def _scale(beta: float) -> str:
    return "eigenvalue λⱼ, the threshold" if beta == PLAIN else f"λⱼ/{typed(beta)}, the threshold"


def label(axes: Axes, document: Document) -> None:
    """k above its line; the marked noises along theirs, the right end first, or else above the frame."""
    found = Spectrum(document)
    left, right = axes.get_xlim()
    above = [(found.k + 0.5, f"k = {found.k}", PALETTE["blue"])]
    width = axes.get_window_extent().width * 72 / axes.figure.dpi
    along = [(-4 - x * width, y) for x in (0, *np.linspace(0.04, 0.8, 20)) for y in (3, -3)]
    for sigma2, text, colour in sorted(found.marks, reverse=True):
        if not beside(axes, text, (1.0, sigma2), colour, along, ("axes fraction", "data")):
            above.append((left if found.k + 0.5 > (left + right) / 2 else right, text, colour))
    row(axes, above)


def caption(document: Document) -> str:
    """What one sees, with the numbers at either end."""
    facts, k, rank = document["stability"], document["k"], document["rank"]
    text = (
        f"The {rank} positive eigenvalues of the sample covariance{_divided(facts)}. Latent j collapses once sigma2 "
        f"reaches {share_of('j', weight(facts))}; {named_threshold(facts, 1)}"
    )
    text += f", {named_threshold(facts, k)}." if 1 < k <= rank else "."
    found = Spectrum(document)
    low = lowest(found)
    m, _, _ = found.band(low)
    if m:
        text += (
            f" Band, for the first {m}: two standard errors on either side, where other data of the same kind would "
            "have them."
        )
    if facts["eigenvalues"][rank - 1] < low:
        text += f" Below {number(low, 2)} nothing is drawn; the smallest is {threshold(facts, rank)}."
    return text + ring_caption(document)


def _divided(facts: Document) -> str:
    return "" if weight(facts) == PLAIN else f", divided by beta = {typed(weight(facts))}"


def alt(document: Document) -> str:
    """For who cannot see it."""
    facts, k, rank = document["stability"], document["k"], document["rank"]
    at = [threshold(facts, j) for j in (1, rank)]
    last = f"; {share(facts, k)} is {threshold(facts, k)}" if k <= rank else ""
    return (
        f"Scree plot: {rank} positive eigenvalues{_divided(facts)} from {at[0]} down to {at[1]}{last}."
        f"{said_of_ties(document)}"
    )
