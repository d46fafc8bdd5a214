"""Likelihood over the number of latents: the curves of Figure 2, and the one that it lacks.

Notation   lam (n,) descending; ks (m,) latent dimensions, 1 <= k < rank (k <= n if S is regular); sigma2_k the noise
           of the maximum-likelihood solution with k latents (Eq. 7); c (m, n) the eigenvalues of C on the u_i.
Main       maximum_likelihood_curve, optimal_elbo_curve, weights_at_noise_curve, fixed_noise_curve.
Reference  Lucas et al. 2019, Figure 2 and Sec. 6.1; theory 1.2, 2, 3.1 and 5.4.

All of these C commute with S, so that L = -1/2 sum_i [log 2 pi c_i + lam_i / c_i].
"""

from math import log, pi

import numpy as np

from verify.arrays import Array
from verify.models.ppca import mean_of_discarded


def maximum_likelihood_noises(lam: Array, ks: Array) -> Array:
    """sigma2_k, the mean of the n - k smallest eigenvalues (Eq. 7).  (n,), (m,) -> (m,). InputError if unbounded."""
    return np.array([mean_of_discarded(lam, int(k)) for k in ks], dtype=float)


def aligned_likelihood(lam: Array, c: Array) -> Array:
    """L = -1/2 sum_i [log 2 pi c_i + lam_i / c_i], C with the eigenvectors of S (Eq. 5).  (n,), (..., n) -> (...)."""
    return -0.5 * (lam.size * log(2 * pi) + (np.log(c) + lam / c).sum(axis=-1))


def _used(lam: Array, ks: Array) -> Array:
    """Which eigen-directions the first k columns hold.  -> (m, n) of bool."""
    return np.arange(lam.size)[None, :] < np.asarray(ks)[:, None]


def maximum_likelihood_curve(lam: Array, ks: Array) -> Array:
    """L at (W_MLE, sigma2_MLE) of each k (Eqs. 7, 8): c = lam on the first k directions, sigma2_k beyond.  -> (m,)."""
    noises = maximum_likelihood_noises(lam, ks)
    return aligned_likelihood(lam, np.where(_used(lam, ks), lam, noises[:, None]))


def optimal_elbo_curve(lam: Array, ks: Array) -> Array:
    """The ELBO -(B) + (C) at W_MLE, sigma2_MLE and the optimal encoder of each k (Eqs. 16, 19, 20).  -> (m,).

    In the eigenbasis W, V* and W V are diagonal, with entries w_a = sqrt(lam_a - sigma2), v_a = w_a / m_a,
    d_a = sigma2 / m_a, where m_a = w_a^2 + sigma2; a direction beyond k has w = v = 0, d = 1, and adds no
    KL: it might as well have a latent.
    """
    noise = maximum_likelihood_noises(lam, ks)
    s = noise[:, None]
    w = np.sqrt(np.where(_used(lam, ks), np.maximum(lam - s, 0.0), 0.0))
    m = w * w + s
    v, d = w / m, s / m
    kl = 0.5 * (-np.log(d) + v * v * lam + d - 1.0).sum(axis=1)
    squared_error = (lam * (1.0 - w * v) ** 2 + w * w * d).sum(axis=1)
    return -kl - 0.5 * squared_error / noise - 0.5 * lam.size * np.log(2 * pi * noise)


def weights_at_noise_curve(lam: Array, ks: Array, sigma2: float) -> Array:
    """L of the full weights W_MLE of each k, read at another noise: c_a = lam_a - sigma2_k + sigma2.  -> (m,).

    Not stationary unless sigma2_k = sigma2: what W was fitted with is not the noise it is judged by.
    """
    noises = maximum_likelihood_noises(lam, ks)[:, None]
    kept = np.where(_used(lam, ks), np.maximum(lam - noises, 0.0), 0.0)
    return aligned_likelihood(lam, kept + sigma2)


def fixed_noise_curve(lam: Array, ks: Array, sigma2: float) -> Array:
    """L of the best W of each k at this noise (theory 1.5): c = max(lam, sigma2) up to k.  Never falls.  -> (m,)."""
    return aligned_likelihood(lam, np.where(_used(lam, ks), np.maximum(lam, sigma2), sigma2))
