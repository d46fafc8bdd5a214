"""Claims, the steps that they are made of, and the standard facts that they trust; how a test becomes evidence.

Notation   role: what a piece of evidence speaks for ("supports" the statement as printed, "corrected" the
           statement as it should read, "refutes" the printed form by a witness, "control": a nearby false
           statement that the same checker must reject); strength: how much a pass is worth.
Main       Claim, its `step`s and their `evidence` decorator; Fact.
"""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

ROLES = ("supports", "corrected", "refutes", "control")
KINDS = ("symbolic", "numeric", "property", "certificate", "device")
# Weakest first. "argued" is what words are worth: no test can have it.
STRENGTHS = ("argued", "tested", "certified", "proved")
# What more than floating point can say: a derivation or exact arithmetic, and balls.
RIGOROUS = ("symbolic", "certificate")
OUTCOMES = ("passed", "failed", "skipped", "undecided")
FAULTS = ("misprint", "missing hypothesis", "false")
# In this order.
SECTIONS = ("Probabilistic PCA", "The linear VAE", "Bernoulli pPCA", "Every Gaussian VAE", "The published tables")

Test = TypeVar("Test", bound=Callable[..., Any])


@dataclass(frozen=True)
class Claim:
    """One statement, of the paper or ours.  ValueError for what is no text, no ids, or an unknown fault.

    source      where the paper makes the claim; of one that it does not make, "ours, " and where that belongs.
    hypotheses  those left implicit, and how the statement is read; section: only groups the printed table.
    rests_on    the ids of the claims that its argument uses; it is no stronger than they are.
    trusts      the ids of the standard facts that it uses and does not prove (proofs/machinery/facts.py).
    quote       the sentence of the paper with what stands around it, "..." where something is left out; needed wherever
                the verdict is not "holds".
    fault       what is wrong with the printed form, where something is: one of FAULTS.
    finding     what the evidence establishes in its place.
    """

    id: str
    source: str
    statement: str
    hypotheses: str = ""
    section: str = ""
    rests_on: tuple[str, ...] = ()
    trusts: tuple[str, ...] = ()
    quote: str = ""
    fault: str | None = None
    finding: str = ""
    steps: "dict[str, Step]" = field(default_factory=dict, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        for name in ("rests_on", "trusts"):
            value = getattr(self, name)
            if isinstance(value, str):  # whose letters would be taken for ids
                raise ValueError(f"claim {self.id}: {name} is {value!r}; write ({value!r},)")
            if not all(isinstance(id, str) for id in value):
                raise ValueError(f"claim {self.id}: {name} is {value!r}; it holds ids")
        _texts(f"claim {self.id}", self, ("id", "source", "statement", "hypotheses", "section", "quote", "finding"))
        if self.fault is not None and self.fault not in FAULTS:
            raise ValueError(f"claim {self.id}: fault {self.fault!r} is none of {', '.join(FAULTS)}")

    def step(
        self, id: str, statement: str, *, argument: str = "", says: str = "", place: str | Sequence[str] = ()
    ) -> "Step":
        """Declare one small statement of the argument; its `evidence` marks tests.  ValueError: used twice, no text.

        argument    the step in prose: it counts as "argued" until a test stands beside it.
        says        the step as a formula of propositional logic, for `proofs.machinery.logic`.
        place       what it checks in docs/mathematics.md: "Proposition 3", or several.
        """
        if id in self.steps:
            raise ValueError(f"claim {self.id}: step {id} is declared twice")
        places = (place,) if isinstance(place, str) else tuple(place)
        step = Step(self, id, statement, argument, says, places)
        _texts(f"claim {self.id}, step {id}", step, ("id", "statement", "argument", "says"))
        self.steps[id] = step
        return step


@dataclass(frozen=True)
class Fact:
    """A standard fact that is used and not proved here: its statement and where it is proved."""

    id: str
    statement: str
    reference: str

    def evidence(self, *, role: str, kind: str, strength: str = "tested") -> Callable[[Test], Test]:
        """Mark a test of the fact itself: role "supports" or "control".  ValueError for an unknown word."""
        if role not in ("supports", "control"):
            raise ValueError(f"evidence on {self.id}: role {role!r} is none of supports, control")
        return _marker(self, "", role, kind, strength)


@dataclass(frozen=True)
class Step:
    """A small statement of one claim, with the tests that speak for it."""

    claim: Claim = field(repr=False)
    id: str
    statement: str
    argument: str = ""
    says: str = ""
    place: tuple[str, ...] = ()

    def evidence(self, *, role: str, kind: str, strength: str = "tested") -> Callable[[Test], Test]:
        """Mark a test as evidence on this step.  ValueError for an unknown role, kind or strength."""
        return _marker(self.claim, self.id, role, kind, strength)


@dataclass(frozen=True)
class EvidenceMark:
    """What the decorator leaves on a test function for the plugin to find."""

    owner: Claim | Fact
    step: str
    role: str
    kind: str
    strength: str


def _texts(where: str, thing: object, names: Sequence[str]) -> None:
    """ValueError if one of these fields is no text, or the id is empty: JSON would carry it, and no reader take it."""
    for name in names:
        value = getattr(thing, name)
        if not isinstance(value, str) or (name == "id" and not value.strip()):
            raise ValueError(f"{where}: {name} is {value!r}, which is no text")


def _marker(owner: Claim | Fact, step: str, role: str, kind: str, strength: str) -> Callable[[Test], Test]:
    """ValueError for an unknown word, or floating point that would be more than tested.

    The mark itself refuses what pytest would not run as one test: a class, a fixture, a test that is marked already.
    """
    worth = STRENGTHS[1:]
    for name, value, allowed in (("role", role, ROLES), ("kind", kind, KINDS), ("strength", strength, worth)):
        if value not in allowed:
            raise ValueError(f"evidence on {owner.id}: {name} {value!r} is none of {', '.join(allowed)}")
    if strength != "tested" and kind not in RIGOROUS:
        raise ValueError(f"evidence on {owner.id}: {kind} evidence is tested, never {strength}")

    def mark(test: Test) -> Test:
        if not inspect.isfunction(test):
            raise ValueError(f"evidence on {owner.id}: {test!r} is no test function; mark each test by itself")
        if hasattr(test, "evidence_mark"):
            raise ValueError(f"evidence on {owner.id}: {test.__name__} is evidence already; write a test for each step")
        # No leading underscore: hypothesis copies public attributes only, when @given is outermost.
        test.evidence_mark = EvidenceMark(owner, step, role, kind, strength)  # type: ignore[attr-defined]
        return test

    return mark
