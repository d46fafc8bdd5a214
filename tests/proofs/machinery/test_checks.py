"""The checks say yes, no, or "this makes no sense", and never mistake one for another."""

import math

import mpmath
import numpy as np
import pytest
import sympy

from proofs.machinery.checks import (
    Disagreement,
    agree,
    at_most,
    certified,
    check,
    rejected,
    rejections,
    same,
    tallied,
    tally,
    vanishes,
)
from verify.certify.checker.outcome import proved, refuted, undecided


def test_error_is_relative_to_the_norm_of_what_is_expected():
    actual, expected = np.array([[3.0, 4.0], [0.0, 1e-3]]), np.array([[3.0, 4.0], [0.0, 0.0]])
    naive = math.sqrt(sum((a - e) ** 2 for a, e in zip(actual.flat, expected.flat, strict=True)))
    naive /= math.sqrt(sum(e**2 for e in expected.flat))
    # a few roundings
    assert agree(actual, expected, tolerance=1e-3) == pytest.approx(naive, rel=1e-14)
    with pytest.raises(Disagreement, match=r"0\.0002 is above 0\.0001"):
        agree(actual, expected, tolerance=1e-4)


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_error_does_not_leave_the_range_of_floating_point(scale):
    expected = scale * np.array([3.0, 4.0])
    # the sum itself is rounded
    assert agree(expected + scale * np.array([0, 5e-3]), expected, tolerance=1) == pytest.approx(1e-3, rel=1e-9)


def test_error_is_absolute_where_zero_is_expected_unless_a_scale_is_given():
    assert agree(np.full(4, 0.5), 0, tolerance=1) == 1.0
    assert agree(np.full(4, 0.5), np.zeros(4), tolerance=1, scale=10) == 0.1
    assert agree(0.0, 0.0, tolerance=0) == 0.0


def test_a_scalar_is_compared_with_every_entry():
    assert agree(np.full((2, 2), 2.0), 2.0, tolerance=0) == 0.0
    assert agree(np.full(4, 3.0), 2.0, tolerance=1) == 0.5  # ||(1,1,1,1)|| / ||(2,2,2,2)||


def test_exact_and_long_numbers_are_compared_too():
    assert agree(sympy.Matrix([[1, 2], [3, 4]]), np.array([[1, 2], [3, 4]]), tolerance=0) == 0.0
    assert agree(mpmath.mpf("0.5"), 0.5, tolerance=0) == 0.0
    assert agree(np.array([1], dtype=np.uint8), np.array([2], dtype=np.uint8), tolerance=1) == 0.5  # no wrap-around


def test_nonsense_is_no_disagreement():
    with pytest.raises(ValueError, match=r"shapes \(2,\) and \(3,\) differ"):
        agree(np.ones(2), np.ones(3), tolerance=1)
    for bad in (math.nan, math.inf):
        with pytest.raises(FloatingPointError):
            agree(bad, 1.0, tolerance=1)
        with pytest.raises(FloatingPointError):
            agree(1.0, bad, tolerance=1)


def test_at_most_returns_the_largest_excess():
    assert at_most([1.0, 2.0], 2.0) == 0.0
    assert at_most([1.0, 2.5], 2.0, slack=0.5) == 0.5
    with pytest.raises(Disagreement, match=r"above its bound by 0\.5"):
        at_most([1.0, 2.5], 2.0)


def test_same_is_exact():
    same((1, 2), (1, 2))
    same(0.5, 0.5)
    with pytest.raises(Disagreement, match=r"found 0\.5, expected 0\.25"):
        same(0.5, 0.25)
    with pytest.raises(Disagreement, match="found 3, expected 2"):
        same(3, 2)


def test_check_is_a_bare_yes_or_no():
    check(True, "unused")
    with pytest.raises(Disagreement, match="no minor change"):
        check(False, "no minor change")
    with pytest.raises(ValueError):
        check(np.array([True, False]), "the truth of an array")
    with pytest.raises(TypeError):
        check(sympy.Symbol("x") > 0, "an open relation")


def test_certified_takes_what_is_proved_and_nothing_else():
    certified(proved("so it is"))
    for outcome in (refuted("it is not"), undecided("who knows")):
        with rejected():
            certified(outcome)
    for no_outcome in (True, None, "proved"):
        with pytest.raises(AttributeError):
            certified(no_outcome)


def test_vanishes_sees_identities_and_only_those():
    x = sympy.Symbol("x")
    vanishes((x + 1) ** 2 - x**2 - 2 * x - 1)
    vanishes(sympy.Matrix([[0, sympy.sin(x) ** 2 + sympy.cos(x) ** 2 - 1]]))
    with pytest.raises(Disagreement, match="does not vanish identically: x"):
        vanishes(sympy.Matrix([[0, x]]))


def test_rejected_passes_on_a_disagreement_and_counts_it():
    before = rejections()
    with rejected():
        agree(1.0, 2.0, tolerance=1e-3)
    assert rejections() == before + 1


def test_rejected_fails_where_the_false_statement_passed():
    before = rejections()
    with pytest.raises(AssertionError, match="the control was not rejected") as failure, rejected():
        agree(1.0, 1.0, tolerance=1e-3)
    assert not isinstance(failure.value, Disagreement)
    assert rejections() == before


@pytest.mark.parametrize("error", [ValueError, ZeroDivisionError, AssertionError, FloatingPointError])
def test_a_crash_is_no_rejection(error):
    before = rejections()
    with pytest.raises(error, match="crash"), rejected():
        raise error("crash")
    assert rejections() == before


@pytest.mark.parametrize(
    "nonsense",
    [
        lambda: agree(np.ones(0), np.ones(0), tolerance=1),
        lambda: at_most(np.ones(0), 1.0),
        lambda: agree(np.array([1.0, math.nan]), np.ones(2), tolerance=1e-3),
        lambda: at_most(np.array([2.0, math.inf]), 1.0),
        lambda: agree(1.0, 2.0, tolerance=-0.5),
        lambda: agree(1.0, 2.0, tolerance=1e-3, scale=-0.5),
        lambda: at_most(2.0, 1.0, slack=-0.5),
        lambda: agree(1.0, 2.0, tolerance=math.inf),
        lambda: agree(1.0, 2.0, tolerance=math.nan),
        lambda: agree(1.0, 2.0, tolerance=1e-3, scale=math.inf),
        lambda: agree(1.0, 2.0, tolerance=1e-3, scale=math.nan),
        lambda: at_most(2.0, 1.0, slack=math.nan),
        lambda: at_most(1 + 9j, 2.0),
        lambda: same(np.array([]), np.array([5])),
        lambda: same(np.array([1]), [2]),
        lambda: same([1], np.array([1])),
        lambda: same([1], (1,)),
        lambda: same((1,), [1]),
        lambda: same(math.nan, 1.0),
        lambda: same(1.0, np.float32("nan")),
        lambda: check(sympy.eye(2).is_symmetric, "a method that was not called"),
        lambda: check((x > 0 for x in [-1]), "a generator"),
        lambda: check("no", "a word"),
        lambda: check(math.nan, "NaN"),
        lambda: check(sympy.Symbol("x"), "a symbol"),
        lambda: check(sympy.Symbol("x") + 1, "an expression"),
        lambda: vanishes(sympy.zeros(0, 0)),
        lambda: vanishes("x - x"),
        lambda: vanishes([sympy.Symbol("x")]),
        lambda: vanishes(sympy.false),
        lambda: vanishes(False),
        lambda: vanishes(sympy.ZeroMatrix(2, 2)),
        lambda: vanishes(sympy.nan),
        lambda: vanishes(sympy.zoo),
    ],
)
def test_nonsense_is_neither_accepted_nor_rejected(nonsense):
    before = rejections()
    with pytest.raises((ValueError, TypeError, FloatingPointError)), rejected():
        nonsense()
    assert rejections() == before


def test_the_ways_to_say_yes_and_no_are_taken():
    for yes in (True, np.True_, sympy.true, np.array(True), [1]):
        check(yes, "unused")
    for no in (False, None, np.False_, sympy.false, []):
        with pytest.raises(Disagreement):
            check(no, "no")
    vanishes(0)
    vanishes(sympy.Integer(0))


def test_every_check_counts_its_answers():
    accepted, refused = tally()
    agree(1.0, 1.0, tolerance=0.1)
    check(True, "yes")
    with rejected():
        at_most(2.0, 1.0)
    with pytest.raises(Disagreement):  # outside a control a no is a failure, and no control
        same(1, 2)
    now_accepted, now_refused = tally()
    assert now_accepted - accepted == {"agree": 1, "check": 1}
    assert now_refused - refused == {"at_most": 1}


def test_what_a_check_asks_others_counts_as_its_own():
    @tallied
    def both(a, b):
        same(a, a)
        check(a == b, "differ")

    accepted, refused = tally()
    both(1, 1)
    with rejected():
        both(1, 2)
    now_accepted, now_refused = tally()
    assert (now_accepted - accepted, now_refused - refused) == ({"both": 1}, {"both": 1})


def test_a_no_of_no_check_is_a_rejection_all_the_same():
    before, (_, refused) = rejections(), tally()
    with rejected():
        raise Disagreement("by hand")
    assert (rejections() - before, tally()[1] - refused) == (1, {"": 1})
