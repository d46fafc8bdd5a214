"""An experiment: models of one architecture on one data set, prepared in one way; and the bench that performs it.

Main       Experiment, what is to be trained; divided; Bench.perform -> Performed, whose `ensemble` is a trained model;
           Bench.ready, which only reads and checks.
Reference  Lucas et al. 2019, App. E.

Checkpoints lie in a folder of their own for each experiment, in `checkpoints` under the folder of results: the same
command continues, another one starts anew. Equal experiments are performed once, and data that several use read once.
"""

import argparse
import hashlib
import importlib
import importlib.util
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

from gpu.device import backend
from gpu.vae.architecture import Architecture
from gpu.vae.checkpoint import Folder, identity
from gpu.vae.model import Ensemble
from gpu.vae.plan import Outcome, Plan, Run
from gpu.vae.training import Group, fresh, host_threads
from reports.terminal.console import Session, one_line
from reports.training.document import Material, material, trained
from reports.training.models import check_images, latents_number
from verify.data.sources import load_rows
from verify.errors import InputError

Document = dict[str, Any]
# The largest grey level, where it is not 255.
GREY_LEVELS = {"digits": 16.0}


def greatest(word: str) -> float:
    """The largest grey level of these data."""
    return GREY_LEVELS.get(word, 255.0)


def divided(word: str) -> Document:
    """The preparation that divides grey levels by the largest, and does nothing else; see `Bench.material`."""
    return {"scale": greatest(word)}


@dataclass(frozen=True)
class Experiment:
    """What is trained: `data` is the DATA word, `name` is for people, and for the folder of its checkpoints.

    logit: its alpha; dequantised: noise is added to grey levels (the logit does that too); neither: grey levels
    of images are divided by the largest. seed: of the rows that are drawn and of that noise.
    """

    name: str
    data: str
    kind: str
    hidden: tuple[int, ...]
    k: int
    epochs: int
    batch: int
    runs: tuple[Run, ...]
    logit: float | None = None
    dequantised: bool = False
    analytic: bool = False
    watched: tuple[int, ...] = ()
    seed: int = 0

    @property
    def preparation(self) -> Document:
        """As options of `load_rows`."""
        if self.logit is not None:
            return {"scale": GREY_LEVELS.get(self.data), "logit": self.logit}
        return {"scale": GREY_LEVELS.get(self.data), "dequantise": True} if self.dequantised else divided(self.data)

    def plan(self, n: int) -> Plan:
        """On data of n columns.  Raises InputError."""
        architecture = Architecture(self.kind, n, latents_number(self.k), self.hidden)
        return Plan(architecture, self.runs, self.epochs, self.batch, self.analytic, watched=self.watched)


@dataclass(frozen=True)
class Performed:
    """An experiment that has been performed.  folder: of its checkpoints; None where there are none."""

    experiment: Experiment
    material: Material
    plan: Plan
    outcomes: list[Outcome]
    folder: Path | None
    identified: Document

    def ensemble(self, model: int) -> Ensemble:
        """One model, by its place from 0, as it was trained; on the host.  Raises InputError without checkpoints."""
        return self.ensembles([model])[model]

    def ensembles(self, models: Sequence[int]) -> dict[int, Ensemble]:
        """Several, each by itself.  Raises InputError without checkpoints."""
        if self.folder is None:
            raise InputError("safetensors is not installed, so models are not kept (pip install safetensors)")
        return kept(self.folder, self.plan, self.identified, models)


def kept(folder: Path, plan: Plan, identified: Document, models: Sequence[int]) -> dict[int, Ensemble]:
    """The models of these places in a plan, from their checkpoints, each by itself; on the host."""
    store, found = Folder(folder, plan, identified), {}
    try:
        for state in store.states():
            for at, model in enumerate(state.models):
                if model in models:
                    parameters = np.ascontiguousarray(state.parameters[at : at + 1])
                    found[model] = Ensemble(plan.architecture, parameters, np.array([plan.runs[model].learned]))
    finally:
        store.close()
    return found


@dataclass
class Bench:
    """Where experiments are performed: on which backend, with data from where, and where their checkpoints go."""

    out: Path
    session: Session
    backend: str = "auto"
    precision: str = "float32"
    data_dir: str | None = None
    _materials: dict[Any, Material] = field(default_factory=dict)
    _performed: dict[Experiment, Performed] = field(default_factory=dict)

    @classmethod
    def of(cls, args: argparse.Namespace, out: Path, session: Session) -> "Bench":
        """As the options of a command line say."""
        return cls(out, session, args.backend, args.precision, args.data_dir)

    @cached_property
    def xp(self) -> Any:
        """The array module.  Raises InputError."""
        return backend(self.backend)

    def material(self, word: str, seed: int, **prepared: Any) -> Material:
        """Data, prepared as `load_rows` is told; read once.  Raises InputError.

        What is no image has no grey levels: where dividing them is all that is asked for, its values stay as they are.
        """
        key = (word, seed, *prepared.items())
        if key not in self._materials:
            with self.session.working(f"reading {one_line(word)}"):
                rows = load_rows(word, seed=seed, data_dir=self.data_dir, **prepared)
                if [*prepared] == ["scale"] and "image" not in rows.provenance:
                    rows = load_rows(word, seed=seed, data_dir=self.data_dir)
                self._materials[key] = material(word, rows)
            self.session.read(word, str(rows.provenance["read"]))
            for sentence in self._materials[key].notes:
                self.session.note(sentence)
        return self._materials[key]

    def read_only_as_it_is(self, experiment: Experiment) -> bool:
        """Whether its data can be read, but not prepared: they are not grey levels.  Raises InputError: neither."""
        try:
            self.material(experiment.data, experiment.seed, **experiment.preparation)
        except InputError:
            load_rows(experiment.data, seed=experiment.seed, data_dir=self.data_dir)
            return True
        return False

    def ready(self, experiment: Experiment) -> tuple[Material, Plan]:
        """Its data and its plan, so that what cannot be trained is told before anything is.  Raises InputError."""
        data = self.material(experiment.data, experiment.seed, **experiment.preparation)
        check_images(experiment.data, experiment.kind, data.rows.rows)
        return data, experiment.plan(data.rows.shape[1])

    def perform(self, experiment: Experiment) -> Performed:
        """Train its models, or go on with that.  Raises InputError; KeyboardInterrupt, with the folder kept."""
        if experiment not in self._performed:
            self._performed[experiment] = self._perform(experiment)
        return self._performed[experiment]

    def _perform(self, experiment: Experiment) -> Performed:
        data, plan = self.ready(experiment)
        identified = identity(plan, data.rows.fingerprint, self.xp.__name__, self.precision)
        folder = self._folder(experiment, identified)
        if folder is None or not folder.exists():
            self.session.note(_work_ahead(experiment, plan, data, self.xp is np))
        options = {"xp": self.xp, "precision": self.precision, "folder": folder}
        outcomes = trained(plan, data.rows, self.session, doing=f"training {experiment.name}", **options)
        return Performed(experiment, data, plan, outcomes, folder, identified)

    def _folder(self, experiment: Experiment, identified: Document) -> Path | None:
        """Where its checkpoints go; None without the library for them."""
        if importlib.util.find_spec("safetensors") is None:
            self.session.note("safetensors is not installed: what is interrupted will have to start anew")
            return None
        digest = hashlib.sha256(json.dumps(identified, sort_keys=True).encode()).hexdigest()[:8]
        return self.out / "checkpoints" / f"{experiment.name.replace(', ', '-').replace(' ', '-')}-{digest}"


def _work_ahead(experiment: Experiment, plan: Plan, data: Material, measured: bool) -> str:
    """How much there is to do, and how long that takes at the pace of a few steps of one model."""
    per_epoch = data.rows.shape[0] // min(plan.batch, data.rows.shape[0])
    models, steps = len(plan.runs), plan.epochs * per_epoch
    said = f"{experiment.name}: {_parts(plan.runs)} = {models} models, {steps} steps each"
    if not measured:
        return said
    return f"{said}; {_duration(_seconds_a_step(plan, data) * models * steps)} at the pace of the first steps"


def _parts(runs: Sequence[Run]) -> str:
    """20 noises x 4 learning rates x 5 seeds, as far as there are several."""
    counts = {
        "noise": len({(run.sigma2, run.learned, run.beta, run.anneal) for run in runs}),
        "learning rate": len({run.learning_rate for run in runs}),
        "seed": len({run.seed for run in runs}),
    }
    return " x ".join(f"{count} {name}{'s' * (count != 1)}" for name, count in counts.items())


def _seconds_a_step(plan: Plan, data: Material, steps: int = 3) -> float:
    """Of one model among a few, on this machine now."""
    few = list(range(min(4, len(plan.runs))))
    group = Group(plan, fresh(plan, few), data.rows)
    with host_threads(plan):
        group.advance(1)  # allocates
        began = monotonic()
        group.advance(1 + steps)
    return (monotonic() - began) / (steps * len(few))


def _duration(seconds: float) -> str:
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"about {seconds / size:.0f} {unit}"
    if seconds < 1:
        return "less than a second"
    return f"about {seconds:.0f} second{'s' * (round(seconds) != 1)}"
