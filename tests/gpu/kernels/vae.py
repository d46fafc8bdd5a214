"""The kernels of vae.cuh in either precision: several models, ragged tiles and strips, views, chunks of rows."""

import numpy as np
import pytest

from gpu.vae import on_device as module
from gpu.vae.adam import adam
from gpu.vae.elementwise import add_bias, bias_gradient, gather
from gpu.vae.loss import likelihood, reparameterise, reparameterise_gradient
from gpu.vae.noise import normals
from tests.gpu.batches import kernels_of, on_device

THREADS, ROWS = 64, 8  # an OS thread each under the sanitizers


def small_blocks(patch):
    """Blocks of 64 threads and chunks of 8 rows, with as many tiles and parts as they then come to."""
    patch.setattr(module, "THREADS", THREADS)
    patch.setattr(module, "SHARED_BYTES", 8 * THREADS)
    patch.setattr(module, "ROWS", ROWS)


def exercise(kernels, dtype):
    """Launch every kernel."""
    rng = np.random.default_rng(0)
    E, B, d = 2, 11, 35
    with pytest.MonkeyPatch.context() as patch, kernels_of(kernels) as cupy:
        small_blocks(patch)

        def normal(*shape):
            return cupy.ndarray(rng.standard_normal(shape).astype(dtype))

        flat, heads, dheads = normal(E, d + 6), normal(E, B, 2 * d), normal(E, B, 2 * d)
        y, x, z, deviation = normal(E, B, d), normal(E, B, d), normal(E, B, d), normal(E, B, d)
        vector, rows, alive = on_device(cupy, np.ones(E), np.full((E, B + 2), 3, dtype=np.int32), np.arange(E) == 0)
        add_bias(y, flat[:, 3 : 3 + d], True)
        bias_gradient(x, y, flat[:, 3 : 3 + d])
        bias_gradient(heads[..., :d], None, flat[:, 3 : 3 + d])
        gather(normal(5, d), rows[:, 1 : B + 1], x)
        for noise in (None, normals(list(range(E)), 2, 3, normal(E, B, d))):
            reparameterise(heads[..., :d], heads[..., d:], noise, z, deviation)
            reparameterise_gradient(x, heads[..., :d], deviation, noise, vector, dheads[..., :d], dheads[..., d:])
        likelihood(y, x, vector)
        adam(normal(E, 601), normal(E, 601), *on_device(cupy, *np.zeros((2, E, 601), dtype)), vector, 1, alive)
