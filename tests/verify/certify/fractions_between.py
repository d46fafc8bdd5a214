"""Intervals of fractions: the arithmetic of the second checker, with the standard library alone.

Notation   an Interval holds every real number between two fractions; ends are rounded outwards to BITS digits.
Main       Interval; exp, log, sqrt, PI; inertia of a matrix of fractions; positive_definite of one of intervals.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import isqrt

BITS = 160


def down(x, bits=BITS):
    """A number not above x with so many digits."""
    if x == 0:
        return x
    shift = bits - (abs(x.numerator).bit_length() - x.denominator.bit_length())
    scaled = x * Fraction(2) ** shift
    return Fraction(scaled.numerator // scaled.denominator) / Fraction(2) ** shift


def up(x, bits=BITS):
    """A number not below x."""
    return -down(-x, bits)


@dataclass(frozen=True)
class Interval:
    """All numbers from lo to hi."""

    lo: Fraction
    hi: Fraction

    def __post_init__(self):
        if not (isinstance(self.lo, Fraction) and isinstance(self.hi, Fraction) and self.lo <= self.hi):
            raise ValueError(f"no interval: {self.lo!r}, {self.hi!r}")

    def __add__(self, other):
        other = interval(other)
        return Interval(down(self.lo + other.lo), up(self.hi + other.hi))

    def __neg__(self):
        return Interval(-self.hi, -self.lo)

    def __sub__(self, other):
        return self + -interval(other)

    def __mul__(self, other):
        other = interval(other)
        ends = [a * b for a in (self.lo, self.hi) for b in (other.lo, other.hi)]
        return Interval(down(min(ends)), up(max(ends)))

    def inverse(self):
        """1/x.  Raises ZeroDivisionError where 0 may be meant."""
        if self.lo <= 0 <= self.hi:
            raise ZeroDivisionError("the interval holds 0")
        return Interval(down(1 / self.hi), up(1 / self.lo))

    def __truediv__(self, other):
        return self * interval(other).inverse()

    def __rtruediv__(self, other):
        return interval(other) * self.inverse()

    def __rsub__(self, other):
        return interval(other) - self

    __radd__ = __add__
    __rmul__ = __mul__

    def surely_above(self, other):
        """Whether every number in it exceeds every one of the other."""
        return self.lo > interval(other).hi


def interval(x):
    """x itself, or the one number x."""
    return x if isinstance(x, Interval) else Interval(Fraction(x), Fraction(x))


def around(x, radius):
    """All numbers within the radius of x."""
    return Interval(Fraction(x) - radius, Fraction(x) + radius)


def _series(x, first, following, terms=60):
    """The sum of a series of terms in an Interval, and the last one."""
    term = total = first
    for i in range(1, terms):
        term = following(term, i)
        total = total + term
    return total, term


def _exp_of(x):
    """exp of one fraction: Taylor at x/2^m, |x/2^m| <= 1/2, where the rest is below the last term; then squared."""
    m = 0
    while abs(x) > Fraction(2) ** (m - 1):
        m += 1
    y = interval(x / Fraction(2) ** m)
    total, last = _series(y, interval(1), lambda term, i: term * y * Fraction(1, i))
    rest = max(abs(last.lo), abs(last.hi))
    total = total + Interval(-rest, rest)
    for _ in range(m):
        total = total * total
    return total


def exp(x):
    """exp of every number of x."""
    x = interval(x)
    return Interval(_exp_of(x.lo).lo, _exp_of(x.hi).hi)


def _atanh(x):
    """atanh of a fraction, |x| <= 1/2: x + x^3/3 + ..., whose rest is below the last power."""
    y = interval(x)
    power, total = y, y
    for i in range(3, 201, 2):
        power = power * y * y
        total = total + power * Fraction(1, i)
    rest = max(abs(power.lo), abs(power.hi))
    return total + Interval(-rest, rest)


def _log_of(x):
    """log of a fraction > 0: log(m 2^e) = 2 atanh((m - 1)/(m + 1)) + e 2 atanh(1/3), m about 1."""
    e = x.numerator.bit_length() - x.denominator.bit_length()
    m = x / Fraction(2) ** e
    return 2 * _atanh((m - 1) / (m + 1)) + 2 * e * _atanh(Fraction(1, 3))


def log(x):
    """log of every number of x > 0."""
    x = interval(x)
    if x.lo <= 0:
        raise ZeroDivisionError("the logarithm of what may not be positive")
    return Interval(_log_of(x.lo).lo, _log_of(x.hi).hi)


def sqrt(x):
    """The root of every number of x >= 0."""
    x, scale = interval(x), 4**BITS
    low = Fraction(isqrt(x.lo.numerator * scale // x.lo.denominator), 2**BITS)
    high = Fraction(isqrt(x.hi.numerator * scale // x.hi.denominator + 1) + 1, 2**BITS)
    return Interval(low, high)


def _arctan(x, terms=300):
    """arctan of a fraction 0 < x <= 1/5: x - x^3/3 + ..., alternating, so within the last term."""
    power, total = x, interval(x)
    for i in range(1, terms):
        power = power * x * x
        term = power / (2 * i + 1)
        total = total + (-term if i % 2 else term)
        if term < Fraction(1, 2 ** (BITS + 10)):
            break
    return total + Interval(-term, term)


PI = 16 * _arctan(Fraction(1, 5)) - 4 * _arctan(Fraction(1, 239))  # Machin


def inertia(A):
    """(positive, negative, zero): the signs of a symmetric matrix of fractions, by exact congruence."""
    A = [[Fraction(x) for x in row] for row in A]
    positive = negative = 0
    while A:
        n = len(A)
        place = next((i for i in range(n) if A[i][i]), None)
        if place is None:
            pair = next(((i, j) for i in range(n) for j in range(i) if A[i][j]), None)
            if pair is None:
                return positive, negative, n
            i, j = pair  # row and column j added to i: the diagonal becomes 2 A_ij
            A[i] = [x + y for x, y in zip(A[i], A[j], strict=True)]
            for row in A:
                row[i] += row[j]
            place = i
        pivot, column = A[place][place], [row[place] for row in A]
        positive, negative = positive + (pivot > 0), negative + (pivot < 0)
        rest = [i for i in range(n) if i != place]
        A = [[A[i][j] - column[i] * column[j] / pivot for j in rest] for i in rest]
    return positive, negative, 0


def signs(A):
    """(positive, negative) of every symmetric matrix within a matrix of intervals; None where a pivot may be 0.

    Without the exchange of rows: A = L D L^T with the same signs for all of them.
    """
    A = [[interval(x) for x in row] for row in A]
    positive = negative = 0
    while A:
        # The largest diagonal entry that is surely not 0, for small multipliers.
        sure = [i for i in range(len(A)) if A[i][i].lo > 0 or A[i][i].hi < 0]
        if not sure:
            return None
        place = max(sure, key=lambda i: min(abs(A[i][i].lo), abs(A[i][i].hi)))
        pivot = A[place][place]
        positive, negative = positive + (pivot.lo > 0), negative + (pivot.hi < 0)
        rest = [i for i in range(len(A)) if i != place]
        A = [[A[i][j] - A[i][place] * A[place][j] / pivot for j in rest] for i in rest]
    return positive, negative
