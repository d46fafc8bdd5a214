"""The command `audit`: the paper's printed tables against themselves."""

import argparse
import shlex

import verify
from proofs.machinery import ledger
from reports.audit.document import Document, audit_document
from reports.audit.page import FILES, write_audit
from reports.audit.text import other_notes, pieces, summary
from reports.terminal.console import Session
from reports.terminal.dates import build_date
from reports.terminal.folders import keep_others
from reports.terminal.options import common, folder
from verify.checks import random_seed

MORE = (
    "Nothing is trained: any correct table satisfies certain identities, and every printed row is held against them. "
    "With MNIST at hand, the trainings are judged as well, in seconds: by the linear VAE inside their network, and by "
    "Figures 3 and 4."
)
SHELF = ("The paper", 2)
IDLE = ("backend",)


def options(parser: argparse.ArgumentParser) -> None:
    common(parser)
    parser.add_argument("--all", action="store_true", help="every contradiction and all evidence, not a screenful")
    folder(parser, "folder to write it to as a page: index.html, audit.json")


def run(args: argparse.Namespace, session: Session) -> int:
    """The printed tables, read as by a hostile statistician."""
    seed = random_seed(args.seed)
    if args.out is not None:
        keep_others(args.out, args, {}, FILES)
    with session.working("auditing 100 rows") as doing:
        document = audit_document(args.data_dir, seed=seed, doing=doing)
    written = [] if args.out is None else write_audit({**document, "provenance": _provenance(args)}, args.out)
    for path in written:
        session.wrote(path)
    session.result(document)
    # People read of a sentence in the list, and with --all why.
    session.notes(document["notes"] if args.json else other_notes(document))
    for piece in pieces(document) if args.all else summary(document, session.width):
        session.say(piece)
    if not args.all:
        session.say("\ncounts: without excuse + with one; --all: every one, and the evidence")
    if written:
        session.say(f"\nopen {written[-1]}")
    return 0


def _provenance(args: argparse.Namespace) -> Document:
    """Versions, seed, command and date."""
    return {
        "environment": ledger.environment(device="CPU", **{"elbo-verify": verify.__version__}),
        "seed": args.seed,
        "command": shlex.join(["elbo-verify", *args.argv]),
        "date": build_date(),
    }
