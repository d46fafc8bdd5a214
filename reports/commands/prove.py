"""The command `prove`: the paper's claims, put to the test; --list says what they are."""

import argparse
import tempfile
from itertools import groupby
from pathlib import Path
from typing import Any

from reports.terminal.console import Session, table
from reports.terminal.options import common, idle_words

INTERRUPTED = 130
SHELF = ("The paper", 1)
IDLE = ("seed",)
MORE = (
    "A claim is named as --list and the ledger name it, for instance theorem-1. All of them take minutes. What each "
    "verdict rests on is in the ledger, which `report --ledger` shows on its page."
)
Document = dict[str, Any]


def options(parser: argparse.ArgumentParser) -> None:
    common(parser, data_dir=False)
    parser.add_argument("claims", nargs="*", metavar="CLAIM", help="only these (default: all)")
    parser.add_argument(
        "--list", action="store_true", help="say what the claims are and where they stand in the paper; runs nothing"
    )
    parser.add_argument("--thorough", action="store_true", help="more instances per claim; takes far longer")
    parser.add_argument(
        "--ledger", type=Path, metavar="FILE", help="write the ledger there (JSON); with --list: show its verdicts"
    )


def run(args: argparse.Namespace, session: Session) -> int:
    """Put the claims to the test.  1 if one is broken, 130 if interrupted."""
    from proofs.machinery import ledger
    from proofs.machinery.run import prove as run

    if args.list:
        return _list(args, session)
    with tempfile.TemporaryDirectory(prefix="elbo-verify-") as scratch:
        path: Path | None = args.ledger or (Path(scratch, "ledger.json") if args.json else None)
        quiet = args.json or args.quiet
        code = run(args.claims, thorough=args.thorough, ledger=path, backend=args.backend, quiet=quiet)
        if path is not None and path.is_file():
            session.result(ledger.read(path) if args.json else None)
            if args.ledger is not None:
                session.wrote(path)
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    return code


def _list(args: argparse.Namespace, session: Session) -> int:
    """The claims as their files declare them, with the verdicts of a ledger if one is named."""
    document = listing(args.claims, args.ledger)
    session.result(document)
    session.notes(document["notes"])
    for section, claims in groupby(document["claims"], key=lambda claim: claim["section"]):
        session.say(f"{section}\n")
        session.say(
            table(
                [("claim", False), ("what it says, and where", False)],
                (_row(claim, args.ledger is not None) for claim in claims),
            )
        )
    if idle := idle_words(("thorough", "backend"), args.argv):
        session.note(f"{' and '.join(idle)} changed nothing: --list runs nothing")
    if args.ledger is None or any(claim["verdict"] is None for claim in document["claims"]):
        session.say("these are statements, not verdicts: elbo-verify prove [CLAIM ...] says which hold")
    return 0


def listing(ids: list[str], ledger_file: Path | None) -> Document:
    """The document of `prove --list`.  InputError: no such claim, a ledger that is none."""
    from proofs.machinery import ledger
    from proofs.machinery.declared import declared
    from proofs.machinery.run import PROOFS, check_known

    known, unread = declared(PROOFS)
    check_known(ids, known)
    verdicts = {} if ledger_file is None else {c["id"]: c for c in ledger.read(ledger_file)["claims"]}
    return {
        "schema": 1,
        "claims": [
            {
                **{name: getattr(claim, name) for name in ("id", "source", "statement", "hypotheses", "section")},
                "rests_on": list(claim.rests_on),
                "verdict": verdicts.get(claim.id, {}).get("verdict"),
                "strength": verdicts.get(claim.id, {}).get("strength"),
            }
            for claim in known
            if not ids or claim.id in ids
        ],
        "notes": [f"{path}: its claims are only known once it runs; they are not listed" for path in unread],
    }


def _row(claim: Document, judged: bool) -> tuple[str, str]:
    """A claim, and its verdict if it is judged by a ledger."""
    found = ", ".join(filter(None, (claim["verdict"], claim["strength"]))) or "not in this ledger"
    verdict = f": {found}" if judged else ""
    missing = f"\nif {claim['hypotheses']}" if claim["hypotheses"] else ""
    return claim["id"], f"{claim['statement']}{missing}\n({claim['source']}){verdict}\n"
