"""Small VAEs with a tanh layer on either side, whose derivatives are written out, to put claims to the test on.

Notation   X (N, n) the data; eps (draws, N, k) the draws of z = mu + sd * eps, held fixed: the beta-ELBO is then a
           smooth function of the weights v, and what is true of every law of z is true of these draws.
Main       Network, network (random data of two factors), LIKELIHOODS.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

LIKELIHOODS = ("fixed", "learned", "Bernoulli")


@dataclass(frozen=True, eq=False)
class Network:
    """A tanh encoder and decoder, one hidden layer each, with its draws eps (draws, N, k) held fixed.

    The weights v are (A, a0, H, h0, G, g0, B, b0, O, o0, log s): hidden layer, mean head, log variance head, the
    decoder's first layer and its output; s is the noise, used if `likelihood` is "learned". A penalty decay/2 |v|^2
    keeps optima from infinity: on the layers that a rescaling leaves alone, or everywhere but on g0 and log s.
    """

    X: np.ndarray
    eps: np.ndarray
    beta: float
    likelihood: str
    decay: float = 0.0
    everywhere: bool = False
    units: int = 3

    @property
    def shapes(self):
        n, k, u = self.X.shape[1], self.eps.shape[2], self.units
        return [(n, u), (u,), (u, k), (k,), (u, k), (k,), (k, u), (u,), (u, n), (n,), (1,)]

    def parts(self, v):
        cuts = np.cumsum([int(np.prod(shape)) for shape in self.shapes])[:-1]
        return [part.reshape(shape) for part, shape in zip(np.split(v, cuts), self.shapes, strict=True)]

    def start(self, rng):
        return np.concatenate([0.7 * rng.standard_normal(int(np.prod(shape))) for shape in self.shapes])

    @property
    def penalties(self):
        """The weight of v^2/2 in the penalty, entry by entry."""
        touched = (0, 1, 2, 3, 4, 6, 7, 8, 9) if self.everywhere else (0, 1, 4, 7, 8, 9)
        of_part = [self.decay * (i in touched) for i in range(len(self.shapes))]
        return np.repeat(of_part, [int(np.prod(shape)) for shape in self.shapes])

    def encode(self, v):
        """Means and log variances (N, k)."""
        A, a0, H, h0, G, g0 = self.parts(v)[:6]
        h = np.tanh(self.X @ A + a0)
        return h @ H + h0, h @ G + g0

    def moments(self, v):
        mu, logs = self.encode(v)
        return np.mean(mu**2 + np.exp(logs), axis=0)

    def fit(self, y, log_s):
        """The mean log likelihood of X at the decoder's outputs y (draws, N, n), its slopes in y and in log_s."""
        draws, N, n = y.shape
        if self.likelihood == "Bernoulli":
            p = expit(y)
            return np.mean(np.sum(self.X * y - np.logaddexp(0, y), axis=2)), (self.X - p) / (draws * N), 0.0
        s = np.exp(log_s) if self.likelihood == "learned" else 0.3
        error = np.mean(np.sum((self.X - y) ** 2, axis=2))
        slope = (error / s - n) / 2 if self.likelihood == "learned" else 0.0
        return -error / (2 * s) - n / 2 * np.log(2 * np.pi * s), (self.X - y) / (s * draws * N), slope

    def value_and_gradient(self, v):
        """The beta-ELBO over the fixed draws and its gradient, by the chain rule written out."""
        A, a0, H, h0, G, g0, B, b0, O, o0, log_s = self.parts(v)
        N = len(self.X)
        h = np.tanh(self.X @ A + a0)
        mu, logs = h @ H + h0, h @ G + g0
        noise = np.exp(logs / 2) * self.eps
        z = mu + noise
        g = np.tanh(z @ B + b0)
        value, dy, ds = self.fit(g @ O + o0, log_s[0])
        kl = np.mean(np.sum(mu**2 + np.exp(logs) - 1 - logs, axis=1)) / 2
        inner = (dy @ O.T) * (1 - g**2)
        dz = inner @ B.T
        dmu = dz.sum(axis=0) - self.beta * mu / N
        dlogs = (dz * noise).sum(axis=0) / 2 - self.beta * (np.exp(logs) - 1) / (2 * N)
        dh = (dmu @ H.T + dlogs @ G.T) * (1 - h**2)
        slopes = (
            *(self.X.T @ dh, dh.sum(axis=0), h.T @ dmu, dmu.sum(axis=0), h.T @ dlogs, dlogs.sum(axis=0)),
            *(np.einsum("dnk,dnu->ku", z, inner), inner.sum(axis=(0, 1))),
            *(np.einsum("dnu,dni->ui", g, dy), dy.sum(axis=(0, 1)), np.array([ds])),
        )
        penalty = self.penalties * v
        return value - self.beta * kl - penalty @ v / 2, np.concatenate([s.ravel() for s in slopes]) - penalty

    def scaling_slope(self, v):
        """The slope of the beta-ELBO along the rescaling of each latent: H_i G_H + h0 G_h0 + 2 G_g0 - B_i G_B."""
        _, _, H, h0, _, _, B, _, _, _, _ = self.parts(v)
        _, _, dH, dh0, _, dg0, dB, _, _, _, _ = self.parts(self.value_and_gradient(v)[1])
        return (H * dH).sum(axis=0) + h0 * dh0 + 2 * dg0 - (B * dB).sum(axis=1)


def network(rng, likelihood, beta, decay=0.0, everywhere=False, N=30, n=4, k=2, draws=20):
    factors = rng.standard_normal((N, 2)) @ rng.standard_normal((2, n)) + 0.3 * rng.standard_normal((N, n))
    X = (factors > 0).astype(float) if likelihood == "Bernoulli" else factors
    return Network(X, rng.standard_normal((draws, N, k)), beta, likelihood, decay, everywhere)
