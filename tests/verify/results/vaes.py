"""A linear VAE that uses fewer latents than pay: its outputs, and what the definitions say of it."""

import numpy as np

from verify.models import ppca


def spoiled(used=2, N=600, n=8, k=4, sigma2=1.0, seed=0):
    """x, mu, logvar, reconstructions, samples of the VAE that holds the first `used` of k directions; S (n, n)."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(N, n)) * np.linspace(4, 0.6, n) + 3.0
    S = np.cov(x.T, bias=True)
    lam, U = np.linalg.eigh(S)
    lam, U = lam[::-1], U[:, ::-1]
    W = np.zeros((n, k))
    W[:, :used] = U[:, :used] * np.sqrt(lam[:used] - sigma2)
    M = W.T @ W + sigma2 * np.eye(k)
    variance = sigma2 / np.diag(M)
    mu = (x - x.mean(axis=0)) @ np.linalg.solve(M, W.T).T
    z = mu + np.sqrt(variance) * rng.normal(size=(20, N, k))
    arrays = {
        "x": x,
        "mu": mu,
        "logvar": np.log(np.broadcast_to(variance, mu.shape)),
        "reconstructions": x.mean(axis=0) + mu @ W.T,
        "samples": x.mean(axis=0) + z @ W.T,
    }
    return arrays, S


def optimum(S, used, sigma2=1.0):
    """The ELBO of the linear VAE that holds the first `used` directions: the likelihood of its decoder."""
    lam, U = np.linalg.eigh(S)
    W = U[:, ::-1][:, :used] * np.sqrt(lam[::-1][:used] - sigma2)
    return float(ppca.log_likelihood(W, sigma2, S))
