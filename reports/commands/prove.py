"""The command `prove`: the paper's claims, put to the test; --list says what they are."""

import argparse
import tempfile
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.terminal.console import Session, table
from reports.terminal.options import InputError, common, idle_words
from verify.data.writing import atomic

if TYPE_CHECKING:
    from proofs.machinery.claims import Claim

INTERRUPTED = 130
SHELF = ("The paper", 1)
IDLE = ("seed",)
MORE = (
    "A claim is named as --list and the ledger name it, for instance theorem-1. All of them take minutes. What each "
    "verdict rests on is in the ledger, which --graph draws and `report --ledger` shows on its page; --from draws and "
    "prints an earlier one."
)
ENDINGS = (".svg", ".html", ".dot")
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
    parser.add_argument(
        "--graph",
        type=Path,
        metavar="FILE",
        help="draw what rests on what: a picture (.svg), a page with every claim folded out (.html), Graphviz (.dot)",
    )
    parser.add_argument(
        "--from",
        type=Path,
        dest="earlier",
        metavar="LEDGER",
        help="print and draw this ledger of an earlier run; runs nothing",
    )


def run(args: argparse.Namespace, session: Session) -> int:
    """Put the claims to the test.  1 if one is broken, 130 if interrupted."""
    _sensible(args)
    if args.list:
        return _list(args, session)
    if args.earlier is not None:
        return _from(args, session)
    return _run(args, session)


def _sensible(args: argparse.Namespace) -> None:
    """InputError for options that do not go together, or a picture that cannot be drawn."""
    if args.list and (args.graph is not None or args.earlier is not None):
        other = "--graph" if args.graph is not None else "--from"
        raise InputError(f"--list and {other}: a list has no verdicts to draw; leave one of them out")
    if args.earlier is not None and args.ledger is not None:
        raise InputError("--from and --ledger: --from runs nothing that could be written down; leave one of them out")
    if args.graph is None:
        return
    if args.graph.suffix not in ENDINGS:
        raise InputError(f"--graph {args.graph}: ends in none of {', '.join(ENDINGS)}; name one that does")
    if not args.graph.absolute().parent.is_dir():
        raise InputError(f"--graph {args.graph}: there is no such folder; make it first")
    for other in (args.ledger, args.earlier):
        if other is not None and other.resolve() == args.graph.resolve():
            raise InputError(f"--graph {args.graph}: the ledger has that name; name another file")


def _run(args: argparse.Namespace, session: Session) -> int:
    from proofs.machinery import reading
    from proofs.machinery.run import prove as run

    with tempfile.TemporaryDirectory(prefix="elbo-verify-") as scratch:
        needed = args.json or args.graph is not None
        path: Path | None = args.ledger or (Path(scratch, "ledger.json") if needed else None)
        quiet = args.json or args.quiet
        before = _stamp(path)
        code = run(args.claims, thorough=args.thorough, ledger=path, backend=args.backend, quiet=quiet)
        if path is not None and _stamp(path) not in (None, before):  # else it is that of an earlier run
            document = reading.read(path) if needed else None
            session.result(document)
            if args.ledger is not None:
                session.wrote(path)
            if args.graph is not None and document is not None:
                _draw(document, args, session)
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    return code


def _stamp(path: Path | None) -> tuple[int, int] | None:
    """What tells one file of a name from the next that is written whole in its place; None if there is none."""
    if path is None or not path.is_file():
        return None
    found = path.stat()
    return found.st_ino, found.st_mtime_ns


def _from(args: argparse.Namespace, session: Session) -> int:
    """An earlier ledger, or what it says of some claims and of all that they rest on: printed and drawn."""
    from proofs.machinery import reading, summary

    document = chosen(reading.read(args.earlier), args.claims)
    session.result(document)
    if not args.quiet:
        for line in summary.lines(document):
            session.say(line)
        session.notes(note for note in document["notes"] if note.startswith("claim "))  # what the file says otherwise
    if args.graph is not None:
        _draw(document, args, session)
    if idle := idle_words(("thorough", "backend"), args.argv):
        session.note(f"{' and '.join(idle)} changed nothing: --from runs nothing")
    return int(bool(document["errors"]) or any(claim["verdict"] == "broken" for claim in document["claims"]))


def chosen(document: Document, claims: list[str]) -> Document:
    """A ledger with these claims and all that they rest on; whole if none is named.  InputError: no such claim."""
    from proofs.machinery.declared import unknown
    from proofs.machinery.judging import with_all_below

    if not claims:
        return document
    below = {claim["id"]: claim["rests_on"] for claim in document["claims"]}
    for id in claims:
        if id not in below:
            raise InputError(unknown(id, list(below)))
    wanted = with_all_below(claims, below)
    kept = [claim for claim in document["claims"] if claim["id"] in wanted]
    used = {id for claim in kept for id in claim["trusts"]}
    facts = [
        {**fact, "trusted_by": [id for id in fact["trusted_by"] if id in wanted]}
        for fact in document["facts"]
        if fact["id"] in used
    ]
    return {**document, "claims": kept, "facts": facts}


def _draw(document: Document, args: argparse.Namespace, session: Session) -> None:
    with atomic(args.graph) as file:
        file.write(_drawing(args.graph.suffix)(document).encode())
    session.wrote(args.graph)


def _drawing(ending: str) -> Callable[[Document], str]:
    """The function that draws a ledger for this ending of a name."""
    from reports.ledger_page import dot, page, picture

    return {".svg": picture.standalone, ".html": page.render, ".dot": dot.dot}[ending]


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


LISTED = ("id", "source", "statement", "hypotheses", "section", "quote")


def listing(ids: list[str], ledger_file: Path | None) -> Document:
    """The document of `prove --list`.  InputError: no such claim, a ledger that is none."""
    from proofs.machinery import reading
    from proofs.machinery.declared import declared
    from proofs.machinery.run import PROOFS, check_known

    known, unread = declared(PROOFS)
    check_known(ids, known)
    judged: Document = {"claims": [], "notes": []} if ledger_file is None else reading.read(ledger_file)
    verdicts = {claim["id"]: claim for claim in judged["claims"]}
    unread_notes = [f"{path}: its claims are only known once it runs; they are not listed" for path in unread]
    other = [claim.id for claim in known if claim.id in verdicts and _differs(claim, verdicts[claim.id])]
    changed = [f"claim {id}: the ledger states it in other words: its verdict may not be of this one" for id in other]
    return {
        "schema": 1,
        "claims": [
            {
                **{name: getattr(claim, name) for name in LISTED},
                "rests_on": list(claim.rests_on),
                "trusts": list(claim.trusts),
                "steps": [{"id": step.id, "statement": step.statement} for step in claim.steps.values()],
                "verdict": verdicts.get(claim.id, {}).get("verdict"),
                "strength": verdicts.get(claim.id, {}).get("strength"),
            }
            for claim in known
            if not ids or claim.id in ids
        ],
        "notes": [*unread_notes, *judged["notes"], *changed],
    }


def _differs(claim: "Claim", entry: Document) -> bool:
    """Whether a ledger's entry is of a claim with other words or other steps."""
    steps = {step["id"]: step["statement"] for step in entry["steps"]}
    words = (entry["statement"], entry["hypotheses"]) == (claim.statement, claim.hypotheses)
    return not words or steps != {step.id: step.statement for step in claim.steps.values()}


def _row(claim: Document, judged: bool) -> tuple[str, str]:
    """A claim, and its verdict if it is judged by a ledger."""
    found = ", ".join(filter(None, (claim["verdict"], claim["strength"]))) or "not in this ledger"
    verdict = f": {found}" if judged else ""
    missing = f"\nif {claim['hypotheses']}" if claim["hypotheses"] else ""
    return claim["id"], f"{claim['statement']}{missing}\n({claim['source']}){verdict}\n"
