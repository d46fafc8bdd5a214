"""How many latents the optimum retains at each noise."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from reports.pages.palette import PALETTE
from reports.stability_page.axes import Spectrum, mark_vertically, ring, said_of_ties
from reports.words.numerals import counted
from reports.words.wording import number

Document = dict[str, Any]
SECTION, ORDER = "verdict", 30


def draw(axes: Axes, document: Document) -> None:
    """How many of the k latents the optimum retains at each noise: a staircase with its steps at the lam_j."""
    found = Spectrum(document)
    lam, k, low, high = found.lam, found.k, found.low, found.high
    steps = lam[:k][lam[:k] > 0]
    axes.step([high, *steps, low], [0, *range(1, steps.size + 1), steps.size], where="post", color=PALETTE["blue"])
    axes.axhline(k, color=PALETTE["muted"], linewidth=0.9, linestyle=":")
    _sampled(axes, document)
    if ties := found.ties():
        ring(axes, [found.usual["sigma2"]] * 2, [min(ties) - 1, max(ties)])
    axes.set(xscale="log", xlim=(low, high), ylim=(-0.03 * k, 1.06 * k))
    axes.set(xlabel="noise σ²", ylabel=f"latents retained, of {k}")
    axes.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    mark_vertically(axes, found.marks)


def _sampled(axes: Axes, document: Document) -> None:
    """Between the fewest and the most latents that other data of the same kind may retain at each noise."""
    rows = document["stability"]["noise"]
    if all(row["sampling_range"] is not None for row in rows):
        low, high = np.array([row["sampling_range"] for row in rows]).T
        noises = [row["sigma2"] for row in rows]
        axes.fill_between(noises, low, high, color=PALETTE["blue"], alpha=0.18, linewidth=0, zorder=1)


def caption(document: Document) -> str:
    """What one sees, and where sigma2 = 1 lies."""
    usual = document["usual"]
    held = counted(usual["retained"], usual["retained_at_most"])
    text = f"Latents retained at the optimum of each noise. At sigma2 = 1: {held} of {document['k']}."
    if document["N"] and usual["sampling_range"]:
        text += " Shaded: what other data of the same kind may retain, thresholds moved by up to two standard errors."
    return text


def alt(document: Document) -> str:
    """For who cannot see it."""
    noises = document["stability"]["noise"]
    rows = [row for row in noises if row["sigma2"] != 1.0] or noises
    first, last = (counted(row["retained"], row["retained_at_most"]) for row in (rows[0], rows[-1]))
    return (
        f"Staircase: from {first} latents retained at noise {number(rows[0]['sigma2'])} down to {last} at "
        f"{number(rows[-1]['sigma2'])}.{said_of_ties(document)}"
    )
