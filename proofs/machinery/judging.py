"""How a verdict and its strength follow from the evidence: a claim is as strong as its weakest link.

Notation   evidence that *speaks* is any but a control; rejections: how many false statements a test saw refused.
Main       Evidence, Judgement, judge (one claim by itself), founded (with all that it rests on), with_all_below,
           circular, worst_error.

Verdicts are computed from what ran and never written down by hand. A failing test makes a claim *broken*,
never "refuted": a refutation is a test that passes because its witness stands. A step is as strong as its best
evidence, a claim as the weakest of its steps and of the claims that it rests on.
"""

import graphlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from proofs.machinery.claims import STRENGTHS, Claim, Step

VERDICTS = ("holds", "holds with correction", "refuted", "undecided", "broken")
AT_FAULT = ("holds with correction", "refuted")  # the verdicts that say that the printed form is wrong


@dataclass(frozen=True)
class Evidence:
    """What one test said.  worst_error: None where nothing was measured; reason: why it did not pass.

    accepted, refused: the checks that said yes in it, and those that said no to a false statement.
    """

    test: str
    role: str
    kind: str
    strength: str
    outcome: str
    step: str = ""
    rejections: int = 0
    accepted: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    instances: int = 0
    worst_error: float | None = None
    seconds: float = 0.0
    backend: str = "numpy"
    witness: str = ""
    reason: str = ""

    def __post_init__(self) -> None:
        for name in ("accepted", "refused"):  # lists, where JSON was read
            object.__setattr__(self, name, tuple(getattr(self, name)))

    @property
    def speaks(self) -> bool:
        return self.outcome == "passed" and self.role != "control"


@dataclass(frozen=True)
class Judgement:
    """A verdict, the strength behind it (None where nothing is claimed) and why it is broken or undecided.

    `steps`: the strength of each step by its id, None where nothing speaks for it.
    """

    verdict: str
    strength: str | None
    reasons: tuple[str, ...] = ()
    steps: Mapping[str, str | None] = field(default_factory=dict)


def judge(claim: Claim, evidence: Sequence[Evidence], *, complete: bool = True) -> Judgement:
    """The verdict on one claim from all that ran for it; not `complete`: a run cut short or narrowed by hand.

    Only evidence that passed speaks. What it rests on is not looked at here.
    """
    evidence = as_wholes(evidence)
    steps = {id: _strength(step, _of(evidence, id)) for id, step in claim.steps.items()}
    faults = _faults(claim, evidence, complete=complete)
    if faults:
        return Judgement("broken", None, faults, steps)
    questions = _open_questions(claim, evidence, steps, complete=complete)
    verdict = "undecided" if questions else _conclusion({e.role for e in evidence if e.speaks})
    if verdict == "undecided":
        return Judgement(verdict, None, questions or (_NEITHER,), steps)
    if complete and (misread := _misread(claim, verdict)):
        return Judgement("broken", None, misread, steps)
    return Judgement(verdict, weakest(steps.values()), (), steps)


def as_wholes(evidence: Sequence[Evidence]) -> list[Evidence]:
    """The evidence with a test over several cases as one: where a case of it was skipped or undecided, none speaks."""
    gaps: dict[str, Evidence] = {}
    for e in evidence:
        if _case(e) and e.outcome in ("skipped", "undecided"):
            gaps.setdefault(e.test.removesuffix(_case(e)), e)
    return [
        replace(e, outcome=gap.outcome, reason=f"its case {_case(gap)} was {gap.outcome}")
        if e.speaks and _case(e) and (gap := gaps.get(e.test.removesuffix(_case(e))))
        else e
        for e in evidence
    ]


def _case(evidence: Evidence) -> str:
    """The case of a test over several: pytest writes "file::test[case]"."""
    _, bracket, case = evidence.test.partition("::")[2].partition("[")
    return bracket + case


_NEITHER = "what ran neither supports nor refutes the printed statement"


def weakest(strengths: Iterable[str | None]) -> str | None:
    """The weakest of these; None, which is no strength, is weaker than all, and is that of nothing."""
    return min(strengths, key=(None, *STRENGTHS).index, default=None)


def _of(evidence: Iterable[Evidence], step: str) -> list[Evidence]:
    return [e for e in evidence if e.step == step]


def _strength(step: Step, evidence: Iterable[Evidence]) -> str | None:
    """The best evidence that passed; else what words are worth, if there are any.

    Evidence against the printed form and for what holds in its place are two things: the weaker of them counts.
    """
    said = [e for e in evidence if e.speaks]
    sides = [[e.strength for e in said if (e.role == "refutes") == against] for against in (True, False)]
    found = [max(side, key=STRENGTHS.index) for side in sides if side]
    return weakest(found) or ("argued" if step.argument else None)


def _faults(claim: Claim, evidence: Sequence[Evidence], *, complete: bool) -> tuple[str, ...]:
    """Everything that makes a claim broken, as sentences."""
    faults = [f"{e.role} {e.test} failed: {e.reason or 'no reason given'}" for e in evidence if e.outcome == "failed"]
    for e in evidence:
        if e.step not in claim.steps:
            faults.append(f"{e.test} is evidence for {f'step {e.step}, which is none' if e.step else 'no step'}")
    if complete and not claim.steps and not faults:
        faults.append("no steps: nothing says what is shown")
    for id, step in claim.steps.items() if complete else ():
        own = _of(evidence, id)
        if not step.argument and all(e.role == "control" for e in own):
            faults.append(f"step {id}: neither evidence nor an argument")
        elif not faults and any(e.speaks for e in own) and not _controlled(own):
            faults.append(f"step {id}: no control passed, so nothing shows that its checker can say no")
    if complete and not faults:
        faults += [
            f"the check `{name}` says yes to all that this claim shows it: no false statement was refused by it"
            for name in _credulous(evidence)
        ]
    if {"supports", "refutes"} <= {e.role for e in evidence if e.speaks}:
        faults.append("contradiction: evidence for and against the printed statement passed")
    return tuple(faults)


def _credulous(evidence: Sequence[Evidence]) -> list[str]:
    """The checks that said yes in some test and no to nothing; none where a test that may say no did not run."""
    if any(e.outcome != "passed" for e in evidence):
        return []
    return sorted({name for e in evidence for name in e.accepted} - {name for e in evidence for name in e.refused})


def _controlled(evidence: Iterable[Evidence]) -> bool:
    return any(e.rejections > 0 and e.outcome == "passed" for e in evidence)


def _misread(claim: Claim, verdict: str) -> tuple[str, ...]:
    """Where what the claim says of the printed sentence and what the evidence says of it differ."""
    if verdict not in AT_FAULT:
        called = claim.fault and f"the claim calls the printed form {_CALLED[claim.fault]}"
        return (f"{called}, and nothing speaks against it",) if called else ()
    missing = [name for name in ("quote", "fault", "finding") if not getattr(claim, name)]
    faults = [f"{verdict}, and the claim has no {name}" for name in missing]
    if claim.fault is not None and (verdict == "refuted") != (claim.fault == "false"):
        faults.append(f"{verdict}, and the claim calls the printed form {_CALLED[claim.fault]}")
    return tuple(faults)


_CALLED = {"misprint": "a misprint", "missing hypothesis": "right but for a hypothesis", "false": "false"}


def _conclusion(roles: set[str]) -> str:
    """The verdict from the roles that passed, given that nothing is at fault."""
    if {"refutes", "corrected"} <= roles:
        return "holds with correction"
    if "refutes" in roles:
        return "refuted"
    return "holds" if "supports" in roles else "undecided"


def _open_questions(
    claim: Claim, evidence: Sequence[Evidence], steps: Mapping[str, str | None], *, complete: bool
) -> tuple[str, ...]:
    """Why a claim without a fault is undecided all the same; nothing where every step was seen to."""
    silent = [id for id, strength in steps.items() if strength is None]
    found = []
    for id in silent:
        why = [f"{e.role} {e.test} {e.outcome}: {e.reason}" for e in _of(evidence, id) if e.outcome != "passed"]
        found.append(f"step {id}: {'; '.join(why) or 'nothing of it was run'}")
    spoken = [id for id in claim.steps if any(e.speaks for e in _of(evidence, id))]
    if not complete and (silent or not claim.steps or any(not _controlled(_of(evidence, id)) for id in spoken)):
        found.append("only part of the evidence was run")
    return tuple(found)


def founded(
    claims: Sequence[Claim], judged: Mapping[str, Judgement], *, failed_facts: Iterable[str] = ()
) -> dict[str, Judgement]:
    """Each claim's judgement with all that it rests on: by id.

    What rests on a broken claim, on itself, or on a fact whose own test failed is broken; what rests on an undecided
    claim is undecided; what rests on a claim that was not run has a verdict and no strength.
    """
    refused = set(failed_facts)
    final: dict[str, Judgement] = {}
    circles = circular(claims)
    by_id = {claim.id: claim for claim in claims}
    arrows = {claim.id: [id for id in claim.rests_on if id in by_id] for claim in claims if claim.id not in circles}
    for id in graphlib.TopologicalSorter(arrows).static_order():
        if id not in circles:
            final[id] = _on_ground(by_id[id], judged[id], final, circles, refused)
    for id in circles:
        reasons = (*judged[id].reasons, "rests on itself, through the claims that it rests on")
        final[id] = replace(judged[id], verdict="broken", strength=None, reasons=reasons)
    return {claim.id: final[claim.id] for claim in claims}


def _on_ground(
    claim: Claim, own: Judgement, below: Mapping[str, Judgement], circles: set[str], refused: set[str]
) -> Judgement:
    """A judgement, given those of the claims below."""
    verdicts = {id: "broken" if id in circles else below[id].verdict if id in below else "" for id in claim.rests_on}
    broken = [f"rests on {id}, which is broken" for id, verdict in verdicts.items() if verdict == "broken"]
    broken += [f"trusts {id}, whose own test failed" for id in claim.trusts if id in refused]
    if broken:
        return replace(own, verdict="broken", strength=None, reasons=(*own.reasons, *broken))
    if own.verdict == "broken":
        return own
    open_ = [f"rests on {id}, which is undecided" for id, verdict in verdicts.items() if verdict == "undecided"]
    if open_:
        return replace(own, verdict="undecided", strength=None, reasons=(*own.reasons, *open_))
    if absent := [id for id, verdict in verdicts.items() if not verdict]:
        words = f"rests on {', '.join(absent)}, not run here: so no strength is given"
        return replace(own, strength=None, reasons=(*own.reasons, words))
    return replace(own, strength=weakest([own.strength, *(below[id].strength for id in claim.rests_on)]))


def circular(claims: Sequence[Claim]) -> set[str]:
    """The claims that rest on themselves, through others or not."""
    arrows = {claim.id: claim.rests_on for claim in claims}
    return {id for id in arrows if id in with_all_below(arrows[id], arrows)}


def with_all_below(ids: Iterable[str], arrows: Mapping[str, Iterable[str]]) -> set[str]:
    """These and all that they rest on, through others too; of ids that are no claim, none.

    arrows: by the id of each claim, the ids that it rests on.
    """
    found: set[str] = set()
    ahead = list(ids)
    while ahead:
        if (id := ahead.pop()) in arrows and id not in found:
            found.add(id)
            ahead += arrows[id]
    return found


def worst_error(evidence: Iterable[Evidence]) -> float | None:
    """The largest error measured by evidence that passed; controls are wrong on purpose and do not count."""
    errors = (e.worst_error for e in evidence if e.speaks)
    return max((error for error in errors if error is not None), default=None)
