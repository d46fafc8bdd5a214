"""No more rows than columns: the singular values of the rows themselves, and S never formed.

Notation   X (N, n) rows, N <= n; D (N, n) deviations from the mean; D^T = Q R; sigma_j the singular values of
           R/sqrt(N); lam_j = sigma_j^2 for j < N, and exactly 0 from there on, for the N deviations sum to 0.
Main       of_rows, own_rank, gram_of_whole.
Reference  docs/mathematics.md, "Eigenvalues of data".

The factor of D^T takes the place of D: memory N n and nothing more of that size.
"""

import math

import numpy as np

from verify.arrays import Array
from verify.data.decomposition.bases import RowsBasis
from verify.data.decomposition.lapack import packed_factor, singular_values
from verify.data.decomposition.scatter import UNIT_ROUNDOFF
from verify.data.decomposition.spectra import Spectrum, solver_error, squared
from verify.data.decomposition.triangle import columnwise_error
from verify.data.decomposition.whole_numbers import EXACT, whole_multiples

_ROWS_AT_ONCE = 8
_COLUMNS_AT_ONCE = 1024


def of_rows(X: Array) -> tuple[Spectrum, Array]:
    """The eigenvalues (n,) of rows (N, n) float64, which are overwritten, and their mean (n,)."""
    N, n = X.shape
    mean = _centre(X)
    largest = max(float(X.max()), -float(X.min()))
    exponent = max(int(np.frexp(largest)[1]), -1000) if largest else 0
    X *= math.ldexp(1.0, -exponent)
    R, packed, tau, eta = _triangle(X)
    sigma = singular_values(R)
    size = float(np.linalg.norm(R))
    # The mean's own rounding, N u of a deviation, only enters squared: the deviations are orthogonal to it.
    error = squared(sigma, eta * size + solver_error(N) * float(sigma[0])) + (N * UNIT_ROUNDOFF * size) ** 2
    values, errors = np.zeros(n), np.zeros(n)
    values[: N - 1], errors[: N - 1] = (sigma * sigma)[: N - 1], error[: N - 1]
    return Spectrum(values, errors, exponent, 0, RowsBasis(packed, tau)), mean


def own_rank(X: Array) -> int:
    """How many singular values of the deviations of rows X (N, n), which are overwritten, are surely positive.

    Each column in units of its own, so that the units of the data do not matter.
    """
    _centre(X)
    largest = np.maximum(X.max(axis=0), -X.min(axis=0))
    X *= np.ldexp(1.0, np.minimum(-np.frexp(largest)[1], 1000))
    R, _, _, eta = _triangle(X)
    sigma = singular_values(R)
    # What rounding left of the mean may be one singular value more.
    moved = (eta + len(X) * UNIT_ROUNDOFF) * float(np.linalg.norm(R))
    return min(len(X) - 1, int(np.count_nonzero(sigma > moved + solver_error(len(R)) * float(sigma[0]))))


def gram_of_whole(X: Array) -> Array | None:
    """T T^T (N - 1, N - 1), int64, T the rows less the first in whole units: of the rank of S.  X (N, n).

    None where the rows are no whole numbers, or too large.
    """
    N, n = X.shape
    K, largest = np.zeros((N - 1, N - 1)), 0.0
    for j in range(0, n, _COLUMNS_AT_ONCE):
        T = whole_multiples(X[:, j : j + _COLUMNS_AT_ONCE])
        if T is None:
            return None
        largest = max(largest, float(np.abs(T).max()))
        if largest**2 * n >= EXACT:
            return None
        K += T[1:] @ T[1:].T
    return K.astype(np.int64)


def _centre(X: Array) -> Array:
    """X (N, n) less its mean, in place; the mean (n,)."""
    first = X[0].copy()
    parts = [X[i : i + _ROWS_AT_ONCE] for i in range(0, len(X), _ROWS_AT_ONCE)]
    shift = first + sum((part - first).sum(axis=0) for part in parts) / len(X)
    X -= shift
    offset = X.mean(axis=0)
    X -= offset
    return np.asarray(shift + offset)


def _triangle(D: Array) -> tuple[Array, Array, Array, float]:
    """R/sqrt(N) of D^T, D (N, n) overwritten; LAPACK's packed factor (n, N), tau, and the error of R beside |R|_F."""
    N, n = D.shape
    packed, tau = packed_factor(D.T)
    R = np.triu(packed[:N]) / math.sqrt(N)
    return R, packed, tau, columnwise_error(N, n) + 4 * UNIT_ROUNDOFF
