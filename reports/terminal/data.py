"""DATA on the command line: its options, its rows and their covariance.

Main       options, read, read_rows, reading.

What is slow to import is imported where data are read, so that other commands need not wait for it.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from reports.terminal.options import common, real

if TYPE_CHECKING:
    from reports.terminal.console import Session
    from verify.data.covariance import Covariance
    from verify.data.rows import Rows
    from verify.data.sources import Options

DATA = (
    "a file with one row per datum (.csv, .tsv, .txt, .parquet, .npy, .npz, .mat, .h5ad and more; FILE:name for one "
    "array of several), or digits, mnist, mnist:1000, fashion-mnist, patches, celeba:FOLDER, iris, wine, "
    "breast_cancer, diabetes, linnerud, or a spectrum: eigenvalues:6,4,2.5"
)


def options(parser: argparse.ArgumentParser, default: str | None = None, *, needed: bool = True) -> None:
    """DATA, how it is read, what is done to it, and what every command takes; needed: or there is a default."""
    common(parser)
    if default is None:
        parser.add_argument("data", metavar="DATA", nargs=None if needed else "?", help=DATA)
    else:
        parser.add_argument("data", metavar="DATA", nargs="?", default=default, help=f"{DATA} (default {default})")
    how = parser.add_argument_group("how DATA is read")
    how.add_argument(
        "--columns",
        nargs="+",
        metavar="C",
        help="columns to use, by name or by number from 1; 3-7 for several",
    )
    how.add_argument("--drop", nargs="+", metavar="C", help="columns to leave out, likewise")
    how.add_argument(
        "--missing", choices=("drop", "mean"), help="leave out rows that lack a value, or put the column's mean in"
    )
    how.add_argument(
        "--decimal",
        choices=(".", ","),
        metavar="MARK",
        help="the decimal mark of a text file, . or , (default: as it looks)",
    )
    how.add_argument("--header", choices=("yes", "no"), help="whether line 1 of a text file names the columns")
    how.add_argument("--scale", type=real, metavar="C", help="divide all values by C, for instance 255")
    how.add_argument(
        "--standardize",
        action="store_true",
        help="give each column mean 0 and variance 1: for columns in different units",
    )
    how.add_argument(
        "--logit", type=real, metavar="ALPHA", help="of grey values: dequantise, and take the logit, for instance 1e-6"
    )


def reading(args: argparse.Namespace) -> "Options":
    """The options of `load` that a command line names.  Raises InputError."""
    from verify.checks import random_seed

    return {
        "scale": args.scale,
        "logit": args.logit,
        "standardize": args.standardize,
        "seed": random_seed(args.seed),
        "data_dir": args.data_dir,
        "columns": args.columns,
        "drop": args.drop,
        "missing": args.missing,
        "decimal": args.decimal,
        "header": None if args.header is None else args.header == "yes",
    }


def read(args: argparse.Namespace, session: "Session", noises: Sequence[float] | None = None) -> "Covariance":
    """The covariance of DATA, of which these noises will be asked; what was read is said.  Raises InputError.

    Closed forms need no device, but one that is asked for and missing is told.
    """
    from gpu.device import backend
    from verify.checks import positive_noise
    from verify.data.sources import SPECTRUM, load

    if args.backend == "cupy":
        backend(args.backend)
    asked = [positive_noise(s) for s in noises or ()]
    if args.data.startswith(SPECTRUM):
        return load(args.data, noises=asked, **reading(args))
    rows = read_rows(args, session)
    with session.working("computing the covariance"):
        return covariance_of(args.data, rows, asked)


def read_rows(
    args: argparse.Namespace,
    session: "Session",
    dequantise: bool = False,
    word: str | None = None,
    read: Callable[[str], str] = str,
) -> "Rows":
    """The rows of DATA, or of another word; what was read is said, as `read` puts it.  Raises InputError."""
    from reports.terminal.console import one_line
    from verify.data.sources import load_rows

    word = args.data if word is None else word
    with session.working(f"reading {one_line(word)}"):
        rows = load_rows(word, **{**reading(args), "dequantise": dequantise})
    rows = replace(rows, provenance={**rows.provenance, "read": read(str(rows.provenance["read"]))})
    session.read(str(rows.provenance["name"]), rows.provenance["read"])
    return rows


def covariance_of(name: str, rows: "Rows", noises: Sequence[float] = ()) -> "Covariance":
    """The covariance of rows, of which these noises will be asked.  Raises InputError that names the data."""
    from verify.errors import InputError, about

    try:
        return rows.covariance(noises)
    except InputError as error:
        raise about(name, error) from None
