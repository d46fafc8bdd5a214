"""What is asked of a checker, and what is kept of its answer.

Notation   truth: True, False, OPEN (true of some of the matrices that are meant, false of others), or None where the
           exact reference does not tell; answers: "proved", "refuted", "undecided", "refused" (malformed, one line)
           and "crashed" (any other exception).
Main       Question, Posed, put, Tally.
"""

import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from verify.certify.checker import certificate
from verify.certify.checker.outcome import Outcome, Status
from verify.certify.checker.subject import Subject
from verify.errors import InputError

Statement = dict[str, Any]
OPEN = "open"
Truth = bool | str | None
ANSWERS = ("proved", "refuted", "undecided", "refused", "crashed")
_WRONG = ((False, "proved"), (OPEN, "proved"), (True, "refuted"), (OPEN, "refuted"))


@dataclass(frozen=True)
class Question:
    """One statement for one checker: what is true, how to ask, and what to write down where the answer is wrong."""

    family: str
    checker: str
    truth: Truth
    ask: Callable[[], Outcome]
    told: Callable[[], dict[str, Any]] = dict

    def question(self) -> "Question":
        """Itself, as a statement has one."""
        return self


@dataclass(frozen=True)
class Posed:
    """A statement of a certificate about a subject, and whether it is true."""

    family: str
    checker: str
    truth: Truth
    statement: Statement
    subject: Subject

    def question(self) -> Question:
        """For the checker of its kind."""
        return Question(self.family, self.checker, self.truth, self._asked, self.told)

    def _asked(self) -> Outcome:
        about = {"sha256": self.subject.sha256, "n": self.subject.n, "N": self.subject.N}
        head = {"format": certificate.FORMAT, "version": certificate.VERSION, "subject": about}
        return certificate.check({**head, "statements": [self.statement]}, self.subject)[0]

    def told(self) -> dict[str, Any]:
        """What makes it again."""
        subject: dict[str, Any] = {"n": self.subject.n, "N": self.subject.N}
        if self.subject.spectrum is not None:
            subject["spectrum"] = [str(x) for x in self.subject.spectrum]
        if self.subject.rows is not None:
            subject |= {"rows": hexadecimal(self.subject.rows), "divisor": self.subject.divisor.hex()}
        if (enclosure := self.subject.enclosure) is not None:
            subject |= {
                "mid": hexadecimal(enclosure.mid),
                "radius": enclosure.radius.hex(),
                "unit": str(enclosure.unit),
            }
        return {"subject": subject, "statement": self.statement}


def hexadecimal(values: np.ndarray) -> list[list[str]]:
    """A matrix to be written down and read again exactly."""
    return [[float(x).hex() for x in row] for row in values]


@dataclass
class Tally:
    """Answers counted by (family, checker, truth, answer); the seconds of each checker; every fault, told in full."""

    counts: Counter[tuple[str, str, Truth, str]] = field(default_factory=Counter)
    seconds: Counter[str] = field(default_factory=Counter)
    faults: list[dict[str, Any]] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        self.counts.update(other.counts)
        self.seconds.update(other.seconds)
        self.faults += other.faults


def answer(ask: Callable[[], Outcome]) -> tuple[str, str]:
    """One of ANSWERS, and why."""
    try:
        outcome = ask()
    except InputError as error:
        return "refused", str(error)
    except Exception:
        return "crashed", traceback.format_exc(limit=-4)
    if not isinstance(outcome, Outcome) or not isinstance(outcome.status, Status):
        return "crashed", f"no outcome: {outcome!r}"
    return outcome.status.value, outcome.reason


def wrong(truth: Truth, answered: str) -> bool:
    """A statement proved that is false or open, one refuted that is true or open, or a checker that fell over."""
    return answered == "crashed" or (truth, answered) in _WRONG


def put(questions: Iterable[Question], where: dict[str, Any]) -> Tally:
    """Ask them all.  where: the stage, the case and the seed, which make a fault again."""
    tally = Tally()
    try:
        for question in questions:
            _put(question, where, tally)
    except Exception:  # whoever poses questions falls over: the other cases go on
        fallen = {"family": "", "checker": "the trial", "truth": None, "answer": "crashed"}
        tally.faults.append({**where, **fallen, "why": traceback.format_exc(limit=-4)})
    return tally


def _put(question: Question, where: dict[str, Any], tally: Tally) -> None:
    started = time.perf_counter()
    answered, why = answer(question.ask)
    tally.seconds[question.checker] += time.perf_counter() - started
    tally.counts[question.family, question.checker, question.truth, answered] += 1
    if wrong(question.truth, answered):
        head = {"family": question.family, "checker": question.checker, "truth": question.truth}
        tally.faults.append({**where, **head, "answer": answered, "why": why, **question.told()})
