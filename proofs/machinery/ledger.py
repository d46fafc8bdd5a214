"""The ledger: every claim with its steps, its evidence, and the verdict that follows, as one document.

Main       ledger, environment, notes, write, printable; stated and restored, a claim as JSON and back.

What is judged, and how, stands in judging.py; read.py reads a ledger and judges it anew.
"""

import graphlib
import importlib.metadata
import json
import platform
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from proofs.machinery.claims import SECTIONS, Claim, Fact
from proofs.machinery.judging import Evidence, Judgement, founded, judge, worst_error
from verify.data.writing import atomic

Document = dict[str, Any]
WORDS = ("id", "source", "statement", "hypotheses", "section", "quote", "finding")
IDS = ("rests_on", "trusts")
STEP_WORDS = ("id", "statement", "argument", "says")


def ledger(
    entries: Iterable[tuple[Claim, Sequence[Evidence]]],
    *,
    facts: Iterable[tuple[Fact, Sequence[Evidence]]] = (),
    environment: dict[str, Any],
    complete: bool = True,
    whole: bool = False,
    errors: Iterable[str] = (),
    skipped: Iterable[str] = (),
) -> Document:
    """The ledger document (schema 1): claims by section, in the given order within each, and the facts they trust.

    `errors` are failures that belong to no claim: files that cannot be imported, unmarked tests and so on;
    `skipped` are whole files that were skipped, with the reason: which claims they hold nobody knows. `whole`: there
    are no claims but these, so what another rests on must be among them.
    """
    ranked = sorted(entries, key=lambda entry: section_rank(entry[0]))
    claims = [claim for claim, _ in ranked]
    failures = list(dict.fromkeys([*errors, *_unfounded(claims, whole=whole)]))
    standard = [(fact, tuple(said)) for fact, said in facts]
    failed = [fact.id for fact, said in standard if any(e.outcome == "failed" for e in said)]
    own = {claim.id: judge(claim, said, complete=complete) for claim, said in ranked}
    final = founded(claims, own, failed_facts=failed)
    left_out = list(skipped)
    return {
        "schema": 1,
        "complete": complete,
        "claims": [_entry(claim, said, final[claim.id]) for claim, said in ranked],
        "facts": [_fact(fact, said, claims) for fact, said in standard],
        "errors": failures,
        "skipped": left_out,
        "notes": notes(complete, failures, left_out),
        "environment": environment,
    }


def _unfounded(claims: Sequence[Claim], *, whole: bool) -> Iterator[str]:
    """What is wrong with the arrows between claims: one that leads nowhere, or back to where it started."""
    known = {claim.id for claim in claims}
    for claim in claims if whole else ():
        for id in claim.rests_on:
            if id not in known:
                yield f"claim {claim.id} rests on {id}, which is no claim"
    try:
        graphlib.TopologicalSorter({claim.id: claim.rests_on for claim in claims}).prepare()
    except graphlib.CycleError as error:
        yield f"claims in a circle: {' rests on '.join(reversed(error.args[1]))}"


def notes(complete: bool, errors: Iterable[str], skipped: Iterable[str]) -> list[str]:
    """What should be known of a ledger beside its verdicts."""
    partial = [] if complete else ["a partial run: each verdict speaks only for the evidence that was run"]
    outside = [f"outside any claim: {error}" for error in errors]
    return [*partial, *outside, *(f"a whole file skipped: {file}" for file in skipped)]


def section_rank(claim: Claim) -> tuple[int, str]:
    """Sorts claims by section; unknown sections come last, by name."""
    known = claim.section in SECTIONS
    return (SECTIONS.index(claim.section), "") if known else (len(SECTIONS), claim.section)


def stated(claim: Claim) -> Document:
    """A claim as its file states it, steps included."""
    return {
        **{name: getattr(claim, name) for name in WORDS},
        **{name: list(getattr(claim, name)) for name in IDS},
        "fault": claim.fault,
        "steps": [
            {**{name: getattr(step, name) for name in STEP_WORDS}, "place": list(step.place)}
            for step in claim.steps.values()
        ],
    }


def restored(document: Document) -> Claim:
    """The claim that `stated` made this of.  KeyError, TypeError, ValueError: it is none."""
    fields: Document = {name: document[name] for name in WORDS}
    fields |= {name: tuple(document[name]) for name in IDS}
    claim = Claim(**fields, fault=document["fault"])
    for step in document["steps"]:
        claim.step(**{name: step[name] for name in STEP_WORDS}, place=tuple(step["place"]))
    return claim


def _entry(claim: Claim, evidence: Sequence[Evidence], judgement: Judgement) -> Document:
    own = stated(claim)
    steps = own.pop("steps")
    return {
        **{name: value for name, value in own.items() if name != "fault"},
        "kind_of_fault": own["fault"],
        "verdict": judgement.verdict,
        "strength": judgement.strength,
        "reasons": list(judgement.reasons),
        "worst_error": worst_error(evidence),
        "steps": [{**step, **_shown(step["id"], evidence, judgement)} for step in steps],
        "evidence": [_told(e) for e in evidence],
    }


def _told(evidence: Evidence) -> Document:
    return {**asdict(evidence), "accepted": list(evidence.accepted), "refused": list(evidence.refused)}


def _shown(step: str, evidence: Sequence[Evidence], judgement: Judgement) -> Document:
    """What stands beside a step: its strength, its tests, and how many false statements they refused."""
    own = [e for e in evidence if e.step == step]
    return {
        "strength": judgement.steps.get(step),
        "evidence": [e.test for e in own],
        "rejections": sum(e.rejections for e in own if e.outcome == "passed"),
    }


def _fact(fact: Fact, evidence: Sequence[Evidence], claims: Iterable[Claim]) -> Document:
    trusting = [claim.id for claim in claims if fact.id in claim.trusts]
    return {**asdict(fact), "trusted_by": trusting, "evidence": [_told(e) for e in evidence]}


def environment(backend: str = "numpy", **facts: Any) -> dict[str, Any]:
    """What the numbers may depend on: versions, platform, the array backend in use, further `facts`."""
    packages = ("elbo-verify", "numpy", "scipy", "sympy", "mpmath", "hypothesis", "pytest")
    return {
        "python": platform.python_version(),
        **{package: _version(package) for package in packages},
        "platform": platform.platform(),
        "backend": backend,
        **facts,
    }


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def printable(text: str) -> str:
    """A text without what steers a terminal, turns its direction, or stands in no XML file: "?" in its place."""
    return "".join("?" if unicodedata.category(c)[0] == "C" and c not in "\n\t" else c for c in text)


def write(document: Document, path: Path) -> None:
    """Write a ledger whole or not at all: a reader never sees half of one.  Raises InputError."""
    text = json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False) + "\n"
    with atomic(path) as file:
        file.write(text.encode(errors="replace"))  # words from outside may hold what is no Unicode
