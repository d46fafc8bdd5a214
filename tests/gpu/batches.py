"""What the tests of the kernels share: random batches, a device that is not there, kernels with a slip.

Main       random_batch, cupy (a fixture: CuPy's stand-in, whose kernels run in the emulator), kernels_of,
           on_device, slip, error.
"""

from contextlib import contextmanager
from functools import partialmethod
from types import SimpleNamespace

import numpy as np
import pytest

from gpu import kernels
from tests.emulator import device
from tests.emulator.build import Module, patched
from verify.arrays import to_numpy

TOLERANCE = 1e-12  # of the norm: the sums of a kernel and of its twin differ in order, and in nothing else


def random_batch(lead, n, k, *, shared=False, seed=0):
    """W, V, D, sigma2, S with entries of order 1; S of rank n // 2, shared or one per problem."""
    rng = np.random.default_rng(seed)
    lead = (lead,) if isinstance(lead, int) else lead
    A = rng.standard_normal((*(() if shared else lead), n, max(1, n // 2)))
    S = A @ A.swapaxes(-1, -2) / n
    W = rng.standard_normal((*lead, n, k)) / np.sqrt(n)
    return W, rng.standard_normal((*lead, k, n)), rng.uniform(0.3, 2, (*lead, k)), rng.uniform(0.4, 1.5, lead), S


@pytest.fixture(params=[False, True], ids=["forward", "backward"])
def cupy(request, monkeypatch):
    """CuPy's stand-in; its emulator runs the threads of a block in one order or the other, so that barriers matter."""
    module = device.install(monkeypatch)
    monkeypatch.setattr(Module, "launch", partialmethod(Module.launch, backward=request.param))
    # CuPy's asarray takes arrays of the host to the device; the stand-in's does not.
    monkeypatch.setattr(module, "asarray", lambda a, dtype=None: module.ndarray(np.asarray(to_numpy(a), dtype=dtype)))
    return module


@contextmanager
def kernels_of(module):
    """A device whose kernels are those of an emulated Module: what a sanitizer's exercise runs on."""
    with pytest.MonkeyPatch.context() as patch:
        cupy = device.install(patch)
        raw = SimpleNamespace(get_function=lambda name: device.RawKernel(module, name, cupy.launches))
        patch.setattr(cupy, "RawModule", lambda code, options=(): raw)
        yield cupy


def on_device(cupy, *arrays):
    return [cupy.ndarray(a) for a in arrays]


def slip(monkeypatch, name, patch):
    """The kernels of gpu/kernels/<name>.cu with one text replaced.  To be called before their first launch."""
    wrong = patched(kernels.source(name), patch)
    monkeypatch.setattr(kernels, "source", {name: wrong}.__getitem__)


def error(actual, expected):
    """||actual - expected|| / ||expected||, absolute where the latter is 0; shapes must agree."""
    actual, expected = to_numpy(actual), to_numpy(expected)
    assert actual.shape == expected.shape
    assert np.isfinite(expected).all()
    size = np.linalg.norm(expected.ravel())
    return np.linalg.norm((actual - expected).ravel()) / (size or 1.0)
