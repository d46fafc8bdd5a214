"""What one pass over rows leaves: S in units of its own, and a bound on the rounding of each entry.

Notation   S (n, n) covariance; unit (n,) exponents of two; eps = 2^-52, u = eps/2.
Main       Scatter, normalised.
Reference  docs/mathematics.md, "Eigenvalues of data".

Each column has a unit, a power of two near its deviation: then nothing here depends on the units of the data, and
neither does what is decided from it.
"""

from dataclasses import dataclass

import numpy as np

from verify.arrays import Array

EPS = float(np.finfo(np.float64).eps)
UNIT_ROUNDOFF = EPS / 2


@dataclass(frozen=True, eq=False)
class Scatter:
    """The covariance of N rows is 2^(unit_i + unit_j) S_ij, S_ii in [1/4, 1), or 0 where a column is constant.

    |dS_ij| <= error sqrt(spread_i spread_j): the bound on the rounding in S. mean = shift + 2^unit offset.
    whole: a matrix of integers (int64) of the rank of the covariance, where the rows are whole numbers times 2^unit.
    """

    N: int
    S: Array
    unit: Array  # (n,) of integers
    spread: Array  # (n,)
    error: float
    shift: Array  # (n,)
    offset: Array  # (n,)
    whole: Array | None = None

    @property
    def mean(self) -> Array:
        """The mean of the rows (n,)."""
        return self.shift + np.ldexp(self.offset, self.unit)

    @property
    def rank_limit(self) -> int:
        """What the rank cannot exceed: constant columns are certain, and N deviations sum to 0."""
        return min(int(np.count_nonzero(self.S.diagonal())), self.N - 1)


def normalised(
    N: int, S: Array, unit: Array, spread: Array, error: float, shift: Array, offset: Array, whole: Array | None = None
) -> Scatter:
    """The Scatter of S (n, n) in any units: powers of two bring its diagonal into [1/4, 1)."""
    variances = S.diagonal()
    # Where cancellation left nothing, the bound is the size.
    size = np.maximum(variances, np.where(spread > 0, 2 * error * spread, 0.0))
    power = -(-np.frexp(size)[1] // 2)
    half = np.ldexp(1.0, -power)
    return Scatter(N, S * half[:, None] * half, unit + power, spread * half * half, error, shift, offset * half, whole)
