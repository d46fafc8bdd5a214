"""Both saddle kernels: blocks of one to three columns with zero rows, slots that fill more than a block of threads."""

import numpy as np

from gpu.saddles import Families, build, examine
from tests.gpu.batches import kernels_of, on_device


def exercise(module):
    block = np.tile([0, 0, 0, 1, 1, 2, 3], (10, 1))
    eigen = np.tile([0, 1, 3, 2, -1, 4, -1], (10, 1))
    with kernels_of(module) as cupy:
        lam, sigma2 = np.array([6.0, 5.0, 5.0, 3.0, 2.0, 0.0]), np.linspace(0.1, 1.0, 10)
        families = Families(*on_device(cupy, block, eigen, sigma2))
        W = build(families, *on_device(cupy, lam))
        examine(W, *on_device(cupy, sigma2, lam))
