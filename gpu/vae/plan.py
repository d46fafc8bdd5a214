"""What is to be trained, on what, and what comes of it.

Notation   sigma2 observation noise; beta weight of the KL; N data, n dimensions; an epoch is one pass over the data.
Main       Run, Plan, Data, Outcome.
Reference  Lucas et al. 2019, Secs. 5, 6.2, App. E (Adam, fixed learning rate, KL annealing from 0 to 1).
"""

from dataclasses import dataclass, field
from math import isfinite
from typing import Protocol

import numpy as np

from gpu.vae.account import Terms, elbo
from gpu.vae.architecture import Architecture
from gpu.vae.evaluation import Evaluation
from verify.arrays import Array
from verify.errors import InputError


@dataclass(frozen=True)
class Run:
    """One model.  anneal: epochs over which beta rises from 0; sigma2: the noise, or where it starts if learned."""

    sigma2: float
    learned: bool
    seed: int = 0
    learning_rate: float = 1e-3
    beta: float = 1.0
    anneal: int = 0

    def __post_init__(self) -> None:
        for name in ("sigma2", "learning_rate"):
            if not (isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise InputError(f"{name} = {getattr(self, name):g}: must be positive and finite")
        if not (isfinite(self.beta) and self.beta >= 0) or self.anneal < 0:
            raise InputError(f"beta = {self.beta:g}, anneal = {self.anneal}: must not be negative")

    def weight(self, epochs: float) -> float:
        """Beta after so many epochs."""
        return self.beta * min(1.0, epochs / self.anneal) if self.anneal else self.beta


class Data(Protocol):
    """What is trained on: `array(epoch)` (N, n) float32 or float64; the same for every epoch unless `redrawn`."""

    @property
    def redrawn(self) -> bool:
        """Whether every epoch has another array."""
        ...

    def array(self, epoch: int) -> Array:
        """The data of an epoch, on the host; epoch 0 is what models are evaluated on."""
        ...


@dataclass(frozen=True)
class Plan:
    """Models of one architecture, trained alike on the same data; `group` bounds how many run in step.

    watched: after how many epochs models are evaluated on the way as well, ascending.
    """

    architecture: Architecture
    runs: tuple[Run, ...]
    epochs: int
    batch: int = 128
    analytic: bool = False
    dtype: str = "float32"
    group: int | None = None
    watched: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not self.runs:
            raise InputError("no models to train; name at least one noise")
        if self.epochs < 1 or self.batch < 1 or (self.group is not None and self.group < 1):
            raise InputError(f"epochs = {self.epochs}, batch = {self.batch}, group = {self.group}: all from 1")
        if list(self.watched) != sorted({*self.watched}) or any(epoch < 1 for epoch in self.watched):
            raise InputError(f"watched epochs {' '.join(map(str, self.watched))}: from 1, ascending, each once")
        if self.analytic and not self.architecture.linear_decoder:
            raise InputError("the analytic ELBO needs a linear decoder; choose architecture linear or linear-decoder")

    def final_weight(self, run: Run, N: int) -> float:
        """Beta of the last step on N data."""
        return run.weight(self.epochs - 1 / max(N // min(self.batch, N), 1))


@dataclass(frozen=True)
class Outcome:
    """A trained model: its evaluation, None where it was frozen at `frozen` (a step, from 1), and its course.

    history (epochs, 3): error, KL and sigma2, means over each epoch; `elbos` what they make of the ELBO.
    watched: evaluations on the way, one for each watched epoch of the plan that was reached.
    """

    run: Run
    evaluation: Evaluation | None
    frozen: int | None
    history: list[list[float]]
    watched: list[Evaluation | None] = field(default_factory=list)

    def elbos(self, n: int, beta: float = 1.0) -> list[float]:
        """The ELBO, epoch by epoch; beta weighs the KL alike in all of them."""
        error, kl, sigma2 = np.array(self.history).reshape(-1, 3).T
        with np.errstate(all="ignore"):  # of a model that diverged
            return [float(v) for v in elbo(Terms(error, kl), sigma2, n, beta)]
