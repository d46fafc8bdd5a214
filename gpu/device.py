"""Which device there is, and why not where there is none.

Main       Device, find_device, backend.

A machine without a GPU is the usual case and never an error: each way in which a device can be missing or
broken (no CuPy, no driver, no cuBLAS, no NVRTC) gets its own sentence, so that `doctor` can say what to do.
"""

import importlib
import warnings
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy

from verify.errors import InputError


@dataclass(frozen=True)
class Device:
    """What was found; `reason` is empty where a device is available, else one sentence on what is missing."""

    available: bool
    name: str | None = None
    memory_bytes: int | None = None
    reason: str = ""


def find_device() -> Device:
    """The current CUDA device as CuPy sees it.  Never raises: whatever goes wrong becomes a `reason`."""
    with warnings.catch_warnings():
        # CuPy warns on import where it finds no CUDA; that must not become an error under -W error.
        warnings.simplefilter("ignore")
        return _find_device()


def _find_device() -> Device:
    try:
        cupy: Any = importlib.import_module("cupy")
    except ImportError as error:
        return Device(False, reason=f"CuPy cannot be imported ({_line(error)}); pip install cupy-cuda13x")
    except Exception as error:  # a broken installation may raise anything at all while it loads its libraries
        return Device(False, reason=f"CuPy is installed but broken ({_line(error)}); reinstall it")
    try:
        if cupy.cuda.runtime.getDeviceCount() < 1:
            return Device(False, reason="the driver sees no CUDA device")
        properties = cupy.cuda.runtime.getDeviceProperties(cupy.cuda.Device().id)
    except Exception as error:
        return Device(False, reason=f"no working CUDA driver ({_line(error)}); install the NVIDIA driver")
    name = properties["name"]
    name = name.decode() if isinstance(name, bytes) else str(name)
    memory = int(properties["totalGlobalMem"])
    for library, works in (("cuBLAS", _multiplies), ("NVRTC", _compiles)):
        try:
            works(cupy)
        except Exception as error:
            return Device(False, name, memory, f"{library} does not work ({_line(error)}); reinstall it")
    return Device(True, name, memory)


def backend(name: str) -> ModuleType:
    """The array module for "numpy", "cupy" or "auto" (a device if there is one).

    InputError for another name, or for "cupy" without a device.
    """
    if name not in ("numpy", "cupy", "auto"):
        raise InputError(f"backend {name!r}: none of numpy, cupy, auto; choose one of them")
    if name == "numpy":
        return numpy
    device = find_device()
    if device.available:
        return importlib.import_module("cupy")
    if name == "auto":
        return numpy
    raise InputError(f"backend cupy: {device.reason}; or choose backend numpy")


def _multiplies(cupy: Any) -> None:
    """A matrix product runs, which loads cuBLAS."""
    ones = cupy.ones((2, 2))
    if float((ones @ ones)[0, 0]) != 2.0:
        raise RuntimeError("a 2 x 2 product of ones is not 2")


def _compiles(cupy: Any) -> None:
    """A kernel is compiled from source and runs, which loads NVRTC."""
    source = 'extern "C" __global__ void probe(double* x) { x[0] = 3.0; }'
    x = cupy.zeros(1)
    # CuPy may take the compiled kernel from its cache on disk, so the compiler itself is asked as well.
    cupy.cuda.nvrtc.getVersion()
    cupy.RawKernel(source, "probe")((1,), (1,), (x,))
    if float(x[0]) != 3.0:
        raise RuntimeError("a kernel ran but left its result unset")


def _line(error: BaseException) -> str:
    """The first line of an error's message, or its type where there is no message."""
    message = str(error).strip().splitlines()
    return message[0] if message else type(error).__name__
