"""The command `certify`: what is proved of the optimum at a noise, as a file that anybody can check."""

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from reports.terminal import data
from reports.terminal.console import Session
from reports.terminal.folders import beside
from reports.terminal.options import beta, noise
from verify.data.sources import SPECTRUM
from verify.data.writing import writable
from verify.errors import InputError

if TYPE_CHECKING:
    from verify.results.certificate import CheckResult

MORE = (
    "With --check FILE nothing is searched: each statement of the certificate is proved again from the data and its "
    "evidence. Exit code 0: all statements are proved; 1: one is not; 2: the file is damaged, of another version, or "
    "of other data. docs/certificates.md has the format, so that somebody else can write a checker."
)
SHELF = ("Your data", 7)
IDLE = ("backend",)
NOT_PROVED = 1
# What has a meaning only where a certificate is made.
_OF_MAKING = ("data", "k", "sigma2", "out", "overwrite", "beta", "columns", "drop", "missing", "decimal", "header")
_OF_MAKING = (*_OF_MAKING, "scale", "standardize", "logit", "seed")


def options(parser: argparse.ArgumentParser) -> None:
    data.options(parser, needed=False)
    parser.add_argument("-k", type=int, metavar="K", help="number of latents, at most the columns of DATA")
    parser.add_argument("--sigma2", type=noise, metavar="S", help="observation noise: a variance")
    beta(parser)
    parser.add_argument("--out", type=Path, metavar="FILE", help="the certificate to write")
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="replace a file that is no sound certificate of these very data at this k, sigma2 and beta",
    )
    parser.add_argument("--check", type=Path, metavar="FILE", help="check this certificate; -k and --sigma2 are in it")
    parser.add_argument(
        "--data", metavar="DATA", dest="moved", help="with --check: where the data are, if not where they were"
    )
    parser.set_defaults(unrecognized=_several)


def _several(words: list[str]) -> str:
    """What to say of words that nobody asked for: more noises, if they are numbers."""
    numbers = all(re.fullmatch(r"[0-9.]+(e[+-]?[0-9]+)?", word) for word in words)
    return "a certificate is of one noise" if numbers else ""


def run(args: argparse.Namespace, session: Session) -> int:
    """Make a certificate, or check one."""
    return _check(args, session) if args.check is not None else _make(args, session)


def _check(args: argparse.Namespace, session: Session) -> int:
    from verify.results.certificate import CheckResult, checked

    given = [name for name in _OF_MAKING if getattr(args, name) != args.parser.get_default(name)]
    if given:
        words = ", ".join(args.parser.as_typed(name) for name in given)
        more = "; where the data have moved, say --data" if "data" in given else ""
        raise InputError(f"{words}: the certificate says it itself; leave it out beside --check{more}")
    with session.working("reading the certificate") as say:
        result = CheckResult(checked(args.check, args.moved, args.data_dir, say))
    if result.read is not None:
        session.read(result.data, result.read)
    _show(result, session)
    return 0 if result.proved == len(result.statements) else NOT_PROVED


def _make(args: argparse.Namespace, session: Session) -> int:
    from verify.analysis.certificate import asked, differs, made, of_reading
    from verify.certify.sources import reading
    from verify.results.certificate import CheckResult, save

    path, how = _place(args), data.reading(args)
    bare = args.data.startswith(SPECTRUM)
    read = reading(args.data, how) if bare else reading(data.read_rows(args, session), {})
    asks = asked(read.subject, args.k, args.sigma2, args.beta)
    if path.exists() and not args.overwrite and (other := differs(path, read.subject, asks)):
        raise InputError(f"{path}: {other}; name another file, or replace it with --overwrite")
    with session.working("certifying") as say:
        document, certificate = made(read.subject, read.name, asks, say)
    result = CheckResult(of_reading(document, read))
    if not certificate["statements"]:
        _show(result, session)
        session.note(f"nothing is proved, and {path} was not written")
        return NOT_PROVED
    save(certificate, path, args.data, how)
    session.wrote(path)
    if result.undecided:
        many, lacks = len(certificate["statements"]), result.undecided
        held = f"the one statement that is proved, and lacks the {lacks}" if many == 1 else None
        held = held or f"the {many} statements that are proved, and lacks the {lacks}"
        session.note(f"{path} holds {held} that {'is' if lacks == 1 else 'are'} undecided")
    _show(result, session)
    return 0


def _show(result: "CheckResult", session: Session) -> None:
    session.result(result.to_dict())
    session.notes(result.notes, result.verdict)
    session.show(result.said())


def _place(args: argparse.Namespace) -> Path:
    """Where the certificate goes.  Raises InputError: something is missing, or another file is there."""
    from verify.certify.files import ours

    if args.moved is not None:
        raise InputError("--data: goes with --check; name the data first, as in elbo-verify certify DATA -k K ...")
    needed = {"data": "DATA", "k": "-k K", "sigma2": "--sigma2 S", "out": "--out FILE"}
    if missing := [word for name, word in needed.items() if getattr(args, name) is None]:
        raise InputError(
            f"certify needs {' and '.join(missing)}; or --check FILE, for a certificate that there is; "
            "see elbo-verify certify --help"
        )
    path: Path = writable(beside(args.out, args))
    if path.exists() and not ours(path) and not args.overwrite:
        raise InputError(f"{path}: is no certificate of ours; name another file, or replace it with --overwrite")
    return path
