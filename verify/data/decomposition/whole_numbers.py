"""Sums of rows of whole numbers, exact, and the exact rank of their covariance.

Notation   x = shift + 2^unit t, t (n,) integers; G = sum t t^T, s = sum t; N^2 S = N G - s s^T in units of 2^unit,
           a matrix of integers; p a prime.
Main       WholeSums, rank_of_whole, certificate_available.
Reference  docs/mathematics.md, "Eigenvalues of data".

Grey values and counts are whole numbers. While N max t^2 < 2^53 every partial sum is an integer below 2^53, so that
matrix products in float64 are exact in whatever order they add; below 2^24, in float32.

The rank modulo p never exceeds the rank. It falls short of it only if p divides every non-zero minor of that size, one
of which is below (2^63 sqrt(n))^n by Hadamard: at most 1.2 n of the more than 2.7e16 primes of 61 bits do, for n up to
20000. With p chosen by a hash of the matrix, the chance of that is below 1e-12 there.
"""

import hashlib
import math
from typing import Any

import numpy as np

from verify.arrays import Array
from verify.data.decomposition.real_numbers import RealSums
from verify.data.decomposition.scatter import UNIT_ROUNDOFF, Scatter, normalised

EXACT, _EXACT_SINGLE = 2.0**53, 2.0**24
_LARGEST_CERTIFIED = 4096
_LEAST_ROWS = 512  # with fewer, adding the products takes longer than computing them
_INT64 = 2.0**62
_NO_STEP = 1 << 20
_HEAD = 16  # so many rows tell most real numbers from whole ones


class WholeSums:
    """Exact sums of whole numbers times a power of two for each column; begins with its first chunk."""

    def __init__(self, shift: Array, unit: Array, chunk: int) -> None:
        """Nothing summed yet: rows less `shift` (n,), in units of 2^unit (n,)."""
        self.shift, self.unit, self.N, self.chunk, self.largest = shift, unit, 0, chunk, 0.0
        self.G = np.zeros((len(shift), len(shift)))
        self.s = np.zeros(len(shift))

    @classmethod
    def begin(cls, X: Array) -> "WholeSums | None":
        """About the first row of X (b, n), which is not summed yet; None where the rows are no whole numbers."""
        n = X.shape[1]
        if X.dtype.kind == "b":
            return cls(np.zeros(n), np.zeros(n, int), len(X))
        if X.dtype.kind in "iu":
            grey = X.dtype.itemsize == 1  # about their middle, where squares are smallest: 0 or 128
            middle = np.full(n, (int(np.iinfo(X.dtype).max) + int(np.iinfo(X.dtype).min) + 1) // 2 if grey else 0)
            return cls((middle if grey else X[0]).astype(np.float64), np.zeros(n, int), len(X))
        for rows in (X[:_HEAD], X):
            values = rows.astype(np.float64, copy=False)
            unit = _granularity(values)
            # In such units their squares must fit; whether they do, and can be shifted, is seen when they are added.
            with np.errstate(over="ignore"):
                if np.any(np.ldexp(np.ptp(values, axis=0), -unit) >= math.sqrt(EXACT)):
                    return None
        return cls(X[0].astype(np.float64), unit, len(X))

    def add(self, X: Array) -> bool:
        """Sums X (b, n) too, or leaves everything as it was: no whole numbers, or too large to stay exact."""
        small = X.dtype.kind != "f" and X.dtype.itemsize < 8 and not self.unit.any()
        if not small and not self._holds(X.astype(np.float64, copy=False)):
            return False
        single = small and X.dtype.itemsize == 1
        t = np.subtract(X, self.shift, dtype=np.float32 if single else np.float64, casting="unsafe")
        t = np.ldexp(t, -self.unit) if self.unit.any() else t
        largest = max(self.largest, float(t.max()), -float(t.min()))
        if not (self.N + len(X)) * largest**2 < EXACT:
            return False
        self.largest = largest
        for part in self._exact_parts(t, largest):
            self.G += part.T @ part
        self.s += t.sum(axis=0, dtype=np.float64)
        self.N += len(X)
        return True

    @np.errstate(over="ignore")
    def _holds(self, X: Array) -> bool:
        """Whether all of X (b, n) are whole multiples of the units, below 2^53 of them: such are shifted exactly.

        Seen before they are shifted: a fraction beside a large shift is rounded away.
        """
        if np.any(np.ldexp(np.abs(X).max(axis=0), -self.unit) >= EXACT):
            return False
        if not self.unit.any():
            return bool(np.array_equal(np.rint(X), X))
        return bool(np.array_equal(np.ldexp(np.rint(np.ldexp(X, -self.unit)), self.unit), X))

    def _exact_parts(self, t: Array, largest: float) -> list[Array]:
        """The rows t (b, n) in single precision, twice as fast, in parts whose products are exact there."""
        height = int(_EXACT_SINGLE // max(largest**2, 1.0))  # so many products of two entries are exact, and no more
        if len(t) > height and height < _LEAST_ROWS:
            return [t.astype(np.float64, copy=False)]
        return np.array_split(t.astype(np.float32, copy=False), -(-len(t) // height))

    def as_reals(self) -> RealSums:
        """The same sums, to go on with rows of any kind."""
        sums = RealSums(self.shift, self.unit, self.chunk)
        sums.G, sums.s, sums.N, sums.chunks = self.G, self.s, self.N, -(-self.N // max(self.chunk, 1))
        return sums

    def scatter(self) -> Scatter:
        """S, its entries rounded three times at most where N^2 S is exact in 64-bit integers.

        Else they are wrong by 8 u sqrt(t_i t_j) at most, t_i the mean square about the shift.
        """
        N, m = self.N, self.s / self.N
        if N * N * self.largest**2 < _INT64:
            s = self.s.astype(np.int64)
            whole = N * self.G.astype(np.int64) - np.outer(s, s)
            S = whole / float(N * N)
            return normalised(N, S, self.unit, S.diagonal(), 3 * UNIT_ROUNDOFF, self.shift, m, whole)
        spread = self.G.diagonal() / N
        return normalised(N, self.G / N - np.outer(m, m), self.unit, spread, 8 * UNIT_ROUNDOFF, self.shift, m)


def _granularity(X: Array) -> Array:
    """The largest g (n,) such that every entry of column j is a whole multiple of 2^g_j; 0 for columns of zeros."""
    steps = np.min([_steps(X[i : i + 64]) for i in range(0, len(X), 64)], axis=0)
    return np.where(steps == _NO_STEP, 0, steps)


def _steps(X: Array) -> Array:
    fraction, exponent = np.frexp(X)
    digits = np.ldexp(fraction, 53).astype(np.int64)
    lowest = np.frexp((digits & -digits).astype(np.float64))[1] - 1
    return np.asarray(np.where(digits == 0, _NO_STEP, exponent - 53 + lowest).min(axis=0))


def whole_multiples(X: Array) -> Array | None:
    """The rows X (N, n) less the first, each column in the largest unit in which they are whole numbers.

    None where these are too large to be shifted, or squared, exactly: real numbers are.
    """
    T = None
    for rows in (X[:_HEAD], X):
        unit = _granularity(rows)
        T = np.ldexp(rows - rows[0], -unit)
        if np.any(np.ldexp(np.abs(rows).max(axis=0), -unit) >= EXACT) or np.abs(T).max() ** 2 >= EXACT:
            return None
    return T


def certificate_available() -> bool:
    """Whether python-flint is there, which computes ranks modulo a prime."""
    return _flint() is not None


def rank_of_whole(matrix: Array) -> int | None:
    """The rank of integers (n, n), int64: never too large, and too small with a chance below 1e-12.

    None without python-flint, and where it would take minutes.
    """
    flint = _flint()
    if flint is None or len(matrix) > _LARGEST_CERTIFIED:
        return None
    p = _prime(flint, hashlib.sha256(np.ascontiguousarray(matrix).tobytes()).digest())
    # By way of integers: they are taken in faster, and reduced in one go.
    return int(flint.nmod_mat(flint.fmpz_mat(*matrix.shape, matrix.ravel().tolist()), p).rank())


def _prime(flint: Any, digest: bytes) -> int:
    """A prime between 2^60 and 2^61 that the digest chooses, each as likely as any other."""
    while True:
        digest = hashlib.sha256(digest).digest()
        candidate = (1 << 60) | int.from_bytes(digest[:8]) >> 4
        if flint.fmpz(candidate).is_prime():
            return candidate


def _flint() -> Any:
    try:
        import flint
    except ImportError:
        return None
    return flint if hasattr(flint, "nmod_mat") else None  # a package of the same name reads Fortran
