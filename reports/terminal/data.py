"""DATA on the command line: its options, and its covariance.

Main       options, read.

What is slow to import is imported where data are read, so that other commands need not wait for it.
"""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from reports.terminal.options import common

if TYPE_CHECKING:
    from reports.terminal.console import Session
    from verify.data.covariance import Covariance

DATA = (
    "digits, mnist, mnist:1000, fashion-mnist, patches, celeba:FOLDER, a .npy, .npz, .csv or .csv.gz file, "
    "or eigenvalues:6,4,2.5"
)


def options(parser: argparse.ArgumentParser, default: str | None = None) -> None:
    """DATA, what is done to it, and what every command takes."""
    common(parser)
    if default is None:
        parser.add_argument("data", metavar="DATA", help=DATA)
    else:
        parser.add_argument("data", metavar="DATA", nargs="?", default=default, help=f"{DATA} (default {default})")
    parser.add_argument("--scale", type=float, metavar="C", help="divide by C, for instance 255")
    parser.add_argument("--logit", type=float, metavar="ALPHA", help="dequantise and take the logit")


def read(args: argparse.Namespace, session: "Session", noises: Sequence[float] | None = None) -> "Covariance":
    """The covariance of DATA, of which these noises will be asked.  Raises InputError.

    Closed forms need no device, but one that is asked for and missing is told.
    """
    from gpu.device import backend
    from reports.terminal.console import one_line
    from verify.checks import positive_noise, random_seed
    from verify.data.sources import load

    if args.backend == "cupy":
        backend(args.backend)
    seed, asked = random_seed(args.seed), [positive_noise(s) for s in noises or ()]
    with session.working(f"reading {one_line(args.data)}"):
        return load(args.data, scale=args.scale, logit=args.logit, seed=seed, data_dir=args.data_dir, noises=asked)
