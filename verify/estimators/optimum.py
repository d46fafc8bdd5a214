"""From rows to the global optimum of the linear VAE, equally of probabilistic PCA where beta = 1.

Notation   X (N, n) rows, S their covariance divided by N, lam (n,) its eigenvalues, u_j its eigenvectors; k latents;
           sigma2 the noise; beta the weight of the KL; s = beta sigma2; q = #{j <= k: lam_j > s} latents are retained.
Main       optimum -> Optimum; LEARNED, BY_EVIDENCE.
Reference  theory 1.5, 2, 3.3, 3.4, 3.9, 8.

What is refused is said in the words of the estimators: n_components, sigma2, beta.
"""

import numbers
from dataclasses import dataclass
from typing import Any

import numpy as np

from verify.analysis.scales import workable
from verify.arrays import Array
from verify.checks import positive_noise
from verify.data.covariance import Covariance, covariance
from verify.data.sampling import suggested_latents
from verify.errors import InputError
from verify.landscape.stationary import retained_count
from verify.landscape.weighted import PLAIN, effective_noise, usable_weight
from verify.models import linear_vae
from verify.models.beta_vae import learned_noise_optimum
from verify.models.ppca import fixed_noise_maximum, mean_of_discarded

LEARNED, BY_EVIDENCE = "learned", "mle"


@dataclass(frozen=True, eq=False)
class Optimum:
    """W (n, k), V (k, n) and D (k,) that maximise the ELBO with the KL weighted by beta, at sigma2.

    axes (n, k): u_1 ... u_k.  The first q columns of W are sqrt(lam_j - s) u_j, the others 0, and so are their rows of
    V; an eigenvalue that ties with s, exactly or within rounding, counts as not retained.
    """

    data: Covariance
    axes: Array
    sigma2: float
    beta: float
    s: float
    retained: int
    W: Array
    V: Array
    D: Array

    @property
    def divergence(self) -> Array:
        """The mean KL of each latent, 1/2 log(lam_j/s) of those retained, 0 of the others.  -> (k,)."""
        found, q = np.zeros(len(self.D)), self.retained
        found[:q] = 0.5 * np.log(self.data.eigenvalues[:q] / self.s)
        return found

    def elbo(self, beta: float = PLAIN) -> float:
        """The ELBO of W, V, D per datum, its KL weighted by beta (which need not be the one it was maximised for).

        In a retained direction E(u^T x - w z)^2 is s: (1 - w v)^2 lam + w^2 D = s^2/lam + (lam - s) s/lam.
        """
        lam, q = self.data.eigenvalues, self.retained
        error = q * self.s + float(lam[q:].sum())
        logs = len(lam) * float(np.log(2 * np.pi * self.sigma2))
        return -0.5 * (logs + error / self.sigma2) - beta * float(self.divergence.sum())


def optimum(X: Array, n_components: Any, sigma2: Any, beta: Any = PLAIN) -> Optimum:
    """The optimum on rows X (N, n), N >= 2 and all of them finite.

    n_components: 1 to n, or "mle".  sigma2 > 0, or "learned".  beta > 0.  Raises InputError: other values of these;
    constant data; an objective without maximum; data out of scale.
    """
    beta = usable_weight(beta)
    fixed = None if _is(sigma2, LEARNED) else _noise(sigma2)
    data = covariance(X, noises=() if fixed is None else (effective_noise(fixed, beta),))
    k = _latents(n_components, data)
    noise = _learned(data, k, beta) if fixed is None else fixed
    workable(data.eigenvalues, [noise], beta)
    s = effective_noise(noise, beta)
    q = retained_count(data.spectrum, k, s)
    axes = data.leading(k)
    W = fixed_noise_maximum(data.eigenvalues, axes, k, s)
    W[:, q:] = 0.0
    V, D = linear_vae.optimal_encoder(W, s)
    return Optimum(data, axes, float(noise), float(beta), float(s), q, W, V, D)


def _is(value: Any, word: str) -> bool:
    return isinstance(value, str) and value == word


def _noise(sigma2: Any) -> float:
    if isinstance(sigma2, str):
        raise InputError(f"sigma2 = {sigma2[:40]!r}: neither a number nor {LEARNED!r}; give one of them")
    return positive_noise(sigma2)


def _latents(n_components: Any, data: Covariance) -> int:
    """The number of latents.  Raises InputError."""
    n = data.n
    if _is(n_components, BY_EVIDENCE):
        found = suggested_latents(data.eigenvalues, data.N or 0)
        if found is None:
            raise InputError(
                f"n_components = 'mle' needs more rows than columns, two columns and eigenvalues that differ; these "
                f"are {data.N} rows of rank {data.rank} in {n} columns: give a number"
            )
        return found
    whole = isinstance(n_components, numbers.Integral) and not isinstance(n_components, bool)
    if not whole or not 1 <= n_components <= n:
        raise InputError(
            f"n_components = {str(n_components)[:40]}: give a whole number from 1 to {n} (n_features = {n}), "
            f"or {BY_EVIDENCE!r}"
        )
    return int(n_components)


def _learned(data: Covariance, k: int, beta: float) -> float:
    """The noise at which the objective is largest.  Raises InputError where it has no maximum."""
    rank, n = data.rank, data.n
    if beta == PLAIN and (k < rank or rank == n):
        return mean_of_discarded(data.spectrum, k)
    best = learned_noise_optimum(data.eigenvalues, k, beta)
    if best is not None:
        return best[0]
    # The variance beyond any fewer latents than the rank is a noise.
    less = f"n_components < {rank} or " if rank > 1 else ""
    raise InputError(
        f"sigma2 = {LEARNED!r} has no maximum with n_components = {k}: the data have rank {rank} in {n} columns, k "
        f"latents explain them wholly and the noise runs to 0; give {less}a number for sigma2"
    )
