"""The command `tables`: the paper's Tables 1-5 trained again, beside the printed ones.

Main       tables, which takes the parsed arguments and a Session, and returns an exit code.

Each data set with its preprocessing is one training, whatever tables it serves. Checkpoints lie in a folder of their
own for each set of options: the same command continues, another one starts anew.
"""

import argparse
import hashlib
import importlib.util
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

from gpu.device import backend
from gpu.vae.architecture import Architecture
from gpu.vae.checkpoint import identity
from gpu.vae.plan import Plan, Run
from gpu.vae.training import Group, fresh, host_threads
from reports.console import Session, one_line
from reports.paper import Row
from reports.presets import ALPHA, Training, trainings
from reports.tables import Trained, row_document, training_document
from reports.tables_page import write_tables
from reports.tables_text import caveats, pieces
from reports.training import Material, material, provenance, trained
from reports.training_commands import latents_number, seeds_of
from verify.checks import random_seed
from verify.data.sources import load_rows
from verify.data.writing import writable
from verify.errors import InputError

Document = dict[str, Any]
GREY_LEVELS = {"digits": 16.0}


def tables(args: argparse.Namespace, session: Session) -> int:
    """Train the models of the printed tables, write both side by side (JSON, CSV, a page) and print them."""
    seeds = None if args.seeds is None else seeds_of(args.seeds, args.seed)
    for rate in args.learning_rates or []:
        Run(1.0, False, learning_rate=rate)  # a wrong one is told at once
    found, rows, without = trainings(
        args.tables,
        args.preset,
        data=args.data,
        seeds=seeds,
        first_seed=random_seed(args.seed),
        epochs=args.epochs,
        learning_rates=tuple(dict.fromkeys(args.learning_rates or [])) or None,
        k=args.k,
        hidden=None if args.hidden is None else tuple(args.hidden),
    )
    out = args.out if args.out is not None else Path("reports", "out", f"tables-{args.preset}")
    writable(out / "tables.json")
    left_out = _left_out(without)
    for left in left_out:
        session.note(f"{left['rows']} rows of Table {left['table']} are left out: {left['why']}")
    if not found:
        raise InputError(f"nothing to train: {left_out[0]['why']}")
    done = [_done(training, args, out, session) for training in found]
    number = {t.training.dataset + t.training.preprocessing: i for i, (t, _) in enumerate(done)}
    places = [number[row.dataset + row.preprocessing] for row in rows]
    document: Document = {
        "schema": 1,
        "preset": args.preset,
        "trainings": [training_document(one, rows, seconds) for one, seconds in done],
        "rows": [row_document(row, at + 1, done[at][0]) for row, at in zip(rows, places, strict=True)],
        "left_out": left_out,
        "provenance": provenance(args),
    }
    said = [
        f"{one.training.dataset}, {one.training.preprocessing}: {note}"
        for one, _ in done
        for note in one.material.notes
    ]
    document["notes"] = [*said, *caveats(document)]
    for path in write_tables(document, out):
        session.wrote(path)
    session.result(document)
    for piece in pieces(document):
        session.say(piece)
    session.say(f"\nopen {out / 'index.html'}")
    return 0


def _left_out(without: Sequence[Row]) -> list[Document]:
    """What is not trained, and why."""
    counted = Counter((row.table, row.dataset) for row in without)
    why = "CelebA's images are not at hand; name their folder with --data celeba:FOLDER, or try --data patches:300"
    return [{"table": t, "dataset": dataset, "rows": count, "why": why} for (t, dataset), count in counted.items()]


def _done(training: Training, args: argparse.Namespace, out: Path, session: Session) -> tuple[Trained, float]:
    """One training from its data to its outcomes, and how many seconds it took this time."""
    began = monotonic()
    data = _material(training, args, session)
    sizes, n = training.sizes, data.rows.shape[1]
    architecture = Architecture(sizes.kind, n, latents_number(sizes.k), sizes.hidden)
    plan = Plan(architecture, training.runs(), sizes.epochs, sizes.batch)
    xp = backend(args.backend)
    session.note(_work_ahead(training, plan, data, xp is np))
    name = f"{training.dataset}, {training.preprocessing}"
    folder = _folder(out, training, identity(plan, data.rows.fingerprint, xp.__name__))
    if folder is None:
        session.note("safetensors is not installed: what is interrupted will have to start anew")
    outcomes = trained(plan, data.rows, session, xp=xp, folder=folder, doing=f"training {name}")
    return Trained(training, data, outcomes), monotonic() - began


def _material(training: Training, args: argparse.Namespace, session: Session) -> Material:
    """The data, dequantised once, with the logit transform or without."""
    prepared: Document = (
        {"logit": ALPHA[training.dataset]} if training.preprocessing == "logit" else {"dequantise": True}
    )
    scale = GREY_LEVELS.get(training.data)
    with session.working(f"reading {one_line(training.data)}"):
        rows = load_rows(training.data, scale=scale, seed=args.seed, data_dir=args.data_dir, **prepared)
        data = material(training.data, rows)
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
