"""What counts as wrong: a false statement proved, a true one refuted, a crash; never an answer that is withheld."""

import pytest

from benchmarks.soundness.asked import Question, Tally, answer, put, wrong
from verify.certify.checker.outcome import proved, refuted, undecided
from verify.errors import InputError


def raises(error):
    def ask():
        raise error

    return ask


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (lambda: proved("p"), ("proved", "p")),
        (lambda: refuted("r"), ("refuted", "r")),
        (lambda: undecided("u"), ("undecided", "u")),
        (raises(InputError("one line")), ("refused", "one line")),
    ],
)
def test_answers(ask, expected):
    assert answer(ask) == expected


@pytest.mark.parametrize("ask", [lambda: True, lambda: None, lambda: "proved", raises(ZeroDivisionError("x"))])
def test_whatever_is_no_outcome_is_a_crash(ask):
    assert answer(ask)[0] == "crashed"


def test_what_is_wrong():
    found = {(t, a) for t in (True, False, None) for a in ("proved", "refuted", "undecided", "refused") if wrong(t, a)}
    assert found == {(False, "proved"), (True, "refuted")}
    assert wrong(None, "crashed") and wrong(True, "crashed")


def test_faults_are_told_with_what_makes_them_again():
    questions = [
        Question("f", "c", False, lambda: proved("so"), lambda: {"A": "0x1p+0"}),
        Question("f", "c", True, lambda: proved("so")),
        Question("f", "c", True, lambda: undecided("no")),
    ]
    tally = put(questions, {"stage": "s", "case": 3, "seed": 1})
    assert tally.faults == [
        {"stage": "s", "case": 3, "seed": 1, "family": "f", "checker": "c", "truth": False}
        | {"answer": "proved", "why": "so", "A": "0x1p+0"}
    ]
    twice = Tally()
    twice.add(tally)
    twice.add(tally)
    assert twice.counts["f", "c", True, "undecided"] == 2 and len(twice.faults) == 2
