"""A copy of the tree in which one mutant at a time is planted and judged.

Main       Copy, Trial, FAST_CLAIM, FAST_CLAIMS.

A mutant is shown to the tests that run its line (covering.py) first, and, where they let it live, to the whole files of
tests and claims. The libraries are imported once; every run is a fork that imports the project afresh. Time is counted
in seconds of the processor, which others on the machine do not change; a run that uses 3 times what the file uses
without a mutant (and some seconds) is over time, which kills the mutant. What is red without a mutant judges nothing,
and is reported.
"""

import contextlib
import importlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.mutation.covering import Covering, Observer, statement
from benchmarks.mutation.judges import STRATA, Judges
from benchmarks.mutation.operators import Mutant

# A file of claims judges where it takes at most so many seconds, and all that judge one mutant at most so many.
FAST_CLAIM, FAST_CLAIMS = 6.0, 30.0
SLACK = 5.0
# Waiting may be long where others compute; this much longer than the processor's time is a hang.
HANGS = 20
LIBRARIES = ("numpy", "scipy.linalg", "scipy.optimize", "scipy.special", "scipy.stats", "sympy", "mpmath", "flint",
             "coverage", "hypothesis", "pytest", "_pytest.assertion.rewrite", "threadpoolctl")  # fmt: skip
LIBRARY_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
# What the runs without a mutant gave, relative to the root; `make clean` forgets it.
KEPT = Path("reports/out/without-a-mutant")
KILLED, SURVIVED = "killed", "survived"
CRASHED = -1


@dataclass(frozen=True)
class Trial:
    """What became of a mutant; by: the test that killed it, or "over time"; seconds: of the processor."""

    mutant: Mutant
    outcome: str
    by: str
    judged_by: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class Run:
    """One file of tests run once: exit status of pytest, the tests that failed, seconds; status None: over time."""

    status: int | None
    failed: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass
class Copy:
    """A copy of the files that git knows of, and of those it does not ignore; in `folder`, which is made."""

    root: Path
    folder: Path
    sound: dict[str, Run] = field(default_factory=dict)
    coverings: dict[str, Covering] = field(default_factory=dict)

    def __post_init__(self) -> None:
        listed = subprocess.run(
            ["git", "-C", str(self.root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            capture_output=True, check=True, text=True,
        ).stdout  # fmt: skip
        for name in filter(None, listed.split("\0")):
            if (self.root / name).is_file():
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(self.root / name, self.folder / name)
        self.judges = Judges(self.folder)
        # Later than all that is compiled, and never twice the same, so that nothing compiled outlives its source.
        self.clock = int(time.time())
        for name in LIBRARY_THREADS:
            os.environ[name] = "1"
        os.environ["PYTHONPATH"] = str(self.folder)
        for name in LIBRARIES:
            with contextlib.suppress(ImportError):
                importlib.import_module(name)

    def judged(self, mutant: Mutant, *, quick: bool = False) -> Trial:
        """Run the judges of a mutant until one sees it: the tests of its line, all tests, those claims that are fast.

        quick: the tests of its line only.
        """
        used, seen = 0.0, []
        for file, tests in self.judging(mutant, quick):
            run = self.with_mutant(mutant, file, tests)
            used, seen = used + run.seconds, [*seen, file]
            if by := self.verdict(file, run):
                return Trial(mutant, KILLED, by, tuple(seen), used)
        return Trial(mutant, SURVIVED, "", tuple(seen), used)

    def judging(self, mutant: Mutant, quick: bool) -> Iterator[tuple[str, tuple[str, ...] | None]]:
        """Files with the tests in them that judge, None for all of them; in this order."""
        lines = statement((self.folder / mutant.path).read_text(), mutant.line)
        later: list[tuple[str, tuple[str, ...] | None]] = []
        for file in self.judges.tests(mutant.path):
            self.sound_run(file)
            if (covering := self.coverings.get(file)) is None:  # it was over time
                continue
            tests = covering.seeing(mutant.path, lines)
            if tests:
                yield file, tests
            if tests is None or (not quick and (tests or covering.starters)):
                later.append((file, None))
            elif covering.starters:  # what starts processes is slow, and the last to be asked
                later.append((file, covering.starters))
        yield from later
        for file in [] if quick else self.fast_claims(mutant.path):
            if self.coverings[file].may_see(mutant.path, lines):
                yield file, None  # of some tests alone a claim would be broken

    def with_mutant(self, mutant: Mutant, file: str, tests: tuple[str, ...] | None = None) -> Run:
        """Run one file, or some tests of it, with the mutant in its place, which is undone."""
        sound = self.sound_run(file)
        source = (self.folder / mutant.path).read_text()
        self.write(mutant.path, mutant.applied(source))
        try:
            return self.run(file, sound, tests=tests)
        finally:
            self.write(mutant.path, source)

    def verdict(self, file: str, run: Run) -> str:
        """What killed, from a run with the mutant; "" where nothing did."""
        sound = self.sound[file]
        if run.status is None:
            return f"{file}: over time" if sound.status is not None else ""
        if new := [test for test in run.failed if test not in sound.failed]:
            return new[0]
        # A crash, or what pytest calls an error of its own; claims can be broken although every test passed.
        return f"{file}: exit status {run.status}" if sound.status == 0 and run.status != 0 else ""

    def fast_claims(self, path: str) -> list[str]:
        """The claims that may judge, within FAST_CLAIMS seconds together."""
        chosen, total = [], 0.0
        for file in self.judges.claims(path):
            sound = self.sound_run(file, limit=FAST_CLAIM)
            if sound.status is not None and total + sound.seconds <= FAST_CLAIMS:
                chosen.append(file)
                total += sound.seconds
        return chosen

    def sound_run(self, file: str, limit: float = 600.0) -> Run:
        """The run without a mutant, performed once and kept until something changes that the file imports.

        RuntimeError where it crashes: then nothing could be told.
        """
        if file not in self.sound:
            kept = self.root / KEPT / f"{self.judges.fingerprint(file)}.json"
            if not kept.exists():
                kept.parent.mkdir(parents=True, exist_ok=True)
                self._keep(file, limit, kept)
            document = json.loads(kept.read_text())
            self.sound[file] = Run(document["status"], tuple(document["failed"]), document["seconds"])
            if said := document["covering"]:
                tests, starters = tuple(said["tests"]), tuple(said["starters"])
                self.coverings[file] = Covering(tests, said["lines"], said["whole"], starters)
        return self.sound[file]

    def _keep(self, file: str, limit: float, kept: Path) -> None:
        out = self.folder / "covering.json"
        out.unlink(missing_ok=True)
        run = self.run(file, Run(0), limit=limit, observed=out)
        if run.status == CRASHED:
            raise RuntimeError(f"{file} cannot be run without a mutant: {run.failed}")
        covering = json.loads(out.read_text()) if out.exists() else None
        written = self.folder / "kept.json"
        written.write_text(json.dumps({**asdict(run), "covering": covering}))
        shutil.move(written, kept)

    def write(self, path: str, text: str) -> None:
        self.clock += 1
        (self.folder / path).write_text(text)
        os.utime(self.folder / path, (self.clock, self.clock))

    def run(
        self,
        file: str,
        sound: Run,
        *,
        limit: float | None = None,
        tests: tuple[str, ...] | None = None,
        observed: Path | None = None,
    ) -> Run:
        """Run one file, or some tests of it, in a fork, until the first failure that is none of `sound`.

        observed: where the lines that each test runs are written to; then all tests run, whatever fails.
        """
        limit = 3 * sound.seconds + SLACK if limit is None else limit
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            _run_pytest(tests or (file,), self.folder, None if observed else sound.failed, limit, writing, observed)
        os.close(writing)
        deadline = time.monotonic() + HANGS * limit
        while (ended := os.wait4(child, os.WNOHANG))[0] == 0 and time.monotonic() < deadline:
            time.sleep(0.02)
        if ended[0] == 0:
            os.killpg(child, signal.SIGKILL)
            ended = os.wait4(child, 0)
        with contextlib.suppress(ProcessLookupError):  # what the tests started and left behind
            os.killpg(child, signal.SIGKILL)
        with os.fdopen(reading) as pipe:
            said = pipe.read()
        used = ended[2].ru_utime + ended[2].ru_stime
        if os.WIFSIGNALED(ended[1]) and os.WTERMSIG(ended[1]) in (signal.SIGXCPU, signal.SIGKILL):
            return Run(None, (), used)
        if os.WIFSIGNALED(ended[1]) or not said:
            return Run(CRASHED, (), used)
        status, failed = json.loads(said)
        return Run(status, tuple(failed), used)


class _Watch:
    """A plugin of pytest: what failed; it stops at the first failure that is new."""

    def __init__(self, known: tuple[str, ...] | None) -> None:
        self.known, self.failed = known, []

    def pytest_runtest_logreport(self, report: Any) -> None:
        self._look(report)

    def pytest_collectreport(self, report: Any) -> None:
        self._look(report)

    def _look(self, report: Any) -> None:
        if report.failed and report.nodeid not in self.failed:
            self.failed.append(report.nodeid)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        if self.known is not None and nodeid in self.failed and nodeid not in self.known:
            import pytest

            pytest.exit("seen", returncode=1)


def _run_pytest(
    tests: tuple[str, ...],
    folder: Path,
    known: tuple[str, ...] | None,
    limit: float,
    writing: int,
    observed: Path | None,
) -> None:
    """In the fork: never returns."""
    status, watch = 3, _Watch(known)
    try:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_CPU, (int(limit) + 1, int(limit) + 2))
        silence = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(silence, stream)
        os.chdir(folder)
        sys.path[:] = [str(folder), *(p for p in sys.path if p not in ("", str(folder)))]
        for name in [m for m in sys.modules if m.split(".")[0] in ("verify", "gpu", "proofs", "reports", "tests")]:
            del sys.modules[name]
        import pytest

        import verify

        if not Path(verify.__file__).is_relative_to(folder):
            raise RuntimeError(f"{verify.__file__} is not the copy")
        # That the libraries are there already is meant, and warnings are errors otherwise.
        options = ["-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
        observer = Observer(folder, STRATA, observed) if observed else None
        plugins = [watch, observer] if observer else [watch]
        status = int(pytest.main([*options, "--rootdir", str(folder), *tests], plugins=plugins))
        if observer:
            observer.write()
        os.write(writing, json.dumps([status, watch.failed]).encode())
    except BaseException:
        os.write(writing, json.dumps([CRASHED, [traceback.format_exc()]]).encode())
    finally:
        os._exit(status)
