"""Which device there is, and why not where there is none; how much memory it has, and what to do when that runs out.

Main       Device, find_device, backend; why_kernels_cannot_be_compiled; memory_budget, in_batches.

A machine without a GPU is the usual case and never an error: each way in which a device can be missing or
broken (no CuPy, no driver, no device, no NVRTC, no headers, no cuBLAS, no cuSOLVER) gets its own sentence, so that
`doctor` can say what to do.
"""

import atexit
import importlib.util
import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeVar

import numpy

from verify.errors import InputError, first_line

Result = TypeVar("Result")

# Of the free memory of a device: the libraries take workspace, and other processes may come.
DEVICE_SHARE = 0.6
# Of the memory of a host, which is somebody's desk or is shared with other work.
HOST_SHARE = 0.25
WITHOUT_ANSWER = 1 << 30


@dataclass(frozen=True)
class Device:
    """What was found; `reason` is empty where a device is available, else one sentence on what is missing.

    `capability` is the generation, 9.0 say; `driver` and `runtime` are versions of CUDA: the driver's newest, CuPy's.
    """

    available: bool
    name: str | None = None
    memory_bytes: int | None = None
    reason: str = ""
    free_bytes: int | None = None
    capability: str | None = None
    cupy: str | None = None
    driver: str | None = None
    runtime: str | None = None
    nvrtc: str | None = None


@contextmanager
def _quietly() -> Iterator[None]:
    """CuPy warns on import where it finds no CUDA; that must not become an error under -W error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def find_device() -> Device:
    """The current CUDA device as CuPy sees it.  Never raises: whatever goes wrong becomes a `reason`."""
    with _quietly():
        cupy, reason = _cupy()
        return Device(False, reason=reason) if cupy is None else _find_device(cupy)


def _cupy() -> tuple[Any, str]:
    """The module and "", or None and what is wrong with it."""
    _cache_somewhere()
    try:
        return importlib.import_module("cupy"), ""
    except ImportError as error:
        return None, f"CuPy cannot be imported ({first_line(error)}); pip install cupy-cuda13x"
    except Exception as error:  # a broken installation may raise anything at all while it loads its libraries
        return None, f"CuPy is installed but broken ({first_line(error)}); reinstall it"


def _cache_somewhere() -> None:
    """CuPy makes its folder of kernels while it is imported, and cannot be where there is no writable home.

    It then gets one for the time of this process and of those that it starts.
    """
    with suppress(Exception):  # its import will say what is wrong
        if "cupy" not in sys.modules and importlib.util.find_spec("cupy"):
            _make_sure_of_the_cache()


def _make_sure_of_the_cache() -> None:
    try:
        usual = os.environ.get("CUPY_CACHE_DIR") or os.path.expanduser("~/.cupy/kernel_cache")
        os.makedirs(usual, exist_ok=True)
        tempfile.TemporaryFile(dir=usual).close()
    except OSError:
        os.environ["CUPY_CACHE_DIR"] = tempfile.mkdtemp(prefix="elbo-verify-kernels-")
        atexit.register(shutil.rmtree, os.environ["CUPY_CACHE_DIR"], ignore_errors=True)


def _find_device(cupy: Any) -> Device:
    facts = _versions(cupy)
    try:
        if cupy.cuda.runtime.getDeviceCount() < 1:
            return Device(False, reason="the driver sees no CUDA device", **facts)
        number = cupy.cuda.Device().id
        facts |= _described(cupy, cupy.cuda.runtime.getDeviceProperties(number))
    except Exception as error:
        why = f"no working CUDA driver ({first_line(error)}); install the NVIDIA driver"
        return Device(False, reason=why, **facts)
    for what, works in PROBES.items():
        try:
            works(cupy)
        except Exception as error:
            verb = "do" if what.endswith("s") else "does"
            return Device(
                False, reason=f"{what} {verb} not work ({first_line(error)}); reinstall CuPy and CUDA", **facts
            )
    return Device(True, **facts)


def _versions(cupy: Any) -> dict[str, Any]:
    """Versions, each None where nobody answers: a broken part must not hide the others."""

    def asked(question: Callable[[], Any]) -> str | None:
        try:
            answer = question()
        except Exception:
            return None
        if isinstance(answer, tuple):
            return ".".join(map(str, answer))
        # CUDA counts 13.2 as 13020, and has 0 for a driver that is not there.
        return answer if isinstance(answer, str) else f"{answer // 1000}.{answer % 1000 // 10}" if answer else None

    return {
        "cupy": asked(lambda: str(cupy.__version__)),
        "driver": asked(lambda: int(cupy.cuda.runtime.driverGetVersion())),
        "runtime": asked(lambda: int(cupy.cuda.runtime.runtimeGetVersion())),
        "nvrtc": asked(lambda: tuple(cupy.cuda.nvrtc.getVersion())),
    }


def _described(cupy: Any, properties: dict[str, Any]) -> dict[str, Any]:
    name = properties["name"]
    generation = [properties.get(part) for part in ("major", "minor")]
    try:
        free = int(cupy.cuda.Device().mem_info[0])
    except Exception:
        free = None
    return {
        "name": name.decode() if isinstance(name, bytes) else str(name),
        "memory_bytes": int(properties["totalGlobalMem"]),
        "free_bytes": free,
        "capability": None if None in generation else ".".join(map(str, generation)),
    }


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


# ---------------------------------------------------------------- what must work

PROBE = 'extern "C" __global__ void probe(double* x) { x[0] = 3.0; }'


def _compiles(cupy: Any) -> None:
    """A kernel is compiled from source and runs, which loads NVRTC."""
    x = cupy.zeros(1)
    # CuPy may take the compiled kernel from its cache on disk, so the compiler itself is asked as well.
    cupy.cuda.nvrtc.getVersion()
    cupy.RawKernel(PROBE, "probe")((1,), (1,), (x,))
    if float(x[0]) != 3.0:
        raise RuntimeError("a kernel ran but left its result unset")


def _has_headers(cupy: Any) -> None:
    """CuPy's own kernels, for sums and entrywise work, include headers of CUDA that ours do without."""
    if float((cupy.ones(3) + 1.0).sum()) != 6.0:
        raise RuntimeError("1 + 1, three times, do not add up to 6")


def _multiplies(cupy: Any) -> None:
    """A matrix product runs, which loads cuBLAS."""
    ones = cupy.ones((2, 2))
    if float((ones @ ones)[0, 0]) != 2.0:
        raise RuntimeError("a 2 x 2 product of ones is not 2")


def _diagonalises(cupy: Any) -> None:
    """Eigenvalues are computed, which loads cuSOLVER."""
    if abs(float(cupy.linalg.eigvalsh(cupy.ones((2, 2)))[1]) - 2.0) > 1e-14:
        raise RuntimeError("the largest eigenvalue of a 2 x 2 matrix of ones is not 2")


# In this order, as each needs those before it: `ones` is filled by a kernel.
PROBES: dict[str, Callable[[Any], None]] = {
    "NVRTC": _compiles,
    "CUDA's headers": _has_headers,
    "cuBLAS": _multiplies,
    "cuSOLVER": _diagonalises,
}


def why_kernels_cannot_be_compiled() -> str:
    """ "" where NVRTC compiles a kernel, which takes no device; else one sentence.  Never raises."""
    with _quietly():
        cupy, reason = _cupy()
        if cupy is None:
            return reason
        try:
            nvrtc = cupy.cuda.nvrtc
            program = nvrtc.createProgram(PROBE, "probe.cu", [], [])
            nvrtc.compileProgram(program, ("--std=c++17", "-arch=sm_90"))
            if not nvrtc.getCUBIN(program):
                raise RuntimeError("an empty result")
            nvrtc.destroyProgram(program)
        except Exception as error:
            return f"NVRTC does not work ({first_line(error)}); pip install 'elbo-verify[kernels]'"
        return ""


# ---------------------------------------------------------------- memory


def memory_budget(xp: Any) -> int:
    """Bytes that one computation may take: a share of what is free on the device of xp, or of the host's memory."""
    if xp is not numpy:
        # What CuPy keeps for itself is free as well.
        kept = xp.get_default_memory_pool().free_bytes()
        return int(DEVICE_SHARE * (xp.cuda.Device().mem_info[0] + kept))
    try:
        return int(HOST_SHARE * os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, LookupError, OSError, ValueError):  # not every system can say
        return WITHOUT_ANSWER


def in_batches(
    xp: Any, work: Callable[[slice], Result], count: int, together: int, what: str = "problem"
) -> list[Result]:
    """work(slice) over 0 .. count, `together` at a time; whenever memory runs out, half as many from there on.

    InputError where there is no memory for a single one. CuPy's OutOfMemoryError is a MemoryError.
    """
    found: list[Result] = []
    start, together = 0, max(1, min(together, count))
    while start < count:
        try:
            found.append(work(slice(start, min(start + together, count))))
            start += together
            continue
        except MemoryError as error:
            if together == 1:
                where = "the host" if xp is numpy else "the device"
                raise InputError(
                    f"{what} {start + 1} of {count}: does not fit into the memory of {where} ({first_line(error)}); "
                    "take a smaller one"
                ) from None
        # Outside of the handler, where nothing of the failed attempt is held any more.
        together //= 2
        if xp is not numpy:
            xp.get_default_memory_pool().free_all_blocks()
    return found
