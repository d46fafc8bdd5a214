"""Gaussian VAEs of a few tanh units with one latent, whose ELBO is a quadrature; further linear latents installed.

Notation   X (N, n) data; z one latent, q(z|x) = N(m(x), d(x)); f(z) (n,) the decoder's mean; s the noise;
           w (m,) further latents, decoder mean f(z) + b + U w, q(w|x, z) = N(mean of w, diag D).
Main       SmallVAE: elbo, residuals, elbo_with; trained.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.optimize import minimize

from verify.arrays import Array
from verify.landscape.revival import Escape

HIDDEN, NODES = 3, 13


def sizes(n: int) -> list[tuple[int, int]]:
    """The shapes of all weights and biases: two layers of the encoder, two of the decoder."""
    h = HIDDEN
    return [(n, h), (1, h), (h, 2), (1, 2), (1, h), (1, h), (h, n), (1, n)]


def nodes(dimension: int, count: int) -> tuple[Array, Array]:
    """Points (p, dimension) and weights (p,) for the mean of a function of standard normals."""
    if dimension == 0:
        return np.zeros((1, 0)), np.ones(1)
    points, weights = np.polynomial.hermite_e.hermegauss(count)
    grid = np.meshgrid(*[points] * dimension, indexing="ij")
    each = np.meshgrid(*[weights / weights.sum()] * dimension, indexing="ij")
    mass = np.prod(np.stack(each, axis=-1).reshape(-1, dimension), axis=1)
    return np.stack(grid, axis=-1).reshape(-1, dimension), mass


@dataclass(frozen=True, eq=False)
class SmallVAE:
    """All weights in one vector, the data that it is asked about, and its noise."""

    parameters: Array
    X: Array
    s: float

    def _parts(self) -> list[Array]:
        shapes = sizes(self.X.shape[1])
        cuts = np.cumsum([a * b for a, b in shapes])[:-1]
        return [part.reshape(shape) for part, shape in zip(np.split(self.parameters, cuts), shapes, strict=True)]

    def encode(self) -> tuple[Array, Array]:
        """m(x) and d(x).  -> (N,), (N,)."""
        A, a, B, b, *_ = self._parts()
        heads = np.tanh(self.X @ A + a) @ B + b
        return heads[:, 0], np.exp(heads[:, 1])

    def decode(self, z: Array) -> Array:
        """f(z).  (...) -> (..., n)."""
        *_, G, g, H, h = self._parts()
        return np.asarray(np.tanh(z[..., None] @ G + g) @ H + h)

    @cached_property
    def at_nodes(self) -> tuple[Array, Array]:
        """f at the nodes of q(z|x) (N, p, n), and their weights (p,)."""
        points, mass = nodes(1, NODES)
        mean, variance = self.encode()
        return self.decode(mean[:, None] + points[:, 0] * np.sqrt(variance)[:, None]), mass

    def elbo(self) -> Array:
        """Per datum.  -> (N,)."""
        f, mass = self.at_nodes
        mean, variance = self.encode()
        error = ((self.X[:, None] - f) ** 2).sum(axis=-1) @ mass
        kl = (mean**2 + variance - 1 - np.log(variance)) / 2
        return np.asarray(-error / (2 * self.s) - self.X.shape[1] / 2 * np.log(2 * np.pi * self.s) - kl)

    def residuals(self) -> tuple[Array, Array]:
        """The mean residuals x - E_q f (N, n), and those at all nodes (N, p, n)."""
        f, mass = self.at_nodes
        return self.X - np.einsum("ipn,p->in", f, mass), self.X[:, None] - f

    def elbo_with(self, added: Escape, means: Array) -> Array:
        """The ELBO with these latents installed, from its definition.  means (N, m), or (N, p, m): of w given x and z.

        f(z) + b + U w is taken at every pair of nodes of z and w: three for w are exact for squares.
        """
        f, mass = self.at_nodes
        points, of_w = nodes(added.latents, 3)
        means = np.broadcast_to(means if means.ndim == 3 else means[:, None], (*f.shape[:2], added.latents))
        w = means[:, :, None] + points * np.sqrt(added.D)
        out = f[:, :, None] + added.b + w @ added.U.T
        error = np.einsum("ipq,p,q->i", ((self.X[:, None, None] - out) ** 2).sum(axis=-1), mass, of_w)
        paid = 0.5 * (means**2 + added.D - 1 - np.log(added.D)).sum(axis=-1) @ mass
        plain = ((self.X[:, None] - f) ** 2).sum(axis=-1) @ mass
        return self.elbo() + (plain - error) / (2 * self.s) - paid


def curved_data(rng: np.random.Generator, N: int) -> Array:
    """Rows (N, 4) on a curve, with two linear directions beside it that one latent cannot hold as well."""
    t = rng.standard_normal(N)
    curve = np.stack([1.5 * np.sin(t), t**2 / 2, np.zeros(N), np.zeros(N)], axis=1)
    beside = rng.standard_normal((N, 2)) @ np.array([[0.0, 0.3, 1.1, 0.0], [0.2, 0.0, 0.0, 0.7]])
    return np.asarray(curve + beside + 0.1 * rng.standard_normal((N, 4)))


def trained(rng: np.random.Generator, X: Array, s: float, steps: int = 60) -> SmallVAE:
    """After this many steps of L-BFGS on the quadrature ELBO; gradients by complex steps."""
    count = sum(a * b for a, b in sizes(X.shape[1]))
    along = 1e-30j * np.eye(count)

    def downhill(v: Array) -> tuple[float, Array]:
        slope = [SmallVAE(v + step, X, s).elbo().mean().imag / 1e-30 for step in along]
        return -float(SmallVAE(v, X, s).elbo().mean()), -np.array(slope)

    start = 0.5 * rng.standard_normal(count)
    return SmallVAE(minimize(downhill, start, jac=True, method="L-BFGS-B", options={"maxiter": steps}).x, X, s)
