"""NVRTC compiles every kernel for three generations of devices, without one at hand; registers and spills are recorded.

Needs the extra `kernels` (CuPy with NVRTC and the headers); skips visibly without it.
"""

import io
import re
import warnings

import pytest

from gpu.kernels import OPTIONS, names, source
from tests.emulator.build import KERNEL

# Bytes for a thread: two registers or four kept aside cost nothing; a local array in their place would be hundreds.
SPILLS = 64
ARCHITECTURES = ("sm_80", "sm_90", "sm_100")


@pytest.fixture(scope="module")
def compile_for():
    """compile_for(text, architecture) -> what ptxas says; CompileException where it does not compile."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # CuPy warns where it finds no CUDA
        pytest.importorskip("cupy", reason="NVRTC: install elbo-verify[kernels]")
        from cupy._core import core
        from cupy.cuda import compiler
        from cupy_backends.cuda.libs import nvrtc
    try:
        nvrtc.getVersion()
    except Exception as error:
        pytest.skip(f"NVRTC cannot be loaded ({error}); install elbo-verify[kernels]")

    def compile_text(text, architecture):
        # RawModule.compile would ask the driver which device there is; this is what it calls next.
        options = (*OPTIONS, f"-arch={architecture}", "--ptxas-options=-v")
        log = io.StringIO()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            options = (*core.assemble_cupy_compiler_options(options), "--device-as-default-execution-space")
            compiler._NVRTCProgram(text, "kernel.cu", method="cubin").compile(options, log)
        return log.getvalue()

    return compile_text


def usage(log):
    """{kernel: (registers, bytes of spill stores, bytes of spill loads)} as ptxas reports them."""
    found = re.findall(
        r"entry function '(\w+)'.*?(\d+) bytes spill stores, (\d+) bytes spill loads.*?Used (\d+) registers", log, re.S
    )
    return {name: (int(registers), int(stores), int(loads)) for name, stores, loads, registers in found}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("name", names())
def test_the_kernel_compiles_and_spills_next_to_nothing(compile_for, name, architecture, record_property):
    text = source(name)
    found = usage(compile_for(text, architecture))
    assert set(found) == {k[3] for k in KERNEL.findall(text)}
    for kernel, (registers, stores, loads) in found.items():
        record_property(f"{name}.{kernel} {architecture}", f"{registers} registers, {stores} + {loads} bytes of spill")
        print(f"{architecture} {name}.{kernel}: {registers} registers, spills {stores} + {loads} bytes")
        assert 0 < registers <= 255
        assert stores + loads <= SPILLS


def test_a_wrong_text_does_not_compile(compile_for):
    """The control."""
    with pytest.raises(Exception, match="undefined"):
        compile_for('extern "C" __global__ void f(double* x) { x[0] = nothing; }', "sm_90")
