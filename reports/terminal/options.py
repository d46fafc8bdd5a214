"""The parts of a command line that commands share.

Main       Parser; common, latents, noises, trials; noise, decimal, the types of values.

Nothing but the standard library is imported here, since `doctor` must run where all else is broken.
"""

import argparse
import re
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

try:
    from verify.errors import InputError
except ImportError:  # another package called verify comes first: only the doctor can say where it lies

    class InputError(ValueError):  # type: ignore[no-redef]
        """Stands in for ours, so that `doctor` runs."""


class _Help(argparse.HelpFormatter):
    """Each command and what it does on one line: argparse forgets that commands are indented twice."""

    def __init__(self, prog: str):
        super().__init__(prog)
        self._action_max_length = 4 + len("device-check")


class Parser(argparse.ArgumentParser):
    """Errors as one line, no guessing at abbreviated options."""

    def __init__(self, **options: Any):
        super().__init__(allow_abbrev=False, formatter_class=_Help, **options)
        # Otherwise argparse takes -1e-3 for an option and complains of a missing value.
        self._negative_number_matcher = re.compile(r"^-(\d|\.\d|inf|nan)", re.IGNORECASE)

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}; see {self.prog} --help")


def common(parser: argparse.ArgumentParser) -> None:
    """What every command takes."""
    parser.add_argument("--seed", type=int, default=0, help="seed of everything random (default 0)")
    parser.add_argument("--backend", choices=("numpy", "cupy", "auto"), default="auto", help="arrays to compute with")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output, nothing else")
    parser.add_argument("--quiet", action="store_true", help="no notes and no progress")
    parser.add_argument("--data-dir", metavar="DIR", help="where mnist/train-images-idx3-ubyte.gz lies")


def latents(parser: argparse.ArgumentParser) -> None:
    """-k, which has no default."""
    parser.add_argument("-k", type=int, metavar="K", required=True, help="latents, at most the columns of DATA")


def noises(parser: argparse.ArgumentParser, default: str) -> None:
    """--sigma2 S ...; default: what is taken otherwise, in words."""
    said = f"noise variances (default: {default})"
    parser.add_argument("--sigma2", type=noise, nargs="+", metavar="S", help=said)


def beta(parser: argparse.ArgumentParser, more: str = "") -> None:
    """--beta B, 1 by default; more: what else it needs, in words."""
    said = f"weight of the KL, as in a beta-VAE: latents collapse where beta sigma2 reaches lam_j{more} (default 1)"
    parser.add_argument("--beta", type=noise, default=1.0, metavar="B", help=said)


def trials(parser: argparse.ArgumentParser, seeds: str, rates: str, option: str = "--learning-rates") -> None:
    """--seeds, learning rates and --precision of trainings; seeds, rates: what is taken otherwise, in words."""
    parser.add_argument("--seeds", type=int, nargs="+", metavar="N", help=f"how many, or which (default {seeds})")
    parser.add_argument(
        option, type=float, nargs="+", metavar="LR", dest="learning_rates", help=f"of Adam (default {rates})"
    )
    parser.add_argument(
        "--precision",
        choices=("float32", "tf32", "bf16"),
        default="float32",
        help="of products on a device (default float32)",
    )


def noise(text: str) -> float:
    """A number with all its digits: a typed spectrum is compared with them."""
    from verify.eigenvalues import Written

    try:
        return Written(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"invalid number: {text!r}") from None


def decimal(text: str) -> Decimal:
    """The decimal that was typed, with all its digits."""
    try:
        return Decimal(text)
    except InvalidOperation:
        raise argparse.ArgumentTypeError(f"invalid number: {text!r}") from None
