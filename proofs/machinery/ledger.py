"""Claims, the evidence for and against them, and the verdict that follows.

Notation   role: what a piece of evidence speaks for ("supports" the statement as printed, "corrected" the
           statement as it should read, "refutes" the printed form by a witness, "control": a nearby false
           statement that the same checker must reject); strength: how much a pass is worth.
Main       Claim and its `evidence` decorator, Evidence, judge, ledger, environment, write, read.

Verdicts are computed from what ran and never written down by hand. A failing test makes a claim *broken*,
never "refuted": a refutation is a test that passes because its witness stands.
"""

import graphlib
import importlib.metadata
import json
import platform
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from verify.data.writing import atomic
from verify.errors import InputError

ROLES = ("supports", "corrected", "refutes", "control")
KINDS = ("symbolic", "numeric", "property", "certificate", "device")
STRENGTHS = ("tested", "certified", "proved")  # weakest first
OUTCOMES = ("passed", "failed", "skipped", "undecided")
VERDICTS = ("holds", "holds with correction", "refuted", "undecided", "broken")
SECTIONS = ("Probabilistic PCA", "The linear VAE", "Bernoulli pPCA", "The published tables")  # in this order

Test = TypeVar("Test", bound=Callable[..., Any])


@dataclass(frozen=True)
class Claim:
    """One statement of the paper.  `hypotheses`: left implicit; `section` only groups the printed table.

    `rests_on`: the ids of the claims that its argument uses, where that is known.  ValueError for a bare string.
    """

    id: str
    source: str
    statement: str
    hypotheses: str = ""
    section: str = ""
    rests_on: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if isinstance(self.rests_on, str):  # whose letters would be taken for ids
            raise ValueError(f"claim {self.id}: rests_on is {self.rests_on!r}; write ({self.rests_on!r},)")

    def evidence(self, *, role: str, kind: str, strength: str = "tested") -> Callable[[Test], Test]:
        """Mark a test as evidence on this claim.  ValueError for an unknown role, kind or strength."""
        for name, value, allowed in (
            ("role", role, ROLES),
            ("kind", kind, KINDS),
            ("strength", strength, STRENGTHS),
        ):
            if value not in allowed:
                raise ValueError(f"evidence on {self.id}: {name} {value!r} is none of {', '.join(allowed)}")

        def mark(test: Test) -> Test:
            # No leading underscore: hypothesis copies public attributes only, when @given is outermost.
            test.evidence_mark = EvidenceMark(self, role, kind, strength)  # type: ignore[attr-defined]
            return test

        return mark


@dataclass(frozen=True)
class EvidenceMark:
    """What the decorator leaves on a test function for the plugin to find."""

    claim: Claim
    role: str
    kind: str
    strength: str


@dataclass(frozen=True)
class Evidence:
    """What one test said.  worst_error: None where nothing was measured; reason: why it did not pass."""

    test: str
    role: str
    kind: str
    strength: str
    outcome: str
    instances: int = 0
    worst_error: float | None = None
    seconds: float = 0.0
    backend: str = "numpy"
    witness: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Judgement:
    """A verdict, the strength behind it (None where nothing is claimed) and why it is broken or undecided."""

    verdict: str
    strength: str | None
    reasons: tuple[str, ...] = ()


def judge(evidence: Sequence[Evidence], *, complete: bool = True) -> Judgement:
    """The verdict on one claim from all that ran; not `complete`: a run cut short or narrowed by hand.

    Only evidence that passed speaks. A conclusion needs a control that passed beside it; where nothing was
    concluded (all skipped, say) a skipped control is excused, but a claim with no control at all never is.
    """
    faults = _faults(evidence, complete=complete)
    if faults:
        return Judgement("broken", None, faults)
    verdict = _conclusion(_passed_roles(evidence), complete=complete)
    if verdict == "undecided":
        return Judgement(verdict, None, _open_questions(evidence, complete=complete))
    speaking = {"refutes"} if verdict == "refuted" else {"supports", "corrected"}
    return Judgement(verdict, _strongest(e for e in evidence if e.role in speaking and e.outcome == "passed"))


def _passed_roles(evidence: Iterable[Evidence]) -> set[str]:
    return {e.role for e in evidence if e.outcome == "passed"}


def _faults(evidence: Sequence[Evidence], *, complete: bool) -> tuple[str, ...]:
    """Everything that makes a claim broken, as sentences."""
    faults = [f"{e.role} {e.test} failed: {e.reason or 'no reason given'}" for e in evidence if e.outcome == "failed"]
    roles = _passed_roles(evidence)
    concluded = bool(roles - {"control"})
    if complete and not any(e.role == "control" for e in evidence):
        faults.append("no control: nothing shows that the checker can say no")
    elif complete and concluded and "control" not in roles and not faults:
        faults.append("no control passed, so nothing shows that the checker can say no")
    if {"supports", "refutes"} <= roles:
        faults.append("contradiction: evidence for and against the printed statement passed")
    return tuple(faults)


def _conclusion(roles: set[str], *, complete: bool) -> str:
    """The verdict from the roles that passed, given that nothing is at fault."""
    if not complete and "control" not in roles:
        return "undecided"
    if {"refutes", "corrected"} <= roles:
        return "holds with correction"
    if "refutes" in roles:
        return "refuted"
    return "holds" if "supports" in roles else "undecided"


def _open_questions(evidence: Sequence[Evidence], *, complete: bool) -> tuple[str, ...]:
    """Why a claim without a fault is still undecided."""
    silent = [f"{e.role} {e.test} {e.outcome}: {e.reason}" for e in evidence if e.outcome in ("skipped", "undecided")]
    if not complete:
        silent.append("only part of the evidence was run")
    return tuple(silent) or ("what ran neither supports nor refutes the printed statement",)


def _strongest(evidence: Iterable[Evidence]) -> str | None:
    return max((e.strength for e in evidence), key=STRENGTHS.index, default=None)


def worst_error(evidence: Iterable[Evidence]) -> float | None:
    """The largest error measured by evidence that passed; controls are wrong on purpose and do not count."""
    errors = (e.worst_error for e in evidence if e.role != "control" and e.outcome == "passed")
    return max((error for error in errors if error is not None), default=None)


def ledger(
    entries: Iterable[tuple[Claim, Sequence[Evidence]]],
    *,
    facts: dict[str, Any],
    complete: bool = True,
    whole: bool = False,
    errors: Iterable[str] = (),
    skipped: Iterable[str] = (),
) -> dict[str, Any]:
    """The ledger document (schema 1): claims by section, in the given order within each.

    `errors` are failures that belong to no claim: files that cannot be imported, unmarked tests and so on;
    `skipped` are whole files that were skipped, with the reason: which claims they hold nobody knows. `whole`: there
    are no claims but these, so what another rests on must be among them.
    """
    ranked = sorted(entries, key=lambda entry: section_rank(entry[0]))
    failures = [*errors, *_unfounded([claim for claim, _ in ranked], whole=whole)]
    return {
        "schema": 1,
        "complete": complete,
        "claims": [_entry(claim, evidence, complete=complete) for claim, evidence in ranked],
        "errors": failures,
        "skipped": (left_out := list(skipped)),
        "notes": notes(complete, failures, left_out),
        "environment": facts,
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


def _entry(claim: Claim, evidence: Sequence[Evidence], *, complete: bool) -> dict[str, Any]:
    judgement = judge(evidence, complete=complete)
    return {
        **asdict(claim),
        "rests_on": list(claim.rests_on),
        "verdict": judgement.verdict,
        "strength": judgement.strength,
        "reasons": list(judgement.reasons),
        "worst_error": worst_error(evidence),
        "evidence": [asdict(e) for e in evidence],
    }


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


def write(document: dict[str, Any], path: Path) -> None:
    """Write a ledger whole or not at all: a reader never sees half of one.  Raises InputError."""
    text = json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False) + "\n"
    with atomic(path) as file:
        file.write(text.encode())


def read(path: Path) -> dict[str, Any]:
    """A ledger document from a file.  InputError if it cannot be read or is none."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; write one with `elbo-verify prove --ledger FILE`") from None
    except ValueError:
        document = None
    if not isinstance(document, dict) or document.get("schema") != 1 or not isinstance(document.get("claims"), list):
        raise InputError(f"{path}: not a ledger; write one with `elbo-verify prove --ledger FILE`")
    return document
