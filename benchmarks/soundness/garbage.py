"""Garbage: statements whose truth is known, with evidence that is spoilt; statements that are spoilt; other subjects.

Main       questions.

A false statement stays false and must not be proved, whatever the evidence; a true one must not be refuted. What is no
statement at all is never proved either, and no garbage makes a checker fall over.
"""

import copy
from collections.abc import Callable, Iterator
from fractions import Fraction

import numpy as np

from benchmarks.soundness import decoders, landscapes
from benchmarks.soundness.asked import Posed, Question, Truth
from benchmarks.soundness.tampering import NUMBERS, WHOLE, spoilt
from verify.certify.checker import certificate
from verify.certify.checker.outcome import Outcome

Source = Callable[[np.random.Generator], Iterator[Posed | Question]]


# Where statements come from; each gives several about one subject.
SOURCES: tuple[Source, ...] = (landscapes.bare, landscapes.of_data, landscapes.points_of, decoders.posed_about)


def questions(rng: np.random.Generator) -> Iterator[Question]:
    """The statements of one subject spoilt, exchanged with those of another one, and filed under a wrong hash."""
    source = SOURCES[int(rng.integers(len(SOURCES)))]
    mine, others = ([x for x in source(rng) if isinstance(x, Posed)] for _ in range(2))
    for posed in mine:
        if "evidence" in posed.statement:
            for _, evidence in spoilt(posed.statement["evidence"], rng, 4):
                yield _with(posed, "spoilt evidence", posed.truth, evidence=evidence)
            other = mine[int(rng.integers(len(mine)))].statement.get("evidence")
            yield _with(posed, "another's evidence", posed.truth, evidence=other)
        yield from _malformed(posed, rng)
    yield _filed_wrongly(mine[0], others[0])


def _with(posed: Posed, name: str, truth: Truth, **changed: object) -> Question:
    statement = {**posed.statement, **changed}
    return Posed(name, posed.statement["kind"], truth, statement, posed.subject).question()


def _malformed(posed: Posed, rng: np.random.Generator) -> Iterator[Question]:
    """A part of the statement replaced by what is none, or left out: nothing is stated, and nothing is proved."""
    name = str(rng.choice([key for key in posed.statement if key not in ("kind", "evidence")]))
    nonsense = [x for x in (*NUMBERS, *WHOLE) if not _says_something(x)]
    yield _with(posed, "malformed statement", False, **{name: nonsense[int(rng.integers(len(nonsense)))]})


def _says_something(x: object) -> bool:
    """Whether some reader may take it for a number or a whole number, as some part of some statement is."""
    if not isinstance(x, str) or "0x" in x:
        return isinstance(x, str | int)
    try:
        Fraction(x)
    except (ValueError, ZeroDivisionError):
        return False
    return True


def _filed_wrongly(posed: Posed, other: Posed) -> Question:
    """A certificate about other data: its hash is not that of the subject."""
    about = {"sha256": other.subject.sha256, "n": posed.subject.n, "N": posed.subject.N}
    filed = {"format": certificate.FORMAT, "version": certificate.VERSION, "subject": about}

    def ask() -> Outcome:
        return certificate.check({**filed, "statements": [copy.deepcopy(posed.statement)]}, posed.subject)[0]

    return Question("of other data", posed.statement["kind"], False, ask, lambda: {"statement": posed.statement})
