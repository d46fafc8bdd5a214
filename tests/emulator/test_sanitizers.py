"""The sanitizers flag the kernels that are wrong on purpose, and nothing in those of gpu/kernels."""

from importlib import import_module
from pathlib import Path

import pytest

from tests.emulator import KERNELS, emulated, sanitized
from tests.emulator.build import Unavailable

WRONG = Path(__file__).with_name("wrong.cu")
FILES = sorted(KERNELS.glob("*.cu"))


def findings(sanitizer, path, exercise):
    """What the sanitizer says; a visible skip where the compiler lacks its runtime."""
    try:
        return sanitized.report(sanitizer, path, exercise)
    except Unavailable as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize(
    ("sanitizer", "kernel", "words"),
    [
        ("thread", "missing_barrier", "data race"),
        ("thread", "with_barrier", ""),
        ("address", "out_of_bounds", "heap-buffer-overflow"),
        ("address", "out_of_shared", "heap-buffer-overflow"),
        ("address", "within_bounds", ""),
    ],
)
def test_a_planted_fault_is_flagged_and_its_repair_is_not(sanitizer, kernel, words):
    found = findings(sanitizer, WRONG, f"tests.emulator.wrong:{kernel}")
    if words:
        assert words in found
        assert "wrong.cu" in found  # the line of the kernel is named
    else:
        assert found == ""


@pytest.mark.parametrize("sanitizer", ["thread", "address"])
@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_the_kernels_are_clean(sanitizer, path):
    assert findings(sanitizer, path, f"tests.gpu.kernels.{path.stem}:exercise") == ""


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_the_exercise_leaves_no_kernel_out(path):
    module = emulated(path)
    import_module(f"tests.gpu.kernels.{path.stem}").exercise(module)
    assert module.launched == set(module.names)
