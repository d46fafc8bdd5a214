"""The deep VAE's kernels, products and steps on a device beside the host's: what gpu/comparisons.py runs.

Notation   xp the array module of the device; a case is (label, found, expected).
Main       between_products, products, steps; their tolerances.
"""

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from gpu.products import multiply, precision
from gpu.vae.account import Ledger, Terms, Weights, account, weigh
from gpu.vae.adam import adam
from gpu.vae.architecture import Architecture, Layout
from gpu.vae.elementwise import add_bias, bias_gradient, gather
from gpu.vae.loss import likelihood, reparameterise, reparameterise_gradient
from gpu.vae.model import Ensemble
from gpu.vae.noise import LATENT, normals
from gpu.vae.philox import normals as twin_of_normals
from verify.arrays import Array, to_numpy, transpose

Cases = Iterator[tuple[str, Array, Array]]

# Of the norm. Float32: an entry is rounded by 6e-8, some dozen times on its way, and a sum of hundreds more often.
KERNELS = {"float32": 1e-5, "float64": 1e-12}
# Rounding of the factors: 2^-11 with TF32, 2^-8 with BF16, of entries that do not conspire.
PRODUCTS = {"float64": 1e-12, "float32": 1e-5, "tf32": 2e-3, "bf16": 1.5e-2}
# (E, B, d): single ones, ragged strips and tiles, several tiles and chunks of rows, none; numbers one by one and, where
# d is made of fours, four at a time.
SIZES = [(1, 1, 1), (3, 5, 7), (2, 300, 130), (2, 300, 132), (4, 128, 784), (0, 3, 2), (2, 0, 5)]
OFFSETS = (1, 4)  # of the biases in a flat buffer: not on a whole four, and on one


def between_products(xp: Any, rng: np.random.Generator, dtype: str) -> Cases:
    """Every kernel of kernels/vae.cuh."""
    for (E, B, d), offset in product(SIZES, OFFSETS):
        label = f"E = {E}, B = {B}, d = {d}, biases from {offset}"
        arrays = [rng.standard_normal((E, B, d)).astype(dtype) for _ in range(6)]
        arrays += [rng.standard_normal(shape).astype(dtype) for shape in ((E, d + 8), (E, B, 2 * d), (7, d))]
        arrays += [rng.uniform(0.1, 1.0, E), rng.integers(-2, 9, (E, B + 1)).astype(np.int32)]
        there, here = _pass(offset, *(xp.asarray(a) for a in arrays)), _pass(offset, *arrays)
        for name, expected in here.items():
            yield f"{name}, {label}", there[name], expected
        out = normals(range(E), LATENT, 5, xp.empty((E, B, d), dtype=dtype))
        yield f"normals, {label}", out, twin_of_normals(range(E), LATENT, 5, (B, d), dtype)
    yield from _accounts(xp, rng, dtype)
    yield from _adam(xp, rng, dtype)


def _pass(
    offset: int, y: Array, dy: Array, x: Array, noise: Array, z: Array, deviation: Array, flat: Array, heads: Array,
    X: Array, scale: Array, rows: Array,
) -> dict[str, Array]:  # fmt: skip
    """All kernels on layers' outputs, one after the other, and what each wrote."""
    k = X.shape[1]
    bias = flat[:, offset : offset + k]
    mean, log_variance = heads[..., :k], heads[..., k:]
    add_bias(y, bias, True)
    seen = {"add_bias": y.copy()}
    bias_gradient(dy, y, bias)
    gather(X, rows[:, 1:], x)
    kl = reparameterise(mean, log_variance, noise, z, deviation)
    seen |= {"gradient of a ReLU": dy, "bias_gradient": bias, "gather": x, "KL": kl, "z": z, "deviation": deviation}
    reparameterise_gradient(dy, z, deviation, noise, scale, mean, log_variance)
    return {**seen, "gradient of the heads": heads, "error": likelihood(y, x, scale), "likelihood": y}


def _accounts(xp: Any, rng: np.random.Generator, dtype: str) -> Cases:
    """Annealing on its way, and a model whose loss is no number."""
    for E in (1, 300):
        flat, sums = rng.standard_normal((E, 3)).astype(dtype), rng.uniform(0.5, 2.0, (E, 3))
        anneal, errors = np.arange(E) % 4.0, np.where(np.arange(E) == 1, np.nan, sums[:, 0])
        alive, frozen = np.arange(E) % 2 == 0, np.zeros(E, dtype=np.int64)
        arrays = (flat, np.ones(E), anneal, errors, sums, alive, frozen)
        there, here = _accounted(*(xp.asarray(a) for a in arrays)), _accounted(*(a.copy() for a in arrays))
        for name, expected in here.items():
            found = to_numpy(there[name])
            yield f"{name} where it is a number, E = {E}", np.isnan(found), np.isnan(expected)
            yield f"{name}, E = {E}", np.nan_to_num(found), np.nan_to_num(expected)


def _accounted(
    flat: Array, beta: Array, anneal: Array, errors: Array, sums: Array, alive: Array, frozen: Array
) -> dict[str, Array]:
    kl = beta + 1.0
    weights = weigh(flat[:, 1], beta, anneal, 1.5, 7, Weights(beta + 0.0, beta + 0.0, beta + 0.0))
    learned = frozen == 0
    terms = account(Terms(errors, kl), beta, weights, learned, 9, 7, flat[:, 1], Ledger(frozen, sums, alive), 5)
    return {**weights._asdict(), **{f"term {k}": a for k, a in terms._asdict().items()}, "slope": flat, "sums": sums,
            "alive": alive, "frozen": frozen}  # fmt: skip


def _adam(xp: Any, rng: np.random.Generator, dtype: str) -> Cases:
    for E, P in [(1, 1), (3, 5000)]:
        p, g, m, v = (s * rng.standard_normal((E, P)).astype(dtype) for s in (1, 1, 0, 0))
        there = [xp.asarray(a) for a in (p, g, m, v)]
        rates, alive = rng.uniform(1e-3, 1e-1, E), np.arange(E) != 1
        for step in (1, 2, 3):
            adam(there[0], there[1], there[2], there[3], xp.asarray(rates), step, xp.asarray(alive))
            adam(p, g, m, v, rates, step, alive)
        for name, found, expected in zip(("p", "g", "m", "v"), there, (p, g, m, v), strict=True):
            yield f"adam, {name}, E = {E}, P = {P}", found, expected


def products(xp: Any, rng: np.random.Generator, name: str) -> Cases:
    """Plain, transposed and shared factors, and views of a flat buffer, in the precision of this name."""
    dtype = "float64" if name == "float64" else "float32"
    for E, m, p, q in [(1, 1, 1, 1), (3, 5, 7, 2), (2, 128, 784, 200), (5, 33, 1, 65), (2, 1, 40, 3)]:
        a, b = (rng.standard_normal(shape).astype(dtype) for shape in ((E, m, p), (E, p, q)))
        flat, shared = rng.standard_normal((E, p * q + 9)).astype(dtype), rng.standard_normal((1, p, q)).astype(dtype)
        view, before = slice(4, 4 + p * q), rng.standard_normal((E, m, q)).astype(dtype)
        factors = {
            "plain": (xp.asarray(a), xp.asarray(b), a, b),
            "transposed": (
                transpose(xp.asarray(transpose(a).copy())),
                transpose(xp.asarray(transpose(b).copy())),
                a,
                b,
            ),
            "flat": (xp.asarray(a), xp.asarray(flat)[:, view].reshape(E, p, q), a, flat[:, view].reshape(E, p, q)),
            "shared": (xp.asarray(a), xp.asarray(shared), a, shared),
        }
        for label, (left, right, x, y) in factors.items():
            with precision("float32" if name == "float64" else name, xp):
                found = multiply(left, right)
                added = multiply(left, right, xp.asarray(before.copy()), add=True)
            expected = x.astype("float64") @ y
            yield f"{label}, E = {E}, {m} x {p} x {q}", found, expected
            yield f"{label}, added, E = {E}, {m} x {p} x {q}", added, before + expected


def steps(xp: Any, rng: np.random.Generator) -> Cases:
    """Gradient and terms of whole models, in float64."""
    architectures = {
        "mlp": (Architecture("mlp", 20, 4, (15, 9)), False),
        "conv": (Architecture("conv", 192, 3, (4, 5, 7)), False),
        "linear": (Architecture("linear", 20, 4), False),
        "linear, analytic": (Architecture("linear", 20, 4), True),
        "linear decoder, analytic": (Architecture("linear-decoder", 20, 4, (9,)), True),
    }
    for name, (architecture, analytic) in architectures.items():
        E, B = 3, 37
        flat = Layout(architecture).initial(range(E), [0.1, 1.0, 3.0], np.float64)
        flat += 0.1 * rng.standard_normal(flat.shape)
        x, noise = rng.standard_normal((E, B, architecture.n)), rng.standard_normal((E, B, architecture.k))
        learned, beta = np.array([True, False, True]), np.array([0.3, 1.0, 0.0])
        here = Ensemble(architecture, flat, learned, analytic=analytic)
        there = Ensemble(architecture, xp.asarray(flat), xp.asarray(learned), analytic=analytic)
        expected, found = here.backward(x, noise, beta), there.backward(*(xp.asarray(a) for a in (x, noise, beta)))
        yield f"gradient, {name}", there.gradient, here.gradient
        yield f"error, {name}", found.error, expected.error
        yield f"KL, {name}", found.kl, expected.kl
