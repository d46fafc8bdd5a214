"""CUDA kernels on a machine without a GPU: a .cu file compiled by g++ and called with NumPy arrays.

Main       emulated(path) -> Module; Module.launch(name, grid, block, args, shared=0).

    module = emulated("gpu/kernels/enumeration.cu")
    out = np.zeros(3)
    module.launch("scale", grid=(1,), block=(32,), args=(x, out, np.float64(2.0), np.int32(3)))

`grid` and `block` are an int or up to three ints; `args` are NumPy arrays (global memory: C-contiguous, of the very
dtype of the kernel's pointer, writeable unless the pointer is to const; where the kernel is told `x_stride` for `x`, a
view whose last axis is contiguous), None for a null pointer, and NumPy scalars of the very dtype of the parameter
(plain Python numbers are refused: CuPy would silently pass them as 8-byte ones). `shared` is the number of bytes of
`extern __shared__` memory. A wrong call raises ValueError or TypeError before anything runs; a kernel that
goes wrong (divergent __syncthreads, deadlock, bad shuffle) raises KernelError, or aborts with the same words where
threads=True. What of CUDA is emulated, and where it is stricter than a device: cuda_on_cpu.h.

    emulated(path, patch={"+ a": "- a"})    the same with a text replaced (must occur exactly once): for controls
    emulated(path, threads=True)            OS threads instead of fibers (some 20 times slower)
    emulated(path, sanitizer="thread")      for tests.emulator.sanitized, which preloads the runtime
    module.launch(..., backward=True)       the threads of a block in the opposite order: shows a missing barrier

Kernels are `extern "C" __global__ void`; files are compiled once per content into a cache folder
(ELBO_VERIFY_EMULATOR_CACHE, by default under the system's folder for temporary files).
"""

import ctypes
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from gpu.kernels import included

HEADER = Path(__file__).with_name("cuda_on_cpu.h")
# No contraction to fma, so that __dmul_rn and its like are what they say. Hidden visibility and no
# unique symbols, or two loaded libraries would share their globals.
FLAGS = ("-std=c++20", "-O2", "-g", "-fPIC", "-shared", "-pthread", "-fvisibility=hidden", "-fno-gnu-unique",
         "-ffp-contract=off")  # fmt: skip
KERNEL = re.compile(
    r'extern\s+"C"\s+(?:__launch_bounds__\s*\(([^)]*)\)\s+)?__global__\s+(?:__launch_bounds__\s*\(([^)]*)\)\s+)?void\s+'
    r"(?:__launch_bounds__\s*\(([^)]*)\)\s+)?(\w+)\s*\("
)
DYNAMIC = re.compile(r"extern\s+__shared__\s+(?:__align__\(\d+\)\s+)?([\w\s]+?)\s+(\w+)\s*\[\s*\]\s*;")
LIMITS = {"grid": (2**31 - 1, 65535, 65535), "block": (1024, 1024, 64)}
SHARED_LIMIT = 227 * 1024  # bytes that a block of sm_90 can ask for


class Unavailable(RuntimeError):
    """The compiler, or a runtime of it, is missing: the reason in one line."""


class KernelError(RuntimeError):
    """A kernel did what would hang or be undefined on a device."""


def compiler() -> str:
    """The path of g++ (or of $CXX).  Unavailable where there is none."""
    found = shutil.which(os.environ.get("CXX", "g++"))
    if found is None:
        raise Unavailable("the emulator needs g++ (or CXX), which is not there")
    return found


def _cache() -> Path:
    default = Path(tempfile.gettempdir()) / f"elbo-verify-emulator-{os.getuid()}"
    folder = Path(os.environ.get("ELBO_VERIFY_EMULATOR_CACHE", default))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def patched(text: str, patch: Mapping[str, str]) -> str:
    """The text with each key replaced by its value; ValueError unless it occurs exactly once."""
    for old, new in patch.items():
        if text.count(old) != 1:
            raise ValueError(f"{old!r} occurs {text.count(old)} times in the kernel text, not once")
        text = text.replace(old, new)
    return text


def _library(text: str, name: str, flags: Sequence[str]) -> Path:
    """Compile the kernels of `text` unless that was done before; -> the shared library."""
    # `extern __shared__ T x[]` becomes a pointer to the memory of the launch, on the same line.
    body = DYNAMIC.sub(r"\1* \2 = static_cast<\1*>(cuda_on_cpu::dynamic_shared());", text)
    exports = [f"CUDA_ON_CPU_EXPORT({k[3]}, ({k[0] or k[1] or k[2] or 1024}))" for k in KERNEL.findall(text)]
    if not exports:
        raise ValueError(f'{name}: no kernel declared extern "C" __global__ void')
    code = "\n".join([f'#include "{HEADER}"', f'#line 1 "{name}"', body, *exports, ""])
    command = [compiler(), *FLAGS, *flags]
    key = hashlib.sha256("\0".join([code, HEADER.read_text(), *command]).encode()).hexdigest()[:24]
    library = _cache() / f"{Path(name).stem}-{key}.so"
    if not library.exists():
        with tempfile.TemporaryDirectory(dir=library.parent) as folder:
            source, built = Path(folder) / "kernels.cpp", Path(folder) / "kernels.so"
            source.write_text(code)
            done = subprocess.run([*command, "-o", built, source], capture_output=True, text=True, check=False)
            if done.returncode:
                missing = re.search(r"cannot find \S*(?:tsan|asan)\S*", done.stderr)
                raise Unavailable(missing[0]) if missing else ValueError(f"{name} does not compile:\n{done.stderr}")
            built.replace(library)  # atomic: another process may build the same
    return library


def emulated(
    path: str | Path | None = None,
    *,
    text: str | None = None,
    patch: Mapping[str, str] | None = None,
    threads: bool = False,
    sanitizer: str | None = None,
    ucontext: bool = False,
) -> "Module":
    """The kernels of a .cu file (or of a text), compiled for the CPU.  ValueError where they do not compile."""
    name = "text.cu" if path is None else Path(path).name
    source = included(Path(path).read_text(), name) if text is None and path is not None else text
    if source is None:
        raise ValueError("either a path or a text")
    flags = [f"-fsanitize={sanitizer}", "-O1"] if sanitizer else []
    flags += ["-DCUDA_ON_CPU_THREADS"] if threads or sanitizer else []
    flags += ["-DCUDA_ON_CPU_UCONTEXT"] if ucontext else []
    source = patched(source, patch or {})
    kernels = {k[3]: _told_strides(source, k[3]) for k in KERNEL.findall(source)}
    return Module(_library(source, name, flags), kernels, name)


def _told_strides(text: str, kernel: str) -> set[int]:
    """Which parameters x of a kernel come with another one named x_stride."""
    (listed,) = re.findall(rf"__global__[^;{{]*?\b{kernel}\s*\(([^)]*)\)", text)
    names = [re.findall(r"\w+", parameter)[-1] for parameter in listed.split(",")]
    return {i for i, name in enumerate(names) if f"{name}_stride" in names}


def _three(value: int | Sequence[int], what: str) -> tuple[int, int, int]:
    sizes = tuple(value) if isinstance(value, Sequence) else (value,)
    if not 1 <= len(sizes) <= 3:
        raise ValueError(f"{what} {value}: one to three sizes")
    x, y, z = (*map(int, sizes), 1, 1)[:3]
    if any(not 1 <= s <= most for s, most in zip((x, y, z), LIMITS[what], strict=True)):
        raise ValueError(f"{what} {value}: each size from 1 to at most {LIMITS[what]}")
    return x, y, z


def _argument(a: object, expected: str, where: str, strided: bool) -> ctypes._SimpleCData:
    """The C value of an argument, checked against the parameter: "f8" a value, "*f8" written to, "&f8" read."""
    dtype = np.dtype(expected.lstrip("*&"))
    if expected[0] in "*&":
        if a is None:
            return ctypes.c_void_p(None)
        if not isinstance(a, np.ndarray) or a.dtype != dtype:
            raise TypeError(f"{where}: an array of {dtype}, not {getattr(a, 'dtype', type(a).__name__)}")
        rows = strided and a.ndim > 0 and (a.shape[-1] <= 1 or a.strides[-1] == a.itemsize)
        if not ((a.flags.c_contiguous or rows) and a.flags.aligned):
            raise ValueError(f"{where}: the array is not C-contiguous and aligned")
        if expected[0] == "*" and not a.flags.writeable:
            raise ValueError(f"{where}: the kernel may write to it, the array is read-only")
        return ctypes.c_void_p(a.ctypes.data)
    if not isinstance(a, np.generic) or a.dtype != dtype:
        raise TypeError(f"{where}: a NumPy scalar of {dtype}, not {getattr(a, 'dtype', type(a).__name__)}")
    return np.ctypeslib.as_ctypes_type(dtype)(a.item())


class Module:
    """The kernels of one file; `names` are theirs, `launched` those that have run."""

    def __init__(self, library: Path, kernels: Mapping[str, set[int]], source: str):
        self.names = tuple(kernels)
        self._strided = kernels
        self.source = source
        self.launched: set[str] = set()
        self._path = library
        self._lock = threading.Lock()  # ctypes lets other threads run; the emulated device is one

    @cached_property
    def _library(self) -> ctypes.CDLL:
        # Loaded late: a process without the sanitizer's runtime can compile for one that has it, not load.
        return ctypes.CDLL(str(self._path))

    def _function(self, name: str, what: str, result: object) -> "ctypes._NamedFuncPointer":
        if name not in self.names:
            raise ValueError(f"{self.source}: no kernel {name!r}; there are {', '.join(self.names)}")
        function = self._library[f"{name}__{what}"]
        function.restype = result
        return function

    def signature(self, name: str) -> list[str]:
        """The parameters of a kernel: "i4" a value, "*f8" an array written to, "&f8" an array only read."""
        return self._function(name, "signature", ctypes.c_char_p)().decode().split()

    def launch(
        self,
        name: str,
        grid: int | Sequence[int],
        block: int | Sequence[int],
        args: Sequence[object],
        shared: int = 0,
        *,
        backward: bool = False,
    ) -> None:
        """Run a kernel to its end, as described at the top of this file."""
        sizes = [_three(grid, "grid"), _three(block, "block")]
        bound = min(1024, self._function(name, "bound", ctypes.c_uint)())
        if np.prod(sizes[1]) > bound:
            raise ValueError(f"{name}: block {block} has more than {bound} threads")
        if not 0 <= shared <= SHARED_LIMIT:
            raise ValueError(f"{name}: {shared} bytes of shared memory, of at most {SHARED_LIMIT}")
        expected = self.signature(name)
        if len(args) != len(expected):
            raise TypeError(f"{name}: {len(args)} arguments for {len(expected)} parameters ({' '.join(expected)})")
        pairs = enumerate(zip(args, expected, strict=True))
        values = [_argument(a, e, f"{name}, argument {i}", i in self._strided[name]) for i, (a, e) in pairs]
        pointers = (ctypes.c_void_p * len(values))(*map(ctypes.addressof, values))
        dims = [(ctypes.c_uint * 3)(*s) for s in sizes]
        run = self._function(name, "launch", ctypes.c_char_p)
        with self._lock:
            error = run(*dims, ctypes.c_size_t(shared), ctypes.c_int(backward), pointers)
        self.launched.add(name)
        if error:
            raise KernelError(f"{self.source}, kernel {name}: {error.decode()}")
