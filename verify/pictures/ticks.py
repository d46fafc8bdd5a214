"""The numbers on the axes of pictures.

Main       decades, on a logarithmic axis; counts, whole numbers on either; plain_numbers, on a linear one; noise_axis,
           its name.

All for axes whose limits are set, and printed as `verify.words.wording.number` prints them.
"""

from math import ceil, floor, log10
from typing import Any

import numpy as np
from matplotlib.axis import Axis, XAxis
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter, ScalarFormatter

from verify.landscape.weighted import PLAIN
from verify.words.numerals import typed
from verify.words.wording import number


def decades(axis: Axis) -> None:
    """Numbers on a logarithmic axis: decades if there are three or more, else as many numbers as have room."""
    low, high = sorted(axis.get_view_interval())
    axis.set_minor_formatter(NullFormatter())
    if high < 1e3 * low:
        _numbered(axis, low, high)


def _numbered(axis: Axis, low: float, high: float) -> None:
    """The same for numbers between low and high, a few decades."""
    found: list[float] = []
    for between in ((1, 1.5, 2, 3, 4, 5, 7), (1, 2, 3, 5), (1, 2, 5), (1, 3), (1,)):
        powers = range(floor(log10(low)), ceil(log10(high)) + 1)
        found = [v for p in powers for s in between if low <= (v := float(f"{s}e{p}")) <= high]
        if len(found) <= 7 and _have_room(found, low, high, isinstance(axis, XAxis)):
            break
    axis.set_major_locator(FixedLocator(found))
    axis.set_minor_locator(LogLocator(subs=[float(s) for s in range(1, 10)]))
    axis.set_major_formatter(FuncFormatter(lambda v, _: number(v, 3)))


def _have_room(values: list[float], low: float, high: float, across: bool) -> bool:
    """Whether numbers at these values stand clear of each other, on an axis as long as those of a page's pictures."""
    length = 270.0 if across else 180.0
    at = [length * log10(v / low) / log10(high / low) for v in values]
    size = [(5.8 * len(number(v, 3)) + 8 if across else 16.0) for v in values]
    return all(b - a >= (s + t) / 2 for a, b, s, t in zip(at, at[1:], size, size[1:], strict=False))


def counts(axis: Axis, first: int = 0) -> None:
    """Whole numbers from `first` on, of an axis whose limits and scale are set."""
    low, high = sorted(axis.get_view_interval())
    if axis.get_scale() == "log":
        axis.set_minor_formatter(NullFormatter())
        _numbered(axis, max(low, first), high)
        return
    found = MaxNLocator(6, integer=True, min_n_ticks=1).tick_values(low, high)
    axis.set_major_locator(FixedLocator([v for v in found if max(low, first) <= v <= high]))
    axis.set_major_formatter(FuncFormatter(lambda v, _: number(round(v))))


class _Plain(ScalarFormatter):
    """Numbers as everywhere on the page, never as a sum or multiple of one that stands apart."""

    def __init__(self) -> None:
        super().__init__(useOffset=False)
        self.set_scientific(False)
        self._shown = np.empty(0)

    def set_locs(self, locs: Any) -> None:
        self._shown = np.asarray(locs, dtype=float)
        super().set_locs(locs)

    def __call__(self, x: float, pos: int | None = None) -> str:
        largest = np.abs(self._shown).max(initial=0.0)
        if 1e-3 <= largest < 1e4:
            return super().__call__(x, pos)
        if x == 0:
            return "0"
        gap = np.diff(np.sort(self._shown)).min(initial=largest) or largest
        return number(float(x), max(2, 1 + ceil(log10(abs(x) / gap) - 1e-9)))


def plain_numbers(axis: Axis) -> None:
    """Numbers on a linear axis."""
    axis.set_major_formatter(_Plain())


def noise_axis(beta: float) -> str:
    """What stands along an axis of noises; that of a weighted KL says so."""
    return "noise σ²" if beta == PLAIN else f"noise σ² (β = {typed(beta)})"
