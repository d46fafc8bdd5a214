"""Measured eigenvalues in whole numbers: the unit, the bounds outwards, and the order that they keep."""

from fractions import Fraction
from math import log2

import numpy as np
import pytest

from verify.eigenvalues import Eigenvalues, Position
from verify.landscape.units import NONE, STATIONARY, UNDECIDED, units


def measured(values, errors):
    return Eigenvalues(np.array(values), np.array(errors), None)


@pytest.mark.parametrize("error", [1e-3, 2.0**-10, 2.0**-10 * (1 - 2.0**-52), 3e-9])
def test_the_unit_is_a_power_of_two_a_thousandth_of_the_least_error(error):
    of = units(measured([3.0, 2.0, 0.5], [10 * error, error, 0.0]))
    assert log2(of.unit) == int(log2(of.unit)) and 1024 <= Fraction(error) / of.unit < 2048
    for value, e, least, centre, most in zip(
        [3, 2, 0.5], [10 * error, error, 0], of.least, of.centre, of.most, strict=True
    ):
        low, high = Fraction(value) - Fraction(e), Fraction(value) + Fraction(e)
        assert low - of.unit < least * of.unit <= low and high <= most * of.unit < high + of.unit
        assert abs(centre * of.unit - Fraction(value)) <= of.unit / 2


@pytest.mark.parametrize("errors", [[0.0, 0.0], [1e-40, 0.0]])
def test_the_unit_is_no_finer_than_a_hundred_bits_below_the_largest(errors):
    assert units(measured([3.0, 1.0], errors)).unit == Fraction(4, 2**100)
    assert units(measured([4.0, 1.0], errors)).unit == Fraction(8, 2**100)


def test_decimals_are_multiples_of_their_greatest_common_divisor():
    of = units(Eigenvalues.of(np.array([1.2, 0.6, 0.3, 0.0])))
    assert (of.unit, of.least, of.centre, of.most) == (Fraction(3, 10), (4, 2, 1, 0), (4, 2, 1, 0), (4, 2, 1, 0))
    assert units(Eigenvalues.of(np.array([0.0, 0.0]))).centre == (0, 0)


def test_bounds_are_made_to_fall_and_never_below_zero():
    of = units(measured([2.0, 2.0, 1.0, 0.0], [0.5, 0.1, 0.3, 0.2]))
    least, most = ([float(x * of.unit) for x in side] for side in (of.least, of.most))
    assert least == pytest.approx([1.9, 1.9, 0.7, 0.0], abs=1e-3) and least == sorted(least, reverse=True)
    assert of.least[-1] == 0  # to the unit
    assert most == pytest.approx([2.5, 2.1, 1.3, 0.2], abs=1e-3) and most == sorted(most, reverse=True)
    assert of.bounds((0,)) == pytest.approx((2.6 / 3, 3.6 / 3), abs=1e-3)
    assert of.mean((0,)) == pytest.approx(1.0, abs=1e-3) and of.noise((0,)) is None


def test_the_status_of_a_measured_set_is_surely_perhaps_or_surely_not():
    """One retained of three: lam_1 against the mean of the two others, each within its error."""
    sure, open_, never = (units(measured([2.0, x, 0.5], [1e-3, 0.1, 1e-3])) for x in (1.4, 1.3, 1.1))
    assert [of.status((1,)) for of in (sure, open_, never)] == [STATIONARY, UNDECIDED, NONE]
    assert sure.status(()) == STATIONARY and sure.status((0, 1, 2)) == NONE
    assert units(measured([2.0, 1.0, 0.0], [0.1, 0.1, 0.1])).status((0, 1)) == NONE  # what is left counts as 0


def test_what_counts_as_zero_is_never_retained_and_no_run():
    """Also where its error is so large that it might exceed the mean."""
    of = units(measured([2.0, 1.0, 0.0, 0.0], [0.1, 0.1, 0.8, 0.01]))
    assert of.status((0, 2)) == NONE and of.status((0,)) == STATIONARY
    assert of.runs == ((0, 1), (1, 2), (2, 3), (3, 4))
    for largest in (1.0, 2.0, 3.0):  # whatever stands beside it
        assert units(measured([largest, 0.0], [0.1, 0.1])).runs == ((0, 1), (1, 2))
    assert units(measured([2.0, 1.0, 1.0, 0.0], [0.1] * 4)).runs == ((0, 1), (1, 3), (1, 3), (3, 4))
    assert units(Eigenvalues.of(np.array([1.0, 0.0, 0.0]))).runs == ((0, 1), (1, 3), (1, 3))


@pytest.mark.parametrize("equals", [1, 2, 3])
@pytest.mark.parametrize(("off", "status"), [(0.06, STATIONARY), (0.02, UNDECIDED), (-0.02, UNDECIDED), (-0.06, NONE)])
def test_of_its_equals_among_the_discarded_the_error_cancels(equals, off, status):
    """One of 1 is retained, its equals are discarded with 1.5 and 0.5 - off: p - sum = off, within 0.04.

    The equals' error of 0.01 stands there twice, for p - m = 2; that of 1.5 and 0.5 once each.
    """
    of = units(measured([1.5, *[1.0] * (equals + 1), 0.5 - off], [0.01] * (equals + 3)))
    assert of.status((1,)) == status
    at = of.position((1,))
    assert at == {STATIONARY: Position(equals + 2, 0, True), UNDECIDED: Position(1, equals + 1, True),
                  NONE: Position(1, 0, True)}[status]  # fmt: skip


def test_the_position_of_a_measured_mean():
    """Three discarded: 2 lam_j is compared with the two others. Of 0.7 that is 0.9 to 1.9 with 1.18 to 1.22."""
    of = units(measured([4.0, 1.0, 0.7, 0.2], [0.01, 0.01, 0.25, 0.01]))
    assert of.position((0,)) == Position(2, 1, True)
    # Of 0.7 that is 0.9 to 1.9 with 1.58 to 1.62: what it is at least would lie below.
    assert units(measured([4.0, 1.3, 0.7, 0.3], [0.01, 0.01, 0.25, 0.01])).position((0,)) == Position(2, 1, True)
    near = units(measured([4.0, 1.0, 0.9, 0.2], [0.01, 0.01, 0.25, 0.01]))  # 1.3 to 2.3
    assert near.position((0,)) == Position(3, 0, True)


@pytest.mark.parametrize("x", [0.1, 0.3, 1 / 3])
def test_a_measured_mean_that_equals_an_eigenvalue_is_its_double(x):
    """In units of the errors 3 x / 3 is another number, and a tie of double numbers would be lost."""
    of = units(Eigenvalues.measured(np.array([5.0, x, x, x]), np.full(4, 1e-9)))
    total = of.total((0,))[1]
    assert of.mean((0,)) == x != total * of.unit.numerator / (3 * of.unit.denominator)


def test_a_mean_of_one_eigenvalue_lies_at_it_whatever_the_errors_are():
    """lam_2 may be less than the value of lam_3, but lam_3 is what sigma2_A is, and lam_2 is not below it."""
    of = units(measured([3.0, 1.0, 0.99], [0.1, 0.1, 0.1]))
    assert of.status((0, 1)) == STATIONARY
    assert of.position((0, 1)) == Position(2, 1, False)
