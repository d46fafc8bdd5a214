"""The loader: kernels come from the package, are compiled once, and need no CuPy to be looked at."""

import subprocess
import sys

import pytest

from gpu.kernels import kernel, names, source
from tests.emulator import device
from verify.errors import InputError


def test_the_text_of_every_kernel_is_there():
    assert "enumeration" in names()
    assert all('extern "C" __global__ void' in source(name) for name in names())


def test_an_unknown_file_is_refused():
    with pytest.raises(InputError, match=r"'nothing': no such file in gpu/kernels; one of .*enumeration"):
        source("nothing")


def test_a_file_is_compiled_once_for_all_its_kernels(monkeypatch):
    cupy = device.install(monkeypatch)
    compiled = []
    module = cupy.RawModule
    monkeypatch.setattr(cupy, "RawModule", lambda **given: compiled.append(given) or module(**given))
    walk = kernel("enumeration", "walk", cupy)
    assert kernel("enumeration", "walk", cupy) is walk
    assert kernel("enumeration", "evaluate", cupy) is not walk
    assert [given["code"] for given in compiled] == [source("enumeration")]


def test_looking_at_kernels_imports_no_cupy():
    code = (
        "import sys, gpu.enumeration, gpu.kernels; gpu.kernels.source('enumeration'); assert 'cupy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
