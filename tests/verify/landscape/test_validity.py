"""How near to a tie rounding is still trusted: on either side of the margin, by hand.

Notation   d, a distance as a share; SLACK = 64 ulps of 1: both sides of a comparison may be off by that.
"""

from fractions import Fraction

import mpmath
import numpy as np
import pytest

from verify.eigenvalues import Eigenvalues, Position
from verify.landscape.noise import Noise
from verify.landscape.points import Block
from verify.landscape.units import NONE, STATIONARY, UNDECIDED
from verify.landscape.validity import Components, Sign, block_status, components, constants_sign, row_sign, status

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
    assert row_sign(measured(2.0, 0.0, error=0.1), 1, Block((0,), 2), noise(1e-3)) == Sign(-1)


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
    """lam = 4 alone: 4 against a noise that is no fraction, given by its digits; doubles see no difference.

    With one zero row 3 sigma2 = sqrt(4 * 9) + 9 = 15 towards 9. What is small is a share: of any unit the same.
    """
    for unit in (Fraction(1), Fraction(10) ** 30, Fraction(1, 10**30)):
        spectrum = Eigenvalues.typed([9 * unit, 4 * unit, unit])
        for shift, sign in (("1e-30", -1), ("-1e-30", 1), ("1e-38", -1), ("-1e-38", 1), ("1e-41", 0), ("-1e-41", 0)):
            for block, j, tie in ((Block((1,), 1), 1, 4), (Block((1,), 2), 0, Fraction(15, 2))):
                at = in_digits(tie * unit, shift)
                assert row_sign(spectrum, j, block, at) == Sign(sign)


def in_digits(tie, shift):
    """A noise that is larger than `tie` by the share `shift`, known by its digits only."""
    return noise(float(tie), digits=lambda: mpmath.mpf(tie.numerator) / tie.denominator * (1 + mpmath.mpf(shift)))


@pytest.mark.parametrize("shift", [Fraction(1, 10**e) for e in (30, 50, 70)])
def test_a_row_of_many_roots_is_told_from_a_fraction_that_agrees_with_it_to_many_digits(shift):
    """(sqrt 2 + sqrt 3 + sqrt 5 + sqrt 7 + 1)/5, that plus and minus a share of it, by 200 digits."""
    spectrum, block = Eigenvalues.typed([Fraction(x) for x in (7, 5, 3, 2, 1)]), Block((0, 1, 2, 3, 4), 5)
    with mpmath.workdps(200):
        mean = sum(mpmath.sqrt(x) for x in (1, 2, 3, 5, 7)) / 5
        near = Fraction(int(mpmath.floor(mean * 10**120)), 10**120)
    for at, sign in ((near * (1 - shift), 1), (near, 1), (near + Fraction(1, 10**120), -1), (near * (1 + shift), -1)):
        assert row_sign(spectrum, 4, block, noise(float(at), exact=at)) == Sign(sign)


@pytest.mark.parametrize("lam", [Fraction(1, 3), Fraction(3), Fraction(3, 4), Fraction(4, 3), Fraction(2, 9)])
def test_a_root_is_rational_only_where_both_its_terms_are_squares(lam):
    """Two columns of lam and 1, towards 1: 2 sigma2 = sqrt(lam) + 1 has no rational tie; by 50 digits."""
    known = Eigenvalues.typed([lam, Fraction(1)])
    one = known.exact.index(Fraction(1))
    with mpmath.workdps(50):
        below = Fraction(int((1 + mpmath.sqrt(mpmath.mpf(lam.numerator) / lam.denominator)) / 2 * 10**40), 10**40)
    for at, sign in ((below, 1), (below + Fraction(1, 10**40), -1)):
        assert row_sign(known, one, Block((0, 1), 2), noise(float(at), exact=at)) == Sign(sign)


# One zero row beside lam = 16: at sigma2 = 5/2 sqrt(m) = (4 + sqrt(16 + 8 sigma2))/4 = 5/2, so that m = 25/4, t = 10.
BESIDE = [Fraction(16), Fraction(25, 4), Fraction(1, 100)]
UNITS = [Fraction(1), Fraction(10) ** 24, Fraction(1, 10**24)]


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize(("shift", "sign"), [("1e-30", 1), ("-1e-30", -1), ("1e-44", 0), ("-1e-44", 0), ("0", 0)])
def test_the_constant_of_a_block_with_a_zero_row_is_told_from_a_column_to_forty_digits(unit, shift, sign):
    """It rises with the noise; the column stays where it is."""
    spectrum = Eigenvalues.typed([x * unit for x in BESIDE])
    row, column, tie = Block((0,), 2), Block((1,)), Fraction(5, 2) * unit
    exact = tie * (1 + Fraction(shift))
    for at in (in_digits(tie, shift), noise(float(tie), exact=exact)):
        assert constants_sign(spectrum, row, column, at) == Sign(sign)
        assert constants_sign(spectrum, column, row, at) == Sign(-sign)


@pytest.mark.parametrize("d", [1.5, 3])
def test_a_block_that_exists_has_a_larger_constant_than_a_zero_column_however_near(d):
    spectrum = measured(2.0 * (1 + d * SLACK), 1.0)
    for at in (noise(2.0), noise(2.0, bounds=(2.0, 2.0 * (1 + SLACK)))):
        assert constants_sign(spectrum, Block((0,)), Block(()), at) == Sign(1)
        assert constants_sign(spectrum, Block(()), Block((0,)), at) == Sign(-1)


@pytest.mark.parametrize(("lam", "block", "sigma2", "count", "sure"), [
    ((9, 4, 1), Block((0, 1, 2), 3), Fraction(1, 2), 2, 1),  # m = 4: the column of 4 by itself
    ((9, 5, 1), Block((0, 1, 2), 3), Fraction(1, 2), 1, 1),
    ((9, 5, 4, 1), Block((0, 2, 3), 3), Fraction(1, 2), 2, 1),  # another one between them
    ((25, 16, 9, 4, 1), Block((0, 1, 2, 3, 4), 5), Fraction(1, 2), 3, 1),  # m = 9: (25, 1), (16, 4) and 9
    ((3, 3, 1, 1), Block((0, 1, 2, 3), 4), Fraction(1, 2), 2, 2),  # two pairs
    ((9, 9, 4, 4, 1, 1), Block((0, 1, 2, 3, 4, 5), 6), Fraction(1, 2), 4, 2),  # twice the first one
    ((9, 9, 4, 1, 1), Block((0, 1, 2, 3, 4), 5), Fraction(1, 2), 3, 1),  # two pairs and one more column
    ((4, 4, 4), Block((0, 1, 2), 3), Fraction(1, 2), 3, 3),
    ((4, 4), Block((0, 1), 4), Fraction(1, 2), 2, 2),  # each beside a zero row
    ((4, 4, 4), Block((0, 1, 2), 6), Fraction(1, 2), 3, 3),
    ((4, 4), Block((0, 1), 3), Fraction(1, 2), 1, 1),  # both beside one
    ((4, 2), Block((0, 1), 4), Fraction(1, 2), 1, 1),
    ((16, Fraction(25, 4)), Block((0, 1), 3), Fraction(5, 2), 2, 1),  # m = 25/4 (above)
    ((16, 6), Block((0, 1), 3), Fraction(5, 2), 1, 1),
    ((4,), Block((0,), 2), Fraction(1, 2), 1, 1),
    ((1,) * 12, Block(tuple(range(12)), 12), Fraction(1, 2), 12, 12),
    ((16129, 49, *[Fraction(1, 9)] * 18), Block(tuple(range(20)), 20), Fraction(1, 2), 2, 1),  # m = 49
])  # fmt: skip
@pytest.mark.parametrize("unit", UNITS)
def test_the_minimal_blocks_of_one(lam, block, sigma2, count, sure, unit):
    """sure: as many as there are wherever the different eigenvalues lie."""
    spectrum, at = Eigenvalues.typed([x * unit for x in lam]), sigma2 * unit
    exactly, by_digits = noise(float(at), exact=at), in_digits(at, "0")
    assert components(spectrum, block, exactly) == components(spectrum, block, by_digits) == Components(count, 0)
    assert Components(count) == (count, 0)
    # Measured ones part where they are equal, and may part where a sum of different ones says so.
    for share in (0, 1e-12):
        values = np.array([float(x * unit) for x in lam])
        known = Eigenvalues(values, values * share, None)
        assert components(known, block, noise(float(at))) == Components(count, count - sure)


@pytest.mark.parametrize(("d", "exact", "close"), [
    (1e-30, 1, None),
    (1e-44, 2, None),
    (5e-16, 1, Components(2, 1)),
    (1e-13, 1, Components(2, 1)),
    (1e-10, 1, Components(1)),
    (-1e-10, 1, Components(1)),
    (0, 2, Components(2, 1)),
])  # fmt: skip
@pytest.mark.parametrize(("lam", "block", "sigma2"), [
    ((9, 4, 1), Block((0, 1, 2), 3), Fraction(1, 2)),
    ((16, Fraction(25, 4)), Block((0, 1), 3), Fraction(5, 2)),
])  # fmt: skip
def test_a_column_that_parts_within_its_error_may_be_part_of_the_block(lam, block, sigma2, d, exact, close):
    """The second eigenvalue off by the share d: exactly it is one block; measured, two at most."""
    moved = [Fraction(x) * (1 + (i == 1) * Fraction(d)) for i, x in enumerate(lam)]
    assert components(Eigenvalues.typed(moved), block, noise(float(sigma2), exact=sigma2)) == Components(exact)
    if close is not None:
        known = measured(*map(float, moved), error=1e-12)
        assert components(known, block, noise(float(sigma2))) == close


def test_a_row_that_parts_within_the_bounds_of_the_noise_may_be_part_of_the_block():
    """16 and 25/4 beside a zero row, known to the last digit, part at sigma2 = 5/2."""
    spectrum, block = measured(16.0, 6.25), Block((0, 1), 3)
    for low, high, found in ((2.4, 2.6, (2, 1)), (2.4, 2.5, (2, 1)), (2.35, 2.4, (1, 0)), (2.6, 2.65, (1, 0))):
        assert components(spectrum, block, noise((low + high) / 2, bounds=(low, high))) == found


@pytest.mark.parametrize(("d", "found"), [(3e-12, Components(2, 1)), (1e-10, Components(1))])
def test_rounding_of_a_wide_block_is_no_difference(d, found):
    """The 20 columns above, without errors: the largest root is 127, and its rounding counts 20 times."""
    values = np.array([16129.0, 49 * (1 + d), *[1 / 9] * 18])
    at = noise(0.5)
    assert components(Eigenvalues(values, np.zeros(20), None), Block(tuple(range(20)), 20), at) == found


def test_the_least_scale_of_a_block_decides_whether_it_exists():
    """(9, 4, 1) in three columns: sqrt(m) = 2, t = 6, 4, 2; and among the equal ones no column is a block's."""
    spectrum = Eigenvalues.typed([Fraction(x) for x in (9, 4, 1)])
    for at, found in ((Fraction(199, 100), STATIONARY), (Fraction(2), NONE), (Fraction(3), NONE), (Fraction(5), NONE)):
        assert block_status(Block((0, 1, 2), 3), spectrum, noise(float(at), exact=at)) == found


@pytest.mark.parametrize("unit", UNITS)
def test_a_tie_in_which_the_roots_are_rounded_is_one_in_any_unit(unit):
    """Equal eigenvalues at the noise: the square of the rounded root of most is off by an ulp."""
    for lam in range(1, 12):
        spectrum, at = Eigenvalues.typed([lam * unit] * 2), lam * unit
        assert row_sign(spectrum, 0, Block((0, 1), 2), noise(float(at), exact=at)) == Sign(0)
