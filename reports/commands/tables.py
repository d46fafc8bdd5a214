"""The command `tables`: Tables 1-5 trained again, beside the printed ones."""

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from gpu.vae.plan import Run
from reports.paper import Row
from reports.paper_tables.document import Trained, row_document, training_document
from reports.paper_tables.page import WRITES, write_tables
from reports.paper_tables.presets import Training, trainings
from reports.paper_tables.text import caveats, pieces
from reports.terminal.console import Session
from reports.terminal.folders import alone, folder_name, keep_others
from reports.terminal.options import common, folder, made_again
from reports.training.diagnosed import diagnoses
from reports.training.document import provenance
from reports.training.experiment import Bench, Performed
from reports.training.models import seeds_of
from reports.training.settled import unsettled
from verify.checks import random_seed
from verify.data.writing import writable
from verify.errors import InputError

Document = dict[str, Any]
MORE = (
    "quick: small models on a subset, minutes on two cores. paper: the paper's models and data; 1000 epochs of the "
    "400 models of Table 2 take months without a device, so name fewer --epochs, --seeds, --learning-rates. How "
    "much work is ahead is said before it starts; interrupted, the same command continues. Of each row the best trial "
    "is diagnosed: optimum, noise or training."
)

SHELF = ("The paper", 3)


def options(parser: argparse.ArgumentParser) -> None:
    common(parser)
    parser.add_argument("tables", type=int, nargs="*", metavar="TABLE", help="numbers of tables, 1 to 5 (default: all)")
    made_again(parser)
    parser.add_argument("-k", type=int, metavar="K", help="number of latents (default: the preset's)")
    parser.add_argument(
        "--hidden",
        type=int,
        nargs="+",
        metavar="H",
        help="hidden units of each layer, of MNIST's models (default: the preset's)",
    )
    parser.add_argument(
        "--channels",
        type=int,
        nargs="+",
        metavar="C",
        help="channels of each convolution, and at last the units behind them, of CelebA's (default: the preset's)",
    )
    folder(
        parser, "folder for page, tables and checkpoints (default reports/out/tables-PRESET-TABLE, and options given)"
    )


def run(args: argparse.Namespace, session: Session) -> int:
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
        channels=None if args.channels is None else tuple(args.channels),
    )
    # More epochs go on from the checkpoints of fewer, so they share a folder.
    name = "-".join(["tables", args.preset, *map(str, args.tables)])
    usual = folder_name(name, args, ("preset", "epochs", "tables"))
    out = args.out if args.out is not None else Path("reports", "out", usual)
    keep_others(out, args, {"epochs": None}, WRITES)
    writable(out / "tables.json")
    left_out = _left_out(without)
    for left in left_out:
        session.note(f"{left['rows']} rows of Table {left['table']} are left out: {left['why']}")
    if not found:
        raise InputError(f"nothing to train: {left_out[0]['why']}")
    with alone(out):
        done = _performed(found, args, Bench.of(args, out, session))
        document = _document(done, rows, left_out, args)
        for path in write_tables(document, out):
            session.wrote(path)
    session.result(document)
    for piece in pieces(document):
        session.say(piece)
    session.say(f"\nopen {out / 'index.html'}")
    return 0


def _performed(found: Sequence[Training], args: argparse.Namespace, bench: Bench) -> list[Trained]:
    """All trainings, one after the other."""
    for training in found:  # what is wrong with the last one is told before the first has taken its time
        bench.ready(training.experiment(args.seed))
    done = []
    for training in found:
        performed = bench.perform(training.experiment(args.seed))
        trained = Trained(training, performed.material, performed.outcomes, args.precision)
        with bench.session.working(f"diagnosing {training.experiment(args.seed).name}"):
            done.append(_diagnosed(trained, performed, args.seed))
    return done


def _diagnosed(trained: Trained, performed: Performed, seed: int) -> Trained:
    """The same with the best trial of each row diagnosed, from its checkpoint."""
    outcomes = performed.outcomes
    try:
        found, notes = diagnoses(
            trained.best_trials(), outcomes, performed.plan, performed.material, seed, performed.ensembles
        )
    except InputError as error:
        return replace(trained, unsaid=[f"no verdict, optimum or training: {error}"])
    ended = {place: told | {"unfinished": bool(unsettled(outcomes[place]))} for place, told in found.items()}
    return replace(trained, diagnosed=ended, unsaid=notes)


def _document(
    done: Sequence[Trained], rows: Sequence[Row], left_out: list[Document], args: argparse.Namespace
) -> Document:
    """tables.json."""
    number = {one.training.dataset + one.training.preprocessing: i for i, one in enumerate(done)}
    places = [number[row.dataset + row.preprocessing] for row in rows]
    document: Document = {
        "schema": 1,
        "preset": args.preset,
        "trainings": [training_document(one, rows) for one in done],
        "rows": [row_document(row, at + 1, done[at]) for row, at in zip(rows, places, strict=True)],
        "left_out": left_out,
        "provenance": provenance(args),
    }
    said = [
        f"{one.training.dataset}, {one.training.preprocessing}: {note}"
        for one in done
        for note in (*one.material.notes, *one.unsaid)
    ]
    return document | {"notes": [*said, *caveats(document)]}


def _left_out(without: Sequence[Row]) -> list[Document]:
    """What is not trained, and why."""
    counted = Counter((row.table, row.dataset) for row in without)
    why = "CelebA's images are not at hand; name their folder with --data celeba:FOLDER, or try --data patches:200"
    return [{"table": t, "dataset": dataset, "rows": count, "why": why} for (t, dataset), count in counted.items()]
