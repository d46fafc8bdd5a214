"""The whole verdict: which parts apply, and that what is written is what the checker proves again."""

import json
from fractions import Fraction

import numpy as np
import pytest

from verify.analysis import certificate as documents
from verify.certify import sources, verdict
from verify.certify.checker.certificate import KINDS
from verify.certify.checker.outcome import Status, proved
from verify.certify.verdict import Asked, check

ROWS = np.random.default_rng(1).integers(0, 5, (14, 2)).astype(float)


def asked(k=1, sigma2="1", beta="1"):
    return Asked(k, Fraction(sigma2), Fraction(beta))


def kinds(data, of):
    document, whole = documents.made(subject := sources.subject_of(data, {}), "data", of)
    assert all(outcome.status is Status.PROVED for outcome in check(json.loads(json.dumps(whole)), subject))
    assert document["proved"] == len(whole["statements"])
    return [statement["kind"] for statement in whole["statements"]], document


def test_each_part_is_there_where_it_applies(monkeypatch):
    pytest.importorskip("flint")
    monkeypatch.setattr(verdict, "POINTS", 1)
    monkeypatch.setattr(verdict, "BOXES", 10)
    found, document = kinds(ROWS, asked())
    assert found[:4] == ["optimum", "count", "eigenvalues", "witness"] and set(found[4:]) <= {"every decoder"}
    found, document = kinds("eigenvalues:3,1", asked())
    assert found[:2] == ["optimum", "count"] and {"stationary", "inertia"} <= set(found[2:])
    assert [note.partition(":")[0] for note in document["notes"]] == ["model"]
    found, document = kinds("eigenvalues:3,1", asked(beta="2"))
    assert found == ["optimum", "count"]
    assert document["notes"][:-1] == ["not tried: the best stationary points (points are stated at beta = 1)"]


def test_what_is_too_large_is_left_out_and_said():
    found, document = kinds(np.random.default_rng(0).normal(size=(70, 65)), asked(3))
    assert found == ["optimum", "count", "eigenvalues"]
    assert document["notes"][0].endswith("(this is tried up to 5000 rows of 64 columns)")
    found, document = kinds("eigenvalues:" + ",".join(map(str, range(61, 0, -1))), asked(2))
    assert found == ["optimum", "count"] and "n k = 122" in document["notes"][0]


def test_what_only_the_search_believes_is_not_written(monkeypatch):
    """A proposer that calls a false statement proved: the checker has the last word."""
    lie = {"kind": "count", "level": "1", "above": 2}
    lying = verdict.Part("lying", verdict.always, lambda *_: [(lie, proved("trust me"))])
    monkeypatch.setattr(verdict, "PARTS", (lying,))
    document, whole = documents.made(sources.subject_of("eigenvalues:3,1", {}), "data", asked())
    assert whole["statements"] == [] and (document["proved"], document["refuted"]) == (0, 1)


def test_a_search_that_breaks_down_takes_nothing_with_it(monkeypatch):
    def broken(*_):
        raise np.linalg.LinAlgError("did not converge")

    monkeypatch.setattr(verdict, "PARTS", (verdict.Part("breaking", verdict.always, broken), *verdict.PARTS[:2]))
    found, document = kinds("eigenvalues:3,1", asked())
    assert found == ["optimum", "count"]
    assert document["notes"][0] == "not tried: breaking (the search failed: did not converge)"


def test_the_noise_is_the_decimal_that_was_typed():
    from verify.eigenvalues import Written

    subject = sources.subject_of("eigenvalues:0.3,0.1", {})
    of = documents.asked(subject, 1, Written("0.1"), Written("3"))
    assert of.level == Fraction(3, 10) and of.sigma2 == Fraction(1, 10)
    assert documents.asked(subject, 1, 0.1, 3.0) == of  # a float is the decimal that it prints


def test_every_kind_has_its_sentence():
    from verify.words.statements import SENTENCES

    assert set(SENTENCES) == set(KINDS)
