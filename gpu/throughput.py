"""How fast the kernels are on a device, each beside the least time that its bytes or its operations take there.

Notation   xp the array module of the device; clock(work) the seconds of one call of work().
Main       Events (a clock), machine -> Machine, WORKLOADS, throughput -> Figure or Missed of each.

The floor of a figure is the larger of its bytes over the measured bandwidth of a copy and of its float64 operations
over the measured rate of a matrix product, both of this device in this run. Bytes: every input read and every result
written once. Operations: those of the algorithm that the kernel follows, an addition or multiplication each. A matrix
product may use units that a kernel has no use for, so that twice the floor can be the best that there is.
"""

import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from math import comb
from statistics import median
from typing import Any

import numpy as np

from gpu.comparisons import random_batch, spectrum
from gpu.device import memory_budget
from gpu.eigenvalues import eigenvalues
from gpu.ends import ends
from gpu.enumeration import candidates, enumerate_learned
from gpu.gradients import gradients
from gpu.hessian import hessian, profile_hessian
from gpu.landscape import plane
from gpu.matrix_free import HessianOperator
from gpu.products import PRECISIONS, precision
from gpu.saddles import Families, build, examine
from gpu.vae.adam import adam
from gpu.vae.architecture import HIDDEN, Architecture, Layout
from gpu.vae.model import Ensemble
from gpu.vae.noise import LATENT, normals
from verify.arrays import Array, to_numpy
from verify.errors import first_line

Clock = Callable[[Callable[[], object]], float]

REPEATS = 5
# Seconds from which on a call is timed once: five of a slow library would cost minutes.
SLOW = 2.0
# How far the eigenvalues of the library may lie from ours, as a share of the norm, before they are timed.
PEERS_AGREE = 1e-10
DOUBLE = 8


class Events:
    """The clock of a device: the time between two events in its stream."""

    def __init__(self, xp: Any):
        self.cuda = xp.cuda

    def __call__(self, work: Callable[[], object]) -> float:
        """The seconds of one call."""
        start, end = self.cuda.Event(), self.cuda.Event()
        start.record()
        work()
        end.record()
        end.synchronize()
        return float(self.cuda.get_elapsed_time(start, end)) / 1000.0


def seconds(work: Callable[[], object], clock: Clock, repeats: int = REPEATS) -> float:
    """The median over `repeats` calls, after one that compiles and warms up; one call where that one was slow."""
    first = clock(work)
    return median(clock(work) for _ in range(repeats if first < SLOW else 1))


@dataclass(frozen=True)
class Machine:
    """Bytes per second of a copy, read and written, and float64 operations per second of a matrix product."""

    bandwidth: float
    rate: float


@dataclass(frozen=True)
class Job:
    """One call to time: `work()` handles `count` of `unit`, and touches so many bytes with so many operations."""

    name: str
    size: str
    unit: str
    count: int
    bytes: float
    operations: float
    work: Callable[[], object]
    # The library's own way to the same answer, if it has one; compared with ours before it is timed.
    library: Callable[[], object] | None = None


@dataclass(frozen=True)
class Figure:
    """What was measured: `of_floor` is seconds over the floor; `library_seconds` the library's own way, if any."""

    name: str
    size: str
    unit: str
    count: int
    seconds: float
    per_second: float
    floor_seconds: float
    floor: str
    of_floor: float
    library_seconds: float | None
    library_agrees: bool | None


@dataclass(frozen=True)
class Missed:
    """A workload, or one call of it, that did not come to its figure, and why; `memory`: it had too little."""

    name: str
    size: str | None
    reason: str
    memory: bool


def random_tiles(shape: tuple[int, ...], dtype: str = "float64") -> Array:
    """Standard normal numbers on the host, the same ones over and over."""
    few = np.random.default_rng(0).standard_normal(65_537)  # a prime: no two rows alike
    return np.resize(few, shape).astype(dtype)


def machine(xp: Any, clock: Clock, scale: float = 1.0) -> Machine:
    """Measure both rates on this device.  scale < 1 takes smaller arrays."""
    length = max(1024, int(scale * min(1 << 27, memory_budget(xp) // 32)))
    here, there = xp.ones(length), xp.empty(length)

    def copy() -> None:
        there[...] = here

    size = max(32, int(8192 * scale ** (1 / 3)))
    A = xp.asarray(random_tiles((size, size)))  # products of ones take less power, and a device runs them faster
    return Machine(2.0 * DOUBLE * length / seconds(copy, clock), 2.0 * size**3 / seconds(lambda: A @ A, clock))


def throughput(
    xp: Any, clock: Clock, *, scale: float = 1.0, seed: int = 0
) -> tuple[Machine, Iterator[Figure | Missed]]:
    """The rates of the device, and a figure of each workload, one after the other as it is measured.

    What breaks, for want of memory or otherwise, is missed, and the others are measured all the same.
    """
    rates = machine(xp, clock, scale)
    return rates, _figures(xp, rates, clock, np.random.default_rng(seed), scale)


def _figures(
    xp: Any, rates: Machine, clock: Clock, rng: np.random.Generator, scale: float
) -> Iterator[Figure | Missed]:
    for name, workload in WORKLOADS.items():
        jobs = workload(xp, rng, scale)
        while (found := _next(name, jobs, rates, clock)) is not None:
            yield found
        del jobs
        if xp is not np:
            xp.get_default_memory_pool().free_all_blocks()


def _next(name: str, jobs: Iterator[Job], rates: Machine, clock: Clock) -> Figure | Missed | None:
    """The figure of the next job, if there is one; a generator that broke has none any more."""
    size = None
    try:
        job = next(jobs, None)
        if job is None:
            return None
        name, size = job.name, job.size
        return _figure(job, rates, clock)
    except Exception as error:
        traceback.print_exc()  # where it broke; the document keeps one line
        return Missed(name, size, first_line(error), isinstance(error, MemoryError))


def _figure(job: Job, rates: Machine, clock: Clock) -> Figure:
    taken = seconds(job.work, clock)
    by_bytes, by_operations = job.bytes / rates.bandwidth, job.operations / rates.rate
    floor = max(by_bytes, by_operations)
    agrees, theirs = (None, None) if job.library is None else _library(job.work, job.library, clock)
    bound = "bytes" if by_bytes >= by_operations else "operations"
    shown = (job.name, job.size, job.unit, job.count, taken, job.count / taken, floor, bound, taken / floor)
    return Figure(*shown, theirs, agrees)


def _library(
    work: Callable[[], object], library: Callable[[], object], clock: Clock
) -> tuple[bool | None, float | None]:
    """Whether the library agrees with us, and its seconds if so; None where it cannot do the task at all."""
    try:
        ours, expected = to_numpy(work()), to_numpy(library())
        agrees = bool(np.linalg.norm(ours - expected) <= PEERS_AGREE * np.linalg.norm(expected))
        return agrees, seconds(library, clock) if agrees else None
    except Exception:  # of memory, of sizes: whatever it is, our own figure stands
        return None, None


def _many(xp: Any, usual: int, bytes_each: float, scale: float) -> int:
    """How many problems: the usual number, scaled, as far as memory allows."""
    return max(1, min(int(usual * scale), int(memory_budget(xp) // (3 * bytes_each))))


def _problems(xp: Any, rng: np.random.Generator, count: int, n: int, k: int) -> list[Array]:
    """W, V, D, sigma2, S on the device: a few random ones, over and over, as making millions takes long on a host."""
    few = random_batch(rng, min(count, 64), n, k, shared=False)
    which = xp.asarray(np.arange(count) % len(few[0]))
    return [xp.asarray(part)[which] for part in few]


# ---------------------------------------------------------------- workloads


def _gradients(xp: Any, rng: np.random.Generator, scale: float) -> Iterator[Job]:
    for n, k, usual in [(24, 4, 200_000), (64, 10, 20_000)]:
        each = DOUBLE * (n * n + 4 * n * k + 2 * k + 2)
        count = _many(xp, usual, each, scale)
        arrays = _problems(xp, rng, count, n, k)
        operations = count * (4.0 * n * n * k + 8.0 * n * k * k)
        work = partial(gradients, *arrays)
        yield Job("gradients", f"n = {n}, k = {k}", "problems", count, count * each, operations, work)


def _hessians(xp: Any, rng: np.random.Generator, scale: float) -> Iterator[Job]:
    for of in (hessian, profile_hessian):
        for n, k, usual in [(16, 4, 30_000), (32, 8, 2_000)]:
            each = DOUBLE * ((n * k) ** 2 + n * n + n * k)
            count = _many(xp, usual, each, scale)
            W, _, _, sigma2, S = _problems(xp, rng, count, n, k)
            operations = count * (8.0 * (n * k) ** 2 + 2.0 * n * n * k)
            work = partial(of, W, sigma2, S)
            yield Job(of.__name__, f"n = {n}, k = {k}", "Hessians", count, count * each, operations, work)


def _spectra(xp: Any, rng: np.random.Generator, scale: float) -> Iterator[Job]:
    for m, usual in [(32, 50_000), (64, 10_000), (96, 4_000)]:
        count = _many(xp, usual, DOUBLE * m * m, scale)
        few = rng.standard_normal((min(count, 64), m, m))
        A = xp.asarray(few + few.swapaxes(-1, -2))[xp.asarray(np.arange(count) % len(few))]
        # 4/3 m^3 is what it takes to make a matrix tridiagonal; Jacobi's rotations take some times that.
        touched, operations = float(DOUBLE * count * (m * m + m)), count * 4 / 3 * m**3
        ours, theirs = partial(eigenvalues, A), partial(xp.linalg.eigvalsh, A)
        yield Job("eigenvalues", f"{m} x {m}", "matrices", count, touched, operations, ours, theirs)


def _sets(xp: Any, rng: np.random.Generator, scale: float) -> Iterator[Job]:
    for n, k in [(24, 12), (32, 16)] if scale >= 1 else [(10, 5)]:
        lam = spectrum(rng, n)
        # Of each set: its cost is one addition per element; the others are added in two limbs and as a double.
        operations = float(sum(comb(n, q) * (q + 3 * (n - q)) for q in range(k + 1)))
        work = partial(enumerate_learned, lam, k, backend=xp)
        yield Job("enumeration", f"n = {n}, k = {k}, learned noise", "sets", candidates(n, k), 0.0, operations, work)


def _saddles(xp: Any, rng: np.random.Generator, scale: float) -> Iterator[Job]:
    n, k = 16, 6
    count = _many(xp, 400_000, DOUBLE * n * k, scale)
    lam = xp.asarray(np.linspace(9.0, 2.0, n))
    block = np.array([0, 0, 0, 1, 1, 2], dtype=np.int32)
    eigen = np.array([0, 3, 7, 1, -1, 4], dtype=np.int32)
    # The same blocks at a different noise each.
    blocks, slots = (xp.ascontiguousarray(xp.broadcast_to(xp.asarray(a), (count, k))) for a in (block, eigen))
    families = Families(blocks, slots, xp.asarray(rng.uniform(0.05, 0.5, count)))
    written = DOUBLE * count * (n * k + 1) + 8 * count * k
    size = f"n = {n}, k = {k}"
    yield Job("saddle points", size, "points", count, written, 20.0 * count * k, partial(build, families, lam))
    W = build(families, lam)
    operations = count * (5.0 * n * k * k + 2.0 * n * k * k + 6.0 * k**3)
    work = partial(examine, W, families.sigma2, lam)
    yield Job("saddle escapes", size, "points", count, DOUBLE * count * (n * k + 6), operations, work)


def _planes(xp: Any, rng: np.random.Generator, scale: float) -> Iterator[Job]:
    n, side = 64, max(4, int(4096 * scale**0.5))
    axis = xp.asarray(np.linspace(-1, 1, side))
    S = xp.asarray(np.diag(spectrum(rng, n)))
    for k in (3, 8):
        W, X, Y = (xp.asarray(A) for A in rng.standard_normal((3, n, k)))
        entries = k * (k + 1) // 2
        # Two triangles from six coefficients each; a factor, its inverse, and the inverse from both sides of T.
        operations = side * side * (20.0 * entries + 5 / 3 * k**3)
        work = partial(plane, W, X, Y, axis, axis, 0.6, S)
        size = f"k = {k}, {side} x {side}"
        yield Job("landscape", size, "points", side * side, DOUBLE * side * side, operations, work)


def _products(xp: Any, rng: np.random.Generator, scale: float) -> Iterator[Job]:
    n, blocks = (784, (16, 256)) if scale >= 1 else (40, (2, 5))
    for k in (50, 100, 200) if scale >= 1 else (3,):
        lam = spectrum(rng, n)
        # At a stationary point: the leading columns, where two products with k directions are all that there is.
        W = np.zeros((n, k))
        W[np.arange(k), np.arange(k)] = np.sqrt(lam[:k] - 0.5 * lam[k])
        operator = HessianOperator(xp.asarray(W), 0.5 * float(lam[k]), xp.asarray(lam), profile=True)
        few = xp.asarray(rng.standard_normal((min(blocks), n, k)))
        for usual in blocks:
            # The directions, the result, and Z, Y and a product of Z by entries.
            count = _many(xp, usual, DOUBLE * (2 * n * k + 3 * k * k), 1.0)
            X = few[xp.asarray(np.arange(count) % len(few))]
            operations = 4.0 * count * n * k * k
            touched = DOUBLE * (2 * count * n * k + n * k)
            size = f"n = {n}, k = {k}, {count} directions"
            yield Job("Hessian products", size, "directions", count, touched, operations, partial(operator, X))


def _ends(xp: Any, rng: np.random.Generator, scale: float) -> Iterator[Job]:
    n, k, count = (784, 50, 10) if scale >= 1 else (12, 3, 2)
    lam = spectrum(rng, n)
    W = np.zeros((n, k))
    W[np.arange(k), np.arange(k)] = np.sqrt(lam[:k] - 0.5 * lam[k])
    work = partial(ends, xp.asarray(W), 0.5 * float(lam[k]), xp.asarray(lam), count=count)
    # The products that the search takes, and nothing of what it does between them.
    found = work()
    if not found.converged:
        raise RuntimeError("the search did not converge, and would be timed for nothing")
    products = found.products
    operations, bytes_touched = products * 4.0 * n * k * k, DOUBLE * 2.0 * products * n * k
    size = f"n = {n}, k = {k}, {count} of each"
    yield Job("ends of a Hessian", size, "products", products, bytes_touched, operations, work)


def _vae_steps(xp: Any, rng: np.random.Generator, scale: float) -> Iterator[Job]:
    large = scale >= 1
    architecture = Architecture("mlp", 784, 200, HIDDEN) if large else Architecture("mlp", 12, 3, (9, 7))
    P, B = Layout(architecture).size, 128 if large else 5
    outputs = sum(layer.width for half in architecture.layers() for layer in half)
    # What kernels/vae.cuh counts up: of the operations there is no floor here, as they are not in float64.
    each = 40.0 * P + 48.0 * B * outputs
    count = _many(xp, 32, each, scale)
    few = Layout(architecture).initial(range(min(count, 4)), [0.1] * min(count, 4), np.float32)
    p = xp.asarray(few)[xp.asarray(np.arange(count) % len(few))]
    model = Ensemble(architecture, p, xp.zeros(count, dtype="bool"))
    x = xp.asarray(rng.random((count, B, architecture.n), dtype=np.float32))
    noise, first, second = xp.empty((count, B, architecture.k), dtype="float32"), xp.zeros_like(p), xp.zeros_like(p)
    ones, rates = xp.ones(count), xp.asarray(np.full(count, 1e-3))
    seeds, alive = range(count), xp.ones(count, dtype="bool")

    def step(name: str) -> None:
        with precision(name, xp):
            model.backward(x, normals(seeds, LATENT, 0, noise), ones)
        adam(p, model.gradient, first, second, rates, 1, alive)

    for name in PRECISIONS:
        size = f"n = {architecture.n}, k = {architecture.k}, {name}"
        yield Job("VAE step", size, "models", count, count * each, 0.0, partial(step, name))


WORKLOADS: dict[str, Callable[[Any, np.random.Generator, float], Iterator[Job]]] = {
    "gradients": _gradients,
    "hessian": _hessians,
    "eigenvalues": _spectra,
    "enumeration": _sets,
    "saddle points": _saddles,
    "landscape": _planes,
    "Hessian products": _products,
    "ends of a Hessian": _ends,
    "VAE step": _vae_steps,
}
