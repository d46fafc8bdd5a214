"""What the tests of the deep VAE share: small architectures, random batches, rows as training data.

Main       ARCHITECTURES, ensemble, batch, Fixed, slopes.
"""

from dataclasses import dataclass

import numpy as np

from gpu.vae.account import elbo
from gpu.vae.architecture import Architecture, Layout
from gpu.vae.model import Ensemble

# (architecture, analytic)
ARCHITECTURES = {
    "mlp": (Architecture("mlp", 5, 2, (4, 3)), False),
    "conv": (Architecture("conv", 48, 2, (2, 3, 5)), False),
    "conv, grey": (Architecture("conv", 16, 2, (2, 3)), False),
    "linear": (Architecture("linear", 5, 2), False),
    "linear, analytic": (Architecture("linear", 5, 2), True),
    "linear decoder": (Architecture("linear-decoder", 5, 2, (4,)), False),
    "linear decoder, analytic": (Architecture("linear-decoder", 5, 2, (4,)), True),
}


@dataclass(frozen=True)
class Fixed:
    """Data that stay as they are."""

    X: np.ndarray
    redrawn: bool = False

    def array(self, epoch):
        return self.X


@dataclass(frozen=True)
class Redrawn:
    """Data with another noise every epoch."""

    X: np.ndarray
    redrawn: bool = True

    def array(self, epoch):
        return self.X + np.random.default_rng(epoch).uniform(0, 0.1, self.X.shape)


def ensemble(name, seeds=(1, 2), sigma2=(0.5, 2.0), learned=(True, True), dtype=np.float64):
    """Models away from their initial values, where nothing is zero."""
    architecture, analytic = ARCHITECTURES[name]
    parameters = Layout(architecture).initial(seeds, sigma2, dtype)
    parameters += 0.1 * np.random.default_rng(0).standard_normal(parameters.shape).astype(dtype)
    return Ensemble(architecture, parameters, np.array(learned), analytic=analytic)


def batch(model, B=3, seed=0):
    """x (E, B, n) and noise (E, B, k)."""
    rng = np.random.default_rng(seed)
    E, a = len(model), model.architecture
    dtype = model.parameters.dtype
    return rng.standard_normal((E, B, a.n)).astype(dtype), rng.standard_normal((E, B, a.k)).astype(dtype)


def loss(model, x, noise, beta):
    """-ELBO_beta of each model."""
    return -elbo(model.backward(x, noise, beta), model.sigma2, model.architecture.n, beta)


def slopes(model, x, noise, beta, step=1e-6):
    """The gradient by central differences, (E, P)."""
    p = model.parameters
    found = np.empty_like(p)
    for i in range(p.shape[1]):
        kept = p[:, i].copy()
        p[:, i] = kept + step
        above = loss(model, x, noise, beta)
        p[:, i] = kept - step
        found[:, i] = (above - loss(model, x, noise, beta)) / (2 * step)
        p[:, i] = kept
    return found
