"""Launches of the kernels of wrong.cu, one function for each; used by the tests in a process of their own."""

import numpy as np

THREADS = 48  # a warp and a half


def launch(module, name, **options):
    """One block; -> y, and what it should be: x rolled by one."""
    x, y = np.arange(float(THREADS)), np.zeros(THREADS)
    module.launch(name, 1, THREADS, (x, y, np.int32(THREADS)), shared=8 * THREADS, **options)
    return y, np.roll(x, -1)


def __getattr__(name):
    """`wrong.NAME` launches the kernel NAME of a module."""
    if name.startswith("__"):
        raise AttributeError(name)
    return lambda module: launch(module, name)
