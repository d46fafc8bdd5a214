"""The noise of a stationary point among eigenvalues that are enclosed, and numbers with roots in balls.

Notation   lam_j the eigenvalues of S in exact arithmetic, as they are enclosed; A retained (q of them), p = n - q
           discarded; s the noise; a block b has k_b columns, the eigen-indices A_b, z_b zero rows, the constant m_b.
Main       noise_of -> Noise; lam, root, constant, in balls; rational_constant, rational_sum, where roots are rational.
Reference  docs/mathematics.md, sections 2, 4 and 13.5.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import inf, isqrt, nextafter

import mpmath

from verify.certify.checker.balls import Ball, ball, flint, precision
from verify.certify.decided.enclosed import Enclosed
from verify.landscape.points import Block, Point

# Of balls: of exact eigenvalues until a sign is decided; those of data are not known to more digits than the first has.
PRECISIONS = (128, 512, 2048, 8192)


class Open(Exception):
    """A sign that stays open, and which."""


@dataclass(frozen=True)
class Noise:
    """A noise s among the discarded eigenvalues: those before `above` exceed it, those from `below` on lie below.

    tied: those between equal it; else nothing is proved of them. holds: whether a retained one surely exceeds s. ball:
    s, to as many digits as are in use; exact: s where it is rational and known. balanced: one zero row and one
    discarded u_j are all that the equation of a learned noise is made of, s^2/m_b = lam_j: the row is flat towards it.
    """

    above: int
    below: int
    tied: bool
    holds: Callable[[int], bool | None]
    ball: Callable[[], Ball]
    exact: Fraction | None = None
    balanced: bool = False


def noise_of(point: Point, found: Enclosed, level: Fraction | None) -> Noise:
    if level is not None:
        return _fixed(found, level)
    if len(point.retained) == len(found):
        # The curve C = S: one point stands for all noises below lam_n, which is whatever the document calls it.
        return _fixed(found, Fraction(point.sigma2))
    if any(b.zeros and b.columns > 1 for b in point.blocks):
        return _root(point, found)
    return _mean(point, found)


def _fixed(found: Enclosed, level: Fraction) -> Noise:
    place = found.place(level)

    def holds(a: int) -> bool | None:
        if a < place.above:
            return True
        return None if place.why is not None and a < place.above + place.level else False

    end = place.above + place.level
    return Noise(place.above, end, place.why is None, holds, lambda: ball(level), level)


def _mean(point: Point, found: Enclosed) -> Noise:
    """sigma2_A, the mean of the p discarded eigenvalues: lam_j - sigma2_A is (p - 1) lam_j less the others, over p."""
    every, kept = range(len(found)), point.retained
    p, (low, high) = len(found) - len(kept), found.once("totals", lambda: (sum(found.low), sum(found.high)))
    low, high = low - sum(found.low[a] for a in kept), high - sum(found.high[a] for a in kept)
    if not low > 0:
        raise Open("it is not proved that the noise is positive")
    above = bisect_left(every, True, key=lambda j: (p - 1) * found.low[j] + found.high[j] <= high)
    below = bisect_left(every, True, key=lambda j: (p - 1) * found.high[j] + found.low[j] < low)

    def holds(a: int) -> bool | None:
        return True if p * found.low[a] > high else False if p * found.high[a] <= low else None

    exact = low / p if found.exact else None
    return Noise(above, below, found.exact or p == 1, holds, lambda: between(low / p, high / p), exact)


def _root(point: Point, found: Enclosed) -> Noise:
    """The root of (n - k) s + sum_b z_b s^2/m_b - sum of the discarded, which rises with s (section 4).

    Proposed: a double, or more digits of it. Checked: the equation is negative a little below, positive a little above.
    """
    proposed, every = _proposed(point), range(len(found))
    kept = set(point.retained)

    def equation(s: Ball) -> Ball:
        total = (len(found) - point.k) * s - sum((lam(found, j) for j in every if j not in kept), ball(0))
        for b in point.blocks:
            if b.zeros:
                total += b.zeros * s * s / constant(found, b, s)
        return total

    @cache
    def enclosed_at(bits: int) -> Ball:
        for digits in (45, 30, 14, 12, 10, 8, 6):
            a, b = (ball(proposed * (1 + sign * Fraction(10) ** -digits)) for sign in (-1, 1))
            if equation(a) < 0 and equation(b) > 0:
                return a.union(b)
        raise Open("the noise is not enclosed by its equation")

    def enclosed() -> Ball:
        return enclosed_at(flint().ctx.prec)

    with precision(PRECISIONS[0]):
        s = enclosed()
        above = bisect_left(every, True, key=lambda j: not lam(found, j) > s)
        below = bisect_left(every, True, key=lambda j: bool(lam(found, j) < s))

    def holds(a: int) -> bool | None:
        return True if a < above else False if a >= below else None

    balanced = len(found) == point.k == len(kept) + 1
    return Noise(above, below, False, holds, enclosed, balanced=balanced)


def _proposed(point: Point) -> Fraction:
    """The noise of the point to as many digits as somebody has computed."""
    digits = None if point.noise is None else point.noise.digits
    if digits is None:
        return Fraction(point.sigma2)
    return Fraction(mpmath.nstr(digits(), 55))


# --- where all roots are rational -----------------------------------------------------------------------------------


def rational_constant(held: Sequence[Fraction], b: Block, s: Fraction | None) -> Fraction | None:
    """m_b (Eq. 3), where every root in it is rational; elsewhere None.  held: the eigenvalues of b."""
    if b.columns == 1:
        return held[0]
    roots = [_rational_root(x) for x in held]
    if None in roots or (s is None and b.zeros):
        return None
    r = sum((x for x in roots if x is not None), Fraction(0))
    last = _rational_root(r * r + 4 * b.columns * b.zeros * (s or Fraction(0)))
    return None if last is None else ((r + last) / (2 * b.columns)) ** 2


def _rational_root(x: Fraction) -> Fraction | None:
    above, below = isqrt(x.numerator), isqrt(x.denominator)
    return Fraction(above, below) if above**2 == x.numerator and below**2 == x.denominator else None


def rational_sum(exact: Sequence[Fraction], j: int, b: Block) -> Fraction | None:
    """sum_{d in A_b} sqrt(lam_j lam_d) + z_b lam_j, where every root is rational; elsewhere None."""
    total = b.zeros * exact[j]
    for d in b.eigen:
        root = _rational_root(exact[j] * exact[d])
        if root is None:
            return None
        total += root
    return total


# --- balls ----------------------------------------------------------------------------------------------------------


def between(low: Fraction, high: Fraction) -> Ball:
    """A ball that holds this interval."""
    return ball(low) if low == high else ball(low).union(ball(high))


def lam(found: Enclosed, j: int) -> Ball:
    return _kept(found, j)[0]


def root(found: Enclosed, j: int) -> Ball:
    return _kept(found, j)[1]


def _kept(found: Enclosed, j: int) -> tuple[Ball, Ball]:
    """lam_j and its root, in balls of as many bits as are in use."""
    kept: tuple[Ball, Ball] = found.once((j, flint().ctx.prec), lambda: _balls(found, j))
    return kept


def _balls(found: Enclosed, j: int) -> tuple[Ball, Ball]:
    low, high = found.low[j], found.high[j]
    least, most = ball(low).sqrt(), ball(high).sqrt()
    return between(low, high), least if low == high else least.union(most)


def constant(found: Enclosed, b: Block, s: Ball) -> Ball:
    """m_b, from sqrt(m_b) = [r + sqrt(r^2 + 4 k_b z_b s)]/(2 k_b), r the sum of the roots (Eq. 3)."""
    if not b.eigen:
        return s
    if b.columns == 1:
        return lam(found, b.eigen[0])
    r = sum((root(found, a) for a in b.eigen), ball(0))
    return ((r + (r * r + 4 * b.columns * b.zeros * s).sqrt()) / (2 * b.columns)) ** 2


def ends(x: Ball) -> tuple[float, float]:
    """Doubles that a ball lies between."""
    low, high = float(x.lower()), float(x.upper())
    return nextafter(low, -inf), nextafter(high, inf)
