"""What can be measured of a VAE by passes over its data: its errors, its ELBO, and a linear VAE's likelihood.

Notation   as in outputs.py; s the noise that counts.
Main       elbo_of_data, squared_errors, linear_log_likelihood; mean_and_error, crossed.
"""

from collections.abc import Callable, Iterator
from math import log, pi

import numpy as np

from verify.arrays import Array
from verify.data.covariance import Covariance
from verify.diagnosis.outputs import Outputs


def squared_errors(vae: Outputs) -> tuple[Array | None, Array | None]:
    """|x - f(z)|^2 of each datum, averaged over the draws, and |x - f(mu)|^2; None where that is not at hand.  (N,)."""
    sampled, at_mean = [], []
    for _, x, mean, draws in vae.blocks():
        if len(draws):
            difference = draws - x
            sampled.append(np.einsum("dij,dij->i", difference, difference) / len(draws))
        if mean is not None:
            difference = mean - x
            at_mean.append(np.einsum("ij,ij->i", difference, difference))
    return (np.concatenate(sampled) if sampled else None), (np.concatenate(at_mean) if at_mean else None)


def elbo_of_data(errors: Array, divergence: Array, n: int, s: float) -> Array:
    """-n/2 log(2 pi s) - error/(2 s) - KL, datum by datum.  errors (N,), divergence (N, k) -> (N,)."""
    return np.asarray(-0.5 * n * log(2 * pi * s) - errors / (2 * s) - divergence.sum(axis=1))


def linear_log_likelihood(
    fitted: Covariance, x_blocks: Iterator[Array], q: int, s: float, chosen: Array | None = None
) -> Array:
    """log N(x; xbar, C) at the linear optimum that keeps q directions at noise s, which is its ELBO at each datum.

    C has lam_a along the kept u_a and s elsewhere.  fitted: what it was fitted to; chosen (N,) of bool: of these rows.
    """
    U, lam = fitted.leading(q), fitted.eigenvalues[:q]
    constant = -0.5 * (fitted.n * log(2 * pi * s) + float(np.log(lam / s).sum()))
    found, start = [], 0
    for x in x_blocks:
        rows = x if chosen is None else x[chosen[start : start + len(x)]]
        start += len(x)
        y = rows - fitted.mean
        scores = y @ U
        found.append(constant - 0.5 * (np.einsum("ij,ij->i", y, y) / s - (scores**2) @ (1 / s - 1 / lam)))
    return np.concatenate(found)


def mean_and_error(values: Array) -> tuple[float, float]:
    """Mean and standard error over the data, (N,) -> both."""
    return float(values.mean()), float(values.std() / np.sqrt(len(values)))


def halves(N: int, seed: int) -> Array:
    """Half of the rows, drawn by the seed, (N,) of bool."""
    chosen = np.zeros(N, dtype=bool)
    chosen[np.random.default_rng(seed).permutation(N)[: N // 2]] = True
    return chosen


def crossed(N: int, seed: int, one: Callable[[Array], Array]) -> Array:
    """one(fitted on) -> values of the other rows, for either half; -> the values of all, in some order.  (..., N)."""
    first = halves(N, seed)
    return np.concatenate([one(first), one(~first)], axis=-1)
