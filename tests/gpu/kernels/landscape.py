"""Both plane kernels, with more points than a block has threads."""

import numpy as np

from gpu.landscape import plane
from tests.gpu.batches import kernels_of, on_device


def exercise(module):
    with kernels_of(module) as cupy:
        for k in (3, 5):
            W, X, Y = np.random.default_rng(0).standard_normal((3, 6, k))
            axis = np.linspace(-1, 1, 13)
            plane(*on_device(cupy, W, X, Y, axis, axis), 0.5, *on_device(cupy, np.eye(6)))
