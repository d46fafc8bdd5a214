"""The kernels of vae.cuh for float64."""

from tests.gpu.kernels import vae


def exercise(module):
    vae.exercise(module, "float64")
