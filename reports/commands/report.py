"""The command `report`: the stability report, one page."""

import argparse
import re
import shlex
from pathlib import Path

from proofs.machinery import ledger
from reports.analysis import report as analysis
from reports.analysis.report import USUAL_NOISE
from reports.analysis.scales import compared
from reports.stability_page.write import write
from reports.terminal import data
from reports.terminal.console import Session
from reports.terminal.files import read_json, staged
from reports.terminal.options import beta, noises
from reports.words.wording import verdict


def options(parser: argparse.ArgumentParser) -> None:
    data.options(parser, "digits")
    parser.add_argument("-k", type=int, metavar="K", help="latents (default: the smaller of 10 and n - 1)")
    noises(parser, "1, the usual one")
    beta(parser)
    parser.add_argument("--ledger", type=Path, metavar="FILE", help="a ledger to show (elbo-verify prove --ledger)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="default reports/out/NAME")


LATENTS = 10


def run(args: argparse.Namespace, session: Session) -> int:
    """The stability report as one self-contained page."""
    if args.ledger is not None:
        ledger.read(args.ledger)  # a wrong file is told before anything is computed
    covariance = data.read(args, session, compared(args.sigma2 or [USUAL_NOISE], args.beta))
    name = str(covariance.provenance.get("name", args.data))
    k = args.k if args.k is not None else max(1, min(LATENTS, covariance.n - 1))
    out = args.out if args.out is not None else Path("reports", "out", folder_name(name))
    command = shlex.join(["elbo-verify", *args.argv])
    with session.working("computing") as doing, staged(out) as stage:
        document, arrays = analysis.report(
            covariance,
            k=k,
            name=name,
            ledger=args.ledger,
            seed=args.seed,
            command=command,
            progress=doing,
            sigma2s=args.sigma2,
            beta=args.beta,
        )
        doing("drawing")
        write(document, arrays, stage, out)
    page = out / "index.html"
    session.wrote(page)
    document = read_json(page.parent / "report.json")
    session.result(document)
    session.notes(document["notes"], verdict(document))
    session.say(verdict(document))
    session.say(f"\nopen {page}")
    return 0


def folder_name(name: str) -> str:
    """A name from outside as a harmless folder name: letters, digits, "-", "_" and inner dots, 80 at most."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name)[:80].strip("-.") or "data"
