"""The trainings behind the tables: from the data of one to its outcomes.

Main       trained_again.

Each data set with its preprocessing is one training, whatever tables it serves. Checkpoints lie in a folder of their
own for each set of options: the same command continues, another one starts anew.
"""

import argparse
import hashlib
import importlib
import importlib.util
import json
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

from gpu.device import backend
from gpu.vae.architecture import Architecture
from gpu.vae.checkpoint import identity
from gpu.vae.plan import Plan
from gpu.vae.training import Group, fresh, host_threads
from reports.paper_tables.document import Trained
from reports.paper_tables.presets import ALPHA, Training
from reports.terminal.console import Session, one_line
from reports.training.document import Material, material, trained
from reports.training.models import latents_number
from verify.data.sources import load_rows

Document = dict[str, Any]
GREY_LEVELS = {"digits": 16.0}


def trained_again(training: Training, args: argparse.Namespace, out: Path, session: Session) -> tuple[Trained, float]:
    """One training from its data to its outcomes, and how many seconds it took this time."""
    began = monotonic()
    data = _material(training, args, session)
    sizes, n = training.sizes, data.rows.shape[1]
    architecture = Architecture(sizes.kind, n, latents_number(sizes.k), sizes.hidden)
    plan = Plan(architecture, training.runs(), sizes.epochs, sizes.batch)
    xp = backend(args.backend)
    session.note(_work_ahead(training, plan, data, xp is np))
    name = f"{training.dataset}, {training.preprocessing}"
    folder = _folder(out, training, identity(plan, data.rows.fingerprint, xp.__name__, args.precision))
    if folder is None:
        session.note("safetensors is not installed: what is interrupted will have to start anew")
    doing = f"training {name}"
    outcomes = trained(plan, data.rows, session, xp=xp, precision=args.precision, folder=folder, doing=doing)
    return Trained(training, data, outcomes, args.precision), monotonic() - began


def _material(training: Training, args: argparse.Namespace, session: Session) -> Material:
    """The data, dequantised once, with the logit transform or without."""
    prepared: Document = (
        {"logit": ALPHA[training.dataset]} if training.preprocessing == "logit" else {"dequantise": True}
    )
    scale = GREY_LEVELS.get(training.data)
    with session.working(f"reading {one_line(training.data)}"):
        rows = load_rows(training.data, scale=scale, seed=args.seed, data_dir=args.data_dir, **prepared)
        data = material(training.data, rows)
    session.read(training.data, str(rows.provenance["read"]))
    for sentence in data.notes:
        session.note(sentence)
    return data


def _folder(out: Path, training: Training, identified: Document) -> Path | None:
    """Where its checkpoints go; None without the library for them."""
    if importlib.util.find_spec("safetensors") is None:
        return None
    digest = hashlib.sha256(json.dumps(identified, sort_keys=True).encode()).hexdigest()[:8]
    return out / "checkpoints" / f"{training.dataset}-{training.preprocessing}-{digest}"


def _work_ahead(training: Training, plan: Plan, data: Material, measured: bool) -> str:
    """How much there is to do, and how long that takes at the pace of a few steps of one model."""
    sizes = training.sizes
    per_epoch = data.rows.shape[0] // min(plan.batch, data.rows.shape[0])
    models, steps = len(plan.runs), plan.epochs * per_epoch
    parts = f"{len(training.noises)} noises x {len(sizes.learning_rates)} learning rates x {len(training.seeds)} seeds"
    said = f"{training.dataset}, {training.preprocessing}: {parts} = {models} models, {steps} steps each"
    if not measured:
        return said
    return f"{said}; about {_duration(_seconds_a_step(plan, data) * models * steps)} at the pace of the first steps"


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
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"
