"""A stand-in for CuPy whose kernels run: the host code of a device path without a device.

Main       install(monkeypatch) -> the module `cupy` for the time of a test.

    cupy = install(monkeypatch)
    found = enumerate_learned(lam, k, top=50, backend=cupy)      # gpu.kernels.kernel(..., cupy) runs in the emulator

Arrays are those of tests.verify.stand_in_cupy, as strict as CuPy's: they never mix with NumPy's and convert only by
`.get()`. New ones begin at multiples of 256 bytes, as CuPy's do. `cupy.launches` lists (kernel, grid, block) of every
launch, `cupy.calls` counts what was asked of the library itself by name; products go through cublas.py.
"""

import ctypes
import sys
import time
import weakref
from functools import wraps
from types import ModuleType, SimpleNamespace

import numpy as np

from tests import emulator
from tests.emulator.cublas import HANDLE, Cublas
from tests.verify import stand_in_cupy

ALSO = {
    "abs", "add", "arange", "argsort", "array", "ascontiguousarray", "bincount", "broadcast_to", "cumsum", "full",
    "isfinite", "max", "min", "multiply", "searchsorted", "zeros",
}  # fmt: skip


class RawKernel:
    """A kernel as CuPy hands it out: called with the grid, the block, the arguments."""

    def __init__(self, module, name, launches):
        self.module, self.name, self.launches = module, name, launches
        self.max_dynamic_shared_size_bytes = 48 * 1024

    def __call__(self, grid, block, args, *, shared_mem=0):
        if not (isinstance(grid, tuple) and isinstance(block, tuple)):
            raise TypeError("grid and block are tuples")
        if shared_mem > self.max_dynamic_shared_size_bytes:
            raise ValueError(f"{self.name}: {shared_mem} bytes of shared memory were not asked for beforehand")
        for a in args:
            if isinstance(a, np.ndarray):
                raise TypeError(f"{self.name}: an array of the host")
        arguments = [a.host if isinstance(a, stand_in_cupy.ndarray) else a for a in args]
        self.launches.append((self.name, grid, block))
        self.module.launch(self.name, grid, block, arguments, shared_mem)


class Event:
    """A mark in a stream in which everything is over when it returns."""

    def record(self):
        self.time = time.perf_counter()

    def synchronize(self):
        pass


LIBC = ctypes.CDLL(None)
LIBC.posix_memalign.argtypes = [ctypes.POINTER(ctypes.c_void_p), ctypes.c_size_t, ctypes.c_size_t]
LIBC.free.argtypes = [ctypes.c_void_p]


def aligned(a):
    """A copy of an array of the host that begins at a multiple of 256 bytes and ends with its memory."""
    rows = a.T if a.flags.fnc else a
    if not rows.nbytes:
        return a.copy()
    at = ctypes.c_void_p()
    if LIBC.posix_memalign(ctypes.byref(at), 256, rows.nbytes):
        raise MemoryError
    memory = (ctypes.c_char * rows.nbytes).from_address(at.value)
    weakref.finalize(memory, LIBC.free, at.value)
    copy = np.frombuffer(memory, rows.dtype).reshape(rows.shape)
    copy[...] = rows
    return copy.T if a.flags.fnc else copy


def _new(function):
    """A function of NumPy that makes arrays, on the device."""
    return stand_in_cupy._through(wraps(function)(lambda *args, **options: aligned(function(*args, **options))))


def _asarray(a, dtype=None):
    """As CuPy: what lies on the device already is not copied, and what lies by columns on the host does so there."""
    if isinstance(a, stand_in_cupy.ndarray):
        return a if dtype is None or a.dtype == dtype else a.astype(dtype)
    a = np.asarray(a)
    return stand_in_cupy.ndarray(aligned(np.asarray(a, dtype=dtype, order="F" if a.flags.fnc else "C")))


def device() -> ModuleType:
    """A new stand-in module with RawModule and what host code asks of `cupy.cuda`."""
    cupy = stand_in_cupy.module()
    for name in ALSO:
        setattr(cupy, name, stand_in_cupy._through(getattr(np, name)))
    for name in ("bool_", "float64", "int32", "int64", "uint32", "uint64", "newaxis", "inf", "nan", "pi"):
        setattr(cupy, name, getattr(np, name))
    for name in ("empty", "ones", "zeros", "zeros_like"):
        setattr(cupy, name, _new(getattr(np, name)))
    strided = stand_in_cupy._through(np.lib.stride_tricks.as_strided)
    cupy.lib = SimpleNamespace(stride_tricks=SimpleNamespace(as_strided=strided))
    cupy.launches, cupy.calls = [], stand_in_cupy.CALLS

    class RawModule:
        def __init__(self, *, code, options=()):
            if not isinstance(options, tuple):
                raise TypeError("options are a tuple")
            self.module = emulator.emulated(text=code)

        def get_function(self, name):
            return RawKernel(self.module, name, cupy.launches)

    cupy.RawModule = RawModule
    cupy.asarray = _asarray
    cupy.asnumpy = lambda a: a.get()
    cupy.__version__ = "stand-in"
    cupy.get_default_memory_pool = lambda: SimpleNamespace(free_bytes=lambda: 0, free_all_blocks=lambda: None)
    cupy.RawKernel = lambda code, name: RawModule(code=code).get_function(name)
    cupy.cuda = SimpleNamespace(
        Device=lambda index=0: SimpleNamespace(id=0, mem_info=(2**30, 2**31), attributes={"MultiProcessorCount": 1}),
        cublas=Cublas(stand_in_cupy.MEMORY),
        device=SimpleNamespace(get_cublas_handle=lambda: HANDLE),
        Event=Event,
        get_elapsed_time=lambda start, end: 1000.0 * (end.time - start.time),
        get_current_stream=lambda: SimpleNamespace(synchronize=lambda: None),
        nvrtc=SimpleNamespace(getVersion=lambda: (0, 0)),
        runtime=SimpleNamespace(
            memGetInfo=lambda: (2**30, 2**31),
            getDeviceCount=lambda: 1,
            getDeviceProperties=lambda index: {"name": b"Emulator", "totalGlobalMem": 2**31, "major": 0, "minor": 0},
            driverGetVersion=lambda: 0,
            runtimeGetVersion=lambda: 0,
            CUDA_R_32F=0,
            CUDA_R_64F=1,
        ),
    )
    return cupy


def install(monkeypatch) -> ModuleType:
    """Make the stand-in be `cupy` until the test ends; -> the module."""
    cupy = device()
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    return cupy
