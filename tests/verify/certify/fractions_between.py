"""Intervals between fractions: the arithmetic of the second checker, with the standard library alone.

Notation   an Interval holds every real number from low/UNIT to high/UNIT, whole numbers; it is rounded outwards.
Main       Interval; exp, log, sqrt, PI; inertia of a matrix of fractions; signs of one of intervals.
"""

from fractions import Fraction
from math import isqrt

PLACES = 224
UNIT = 1 << PLACES


class Interval:
    """All numbers from lo to hi, fractions."""

    __slots__ = ("high", "low")

    def __init__(self, lo, hi):
        lo, hi = Fraction(lo), Fraction(hi)
        if lo > hi:
            raise ValueError(f"no interval: {lo!r}, {hi!r}")
        self.low = lo.numerator * UNIT // lo.denominator
        self.high = -(-hi.numerator * UNIT // hi.denominator)

    lo = property(lambda self: Fraction(self.low, UNIT))
    hi = property(lambda self: Fraction(self.high, UNIT))

    def __add__(self, other):
        other = interval(other)
        return _of(self.low + other.low, self.high + other.high)

    def __neg__(self):
        return _of(-self.high, -self.low)

    def __sub__(self, other):
        other = interval(other)
        return _of(self.low - other.high, self.high - other.low)

    def __mul__(self, other):
        other = interval(other)
        ends = (self.low * other.low, self.low * other.high, self.high * other.low, self.high * other.high)
        return _of(min(ends) >> PLACES, -(-max(ends) >> PLACES))

    def inverse(self):
        """1/x.  Raises ZeroDivisionError where 0 may be meant."""
        if self.low <= 0 <= self.high:
            raise ZeroDivisionError("the interval holds 0")
        return _of((UNIT << PLACES) // self.high, -(-(UNIT << PLACES) // self.low))

    def __truediv__(self, other):
        return self * interval(other).inverse()

    def __rtruediv__(self, other):
        return interval(other) * self.inverse()

    def __rsub__(self, other):
        return interval(other) - self

    __radd__ = __add__
    __rmul__ = __mul__


def _of(low, high):
    made = object.__new__(Interval)
    made.low, made.high = low, high
    return made


def interval(x):
    """x itself, or the one number x."""
    if isinstance(x, Interval):
        return x
    return _of(x << PLACES, x << PLACES) if type(x) is int else Interval(x, x)


def around(x, radius):
    """All numbers within the radius of x."""
    return Interval(x - radius, x + radius)


def _series(x, first, following, terms=60):
    """The sum of a series of terms in an Interval, and the last one."""
    term = total = first
    for i in range(1, terms):
        term = following(term, i)
        total = total + term
    return total, term


def _exp_of(x):
    """exp of one fraction: Taylor at x/2^m, |x/2^m| <= 1/2, where the rest is below the last term; then squared."""
    if x > 4096:
        raise OverflowError("too large an exponential")
    if x < -4096:
        return Interval(0, Fraction(1, UNIT))
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
    x = interval(x)
    return _of(isqrt(x.low << PLACES), isqrt(x.high << PLACES) + 1)


def _arctan(x, terms=300):
    """arctan of a fraction 0 < x <= 1/5: x - x^3/3 + ..., alternating, so within the last term."""
    power, total = x, interval(x)
    for i in range(1, terms):
        power = power * x * x
        term = power / (2 * i + 1)
        total = total + (-term if i % 2 else term)
        if term < Fraction(1, 4 * UNIT):
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
        sure = [i for i in range(len(A)) if A[i][i].low > 0 or A[i][i].high < 0]
        if not sure:
            return None
        place = max(sure, key=lambda i: min(abs(A[i][i].low), abs(A[i][i].high)))
        pivot = A[place][place]
        positive, negative = positive + (pivot.low > 0), negative + (pivot.high < 0)
        rest = [i for i in range(len(A)) if i != place]
        A = [[A[i][j] - A[i][place] * A[place][j] / pivot for j in rest] for i in rest]
    return positive, negative
