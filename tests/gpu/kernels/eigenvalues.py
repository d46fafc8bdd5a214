"""Odd, even and single sizes, a matrix of zeros and one that is refused."""

import numpy as np

from gpu.eigenvalues import eigenvalues
from tests.gpu.batches import kernels_of, on_device


def exercise(module):
    with kernels_of(module) as cupy:
        A = np.random.default_rng(0).standard_normal((4, 9, 9))
        A += A.swapaxes(-1, -2)
        A[1], A[2, 3, 2] = 0.0, np.nan
        for m in (9, 6, 1):
            eigenvalues(*on_device(cupy, np.ascontiguousarray(A[:, :m, :m])))
