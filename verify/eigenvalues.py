"""Eigenvalues with what is known of them: taken at their word, or measured from data within an error.

Notation   lam (n,) descending eigenvalues of S; e (n,) errors: the true eigenvalue lies within e_j of lam_j; sigma2
           the noise, > 0.
Main       Eigenvalues (of, typed, measured), Position; Written, decimal.
Reference  docs/mathematics.md, section 0.

A number that somebody typed, or passed as a float, is the decimal that was written: 0.7 is 7/10, the shortest decimal
that denotes the double. Its comparisons are decided exactly. A number measured from data is known within its error:
what lies within it of zero, of its neighbour or of a noise is a tie, and which side it lies on is undecided.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from math import isfinite
from typing import Any

import numpy as np

from verify.arrays import Array, to_numpy


@dataclass(frozen=True)
class Position:
    """Where a noise lies in a spectrum: `above` eigenvalues exceed it surely, the next `level` ones tie with it.

    undecided: the ties are of rounding, so that each may lie on either side; otherwise they are exact.
    """

    above: int
    level: int
    undecided: bool

    def retained(self, k: int) -> tuple[int, int]:
        """How many of k latents the optimum at this noise retains, at least and at most (theory 1.5).

        An exact tie counts as collapsed.
        """
        return min(k, self.above), min(k, self.above + (self.level if self.undecided else 0))


@dataclass(frozen=True, eq=False)
class Eigenvalues:
    """values (n,) float64, descending, ties and zeros settled; errors (n,), all 0 where the values are exact decimals.

    exact: the decimals (n,), None where the values were measured.
    """

    values: Array
    errors: Array
    exact: tuple[Fraction, ...] | None

    @classmethod
    def of(cls, lam: "Eigenvalues | Array") -> "Eigenvalues":
        """`lam` itself, or descending floats (n,) at their word."""
        if isinstance(lam, Eigenvalues):
            return lam
        values = np.asarray(to_numpy(lam), dtype=np.float64)
        return cls(values, np.zeros(len(values)), tuple(map(decimal, values.tolist())))

    @classmethod
    def typed(cls, numbers: Sequence[Fraction]) -> "Eigenvalues":
        """Exact numbers >= 0 in any order."""
        exact = tuple(sorted(numbers, reverse=True))
        return cls(np.array([float(x) for x in exact]), np.zeros(len(exact)), exact)

    @classmethod
    def measured(cls, values: Array, errors: Array, positive: int = 0) -> "Eigenvalues":
        """Descending values (n,), each within its error of the true eigenvalue; zeros and ties are settled here.

        What may be 0 becomes 0, but the first `positive` ones, known to be > 0, and whatever exceeds one that is.
        Neighbours whose intervals overlap become their mean, run by run, and the error of a run covers them all: the
        intervals that are left are apart, but for those of the zeros, which reach less and less far.
        """
        lam, e = _in_order(np.array(values, dtype=np.float64), np.array(errors, dtype=np.float64))
        positive = max([positive, *(np.flatnonzero(lam > e) + 1).tolist()])
        e[positive:] = np.maximum(lam[positive:] + e[positive:], 0.0)
        lam[positive:] = 0.0
        head, bounds = lam[:positive], e[:positive]
        # Of what is > 0 but may be as small as you like only the upper end is known.
        ends = (head + bounds) / 2
        open_ended = head <= bounds
        head[open_ended] = bounds[open_ended] = ends[open_ended]
        runs: list[tuple[int, float, float]] = []  # where each starts, its value and its error
        for stop in range(1, positive + 1):
            start, value, error = stop - 1, float(head[stop - 1]), float(bounds[stop - 1])
            while runs and runs[-1][1] - value <= runs[-1][2] + error:
                start = runs.pop()[0]
                run = head[start:stop]
                # Around its first value: the mean of equal values is then that value, to the bit.
                value = float(run[0] + np.mean(run - run[0]))
                error = float(np.max(np.abs(run - value) + bounds[start:stop]))
            runs.append((start, value, error))
        for start, value, error in runs:  # the next one overwrites what is its own
            head[start:], bounds[start:] = value, error
        return cls(lam, e, None)

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def listed(self) -> list[float]:
        """The values as Python's floats, which are faster one by one."""
        return list(self.values.tolist())

    @cached_property
    def ends(self) -> tuple[list[float], list[float]]:
        """The least and the most that each eigenvalue may be."""
        least, most = (self.values - self.errors).clip(0), self.values + self.errors
        return least.tolist(), most.tolist()

    @cached_property
    def rank(self) -> int:
        """The number of eigenvalues that are surely positive."""
        return int(np.count_nonzero(self.values > 0))

    @property
    def undecided_zeros(self) -> int:
        """How many count as 0 only because rounding cannot tell them from it."""
        return int(np.count_nonzero((self.values == 0) & (self.errors > 0)))

    def half(self, j: int) -> float:
        """Half of lam_j, j from 0: of the least that it may be, if that is positive."""
        value, error = float(self.values[j]), float(self.errors[j])
        return (value - error if value > error else value) / 2

    def position(self, sigma2: float) -> Position:
        """Where a noise lies.  sigma2 > 0, a decimal."""
        if self.exact is not None:
            noise, exact, every = decimal(sigma2), self.exact, range(len(self.exact))
            above = bisect_left(every, True, key=lambda j: exact[j] <= noise)
            return Position(above, bisect_left(every, True, key=lambda j: exact[j] < noise) - above, False)
        above = int(np.count_nonzero(self.values - sigma2 > self.errors))
        level = int(np.count_nonzero(sigma2 - self.values <= self.errors)) - above
        return Position(above, level, level > 0)


def _in_order(values: Array, errors: Array) -> tuple[Array, Array]:
    """The same intervals, cut to what is left of them because the true eigenvalues fall.  (n,), (n,) -> (n,), (n,)."""
    least = np.maximum.accumulate((values - errors)[::-1])[::-1]
    most = np.minimum.accumulate(values + errors)
    cut = (least > values - errors) | (most < values + errors)
    # Halving and adding again may lose an ulp of either end.
    half = np.maximum(most - least, 0.0) / 2 + np.spacing(np.maximum(np.abs(most), np.abs(least)))
    return np.where(cut, least / 2 + most / 2, values), np.where(cut, half, errors)


class Written(float):
    """The double nearest to a decimal that somebody wrote, and that decimal with all its digits."""

    exact: Fraction

    def __new__(cls, text: str) -> "Written":
        """Raises ValueError where float does."""
        number = super().__new__(cls, text)
        # Of a finite double the exponent is small, so that its Fraction is soon written out.
        number.exact = Fraction(Decimal(text.strip())) if isfinite(number) and number else Fraction(0)
        return number

    @classmethod
    def of(cls, exact: Fraction) -> "Written":
        """The double nearest to a fraction, which may have no finite decimal.  Raises OverflowError as float does."""
        number = super().__new__(cls, float(exact))
        number.exact = exact
        return number


def decimal(x: Any) -> Fraction:
    """The decimal that was written for x; of another double the shortest that denotes it; a Fraction as it is."""
    if isinstance(x, Written):
        return x.exact
    return x if isinstance(x, Fraction) else Fraction(repr(float(x)))
