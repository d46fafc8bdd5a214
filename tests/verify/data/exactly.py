"""The covariance of floating-point rows in exact arithmetic, and rows whose spectra hurt.

Main       exact_eigenvalues, column_graded, rotation_graded, whole.
"""

import mpmath
import numpy as np


def exact_eigenvalues(X, digits=90):
    """Descending eigenvalues of the covariance of rows (N, n) of floats, exact until the last step: mpmath numbers."""
    N = len(X)
    pairs = [[float(x).as_integer_ratio() for x in row] for row in X]
    denominator = max(q for row in pairs for _, q in row)  # powers of two: the largest is common
    whole = np.array([[p * (denominator // q) for p, q in row] for row in pairs], dtype=object)
    total = whole.sum(axis=0)
    M = N * whole.T.dot(whole) - np.outer(total, total)
    with mpmath.workdps(digits):
        scale = mpmath.mpf(N * denominator) ** 2
        found = mpmath.eigsy(mpmath.matrix(M.tolist()), eigvals_only=True)
        return [mpmath.mpf(x) / scale for x in sorted(found, reverse=True)]


def mixed(rng, N, n):
    """Rows with moderately correlated columns."""
    return rng.standard_normal((N, n)) @ (np.eye(n) + np.tril(rng.uniform(-0.7, 0.7, (n, n)), -1))


def column_graded(rng, N, n, decades):
    """Columns of very different units, condition of X up to 10^decades, and means of the same sizes."""
    units = 10.0 ** -rng.permutation(np.linspace(0, decades, n))
    return (mixed(rng, N, n) + rng.uniform(-3, 3, n)) * units


def rotation_graded(rng, N, n, decades):
    """S with condition up to 10^decades whose small eigenvalues no choice of units reveals."""
    Q = np.linalg.qr(rng.standard_normal((n, n)))[0]
    return mixed(rng, N, n) * 10.0 ** -np.linspace(0, decades / 2, n) @ Q + rng.standard_normal(n)


def whole(rng, N, n):
    """Whole numbers with a copied, a dependent and a constant column, as far as there is room."""
    X = rng.integers(-20, 21, (N, n)).astype(float)
    if n > 3:
        X[:, -1], X[:, -2], X[:, 0] = X[:, 1], X[:, 1] - 3 * X[:, 2], 7
    return X
