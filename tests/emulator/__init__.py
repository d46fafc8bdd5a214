"""The .cu files of gpu/kernels run on the CPU; see build.py for how to launch one."""

from pathlib import Path

import pytest

from tests.emulator.build import KernelError, Module, Unavailable
from tests.emulator.build import emulated as build

KERNELS = Path(__file__).parents[2] / "gpu" / "kernels"

__all__ = ["KERNELS", "KernelError", "Module", "emulated"]


def emulated(path: str | Path | None = None, **options: object) -> Module:
    """As build.emulated, for tests: skips where there is no compiler.  A bare name lies in gpu/kernels."""
    if isinstance(path, str) and "/" not in path:
        path = KERNELS / path
    try:
        return build(path, **options)
    except Unavailable as reason:
        pytest.skip(str(reason))
