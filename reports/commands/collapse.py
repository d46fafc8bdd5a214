"""The command `collapse`: which latents of a trained model collapsed (mu, logvar).

Main       collapse, which takes the parsed arguments and a Session, and returns an exit code.
"""

import argparse
from decimal import Decimal
from pathlib import Path
from typing import Any

from reports.terminal.console import Session, short, table
from reports.terminal.options import common, decimal, real
from verify.analysis.collapse import collapse_document
from verify.analysis.latents import read_latents
from verify.landscape.collapse import ACTIVE_VARIANCE
from verify.words.wording import ranges

Document = dict[str, Any]
MOST_LATENTS = 10


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
    document = collapse_document(latents.mu, latents.logvar, args.epsilon, args.delta, latents.notes)
    session.notes(document["notes"])
    session.result(document)
    session.say(headline(document, args.delta))
    session.say("")
    session.say(_curve(document, all_of_it=args.epsilon is not None))
    session.say("")
    session.say(_latents(document))
    if args.epsilon is None:
        session.say(
            f"\nepsilon from: where the percentage changes, of the {len(document['curve'])} epsilons in the document"
        )
    session.say("\nmu^2 + var: mean over the data; 1 where the encoder is at a stationary point of the ELBO")
    return 0


def headline(document: Document, delta: Decimal) -> str:
    """Collapse at one epsilon, and activity, in words."""
    k, N, fallen = document["k"], document["N"], document["collapsed"]
    epsilon, percent = short(document["epsilon"], 4), f"{(100 * (1 - delta)).normalize():f}"
    have = "has" if len(fallen) == 1 else "have"
    which = f" (number {ranges(fallen)})" if 0 < len(fallen) < k else ""
    return (
        f"{len(fallen)} of {k} latents {have} collapsed over {N} data{which}: a KL below {epsilon} nats for at least "
        f"{percent}% of the data (epsilon = {epsilon}, delta = {delta}). {document['active_units']} of {k} latents are "
        f"active: the variance of their mean over the data exceeds {ACTIVE_VARIANCE:g}. The KL of all latents together "
        f"is {short(document['kl_total'])} nats per datum."
    )


def _curve(document: Document, all_of_it: bool) -> Any:
    """Where the percentage changes, or all that was asked for."""
    curve = document["curve"]
    steps = [
        row
        for before, row in zip([None, *curve], curve, strict=False)
        if before is None or before["collapsed_percent"] != row["collapsed_percent"] or all_of_it
    ]
    rows = [(short(row["epsilon"], 4), short(row["collapsed_percent"], 4)) for row in steps]
    return table([("epsilon" if all_of_it else "epsilon from", True), ("collapsed %", True)], rows)


def _latents(document: Document) -> Any:
    """Those that say least."""
    k, kl, moment = document["k"], document["kl"], document["second_moment"]
    least = sorted(range(k), key=lambda i: kl[i])[:MOST_LATENTS]
    first = "latent that says least" if k > MOST_LATENTS else "latent"
    rows = [(str(i + 1), short(kl[i], 4), short(moment[i], 4)) for i in least]
    return table([(first, True), ("mean KL", True), ("mu^2 + var", True)], rows)
