"""Runs the proofs in a process of their own, from a clone or from an installed package alike.

Main       prove; check_known, of names before anything runs.

The run is shielded from where it is started: it sees no configuration, plugins or modules of the user's
folder, and whatever it leaves behind lands in a temporary folder that is deleted.
"""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from proofs.machinery.claims import Claim
from proofs.machinery.declared import declared, unknown
from verify.errors import InputError

PROOFS = Path(__file__).resolve().parents[1]
INTERRUPTED, TIMED_OUT = 130, 124
# A run that is to stop has as long to write its ledger.
PATIENCE = 30.0
_PYTEST_INTERRUPTED, _PYTEST_USAGE, _PYTEST_NOTHING = 2, 4, 5


def prove(
    claims: Sequence[str] = (),
    *,
    thorough: bool = False,
    ledger: Path | None = None,
    backend: str = "auto",
    quiet: bool = False,
    on_device: bool = False,
    seconds: float | None = None,
    folder: Path = PROOFS,
) -> int:
    """Put the named claims, or all, to the test: 0 if none is broken, 1 if one is, 130 if interrupted.

    `on_device` leaves out the claims none of whose evidence computes with the backend. After `seconds` the run is
    stopped, the ledger holds what there is by then, and the result is 124. Prints pytest's progress and the ledger,
    nothing if `quiet`. InputError for an unknown claim (the nearest are named), a backend that is not there, a ledger
    that cannot be written, or a folder without claims.
    """
    known, unread = declared(folder)
    if known and not unread:  # a file that must be run may hold the claim
        check_known(claims, known)
    with tempfile.TemporaryDirectory(prefix="elbo-verify-") as scratch:
        command = _command(claims, thorough=thorough, ledger=ledger, backend=backend, folder=folder)
        command += ["--on-device"] if on_device else []
        status, complaint = _run(command, cwd=scratch, quiet=quiet, seconds=seconds)
    if status == _PYTEST_USAGE:
        raise InputError(complaint)
    if status == _PYTEST_NOTHING:
        raise InputError(f"{folder}: no claims found there; reinstall elbo-verify")
    if status in (_PYTEST_INTERRUPTED, TIMED_OUT):
        return INTERRUPTED if status == _PYTEST_INTERRUPTED else TIMED_OUT
    return 0 if status == 0 else 1


def check_known(ids: Sequence[str], known: Sequence[Claim]) -> None:
    """InputError for the first id that is none of the claims; the nearest are named."""
    names = [claim.id for claim in known]
    for id in ids:
        if id not in names:
            raise InputError(unknown(id, names))


def _command(claims: Sequence[str], *, thorough: bool, ledger: Path | None, backend: str, folder: Path) -> list[str]:
    command = [sys.executable, "-m", "pytest", str(folder), "-p", "proofs.machinery.plugin", "-q"]
    # No configuration but this one, and no cache: the folder may be read-only, and the caller's is not ours.
    command += ["-c", os.devnull, "--rootdir", str(folder.parent), "-p", "no:cacheprovider"]
    # A file that cannot be imported must not hide the verdicts of the others; the exit status still tells.
    command += ["--continue-on-collection-errors", "--strict-markers", "-o", "xfail_strict=true"]
    command += [f"--backend={backend}", *(f"--claim={claim}" for claim in claims)]
    command += ["--thorough"] if thorough else []
    command += [f"--ledger={Path(ledger).absolute()}"] if ledger is not None else []
    return command


def _environment() -> dict[str, str]:
    """The caller's environment, less what would steer pytest, plus the way to this copy of the packages."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    paths = [str(PROOFS.parent)]
    paths += [os.path.abspath(path) for path in environment.get("PYTHONPATH", "").split(os.pathsep) if path]
    environment["PYTHONPATH"] = os.pathsep.join(paths)
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    return environment


def _run(command: list[str], *, cwd: str, quiet: bool, seconds: float | None) -> tuple[int, str]:
    """Exit status and, for bad input, pytest's complaint in one line."""
    stdout = subprocess.DEVNULL if quiet else None
    # One that may be stopped has to listen, whoever started us: in the background a shell has interruptions ignored.
    listening = None if seconds is None else partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    process = subprocess.Popen(
        command, cwd=cwd, env=_environment(), stdout=stdout, stderr=subprocess.PIPE, text=True, preexec_fn=listening
    )
    try:
        _, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        _stop(process)
        return TIMED_OUT, ""
    except KeyboardInterrupt:
        # The terminal has interrupted the child as well; it still writes the ledger of what it has.
        process.communicate()
        return _PYTEST_INTERRUPTED, ""
    if process.returncode != _PYTEST_USAGE:
        sys.stderr.write(errors)
    complaints = [line.removeprefix("ERROR: ") for line in errors.splitlines() if line.startswith("ERROR: ")]
    return process.returncode, complaints[-1] if complaints else errors.strip()


def _stop(process: subprocess.Popen[str]) -> None:
    """End a run as an interruption from the terminal would; one that does not listen is killed."""
    process.send_signal(signal.SIGINT)
    try:
        process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
