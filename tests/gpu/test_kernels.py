"""The loader: kernels come from the package, are compiled once, and need no CuPy to be looked at."""

import subprocess
import sys

import pytest

from gpu.kernels import included, kernel, names, source
from tests.emulator import device
from verify.errors import InputError


def test_the_text_of_every_kernel_is_there():
    assert "enumeration" in names()
    assert all('extern "C" __global__ void' in source(name) for name in names())


def test_an_unknown_file_is_refused():
    with pytest.raises(InputError, match=r"'nothing': no such file in gpu/kernels; one of .*enumeration"):
        source("nothing")


def test_an_included_file_is_written_out_and_lines_keep_their_numbers():
    text = 'first\n#include "common.cuh"\nthird\n'
    lines = included(text, "some.cu").splitlines()
    assert lines[:2] == ["first", '#line 1 "common.cuh"']
    assert lines[-2:] == ['#line 3 "some.cu"', "third"]
    assert any("void cholesky(" in line for line in lines)
    assert "#include" not in source("hessian") and "void cholesky(" in source("hessian")


@pytest.mark.parametrize("text", ["first\n", '// #include "common.cuh"\n', "#include <cuda.h>\n"])
def test_what_includes_nothing_of_ours_stays_as_it_is(text):
    assert included(text, "some.cu") == text


def test_an_included_file_that_is_not_there_is_refused():
    with pytest.raises(InputError, match=r"some.cu: includes nothing.cuh, and there is no such file"):
        included('#include "nothing.cuh"\n', "some.cu")


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
