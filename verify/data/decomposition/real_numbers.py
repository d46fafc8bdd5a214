"""Sums of rows of real numbers, with a bound on their rounding.

Notation   x (n,) rows, in chunks X (b, n); d = x - shift; G = sum d d^T; s = sum d; u = 2^-53;
           S = G/N - (s/N)(s/N)^T whatever the shift.
Main       RealSums.
Reference  docs/mathematics.md, "Eigenvalues of data"; [CGL83] Chan, Golub & LeVeque, Amer. Statist. 37 (1983).

The shift is the mean of the first chunk: a mean of 1e8 cancels before anything is squared, and a constant column has
d = 0 exactly. What the shift leaves is measured: with t_i = G_ii/N, which is at most N/b times S_ii, the rounding is
bounded by |dS_ij| <= c u sqrt(t_i t_j), c = 3(b + chunks) + 12, in whatever order a chunk's sums are taken.
"""

import numpy as np

from verify.arrays import Array
from verify.data.decomposition.scatter import UNIT_ROUNDOFF, Scatter, normalised

# Between these, sums of squares neither overflow nor lose what counts; beyond them columns get units of their own.
_LARGEST_SQUARE, _SMALLEST_SQUARE = 2.0**500, 2.0**-900
_LOWEST_EXPONENT = -1000  # 2.0 ** 1000 is a double, 2.0 ** 1074 (the reciprocal of the smallest one) is not


class RealSums:
    """Sums of real numbers; begins with its first chunk."""

    def __init__(self, shift: Array, unit: Array, chunk: int) -> None:
        """Nothing summed yet: rows less `shift` (n,), in units of 2^unit (n,)."""
        self.shift, self.unit, self.N, self.chunks, self.chunk = shift, unit, 0, 0, chunk
        self.G = np.zeros((len(shift), len(shift)))
        self.s = np.zeros(len(shift))

    @classmethod
    def begin(cls, X: Array) -> "RealSums":
        """About the mean of X (b, n), which is not summed yet."""
        first = np.array(X[0], dtype=np.float64)
        shift = first + np.subtract(X, first, dtype=np.float64).mean(axis=0)
        return cls(shift, np.zeros(X.shape[1], dtype=int), len(X))

    def add(self, X: Array) -> None:
        """Sums X (b, n) too."""
        deviations = np.subtract(X, self.shift, dtype=np.float64)
        with np.errstate(over="ignore", invalid="ignore"):  # then it is done again, in other units
            d = self._in_units(deviations)
            G = d.T @ d
        if not self._safe(deviations, G):
            d = self._change_units(deviations)
            G = d.T @ d
        self.G += G
        self.s += d.sum(axis=0)
        self.N += len(X)
        self.chunks += 1

    def scatter(self) -> Scatter:
        """S, and the bound c u on its entries."""
        m, spread = self.s / self.N, self.G.diagonal() / self.N
        S = self.G / self.N - np.outer(m, m)
        c = 3 * (min(self.chunk, self.N) + self.chunks) + 12
        return normalised(self.N, S, self.unit, spread, c * UNIT_ROUNDOFF, self.shift, m)

    def _in_units(self, d: Array) -> Array:
        return np.ldexp(d, -self.unit) if self.unit.any() else d

    def _safe(self, d: Array, G: Array) -> bool:
        """d (b, n) as they are, in no units, where what is not 0 may have become 0 or infinite."""
        squares = G.diagonal()
        small = squares < _SMALLEST_SQUARE
        return bool(squares.max() < _LARGEST_SQUARE) and not d[:, small].any()

    def _change_units(self, d: Array) -> Array:
        """d (b, n), in no units, in new ones near its largest entries; what was summed before as well."""
        largest = np.abs(d).max(axis=0)
        unit = np.where(largest > 0, np.maximum(np.frexp(largest)[1], _LOWEST_EXPONENT), _LOWEST_EXPONENT)
        unit = np.where(self.G.diagonal() > 0, np.maximum(unit, self.unit), unit)
        shrink = np.ldexp(1.0, np.clip(self.unit - unit, -1022, 0))  # above 0 only where all is 0 so far
        self.G *= shrink[:, None] * shrink
        self.s *= shrink
        self.unit = unit
        return self._in_units(d)
