"""Random landscapes for the claims about stationary points: spectra with ties and zeros, noises on thresholds.

Main       Landscape, landscapes, spectrum_of, orthogonal.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from verify.arrays import Array


@dataclass(frozen=True)
class Landscape:
    """lam (n,) descending, its eigenvectors U (n, n), the latent dimension k and a noise sigma2."""

    lam: Array
    U: Array
    k: int
    sigma2: float

    def __iter__(self) -> Iterator[Any]:
        """lam, U, S, k, sigma2, for unpacking."""
        return iter((self.lam, self.U, self.S, self.k, self.sigma2))

    @property
    def n(self) -> int:
        """The data dimension."""
        return len(self.lam)

    @property
    def S(self) -> Array:
        """The covariance U diag(lam) U^T, (n, n)."""
        return (self.U * self.lam) @ self.U.T

    @property
    def bounded(self) -> bool:
        """Whether the likelihood has a maximum when the noise is learned."""
        rank = int((self.lam > 0).sum())
        return rank == self.n or rank > self.k


def spectrum_of(rng: np.random.Generator, n: int, ties: bool = False, zeros: int = 0) -> Array:
    """A descending spectrum (n,) of order one, optionally with its two largest equal and its last ones zero."""
    lam = np.sort(rng.gamma(0.8, 1.0, n) + 0.05)[::-1].copy()
    if ties and n > 1:
        lam[1] = lam[0]
    if zeros:
        lam[-zeros:] = 0.0
    return lam


def orthogonal(rng: np.random.Generator, n: int) -> Array:
    """A random orthogonal matrix (n, n)."""
    return np.linalg.qr(rng.standard_normal((n, n)))[0]


def landscapes(
    count: int, most_n: int = 6, most_k: int = 4, seed: int = 0, generic: bool = False
) -> Iterator[Landscape]:
    """`count` landscapes; unless `generic`, a third with ties, a fifth with zeros, a quarter on a threshold."""
    rng = np.random.default_rng(seed)
    for i in range(count):
        n = int(rng.integers(2, most_n + 1))
        k = int(rng.integers(1, min(n, most_k) + 1))
        zeros = int(i % 5 == 0 and n > 2 and not generic)
        lam = spectrum_of(rng, n, ties=i % 3 == 0 and not generic, zeros=zeros)
        on_threshold = i % 4 == 0 and not generic
        sigma2 = lam[int(rng.integers(0, n - 1))] if on_threshold else rng.uniform(0.05, 1.2) * lam[0]
        yield Landscape(lam, orthogonal(rng, n), k, float(sigma2))
