"""The CUDA kernels and their one loader.

Main       kernel, source, included, names, altered, OPTIONS.

    add = kernel("example", "add", cupy)                  # gpu/kernels/example.cu, extern "C" __global__ void add(...)
    add((blocks,), (threads,), (x, y, np.int32(n)))       # arrays of the device, NumPy scalars of the very dtype

A file is read from the package and compiled by NVRTC once per process and device; CuPy keeps the binary on disk. A
library to load with is handed in (`gpu.device.backend`), so nothing of CuPy is imported here. Kernels include no
headers of the host, which NVRTC lacks; a line `#include "common.cuh"` brings in gpu/kernels/common.cuh, as text.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from typing import Any

from verify.errors import InputError

# NVRTC may contract a * b + c to fma, which the emulator does not: where a comparison must come out as NumPy's does, a
# kernel says __dmul_rn and __dadd_rn.
OPTIONS = ("--std=c++17",)
INCLUDE = re.compile(r'^#include "(\w+\.cuh)"$', re.MULTILINE)


def names() -> list[str]:
    """The kernel files, without their ending."""
    return sorted(f.name.removesuffix(".cu") for f in files(__name__).iterdir() if f.name.endswith(".cu"))


def source(module_name: str) -> str:
    """The text of gpu/kernels/<module_name>.cu.  InputError where there is none."""
    if module_name not in names():
        raise InputError(f"kernels {module_name!r}: no such file in gpu/kernels; one of {', '.join(names())}")
    file = f"{module_name}.cu"
    return included((files(__name__) / file).read_text(encoding="utf-8"), file)


def included(text: str, file: str) -> str:
    """The text of `file` with the files of gpu/kernels that it includes written out, not those that these include.

    InputError for a file that is not there.
    """

    def written_out(line: re.Match[str]) -> str:
        header = files(__name__) / line[1]
        if not header.is_file():
            raise InputError(f"{file}: includes {line[1]}, and there is no such file in gpu/kernels; add it")
        after = text[: line.start()].count("\n") + 2
        # Compilers then name the file and the line that somebody wrote.
        return f'#line 1 "{line[1]}"\n{header.read_text(encoding="utf-8")}#line {after} "{file}"'

    return INCLUDE.sub(written_out, text)


Patch = tuple[str, str]
_altered: dict[str, Patch] = {}


@contextmanager
def altered(module_name: str, patch: Patch) -> Iterator[None]:
    """For controls: within the block the kernels of this file are compiled with one text in place of another.

    ValueError unless the text to replace occurs exactly once.
    """
    found = source(module_name).count(patch[0])
    if found != 1:
        raise ValueError(f"{patch[0]!r} occurs {found} times in gpu/kernels/{module_name}.cu, not once")
    _altered[module_name] = patch
    try:
        yield
    finally:
        del _altered[module_name]


@cache
def _module(module_name: str, backend: Any, patch: Patch | None) -> Any:
    text = source(module_name)
    # A RawModule compiles where it is first used and once for each device that it is used on.
    return backend.RawModule(code=text if patch is None else text.replace(*patch), options=OPTIONS)


@cache
def _kernel(module_name: str, function_name: str, backend: Any, patch: Patch | None) -> Any:
    return _module(module_name, backend, patch).get_function(function_name)


def kernel(module_name: str, function_name: str, backend: Any) -> Any:
    """The kernel as CuPy calls it: kernel(grid, block, args, shared_mem=bytes).

    `backend` is the array module cupy. Above 48 KiB of dynamic shared memory set `max_dynamic_shared_size_bytes`.
    """
    return _kernel(module_name, function_name, backend, _altered.get(module_name))
