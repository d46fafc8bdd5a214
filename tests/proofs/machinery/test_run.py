"""`prove` from outside a clone: exit codes, silence, and nothing left behind.

At the end of the file what it makes of a run, with a stand-in for the process that runs.
"""

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from proofs.machinery import run
from proofs.machinery.run import TIMED_OUT, prove
from tests.proofs.machinery import claims
from verify.errors import InputError

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A current folder whose own settings and modules would spoil the run if they were picked up."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    (folder / "conftest.py").write_text("raise RuntimeError('the conftest of the current folder was read')\n")
    (folder / "verify.py").write_text("raise RuntimeError('the verify of the current folder was imported')\n")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PYTEST_ADDOPTS", "--no-such-option")
    return folder


def test_sound_claims_give_0_and_leave_nothing_in_the_current_folder(tmp_path, elsewhere, capfd):
    folder = claims.write_claims(tmp_path / "claims", a=claims.HOLDS, b=claims.CORRECTED)
    before = sorted(elsewhere.iterdir())
    assert prove(folder=folder, ledger=Path("../ledger.json")) == 0
    assert sorted(elsewhere.iterdir()) == before
    document = json.loads((tmp_path / "ledger.json").read_text())
    assert {claim["id"]: claim["verdict"] for claim in document["claims"]} == {
        "eq-13": "holds with correction",
        "eq-5": "holds",
    }
    assert document["complete"]
    assert "2 claims: 1 holds, 1 holds with correction" in capfd.readouterr().out


def test_a_broken_claim_gives_1_and_quiet_prints_nothing(tmp_path, elsewhere, capfd):
    folder = claims.write_claims(tmp_path / "claims", a=claims.HOLDS, b=claims.NO_CONTROL)
    assert prove(folder=folder, quiet=True) == 1
    assert prove(["eq-5"], folder=folder, quiet=True) == 0
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_a_file_that_cannot_be_imported_gives_1_and_hides_no_other(tmp_path, elsewhere):
    folder = claims.write_claims(tmp_path / "claims", a=claims.CORRECTED, b="import no_such_module\n")
    ledger = tmp_path / "ledger.json"
    assert prove(folder=folder, ledger=ledger, quiet=True) == 1
    document = json.loads(ledger.read_text())
    assert [claim["verdict"] for claim in document["claims"]] == ["holds with correction"]
    assert len(document["errors"]) == 1


def test_bad_input_is_one_line(tmp_path, elsewhere, capfd):
    folder = claims.write_claims(tmp_path / "claims", a=claims.CORRECTED)
    with pytest.raises(InputError) as unknown:
        prove(["eq-12"], folder=folder, quiet=True)
    assert str(unknown.value) == "no such claim: eq-12; the nearest are eq-13"
    with pytest.raises(InputError, match="cannot be written"):
        prove(folder=folder, ledger=tmp_path, quiet=True)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no claims found there"):
        prove(folder=tmp_path / "empty", quiet=True)
    assert capfd.readouterr().err == ""


def test_a_backend_that_is_not_there_is_bad_input(tmp_path, elsewhere, monkeypatch):
    # A CuPy that cannot be imported stands first on the path, whether or not there is a real one behind it.
    (tmp_path / "stand-in").mkdir()
    (tmp_path / "stand-in" / "cupy.py").write_text("raise ImportError('not today')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "stand-in"))
    folder = claims.write_claims(tmp_path / "claims", a=claims.CORRECTED)
    with pytest.raises(InputError, match=r"backend cupy: CuPy cannot be imported \(not today\)"):
        prove(folder=folder, backend="cupy", quiet=True)
    assert prove(folder=folder, backend="auto", quiet=True) == 0


SLOW = f"""{claims.HEAD}
import pathlib, time
CLAIM = Claim("slow", "Eq. 1", "statement")
STEP = CLAIM.step("whole", "all of it")

@STEP.evidence(role="supports", kind="numeric")
def test_first(record):
    record()

@STEP.evidence(role="supports", kind="numeric")
def test_second(record):
    pathlib.Path(__file__).with_name("started").touch()
    time.sleep(60)
"""


def test_an_interrupt_gives_130_and_keeps_the_ledger_so_far(tmp_path, elsewhere):
    folder = claims.write_claims(tmp_path / "claims", slow=SLOW)
    ledger = tmp_path / "ledger.json"
    program = (
        "import sys; from pathlib import Path; from proofs.machinery.run import prove;"
        f"sys.exit(prove(folder=Path({str(folder)!r}), ledger=Path({str(ledger)!r})))"
    )
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", program],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        # A shell starts its background jobs with SIGINT ignored, and that would be inherited.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while not (folder / "started").exists() and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the whole group of the session started above
    assert process.wait(timeout=60) == 130
    document = json.loads(ledger.read_text())
    assert not document["complete"]
    [claim] = document["claims"]
    assert (claim["verdict"], len(claim["evidence"])) == ("undecided", 1)


@pytest.fixture
def in_the_background():
    """As a shell starts it there: with interruptions ignored, by those that are started from here too."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, before)


def test_a_run_out_of_time_gives_124_and_keeps_the_ledger_so_far(tmp_path, elsewhere, in_the_background):
    folder = claims.write_claims(tmp_path / "claims", slow=SLOW)
    ledger = tmp_path / "ledger.json"
    started = time.monotonic()
    # The second test sleeps for a minute; the first is over long before these seconds are.
    assert prove(folder=folder, ledger=ledger, quiet=True, seconds=15) == TIMED_OUT
    assert time.monotonic() - started < 40  # it listened, and was not killed
    document = json.loads(ledger.read_text())
    assert not document["complete"]
    assert [len(claim["evidence"]) for claim in document["claims"]] == [1]


def test_only_claims_that_compute_with_the_backend(tmp_path, elsewhere):
    folder = claims.write_claims(tmp_path / "claims", a=claims.HOLDS, b=claims.CORRECTED)
    ledger = tmp_path / "ledger.json"
    assert prove(folder=folder, ledger=ledger, quiet=True, on_device=True) == 0
    document = json.loads(ledger.read_text())
    assert document["complete"]
    [claim] = document["claims"]  # with all of its evidence, also that on the host
    assert (claim["id"], claim["verdict"], len(claim["evidence"])) == ("eq-5", "holds", 6)
    assert prove(["eq-5"], folder=folder, quiet=True, on_device=True) == 0


class Standing:
    """In the place of subprocess.Popen: says what it is told to, and keeps what it was started with."""

    status, errors, interruption = 0, "", None

    def __init__(self, command, **options):
        type(self).command, type(self).options, type(self).waited, type(self).signals = command, options, 0, []
        self.returncode = None

    def send_signal(self, number):
        self.signals.append(number)

    def communicate(self, timeout=None):
        type(self).waited += 1
        if self.interruption is not None and self.waited == 1:
            raise self.interruption
        self.returncode = self.status
        return None, self.errors


@pytest.fixture
def standing(monkeypatch):
    """standing(status=..., errors=...) -> the stand-in for the process that `prove` will start."""

    def of(**fields):
        process = type("Process", (Standing,), fields)
        monkeypatch.setattr(run.subprocess, "Popen", process)
        return process

    return of


@pytest.mark.parametrize(("status", "code"), [(0, 0), (1, 1), (2, 130), (3, 1), (-9, 1), (130, 1)])
def test_the_code_follows_from_how_pytest_ended(tmp_path, standing, status, code):
    standing(status=status)
    assert prove(folder=tmp_path) == code


@pytest.mark.parametrize(
    ("status", "errors", "words"),
    [
        (4, "noise\nERROR: first\nERROR: the last\nusage: pytest\n\n", "the last"),
        (4, "ERROR: the only one\nmore\n", "the only one"),
        (4, "  a sentence of another kind\n", "a sentence of another kind"),
        (5, "", "{folder}: no claims found there; reinstall elbo-verify"),
    ],
)
def test_bad_input_is_what_pytest_complains_of(tmp_path, standing, capsys, status, errors, words):
    standing(status=status, errors=errors)
    with pytest.raises(InputError) as error:
        prove(["c"], folder=tmp_path)
    assert str(error.value) == words.format(folder=tmp_path)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("status", [0, 1])
def test_what_pytest_warns_of_is_passed_on(tmp_path, standing, capsys, status):
    standing(status=status, errors="a warning\n")
    assert prove(folder=tmp_path, quiet=True) == status
    assert capsys.readouterr().err == "a warning\n"


def test_nothing_is_asked_for_that_was_not_said(tmp_path, standing, monkeypatch):
    process = standing()
    prove(folder=tmp_path)
    plain = list(process.command)
    assert process.options["stdout"] is None  # what it prints is seen
    assert not {"--thorough", "--on-device"} & set(plain)
    assert not any(word.startswith(("--claim", "--ledger")) for word in plain)
    assert "--backend=auto" in plain and str(tmp_path) in plain
    monkeypatch.chdir(tmp_path)
    said = {"thorough": True, "on_device": True, "backend": "numpy", "ledger": Path("x.json"), "quiet": True}
    prove(["a", "b"], folder=tmp_path, **said)
    assert process.options["stdout"] is subprocess.DEVNULL
    asked = {"--thorough", "--on-device", "--backend=numpy", "--claim=a", "--claim=b", f"--ledger={tmp_path}/x.json"}
    assert set(process.command) - set(plain) == asked
    assert set(plain) - set(process.command) == {"--backend=auto"}


@pytest.mark.parametrize("before", [None, "", os.pathsep, "relative", f"/absolute{os.pathsep}{os.pathsep}relative"])
def test_the_run_finds_this_copy_first_and_nothing_of_the_current_folder(tmp_path, standing, monkeypatch, before):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTEST_ADDOPTS", "--no-such-option")
    monkeypatch.setenv("ANOTHER", "one")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    if before is not None:
        monkeypatch.setenv("PYTHONPATH", before)
    process = standing()
    prove(folder=tmp_path)
    environment = process.options["env"]
    first, *others = environment["PYTHONPATH"].split(os.pathsep)
    assert Path(first) == ROOT
    named = [path for path in (before or "").split(os.pathsep) if path]
    assert others == [str(tmp_path / path) for path in named]
    assert environment["ANOTHER"] == "one" and "PYTEST_ADDOPTS" not in environment
    assert Path(process.options["cwd"]) not in (tmp_path, ROOT)


@pytest.mark.parametrize(
    ("interruption", "code", "signals"),
    [(KeyboardInterrupt(), 130, []), (subprocess.TimeoutExpired("pytest", 1.0), 124, [signal.SIGINT])],
)
def test_after_an_interrupt_the_run_is_waited_for(tmp_path, standing, interruption, code, signals):
    process = standing(interruption=interruption)
    assert prove(folder=tmp_path) == code
    assert process.signals == signals  # the terminal has interrupted both
    assert process.waited == 2  # it still writes its ledger


LISTENS = "signal.signal(signal.SIGINT, lambda *_: (time.sleep(0.2), os._exit(7)))"
DEAF = "signal.signal(signal.SIGINT, signal.SIG_IGN)"


@pytest.mark.parametrize(("manner", "patience", "end"), [(LISTENS, 30.0, 7), (DEAF, 0.1, -signal.SIGKILL)])
def test_a_run_that_is_to_stop_is_waited_for_and_killed_if_it_does_not_listen(monkeypatch, manner, patience, end):
    monkeypatch.setattr(run, "PATIENCE", patience)
    program = f"import os, signal, time; {manner}; print('ready', flush=True); time.sleep(20)"
    process = subprocess.Popen(
        [sys.executable, "-S", "-E", "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    run._stop(process)
    assert process.returncode == end


def test_the_names_are_looked_at_only_where_they_can_be_known(tmp_path, standing):
    standing(status=5)
    with pytest.raises(InputError, match="no claims found there"):  # and not: no such claim
        prove(["c"], folder=tmp_path)
