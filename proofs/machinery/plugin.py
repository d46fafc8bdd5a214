"""The pytest plugin that turns marked tests into a ledger of claims.

Main       options --ledger, --claim, --on-device, --thorough, --backend; fixtures record, thorough, xp; the
           printed ledger; exit status 1 when a claim is broken although every test passed (no control, say).

Here each process finds, runs and measures the evidence; collector.py, in the main process alone, makes the
ledger of it. What a test said travels between them in `report.user_properties`, the one road that
pytest-xdist leaves open.
"""

import importlib
import math
import os
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from gpu.device import backend as find_backend
from proofs.machinery import checks, logic
from proofs.machinery.claims import Claim, EvidenceMark
from proofs.machinery.collector import PROPERTY, Collector, reason_of
from proofs.machinery.declared import unknown as no_such
from proofs.machinery.judging import Evidence, with_all_below
from proofs.machinery.ledger import stated
from verify.errors import InputError

RECORDER = pytest.StashKey["Recorder"]()
POSITION = pytest.StashKey[int]()
REJECTIONS = pytest.StashKey[int]()
ANSWERS = pytest.StashKey[list[tuple[str, ...]]]()
BACKEND = pytest.StashKey[Any]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("claims", "claims and evidence")
    group.addoption("--ledger", metavar="FILE", type=Path, help="write the ledger of claims to FILE (JSON)")
    group.addoption("--claim", metavar="ID", action="append", default=[], help="only this claim (repeatable)")
    group.addoption("--on-device", action="store_true", help="only claims with evidence on arrays of --backend")
    group.addoption("--thorough", action="store_true", help="more instances per claim; takes far longer")
    group.addoption("--backend", choices=("numpy", "cupy", "auto"), default="auto", help="arrays for the proofs")


def pytest_configure(config: pytest.Config) -> None:
    try:
        config.stash[BACKEND] = find_backend(config.option.backend)
    except InputError as error:
        raise pytest.UsageError(str(error)) from None
    _reproducible_search(thorough=config.option.thorough)
    _one_thread()
    if not hasattr(config, "workerinput"):
        _check_writable(config.option.ledger)
        collector = Collector(
            config.option,
            backend=config.stash[BACKEND].__name__,
            arguments=config.args,
            start=config.invocation_params.dir,
        )
        config.pluginmanager.register(collector, "elbo-verify-collector")


def _one_thread() -> None:
    """The matrices of the proofs are small: threads of the linear algebra only wait for each other (3 to 6 times)."""
    with suppress(ImportError):
        from threadpoolctl import threadpool_limits

        importlib.import_module("scipy.linalg")  # brings a library of its own, which must be there to be limited
        threadpool_limits(1)


def _reproducible_search(*, thorough: bool) -> None:
    """hypothesis finds the same examples in every run and leaves no database behind."""
    hypothesis.settings.register_profile(
        "proofs",
        derandomize=True,
        database=None,
        deadline=None,
        max_examples=1000 if thorough else 100,
        # `record` is meant to gather over all examples of one test, and how fast a machine is says nothing of a claim.
        suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture, hypothesis.HealthCheck.too_slow],
    )
    hypothesis.settings.load_profile("proofs")


def _check_writable(path: Path | None) -> None:
    """Say so before minutes of proofs rather than after.  UsageError if the ledger cannot be written."""
    if path is None:
        return
    try:
        path.resolve().parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise pytest.UsageError(f"--ledger {path}: {error.strerror}; name a file in a writable folder") from None
    if path.is_dir() or not os.access(path.resolve().parent, os.W_OK):
        raise pytest.UsageError(f"--ledger {path}: cannot be written; name a file in a writable folder")


def _mark(item: pytest.Item) -> EvidenceMark | None:
    return getattr(getattr(item, "function", None), "evidence_mark", None)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    for position, item in enumerate(items):
        item.stash[POSITION] = position
    wanted = config.option.claim
    if not wanted and not config.option.on_device:
        return
    owner_of = {item: mark.owner for item in items if (mark := _mark(item)) is not None}
    claim_of = {item: owner.id for item, owner in owner_of.items() if isinstance(owner, Claim)}
    known = set(claim_of.values())
    unknown = [id for id in wanted if id not in known]
    # A file that could not be imported may hold the claim, so that error comes first. A worker of
    # pytest-xdist must not stop by itself: there the Collector finds the claim missing at the end.
    if unknown and not session.testsfailed and not hasattr(config, "workerinput"):
        raise pytest.UsageError(no_such(unknown[0], sorted(known)))
    claims = {owner.id: owner for owner in owner_of.values() if isinstance(owner, Claim)}
    # With all that they rest on, so that their strength can be told.
    keep = with_all_below(wanted, {id: claim.rests_on for id, claim in claims.items()}) if wanted else known
    if config.option.on_device:
        keep &= {id for item, id in claim_of.items() if "xp" in getattr(item, "fixturenames", ())}
    trusted = {id for claim in claims.values() if claim.id in keep for id in claim.trusts}

    def kept(item: pytest.Item) -> bool:
        owner = owner_of.get(item)
        return owner is not None and owner.id in (keep if isinstance(owner, Claim) else trusted)

    config.hook.pytest_deselected(items=[item for item in items if not kept(item)])
    items[:] = [item for item in items if kept(item)]


class Recorder:
    """What a test measures while it runs: `record(instances=..., worst_error=...)`, witnesses, doubts."""

    def __init__(self) -> None:
        self.instances = 0
        self.worst_error: float | None = None
        self.witnesses: list[str] = []
        self.doubts: list[str] = []
        self.backend = ""

    def __call__(self, *, instances: int = 1, worst_error: float | None = None) -> None:
        """Add instances; keep the largest error.  ValueError for fewer than none, or an error that is no error."""
        if instances < 0:
            raise ValueError(f"record(instances={instances}): fewer than none")
        self.instances += int(instances)
        if worst_error is None:
            return
        if not math.isfinite(error := float(worst_error)):
            raise ValueError(f"record(worst_error={error}): not finite, so nothing was measured")
        if error < 0:
            raise ValueError(f"record(worst_error={error}): an error is not negative; is it a difference?")
        self.worst_error = error if self.worst_error is None else max(self.worst_error, error)

    def witness(self, text: str) -> None:
        """A concrete instance that shows what the evidence says, in one line; printed in the ledger.

        ValueError if nothing is said.
        """
        if not str(text).strip():
            raise ValueError("record.witness(''): nothing was shown")
        self.witnesses.append(str(text))

    def undecided(self, why: str) -> None:
        """What ran could not tell: the outcome is 'undecided' unless the test fails."""
        self.doubts.append(str(why))

    @property
    def empty(self) -> bool:
        return not (self.instances or self.witnesses or self.doubts)


@pytest.fixture
def record(request: pytest.FixtureRequest) -> Recorder:
    """Gathers instances, the worst error, witnesses and doubts of this test into the ledger."""
    recorder: Recorder = request.node.stash.setdefault(RECORDER, Recorder())
    return recorder


@pytest.fixture
def thorough(request: pytest.FixtureRequest) -> Callable[[int, int], int]:
    """thorough(200, 2000): the number of instances for this run, the second with --thorough."""
    return lambda usual, many: many if request.config.option.thorough else usual


@pytest.fixture
def xp(request: pytest.FixtureRequest, record: Recorder) -> Any:
    """The array module of --backend, numpy or cupy; the ledger names it beside the evidence."""
    module = request.config.stash[BACKEND]
    record.backend = module.__name__
    return module


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """After a passing test: a control must have rejected something, and `record` must have been used."""
    before, concluded, answers = checks.rejections(), logic.conclusions(), checks.tally()
    result = yield
    mark, recorder = _mark(item), item.stash.get(RECORDER, None)
    seen = checks.rejections() - before
    item.stash[REJECTIONS] = seen
    item.stash[ANSWERS] = [tuple(sorted(now - then)) for now, then in zip(checks.tally(), answers, strict=True)]
    if mark is not None and mark.role == "control" and seen == 0:
        raise AssertionError("this control rejected nothing; a control does `with rejected(): <a false statement>`")
    if mark is not None and mark.role != "control" and (recorder is None or recorder.empty):
        raise AssertionError("nothing was recorded: evidence over an empty range proves nothing")
    if mark is not None and logic.conclusions() > concluded and _premise(mark):
        raise AssertionError(f"step {mark.step} is a premise of what this test concludes: it would prove itself")
    return result


def _premise(mark: EvidenceMark) -> bool:
    """Whether the step says something that `concludes` takes for granted."""
    return isinstance(mark.owner, Claim) and bool(mark.owner.steps[mark.step].says)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    mark = _mark(item)
    if mark is not None and (report.when == "call" or not report.passed):
        evidence = _evidence(item, report, mark)
        payload = {
            **({"claim": stated(mark.owner)} if isinstance(mark.owner, Claim) else {"fact": asdict(mark.owner)}),
            "evidence": asdict(evidence),
            "position": item.stash[POSITION],
        }
        report.user_properties = [*report.user_properties, (PROPERTY, payload)]
    return report


def _evidence(item: pytest.Item, report: pytest.TestReport, mark: EvidenceMark) -> Evidence:
    recorder = item.stash.get(RECORDER, None) or Recorder()
    outcome: str = report.outcome
    if hasattr(report, "wasxfail"):  # evidence that is expected to fail is evidence that fails
        outcome = "failed"
    reason = reason_of(report) if outcome != "passed" else ""
    if outcome == "passed" and recorder.doubts:
        outcome, reason = "undecided", "; ".join(recorder.doubts)
    accepted, refused = item.stash.get(ANSWERS, [(), ()])
    return Evidence(
        test=item.nodeid,
        step=mark.step,
        rejections=item.stash.get(REJECTIONS, 0) if outcome == "passed" else 0,
        accepted=accepted if outcome == "passed" else (),
        refused=tuple(name for name in refused if name) if outcome == "passed" else (),
        role=mark.role,
        kind=mark.kind,
        strength=mark.strength,
        outcome=outcome,
        instances=max(recorder.instances, 1) if outcome == "passed" else recorder.instances,
        worst_error=recorder.worst_error,
        seconds=round(report.duration, 3),
        backend=recorder.backend or ("sympy" if mark.kind == "symbolic" else "numpy"),
        witness="; ".join(dict.fromkeys(recorder.witnesses)),
        reason=reason,
    )
