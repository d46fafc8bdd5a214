"""Random problems for the tests of the landscape: spectra with ties and zeros, a random eigenbasis, a noise."""

import numpy as np


def spectrum_of(rng, n, ties=False, zeros=0):
    """A descending spectrum (n,), optionally with its two largest equal and its last ones zero."""
    lam = np.sort(rng.gamma(0.8, 1.0, n) + 0.05)[::-1].copy()
    if ties and n > 1:
        lam[1] = lam[0]
    if zeros:
        lam[-zeros:] = 0.0
    return lam


def orthogonal(rng, n):
    """A random orthogonal matrix (n, n)."""
    return np.linalg.qr(rng.standard_normal((n, n)))[0]


def problems(count, most_n=6, most_k=4, seed=0):
    """`count` problems (lam, U, S, k, sigma2): a third with ties, a fifth with zeros, a quarter on a threshold."""
    rng = np.random.default_rng(seed)
    for i in range(count):
        n = int(rng.integers(2, most_n + 1))
        k = int(rng.integers(1, min(n, most_k) + 1))
        lam = spectrum_of(rng, n, ties=i % 3 == 0, zeros=int(i % 5 == 0 and n > 2))
        U = orthogonal(rng, n)
        sigma2 = float(lam[int(rng.integers(0, n - 1))]) if i % 4 == 0 else float(rng.uniform(0.05, 1.2) * lam[0])
        yield lam, U, (U * lam) @ U.T, k, sigma2
