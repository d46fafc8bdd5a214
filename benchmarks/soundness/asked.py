"""What is asked of a checker, and what is kept of its answer.

Notation   truth: True, False, or None where the exact reference does not tell; answers: "proved", "refuted",
           "undecided", "refused" (malformed, one line) and "crashed" (any other exception).
Main       Question, put, Tally.
"""

import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from verify.certify.checker.outcome import Outcome, Status
from verify.errors import InputError

ANSWERS = ("proved", "refuted", "undecided", "refused", "crashed")


@dataclass(frozen=True)
class Question:
    """One statement for one checker: what is true, how to ask, and what to write down where the answer is wrong."""

    family: str
    checker: str
    truth: bool | None
    ask: Callable[[], Outcome]
    told: Callable[[], dict[str, Any]] = dict


@dataclass
class Tally:
    """Answers counted by (family, checker, truth, answer); the seconds of each checker; every fault, told in full."""

    counts: Counter[tuple[str, str, bool | None, str]] = field(default_factory=Counter)
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


def wrong(truth: bool | None, answered: str) -> bool:
    """A false statement proved, a true one refuted, or a checker that fell over."""
    return answered == "crashed" or (truth, answered) in ((False, "proved"), (True, "refuted"))


def put(questions: Iterable[Question], where: dict[str, Any]) -> Tally:
    """Ask them all.  where: the stage, the case and the seed, which make a fault again."""
    tally = Tally()
    for question in questions:
        started = time.perf_counter()
        answered, why = answer(question.ask)
        tally.seconds[question.checker] += time.perf_counter() - started
        tally.counts[question.family, question.checker, question.truth, answered] += 1
        if wrong(question.truth, answered):
            head = {"family": question.family, "checker": question.checker, "truth": question.truth}
            tally.faults.append({**where, **head, "answer": answered, "why": why, **question.told()})
    return tally
