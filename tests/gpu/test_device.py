"""Every way in which a device can be missing gets a sentence of its own, and none is a crash."""

import sys
import types
import warnings

import numpy
import pytest

from gpu.device import backend, find_device
from verify.errors import InputError

MEMORY = 150 * 2**30


class FakeArray:
    """As much of a device array as the probes touch."""

    def __init__(self, value):
        self.value = value

    def __matmul__(self, other):
        return FakeArray(2 * self.value * other.value)

    def __getitem__(self, index):
        return self.value


def fail(message):
    def call(*args, **kwargs):
        raise RuntimeError(message)

    return call


@pytest.fixture
def cupy(monkeypatch):
    """A stand-in CuPy with one working device; a test breaks the part it is about."""
    module = types.ModuleType("cupy")

    def launch(grid, block, arguments):
        arguments[0].value = 3.0

    runtime = types.SimpleNamespace(
        getDeviceCount=lambda: 1,
        getDeviceProperties=lambda index: {"name": b"Stand-in", "totalGlobalMem": MEMORY},
    )
    module.cuda = types.SimpleNamespace(
        runtime=runtime,
        Device=lambda: types.SimpleNamespace(id=0),
        nvrtc=types.SimpleNamespace(getVersion=lambda: (13, 0)),
    )
    module.ones = lambda shape: FakeArray(1.0)
    module.zeros = lambda size: FakeArray(0.0)
    module.RawKernel = lambda source, name: launch
    monkeypatch.setitem(sys.modules, "cupy", module)
    return module


def without_cupy(monkeypatch, error):
    """Make `import cupy` raise `error`."""
    monkeypatch.delitem(sys.modules, "cupy", raising=False)

    class Finder:
        @staticmethod
        def find_spec(name, path=None, target=None):
            if name == "cupy":
                raise error
            return None

    monkeypatch.setattr(sys, "meta_path", [Finder, *sys.meta_path])


def test_a_working_device_is_found(cupy):
    device = find_device()
    assert (device.available, device.name, device.memory_bytes, device.reason) == (
        True,
        "Stand-in",
        MEMORY,
        "",
    )


def test_no_cupy_is_named(monkeypatch):
    without_cupy(monkeypatch, ModuleNotFoundError("No module named 'cupy'"))
    device = find_device()
    assert not device.available
    assert device.reason.startswith("CuPy cannot be imported (No module named 'cupy'); pip install")


def test_a_cupy_that_breaks_on_import_is_named(monkeypatch):
    without_cupy(monkeypatch, OSError("libcudart.so: no such file\nand a long story"))
    assert find_device().reason.startswith("CuPy is installed but broken (libcudart.so: no such file);")


def test_a_missing_driver_is_named(cupy):
    cupy.cuda.runtime.getDeviceCount = fail("cudaErrorInsufficientDriver")
    assert "driver (cudaErrorInsufficientDriver)" in find_device().reason


def test_a_driver_without_a_device_is_named(cupy):
    cupy.cuda.runtime.getDeviceCount = lambda: 0
    assert find_device().reason == "the driver sees no CUDA device"


@pytest.mark.parametrize(
    ("break_it", "library"),
    [
        (lambda cupy: setattr(cupy, "ones", fail("libcublas")), "cuBLAS"),
        (lambda cupy: setattr(cupy, "ones", lambda shape: FakeArray(5.0)), "cuBLAS"),
        (lambda cupy: setattr(cupy, "RawKernel", fail("nvrtc")), "NVRTC"),
        (lambda cupy: setattr(cupy.cuda.nvrtc, "getVersion", fail("nvrtc")), "NVRTC"),
        (lambda cupy: setattr(cupy, "RawKernel", lambda source, name: lambda *a: None), "NVRTC"),
    ],
    ids=["blas missing", "blas wrong", "kernel missing", "compiler missing", "kernel idle"],
)
def test_a_library_that_does_not_work_is_named_beside_the_device(cupy, break_it, library):
    break_it(cupy)
    device = find_device()
    assert not device.available
    assert device.reason.startswith(f"{library} does not work (")
    assert (device.name, device.memory_bytes) == ("Stand-in", MEMORY)


def test_a_warning_while_looking_is_no_error(cupy):
    def count():
        warnings.warn("CUDA path could not be detected", UserWarning, stacklevel=1)
        return 1

    cupy.cuda.runtime.getDeviceCount = count
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert find_device().available


def test_backend_takes_the_device_where_there_is_one(cupy):
    assert backend("auto") is cupy
    assert backend("cupy") is cupy
    assert backend("numpy") is numpy


def test_backend_without_a_device(cupy):
    cupy.cuda.runtime.getDeviceCount = lambda: 0
    assert backend("auto") is numpy
    assert backend("numpy") is numpy
    with pytest.raises(InputError, match="the driver sees no CUDA device; or choose backend numpy"):
        backend("cupy")


def test_an_unknown_backend_is_refused():
    with pytest.raises(InputError, match="'torch': none of numpy, cupy, auto"):
        backend("torch")
