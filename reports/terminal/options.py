"""The parts of a command line that commands share.

Main       Parser, idle_words; common, latents, noises, certify, trials, made_again, folder; noise, real, decimal.

Nothing but the standard library is imported here, since `doctor` must run where all else is broken.
"""

import argparse
import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, NoReturn

try:
    from verify.errors import InputError
except ImportError:  # another package called verify comes first: only the doctor can say where it lies

    class InputError(ValueError):  # type: ignore[no-redef]
        """Stands in for ours, so that `doctor` runs."""


COMMON = "common options"


class _Help(argparse.HelpFormatter):
    """Each command and what it does on one line: argparse forgets that commands are indented twice."""

    def __init__(self, prog: str):
        super().__init__(prog)
        self._action_max_length = 4 + len("device-check")


class Parser(argparse.ArgumentParser):
    """Errors as one line, no guessing at abbreviated options."""

    overview: str | None = None  # what --help says instead of argparse's page

    def __init__(self, **options: Any):
        super().__init__(allow_abbrev=False, formatter_class=_Help, **options)
        # Otherwise argparse takes -1e-3 for an option and complains of a missing value.
        self._negative_number_matcher = re.compile(r"^-(\d|\.\d|inf|nan)", re.IGNORECASE)

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}; see {self.prog} --help")

    def format_help(self) -> str:
        self._action_groups.sort(key=lambda group: group.title == COMMON)  # last, however early they were added
        return super().format_help() if self.overview is None else self.overview

    def as_typed(self, name: str) -> str:
        """-k, --sigma2 or DATA for its name in a namespace."""
        for action in self._actions:
            if action.dest == name:
                return str(action.option_strings[0] if action.option_strings else action.metavar)
        return name

    def idle(self, names: Sequence[str]) -> None:
        """Leave options out of the help that every command takes and that mean nothing to this one."""
        for action in self._actions:
            if action.dest in names:
                action.help = argparse.SUPPRESS


def idle_words(names: Sequence[str], argv: Sequence[str]) -> list[str]:
    """Those of the options called `names` that a command line gives."""
    words = [f"--{name.replace('_', '-')}" for name in names]
    return [word for word in words if any(given == word or given.startswith(f"{word}=") for given in argv)]


def common(parser: argparse.ArgumentParser, *, data_dir: bool = True) -> None:
    """What every command takes; data_dir: it looks for MNIST as well.  (What means nothing to one: its IDLE.)"""
    group = parser.add_argument_group(COMMON)
    group.add_argument("--json", action="store_true", help="one JSON document on standard output, nothing else")
    group.add_argument("--quiet", action="store_true", help="no notes and no progress on standard error")
    group.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of all that is drawn: rows, noise, weights (default 0)"
    )
    group.add_argument(
        "--backend",
        choices=("numpy", "cupy", "auto"),
        default="auto",
        help="numpy computes here, cupy on a GPU; auto takes a GPU if doctor finds one (default auto)",
    )
    if data_dir:
        group.add_argument(
            "--data-dir",
            metavar="DIR",
            help="the folder that holds mnist/train-images-idx3-ubyte.gz; else ELBO_VERIFY_DATA (no downloads)",
        )


def folder(parser: argparse.ArgumentParser, said: str, *, required: bool = False) -> None:
    """--out DIR, and --overwrite for a folder that holds other results; said: what is written there, in words."""
    parser.add_argument("--out", type=Path, metavar="DIR", required=required, help=said)
    parser.add_argument("--overwrite", action="store_true", help="replace the results of something else in that folder")


def latents(parser: argparse.ArgumentParser) -> None:
    """-k, which has no default."""
    parser.add_argument(
        "-k", type=int, metavar="K", required=True, help="number of latents, at most the columns of DATA"
    )


def noises(parser: argparse.ArgumentParser, default: str) -> None:
    """--sigma2 S ...; default: what is taken otherwise, in words."""
    said = f"observation noise: variances, in squared units of the data (default: {default})"
    parser.add_argument("--sigma2", type=noise, nargs="+", metavar="S", help=said)


def beta(parser: argparse.ArgumentParser, more: str = "") -> None:
    """--beta B, 1 by default; more: what else it needs, in words."""
    said = f"weight of the KL, as in a beta-VAE: latents collapse where beta sigma2 reaches lam_j{more} (default 1)"
    parser.add_argument("--beta", type=noise, default=1.0, metavar="B", help=said)


def certify(parser: argparse.ArgumentParser, what: str) -> None:
    """--certify; what: which numbers, in words."""
    said = f"prove {what} in exact arithmetic for these very data, or say what is undecided and why"
    parser.add_argument("--certify", action="store_true", help=said)


def trials(parser: argparse.ArgumentParser, seeds: str, rates: str, option: str = "--learning-rates") -> None:
    """--seeds, learning rates and --precision of trainings; seeds, rates: what is taken otherwise, in words."""
    parser.add_argument(
        "--seeds", type=int, nargs="+", metavar="N", help=f"how many seeds, or which ones (default {seeds})"
    )
    parser.add_argument(
        option,
        type=real,
        nargs="+",
        metavar="LR",
        dest="learning_rates",
        help=f"learning rates of Adam (default {rates})",
    )
    parser.add_argument(
        "--precision",
        choices=("float32", "tf32", "bf16"),
        default="float32",
        help="of matrix products on a GPU; the others are faster and coarser (default float32)",
    )


def made_again(parser: argparse.ArgumentParser) -> None:
    """What is trained again of the paper: --preset, the data in place of its own, epochs and trials."""
    parser.add_argument(
        "--preset",
        choices=("quick", "paper"),
        default="quick",
        help="sizes: small, or those of the paper (default quick)",
    )
    parser.add_argument(
        "--data",
        nargs="+",
        default=[],
        metavar="DATA",
        help="data in place of the preset's: photographs (celeba:FOLDER, patches:500, a stack in colour) for CelebA, "
        "all others for MNIST",
    )
    parser.add_argument("--epochs", type=int, metavar="E", help="passes over the data (default: the preset's)")
    trials(parser, "the preset's number", "the preset's")


def _no_number(text: str) -> argparse.ArgumentTypeError:
    """What to say of a word that is none; of a decimal comma, how to write it."""
    comma = re.fullmatch(r"([+-]?\d*),(\d+)", text)
    return argparse.ArgumentTypeError(f"invalid number: {text!r}{f'; write {comma[1]}.{comma[2]}' if comma else ''}")


def real(text: str) -> float:
    """A number."""
    try:
        return float(text)
    except ValueError:
        raise _no_number(text) from None


def noise(text: str) -> float:
    """A number with all its digits: a typed spectrum is compared with them."""
    from verify.eigenvalues import Written

    try:
        return Written(text)
    except ValueError:
        raise _no_number(text) from None


def decimal(text: str) -> Decimal:
    """The decimal that was typed, with all its digits."""
    try:
        return Decimal(text)
    except InvalidOperation:
        raise _no_number(text) from None
