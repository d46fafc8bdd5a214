"""The command `report`: a page: what collapses at which noise, and where to start."""

import argparse
import shlex
from pathlib import Path

from proofs.machinery.reading import read as read_ledger
from reports.analysis import report as analysis
from reports.stability_page.write import FILES, write
from reports.terminal import data
from reports.terminal.console import Session
from reports.terminal.files import read_json, staged
from reports.terminal.folders import folder_name, keep_others
from reports.terminal.options import beta, certify, folder, noises
from verify.analysis.scales import compared
from verify.analysis.stability import USUAL_NOISE
from verify.words import certified
from verify.words.wording import verdict

MORE = (
    "The page is one file, index.html, and needs no network; report.json beside it has all numbers. Without a ledger "
    "it says that the proofs were not run."
)
SHELF = ("Your data", 1)
IDLE = ("backend",)


def options(parser: argparse.ArgumentParser) -> None:
    data.options(parser, "digits")
    parser.add_argument(
        "-k",
        type=int,
        metavar="K",
        help="number of latents (default: 10, or one less than the columns where that is fewer)",
    )
    noises(parser, "1, the usual one")
    beta(parser)
    certify(parser, "how many latents are retained, the thresholds, and what kind each stationary point is,")
    parser.add_argument(
        "--ledger",
        type=Path,
        metavar="FILE",
        help="show these verdicts on the page: a file that elbo-verify prove --ledger FILE wrote",
    )
    folder(parser, "folder for the page, its figures and report.json (default reports/out/NAME, and options given)")


LATENTS = 10


def run(args: argparse.Namespace, session: Session) -> int:
    """The stability report as one self-contained page."""
    if args.ledger is not None:
        read_ledger(args.ledger)  # a wrong file is told before anything is computed
    covariance = data.read(args, session, compared(args.sigma2 or [USUAL_NOISE], args.beta))
    name = str(covariance.provenance.get("name", args.data))
    k = args.k if args.k is not None else max(1, min(LATENTS, covariance.n - 1))
    out = args.out if args.out is not None else Path("reports", "out", folder_name(name, args))
    keep_others(out, args, {"k": k, "provenance.data": covariance.provenance}, FILES)
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
            certify=args.certify,
        )
        doing("drawing")
        write(document, arrays, stage, out)
    page = out / "index.html"
    session.wrote(page)
    document = read_json(page.parent / "report.json")
    session.result(document)
    session.notes(document["notes"], verdict(document))
    session.say(verdict(document))
    if (proved := certified.of_report(document)) is not None:
        session.say(f"\n{proved}")
    session.say(f"\nopen {page}")
    return 0
