"""What the pictures over noise share: the spectrum that they show, marked noises, rings around ties.

Notation   lam (n,) the thresholds that pictures are drawn of: the eigenvalues over beta, the weight of the KL.
Main       Spectrum; mark_vertically, mark_horizontally, name_marks; ring, ring_caption, said_of_ties;
           noise_rows.

A picture is drawn first, with a line free above it (`room_above`), and named once its frame is laid out.
"""

from math import log10
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from reports.pages.noises import marked_noises, window
from verify.arrays import Array
from verify.landscape.weighted import PLAIN
from verify.pictures.palette import PALETTE
from verify.pictures.placing import SIZE, row
from verify.words.caveats import tie
from verify.words.numerals import at_noise, weight
from verify.words.wording import told_of

Document = dict[str, Any]
Marks = list[tuple[float, str, str]]


class Spectrum:
    """What the first four pictures need of the document."""

    def __init__(self, document: Document):
        facts = document["stability"]
        self.k = document["k"]
        self.rank = document["rank"]
        self.beta = weight(facts)
        self.lam = np.array(facts["eigenvalues"], dtype=float) / self.beta
        self.told = told_of(document)
        told = [row["sigma2"] for row in self.told]
        self.highest = None if self.beta == PLAIN else facts["sigma2_learned"]
        self.low, self.high = window(self.lam, facts["recommended_sigma2"], told, self.highest)
        self.marks = marked_noises(self.lam, facts["recommended_sigma2"], told)
        errors = [t["standard_error"] for t in facts["thresholds"]]
        # Of lam_1 ... lam_min(k, rank), NaN where they are not known.
        self.errors = np.array([np.nan if e is None else e for e in errors], dtype=float) / self.beta

    def ties(self) -> list[int]:
        """The directions, from 1, whose threshold is a noise told of: exactly, or as far as rounding can tell."""
        return sorted({j for row in self.told for j in (*row["tied"], *row["undecided"])})

    def band(self, low: float) -> tuple[int, Array, Array]:
        """lam_j less and plus two standard errors for j <= m, from `low` on; m = 0 where none is known."""
        m = self.errors.size if np.isfinite(self.errors).all() else 0
        lam, errors = self.lam[:m], self.errors[:m]
        return m, np.maximum(lam - 2 * errors, low), np.maximum(lam + 2 * errors, low)


def room_above(axes: Axes) -> None:
    """A line above the frame, kept free for names."""
    axes.set_title(" ", fontsize=SIZE, pad=4)


def mark_vertically(axes: Axes, marks: Marks) -> None:
    """Each marked noise as a dashed line; where two fall together, their dashes alternate."""
    room_above(axes)
    for (sigma2, _, colour), dashes in zip(marks, _dashes(marks, axes.get_xlim()), strict=True):
        axes.axvline(sigma2, color=colour, linewidth=1.1, linestyle=dashes)


def _dashes(marks: Marks, limits: tuple[float, float]) -> list[Any]:
    """The line styles of marks on a logarithmic scale with these limits; the last mark is the recommended noise."""
    near = 0.005 * abs(log10(limits[1] / limits[0]))
    together = [i for i, mark in enumerate(marks[:-1]) if abs(log10(mark[0] / marks[-1][0])) < near]
    styles: list[Any] = [(0, (4, 2))] * len(marks)
    for i in together:
        styles[i], styles[-1] = (0, (4, 6)), (5, (4, 6))
    return styles


def mark_horizontally(axes: Axes, marks: Marks) -> None:
    """The same over a vertical axis."""
    for (sigma2, _, colour), dashes in zip(marks, _dashes(marks, axes.get_ylim()), strict=True):
        axes.axhline(sigma2, color=colour, linewidth=1.1, linestyle=dashes)


def name_marks(axes: Axes, marks: Marks) -> None:
    """The names of marked noises, above the frame."""
    row(axes, marks)


def ring(axes: Axes, x: Any, y: Any) -> None:
    """A tie: neither side of a threshold."""
    ring = {"facecolors": "none", "edgecolors": PALETTE["vermillion"], "linewidths": 1.4}
    axes.scatter(x, y, s=60, zorder=5, **ring)


def noise_rows(document: Document) -> tuple[Array, Array, Array]:
    rows = document["stability"]["noise"]
    return tuple(np.array([row[name] for row in rows]) for name in ("sigma2", "retained", "value"))  # type: ignore[return-value]


def ring_caption(document: Document) -> str:
    """What a ring is, where there is one: a sentence after others, or nothing."""
    beta, rows = weight(document["stability"]), told_of(document)
    for how, what in (("undecided", "that rounding cannot tell from"), ("tied", "that equals")):
        if noises := [at_noise(row["sigma2"], beta) for row in rows if row[how]]:
            return f" Ring: an eigenvalue {what} {' or '.join(noises)}."
    return ""


def said_of_ties(document: Document) -> str:
    """What a ring marks, for who cannot see it: a sentence after others, or nothing."""
    said = [each for row in told_of(document) if (each := tie(row)) is not None]
    return f" A ring marks a tie: {'; '.join(said)}." if said else ""
