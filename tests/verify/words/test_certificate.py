"""What is said of certificates: reasons where something is not proved, and nothing that was not found."""

from fractions import Fraction

import numpy as np
import pytest

from verify.analysis.certificate import made
from verify.certify.propose import counts
from verify.certify.sources import subject_of
from verify.certify.verdict import Asked
from verify.data import load
from verify.words.certificate import headline, said


def document(**status):
    """One statement of each, with as many as are named."""
    rows = [{"status": name, "says": f"a {name} one", "reason": f"why {name}"} for name in status]
    counts = {"proved": 0, "refuted": 0, "undecided": 0} | status
    return {"data": "iris", "N": 150, "n": 4, "sha256": "0" * 64, "statements": rows, **counts}


def test_reasons_are_told_where_a_statement_is_not_proved():
    text = "\n".join(said(document(proved=1, refuted=1, undecided=1)))
    assert "why refuted" in text and "why undecided" in text and "why proved" not in text
    assert "1 of 3 statements is proved" in text and "undecided: the evidence does not tell" in text


def test_words_that_are_not_used_are_not_explained():
    assert said(document(proved=1))[-1] == "proved: true in exact arithmetic, whatever rounding did"
    assert said(document()) == [headline(document())]


def test_what_is_undecided_is_stated_as_floats_have_it(monkeypatch):
    """At a noise within rounding of an eigenvalue: the value is the one that was computed, not a place for it."""
    pytest.importorskip("flint")
    monkeypatch.setattr(counts, "exact_count", lambda subject, level: None)  # as of too many columns
    lam = float(load("iris").eigenvalues[1])
    subject = subject_of("iris", {})
    found, _ = made(subject, "iris", Asked(2, Fraction(lam), Fraction(1)))
    [optimum] = [row for row in found["statements"] if row["kind"] == "optimum"]
    assert optimum["status"] == "undecided" and "lies in [-3.469" in optimum["says"]


def test_statements_on_boxes_are_proved_for_no_data():
    box = {"status": "proved", "says": "of no data", "reason": "", "kind": "box"}
    found = {**document(proved=1), "statements": [box]}
    assert headline(found) == "The statement is proved."
    assert "for iris" in headline({**found, "statements": [box, {**box, "kind": "count"}], "proved": 2})


def test_sampling_stands_where_the_verdict_stands_for_rows_alone():
    assert headline(document(proved=1)).endswith("proved of these very rows, not of other data of the same kind.")
    assert "ampling" not in headline({**document(proved=1), "N": None})


def test_numbers_beyond_all_range_are_not_made_up():
    subject = subject_of(np.array([[1e150, 0.0], [-1e150, 1.0], [0.0, 2.0]]), {})
    found, _ = made(subject, "large", Asked(1, Fraction(1, 10**300), Fraction(1)))
    told = [row for row in found["statements"] if row["status"] != "proved"]
    assert told and not any("lies in" in row["says"] or "[" in row["says"] for row in told)
