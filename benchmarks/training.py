"""Training steps of the deep VAE: gather, draw, forward, backward, Adam, in float32.

Ours       gpu/vae, one model and an ensemble.
Floor      the matrix products; Adam's seven passes over the parameters.
Answer     the gradient of the loss at the same weights, data and noise, before anything is timed.
"""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from benchmarks.harness import Answer, Contender, Subject, Work
from benchmarks.problems import relative_error
from gpu.vae.architecture import CHANNELS, HIDDEN, Architecture, Layout
from gpu.vae.model import Ensemble
from gpu.vae.plan import Plan, Run
from gpu.vae.training import Group, fresh

# Steps in one timed run, of every contender.
STEPS = 4
ROWS = 4000


def architecture_of(setup: dict[str, Any]) -> Architecture:
    """The mlp of the paper's MNIST, or its convolutional model of CelebA."""
    return (
        Architecture("mlp", 784, 200, HIDDEN)
        if setup["arch"] == "mlp"
        else Architecture("conv", 64 * 64 * 3, 500, CHANNELS)
    )


def problem(setup: dict[str, Any]) -> tuple[Architecture, Layout, Any, Any, Any, Any]:
    """Architecture, layout, data (N, n), initial parameters (E, P), and x, noise of the batch that is compared."""
    architecture = architecture_of(setup)
    layout = Layout(architecture)
    rng = np.random.default_rng(0)
    X = rng.standard_normal((max(2 * setup["batch"], min(ROWS, 10**8 // architecture.n // 8)), architecture.n))
    X = X.astype(np.float32)
    flat = layout.initial(range(setup["models"]), [1.0] * setup["models"], np.float32)
    noise = rng.standard_normal((setup["batch"], architecture.k)).astype(np.float32)
    return architecture, layout, X, flat, X[: setup["batch"]], noise


def ensemble(setup: dict[str, Any]) -> Callable[[], Answer]:
    """STEPS steps of all models."""
    architecture, _, X, flat, x, noise = problem(setup)
    one = Ensemble(architecture, flat[:1].copy(), np.array([True]))
    one.backward(x[None], noise[None], np.ones(1))
    answer = {"gradient": one.gradient[0]}

    class Data:
        redrawn = False

        def array(self, epoch: int) -> Any:
            return X

    runs = tuple(Run(1.0, True, seed=e) for e in range(setup["models"]))
    plan = Plan(architecture, runs, 10**9, setup["batch"], group=setup["models"])
    group = Group(plan, fresh(plan, range(setup["models"])), Data())

    def run() -> Answer:
        group.advance(group.state.step + STEPS)
        return answer

    return run


def check(ours: Answer, theirs: Answer) -> float:
    """The largest deviation of an entry of the gradient."""
    return relative_error(ours["gradient"], theirs["gradient"])


def work(setup: dict[str, Any]) -> Work:
    """Three products a layer, the first layer's two."""
    architecture = architecture_of(setup)
    encoder, decoder = architecture.layers()
    products = [layer.multiplications for layer in (*encoder, *decoder)]
    parameters = sum(prod(layer.weight_shape) for layer in (*encoder, *decoder))
    models = STEPS * setup["models"]
    operations = 2.0 * models * setup["batch"] * (3 * sum(products) - products[0])
    return Work(models * 28.0 * parameters, operations, single_precision=True)


def subjects(quick: bool) -> list[Subject]:
    """The mlp at three batch sizes, an ensemble of it, and the convolutional model."""
    found = []
    targets = {("mlp", 128): 0.75, ("mlp", 512): 0.85, ("mlp", 1000): 0.90, ("conv", 64): 0.6}
    for (arch, batch), target in list(targets.items())[: 1 if quick else None]:
        setup = {"arch": arch, "batch": batch, "models": 1}
        peer = Contender("torch eager, fused Adam", "benchmarks.peers.torch_training:eager", ("torch",), target=target)
        found.append(_subject(f"VAE training, {arch}, batch {batch}, {STEPS} steps", setup, (peer,)))
    setup = {"arch": "mlp", "batch": 128, "models": 4}
    alone = Contender("its models one after the other", "benchmarks.training:one_by_one", target=1.0)
    return [*found, _subject(f"an ensemble of 4, batch 128, {STEPS} steps", setup, (alone,))]


def _subject(title: str, setup: dict[str, Any], peers: tuple[Contender, ...]) -> Subject:
    ours = Contender("gpu.vae", "benchmarks.training:ensemble")
    # float32 sums of some thousand terms, relative to the largest entry.
    return Subject("training", title, setup, ours, peers, check, 1e-3, lambda answer: work(setup))


def one_by_one(setup: dict[str, Any]) -> Callable[[], Answer]:
    """As many groups of one model, stepped in turn."""
    runs = [ensemble(setup | {"models": 1}) for _ in range(setup["models"])]

    def each() -> Answer:
        answers = [run() for run in runs]
        return answers[0]

    return each
