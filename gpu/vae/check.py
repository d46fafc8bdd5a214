"""A short training on a device: it reaches the optimum of pPCA, and how long a whole table of deep models will take.

Notation   xp the array module of the device; E models, B data a batch; clock(work) the seconds of one call of work().
Main       distance_to_optimum, table_models, table_speed -> Speed; training_check -> a plain document.
Reference  theory 1 and Lucas et al. 2019, Lemma 1 (the optimum); Table 2 (100 models, 1000 epochs of 60000 images).

That single steps are the host's is compared in gpu/comparisons.py. The floor of a step is the time of its matrix
products at the rate of a large product in the same precision plus that of the bytes that Adam moves at the bandwidth
of a copy, all measured in the same run: the two do not overlap.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from math import isfinite
from statistics import median
from typing import Any

import numpy as np

from gpu.products import PRECISIONS, multiply, precision
from gpu.throughput import Clock, random_tiles
from gpu.vae.architecture import HIDDEN, Architecture
from gpu.vae.plan import Plan, Run
from gpu.vae.training import Group, fresh
from verify.arrays import Array
from verify.models import ppca

# Falling learning rates; with so many steps at each, descent ends so near the optimum, in nats per datum.
RATES = (3e-2, 1e-2, 1e-3, 1e-4)
DESCENT, NEAR = 2000, 1e-6
SHORT_DESCENT, ROUGHLY = 150, 2e-2
STEPS, REPEATS = 10, 5
TABLE = {"models": 100, "batch": 500, "epochs": 1000, "data": 60_000}


@dataclass(frozen=True)
class Rows:
    """Data that stay as they are."""

    X: Array
    redrawn: bool = False

    def array(self, epoch: int) -> Array:
        """X, whatever the epoch."""
        return self.X


@dataclass(frozen=True)
class Speed:
    """One precision: seconds a step of all models, data per second over all, the floor, and minutes for Table 2."""

    models: int
    batch: int
    precision: str
    step_seconds: float
    samples_per_second: float
    floor_seconds: float
    of_floor: float
    table_minutes: float


def distance_to_optimum(xp: Any, steps: int = DESCENT, rates: tuple[float, ...] = RATES) -> float:
    """Train a linear VAE with learned noise by the analytic ELBO; -> nats from the maximum likelihood of pPCA."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 6)) * [2.0, 1.6, 1.2, 0.5, 0.4, 0.3]
    S = np.cov(X.T, bias=True)
    lam, U = (a[..., ::-1] for a in np.linalg.eigh(S))
    W, sigma2 = ppca.maximum_likelihood(lam, U, 3)
    plan = Plan(Architecture("linear", 6, 3), (Run(1.0, True, seed=4),), 10**9, 200, analytic=True, dtype="float64")
    group = Group(plan, fresh(plan, [0], xp), Rows(X), xp)
    for rate in rates:
        group.rates = xp.asarray([rate])
        group.advance(group.state.step + steps)
    evaluation = group.outcomes()[0].evaluation
    return np.inf if evaluation is None else float(ppca.log_likelihood(W, sigma2, S)) - evaluation.elbo


def product_operations(architecture: Architecture, batch: int) -> float:
    """Of the matrix products of one step of one model: one forward, two backward, of the first layer only one."""
    encoder, decoder = architecture.layers()
    each = [layer.multiplications for layer in (*encoder, *decoder)]
    return 2.0 * batch * (3 * sum(each) - each[0])


def table_models(scale: float = 1.0) -> tuple[Architecture, int, int]:
    """(architecture, models, data a batch) of Table 2.  scale < 1: a small one with as many layers."""
    if scale < 1:
        return Architecture("mlp", 12, 3, (9, 7)), 2, 5
    return Architecture("mlp", 784, 200, HIDDEN), TABLE["models"], TABLE["batch"]


def _seconds(work: Callable[[], object], clock: Clock) -> float:
    work()
    return median(clock(work) for _ in range(REPEATS))


def table_speed(xp: Any, clock: Clock, name: str, architecture: Architecture, models: int, batch: int) -> Speed:
    """Training steps of an ensemble in one precision."""
    X = np.random.default_rng(0).standard_normal((4 * batch, architecture.n)).astype(np.float32)
    plan = Plan(architecture, tuple(Run(1.0, True, seed=e) for e in range(models)), 10**9, batch)
    with precision(name, xp):
        group = Group(plan, fresh(plan, range(models), xp), Rows(X), xp)
        taken = _seconds(lambda: group.advance(group.state.step + STEPS), clock) / STEPS
        rate, bandwidth = _rates(xp, clock, 4096 if models * batch > 10_000 else 64)
    # Adam reads parameters, gradient and both moments and writes three of them.
    moved = 7.0 * group.state.parameters.nbytes / bandwidth
    floor = models * product_operations(architecture, batch) / rate + moved
    table = TABLE["epochs"] * (TABLE["data"] // batch) * TABLE["models"] / models * taken / 60
    return Speed(models, batch, name, taken, models * batch / taken, floor, taken / floor, table)


def _rates(xp: Any, clock: Clock, size: int) -> tuple[float, float]:
    """(operations per second of a large float32 product in the present precision, bytes per second of a copy)."""
    a = xp.asarray(random_tiles((1, size, size), "float32"))
    out, here, there = xp.empty(a.shape, dtype="float32"), xp.ones(size * size), xp.empty(size * size)

    def product() -> None:
        multiply(a, a, out)

    def copy() -> None:
        there[...] = here

    return 2.0 * size**3 / _seconds(product, clock), 16.0 * size * size / _seconds(copy, clock)


def training_check(xp: Any, clock: Clock, scale: float = 1.0) -> dict[str, Any]:
    """Both as a plain document; "agrees" is the verdict.  scale < 1 takes small models and few steps.

    The control stops the descent too early, and must be told from the optimum.
    """
    large = scale >= 1
    steps, near = (DESCENT, NEAR) if large else (SHORT_DESCENT, ROUGHLY)
    distance, control = distance_to_optimum(xp, steps), distance_to_optimum(xp, 30, RATES[1:2])
    architecture, models, batch = table_models(scale)
    names = PRECISIONS if xp is not np else PRECISIONS[:1]
    speeds = [table_speed(xp, clock, name, architecture, models, batch) for name in names]
    return {
        "agrees": isfinite(distance) and -1e-9 <= distance <= near < control,
        "nats_from_optimum": distance,
        "control_nats": control,
        "speeds": [asdict(speed) for speed in speeds],
    }
