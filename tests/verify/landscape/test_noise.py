"""lam - sigma2: right at ties, on the right side next to them, and of exact numbers to the last digit."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest

from verify.eigenvalues import Eigenvalues, Position
from verify.landscape.noise import Noise, differences, given, mean_of

EPS = 2.0**-52


def test_far_from_the_noise_it_is_the_difference_of_doubles():
    spectrum = Eigenvalues.of(np.array([3.0, 1.1, 0.7, 0.2]))
    assert given(spectrum, 0.7).over(spectrum).tolist() == [3.0 - 0.7, 1.1 - 0.7, 0.0, 0.2 - 0.7]
    assert given(spectrum, 0.7).position == Position(2, 1, False)
    assert spectrum.values.tolist() == [3.0, 1.1, 0.7, 0.2]


def test_near_the_noise_it_is_the_difference_of_the_numbers_themselves():
    """Decimals that share a double, or all but: lam - sigma2 is not the difference of what is nearest to them."""
    tiny = Fraction(1, 10**20)
    spectrum = Eigenvalues.typed([Fraction(1, 3) + tiny, Fraction(1, 3), Fraction(1, 3) - 2 * tiny])
    at = Noise(1 / 3, Position(1, 1, False), exact=Fraction(1, 3))
    assert at.over(spectrum).tolist() == [1e-20, 0.0, -2e-20]
    with mpmath.workdps(60):
        third = mpmath.mpf(1) / 3
    over = Noise(1 / 3, Position(1, 1, False), digits=lambda: third).over(spectrum)
    assert over.tolist() == pytest.approx([1e-20, 0.0, -2e-20], rel=1e-12, abs=0)
    # 64 ulps away the doubles are trusted.
    far = Eigenvalues.typed([Fraction(1, 3) * (1 + Fraction(1, 2**45))])
    above = Noise(1 / 3, Position(1, 0, False), exact=Fraction(1, 3))
    assert above.over(far)[0] == float(far.values[0]) - 1 / 3


def test_what_rounding_puts_on_the_wrong_side_is_put_right_by_half_an_ulp():
    spectrum = Eigenvalues(np.array([1.0, 1.0, 1.0]), np.full(3, EPS), None)
    assert Noise(1.0, Position(1, 1, True)).over(spectrum).tolist() == [EPS / 2, 0.0, -EPS / 2]
    wrong = Eigenvalues(np.array([1.0, 1.0, 1.0]), np.full(3, EPS), None)
    assert Noise(1.0 + EPS, Position(2, 0, True)).over(wrong).tolist() == [EPS * (1 + EPS) / 2] * 2 + [-EPS]
    assert Noise(1.0 - EPS, Position(1, 1, True)).over(wrong).tolist() == [EPS, 0.0, -EPS * (1 - EPS) / 2]


def test_the_mean_of_what_is_discarded_is_exact_or_bounded():
    exact = mean_of(Eigenvalues.of(np.array([2.0, 0.3, 0.2, 0.1])), (0,))
    assert (exact.sigma2, exact.exact, exact.bounds) == (0.2, Fraction(1, 5), None)
    assert exact.position == Position(2, 1, False)
    measured = Eigenvalues(np.array([2.0, 0.3, 0.2, 0.1]), np.full(4, 1e-3), None)
    found = mean_of(measured, (0,))
    assert found.exact is None and found.sigma2 == pytest.approx(0.2, abs=1e-6)  # a thousandth of the errors
    assert found.bounds == pytest.approx((0.199, 0.201), rel=1e-4) and found.position == Position(2, 1, True)


def test_differences_of_decimals_that_share_a_double():
    tiny = Fraction(1, 10**20)
    crowded = Eigenvalues.typed([Fraction(2), Fraction(1) + tiny, Fraction(1), Fraction(1)])
    i = np.arange(4)
    found = differences(crowded, i[:, None], i[None, :])
    expected = [[0, 1, 1, 1], [-1, 0, 1e-20, 1e-20], [-1, -1e-20, 0, 0], [-1, -1e-20, 0, 0]]
    assert found.tolist() == expected
    measured = Eigenvalues(crowded.values, np.zeros(4), None)
    assert differences(measured, i[:, None], i[None, :])[1].tolist() == [-1, 0, 0, 0]
    alone = Eigenvalues.of(np.array([3.0, 2.0, 0.5]))
    assert differences(alone, np.array([0, 1]), np.array([2, 2])).tolist() == [2.5, 1.5]


@pytest.mark.parametrize("unit", [Fraction(1, 10**6), Fraction(1), Fraction(10**6)])
def test_a_small_difference_is_right_but_for_a_small_share(unit):
    """Each double is off by half an ulp; what that would spoil comes from the exact numbers, in any unit."""
    noise = unit / 3
    for apart in (2.0**-60, 2.0**-51, 2.0**-49, 2.0**-47, 2.0**-44, 2.0**-40):
        numbers = [noise * (1 + Fraction(apart)), noise * (1 - Fraction(apart))]
        spectrum = Eigenvalues.typed(numbers)
        over = Noise(float(noise), Position(1, 0, False), exact=noise).over(spectrum)
        assert over.tolist() == pytest.approx([float(noise) * apart, -float(noise) * apart], rel=1 / 32)


def test_half_an_ulp_is_one_of_the_noise():
    equal = Eigenvalues(np.full(2, 4.0), np.full(2, 4 * EPS), None)
    assert Noise(4.0, Position(1, 0, True)).over(equal).tolist() == [2 * EPS, -2 * EPS]
    assert given(equal, 4.0).over(equal).tolist() == [0, 0]  # a typed noise beside measured eigenvalues


def test_two_decimals_that_share_a_double_are_enough_for_exact_differences():
    """No two are equal; where the doubles differ, theirs is the difference."""
    tiny = Fraction(1, 10**20)
    pair = Eigenvalues.typed([Fraction(1) + tiny, Fraction(1)])
    assert differences(pair, np.array([0, 1]), np.array([1, 0])).tolist() == [1e-20, -1e-20]
    mixed = Eigenvalues.typed([Fraction(1, 3) + tiny, Fraction(1, 3), Fraction(3, 10), Fraction(1, 10)])
    found = differences(mixed, np.arange(4)[:, None], np.arange(4))
    assert found[:2, :2].tolist() == [[0, 1e-20], [-1e-20, 0]]
    assert found[2:, 2:].tolist() == [[0, 0.3 - 0.1], [0.1 - 0.3, 0]]
