"""Numbers of certificates: what is read is what is written, to the last digit, and nothing else is a number."""

from fractions import Fraction

import numpy as np
import pytest

from verify.certify.checker.numbers import LONGEST, double, exact, interval, matrix, written, written_matrix
from verify.errors import InputError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3/7", Fraction(3, 7)),
        ("-12", Fraction(-12)),
        ("0.1", Fraction(1, 10)),
        ("0x1.8p+1", Fraction(3)),
        ("-0x0.8p-1", Fraction(-1, 4)),
        ("0x1.00000000000000001p+0", 1 + Fraction(1, 16**17)),  # a double would lose its last digit
        ("0x1p-2000", Fraction(1, 2**2000)),  # and all of this
        ("0", Fraction(0)),
    ],
)
def test_a_number_is_what_is_written(text, value):
    assert exact(text) == value


@pytest.mark.parametrize(
    "given",
    [
        "nan", "inf", "-inf", "1e5", "1E5", " 1", "1 ", "1\n", "1_000", "+1", "1/0", "1/00", "1/-2", "--1", "", "1.",
        ".5", "0x1.8", "0x1.8p1", "0X1P+0", "0xp+0", "1/2/3", "1.5/2", "٣", "½", "0x1p+99999", "1" * (LONGEST + 1), "e",
        1, 1.0, True, None, [], {}, float("nan"),
    ],
)  # fmt: skip
def test_nothing_else_is_a_number(given):
    with pytest.raises(InputError, match="no exact number"):
        exact(given)


def test_a_double_is_one_exactly():
    rng = np.random.default_rng(0)
    for value in [*np.ldexp(rng.normal(size=200), rng.integers(-1060, 1000, 200)), 5e-324, 1.7976931348623157e308, 0.0]:
        assert double(written(float(value))) == value
    for given in ("1/3", "0.1", "0x1.00000000000001p+0", "1" + "0" * 399, "0x1p+1024", "0x1p-1075"):
        with pytest.raises(InputError, match="no double"):
            double(given)


def test_a_matrix_comes_back_within_its_bits():
    values = np.random.default_rng(1).normal(size=(5, 3)) * 1e-7
    np.testing.assert_array_equal(matrix([[written(float(x)) for x in row] for row in values]), values)
    for bits in (53, 20, 12):
        largest = np.abs(values).max()
        # Rounded to the nearest multiple of 2^e, where the largest entry has so many bits.
        assert np.abs(matrix(written_matrix(values, bits)) - values).max() <= 2.0**-bits * largest
    assert matrix(written_matrix(np.zeros((2, 2)))).tolist() == [[0, 0], [0, 0]]


GOOD = {"shape": [2, 2], "exponent": -3, "integers": [1, 2, 3, 4]}


@pytest.mark.parametrize(
    "given",
    [
        {**GOOD, "shape": [2, 3]},
        {**GOOD, "shape": [0, 2], "integers": []},
        {**GOOD, "shape": [-2, -2]},
        {**GOOD, "shape": [4]},
        {**GOOD, "shape": "22"},
        {**GOOD, "shape": [2.0, 2]},
        {**GOOD, "exponent": 10**30},
        {**GOOD, "exponent": 901},
        {**GOOD, "exponent": True},
        {**GOOD, "integers": [1, 2, 3, 4.0]},
        {**GOOD, "integers": [1, 2, 3, 2**53 + 1]},
        {**GOOD, "integers": [1, 2, 3, float("nan")]},
        {**GOOD, "integers": "1234"},
        {"shape": [2, 2]},
        [],
        [[]],
        [["1"], ["1", "2"]],
        [["1"], "2"],
        [[1.5]],
        [["nan"]],
        "1",
        None,
        7,
    ],
)
def test_malformed_matrices_are_refused(given):
    assert matrix(GOOD).shape == (2, 2)
    with pytest.raises(InputError):
        matrix(given)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_what_is_not_finite_is_not_written(wrong):
    with pytest.raises(InputError, match="not finite"):
        written_matrix(np.array([[1.0, wrong]]))


@pytest.mark.parametrize("given", ["12", {"1": 0, "2": 0}, ["1"], ["1", "2", "3"], [], None, 12, [1, 2]])
def test_ends_are_a_list_of_two_numbers_and_nothing_else(given):
    assert interval(["-1/3", "2"]) == (Fraction(-1, 3), 2)
    with pytest.raises(InputError):
        interval(given)
