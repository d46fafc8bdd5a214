"""A spectrum in whole numbers, and the noise of an index set, decided without rounding.

Notation   lam (n,) descending eigenvalues, lam_j between least_j and most_j units, both falling with j; A a retained
           index set, q = |A|, p = n - q; sigma2_A the mean of the discarded eigenvalues.
Main       units -> Units (learned, status, total); STATIONARY, UNDECIDED, NONE.
Reference  theory 2; verify/eigenvalues.py.

Of decimals the unit is their greatest common divisor and least = most: every comparison of p lam_a with the sum of the
discarded is one of integers. Of measured eigenvalues the unit is a power of two well below their errors, least and most
bound what they may be, and a comparison that the bounds leave open is undecided. The true eigenvalues are in order, so
both bounds may be made to fall; then an exchange for a larger eigenvalue leaves a set that is surely stationary surely
stationary, and one that may be so possibly so, which is what the search for the best rests on (search.py).
"""

from bisect import bisect_left
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import accumulate
from math import ceil, floor, frexp, gcd, lcm

from verify.arrays import Array
from verify.eigenvalues import Eigenvalues, Position

STATIONARY, UNDECIDED, NONE = 1, 2, 0
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

    def status(self, chosen: tuple[int, ...]) -> int:
        """Whether every retained eigenvalue exceeds sigma2_A > 0 (theory 2).  chosen ascending."""
        p, rank = len(self.centre) - len(chosen), self.spectrum.rank
        # What counts as 0 is never retained; and if all that is discarded is 0, there is no noise.
        if len(chosen) >= rank or (chosen and chosen[-1] >= rank):
            return NONE
        least, _, most = self.total(chosen)
        if not chosen or p * self.least[chosen[-1]] > most:
            return STATIONARY
        if p * self.most[chosen[-1]] > least:
            return UNDECIDED
        return NONE

    def position(self, chosen: tuple[int, ...]) -> Position:
        """Where sigma2_A lies.

        lam_j is surely above it if (p - 1) lam_j exceeds the others that are discarded, whatever they are: if
        (p - 1) least_j + most_j exceeds the sum of `most`. (Of a retained one this asks for less than holds.)
        """
        n, p = len(self.centre), len(self.centre) - len(chosen)
        least, _, most = self.total(chosen)
        above = bisect_left(range(n), True, key=lambda j: (p - 1) * self.least[j] + self.most[j] <= most)
        beside = bisect_left(range(n), True, key=lambda j: (p - 1) * self.most[j] + self.least[j] < least)
        return Position(above, max(beside - above, 0), not self.exact)

    def mean(self, chosen: tuple[int, ...]) -> float:
        """sigma2_A, rounded correctly; of a mean that is an eigenvalue, its very double."""
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
        return tuple(x * self.unit.numerator / (p * self.unit.denominator) for x in (least, most))  # type: ignore


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
