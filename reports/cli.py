"""The command line: elbo-verify COMMAND DATA ... (also: python -m reports).

Main       main(argv) -> exit code: 0 done, 1 a claim is broken, 2 bad input, 130 interrupted.

Whatever is wrong with the input ends in one line on standard error: what, where, what to do.
"""

import argparse
import importlib
import os
import re
import sys
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, NoReturn

try:
    from verify.errors import InputError
except ImportError:  # another package called verify comes first: only the doctor can say where it lies

    class InputError(ValueError):  # type: ignore[no-redef]
        """Stands in for ours, so that `doctor` runs."""


BAD_INPUT, INTERRUPTED = 2, 130
DATA = (
    "digits, mnist, mnist:1000, fashion-mnist, patches, celeba:FOLDER, a .npy, .npz, .csv or .csv.gz file, "
    "or eigenvalues:6,4,2.5"
)


class _Help(argparse.HelpFormatter):
    """Each command and what it does on one line: argparse forgets that commands are indented twice."""

    def __init__(self, prog: str):
        super().__init__(prog)
        self._action_max_length = 4 + len("device-check")


class _Parser(argparse.ArgumentParser):
    """Errors as one line, no guessing at abbreviated options."""

    def __init__(self, **options: Any):
        super().__init__(allow_abbrev=False, formatter_class=_Help, **options)
        # Otherwise argparse takes -1e-3 for an option and complains of a missing value.
        self._negative_number_matcher = re.compile(r"^-(\d|\.\d|inf|nan)", re.IGNORECASE)

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}; see {self.prog} --help")


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = _Parser(
        prog="elbo-verify", description="Posterior collapse of linear latent-variable models, put to the test."
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=_Parser)
    _add_checks(commands)
    _add_analyses(commands)
    _add_trainings(commands)
    return top


def _command(commands: Any, name: str, about: str, parent: argparse.ArgumentParser, more: str = "") -> Any:
    """One command, described alike in the list of commands and in its own help."""
    said = f"{about[0].upper()}{about[1:]}. {more}".rstrip()
    return commands.add_parser(name, parents=[parent], help=about, description=said)


def _common() -> argparse.ArgumentParser:
    common = _Parser(add_help=False)
    common.add_argument("--seed", type=int, default=0, help="seed of everything random (default 0)")
    common.add_argument("--backend", choices=("numpy", "cupy", "auto"), default="auto", help="arrays to compute with")
    common.add_argument("--json", action="store_true", help="one JSON document on standard output, nothing else")
    common.add_argument("--quiet", action="store_true", help="no notes and no progress")
    common.add_argument("--data-dir", metavar="DIR", help="where mnist/train-images-idx3-ubyte.gz lies")
    return common


def _data(default: str | None = None) -> argparse.ArgumentParser:
    """DATA and what is done to it."""
    data = _Parser(add_help=False, parents=[_common()])
    if default is None:
        data.add_argument("data", metavar="DATA", help=DATA)
    else:
        data.add_argument("data", metavar="DATA", nargs="?", default=default, help=f"{DATA} (default {default})")
    data.add_argument("--scale", type=float, metavar="C", help="divide by C, for instance 255")
    data.add_argument("--logit", type=float, metavar="ALPHA", help="dequantise and take the logit")
    return data


def _add_checks(commands: Any) -> None:
    doctor = _command(commands, "doctor", "what is installed and what works", _common())
    doctor.set_defaults(run="doctor")

    prove = _command(commands, "prove", "put the claims of the paper to the test", _common())
    prove.add_argument("claims", nargs="*", metavar="CLAIM", help="only these (default: all)")
    prove.add_argument("--thorough", action="store_true", help="more instances per claim; takes far longer")
    prove.add_argument("--ledger", type=Path, metavar="FILE", help="write the ledger (JSON)")
    prove.set_defaults(run="prove")

    device_check = _command(commands, "device-check", "kernels, speed and proofs on this device", _common())
    device_check.add_argument("--out", type=Path, metavar="DIR", required=True, help="folder for the results (JSON)")
    device_check.add_argument("--peers", action="store_true", help="beside torch and jax, if they are installed")
    device_check.set_defaults(run="device_check")

    audit = _command(commands, "audit", "the paper's printed tables against themselves", _common())
    audit.set_defaults(run="audit")

    certify = _command(commands, "certify", "check a stored certificate (later version)", _common())
    certify.add_argument("--check", type=Path, metavar="FILE", help="the certificate")
    certify.set_defaults(run="certify")

    collapse = _command(
        commands,
        "collapse",
        "collapse of any model's latents",
        _common(),
        "LATENTS is a .npz or .safetensors file with the means and the variances of the encoder, one row per datum, or "
        "two .npy files. Names that are known: mu, mean, z_mean, loc; logvar, log_var, z_log_var; var, variance; std, "
        "sigma, scale (turned into log variances, and said).",
    )
    collapse.add_argument(
        "latents", type=Path, nargs="+", metavar="LATENTS", help="mu and logvar (N, k): a .npz, or mu.npy logvar.npy"
    )
    collapse.add_argument("--epsilon", type=float, nargs="+", metavar="E", help="default: 50 from 0 to 2, and 0.01")
    collapse.add_argument("--delta", type=_decimal, default=Decimal("0.01"), metavar="D", help="default 0.01")
    collapse.set_defaults(run="collapse", module="collapse_command")


def _noise(text: str) -> float:
    """A number with all its digits: a typed spectrum is compared with them."""
    from verify.eigenvalues import Written

    try:
        return Written(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"invalid number: {text!r}") from None


def _decimal(text: str) -> Decimal:
    """The decimal that was typed, with all its digits."""
    try:
        return Decimal(text)
    except InvalidOperation:
        raise argparse.ArgumentTypeError(f"invalid number: {text!r}") from None


def _add_analyses(commands: Any) -> None:
    stationary = _command(commands, "stationary", "stationary points, best first", _data())
    _add_k(stationary)
    noise = stationary.add_mutually_exclusive_group(required=True)
    noise.add_argument("--sigma2", type=_noise, metavar="S", help="fixed noise variance")
    noise.add_argument("--learned-noise", action="store_true", help="stationary in the noise as well")
    stationary.add_argument("--objective", choices=("ppca", "elbo"), default="ppca", help="default ppca")
    stationary.add_argument("--top", type=int, metavar="M", help="list the best M (default: all if few, else 20)")
    stationary.add_argument("--save", type=Path, metavar="FILE.npz", help="write W, V, D, sigma2 of each point")
    stationary.set_defaults(run="stationary")

    stability = _command(commands, "stability", "retained latents per noise, thresholds", _data())
    _add_k(stability)
    _add_noises(stability, "a grid from half the recommended noise to beyond lam_1")
    stability.add_argument("--certify", action="store_true", help="comes with a later version")
    stability.set_defaults(run="stability")

    landscape = _command(commands, "landscape", "slices as in Figure 1", _data())
    _add_k(landscape)
    _add_noises(landscape, "at lam_4, lam_6, lam_8, or spread over fewer")
    landscape.add_argument(
        "--directions", type=int, nargs=2, metavar=("I", "J"), help="eigenvectors (default 5 7, or what there is)"
    )
    landscape.add_argument("--grid", type=int, default=101, metavar="G", help="points a side (default 101)")
    landscape.add_argument("--save", type=Path, metavar="FILE.npz", help="write the grids")
    landscape.add_argument("--out", type=Path, metavar="DIR", required=True, help="folder for figure and JSON")
    landscape.set_defaults(run="landscape")

    report = _command(commands, "report", "the stability report, one page", _data("digits"))
    report.add_argument("-k", type=int, metavar="K", help="latents (default: the smaller of 10 and n - 1)")
    report.add_argument("--ledger", type=Path, metavar="FILE", help="a ledger to show (elbo-verify prove --ledger)")
    report.add_argument("--out", type=Path, metavar="DIR", help="default reports/out/NAME")
    report.set_defaults(run="report")


def _add_trainings(commands: Any) -> None:
    train = _command(commands, "train", "Gaussian VAEs, deep or linear, many at once", _data())
    train.add_argument("--arch", required=True, metavar="ARCH", help="mlp, conv, linear or linear-decoder")
    train.add_argument("-k", type=int, metavar="K", required=True, help="latents, as many as you like")
    train.add_argument(
        "--hidden", type=int, nargs="+", metavar="H", help="hidden units (default 1024 512); of conv: channels, units"
    )
    train.add_argument("--sigma2", type=float, nargs="+", default=[], metavar="S", help="models with this fixed noise")
    train.add_argument(
        "--learned-noise", type=float, nargs="+", default=[], metavar="S", help="models that learn it, from S on"
    )
    _add_trials(train, "one, that of --seed", "0.001", "--learning-rate")
    train.add_argument("--beta", type=float, default=1.0, metavar="B", help="weight of the KL (default 1)")
    train.add_argument("--anneal", type=int, default=0, metavar="EPOCHS", help="raise beta from 0 over so many epochs")
    train.add_argument("--epochs", type=int, default=100, metavar="E", help="default 100")
    train.add_argument("--batch", type=int, default=128, metavar="B", help="data a step (default 128)")
    train.add_argument("--analytic", action="store_true", help="the ELBO in closed form; linear decoders only")
    train.add_argument(
        "--dequantise", choices=("once", "epoch"), help="add noise to grey values: the same or anew every epoch"
    )
    train.add_argument(
        "--precision", choices=("float32", "tf32", "bf16"), default="float32", help="of products on a device"
    )
    train.add_argument("--group", type=int, metavar="G", help="models in step (default: as many as suit the machine)")
    train.add_argument("--save-latents", type=Path, metavar="FILE.npz", help="mu, logvar of the best model; with --out")
    train.add_argument(
        "--latents-of",
        nargs="+",
        metavar=("NOISE", "SEED"),
        help="of --save-latents: the model of this fixed noise, or learned; of this seed, or the best",
    )
    train.add_argument("--out", type=Path, metavar="DIR", help="results, figure, checkpoints to continue from")
    train.set_defaults(run="train", module="training_commands")

    tables = _command(
        commands,
        "tables",
        "the paper's Tables 1-5, trained again, beside the printed ones",
        _common(),
        "quick: small models on a subset, minutes on two cores. paper: the paper's models and data; 1000 epochs of the "
        "400 models of Table 2 take months without a device, so name fewer --epochs, --seeds, --learning-rates. How "
        "much work is ahead is said before it starts; interrupted, the same command continues.",
    )
    tables.add_argument("tables", type=int, nargs="*", metavar="TABLE", help="1 to 5 (default: all)")
    tables.add_argument("--preset", choices=("quick", "paper"), default="quick", help="default quick")
    tables.add_argument(
        "--data",
        nargs="+",
        default=[],
        metavar="DATA",
        help="in place of the preset's; celeba:FOLDER for CelebA's rows",
    )
    tables.add_argument("-k", type=int, metavar="K", help="latents (default: the preset's)")
    tables.add_argument("--hidden", type=int, nargs="+", metavar="H", help="hidden units (default: the preset's)")
    tables.add_argument("--epochs", type=int, metavar="E", help="passes over the data (default: the preset's)")
    _add_trials(tables, "the preset's number", "the preset's")
    tables.add_argument("--out", type=Path, metavar="DIR", help="default reports/out/tables-PRESET")
    tables.set_defaults(run="tables", module="tables_command")


def _add_trials(command: argparse.ArgumentParser, seeds: str, rates: str, option: str = "--learning-rates") -> None:
    command.add_argument("--seeds", type=int, nargs="+", metavar="N", help=f"how many, or which (default {seeds})")
    command.add_argument(
        option, type=float, nargs="+", metavar="LR", dest="learning_rates", help=f"of Adam (default {rates})"
    )


def _add_k(command: argparse.ArgumentParser) -> None:
    command.add_argument("-k", type=int, metavar="K", required=True, help="latents, at most the columns of DATA")


def _add_noises(command: argparse.ArgumentParser, default: str) -> None:
    command.add_argument("--sigma2", type=_noise, nargs="+", metavar="S", help=f"noise variances (default: {default})")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; -> its exit code.  Never raises on account of bad input."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal that knows no Greek is no reason to fail
    argv = list(sys.argv[1:] if argv is None else argv)
    session = None
    try:
        args, unknown = parser().parse_known_args(argv)
        if unknown:
            raise InputError(f"unrecognized arguments: {' '.join(unknown)}; see elbo-verify {args.command} --help")
        args.argv = argv
        if args.run == "doctor":
            code = int(importlib.import_module("reports.doctor").doctor(args))
            sys.stdout.flush()
            return code
        console = importlib.import_module("reports.console")
        session = console.Session(json=args.json, quiet=args.quiet)
        module = importlib.import_module(f"reports.{getattr(args, 'module', 'commands')}")
        code = int(getattr(module, args.run)(args, session))
        sys.stdout.flush()
        return code
    except SystemExit as stop:  # --help
        return int(stop.code or 0)
    except KeyboardInterrupt as stop:
        sys.stdout.flush()
        kept = ", ".join(map(str, session.kept)) if session is not None else ""
        said = [f"interrupted: {stop}" if str(stop) else "interrupted"]  # a command that has shown something says what
        said += [f"kept {kept}"] if kept else ["nothing was written"] if not str(stop) else []
        return _complain("; ".join(said), INTERRUPTED)
    except BrokenPipeError:
        _silence_stdout()
        return 0  # whoever reads has had enough
    except OSError as error:
        _silence_stdout()
        where = f"{error.filename}: " if error.filename is not None else "output: "
        return _complain(f"{where}{error.strerror or error}; make room or name another place")
    except MemoryError:
        return _complain("out of memory; use fewer columns, fewer points (--top) or a smaller grid")
    except ImportError as error:
        return _complain(f"{error}; `elbo-verify doctor` says what is missing")
    except InputError as error:
        return _complain(str(error))


def _complain(message: str, code: int = BAD_INPUT) -> int:
    """One line on standard error."""
    line = "".join(c if c.isprintable() else "?" for c in " ".join(message.split()))
    print(f"elbo-verify: {line}", file=sys.stderr, flush=True)
    return code


def _silence_stdout() -> None:
    """Nothing more can be written there, and Python would say so once more when it ends."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        return
