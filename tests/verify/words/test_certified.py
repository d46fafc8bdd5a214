"""What is said of certified numbers: only where that was asked for, why they are not, and bounds rounded up."""

from fractions import Fraction

import pytest

from verify.analysis.stability import stability
from verify.data import load
from verify.data.covariance import from_eigenvalues
from verify.words import certified
from verify.words.stability import said
from verify.words.tables import plain


def row(status, why=None, sigma2=1.0, retained=2, most=2):
    return {"certified": status, "why": why, "sigma2": sigma2, "retained": retained, "retained_at_most": most}


def test_a_mark_for_each_answer():
    assert [certified.mark(row(s)) for s in ("certified", "undecided", "not requested")] == ["yes", "undecided", "-"]
    assert certified.status({"certified": {"status": "undecided", "why": "x"}}) == "undecided"
    assert certified.status({}) == "not requested"


def test_undecided_says_why_and_once_where_all_are():
    one, other = row("certified"), row("undecided", "lam_3 is near", 0.5)
    assert list(certified.said_of_rows([one, other])) == ["not certified: at sigma2 = 0.5 lam_3 is near"]
    assert list(certified.said_of_rows([one])) == []
    none = [row("undecided", "nothing is known", s) for s in (0.5, 1.0, 2.0)]
    assert list(certified.said_of_rows(none)) == ["not certified: nothing is known"]
    # Of a tie within rounding the note on rounding says it.
    assert list(certified.said_of_rows([one, row("undecided", "lam_3 is near", retained=2, most=3)])) == []


def test_points_that_are_not_certified_are_counted():
    points = [{"certified": {"status": "undecided", "why": why}} for why in ("a", "b", "a")]
    points.append({"certified": {"status": "certified", "why": None}})
    assert list(certified.said_of_points(points)) == ["not certified: 3 of the points, 2 of them because a"]
    assert list(certified.said_of_points(points[:1])) == ["not certified: one of the points, because a"]
    assert list(certified.said_of_points([{}])) == []


def test_the_table_has_the_column_only_where_it_was_asked_for():
    data = load("iris")
    plainly, asked = (plain(said(stability(data, 2, [1.0, 0.1], certify=c))) for c in (False, True))
    assert "certified" not in plainly
    assert "certified: the number retained is proved in exact arithmetic for these very data" in " ".join(asked.split())
    assert "says nothing of other data" in " ".join(asked.split()) and "lie within" in asked
    assert plain(said(stability(from_eigenvalues([3.0, 2.0]), 1, [1.0], certify=True))).endswith("these are exact")


@pytest.mark.parametrize("beta", [1.0, 3.0])
def test_the_radius_that_is_printed_is_not_too_small(beta):
    document = stability(load("iris"), 3, [0.1], beta=beta, certify=True)
    printed = Fraction(certified.radius(document))
    for t in document["thresholds"]:
        exact = certified.of_threshold(document, t)
        assert exact >= Fraction(t["radius"]) / Fraction(beta)
        assert exact <= printed
        assert abs(Fraction(t["sigma2"]) - Fraction(t["eigenvalue"]) / Fraction(beta)) <= exact
    assert certified.radius(stability(load("iris"), 3, [0.1])) is None  # control: nothing is certified


def test_of_a_bare_spectrum_thresholds_are_exact_but_for_a_division():
    exact = stability(from_eigenvalues([3.0, 0.7]), 2, [1.0], certify=True)
    assert certified.radius(exact) == "0"
    third = stability(from_eigenvalues([1.0, 0.7]), 2, [1.0], beta=3, certify=True)
    assert 0 < Fraction(certified.radius(third)) < Fraction(1, 10**16)


def test_of_a_report_it_is_said_how_much_is_certified():
    yes, no = {"certified": "certified"}, {"certified": "undecided"}
    point = {"certified": {"status": "undecided", "why": "a"}}
    facts = {"noise": [yes, no, yes], "thresholds": [{"radius": 0.0}, {"radius": None}]}
    said = certified.of_report({"stability": facts, "stationary": [{"points": [point, yes]}, {"points": []}]})
    assert "retained at 2 of 3 noises, 1 of 2 thresholds and index and kind of 1 of 2 stationary points" in said
    assert said.endswith("3 of these are undecided.")
    all_ = {"stability": {"noise": [yes], "thresholds": [{"radius": 0.0}]}, "stationary": []}
    assert certified.of_report(all_).endswith("at 1 of 1 noises and 1 of 1 thresholds; nothing is undecided.")
    assert certified.of_report({"stability": {"noise": [{}], "thresholds": []}, "stationary": []}) is None
