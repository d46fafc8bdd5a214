"""Every way in which a device can be missing gets a sentence of its own, and none is a crash."""

import os
import shutil
import sys
import types
import warnings

import numpy
import pytest

from gpu import device
from gpu.device import backend, find_device, in_batches, memory_budget, why_kernels_cannot_be_compiled
from verify.errors import InputError

MEMORY = 150 * 2**30


class FakeArray:
    """As much of a device array as the probes touch: one value, as often as `size` says."""

    def __init__(self, value, size=1):
        self.value, self.size = value, size

    def __matmul__(self, other):
        return FakeArray(2 * self.value * other.value)

    def __add__(self, number):
        return FakeArray(self.value + number, self.size)

    def sum(self):
        return self.value * self.size

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

    properties = {"name": b"Stand-in", "totalGlobalMem": MEMORY, "major": 9, "minor": 0}
    runtime = types.SimpleNamespace(
        getDeviceCount=lambda: 1,
        getDeviceProperties=lambda index: properties,
        driverGetVersion=lambda: 13020,
        runtimeGetVersion=lambda: 13000,
    )
    module.__version__ = "14.2.0"
    module.cuda = types.SimpleNamespace(
        runtime=runtime,
        Device=lambda: types.SimpleNamespace(id=0, mem_info=(MEMORY // 2, MEMORY)),
        nvrtc=types.SimpleNamespace(
            getVersion=lambda: (13, 0),
            createProgram=lambda text, name, headers, includes: text,
            compileProgram=lambda program, options: None,
            getCUBIN=lambda program: b"code",
            destroyProgram=lambda program: None,
        ),
    )
    module.linalg = types.SimpleNamespace(eigvalsh=lambda a: [0.0, 2.0 * a.value])
    module.get_default_memory_pool = lambda: types.SimpleNamespace(free_bytes=lambda: MEMORY // 4)
    module.ones = lambda shape: FakeArray(1.0, shape if isinstance(shape, int) else 4)
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
    assert (device.available, device.name, device.memory_bytes, device.reason) == (True, "Stand-in", MEMORY, "")
    assert (device.free_bytes, device.capability) == (MEMORY // 2, "9.0")
    assert (device.cupy, device.driver, device.runtime, device.nvrtc) == ("14.2.0", "13.2", "13.0", "13.0")


@pytest.mark.parametrize("answer", ["fails", 0])
def test_a_version_that_cannot_be_had_is_left_out(cupy, answer):
    cupy.cuda.runtime.driverGetVersion = fail("no driver") if answer == "fails" else lambda: answer
    assert find_device().driver is None
    assert find_device().available


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
        (lambda cupy: setattr(cupy, "RawKernel", fail("nvrtc")), "NVRTC does"),
        (lambda cupy: setattr(cupy.cuda.nvrtc, "getVersion", fail("nvrtc")), "NVRTC does"),
        (lambda cupy: setattr(cupy, "RawKernel", lambda source, name: lambda *a: None), "NVRTC does"),
        (lambda cupy: setattr(FakeArray, "sum", fail("cuda_fp16.h: No such file")), "CUDA's headers do"),
        (lambda cupy: setattr(FakeArray, "sum", lambda self: 5.0), "CUDA's headers do"),
        (lambda cupy: setattr(FakeArray, "__matmul__", fail("libcublas")), "cuBLAS does"),
        (lambda cupy: setattr(FakeArray, "__matmul__", lambda self, other: self), "cuBLAS does"),
        (lambda cupy: setattr(cupy.linalg, "eigvalsh", fail("libcusolver")), "cuSOLVER does"),
        (lambda cupy: setattr(cupy.linalg, "eigvalsh", lambda a: [0.0, 1.0]), "cuSOLVER does"),
    ],
    ids=["kernel missing", "compiler missing", "kernel idle", "headers missing", "sum wrong", "blas missing",
         "blas wrong", "solver missing", "solver wrong"],
)  # fmt: skip
def test_a_library_that_does_not_work_is_named_beside_the_device(cupy, monkeypatch, break_it, library):
    for name in ("sum", "__matmul__"):  # put back afterwards
        monkeypatch.setattr(FakeArray, name, getattr(FakeArray, name))
    break_it(cupy)
    device = find_device()
    assert not device.available
    assert device.reason.startswith(f"{library} not work (")
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


def test_kernels_are_compiled_without_a_device(cupy):
    cupy.cuda.runtime.getDeviceCount = fail("no driver")
    assert why_kernels_cannot_be_compiled() == ""


@pytest.mark.parametrize("part", ["createProgram", "compileProgram", "getCUBIN"])
def test_a_compiler_that_fails_is_named(cupy, part):
    setattr(cupy.cuda.nvrtc, part, fail("libnvrtc"))
    assert why_kernels_cannot_be_compiled().startswith("NVRTC does not work (libnvrtc);")


def test_an_empty_result_is_no_kernel(cupy):
    cupy.cuda.nvrtc.getCUBIN = lambda program: b""
    assert why_kernels_cannot_be_compiled().startswith("NVRTC does not work (an empty result);")


def test_without_cupy_nothing_can_be_compiled(monkeypatch):
    without_cupy(monkeypatch, ModuleNotFoundError("No module named 'cupy'"))
    assert why_kernels_cannot_be_compiled() == find_device().reason


def test_the_budget_is_a_share_of_what_is_free(cupy):
    assert memory_budget(cupy) == int(0.6 * (MEMORY // 2 + MEMORY // 4))
    assert 1 << 20 < memory_budget(numpy) < 1 << 50


def test_a_host_that_does_not_know_its_memory_gets_a_number_all_the_same(monkeypatch):
    monkeypatch.setattr("os.sysconf", {}.__getitem__)
    assert memory_budget(numpy) == 1 << 30


def limited(most, done):
    """Work that runs out of memory on more than `most` at a time."""

    def work(part):
        size = part.stop - part.start
        if size > most:
            raise MemoryError(f"no room for {size}")
        done.append((part.start, part.stop))
        return size

    return work


@pytest.mark.parametrize(("count", "together", "most"), [(10, 4, 9), (10, 100, 3), (1, 1, 1), (7, 7, 1), (0, 5, 1)])
def test_batches_shrink_until_they_fit_and_cover_everything_once(count, together, most):
    done = []
    found = in_batches(numpy, limited(most, done), count, together)
    assert sum(found) == count and max(found, default=0) <= min(most, together)
    assert [start for start, _ in done] == [0, *[stop for _, stop in done]][: len(done)]


def test_what_does_not_fit_alone_is_said_in_one_line():
    with pytest.raises(InputError, match=r"^point 1 of 9: does not fit into the memory of the host \(no room for 1\);"):
        in_batches(numpy, limited(0, []), 9, 4, "point")


def test_a_device_gives_back_what_it_keeps_before_the_next_attempt(cupy):
    freed = []
    pool = types.SimpleNamespace(free_all_blocks=lambda: freed.append(1))
    cupy.get_default_memory_pool = lambda: pool
    assert in_batches(cupy, limited(2, []), 8, 8) == [2, 2, 2, 2]
    assert len(freed) == 2  # 8, then 4


def test_other_errors_pass():
    with pytest.raises(RuntimeError, match="something else"):
        in_batches(numpy, fail("something else"), 3, 2)


@pytest.mark.parametrize("writable", [True, False])
def test_without_a_writable_home_kernels_are_cached_elsewhere(tmp_path, monkeypatch, writable):
    monkeypatch.delenv("CUPY_CACHE_DIR", raising=False)
    monkeypatch.delitem(sys.modules, "cupy", raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name == "cupy" or None)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "home").touch() if not writable else (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    left = []
    monkeypatch.setattr("atexit.register", lambda *call, **options: left.append(call))
    device._cache_somewhere()
    place = os.environ.pop("CUPY_CACHE_DIR", None)
    if writable:
        assert place is None and left == []
    else:
        assert os.path.dirname(place) == str(tmp_path) and left == [(shutil.rmtree, place)]


def test_without_cupy_no_folder_is_made_for_its_kernels(tmp_path, monkeypatch):
    monkeypatch.delitem(sys.modules, "cupy", raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    device._cache_somewhere()
    assert not list(tmp_path.iterdir())
