"""Every branch of the gradient kernel: staged rows that do not divide n, a shared and an own covariance."""

from gpu.gradients import gradients
from tests.gpu.batches import kernels_of, on_device, random_batch


def exercise(module):
    with kernels_of(module) as cupy:
        for lead, n, k, shared in ((2, 5, 3, False), (1, 41, 2, True)):
            gradients(*on_device(cupy, *random_batch(lead, n, k, shared=shared)))
