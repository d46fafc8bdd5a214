"""The command `collapse`: which latents of a trained model collapsed (mu, logvar).

Main       collapse, which takes the parsed arguments and a Session, and returns an exit code.
"""

import argparse
from decimal import Decimal
from pathlib import Path

from reports.terminal.console import Session
from reports.terminal.options import common, decimal, real
from verify.analysis.collapse import collapse_document
from verify.analysis.latents import read_latents
from verify.results.collapse import CollapseResult

MORE = (
    "LATENTS is a .npz or .safetensors file with the means and the variances of the encoder, one row per datum, or two "
    ".npy files. Names that are known: mu, mean, z_mean, loc; logvar, log_var, z_log_var; var, variance; std, sigma, "
    "scale (turned into log variances, and said)."
)

SHELF = ("Models", 1)
IDLE = ("seed", "backend")


def options(parser: argparse.ArgumentParser) -> None:
    common(parser, data_dir=False)
    parser.add_argument(
        "latents", type=Path, nargs="+", metavar="LATENTS", help="mu and logvar (N, k): a .npz, or mu.npy logvar.npy"
    )
    parser.add_argument(
        "--epsilon",
        type=real,
        nargs="+",
        metavar="E",
        help="a KL in nats: below it a latent says nothing of a datum (default: 50 from 0 to 2, and 0.01)",
    )
    parser.add_argument(
        "--delta",
        type=decimal,
        default=Decimal("0.01"),
        metavar="D",
        help="the share of data of which a collapsed latent may say more, 0 to 1 (default 0.01)",
    )


def run(args: argparse.Namespace, session: Session) -> int:
    """What is collapsed, what is active, and what the numbers suggest of the file."""
    latents = read_latents(args.latents)
    result = CollapseResult(collapse_document(latents.mu, latents.logvar, args.epsilon, args.delta, latents.notes))
    session.notes(result.notes)
    session.result(result.to_dict())
    session.show(result.said())
    return 0
