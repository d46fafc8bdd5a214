"""A spectrum in whole numbers, and the noise of an index set, decided without rounding.

Notation   lam (n,) descending eigenvalues, lam_j between least_j and most_j units, both falling with j; A a retained
           index set, q = |A|, p = n - q; sigma2_A the mean of the discarded eigenvalues.
Main       units -> Units (learned, status, total); STATIONARY, UNDECIDED, NONE.
Reference  theory 2; verify/eigenvalues.py.

Of decimals the unit is their greatest common divisor and least = most: every comparison of p lam_a with the sum of the
discarded is one of integers. Of measured eigenvalues the unit is a power of two well below their errors, least and most
bound what they may be, and a comparison that the bounds leave open is undecided. Those that were settled as equal are
one number, however: with m of them among the discarded, p lam_j - sum is (p - m) lam_j minus the other ones, and 0
where nothing else is discarded. The true eigenvalues are in order, so both bounds may be made to fall; then an exchange
for a larger eigenvalue leaves a set that is surely stationary surely stationary, and one that may be so possibly so,
which is what the search for the best rests on (search.py).
"""

from bisect import bisect_left
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import accumulate, groupby
from math import ceil, floor, frexp, gcd, lcm

from verify.arrays import Array
from verify.eigenvalues import Eigenvalues, Position

NONE, STATIONARY, UNDECIDED = range(3)
# Units below the least error, and below the largest eigenvalue: rounding outwards then adds a thousandth to an error,
# and n <= 64 of them add up within 112 bits whatever the errors are.
FINER, WIDEST = 10, 100


@dataclass(frozen=True, eq=False)
class Units:
    """lam_j lies between least[j] and most[j] times `unit`; centre[j] is its value. All three agree where exact."""

    spectrum: Eigenvalues
    unit: Fraction
    least: tuple[int, ...]
    centre: tuple[int, ...]
    most: tuple[int, ...]

    @property
    def exact(self) -> bool:
        """Whether the eigenvalues are decimals."""
        return self.spectrum.exact is not None

    @cached_property
    def _sums(self) -> tuple[int, int, int]:
        return sum(self.least), sum(self.centre), sum(self.most)

    def total(self, chosen: tuple[int, ...]) -> tuple[int, int, int]:
        """The sums of least, centre and most over the discarded."""
        least, centre, most = self._sums
        if self.exact:
            here = centre - sum(self.centre[i] for i in chosen)
            return here, here, here
        least -= sum(self.least[i] for i in chosen)
        return least, centre - sum(self.centre[i] for i in chosen), most - sum(self.most[i] for i in chosen)

    @cached_property
    def runs(self) -> tuple[tuple[int, int], ...]:
        """For each j where the run of its equals starts, and where it ends (after its last).

        Measured ones that count as 0 are not one number: each is a run of its own.
        """
        exact = self.spectrum.exact
        known = exact if exact is not None else [x or -j for j, x in enumerate(self.spectrum.values.tolist(), start=1)]
        found: list[tuple[int, int]] = []
        for _, run in groupby(known):
            size = len(list(run))
            found += [(len(found), len(found) + size)] * size
        return tuple(found)

    def _left(self, j: int, chosen: tuple[int, ...]) -> int:
        """How many of the equals of lam_j are discarded."""
        start, end = self.runs[j]
        return end - start - (bisect_left(chosen, end) - bisect_left(chosen, start))

    def _at_one(self, chosen: tuple[int, ...]) -> tuple[int, int] | None:
        """The run that holds all that is discarded, None if none does.  Of a stationary set it can only be the last."""
        p, (start, end) = len(self.centre) - len(chosen), self.runs[-1]
        return (start, end) if self._left(len(self.centre) - 1, chosen) == p else None

    def _bounds(self, j: int, chosen: tuple[int, ...]) -> tuple[int, int]:
        """Between what p lam_j lies, to be compared with the sums of most and of least: what is equal cancels."""
        p, m = len(self.centre) - len(chosen), 0 if self.exact else self._left(j, chosen)
        least, most = self.least[j], self.most[j]
        return (p - m) * least + m * most, (p - m) * most + m * least

    def status(self, chosen: tuple[int, ...]) -> int:
        """Whether every retained eigenvalue exceeds sigma2_A > 0 (theory 2).  chosen ascending."""
        rank = self.spectrum.rank
        # What counts as 0 is never retained; and if all that is discarded is 0, there is no noise.
        if len(chosen) >= rank or (chosen and chosen[-1] >= rank):
            return NONE
        if not chosen:
            return STATIONARY
        at_one = None if self.exact else self._at_one(chosen)
        if at_one is not None:
            return STATIONARY if chosen[-1] < at_one[0] else NONE
        (least, _, most), (low, high) = self.total(chosen), self._bounds(chosen[-1], chosen)
        return STATIONARY if low > most else UNDECIDED if high > least else NONE

    def position(self, chosen: tuple[int, ...]) -> Position:
        """Where sigma2_A lies, if A is stationary."""
        at_one = self._at_one(chosen)
        if at_one is not None:
            return Position(at_one[0], at_one[1] - at_one[0], False)
        n, (least, _, most) = len(self.centre), self.total(chosen)
        above = bisect_left(range(n), True, key=lambda j: self._bounds(j, chosen)[0] <= most)
        beside = bisect_left(range(n), True, key=lambda j: self._bounds(j, chosen)[1] < least)
        return Position(above, max(beside - above, 0), not self.exact)

    def mean(self, chosen: tuple[int, ...]) -> float:
        """sigma2_A, of decimals rounded correctly, else to a thousandth of the errors; of an equal lam_j its double."""
        (_, total, _), p = self.total(chosen), len(self.centre) - len(chosen)
        same = bisect_left(range(len(self.centre)), True, key=lambda j: p * self.centre[j] <= total)
        if p * self.centre[same] == total:
            return float(self.spectrum.values[same])
        return total * self.unit.numerator / (p * self.unit.denominator)

    def noise(self, chosen: tuple[int, ...]) -> Fraction | None:
        """sigma2_A as a rational number, where the eigenvalues are decimals."""
        p = len(self.centre) - len(chosen)
        return self.total(chosen)[1] * self.unit / p if self.exact else None

    def bounds(self, chosen: tuple[int, ...]) -> tuple[float, float]:
        """What sigma2_A is at least and at most, to within a few ulps."""
        (least, _, most), p = self.total(chosen), len(self.centre) - len(chosen)
        low, high = (x * self.unit.numerator / (p * self.unit.denominator) for x in (least, most))
        return low, high


def units(lam: Eigenvalues | Array) -> Units:
    """The spectrum in whole numbers.  lam (n,) descending."""
    return _units(Eigenvalues.of(lam))


@lru_cache(maxsize=8)
def _units(spectrum: Eigenvalues) -> Units:
    if spectrum.exact is not None:
        common = lcm(*(x.denominator for x in spectrum.exact))
        whole = [x.numerator * (common // x.denominator) for x in spectrum.exact]
        divisor = max(gcd(*whole), 1)
        integers = tuple(x // divisor for x in whole)
        return Units(spectrum, Fraction(divisor, common), integers, integers, integers)
    values, errors = [list(map(Fraction, a.tolist())) for a in (spectrum.values, spectrum.errors)]
    unit = _power_below(spectrum)
    least = [max(floor((x - e) / unit), 0) for x, e in zip(values, errors, strict=True)]
    most = [ceil((x + e) / unit) for x, e in zip(values, errors, strict=True)]
    falling_least = tuple(accumulate(reversed(least), max))[::-1]
    falling_most = tuple(accumulate(most, min))
    return Units(spectrum, unit, falling_least, tuple(round(x / unit) for x in values), falling_most)


def _power_below(spectrum: Eigenvalues) -> Fraction:
    """A power of two well below the least error."""
    coarsest = frexp(float(spectrum.values[0]))[1] - WIDEST
    positive = spectrum.errors[spectrum.errors > 0]
    exponent = max(frexp(float(positive.min()))[1] - 1 - FINER, coarsest) if positive.size else coarsest
    return Fraction(2) ** exponent
