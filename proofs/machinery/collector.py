"""The main process's half of the plugin: gathers what all tests said, writes the ledger and prints it.

Main       Collector, reason_of.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gpu.device import find_device
from proofs.machinery.checks import faults_of_the_checks
from proofs.machinery.claims import Claim, Fact
from proofs.machinery.declared import files
from proofs.machinery.facts import FACTS
from proofs.machinery.judging import Evidence
from proofs.machinery.ledger import environment, ledger, restored, stated, write
from proofs.machinery.summary import lines

PROPERTY = "elbo-verify evidence"  # the entry of `report.user_properties` that carries a test's evidence


class Collector:
    """A pytest plugin object: reports of all workers go in, the ledger comes out when the session ends."""

    def __init__(self, option: argparse.Namespace, *, backend: str, arguments: Sequence[str], start: Path) -> None:
        self.option = option
        self.backend = backend
        self.arguments = arguments
        self.start = start
        self.claims: dict[str, Claim] = {}
        self.facts: dict[str, Fact] = {}
        self.evidence: dict[str, tuple[int, Claim | Fact, Evidence]] = {}  # by test: position, owner, evidence
        # As keys, since every worker of pytest-xdist reports the same file.
        self.errors: dict[str, None] = dict.fromkeys(faults_of_the_checks())
        self.skipped: dict[str, None] = {}
        self.unread = False  # whether a file could not be imported: which claims it holds nobody knows
        self.document: dict[str, Any] | None = None
        self.written = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        properties: dict[str, Any] = dict(report.user_properties)
        payload = properties.get(PROPERTY)
        if payload is None:
            if report.failed:
                self.errors[f"{report.nodeid}: {reason_of(report)}"] = None
            return
        owner = self._owner(payload, report.nodeid)
        evidence = Evidence(**payload["evidence"])
        if (earlier := self.evidence.get(report.nodeid)) is not None:
            if earlier[-1].outcome == "failed":
                return  # what failed once has failed, whatever is said of it afterwards or by another worker
            # Of teardowns only one that failed is sent. It overrules, but the measurements were the test's own.
            evidence = replace(evidence, seconds=earlier[-1].seconds)
        self.evidence[report.nodeid] = (payload["position"], owner, evidence)

    def _owner(self, payload: dict[str, Any], test: str) -> Claim | Fact:
        """The claim or fact that a test speaks of; a claim that two files state takes its steps from both."""
        if "fact" in payload:
            fact = Fact(**payload["fact"])
            if fact != FACTS.get(fact.id, fact):
                self.errors[f"{test}: states the fact {fact.id} in other words than the register"] = None
            return self.facts.setdefault(fact.id, fact)
        claim = restored(payload["claim"])
        known = self.claims.setdefault(claim.id, claim)
        both = known.steps.keys() & claim.steps.keys()
        here, there = ({step["id"]: step for step in stated(one)["steps"]} for one in (known, claim))
        if known != claim or any(here[id] != there[id] for id in both):
            self.errors[f"{test}: states claim {claim.id} in other words than another file"] = None
        for id in claim.steps.keys() - both:
            known.steps[id] = claim.steps[id]
        return known

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.unread = True
            last = str(report.longrepr).rstrip().rpartition("\n")[2].strip()
            self.errors[f"{report.nodeid}: {last.removeprefix('E ').strip()}"] = None
        elif report.skipped:
            self.skipped[f"{report.nodeid}: {reason_of(report)}"] = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        finished = exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
        missing = [id for id in self.option.claim if id not in self.claims]
        if missing and exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            self.errors[f"no such claim: {missing[0]}"] = None
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
        if not (self.claims or self.errors or self.skipped):
            return
        self.document = self._ledger(complete=finished and not self._narrowed())
        if self.option.ledger is not None and not missing:
            write(self.document, self.option.ledger)
            self.written = True
        broken = self.document["errors"] or any(claim["verdict"] == "broken" for claim in self.document["claims"])
        if broken and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _ledger(self, *, complete: bool) -> dict[str, Any]:
        rows = sorted(self.evidence.values(), key=lambda row: (row[0], row[1].id))
        order = dict.fromkeys(owner.id for _, owner, _ in rows if isinstance(owner, Claim))
        trusted = dict.fromkeys(id for id in order for id in self.claims[id].trusts)
        self.errors |= dict.fromkeys(f"no such standard fact: {id}" for id in trusted if id not in FACTS)
        self.errors |= dict.fromkeys(self._misplaced(whole=complete and self._all_of_it()))
        named = self.facts | FACTS
        return ledger(
            [(self.claims[id], [e for _, owner, e in rows if owner is self.claims[id]]) for id in order],
            facts=[
                (named[id], [e for _, owner, e in rows if isinstance(owner, Fact) and owner.id == id])
                for id in sorted(trusted)
                if id in named
            ],
            environment=environment(self.backend, thorough=self.option.thorough, device=find_device().name),
            complete=complete,
            whole=complete and self._all_of_it(),
            errors=self.errors,
            skipped=self.skipped,
        )

    def _misplaced(self, *, whole: bool) -> Iterator[str]:
        """Claims that are in two files, whose steps none of them shows whole, and claims of which no test speaks."""
        stated_in = files(self._named())
        for id, paths in stated_in.items():
            if len(paths) > 1 and id in self.claims:
                yield f"claim {id} is stated in {' and '.join(path.name for path in paths)}; a claim is one file"
            if whole and id not in self.claims:
                yield f"claim {id}: no test in {paths[0].name} speaks of it"

    def _named(self) -> list[Path]:
        """The files and folders that were named; of a single test no path that there is."""
        return [(self.start / argument).resolve() for argument in self.arguments]

    def _narrowed(self) -> bool:
        """Single tests were picked by hand, or by what an earlier run said, or the run stops at a failure."""
        picked = any("::" in argument for argument in self.arguments)
        option = self.option
        earlier = any(getattr(option, name, False) for name in ("lf", "stepwise"))  # the cache may be switched off
        return bool(picked or earlier or option.keyword or option.markexpr or option.deselect or option.maxfail)

    def _all_of_it(self) -> bool:
        """Whether all claims there are were collected: only folders were named, none of them part of a package."""
        option = self.option
        chosen = option.claim or option.on_device or option.ignore or option.ignore_glob
        inside = any(not folder.is_dir() or (folder.parent / "__init__.py").exists() for folder in self._named())
        return not (chosen or inside or self.unread or self.skipped)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.document is None:
            return
        terminalreporter.section("claims")
        for line in lines(self.document):
            terminalreporter.write_line(line)
        if self.written:
            terminalreporter.write_line(f"ledger written to {self.option.ledger}")


def reason_of(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Why a test failed or was skipped, in one line."""
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash is not None else str(report.longrepr or getattr(report, "wasxfail", ""))
    return next((line.strip() for line in text.splitlines() if line.strip()), "")
