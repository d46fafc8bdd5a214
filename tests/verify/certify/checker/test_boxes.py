"""Statements on boxes: series against differences, trees that must cover, and what must not be proved."""

import math
from fractions import Fraction

import pytest

from verify.certify.checker.balls import ball
from verify.certify.checker.boxes import Function, decide, enclosure, shift
from verify.certify.checker.outcome import Status
from verify.errors import InputError

flint = pytest.importorskip("flint")

WHOLE = [(Fraction(0), Fraction(1))]


def polynomial(x, theta):
    """(x - 1/4) (x - 1/2): positive left of 1/4, negative between, 0 at both."""
    return (x[0] - shift(0) * ball(Fraction(1, 4))) * (x[0] - shift(0) * ball(Fraction(1, 2)))


def product(x, theta):
    """x_0 x_1 (1 + theta)^2: its coefficient of theta^2 is x_0 x_1."""
    return x[0] * x[1] * (1 + theta) * (1 + theta)


PLAIN = Function(polynomial, 1, 0, 0, 0)
PRODUCT = Function(product, 2, -1, 1, 2)


def ends(*pairs):
    return [(Fraction(lo), Fraction(hi)) for lo, hi in pairs]


def status(function, sign, box, tree):
    return decide(function, sign, box, tree).status


def test_series_multiply_as_polynomials_cut_off_at_the_third_power():
    theta, e = shift(3), shift(1)
    got = (1 + 2 * theta + 3 * e) * (5 + 7 * theta * e) * (1 + e * e)
    want = {0: 5, 1: 15, 2: 5, 3: 10, 4: 7, 5: 10 + 21, 6: 0, 7: 14, 8: 0}
    assert [int(got[0, j].unique_fmpz()) for j in range(9)] == list(want.values())
    assert theta * theta * theta == 0 * theta and e * e * e == 0 * e
    assert theta != e


@pytest.mark.parametrize("leaf", [".", ":"])
def test_an_enclosure_holds_every_value_on_the_part(leaf):
    for lo, hi in (("0", "1"), ("1/8", "1/4"), ("1/3", "2/3")):
        found = enclosure(PLAIN, ends((lo, hi)), leaf)
        lo, hi = Fraction(lo), Fraction(hi)
        for i in range(11):
            x = lo + (hi - lo) * Fraction(i, 10)
            assert found.contains(ball((x - Fraction(1, 4)) * (x - Fraction(1, 2))))
        assert not found.contains(ball(5))  # control: it is no ball of everything


def test_the_mean_value_form_is_narrower_on_small_parts():
    part, spread = ends(("0.5", "0.51")), Function(lambda x, theta: x[0] * x[0] - x[0], 1, 0, 0, 0)
    assert 10 * enclosure(spread, part, ":").rad() < enclosure(spread, part, ".").rad()


def test_a_sign_is_proved_where_it_holds_and_refuted_where_it_does_not():
    assert status(PLAIN, ">", ends((0, "1/8")), ".") == Status.PROVED
    assert status(PLAIN, "<", ends((0, "1/8")), ".") == Status.REFUTED
    assert status(PLAIN, "<", ends(("0.3", "0.45")), "0::") == Status.PROVED
    # Too large a box: in its lower half it holds, not in the upper.
    assert status(PLAIN, ">", ends((0, "1/2")), "0..") != Status.PROVED
    assert status(PLAIN, ">", WHOLE, "00..0..") != Status.PROVED


@pytest.mark.parametrize("root", ["1/4", "1/2"])
def test_where_it_is_zero_neither_sign_is_decided(root):
    """At the end of a box, and by any tree: nothing is greater than 0 there."""
    lo = Fraction(root)
    for box in ([(lo, lo + Fraction(1, 64))], [(lo - Fraction(1, 64), lo)]):
        for tree in (".", ":", "0..", "0::", "00::0::", "00..0.."):
            for sign in (">", "<"):
                assert status(PLAIN, sign, box, tree) != Status.PROVED


def test_a_zero_of_known_order_is_divided_out():
    assert status(PRODUCT, ">", ends((0, 1), ("1/8", 1)), ".") == Status.PROVED
    assert status(PRODUCT, "<", ends((0, 1), (-1, "-1/8")), ".") == Status.PROVED
    assert status(PRODUCT, ">", ends((0, 1), (-1, "-1/8")), ".") == Status.REFUTED
    assert status(PRODUCT, ">", ends((0, 1), ("-1/8", 1)), "0..") == Status.UNDECIDED


def test_an_odd_order_has_no_sign_on_both_sides():
    with pytest.raises(InputError, match="within"):
        decide(PRODUCT, ">", ends((-1, 1), ("1/8", 1)), ".")


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ("", "before it has covered"),
        ("0", "before it has covered"),
        ("0.", "before it has covered"),
        ("00..0.", "before it has covered"),
        ("00...0", "behind its end"),
        ("..", "behind its end"),
        ("0...", "behind its end"),
        ("1..", "a coordinate that there is not"),
        ("x", "a coordinate that there is not"),
        ("²..", "a coordinate that there is not"),
        ("٠..", "a coordinate that there is not"),
        (None, "a text"),
        (["0", ".", "."], "a text"),
    ],
)
def test_trees_that_do_not_cover_are_refused(tree, said):
    with pytest.raises(InputError, match=said):
        decide(PLAIN, ">", ends((0, "1/8")), tree)


@pytest.mark.parametrize(
    "box", [[], [("1/2", "1/4")], [("1/4", "1/4")], [(-1, "1/8")], [(0, 2)], [(0, "1/8"), (0, "1/8")]]
)
def test_boxes_that_are_none_are_refused(box):
    with pytest.raises(InputError, match="ends"):
        decide(PLAIN, ">", ends(*box), ".")


@pytest.mark.parametrize("sign", ["", "=", ">=", None, 1, [">"]])
def test_signs_that_are_none_are_refused(sign):
    with pytest.raises(InputError, match="sign"):
        decide(PLAIN, sign, ends((0, "1/8")), ".")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_nan_and_infinity_decide_nothing(value):
    nowhere = Function(lambda x, theta: x[0] * flint.arb(value), 1, 0, 0, 0)
    for tree in (".", ":", "0.."):
        for sign in (">", "<"):
            assert status(nowhere, sign, WHOLE, tree) == Status.UNDECIDED


def test_precision_is_what_it_was():
    before = flint.ctx.prec
    enclosure(PLAIN, WHOLE, ":")
    assert flint.ctx.prec == before
