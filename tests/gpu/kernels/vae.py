"""The kernels of vae.cuh in either precision: several models, ragged tiles and strips, views, chunks of rows."""

import numpy as np
import pytest

from gpu.vae import on_device as module
from gpu.vae.account import Ledger, Terms, Weights, account, weigh
from gpu.vae.adam import adam
from gpu.vae.elementwise import add_bias, bias_gradient, gather
from gpu.vae.loss import likelihood, reparameterise, reparameterise_gradient
from gpu.vae.noise import normals
from tests.gpu.batches import kernels_of, on_device

THREADS, ROWS = 64, 8  # an OS thread each under the sanitizers


def small_blocks(patch):
    """Blocks of 64 threads and chunks of 8 rows, with as many tiles and parts as they then come to."""
    patch.setattr(module, "THREADS", THREADS)
    patch.setattr(module, "ROWS", ROWS)


def exercise(kernels, dtype):
    """Launch every kernel."""
    rng = np.random.default_rng(0)
    with pytest.MonkeyPatch.context() as patch, kernels_of(kernels) as cupy:
        small_blocks(patch)

        def normal(*shape):
            return cupy.asarray(rng.standard_normal(shape).astype(dtype))

        for d, offset in ((35, 3), (36, 4), (132, 0)):  # numbers one by one; by fours, in two strips
            _layers(cupy, normal, 2, 11, d, offset)
        _models(cupy, normal, 2)


def _layers(cupy, normal, E, B, d, offset):
    """What runs on arrays of E models, B data and d numbers."""
    flat, heads, dheads = normal(E, d + 8), normal(E, B, 2 * d), normal(E, B, 2 * d)
    y, x, z, deviation = normal(E, B, d), normal(E, B, d), normal(E, B, d), normal(E, B, d)
    bias = flat[:, offset : offset + d]
    vector, rows = on_device(cupy, np.ones(E), np.full((E, B + 2), 3, dtype=np.int32))
    add_bias(y, bias, True)
    bias_gradient(x, y, bias)
    bias_gradient(heads[..., :d], None, bias)
    gather(normal(5, d), rows[:, 1 : B + 1], x)
    for noise in (None, normals(list(range(E)), 2, 3, normal(E, B, d))):
        reparameterise(heads[..., :d], heads[..., d:], noise, z, deviation)
        reparameterise_gradient(x, heads[..., :d], deviation, noise, vector, dheads[..., :d], dheads[..., d:])
    likelihood(y, x, vector)


def _models(cupy, normal, E):
    """What runs on numbers of a model, and Adam."""
    vector, sigma2, error, kl, sums = on_device(cupy, *np.ones((4, E)), np.zeros((E, 3)))
    alive, frozen = on_device(cupy, np.arange(E) == 0, np.zeros(E, dtype=np.int64))
    weights, logs = Weights(sigma2, error, kl), normal(E, 5)[:, 2]
    weigh(logs, vector, vector, 0.5, 7, weights)
    account(Terms(vector, vector), None, weights, alive, 9, 7, logs, Ledger(frozen, sums, alive), 1)
    adam(normal(E, 601), normal(E, 601), normal(E, 601), normal(E, 601), vector, 1, alive)
