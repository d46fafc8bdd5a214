"""Count, mean and scatter of rows, block by block.

Notation   X (b, n) a block of rows; scatter = sum over rows of (x - mean)(x - mean)^T; S = scatter / N.
Main       Moments, moments, merge; Centred, centred.
Reference  [CGL83] Chan, Golub & LeVeque, Amer. Statist. 37 (1983): merging the moments of two samples.

Two precautions keep small variances: the mean is held as `shift + offset`, where `shift` is a row of the
data, so that a mean of 1e8 cancels before anything is squared and a constant column has scatter exactly 0;
and everything but the shift is held in units of a power of two near the largest deviation, so that squares of
entries between 1e-150 and 1e150 neither overflow nor vanish.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from verify.arrays import Array

# 2.0 ** 1000 is a double, 2.0 ** 1074 (the reciprocal of the smallest one) is not.
_LOWEST_EXPONENT = -1000


@dataclass(frozen=True, eq=False)
class Moments:
    """mean = shift + 2^exponent offset; sum (x - mean)(x - mean)^T = 4^exponent scatter."""

    count: int
    shift: Array  # (n,)
    offset: Array  # (n,)
    scatter: Array  # (n, n)
    exponent: int

    @property
    def mean(self) -> Array:
        """The mean of the rows (n,)."""
        return self.shift + np.ldexp(self.offset, self.exponent)


@dataclass(frozen=True, eq=False)
class Centred:
    """X = shift + 2^exponent (offset + deviations), the columns of deviations (b, n) summing to 0."""

    shift: Array  # (n,)
    offset: Array  # (n,)
    deviations: Array
    exponent: int

    @property
    def mean(self) -> Array:
        """The mean of the rows (n,)."""
        return self.shift + np.ldexp(self.offset, self.exponent)


def centred(X: Array) -> Centred:
    """One block, finite float64 X (b, n) with b >= 1, about its mean."""
    shift = np.array(X[0], dtype=np.float64)
    deviations = np.subtract(X, shift, dtype=np.float64)
    exponent = _exponent(deviations)
    if exponent:
        deviations *= 2.0**-exponent
    offset = deviations.mean(axis=0)
    # The rounding of this mean, eps times the largest deviation, enters the scatter squared.
    deviations -= offset
    return Centred(shift, offset, deviations, exponent)


def moments(X: Array) -> Moments:
    """The moments of one block, finite float64 X (b, n) with b >= 1."""
    c = centred(X)
    return Moments(len(X), c.shift, c.offset, c.deviations.T @ c.deviations, c.exponent)


def merge(a: Moments, b: Moments) -> Moments:
    """The moments of the rows of `a` and `b` together [CGL83, Eq. 2.1]; associative up to rounding."""
    shifts = b.shift - a.shift
    exponent = max(a.exponent, b.exponent, _exponent(shifts))
    offset_a = np.ldexp(a.offset, a.exponent - exponent)
    delta = (shifts * 2.0**-exponent - offset_a) + np.ldexp(b.offset, b.exponent - exponent)
    count = a.count + b.count
    scatter = np.outer(delta, delta * (a.count * (b.count / count)))
    for part in (a, b):
        # In place where the unit is the same, as it mostly is: an (n, n) temporary less.
        shrink = 2.0 ** (2 * max(part.exponent - exponent, _LOWEST_EXPONENT // 2))
        scatter += part.scatter if shrink == 1.0 else part.scatter * shrink
    return Moments(count, a.shift, offset_a + delta * (b.count / count), scatter, exponent)


def _exponent(deviations: Array) -> int:
    """The e with max|deviations| < 2^e, clamped where 2^-e would overflow."""
    largest = max(float(deviations.max()), -float(deviations.min()))
    exponent: Any = np.frexp(largest)[1] if largest else _LOWEST_EXPONENT
    return max(int(exponent), _LOWEST_EXPONENT)
