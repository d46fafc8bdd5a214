"""Products on a device: what cuBLAS is told, on a stand-in that does what its documentation says with these numbers."""

import numpy as np
import pytest

from gpu import products
from gpu.products import PRECISIONS, multiply, precision
from gpu.vae import architecture
from gpu.vae.architecture import Architecture, Layout
from tests.gpu.batches import cupy, error, on_device
from verify.arrays import transpose
from verify.errors import InputError

__all__ = ["cupy"]

# The sums of cuBLAS and of NumPy differ in order.
TOLERANCE = {"float64": 1e-14, "float32": 1e-6}
# (E, m, p, q): single entries along each axis, ragged, several models.
SIZES = [(1, 1, 1, 1), (3, 4, 5, 6), (2, 1, 3, 4), (2, 3, 1, 4), (2, 3, 4, 1), (1, 7, 2, 3), (2, 1, 1, 5), (4, 5, 1, 1)]


def laid_out(xp, layout, E, rows, columns, dtype, rng):
    """A matrix a model, on the host and on the device; how it lies there is what `layout` says."""
    if layout == "plain":
        host = rng.standard_normal((E, rows, columns)).astype(dtype)
        return host, xp.ndarray(host.copy())
    if layout == "transposed":
        host = rng.standard_normal((E, columns, rows)).astype(dtype)
        return transpose(host), transpose(xp.ndarray(host.copy()))
    if layout == "flat":  # models lie apart in a flat buffer
        host = rng.standard_normal((E, rows * columns + 7)).astype(dtype)
        views = (a[:, 3 : 3 + rows * columns].reshape(E, rows, columns) for a in (host, xp.ndarray(host.copy())))
        return tuple(views)
    if layout == "flat, transposed":
        host, device = laid_out(xp, "flat", E, columns, rows, dtype, rng)
        return transpose(host), transpose(device)
    if layout == "half":  # every row is the first half of a longer one
        host = rng.standard_normal((E, rows, 2 * columns)).astype(dtype)
        return host[..., :columns], xp.ndarray(host.copy())[..., :columns]
    if layout == "shared":  # one for all models
        host = rng.standard_normal((rows, columns)).astype(dtype)
        shape = (E, rows, columns)
        return np.broadcast_to(host, shape), xp.broadcast_to(xp.ndarray(host.copy()), shape)
    if layout == "one":
        host = rng.standard_normal((1, rows, columns)).astype(dtype)
        return host, xp.ndarray(host.copy())
    host = rng.standard_normal((E, 2 * rows, 2 * columns)).astype(dtype)  # scattered: has to be copied
    return host[:, ::2, ::2], xp.ndarray(host.copy())[:, ::2, ::2]


LAYOUTS = ("plain", "transposed", "flat", "flat, transposed", "half", "shared", "one", "scattered")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("of_b", LAYOUTS)
@pytest.mark.parametrize("of_a", LAYOUTS)
def test_a_product_is_numpys_however_its_factors_lie(cupy, of_a, of_b, dtype):
    rng = np.random.default_rng(0)
    for E, m, p, q in SIZES:
        a, device_a = laid_out(cupy, of_a, E, m, p, dtype, rng)
        b, device_b = laid_out(cupy, of_b, E, p, q, dtype, rng)
        expected = np.matmul(a, b)
        found = multiply(device_a, device_b)
        assert error(found, expected) <= TOLERANCE[dtype]
        whole = np.full((len(expected), m * q + 5), 7.0, dtype=dtype)
        out = cupy.ndarray(whole)[:, 2 : 2 + m * q].reshape(expected.shape)  # a view of a flat buffer
        assert multiply(device_a, device_b, out=out) is out
        assert error(out, expected) <= TOLERANCE[dtype]
        assert multiply(device_a, device_b, out=out, add=True) is out
        assert error(out, 2 * expected) <= TOLERANCE[dtype]
        assert (whole[:, :2] == 7).all() and (whole[:, 2 + m * q :] == 7).all()
        there = expected.copy()
        assert multiply(a, b, out=there, add=True) is there
        assert error(there, 2 * expected) <= TOLERANCE[dtype]
    assert len(cupy.cuda.cublas.calls) == 3 * len(SIZES)


def test_no_factor_is_copied_unless_it_lies_scattered(cupy, monkeypatch):
    copies = []
    plain = cupy.ascontiguousarray
    monkeypatch.setattr(cupy, "ascontiguousarray", lambda a: copies.append(a) or plain(a))
    rng = np.random.default_rng(0)
    for layout in LAYOUTS:
        for E, m, p, q in SIZES:
            multiply(*(laid_out(cupy, layout, E, *shape, "float64", rng)[1] for shape in ((m, p), (p, q))))
        assert bool(copies) == (layout == "scattered"), layout


@pytest.mark.parametrize(("E", "m", "p", "q"), [(0, 2, 3, 4), (2, 0, 3, 4), (2, 3, 4, 0), (2, 3, 0, 4)])
def test_an_empty_product_is_zero_and_calls_nothing(cupy, E, m, p, q):
    a, b = on_device(cupy, np.ones((E, m, p)), np.ones((E, p, q)))
    out = cupy.ndarray(np.full((E, m, q), np.nan))
    assert multiply(a, b, out=out).get().tolist() == np.zeros((E, m, q)).tolist()
    out += 3.0
    assert multiply(a, b, out=out, add=True).get().tolist() == np.full((E, m, q), 3.0).tolist()
    assert not cupy.cuda.cublas.calls


SWAPPED = {
    "leading dimension": lambda found: (found[0], max(1, found[1] - 1), found[2]),
    "transposition": lambda found: (1 - found[0], *found[1:]),
    "stride of models": lambda found: (*found[:2], found[2] + 1),
}


@pytest.mark.parametrize("slip", SWAPPED)
def test_a_slip_in_what_cublas_is_told_is_caught(cupy, monkeypatch, slip):
    """The control: refused by the stand-in, beyond the end of an array, or another product."""
    true = products._as_columns
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 4, 5)), rng.standard_normal((2, 5, 3))
    device_a, device_b = on_device(cupy, a, b)
    out = cupy.ndarray(np.empty((2, 4, 3)))
    monkeypatch.setattr(products, "_as_columns", lambda x: true(x) if x is out else SWAPPED[slip](true(x)))
    try:
        multiply(device_a, device_b, out=out)
    except (ValueError, IndexError):
        return
    assert error(out, a @ b) > 1e-3


@pytest.mark.parametrize(("m", "p", "q", "message"), [(5, 3, 4, "leading dimension"), (9, 2, 2, "beyond the end")])
def test_a_swapped_leading_dimension_is_refused(cupy, monkeypatch, m, p, q, message):
    """The control of the stand-in itself: rows taken for columns."""
    device_a, device_b = on_device(cupy, np.ones((2, m, p)), np.ones((2, p, q)))
    out = cupy.ndarray(np.empty((2, m, q)))
    true = products._as_columns
    monkeypatch.setattr(
        products, "_as_columns", lambda x: true(x) if x is out else (0, x.shape[1], x.shape[1] * x.shape[2])
    )
    with pytest.raises((ValueError, IndexError), match=message):
        multiply(device_a, device_b, out=out)


@pytest.mark.parametrize(
    ("name", "compute", "least", "most"),
    [("float32", 68, 0, 1e-6), ("tf32", 77, 1e-5, 2**-10), ("bf16", 75, 1e-4, 2**-7)],
)
def test_the_precision_is_that_of_the_call(cupy, name, compute, least, most):
    a, b = np.random.default_rng(0).standard_normal((2, 3, 40, 40))
    of_float32, of_float64 = on_device(cupy, *(x.astype("float32") for x in (a, b))), on_device(cupy, a, b)
    with precision(name, cupy):
        assert least <= error(multiply(*of_float32), a @ b) <= most
        assert error(multiply(*of_float64), a @ b) <= 1e-14
    multiply(*of_float32)
    assert cupy.cuda.cublas.calls == [compute, 70, 68]


def test_an_unknown_precision_is_refused(cupy):
    with pytest.raises(InputError, match=f"'half': none of {', '.join(PRECISIONS)}"), precision("half", cupy):
        pass


def test_the_host_has_only_its_own_precision():
    with precision("float32"):
        assert multiply(np.ones((1, 2, 2)), np.ones((1, 2, 2)))[0, 0, 0] == 2
    for name in ("tf32", "bf16"):
        with pytest.raises(InputError, match=f"precision {name} needs a device"), precision(name):
            pass


@pytest.mark.parametrize(
    ("a", "b", "out"),
    [
        (np.ones((2, 3, 4)), np.ones((2, 5, 6)), None),
        (np.ones((2, 3, 4)), np.ones((3, 4, 6)), None),
        (np.ones((2, 3, 4)), np.ones((2, 4, 6), dtype="float32"), None),
        (np.ones((2, 3, 4)), np.ones((2, 4, 6)), np.ones((2, 6, 3))),
        (np.ones((2, 3, 4)), np.ones((2, 4, 6)), transpose(np.ones((2, 6, 3)))),
        (np.ones((2, 3, 4), dtype=int), np.ones((2, 4, 6), dtype=int), None),
    ],
)
def test_what_does_not_belong_together_is_refused(cupy, a, b, out):
    with pytest.raises(InputError):
        multiply(*on_device(cupy, a, b), out=None if out is None else cupy.ndarray(out))
    assert not cupy.cuda.cublas.calls


def test_a_product_is_not_added_to_nothing(cupy):
    for a in (np.ones((1, 2, 2)), *on_device(cupy, np.ones((1, 2, 2)))):
        with pytest.raises(InputError, match="give out"):
            multiply(a, a, add=True)


@pytest.mark.parametrize("slip", [(0.0, 0.0), (1.0, 1.0), (1.0, -1.0)])
def test_a_slip_in_the_scalars_is_caught(cupy, monkeypatch, slip):
    """The control of writing and adding: factors of the product and of what was there that are others."""
    a, b = np.random.default_rng(0).standard_normal((2, 2, 4, 4))
    wrong = np.array(slip)
    monkeypatch.setattr(products, "_scalars", lambda _: (wrong.ctypes.data, wrong.ctypes.data + 8))
    device_a, device_b = on_device(cupy, a, b)
    out = cupy.ndarray(np.ones((2, 4, 4)))
    multiply(device_a, device_b, out=out)
    written = error(out, a @ b)
    multiply(device_a, device_b, out=out, add=True)
    assert max(written, error(out, 2 * (a @ b))) > 1e-3


@pytest.mark.parametrize("aligned", [32, 1])
def test_weights_begin_where_tensor_cores_want_them(monkeypatch, aligned):
    """At multiples of 16 bytes, in the flat buffers of all models; packed without gaps (the control) they do not."""
    monkeypatch.setattr(architecture, "ALIGNED", aligned)
    layout = Layout(Architecture("mlp", 784, 5, (13, 7)))
    views = layout.views(np.zeros((2, layout.size), dtype="float32"))
    weights = [view for name, view in views.items() if name.endswith("weight")]
    starts = [view[e].ctypes.data - weights[0][0].ctypes.data for view in weights for e in range(2)]
    assert all(start % 16 == 0 for start in starts) == (aligned == 32)
    taken = [i for at in layout.slices.values() for i in range(at.start, at.stop)]
    assert len(taken) == len(set(taken)) and layout.size - len(taken) < (len(weights) + 1) * aligned
