"""Both Hessian kernels, for both objectives, with a last strip and a last block of i that are not full."""

from gpu.hessian import hessian, profile_hessian
from tests.gpu.batches import kernels_of, on_device, random_batch


def exercise(module):
    with kernels_of(module) as cupy:
        W, _, _, sigma2, S = on_device(cupy, *random_batch(2, 9, 5))
        hessian(W, sigma2, S)
        profile_hessian(W, sigma2, S)
