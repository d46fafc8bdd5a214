"""What is true, in exact arithmetic: how many eigenvalues of a symmetric matrix lie above, at and below a number.

Notation   A = unit B, B (n, n) symmetric and of whole numbers, unit > 0 a fraction; p the characteristic polynomial.
Main       Symmetric; of_doubles, of_rows, of_spectrum.
Reference  Descartes' rule of signs; it counts exactly where all zeros are real (Rahman & Schmeisser, Cor. 10.1.11).
"""

from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import pairwise
from math import gcd
from typing import Any

import numpy as np

Whole = list[list[int]]


def _flint() -> Any:
    import flint

    return flint


class Symmetric:
    """unit B, exactly.  All counts are those of its characteristic polynomial, whose zeros are real."""

    def __init__(self, whole: Whole, unit: Fraction = Fraction(1)) -> None:
        common = gcd(*(x for row in whole for x in row)) or 1
        self.whole = [[x // common for x in row] for row in whole]
        self.unit = unit * common
        self.n = len(whole)
        if any(self.whole[i][j] != self.whole[j][i] for i in range(self.n) for j in range(i)):
            raise ValueError("not symmetric")
        self._counts = lru_cache(maxsize=256)(self._counted)

    @cached_property
    def _polynomial(self) -> Any:
        flint = _flint()
        return flint.fmpq_poly(flint.fmpz_mat(self.whole).charpoly().coeffs())

    def _counted(self, level: Fraction) -> tuple[int, int]:
        """(above, equal): sign changes of p(x + t) as a polynomial in t, and how often t divides it."""
        flint = _flint()
        x = level / self.unit
        shifted = self._polynomial(flint.fmpq_poly([flint.fmpq(x.numerator, x.denominator), 1])).numer().coeffs()
        signs = [c > 0 for c in shifted if c != 0]
        equal = next(i for i, c in enumerate(shifted) if c != 0)
        return sum(a != b for a, b in pairwise(signs)), equal

    def above(self, level: Fraction | float) -> int:
        """How many eigenvalues exceed the level, with multiplicity."""
        return self._counts(Fraction(level))[0]

    def equal(self, level: Fraction | float) -> int:
        """How many equal it."""
        return self._counts(Fraction(level))[1]

    def least(self, level: Fraction | float) -> int:
        """How many are at least the level."""
        return sum(self._counts(Fraction(level)))

    def inertia(self) -> tuple[int, int, int]:
        """(positive, negative, zero)."""
        positive, zero = self._counts(Fraction(0))
        return positive, self.n - positive - zero, zero

    def holds(self, j: int, low: Fraction, high: Fraction) -> bool:
        """low <= the j-th largest eigenvalue <= high, j = 1..n."""
        return self.least(low) >= j and self.above(high) < j

    def minus(self, other: "Symmetric") -> "Symmetric":
        """The difference, exactly."""
        a, b = self.unit, other.unit
        unit = Fraction(gcd(a.numerator * b.denominator, b.numerator * a.denominator), a.denominator * b.denominator)
        s, t = int(a / unit), int(b / unit)
        pairs = zip(self.whole, other.whole, strict=True)
        return Symmetric([[s * x - t * y for x, y in zip(v, w, strict=True)] for v, w in pairs], unit)

    def norm_at_most(self, bound: Fraction | float) -> bool:
        """The spectral norm is at most the bound."""
        bound = Fraction(bound)
        return bound >= 0 and self.above(bound) == 0 and self.least(-bound) == self.n


def whole_of(values: np.ndarray) -> tuple[Whole, int]:
    """Doubles (n, m) as whole numbers times 2^e."""
    fractions, exponents = np.frexp(np.asarray(values, dtype=np.float64))
    digits = np.ldexp(fractions, 53).astype(np.int64)
    powers = exponents - 53
    there = digits != 0
    e = int(powers[there].min()) if there.any() else 0
    pairs = zip(digits.tolist(), powers.tolist(), strict=True)
    return [[x << (p - e) if x else 0 for x, p in zip(v, w, strict=True)] for v, w in pairs], e


def of_doubles(values: np.ndarray, unit: Fraction = Fraction(1)) -> Symmetric:
    """unit times a symmetric matrix of doubles (n, n)."""
    whole, e = whole_of(values)
    return Symmetric(whole, unit * Fraction(2) ** e)


def of_rows(rows: np.ndarray, divisor: float = 1.0) -> Symmetric:
    """The covariance of rows (N, n) divided by the divisor, with 1/N: N^2 S = N X^T X - (X^T 1)(1^T X)."""
    flint = _flint()
    whole, e = whole_of(rows)
    X, N = flint.fmpz_mat(whole), len(whole)
    sums = flint.fmpz_mat([[1] * N]) * X
    product = N * (X.transpose() * X) - sums.transpose() * sums
    table = [[int(x) for x in row] for row in product.tolist()]
    return Symmetric(table, (Fraction(2) ** e / Fraction(divisor) / N) ** 2)


def of_spectrum(numbers: Sequence[Fraction]) -> Symmetric:
    """The diagonal matrix of these numbers."""
    common = 1
    for x in numbers:
        common = common * x.denominator // gcd(common, x.denominator)
    n = len(numbers)
    return Symmetric(
        [[int(numbers[i] * common) if i == j else 0 for j in range(n)] for i in range(n)], Fraction(1, common)
    )
