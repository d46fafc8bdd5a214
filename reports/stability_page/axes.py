"""What the pictures over noise share: the spectrum that they show, marked noises, rings around ties.

Main       Spectrum, mark_vertically, ring, said_of_ties, noise_rows, geometric_mean.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from reports.pages.noises import marked_noises, window
from reports.pages.palette import PALETTE
from reports.words.caveats import tie
from reports.words.wording import number
from verify.arrays import Array

Document = dict[str, Any]


class Spectrum:
    """What the first four pictures need of the document."""

    def __init__(self, document: Document):
        facts = document["stability"]
        self.k = document["k"]
        self.lam = np.array(facts["eigenvalues"], dtype=float)
        self.low, self.high = window(self.lam, facts["recommended_sigma2"])
        self.marks = marked_noises(self.lam, facts["recommended_sigma2"])
        self.usual = document["usual"]
        errors = [t["standard_error"] for t in facts["thresholds"]]
        # Of lam_1 ... lam_min(k, rank), NaN where they are not known.
        self.errors = np.array([np.nan if e is None else e for e in errors], dtype=float)

    def ties(self) -> list[int]:
        """The latents, from 1, whose threshold is the usual noise: exactly, or as far as rounding can tell."""
        return [j for j in (*self.usual["tied"], *self.usual["undecided"]) if j <= self.k]


def mark_vertically(axes: Axes, marks: list[tuple[float, str, str]]) -> None:
    """Each marked noise as a dashed line, named above the axes, on the side where there is room.

    Of the noises below the axes decades are named, and what is twice and five times as much where these are few: others
    would run into each other.
    """
    low, high = axes.get_xlim()
    axes.xaxis.set_minor_formatter(NullFormatter())
    if high < 1e3 * low:
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: number(v)))
    for sigma2, label, colour in marks:
        axes.axvline(sigma2, color=colour, linewidth=1.1, linestyle=(0, (4, 2)))
        rightmost = sigma2 == max(s for s, _, _ in marks)
        side, shift = ("left", -3) if rightmost or len(marks) == 1 else ("right", 3)
        axes.annotate(
            label, (sigma2, 1.0), (shift, 3), xycoords=("data", "axes fraction"), textcoords="offset points",
            ha=side, va="bottom", color=colour, fontsize=9, annotation_clip=False,
        )  # fmt: skip


def ring(axes: Axes, x: Any, y: Any) -> None:
    """A tie: neither side of a threshold."""
    ring = {"facecolors": "none", "edgecolors": PALETTE["vermillion"], "linewidths": 1.4}
    axes.scatter(x, y, s=60, zorder=5, **ring)


def geometric_mean(values: Sequence[float]) -> float:
    return float(np.exp(np.mean(np.log(values))))


def noise_rows(document: Document) -> tuple[Array, Array, Array]:
    rows = document["stability"]["noise"]
    return tuple(np.array([row[name] for row in rows]) for name in ("sigma2", "retained", "value"))  # type: ignore[return-value]


def said_of_ties(document: Document) -> str:
    """What a ring marks, for who cannot see it: a sentence after others, or nothing."""
    said = tie(document["usual"])
    return "" if said is None else f" A ring marks a tie: {said}."
