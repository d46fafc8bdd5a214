"""How near to a tie rounding is still trusted: on either side of the margin, by hand.

Notation   d, a distance as a share; SLACK = 64 ulps of 1: both sides of a comparison may be off by that.
"""

from fractions import Fraction

import numpy as np
import pytest

from verify.eigenvalues import Eigenvalues, Position
from verify.landscape.noise import Noise
from verify.landscape.points import Block
from verify.landscape.units import NONE, STATIONARY, UNDECIDED
from verify.landscape.validity import Sign, block_status, constants_sign, row_sign, status

SLACK = 64 * 2.0**-52


def measured(*lam, error=0.0):
    return Eigenvalues(np.array(lam), np.full(len(lam), error), None)


def noise(sigma2, **known):
    return Noise(sigma2, Position(0, 0, True), **known)


@pytest.mark.parametrize(
    ("d", "expected"),
    [(3, Sign(-1)), (1.5, Sign(0, True)), (0, Sign(0, True)), (-1.5, Sign(0, True)), (-3, Sign(1))],
)
@pytest.mark.parametrize("block", [Block((0,), 2), Block((0, 1), 2), Block((0, 1), 3)])
def test_a_measured_row_is_told_from_the_noise_beyond_the_rounding_of_both_sides(block, d, expected):
    """Of equal eigenvalues lam the row is k_b (lam - sigma2)."""
    spectrum = measured(2.0, 2.0)
    sigma2 = 2.0 * (1 + d * SLACK)
    assert row_sign(spectrum, 0, block, noise(sigma2)) == expected
    assert row_sign(spectrum, 0, block, noise(2.0, bounds=(sigma2, sigma2))) == expected


@pytest.mark.parametrize(("sigma2", "sign"), [(1.7, 1), (1.95, 0), (2.05, 0), (2.3, -1)])
def test_a_measured_row_is_as_wide_as_its_error(sigma2, sign):
    spectrum = measured(2.0, error=0.1)
    found = row_sign(spectrum, 0, Block((0,), 2), noise(sigma2))
    assert found == Sign(sign, undecided=sign == 0)
    wide = noise(sigma2, bounds=(1.0, 3.0))
    assert row_sign(spectrum, 0, Block((0,), 2), wide) == Sign(0, True)
    assert row_sign(measured(0.0, error=0.1), 0, Block((0,), 2), noise(1e-3)) == Sign(-1)  # what counts as 0


def test_an_exact_row_ties_exactly():
    """lam = (9/4, 1), two columns and one zero row: sqrt(9/4) + 1 + 1 = 3.5 = 3 sigma2 at sigma2 = 7/6."""
    spectrum = Eigenvalues.typed([Fraction(9, 4), Fraction(1)])
    for shift, sign in ((0, 0), (Fraction(1, 10**30), -1), (-Fraction(1, 10**30), 1)):
        at = Fraction(7, 6) + shift
        assert row_sign(spectrum, 1, Block((0, 1), 3), noise(float(at), exact=at)) == Sign(sign)
    # Of irrational roots: sqrt(2) + 1 = 2 sigma2 has no rational tie, and a near one is told apart.
    spectrum = Eigenvalues.typed([Fraction(2), Fraction(1)])
    near = Fraction(12071067811865475244008443621048490392848359376884740, 10**52)  # below (1 + sqrt 2)/2 by 4e-53
    for at, sign in ((near, 1), (near + Fraction(1, 10**52), -1)):
        assert row_sign(spectrum, 1, Block((0, 1), 2), noise(float(at), exact=at)) == Sign(sign)


@pytest.mark.parametrize(("d", "expected"), [(3, Sign(1)), (1.5, Sign(0, True)), (-1.5, Sign(0, True)), (-3, Sign(-1))])
def test_constants_of_measured_blocks_are_told_apart_beyond_rounding(d, expected):
    spectrum = measured(2.0 * (1 + d * SLACK), 2.0)
    assert constants_sign(spectrum, Block((0,)), Block((1,)), noise(1.0)) == expected


def test_the_constants_of_the_same_numbers_are_the_same():
    spectrum = measured(2.0, 2.0, 1.0)
    assert constants_sign(spectrum, Block((0, 2), 2), Block((1, 2), 2), noise(0.5)) == Sign(0)
    assert constants_sign(spectrum, Block((0,), 2), Block((1,), 2), noise(0.5)) == Sign(0)
    assert constants_sign(spectrum, Block((0,), 2), Block((1,), 1), noise(2.0)) == Sign(0, True)  # by a zero row apart
    assert constants_sign(spectrum, Block((0,)), Block(()), noise(0.5)) == Sign(1)
    assert constants_sign(spectrum, Block(()), Block((0,)), noise(0.5)) == Sign(-1)
    assert constants_sign(spectrum, Block(()), Block(()), noise(0.5)) == Sign(0)
    exact = Eigenvalues.typed([Fraction(9), Fraction(4), Fraction(1)])
    # ((3 + 1)/2)^2 = 4 ties with the single column of 4.
    at = noise(0.5, exact=Fraction(1, 2))
    assert constants_sign(exact, Block((0, 2), 2), Block((1,)), at) == Sign(0)
    assert constants_sign(exact, Block((0, 1), 2), Block((1,)), at) == Sign(1)
    assert constants_sign(exact, Block((1,)), Block((0, 1), 2), at) == Sign(-1)


def test_the_status_of_blocks_is_that_of_the_worst():
    spectrum = measured(4.0, 2.0, 1.0, error=0.1)
    at = Noise(2.0, Position(1, 1, True))
    single = {a: block_status(Block((a,)), spectrum, at) for a in range(3)}
    assert single == {0: STATIONARY, 1: UNDECIDED, 2: NONE}
    assert block_status(Block(()), spectrum, at) == STATIONARY
    assert status([Block((0,)), Block(())], spectrum, at) == STATIONARY
    assert status([Block((0,)), Block((1,))], spectrum, at) == UNDECIDED
    assert status([Block((0,)), Block((1,)), Block((2,))], spectrum, at) == NONE
    assert block_status(Block((1,), 2), spectrum, at) == UNDECIDED  # lam = sigma2 within the error
    assert block_status(Block((0,), 2), spectrum, at) == STATIONARY
    assert block_status(Block((2,), 2), spectrum, at) == NONE
    same = measured(2.0, 2.0)
    assert block_status(Block((0, 1), 2), same, noise(0.5)) == NONE  # orthogonal columns
    assert block_status(Block((0, 1), 3), same, noise(0.5)) == STATIONARY
    exact_tie = Noise(2.0, Position(1, 1, False), exact=Fraction(2))
    assert block_status(Block((1,)), Eigenvalues.of(np.array([4.0, 2.0])), exact_tie) == NONE


def test_a_noise_known_to_sixty_digits_is_told_from_a_row_and_ties_with_it_to_forty():
    """lam = 4 alone: 4 against a noise that is no fraction, given by its digits; doubles see no difference."""
    import mpmath

    spectrum = Eigenvalues.typed([Fraction(4), Fraction(1)])
    for shift, sign in (("1e-30", -1), ("-1e-30", 1), ("1e-38", -1), ("-1e-38", 1), ("1e-41", 0), ("-1e-41", 0)):

        def digits(shift=shift):
            return mpmath.mpf(4) + mpmath.mpf(shift)

        assert row_sign(spectrum, 0, Block((0,), 1), noise(4.0, digits=digits)) == Sign(sign)
