"""Every kernel of gpu/kernels against its NumPy twin: the same call on arrays of either library.

Notation   xp the array module of a device; twins are called with NumPy's arrays.
Main       COMPARISONS, compare -> Outcome.

A comparison yields (label, found, expected) on sizes that leave blocks of threads ragged, on empty batches, ties and
zeros. Each has a control: with one sign of the kernel's text flipped, it must find a difference. The sign is one that
leads no kernel beyond its arrays, which would spoil the device for all that follows.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from gpu.eigenvalues import LARGEST, eigenvalues
from gpu.enumeration import Enumeration, enumerate_fixed, enumerate_learned
from gpu.gradients import gradients
from gpu.hessian import hessian, profile_hessian
from gpu.index_sets import evaluate
from gpu.kernels import Patch, altered
from gpu.landscape import plane
from gpu.matrix_free import HessianOperator
from gpu.saddles import Families, build, encode, examine
from gpu.vae import comparisons as vae
from verify.arrays import Array, to_numpy
from verify.eigenvalues import Eigenvalues
from verify.landscape.families import fixed_noise_families

# Of the norm of what is compared: the sums of a kernel and of its twin differ in order and in contraction to fma.
TOLERANCE = 1e-12

Cases = Iterator[tuple[str, Array, Array]]


class Comparison(NamedTuple):
    """run(xp, rng) yields (label, found, expected); `flip` is the control's (old, new), None without own kernels."""

    run: Callable[[Any, np.random.Generator], Cases]
    flip: Patch | None
    tolerance: float = TOLERANCE


class Outcome(NamedTuple):
    """How many cases there were, the worst error and where, and that of the control: None where there is none."""

    name: str
    cases: int
    worst: float
    where: str
    tolerance: float
    control: float | None

    @property
    def agrees(self) -> bool:
        """Whether the kernel is its twin; False where nothing was compared."""
        return self.cases > 0 and self.worst <= self.tolerance

    @property
    def caught(self) -> bool:
        """Whether the control was told from the twin."""
        return self.control is None or self.control > 1e3 * self.tolerance


def error(found: Array, expected: Array) -> float:
    """||found - expected|| / ||expected||, absolute where that is 0; infinite for another shape or what is not finite.

    Integers and truth values are equal (0) or not (infinite).
    """
    found, expected = to_numpy(found), to_numpy(expected)
    if found.shape != expected.shape:
        return np.inf
    if expected.dtype.kind in "biu":
        return 0.0 if np.array_equal(found, expected) else np.inf
    with np.errstate(invalid="ignore", over="ignore"):
        size = float(np.linalg.norm(expected.astype(float).ravel()))
        difference = float(np.linalg.norm((found.astype(float) - expected).ravel()))
    return difference / (size or 1.0) if np.isfinite(difference) and np.isfinite(size) else np.inf


def compare(name: str, xp: Any, seed: int = 0) -> Outcome:
    """One entry of COMPARISONS, and its control."""
    comparison = COMPARISONS[name]
    cases = _errors(comparison, xp, seed)
    worst, where = max(cases, default=(np.inf, "no case at all"))
    control = None
    if comparison.flip is not None:
        with altered(name, comparison.flip):
            control = max((e for e, _ in _errors(comparison, xp, seed)), default=0.0)
    return Outcome(name, len(cases), worst, where, comparison.tolerance, control)


def _errors(comparison: Comparison, xp: Any, seed: int) -> list[tuple[float, str]]:
    with np.errstate(over="ignore", invalid="ignore"):  # a control may come to anything
        cases = comparison.run(xp, np.random.default_rng(seed))
        return [(error(found, expected), label) for label, found, expected in cases]


# ---------------------------------------------------------------- problems

# (B, n, k, S shared): single entries, odd sizes, k > n, several blocks of threads, more than shared memory holds; none.
SIZES = [(1, 1, 1, True), (5, 5, 2, False), (2, 3, 5, True), (3, 19, 17, True), (2, 40, 3, False), (1, 130, 10, True)]
SIZES += [(2, 56, 3, False), (0, 4, 2, False)]


def random_batch(rng: np.random.Generator, count: int, n: int, k: int, *, shared: bool) -> tuple[Array, ...]:
    """W, V, D, sigma2, S with entries of order 1; S of rank n // 2, shared or one per problem."""
    A = rng.standard_normal((*(() if shared else (count,)), n, max(1, n // 2)))
    W = rng.standard_normal((count, n, k)) / np.sqrt(n)
    V, D = rng.standard_normal((count, k, n)), rng.uniform(0.3, 2, (count, k))
    return W, V, D, rng.uniform(0.4, 1.5, count), A @ A.swapaxes(-1, -2) / n


def spectrum(rng: np.random.Generator, n: int) -> Array:
    """A descending spectrum of order 1."""
    return np.sort(rng.exponential(size=n))[::-1].copy()


def _moved(xp: Any, arrays: Sequence[Array]) -> list[Array]:
    return [xp.asarray(a) for a in arrays]


def _named(sizes: tuple[Any, ...]) -> str:
    return "B = {}, n = {}, k = {}, {}".format(*sizes[:3], "one S" if sizes[3] else "S each")


# ---------------------------------------------------------------- the comparisons


def _gradients(xp: Any, rng: np.random.Generator) -> Cases:
    def both(label: str, problem: Sequence[Array]) -> Cases:
        for name, found, expected in zip("WVDs", gradients(*_moved(xp, problem)), gradients(*problem), strict=True):
            yield f"d{name}, {label}", found, expected

    for sizes in SIZES:
        count, n, k, shared = sizes
        yield from both(_named(sizes), random_batch(rng, count, n, k, shared=shared))
    W, V, D, sigma2, S = random_batch(rng, 3, 6, 2, shared=True)
    yield from both("W = 0 and S = 0", (0 * W, V, D, sigma2, 0 * S))


def _hessian(xp: Any, rng: np.random.Generator) -> Cases:
    problems = {}
    for sizes in SIZES:
        count, n, k, shared = sizes
        W, _, _, sigma2, S = random_batch(rng, count, n, k, shared=shared)
        problems[_named(sizes)] = W, sigma2, S
    W = np.zeros((2, 5, 2))
    W[0, 0, 0] = np.sqrt(3.0 - 0.5)
    # One of two equal eigenvalues is retained beside a zero column; at W = 0 the noise ties; S has null directions.
    problems["ties and zeros"] = W, np.array([0.5, 1.0]), np.diag([3.0, 3.0, 1.0, 0.0, 0.0])
    for of in (hessian, profile_hessian):
        for label, problem in problems.items():
            yield f"{of.__name__}, {label}", of(*_moved(xp, problem)), of(*problem)


def _eigenvalues(xp: Any, rng: np.random.Generator) -> Cases:
    def symmetric(*shape: int) -> Array:
        A = rng.standard_normal(shape)
        return A + A.swapaxes(-1, -2)

    matrices = {f"{b} of {m} x {m}": symmetric(b, m, m) for b, m in ((5, 1), (3, 2), (4, 3), (3, 16), (2, 33), (1, 96))}
    matrices |= {"none": symmetric(0, 5, 5), f"{LARGEST + 1}, by cuSOLVER": symmetric(1, LARGEST + 1, LARGEST + 1)}
    Q = np.linalg.qr(rng.standard_normal((9, 9)))[0]
    for label, values in {
        "ties": [2.0, 2.0, 2.0, 2.0, -1.0, -1.0, 5.0, 5.0, 5.0],
        "zeros": [0.0, 0.0, 0.0, 3.0, -2.0, 0.0, 0.0, 1.0, 0.0],
        "twelve decades": [1e-6, 1e-3, 1.0, 1e6, -1e6, 0.0, 1e-5, 10.0, 1e4],
    }.items():
        matrices[label] = (Q * np.array(values)) @ Q.T
    matrices |= {"identities": np.stack([np.eye(7), 0 * np.eye(7)]), "of 1e150": 1e150 * symmetric(9, 9)}
    for label, A in matrices.items():
        yield label, eigenvalues(xp.asarray(A)), eigenvalues(A)
    spoiled = symmetric(3, 4, 4)
    spoiled[1, 2, 1] = np.nan
    found = to_numpy(eigenvalues(xp.asarray(spoiled)))
    yield "not a number: where", np.isnan(found), np.broadcast_to(np.array([[False], [True], [False]]), (3, 4))
    yield "not a number: the others", found[[0, 2]], eigenvalues(spoiled[[0, 2]])


def _enumeration(xp: Any, rng: np.random.Generator) -> Cases:
    for label, lam, k in [
        ("n = 13", spectrum(rng, 13), 4),
        ("n = 1", np.array([2.0]), 1),
        ("n = k = 6", spectrum(rng, 6), 6),
        ("ties and zeros", np.array([0.5, 0.3, 0.3, 0.3, 0.1, 0.1, 0.0, 0.0]), 4),
        ("means on eigenvalues", np.array([1.4, 0.9999999999999999, 0.7, 0.7, 0.4, 0.1, 0.1, 0.0]), 4),
        ("measured", Eigenvalues.measured(np.array([3.0, 2.0, 1.5, 1.0, 0.5, 0.25]), np.full(6, 1e-3)), 3),
    ]:
        yield from _walks(label, enumerate_learned(lam, k, backend=xp), enumerate_learned(lam, k))
        largest = float(lam.values[0] if isinstance(lam, Eigenvalues) else lam[0])
        noises = [0.1, 0.3, largest / 2, 100.0]
        pairs = zip(noises, enumerate_fixed(lam, k, noises, backend=xp), enumerate_fixed(lam, k, noises), strict=True)
        for sigma2, found, expected in pairs:
            yield from _walks(f"{label}, sigma2 = {sigma2:.3g}", found, expected)
        masks = rng.integers(0, 1 << len(lam), size=99, dtype=np.uint64)
        for noise in (None, 0.3):
            on_device, here = (vars(evaluate(lam, k, masks, noise, backend)) for backend in (xp, np))
            for part, value in here.items():
                # What is no stationary point has no value: NaN on both sides.
                yield f"{part} of sets, {label}", np.nan_to_num(on_device[part]), np.nan_to_num(value)


def _walks(label: str, found: Enumeration, expected: Enumeration) -> Cases:
    for part in ("index_histogram", "value_histogram", "masks"):
        yield f"{part}, {label}", getattr(found, part), getattr(expected, part)
    yield f"values, {label}", found.evaluated.value, expected.evaluated.value
    counts = [np.array([walk.valid, walk.undecided, walk.unsure]) for walk in (found, expected)]
    yield f"what is open, {label}", counts[0], counts[1]


def _saddles(xp: Any, rng: np.random.Generator) -> Cases:
    for lam, k, sigma2 in [
        ((3.0, 2.0, 0.5), 1, 0.4),
        ((5.0, 3.0, 3.0, 0.7, 0.0), 3, 0.4),
        ((9.0, 4.0, 1.0, 0.25), 3, 0.2),  # evenly spaced roots: entries of the chain meet its mean exactly
        ((4.0, 2.5, 1.2, 1.0), 4, 0.1),
    ]:
        families = encode(fixed_noise_families(np.array(lam), k, sigma2))
        here, there = build(families, np.array(lam)), build(Families(*_moved(xp, families)), xp.asarray(lam))
        yield f"points, {lam}, k = {k}", there, here
        # At a point the gradient is rounding, and pairs may tie: what is compared is 1 + its norm, and no pair.
        noises = families.sigma2
        a = examine(*_moved(xp, (here, noises, np.array(lam))))
        b = examine(here, noises, np.array(lam))
        yield f"residual at points, {lam}, k = {k}", 1.0 + a.residual, 1.0 + b.residual
        yield f"curvature at points, {lam}, k = {k}", a.curvature, b.curvature
        yield f"rise at points, {lam}, k = {k}", a.rise, b.rise
    for count, n, k in [(70, 7, 5), (3, 5, 1), (2, 30, 21), (0, 4, 2)]:
        problem = rng.standard_normal((count, n, k)), rng.uniform(0.3, 1.5, count), spectrum(rng, n)
        for part, found, expected in zip(
            ("residual", "curvature", "pair", "rise"), examine(*_moved(xp, problem)), examine(*problem), strict=True
        ):
            yield f"{part}, B = {count}, n = {n}, k = {k}", found, expected


def _landscape(xp: Any, rng: np.random.Generator) -> Cases:
    for n, k, G, H in [(k + 2, k, 23, 29) for k in range(1, 9)] + [(10, 9, 3, 5), (4, 2, 0, 3), (4, 2, 3, 0)]:
        W, X, Y = rng.standard_normal((3, n, k))
        A = rng.standard_normal((n, n))
        grid = np.linspace(-1, 2, G), np.linspace(-1, 1, H)
        yield f"n = {n}, k = {k}, {G} x {H}", *_planes(xp, W, X, Y, *grid, 0.6, A @ A.T / n)
    W, X, Y = np.zeros((3, 4, 3))
    W[0, 0] = X[1, 1] = Y[3, 2] = 1.0
    S = np.diag([1.5, 0.5, 0.2, 0.0])
    yield "zero columns, zero eigenvalues", *_planes(xp, W, X, Y, np.linspace(-1, 1, 3), np.linspace(-1, 1, 3), 0.5, S)


def _planes(xp: Any, W: Array, X: Array, Y: Array, a: Array, b: Array, sigma2: float, S: Array) -> tuple[Array, Array]:
    of_W, of_X, of_Y, u, v, of_S = _moved(xp, (W, X, Y, a, b, S))
    return plane(of_W, of_X, of_Y, u, v, sigma2, of_S), plane(W, X, Y, a, b, sigma2, S)


def _matrix_free(xp: Any, rng: np.random.Generator) -> Cases:
    for n, k in [(1, 1), (8, 3), (4, 6)]:
        W, X, A = rng.standard_normal((n, k)), rng.standard_normal((3, n, k)), rng.standard_normal((n, n))
        lam, eigenvectors = spectrum(rng, n), np.eye(n, k) * rng.uniform(0.5, 2.0, k)
        for name, of, S in (("eigenvalues", W, lam), ("S", W, A @ A.T), ("eigenvectors", eigenvectors, lam)):
            for profile in (False, True):
                there = HessianOperator(xp.asarray(of), 0.5, xp.asarray(S), profile=profile)(xp.asarray(X))
                here = HessianOperator(of, 0.5, S, profile=profile)(X)
                yield f"{'P' if profile else 'L'}, n = {n}, k = {k}, {name}", there, here


COMPARISONS = {
    "gradients": Comparison(_gradients, ("0.5 * (1.0 / d - 1.0 - norm / s)", "0.5 * (1.0 / d - 1.0 + norm / s)")),
    "hessian": Comparison(_hessian, ("(u_ib * of_P[u] + p_ib * of_U[u])", "(u_ib * of_P[u] - p_ib * of_U[u])")),
    "eigenvalues": Comparison(_eigenvalues, ("*pp -= t * *pq;", "*pp += t * *pq;")),
    "enumeration": Comparison(_enumeration, ("__dmul_rn(p, log(m.noise))", "__dmul_rn(-p, log(m.noise))")),
    "saddles": Comparison(_saddles, ("entry = entry / s - W[e] / norms[a];", "entry = entry / s + W[e] / norms[a];")),
    "landscape": Comparison(
        _landscape, ("log_det + (total - explained) / sigma2", "log_det - (total - explained) / sigma2")
    ),
    "matrix_free": Comparison(_matrix_free, None),
    "vae_float32": Comparison(
        partial(vae.between_products, dtype="float32"), ("m + s * noise", "m - s * noise"), vae.KERNELS["float32"]
    ),
    "vae_float64": Comparison(
        partial(vae.between_products, dtype="float64"), ("m + s * noise", "m - s * noise"), vae.KERNELS["float64"]
    ),
    **{
        f"vae_products_{name}": Comparison(partial(vae.products, name=name), None, tolerance)
        for name, tolerance in vae.PRODUCTS.items()
    },
    "vae_steps": Comparison(vae.steps, None),
}
