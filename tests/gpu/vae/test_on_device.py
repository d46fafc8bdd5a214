"""The kernels between two products against their twins, on the emulator, in both orders of a block's threads."""

from contextlib import nullcontext

import numpy as np
import pytest

from gpu.vae import on_device as module
from gpu.vae.adam import adam
from gpu.vae.elementwise import add_bias, bias_gradient, gather
from gpu.vae.loss import likelihood, reparameterise, reparameterise_gradient
from tests.gpu.batches import TOLERANCE as DOUBLE
from tests.gpu.batches import cupy, error, on_device, slip
from verify.errors import InputError

__all__ = ["cupy"]

# Of the norm: sums of the kernels are in double, those of the twins in float32.
TOLERANCE = {"float64": DOUBLE, "float32": 2e-6}
DTYPES = tuple(TOLERANCE)
# (E, B, d): single ones, ragged strips of 32 and tiles of 1024, several tiles and chunks of rows, nothing at all.
SIZES = [(1, 1, 1), (3, 5, 7), (2, 9, 33), (2, 70, 31), (1, 300, 40), (2, 600, 3), (0, 4, 3), (2, 0, 3), (2, 3, 0)]


def normal(rng, dtype, *shape):
    return rng.standard_normal(shape).astype(dtype)


def flat_view(rng, dtype, E, d):
    """(E, d) inside of a flat buffer, on the host."""
    return normal(rng, dtype, E, d + 5)[:, 2 : 2 + d]


def moved(cupy, *views):
    """The same arrays on the device with the same strides: views stay views."""
    found = []
    for a in views:
        whole = a if a.base is None else a.base
        base = cupy.ndarray(whole.copy())
        offset = (a.ctypes.data - whole.ctypes.data) // a.itemsize if a.size else 0
        flat = base.host.reshape(-1)[offset:]
        strided = np.lib.stride_tricks.as_strided(flat, a.shape, a.strides) if a.size else np.empty_like(a)
        found.append(cupy.ndarray(strided))
    return found


def agree(pairs, dtype):
    for found, expected in pairs:
        assert error(found, expected) <= TOLERANCE[dtype]


def same_as_host(cupy, function, arrays, dtype, *rest):
    """Call with the arrays here and there; every array that was written and what is returned must agree."""
    there = moved(cupy, *(a for a in arrays if a is not None))
    fill = iter(there)
    device = [None if a is None else next(fill) for a in arrays]
    found, expected = function(*device, *rest), function(*arrays, *rest)
    agree(((d, a) for d, a in zip(device, arrays, strict=True) if a is not None and a.dtype.kind == "f"), dtype)
    if expected is not None:
        assert found.dtype == expected.dtype
        agree([(found, expected)], dtype)
    return found


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_add_bias(cupy, dtype, relu):
    rng = np.random.default_rng(0)
    for E, B, d in SIZES:
        same_as_host(cupy, add_bias, (normal(rng, dtype, E, B, d), flat_view(rng, dtype, E, d)), dtype, relu)


def test_what_is_not_a_number_passes_a_relu(cupy):
    """A model that diverges is told by its loss, so nothing may turn a NaN into 0 on the way there."""
    for xp in (np, cupy):
        y, bias = np.array([[[np.nan, -np.inf, np.inf, -1.0]]]), np.zeros((1, 4))
        y, bias = (y, bias) if xp is np else on_device(cupy, y, bias)
        add_bias(y, bias, True)
        found = y if xp is np else y.get()
        assert np.isnan(found[0, 0, 0]) and found[0, 0, 1:].tolist() == [0, np.inf, 0]


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_bias_gradient(cupy, dtype, relu):
    rng = np.random.default_rng(1)
    for E, B, d in SIZES:
        y = np.maximum(normal(rng, dtype, E, B, d), 0) if relu else None
        same_as_host(cupy, bias_gradient, (normal(rng, dtype, E, B, d), y, flat_view(rng, dtype, E, d)), dtype)


def test_the_bias_gradient_of_half_the_heads(cupy):
    rng = np.random.default_rng(2)
    dy = normal(rng, "float64", 2, 9, 6)[..., :3]
    same_as_host(cupy, bias_gradient, (dy, None, flat_view(rng, "float64", 2, 3)), "float64")


@pytest.mark.parametrize("dtype", DTYPES)
def test_gather(cupy, dtype):
    rng = np.random.default_rng(3)
    for E, B, n in SIZES:
        X = normal(rng, dtype, 11, n)
        order = rng.integers(-3, 14, (E, B + 4)).astype(np.int32)[:, 1 : B + 1]  # some lie beyond the ends
        out = np.empty((E, B, n), dtype=dtype)
        assert same_as_host(cupy, gather, (X, order, out), dtype) is not None


def posterior(rng, dtype, E, B, k, constant):
    """mean and log variance as the encoder gives them: halves of its heads, or one variance for all data."""
    heads = normal(rng, dtype, E, B, 2 * k)
    if not constant:
        return heads[..., :k], heads[..., k:]
    return np.ascontiguousarray(heads[..., :k]), np.broadcast_to(flat_view(rng, dtype, E, k)[:, None, :], (E, B, k))


@pytest.mark.parametrize("noisy", [False, True])
@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_reparameterise(cupy, dtype, constant, noisy):
    rng = np.random.default_rng(4)
    for E, B, k in SIZES:
        mean, log_variance = posterior(rng, dtype, E, B, k, constant)
        noise = normal(rng, dtype, E, B, k) if noisy else None
        z, deviation = (np.empty((E, B, k), dtype=dtype) for _ in range(2))
        same_as_host(cupy, reparameterise, (mean, log_variance, noise, z, deviation), dtype)


@pytest.mark.parametrize("noisy", [False, True])
@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_reparameterise_gradient(cupy, dtype, constant, noisy):
    rng = np.random.default_rng(5)
    for E, B, k in SIZES:
        mean, _ = posterior(rng, dtype, E, B, k, constant)
        dz, deviation, noise = (normal(rng, dtype, E, B, k) for _ in range(3))
        dheads = np.zeros((E, B, 2 * k), dtype=dtype)
        arrays = (
            dz,
            mean,
            deviation,
            noise if noisy else None,
            rng.uniform(0.1, 1, E),
            dheads[..., :k],
            dheads[..., k:],
        )
        same_as_host(cupy, reparameterise_gradient, arrays, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_likelihood(cupy, dtype):
    rng = np.random.default_rng(5)
    for E, B, n in SIZES:
        arrays = normal(rng, dtype, E, B, n), normal(rng, dtype, E, B, n), rng.uniform(0.1, 2, E)
        same_as_host(cupy, likelihood, arrays, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_adam(cupy, dtype):
    """Several steps, with rates apart and one model that stands still."""
    rng = np.random.default_rng(6)
    for E, P in [(3, 5), (2, 1500), (1, 1), (0, 4), (2, 0)]:
        host = [normal(rng, dtype, E, P), normal(rng, dtype, E, P), *np.zeros((2, E, P), dtype=dtype)]
        host = [a.copy() for a in host]
        there = moved(cupy, *host)
        kept = host[0].copy()
        rates, alive = rng.uniform(1e-4, 1e-1, E), np.arange(E) != 1
        for step in (1, 2, 3):
            host[1][...] = normal(rng, dtype, E, P)
            there[1].host[...] = host[1]
            adam(*host, rates, step, alive)
            adam(*there, *on_device(cupy, rates), step, *on_device(cupy, alive))
        agree(zip(there, host, strict=True), dtype)
        assert np.array_equal(there[0].get()[1:2], kept[1:2]) and not there[2].get()[1:2].any()


def test_the_bits_are_the_same_every_time(cupy):
    rng = np.random.default_rng(7)
    y, x = normal(rng, "float32", 2, 70, 31), normal(rng, "float32", 2, 70, 31)
    weight, out = rng.uniform(0.1, 2, 2), np.empty((2, 31), dtype="float32")
    runs = []
    for _ in range(2):
        dy, dx, dweight, dout = on_device(cupy, y.copy(), x, weight, out)
        total = likelihood(dy, dx, dweight)
        bias_gradient(dy, None, dout)
        runs.append((total.get(), dout.get().copy()))
    assert all(np.array_equal(a, b) for a, b in zip(*runs, strict=True))


def test_a_step_launches_few_kernels(cupy):
    """One a call, a second one only where sums have several parts."""
    y, x = on_device(cupy, np.ones((2, 70, 31)), np.ones((2, 70, 31)))
    likelihood(y, x, *on_device(cupy, np.ones(2)))
    bias_gradient(y, None, *on_device(cupy, np.ones((2, 31))))
    assert [name for name, _, _ in cupy.launches] == ["likelihood", "add_up", "bias_gradient"]
    cupy.launches.clear()
    likelihood(*on_device(cupy, np.ones((2, 3, 4)), np.ones((2, 3, 4)), np.ones(2)))
    bias_gradient(*on_device(cupy, np.ones((2, 300, 4))), None, *on_device(cupy, np.ones((2, 4))))
    assert [name for name, _, _ in cupy.launches] == ["likelihood", "bias_gradient", "bias_gradient"]


@pytest.mark.parametrize("which", range(5))
def test_what_a_kernel_would_misread_is_refused(cupy, which):
    y, bias = np.ones((2, 3, 4)), np.ones((2, 4))
    wrong = [
        lambda: add_bias(*on_device(cupy, y, bias[:, :3]), False),
        lambda: add_bias(*on_device(cupy, y, bias.astype("float32")), False),
        lambda: add_bias(*on_device(cupy, y[:, ::2], bias), False),
        lambda: add_bias(*on_device(cupy, y, np.ones((4, 2)).T), False),
        lambda: add_bias(*on_device(cupy, y.astype("float16"), bias.astype("float16")), False),
    ]
    with pytest.raises(InputError):
        wrong[which]()
    assert not cupy.launches


def test_too_many_numbers_are_refused_before_an_index_overflows():
    with pytest.raises(InputError, match="smaller batch"):
        module._tiles(2**31)
    assert module._tiles(2**31 - 1) == 2**21


# Flipped signs and lost terms, and the tests that must notice. One text holds one slip for each test: to compile it
# takes seconds.
SLIPS = [
    [
        (("y[at] + bias[at % d]", "y[at] - bias[at % d]"), test_add_bias, (True,)),
        (("* d + column] > 0)", "* d + column] < 0)"), test_bias_gradient, (True,)),
        (("row < 0 ? 0 :", "row < 0 ? 1 :"), test_gather, ()),
        (("exp(v * (REAL)0.5)", "exp(v * (REAL)-0.5)"), test_reparameterise, (False, True)),
        (("slope + weight * mean", "slope - weight * mean"), test_reparameterise_gradient, (True, False)),
        (("y[at] - x[at]", "y[at] + x[at]"), test_likelihood, ()),
        (("b1 * m[before + at] + slope", "b1 * m[before + at] - slope"), test_adam, ()),
    ],
    [
        (("relu && value[u] < 0", "relu && value[u] > 0"), test_add_bias, (True,)),
        (("+= memory[other * 32 + lane]", "-= memory[other * 32 + lane]"), test_bias_gradient, (False,)),
        (("m + s * noise", "m - s * noise"), test_reparameterise, (False, True)),
        (("(s * s - 1)", "(s * s + 1)"), test_reparameterise_gradient, (False, False)),
        (("sum += parts[tile]", "sum -= parts[tile]"), test_likelihood, ()),
        (("+ slope * slope", "+ slope"), test_adam, ()),
    ],
    [
        (("- 1.0 - v)", "- 1.0 + v)"), test_reparameterise, (True, True)),
        (("slope * noise[", "-slope * noise["), test_reparameterise_gradient, (False, True)),
        (("(sqrt(square) + small)", "(sqrt(square) + 1e3 * small)"), test_adam, ()),
    ],
    [(("if (!alive[model]) return;", ""), test_adam, ())],
]


@pytest.mark.parametrize(
    ("text", "which"),
    [(t, i) for t, slips in enumerate(SLIPS) for i in range(len(slips))],
    ids=[f"{test.__name__[5:]}-{t}" for t, slips in enumerate(SLIPS) for _, test, _ in slips],
)
def test_a_slip_in_a_kernel_is_caught(cupy, monkeypatch, text, which):
    slip(monkeypatch, "vae_float64", dict(patch for patch, _, _ in SLIPS[text]))
    _, test, arguments = SLIPS[text][which]
    with pytest.raises(AssertionError):
        test(cupy, "float64", *arguments)


def test_a_missing_barrier_shows(cupy, monkeypatch, request):
    """Without it the first warp, where it runs first, adds up what the others have not written yet."""
    barrier = "memory[threadIdx.x] = sum;\n  __syncthreads();\n  if (warp"
    slip(monkeypatch, "vae_float64", {barrier: barrier.replace("__syncthreads();\n", "\n")})
    backward = request.node.callspec.params["cupy"]
    with nullcontext() if backward else pytest.raises(AssertionError):
        test_bias_gradient(cupy, "float64", False)
