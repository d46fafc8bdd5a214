"""The command `stationary`: all stationary points, best first, and how saddles escape."""

import argparse
from pathlib import Path

from reports.analysis.walk import walking
from reports.terminal import data
from reports.terminal.console import Session
from reports.terminal.folders import beside
from reports.terminal.options import beta, certify, latents, noise
from verify.analysis.scales import compared
from verify.analysis.stationary import refuse_weight, save_points, stationary
from verify.data.writing import writable
from verify.results.stationary import StationaryResult
from verify.words.lists import how_found, interrupted

MORE = "At fixed noise none but the best is a maximum; the others list which way the objective rises, and how fast."
SHELF = ("Your data", 3)


def options(parser: argparse.ArgumentParser) -> None:
    data.options(parser)
    latents(parser)
    at = parser.add_mutually_exclusive_group(required=True)
    at.add_argument(
        "--sigma2", type=noise, metavar="S", help="fixed observation noise: a variance, in squared units of the data"
    )
    at.add_argument("--learned-noise", action="store_true", help="points that are stationary in the noise as well")
    parser.add_argument(
        "--objective",
        choices=("ppca", "elbo"),
        default="ppca",
        help="likelihood of pPCA, or ELBO of the linear VAE (default ppca)",
    )
    beta(parser, "; with --objective elbo and --sigma2")
    parser.add_argument("--top", type=int, metavar="M", help="list the best M (default: all if few, else 20)")
    certify(parser, "what kind each point is")
    parser.add_argument("--save", type=Path, metavar="FILE.npz", help="write W, V, D and sigma2 of each point listed")


def run(args: argparse.Namespace, session: Session) -> int:
    """The stationary points, best first."""
    noises = compared([] if args.sigma2 is None else [args.sigma2], args.beta)
    refuse_weight(args.beta, args.objective, args.sigma2)
    save = None if args.save is None else writable(beside(args.save, args))
    covariance = data.read(args, session, noises)
    with session.working("searching"):
        document, points = stationary(
            covariance,
            args.k,
            sigma2=args.sigma2,
            objective=args.objective,
            top=args.top,
            beta=args.beta,
            walk=walking(args.backend, session),
            certify=args.certify,
            track=session.track,
        )
    result = StationaryResult(document, points, covariance)
    if save is not None:
        save_points(save, points, covariance, args.beta)
        session.wrote(save)
    session.result(document)
    # What an interrupted walk came to know is said at the end.
    session.notes(result.notes[: -1 if interrupted(document) else None], result.verdict)
    session.show(result.said())
    if interrupted(document):
        raise KeyboardInterrupt(how_found(document))
    return 0
