"""Gaussian VAEs whose optimum is known: data with a given spectrum, and linear models that hold some of its directions.

Notation   x (N, n) of mean m and covariance U diag(lam) U^T; W (n, k), V (k, n), D (k,) as in theory 3; s noise.
Main       rows_of, spread; Linear, holding; outputs_of, what such a model makes of its data.
"""

from dataclasses import dataclass

import numpy as np

from verify.data.preprocess import Preprocessing
from verify.data.rows import Rows
from verify.diagnosis.outputs import outputs


def rows_of(x, **facts):
    """Rows as they come from a file."""
    return Rows(x, Preprocessing(), {"name": "made up", "read": "made up", "notes": [], "preprocessing": {}, **facts})


def spread(lam, N, seed=0, mean=1.0):
    """Rows (N, n) whose covariance, divided by N, has exactly these eigenvalues; and its eigenvectors U (n, n)."""
    rng, n = np.random.default_rng(seed), len(lam)
    G = rng.normal(size=(N, n))
    Q, _ = np.linalg.qr(G - G.mean(axis=0))
    U, _ = np.linalg.qr(rng.normal(size=(n, n)))
    return mean + np.sqrt(N) * (Q * np.sqrt(lam)) @ U.T, U


@dataclass
class Linear:
    """p(x|z) = N(W z + m, s), q(z|x) = N(V (x - m), D)."""

    W: np.ndarray
    V: np.ndarray
    D: np.ndarray
    m: np.ndarray

    def encode(self, x):
        mu = (x - self.m) @ self.V.T
        return mu, np.broadcast_to(np.log(self.D), mu.shape).copy()

    def decode(self, z):
        return z @ self.W.T + self.m

    def draw(self, x, rng):
        """The decoder at a draw of z from q(z|x).  (N, n) -> (N, n)."""
        mu, logvar = self.encode(x)
        return self.decode(mu + np.exp(logvar / 2) * rng.normal(size=mu.shape))


def holding(x, U, lam, which, k, s):
    """The best linear VAE at noise s whose first latents hold the directions `which`, from 0, and whose others none."""
    n = len(lam)
    W, V, D = np.zeros((n, k)), np.zeros((k, n)), np.ones(k)
    for latent, j in enumerate(which):
        W[:, latent] = U[:, j] * np.sqrt(lam[j] - s)
        V[latent], D[latent] = W[:, latent] / lam[j], s / lam[j]
    return Linear(W, V, D, x.mean(axis=0))


def outputs_of(model, x, draws=2, means=True, seed=1):
    """Outputs of a model on x: reconstructions at the means, and decoded draws."""
    rng = np.random.default_rng(seed)
    mu, logvar = model.encode(x)
    samples = np.stack([model.draw(x, rng) for _ in range(draws)]) if draws else None
    return outputs(rows_of(x), mu, logvar, model.decode(mu) if means else None, samples)
