"""The command `stability`: which noise keeps how many latents, and where each collapses."""

import argparse

from reports.terminal import data
from reports.terminal.console import Session
from reports.terminal.options import beta, certify, latents, noises
from verify.analysis.scales import compared
from verify.analysis.stability import stability
from verify.results.stability import StabilityResult

MORE = (
    "The optimum keeps a latent while the noise is below its eigenvalue (over beta) of the covariance of DATA. Without "
    "--sigma2, a range of noises is tabulated."
)
SHELF = ("Your data", 2)
IDLE = ("backend",)


def options(parser: argparse.ArgumentParser) -> None:
    data.options(parser)
    latents(parser)
    noises(parser, "1, the recommended one, and a grid from half of that to beyond lam_1/beta")
    beta(parser)
    certify(parser, "how many latents are retained, and the thresholds,")


def run(args: argparse.Namespace, session: Session) -> int:
    """Which latents the optimum retains at each noise."""
    covariance = data.read(args, session, compared(args.sigma2, args.beta))
    with session.working("certifying" if args.certify else "computing"):
        document = stability(covariance, args.k, args.sigma2, beta=args.beta, certify=args.certify)
    result = StabilityResult(document)
    session.result(result.to_dict())
    session.notes(result.notes, result.verdict)
    session.show(result.said())
    return 0
