"""The emulator does what a device does, and refuses what a device would punish."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.emulator import KernelError, emulated, sanitized, wrong
from tests.emulator.build import Unavailable, patched

HERE = Path(__file__).parent
KINDS = [{}, {"ucontext": True}, {"threads": True}]


@pytest.fixture(params=KINDS, ids=["fibers", "ucontext", "threads"])
def features(request):
    """The kernels of features.cu, in each way of running threads."""
    return emulated(HERE / "features.cu", **request.param)


def test_a_grid_in_three_dimensions(features):
    y = np.full((3, 5, 7), -1, dtype=np.int32)
    features.launch("coordinates", (2, 3, 2), (4, 2, 2), (y, *map(np.int32, (7, 5, 3))))
    p, r, c = np.indices(y.shape)
    assert np.array_equal(y, r + 1000 * c + 1000000 * p)


@pytest.mark.parametrize("n", [0, 1, 31, 1000])
def test_a_sum_over_warps_and_blocks(features, n):
    x, y = np.arange(float(n)), np.zeros(1)
    features.launch("total", 3, 128, (x, y, np.int32(n)))
    assert y[0] == x.sum()  # whole numbers: exact in any order


def test_warp_operations(features):
    y = np.zeros((9, 32), dtype=np.int32)
    features.launch("warp", 1, 32, (y,))
    t = np.arange(32)
    expected = [
        np.full(32, 5),
        t // 8 * 8 + 3,
        np.where(t % 16 >= 2, t - 2, t),
        np.where(t % 8 < 5, t + 3, t),
        t,  # lane ^ 6 lies outside each segment of 4
        np.full(32, 11),
        np.full(32, 6),
        np.where(t < 8, t ^ 1, -1),
        np.full(32, 107),
    ]
    assert np.array_equal(y, expected)


def test_atomics(features):
    y, z = np.zeros(4, dtype=np.uint64), np.zeros(3, dtype=np.int32)
    features.launch("atomics", 3, 40, (y, z))
    assert y.tolist() == [120 * 121 // 2, 120, 7, 120 * 121 // 2]
    assert z.tolist() == [120 * 121 // 2, 120, -120]


def test_shared_memory_starts_poisoned_and_ends_with_the_block(features):
    x, y = np.arange(48.0), np.zeros(48)
    features.launch("turned", 1, 48, (x, y, np.int32(48)), shared=8 * 48)
    assert np.array_equal(x, np.arange(48.0)[::-1])
    assert np.isnan(y).all()


def test_intrinsics(features):
    y, z = np.zeros(6, dtype=np.uint64), np.zeros(8)
    features.launch("intrinsics", 1, 1, (y, z, np.float64(0.1), np.float64(0.3)))
    assert y.tolist() == [32, 9, 63, 1 << 63, 3, 1 << 63]
    assert z[0] != 0  # the product's rounding error, which contraction or its absence would change
    assert abs(z[0]) < np.spacing(0.03)
    assert z[1:4] == pytest.approx([0.5, 5.0, 5.1])
    assert z[4:] == pytest.approx([np.sin(0.1 * np.pi), np.cos(0.1 * np.pi), -1.0, 0.0], abs=1e-7)


def test_a_view_will_do_where_the_kernel_is_told_its_strides(features):
    whole = np.arange(60.0).reshape(2, 2, 15)
    x, y = whole[:, :, 4:9], np.zeros((4, 5))
    features.launch("rows", 1, 4, (x, np.int64(30), np.int64(15), y, np.int32(5)))
    assert np.array_equal(y, x.reshape(4, 5))
    with pytest.raises(ValueError, match="not C-contiguous"):  # its rows are not neighbours
        features.launch("rows", 1, 4, (whole[:, :, ::3], np.int64(30), np.int64(15), y, np.int32(5)))
    with pytest.raises(ValueError, match="not C-contiguous"):  # nobody tells the kernel those of y
        features.launch("rows", 1, 4, (x, np.int64(30), np.int64(15), np.zeros((4, 9))[:, :5], np.int32(5)))


def test_none_is_a_null_pointer(features):
    y = np.zeros((4, 5))
    features.launch("rows", 1, 4, (None, np.int64(0), np.int64(0), y, np.int32(5)))
    assert (y == -1).all()
    with pytest.raises(TypeError):  # a number cannot be left out
        features.launch("rows", 1, 4, (None, np.int64(0), np.int64(0), y, None))


def test_a_missing_barrier_shows_in_one_of_the_two_orders():
    module = emulated(HERE / "wrong.cu")
    for backward in (False, True):
        y, expected = wrong.launch(module, "with_barrier", backward=backward)
        assert np.array_equal(y, expected)
    assert not all(np.array_equal(*wrong.launch(module, "missing_barrier", backward=b)) for b in (False, True))


FAULTS = {
    "some_return": "divergent __syncthreads in line LINE: some threads of the block have returned",
    "two_barriers": "divergent __syncthreads in line LINE: other threads of the block wait in another line",
    "half_a_shuffle": "deadlock: every thread waits",
    "shuffle_from_outside": "a shuffle from a lane that takes no part",
}


@pytest.mark.parametrize(("kernel", "words"), FAULTS.items())
def test_what_would_hang_a_device_is_an_error(kernel, words):
    module = emulated(HERE / "wrong.cu")
    barriers = [i for i, text in enumerate((HERE / "wrong.cu").read_text().splitlines(), 1) if "__syncthreads" in text]
    words = words.replace("LINE", f"({'|'.join(map(str, barriers))})")
    with pytest.raises(KernelError, match=f"wrong.cu, kernel {kernel}: {words}"):
        wrong.launch(module, kernel)
    y, expected = wrong.launch(module, "with_barrier")  # and the module works on
    assert np.array_equal(y, expected)


@pytest.mark.parametrize("kernel", [k for k in FAULTS if k != "shuffle_from_outside"])
def test_with_os_threads_the_process_aborts_and_says_why(kernel):
    emulated(HERE / "wrong.cu", threads=True)  # skips where there is no compiler
    done = sanitized.run(None, HERE / "wrong.cu", f"tests.emulator.wrong:{kernel}")
    assert done.returncode == -6
    assert "cuda_on_cpu: d" in done.stderr  # divergent, or deadlock: which of them depends on who comes first


def bad_launches():
    x, y, n = np.zeros(48), np.zeros(48), np.int32(48)
    fixed = np.zeros(48)
    fixed.flags.writeable = False
    yield "an integer of Python", TypeError, "total", 1, 32, (x, y, 48)
    yield "a wider scalar", TypeError, "total", 1, 32, (x, y, np.int64(48))
    yield "another dtype", TypeError, "total", 1, 32, (x.astype(np.float32), y, n)
    yield "a list", TypeError, "total", 1, 32, ([0.0], y, n)
    yield "too few arguments", TypeError, "total", 1, 32, (x, y)
    yield "not contiguous", ValueError, "total", 1, 32, (np.zeros((48, 2))[:, 0], y, n)
    yield "read-only output", ValueError, "total", 1, 32, (x, fixed, n)
    yield "no such kernel", ValueError, "sum", 1, 32, (x, y, n)
    yield "an empty grid", ValueError, "total", 0, 32, (x, y, n)
    yield "beyond its launch bounds", ValueError, "total", 1, 256, (x, y, n)
    yield "a grid too high", ValueError, "total", (1, 65536), 32, (x, y, n)
    yield "too many dimensions", ValueError, "total", (1, 1, 1, 1), 32, (x, y, n)


@pytest.mark.parametrize(("error", "name", "grid", "block", "args"), [b[1:] for b in bad_launches()],
                         ids=[b[0] for b in bad_launches()])  # fmt: skip
def test_a_wrong_call_is_refused_before_anything_runs(error, name, grid, block, args):
    module = emulated(HERE / "features.cu")
    with pytest.raises(error):
        module.launch(name, grid, block, args)
    assert not module.launched


def test_a_read_only_array_will_do_for_a_pointer_to_const():
    module = emulated(HERE / "features.cu")
    x, y = np.ones(3), np.zeros(1)
    x.flags.writeable = False
    module.launch("total", 1, 32, (x, y, np.int32(3)))
    assert y[0] == 3
    assert module.signature("total") == ["&f8", "*f8", "i4"]


def test_a_patch_replaces_what_occurs_once():
    assert patched("a + b", {"+": "-"}) == "a - b"
    for text in ("a b", "a + b + c"):
        with pytest.raises(ValueError, match="not once"):
            patched(text, {"+": "-"})


def test_what_does_not_compile_says_where():
    with pytest.raises(ValueError, match=r"text\.cu:2:\d+: error"):
        emulated(text='extern "C" __global__ void f(int* y) {\n  y[0] = nothing; }')
    with pytest.raises(ValueError, match="no kernel"):
        emulated(text="void f() {}")


def test_without_a_compiler_the_tests_skip(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(pytest.skip.Exception, match="needs g"):
        emulated(HERE / "features.cu")
    with pytest.raises(Unavailable):
        sanitized.runtime("thread")
