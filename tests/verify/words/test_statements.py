"""Statements in words: what is said is no more than what is stated."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from verify.certify.checker.functions import FUNCTIONS
from verify.certify.checker.numbers import exact
from verify.words.numerals import at_least, at_most
from verify.words.statements import DIGITS, sentence, shown

NUMBERS = [
    "1/3", "-1/3", "0x1.999999999999ap-4", "0.1", "123456789.123456789", "0", "-12", "0x1p+900", "0x1p-1074",
    "0x1p+9999", "1/1000000007", "99999999999999999999",
]  # fmt: skip


@pytest.mark.parametrize("text", NUMBERS)
def test_bounds_are_rounded_outwards(text):
    value = exact(text)
    low, high = (Fraction(Decimal(bound(value, DIGITS))) for bound in (at_least, at_most))
    assert low <= value <= high
    assert high - low <= abs(value) / 10**8  # one unit of the ninth digit
    assert Fraction(Decimal(at_most(value))) >= value


def test_a_number_that_is_shown_is_that_number():
    assert shown("1/10") == shown("0.1") == "0.1"
    assert shown("3") == "3" and shown("5/2") == "2.5"
    assert shown("0x1.999999999999ap-4") == "0x1.999999999999ap-4"  # the double is not one tenth
    assert shown("1/3") == "1/3"
    assert shown("1" * 60).startswith("about ")
    assert shown("0x1p+9999")


def test_counts_in_words():
    assert sentence({"kind": "count", "level": "1", "above": 1}) == "exactly 1 eigenvalue exceeds 1, and none equals it"
    assert sentence({"kind": "count", "level": "1", "above": 2, "equal": 2}).endswith(
        "eigenvalues exceed 1, and 2 equal it"
    )
    least = sentence({"kind": "count", "level": "1", "above": 2, "at_least": True})
    assert least == "at least 2 eigenvalues exceed 1"


def test_an_optimum_in_words():
    optimum = {"kind": "optimum", "k": 3, "sigma2": "0.1", "beta": "4", "retained": 2, "value": ["-1/3", "1/3"]}
    assert sentence(optimum) == (
        "the optimum of a linear VAE with 3 latents at sigma2 = 0.1, beta = 4 retains 2, and 1 collapses; its weighted "
        "ELBO per datum lies in [-0.333333334, 0.333333334]"
    )


def test_only_the_first_intervals_are_listed():
    ends = [[str(x), str(x + 1)] for x in range(9, 0, -1)]
    said = sentence({"kind": "eigenvalues", "intervals": ends})
    assert said.startswith("lam_1 in [9, 10], lam_2 in [8, 9]") and said.endswith("and 5 more in the file")


@pytest.mark.parametrize("W", [[["0x1p+900"], ["3/7"]], {"shape": [2, 1], "exponent": 900, "integers": [2**53, 1]}])
def test_points_of_any_size_can_be_told(W):
    point = {"objective": "elbo", "k": 1, "sigma2": "learned", "noise": "1", "W": W, "radius": "0x1p-1074"}
    assert "at learned noise" in sentence({**point, "kind": "stationary"})
    assert "falls in 2" in sentence({**point, "kind": "inertia", "positive": 0, "negative": 2, "zero": 0})
    assert "saddle" in sentence({**point, "kind": "saddle", "curvature": "1/3"})


def test_lengths_of_columns():
    W = np.array([[3.0, 0.0], [4.0, 0.0]])
    point = {
        "objective": "ppca",
        "k": 2,
        "sigma2": "1",
        "W": [[x.hex() for x in row] for row in W.tolist()],
        "radius": "1",
    }
    assert "lengths 5, 0," in sentence({**point, "kind": "stationary"})


def test_what_is_not_proved_is_stated_exactly():
    """Nine digits, rounded outwards, of these two intervals hold the number one third; the intervals do not."""
    for given in (["0.33333333334", "0.4"], ["0", "0x1.5555555555555p-2"]):
        statement = {"kind": "eigenvalues", "intervals": [given]}
        third, (low, high) = Fraction(1, 3), map(exact, given)
        assert not low <= third <= high
        told, rounded = (
            [Fraction(x) for x in sentence(statement, proved).removeprefix("lam_1 in [").removesuffix("]").split(", ")]
            for proved in (False, True)
        )
        assert told == [low, high]
        assert rounded[0] <= third <= rounded[1]  # control: what is proved is rounded outwards
    long = "1" * 300 + "/" + "3" * 90
    assert long in sentence({"kind": "eigenvalues", "intervals": [["0", long]]}, proved=False)


def test_an_optimum_of_which_no_value_was_found_states_none():
    optimum = {"kind": "optimum", "k": 1, "sigma2": "1", "retained": 1}
    assert sentence(optimum, proved=False).endswith("with 1 latent at sigma2 = 1 retains 1, and none collapses")


def test_a_box_says_where_the_function_vanishes_and_that_it_speaks_of_no_data():
    box = {"kind": "box", "function": "gap of two", "sign": ">", "box": [["-1", "1"]]}
    assert sentence(box).startswith("of no data, but of all parameters (x_0 in [-1, 1])")
    assert sentence(box).endswith(", except where x_0 = 0, is > 0")
    assert "except" not in sentence({**box, "box": [["0.5", "1"]]})
    for name, function in FUNCTIONS.items():
        ends = [["0", "0.5"]] * function.d
        assert ("except" in sentence({**box, "function": name, "box": ends})) == (function.order > 0)
