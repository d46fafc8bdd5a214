"""Training steps of the deep VAE: gather, draw, forward, backward, Adam, in float32.

Ours       gpu/vae, one model and an ensemble.
Floor      the matrix products; Adam's seven passes over the parameters.
Answer     the gradient of the loss at the same weights, data and noise, before anything is timed.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.harness import Answer, Contender, Subject, Work
from benchmarks.problems import relative_error
from gpu.vae.architecture import CHANNELS, HIDDEN, Architecture, Layout
from gpu.vae.check import product_operations
from gpu.vae.model import Ensemble
from gpu.vae.plan import Plan, Run
from gpu.vae.training import Group, fresh

# Steps in one timed run, of every contender.
STEPS = 4
# The data fill so many bytes at most, and hold two batches at least.
MOST = 100 << 20
# The paper's models of MNIST and of CelebA.
MLP = {"arch": "mlp", "n": 784, "k": 200, "hidden": HIDDEN}
# The models of `tables --preset quick`. Large ones are never trained in step on a host (training.group_size).
SMALL = {"arch": "mlp", "n": 64, "k": 30, "hidden": (64, 32)}
CONV = {"arch": "conv", "n": 64 * 64 * 3, "k": 500, "hidden": CHANNELS}


def architecture_of(setup: dict[str, Any]) -> Architecture:
    """The architecture that the setup names."""
    return Architecture(setup["arch"], setup["n"], setup["k"], tuple(setup["hidden"]))


def problem(setup: dict[str, Any]) -> tuple[Architecture, Layout, Any, Any, Any, Any]:
    """Architecture, layout, data (N, n), initial parameters (E, P), and x, noise of the batch that is compared."""
    architecture = architecture_of(setup)
    layout = Layout(architecture)
    rng = np.random.default_rng(0)
    rows = max(2 * setup["batch"], min(4000, MOST // (8 * architecture.n)))
    X = rng.standard_normal((rows, architecture.n)).astype(np.float32)
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


def work(setup: dict[str, Any], answer: Answer) -> Work:
    """Three products a layer, the first layer's two; seven passes of Adam."""
    architecture = architecture_of(setup)
    models = STEPS * setup["models"]
    operations = models * product_operations(architecture, setup["batch"])
    return Work(models * 28.0 * Layout(architecture).size, operations, single_precision=True)


def subjects(quick: bool) -> list[Subject]:
    """The mlp at three batch sizes, the convolutional model, and an ensemble of small models."""
    found = []
    for model, batch, target in [(MLP, 128, 0.75), (MLP, 512, 0.85), (MLP, 1000, 0.90), (CONV, 64, 0.6)]:
        peer = Contender("torch eager, fused Adam", "benchmarks.peers.torch_training:eager", ("torch",), target)
        found.append(_subject(f"VAE training, {model['arch']}, batch {batch}", model, batch, 1, peer))
    alone = Contender("its models one after the other", "benchmarks.training:one_by_one", target=1.0)
    step = _subject("VAE training, 20 small models in step, batch 36", SMALL, 36, 20, alone)
    return [*(found[:1] if quick else found), step]


def _subject(title: str, model: dict[str, Any], batch: int, models: int, peer: Contender) -> Subject:
    return Subject(
        name="training",
        title=title,
        setup=model | {"batch": batch, "models": models},
        ours=Contender("gpu.vae", "benchmarks.training:ensemble"),
        peers=(peer,),
        check=check,
        tolerance=1e-3,  # float32 sums of some thousand terms, relative to the largest entry
        work=work,
        unit="data",
        amount=float(STEPS * batch * models),
    )


def one_by_one(setup: dict[str, Any]) -> Callable[[], Answer]:
    """As many groups of one model, stepped in turn."""
    runs = [ensemble(setup | {"models": 1}) for _ in range(setup["models"])]

    def each() -> Answer:
        answers = [run() for run in runs]
        return answers[0]

    return each
