"""The functions of statements on boxes against their definitions in floating point, and what is said of them."""

import math
import sys
from fractions import Fraction

import numpy as np
import pytest

from verify.certify.checker.balls import ball, precision
from verify.certify.checker.boxes import _coefficient, enclosure
from verify.certify.checker.functions import FUNCTIONS, check
from verify.certify.checker.outcome import Status
from verify.certify.propose.boxes import statement
from verify.errors import InputError
from verify.models import bernoulli, linear_vae

pytest.importorskip("flint")


def at(name, *x):
    """f at a point, by its series."""
    return float(_coefficient(FUNCTIONS[name], [ball(Fraction(y)) for y in x], 0, 0).mid())


def second(value, step=1e-3):
    """Half the second derivative at 0, by differences that are exact for degree 5."""
    v = [value(i * step) for i in (-2, -1, 0, 1, 2)]
    return (-v[0] + 16 * v[1] - 30 * v[2] + 16 * v[3] - v[4]) / (24 * step**2)


def test_the_determinants():
    rng = np.random.default_rng(1)
    for s, a, b in rng.uniform(-1, 1, (20, 3)):
        R = np.array([[1, s, s * a], [s, 1, s * b], [s * a, s * b, 1]])
        assert at("gap of three", s, a, b) == pytest.approx(1 - np.linalg.det(R), abs=1e-13)
        assert at("gap of two", s) == pytest.approx(s * s, abs=1e-14)


def test_the_rotation_is_half_the_curvature_of_the_profile_elbo_at_a_stationary_point():
    rng = np.random.default_rng(2)
    for d, u in rng.uniform(0.1, 0.9, (10, 2)):
        lam = np.array([1 + d, 1 - d]) ** 2
        root_m = np.sqrt(lam).sum() / 2
        t = np.sqrt(lam) * root_m
        s = u * t[1]
        W, S = np.sqrt((t - s) / 2)[:, None] * np.array([[1.0, 1], [1, -1]]), np.diag(lam)
        assert np.abs(linear_vae.profile_gradient(W, s, S)).max() < 1e-12

        def along(angle, W=W, s=s, S=S):
            c, z = math.cos(angle), math.sin(angle)
            return float(linear_vae.profile_elbo(W @ np.array([[c, -z], [z, c]]), s, S))

        # Rounding eps/step^2 = 1e-10 of values of order one.
        assert at("rotation", d, u) == pytest.approx(second(along), abs=1e-7)
        assert at("rotation", d, u) == pytest.approx(2 * d * d, abs=1e-12)


def test_the_pixels_are_half_the_curvature_of_the_likelihood_by_quadrature():
    for r, a, b in ((0.5, 0.5, 0.5), (0.25, 0.2, 0.7), (1.0, 0.3, 0.3)):
        mean = np.array([a, b])
        c = r * math.sqrt(a * (1 - a) * b * (1 - b))
        points = np.array([[1.0, 1], [1, 0], [0, 1], [0, 0]])
        weights = np.array([a * b + c, a * (1 - b) - c, (1 - a) * b - c, (1 - a) * (1 - b) + c])
        mu = np.log(mean / (1 - mean))

        def along(step, points=points, weights=weights, mu=mu):
            W = np.full((2, 1), step)
            return sum(
                w * float(bernoulli.log_likelihood(W, mu, x[None])) for w, x in zip(weights, points, strict=True)
            )

        assert at("two pixels", r, a, b) == pytest.approx(second(along, 1e-2), abs=1e-6)
        assert at("two pixels", r, a, b) == pytest.approx(c, abs=1e-13)


@pytest.mark.parametrize(
    ("name", "border"),
    [("gap of two", ()), ("gap of three", (0.3, -0.9)), ("rotation", (0.4,)), ("two pixels", (0.2, 0.7))],
)
def test_each_vanishes_to_its_order_where_it_is_said_to(name, border):
    function = FUNCTIONS[name]
    point = [ball(Fraction(x)) for x in (0, *border)]
    with precision(200):
        for order in range(function.order):
            assert abs(_coefficient(function, point, 0, order)) < 1e-12  # the border itself is rounded
        assert _coefficient(function, point, 0, function.order) > 0.1  # control: no further


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("leaf", [".", ":"])
def test_enclosures_hold_the_function_at_points_of_the_part(name, leaf):
    rng, function = np.random.default_rng(3), FUNCTIONS[name]
    for _ in range(5):
        low = [Fraction(int(x), 100) for x in rng.integers(20, 80, function.d)]
        part = [(x, x + Fraction(1, 200)) for x in low]
        found = enclosure(function, part, leaf)
        for _ in range(5):
            x = [lo + (hi - lo) * Fraction(int(rng.integers(0, 101)), 100) for lo, hi in part]
            value = _coefficient(function, [ball(y) for y in x], 0, 0)
            assert found.overlaps(value / ball(x[0]) ** function.order if leaf == "." else value)


BOXES = {
    "gap of two": [("-1", "1")],
    "gap of three": [("-1", "1")] * 3,
    "rotation": [("0", "1/32"), ("9/20", "11/20")],
    "two pixels": [("0", "1"), ("1/5", "4/5"), ("1/5", "4/5")],
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_is_positive_on_a_box_and_nothing_else_is_proved_of_it(name):
    given = statement(name, ">", BOXES[name])
    assert check(given).status == Status.PROVED
    assert check({**given, "sign": "<"}).status == Status.REFUTED
    tree = given["evidence"]["tree"]
    for other in (tree[:-1], tree + "."):
        with pytest.raises(InputError):
            check({**given, "evidence": {"tree": other}})
    if len(tree) > 1:
        assert check({**given, "evidence": {"tree": "."}}).status == Status.UNDECIDED  # too coarse
    for other in set(FUNCTIONS) - {name}:
        if FUNCTIONS[other].d != FUNCTIONS[name].d:
            with pytest.raises(InputError):
                check({**given, "function": other})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"function": "gap of four"}, "one of"),
        ({"function": ["rotation"]}, "one of"),
        ({"function": None}, "one of"),
        ({"sign": "="}, "sign"),
        ({"box": [["0", "1"]]}, "2 ends"),
        ({"box": [["1/8", "0"], ["2/5", "3/5"]]}, "lo < hi"),
        ({"box": [["0", "0"], ["2/5", "3/5"]]}, "lo < hi"),
        ({"box": [["-1/8", "1/8"], ["2/5", "3/5"]]}, "lo < hi"),
        ({"box": [["0", "9/8"], ["2/5", "3/5"]]}, "lo < hi"),
        ({"box": [["nan", "1/8"], ["2/5", "3/5"]]}, "no exact number"),
        ({"box": [["0", "inf"], ["2/5", "3/5"]]}, "no exact number"),
        ({"box": [[0.0, 0.5], ["2/5", "3/5"]]}, "no exact number"),
        ({"box": [["0", "1/8", "1/4"], ["2/5", "3/5"]]}, "no ends"),
        ({"box": None}, "one of"),
        ({"evidence": {}}, "one of"),
        ({"evidence": None}, "one of"),
        ({"evidence": {"tree": 0}}, "a text"),
    ],
)
def test_what_is_malformed_is_refused_in_one_line(change, said):
    given = {"kind": "box", "function": "rotation", "sign": ">", "box": BOXES["rotation"], "evidence": {"tree": "."}}
    check(given)
    with pytest.raises(InputError, match=said) as error:
        check({**given, **change})
    assert "\n" not in str(error.value)


def test_without_flint_it_is_said_what_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "flint", None)
    with pytest.raises(InputError, match="need python-flint"):
        check({"function": "gap of two", "sign": ">", "box": [["-1", "1"]], "evidence": {"tree": "."}})


def test_a_box_that_is_too_large_is_told_in_words():
    with pytest.raises(InputError, match=r"1 ends, \[lo, hi\] with lo < hi, within x_0 from -1 to 1$"):
        check({"function": "gap of two", "sign": ">", "box": [["-2", "1"]], "evidence": {"tree": "."}})
