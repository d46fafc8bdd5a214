"""The command `audit`: the paper's printed tables against themselves."""

import argparse

from reports.audit.document import audit_document
from reports.audit.text import pieces
from reports.terminal.console import Session
from reports.terminal.options import common
from verify.checks import random_seed


def options(parser: argparse.ArgumentParser) -> None:
    common(parser)


def run(args: argparse.Namespace, session: Session) -> int:
    """The printed tables, read as by a hostile statistician."""
    seed = random_seed(args.seed)
    with session.working("auditing 100 rows"):
        document = audit_document(args.data_dir, seed=seed)
    session.result(document)
    session.notes(document["notes"])
    for piece in pieces(document):
        session.say(piece)
    return 0
