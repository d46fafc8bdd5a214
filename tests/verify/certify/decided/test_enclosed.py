"""Where a noise lies among eigenvalues that are enclosed: against exact numbers, and engines that are wrong."""

from fractions import Fraction
from math import inf, nextafter

import numpy as np
import pytest

from verify.certify.checker.outcome import proved, undecided
from verify.certify.decided import enclosed as module
from verify.certify.decided.enclosed import Contradiction, Place, enclosed, exactly, not_below, nothing, within
from verify.certify.decided.thresholds import Thresholds
from verify.data import load
from verify.data.covariance import covariance
from verify.eigenvalues import Eigenvalues
from verify.errors import InputError

NUMBERS = [Fraction(n) for n in (6, 4, 4, 1, 0)]


def test_exact_numbers_are_counted_and_ties_are_told():
    found = exactly(NUMBERS)
    for level in (Fraction(7), Fraction(6), Fraction(5), Fraction(4), Fraction(39999, 10000), Fraction(1, 10**30)):
        above, level_with = sum(x > level for x in NUMBERS), sum(x == level for x in NUMBERS)
        assert found.place(level) == Place(above, level_with)
    assert found.place(Fraction(4)).retained(5) == (1, 1)  # a tie counts as collapsed
    assert found.groups == ((0, 1), (1, 3), (1, 3), (3, 4), (4, 5))


def test_within_radii_nothing_is_guessed():
    found = within([6.0, 4.0, 3.95, 1.0], [0.01, 0.1, 0.1, 0.0])
    assert found.place(Fraction(5)) == Place(1, 0)
    beside = found.place(Fraction(4))
    assert (beside.above, beside.level) == (1, 2) and "lam_2 to lam_3" in beside.why
    assert beside.retained(1) == (1, 1) and beside.retained(2) == (1, 2) and beside.retained(4) == (1, 3)
    # An end is still within, and beyond it is not; 3.95 + 0.1 is a rational number here, not a double.
    end = Fraction(3.95) + Fraction(0.1)
    assert found.place(end).level == 2 and found.place(end + Fraction(1, 10**40)).level == 1
    assert found.place(Fraction(1)).level == 1
    assert found.groups == ((0, 1), (1, 3), (1, 3), (3, 4))
    assert found.apart(0, 1) and not found.apart(1, 2)


def test_a_count_decides_what_radii_leave_open_and_is_believed_only_where_it_can_be_true():
    asked = []

    def counted(above, outcome):
        def count(level):
            asked.append(level)
            return {"above": above}, outcome

        return within([6.0, 4.0, 3.95, 1.0], [0.01, 0.1, 0.1, 0.0], count=count)

    assert counted(2, proved("")).place(Fraction(4)) == Place(2, 0)
    assert counted(2, undecided("")).place(Fraction(4)).why is not None
    assert len(asked) == 2
    assert counted(2, proved("")).place(Fraction(5)) == Place(1, 0) and len(asked) == 2  # it need not be asked
    with pytest.raises(Contradiction, match="4 eigenvalues exceed"):
        counted(4, proved("")).place(Fraction(4))


def test_radii_that_are_not_finite_prove_nothing():
    found = within([3.0, 2.0], [1e-9, inf])
    assert found.why is not None and not len(found)
    assert within([3.0, 2.0], [1e-9, float("nan")]).why is not None
    with pytest.raises(Contradiction):
        within([1.0, 2.0], [0.1, 0.1])  # eigenvalues fall


def test_what_was_measured_must_agree_with_what_is_proved():
    measured = Eigenvalues.measured(np.array([3.0, 2.0, 1.0]), np.full(3, 1e-9))
    within([3.0, 2.0, 1.0], [1e-12] * 3).agree(measured)
    within([3.0 + 1e-9, 2.0, 1.0], [1e-12] * 3).agree(measured)
    for wrong in ([3.0 + 3e-9, 2.0, 1.0], [3.0, 2.0 - 3e-9, 1.0]):
        with pytest.raises(Contradiction, match="was measured as"):
            within(wrong, [1e-12] * 3).agree(measured)


@pytest.mark.parametrize("seed", range(4))
def test_of_rows_the_exact_eigenvalues_lie_within(seed):
    """In two columns they are roots of a quadratic with rational coefficients: their enclosure is exact arithmetic."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(9, 2)) * [1.0, 10.0 ** (-3 * seed)]
    rows = [[Fraction(x) for x in row] for row in X.tolist()]
    mean = [sum(column) / 9 for column in zip(*rows, strict=True)]
    S = [[sum((r[i] - mean[i]) * (r[j] - mean[j]) for r in rows) / 9 for j in range(2)] for i in range(2)]

    def exceed(level):
        """How many eigenvalues exceed a rational level that is none: signs of the leading minors of S - level."""
        first = S[0][0] - level
        both = first * (S[1][1] - level) - S[0][1] ** 2
        return 2 if first > 0 and both > 0 else 0 if first < 0 and both > 0 else 1

    found = enclosed(covariance(X))
    for j in range(2):
        assert exceed(found.low[j] - Fraction(1, 10**60)) > j >= exceed(found.high[j] + Fraction(1, 10**60))
        assert found.high[j] - found.low[j] < Fraction(1, 10**12)
    small, large = found.trace
    assert small <= S[0][0] + S[1][1] <= large


def test_a_covariance_is_enclosed_once_and_says_why_where_it_is_not(monkeypatch):
    data = load("iris")
    calls = []
    engine = module.thresholds
    monkeypatch.setattr(module, "thresholds", lambda subject: calls.append(subject) or engine(subject))
    assert enclosed(data) is enclosed(data) and len(calls) == 1
    once = covariance(iter([np.eye(3), 2 * np.eye(3)]))
    assert "read only once" in enclosed(once).why
    assert nothing("no reason").why == "no reason"


def test_a_wrong_radius_is_caught(monkeypatch):
    """Control: an engine whose radii are too small for its values is contradicted by what was measured."""
    engine = module.thresholds

    def wrong(subject):
        found = engine(subject)
        return Thresholds(found.values * (1 + 1e-9), found.radii)

    monkeypatch.setattr(module, "thresholds", wrong)
    with pytest.raises(Contradiction):
        enclosed(load("iris"))


def test_the_least_step_beside_a_typed_eigenvalue_is_seen():
    found = module.exactly([Fraction("0.3"), Fraction("0.1")])
    assert found.place(Fraction(3, 10)) == Place(0, 1)
    assert found.place(Fraction(repr(nextafter(0.3, 0)))) == Place(1, 0)
    assert found.place(Fraction(repr(nextafter(0.3, 1)))) == Place(0, 0)


def test_doubles_are_not_below_what_they_bound():
    for x in (Fraction(0), Fraction(1, 3), Fraction(1), Fraction(1, 10**320), Fraction(10**300, 7)):
        assert Fraction(not_below(x)) >= x and (not_below(x) == 0) == (x == 0)
    assert Fraction(float(Fraction(1, 7))) != Fraction(1, 7)  # control: rounding to nearest does not do
    assert not_below(Fraction(2)) == 2.0


def test_data_that_change_between_two_readings_are_told_of_in_one_line():
    X = np.random.default_rng(0).normal(size=(12, 3))
    known = load(X)
    X *= 2
    with pytest.raises(InputError, match="the data changed since they were read: read them again"):
        enclosed(known)
