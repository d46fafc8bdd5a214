"""All Hessian kernels, for both objectives, with a last strip and a last block of i that are not full."""

from gpu import hessian as module
from gpu.batches import problems
from gpu.hessian import hessian, profile_hessian
from tests.gpu.batches import kernels_of, on_device, random_batch


def exercise(module_of_kernels):
    with kernels_of(module_of_kernels) as cupy:
        W, _, _, sigma2, S = on_device(cupy, *random_batch(2, 9, 5))
        hessian(W, sigma2, S)
        profile_hessian(W, sigma2, S)
        for profile in (False, True):
            parts = module._ingredients_on_device(problems(W, sigma2, S), profile=profile)
            module._assembled_on_device(cupy, parts, profile=profile)
