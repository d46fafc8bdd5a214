"""Rows that the tests of the estimators share."""

import numpy as np


def rows(N=60, n=5, seed=0):
    """Gaussian rows with eigenvalues near 9, 4, 1.5, 0.5, 0.2, turned and shifted.  -> (N, n)."""
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(rng.normal(size=(n, n)))[0]
    spread = np.sqrt(np.geomspace(9.0, 0.2, n))
    return rng.normal(size=(N, n)) * spread @ turn + 3.0


def covariance_of(X):
    """S (n, n), divided by N, by its definition."""
    apart = X - X.mean(axis=0)
    return apart.T @ apart / len(X)
