"""The eigenvalues, which are the thresholds of collapse."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from reports.pages.palette import PALETTE
from reports.stability_page.axes import Spectrum, ring, said_of_ties
from reports.words.numerals import threshold
from reports.words.wording import number

Document = dict[str, Any]
SECTION, ORDER = "noise", 10


def draw(axes: Axes, document: Document) -> None:
    """The eigenvalues, the thresholds of collapse, on a logarithmic scale; the first k in colour."""
    found = Spectrum(document)
    lam, k, low, high = found.lam, found.k, found.low, found.high
    j = np.arange(1, lam.size + 1)
    shown = (lam >= low) & (lam > 0)
    size = 18 if shown.sum() <= 100 else 5
    for chosen, colour in ((shown & (j > k), PALETTE["muted"]), (shown & (j <= k), PALETTE["blue"])):
        axes.scatter(j[chosen], lam[chosen], s=size, color=colour, linewidths=0, zorder=3)
    m = found.errors.size
    band = {"color": PALETTE["blue"], "linewidth": 3 if m <= 30 else 2, "alpha": 0.35, "zorder": 2}
    axes.vlines(j[:m], np.maximum(lam[:m] - 2 * found.errors, low), lam[:m] + 2 * found.errors, **band)
    if ties := found.ties():
        ring(axes, ties, lam[np.array(ties) - 1])
    axes.set(yscale="log", ylim=(low, high), xlabel="eigen-direction j", ylabel="eigenvalue λⱼ, the threshold")
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.axvline(k + 0.5, color=PALETTE["blue"], linewidth=0.9, linestyle=":")
    axes.annotate(
        f"k = {k}", (k + 0.5, 1.0), (0, 3), xycoords=("data", "axes fraction"), textcoords="offset points",
        color=PALETTE["blue"], fontsize=9, ha="center", va="bottom", annotation_clip=False,
    )  # fmt: skip
    for sigma2, label, colour in found.marks:
        axes.axhline(sigma2, color=colour, linewidth=1.1, linestyle=(0, (4, 2)))
        axes.annotate(
            label, (1.0, sigma2), (-2, 3), xycoords=("axes fraction", "data"), textcoords="offset points",
            color=colour, fontsize=9, ha="right", va="bottom",
        )  # fmt: skip


def caption(document: Document) -> str:
    """What one sees, with the numbers at either end."""
    facts, k, rank = document["stability"], document["k"], document["rank"]
    text = (
        f"The {rank} positive eigenvalues of the sample covariance. Latent j collapses once sigma2 reaches lam_j; "
        f"lam_1 = {threshold(facts, 1)}"
    )
    text += f", lam_{k} = {threshold(facts, k)}." if 1 < k <= rank else "."
    if any(t["standard_error"] is not None for t in facts["thresholds"]):
        text += " Bars: two standard errors on either side, where other data of the same kind would have them."
    low = Spectrum(document).low
    if facts["eigenvalues"][rank - 1] < low:
        text += f" Below {number(low, 2)} nothing is drawn; the smallest is {threshold(facts, rank)}."
    return text


def alt(document: Document) -> str:
    """For who cannot see it."""
    facts, k, rank = document["stability"], document["k"], document["rank"]
    at = [threshold(facts, j) for j in (1, rank)]
    last = f"; lam_{k} is {threshold(facts, k)}" if k <= rank else ""
    return f"Scree plot: {rank} positive eigenvalues from {at[0]} down to {at[1]}{last}.{said_of_ties(document)}"
