"""The kernels between two products against their twins, on the emulator, in both orders of a block's threads."""

from contextlib import nullcontext

import numpy as np
import pytest

from gpu.vae import on_device as module
from gpu.vae.account import Ledger, Terms, Weights, account, weigh
from gpu.vae.adam import adam
from gpu.vae.elementwise import add_bias, bias_gradient, gather
from gpu.vae.loss import likelihood, reparameterise, reparameterise_gradient
from tests.emulator.device import aligned
from tests.gpu.batches import TOLERANCE as DOUBLE
from tests.gpu.batches import cupy, error, on_device, slip
from verify.errors import InputError

__all__ = ["cupy"]

# Of the norm: sums of the kernels are in double, those of the twins in float32.
TOLERANCE = {"float64": DOUBLE, "float32": 2e-6}
DTYPES = tuple(TOLERANCE)
# (E, B, d): single ones, ragged strips of 128 and tiles of 1024 and 2048, several of them and chunks of rows, widths
# of whole fours and others, nothing at all.
SIZES = [(1, 1, 1), (3, 5, 7), (2, 9, 33), (2, 70, 31), (1, 300, 40), (2, 600, 3), (2, 40, 132), (1, 3, 263)]
SIZES += [(0, 4, 3), (2, 0, 3), (2, 3, 0)]
OFFSETS = (2, 4)  # of views of a flat buffer: none on a whole four, or, where d is made of fours, all of them


def normal(rng, dtype, *shape):
    return rng.standard_normal(shape).astype(dtype)


def flat_view(rng, dtype, E, d, offset=2):
    """(E, d) inside of a flat buffer, on the host."""
    return normal(rng, dtype, E, d + 8)[:, offset : offset + d]


def moved(cupy, *views):
    """The same arrays on the device with the same strides: views stay views."""
    found = []
    for a in views:
        whole = a if a.base is None else a.base
        base = cupy.ndarray(aligned(whole))
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
        for offset in OFFSETS:
            arrays = normal(rng, dtype, E, B, d), flat_view(rng, dtype, E, d, offset)
            same_as_host(cupy, add_bias, arrays, dtype, relu)


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
        for offset in OFFSETS:
            arrays = normal(rng, dtype, E, B, d), y, flat_view(rng, dtype, E, d, offset)
            same_as_host(cupy, bias_gradient, arrays, dtype)


@pytest.mark.parametrize("k", [3, 4, 132])
def test_the_bias_gradient_of_half_the_heads(cupy, k):
    rng = np.random.default_rng(2)
    for half in (slice(0, k), slice(k, None), slice(1, k)):
        dy = normal(rng, "float64", 2, 9, 2 * k)[..., half]
        same_as_host(cupy, bias_gradient, (dy, None, flat_view(rng, "float64", *dy.shape[::2])), "float64")


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_bits_are_those_of_arrays_that_lie_otherwise(cupy, dtype):
    """Fours or single numbers at a time: neither sums nor entries may depend on it."""
    rng, seen = np.random.default_rng(8), []
    y, dy, bias = normal(rng, dtype, 2, 300, 132), normal(rng, dtype, 2, 300, 132), normal(rng, dtype, 2, 132)
    X, rows = normal(rng, dtype, 7, 132), rng.integers(0, 7, (2, 300)).astype(np.int32)
    for offset in (0, 1):

        def lying(a, offset=offset):
            memory = aligned(np.zeros(a.size + 4, dtype))
            memory[offset : offset + a.size] = a.ravel()
            return cupy.ndarray(memory[offset : offset + a.size].reshape(a.shape))

        of_y, of_dy, of_bias, of_X, of_rows = *map(lying, (y, dy, bias, X)), *on_device(cupy, rows)
        out, gathered = lying(np.zeros_like(bias)), lying(np.zeros_like(y))
        add_bias(of_y, of_bias, True)
        bias_gradient(of_dy, of_y, out)
        gather(of_X, of_rows, gathered)
        seen.append([a.get() for a in (of_y, of_dy, out, gathered)])
    assert all(np.array_equal(a, b) for a, b in zip(*seen, strict=True))


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


@pytest.mark.parametrize("done", [0.0, 2.5, 9.0])
@pytest.mark.parametrize("annealed", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_weigh(cupy, dtype, annealed, done):
    rng = np.random.default_rng(9)
    for E in (1, 5, 300, 0):
        beta, anneal = rng.uniform(0.5, 2, E), rng.integers(0, 5, E).astype(float) if annealed else None
        here, there = (Weights(*(move(np.empty(E)) for _ in range(3))) for move in (np.asarray, cupy.ndarray))
        log_sigma2 = flat_view(rng, dtype, E, 1)[:, 0]
        (device,) = moved(cupy, log_sigma2)
        raised = None if anneal is None else cupy.ndarray(anneal)
        assert weigh(device, cupy.ndarray(beta), raised, done, 7, there) is there
        assert weigh(log_sigma2, beta, anneal, done, 7, here) is here
        agree(zip(there, here, strict=True), "float64")


@pytest.mark.parametrize("spread", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_account(cupy, dtype, spread):
    """Two steps: one model's loss is no number in the first, another's is infinite in the second."""
    rng = np.random.default_rng(10)
    for E in (1, 5, 300, 0):
        learned = np.arange(E) % 2 == 0
        ledger = Ledger(np.zeros(E, dtype=np.int64), rng.uniform(1, 2, (E, 3)), np.zeros(E, dtype=bool))
        there = Ledger(*on_device(cupy, *(a.copy() for a in ledger)))
        for step in (1, 2):
            *sums, sigma2, more = rng.uniform(0.5, 2, (4, E))
            sums[0][1:2], sums[1][2:3] = np.nan, np.inf if step == 2 else 1.0
            more = more if spread else None
            slope = flat_view(rng, dtype, E, 1)[:, 0]
            (of_slope,) = moved(cupy, slope)
            terms = account(Terms(*sums), more, Weights(sigma2, sigma2, sigma2), learned, 9, 7, slope, ledger, step)
            arrays = on_device(cupy, *sums, sigma2, learned)
            of_more, weights = None if more is None else cupy.ndarray(more), Weights(*3 * [arrays[2]])
            found = account(Terms(*arrays[:2]), of_more, weights, arrays[3], 9, 7, of_slope, there, step)
            for a, b in [(of_slope, slope), *zip(found, terms, strict=True), (there.sums, ledger.sums)]:
                finite = np.isfinite(b)
                assert np.array_equal(np.isfinite(a.get()), finite)
                agree([(a.get()[finite], b[finite])], dtype)
            assert np.array_equal(there.frozen.get(), ledger.frozen) and np.array_equal(there.alive.get(), ledger.alive)
        assert (
            ledger.frozen[:4].tolist() == [0, 1, 2, 0][:E]
            and ledger.alive[:4].tolist() == [True, False, False, True][:E]
        )


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
        (("value += bias;", "value -= bias;"), test_add_bias, (True,)),
        (("gate[h].v[u] > 0", "gate[h].v[u] < 0"), test_bias_gradient, (True,)),
        (("row < 0 ? 0 :", "row < 0 ? 1 :"), test_gather, ()),
        (("exp(v * (REAL)0.5)", "exp(v * (REAL)-0.5)"), test_reparameterise, (False, True)),
        (("slope + weight * mean", "slope - weight * mean"), test_reparameterise_gradient, (True, False)),
        (("y[at] - x[at]", "y[at] + x[at]"), test_likelihood, ()),
        (("done / anneal[e]", "anneal[e] / done"), test_weigh, (True, 2.5)),
        (("0.5 * n - misfit", "0.5 * n + misfit"), test_account, (True,)),
        (("b1 * m[before + at] + slope", "b1 * m[before + at] - slope"), test_adam, ()),
    ],
    [
        (("relu && value < 0", "relu && value > 0"), test_add_bias, (True,)),
        (("+= memory[u * blockDim.x +", "-= memory[u * blockDim.x +"), test_bias_gradient, (False,)),
        (("m + s * noise", "m - s * noise"), test_reparameterise, (False, True)),
        (("(s * s - 1)", "(s * s + 1)"), test_reparameterise_gradient, (False, False)),
        (("(const Four*)(bias + at % d)", "(const Four*)bias"), test_add_bias, (False,)),
        (("* n + at % n);", "* n);"), test_gather, ()),
        (("1.0 / (noise * batch)", "1.0 / noise"), test_weigh, (False, 0.0)),
        (("loss - loss != 0.0", "loss != loss"), test_account, (False,)),
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
    barrier = "= sum[u];\n  __syncthreads();\n  if (threadIdx.x >= 32)"
    slip(monkeypatch, "vae_float64", {barrier: barrier.replace("__syncthreads();\n", "\n")})
    backward = request.node.callspec.params["cupy"]
    with nullcontext() if backward else pytest.raises(AssertionError):
        test_bias_gradient(cupy, "float64", False)
