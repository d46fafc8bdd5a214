"""Noises among enclosed eigenvalues, and numbers with roots: against many digits, and where they are rational."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest

from verify.analysis.certified_noise import Open, constant, noise_of, rational_constant, rational_sum
from verify.analysis.enclosed import exactly, within
from verify.certify.checker.balls import ball, precision
from verify.landscape.families import every_family
from verify.landscape.points import Block, Point, block_constant, ordered

pytest.importorskip("flint")
NUMBERS = [Fraction(x) for x in ("6", "4", "2.5", "1.2", "0.5")]


def test_the_mean_of_the_discarded_lies_where_fractions_say():
    found = exactly(NUMBERS)
    for kept in ((), (0,), (0, 1), (1,), (0, 2)):
        mean = sum(x for j, x in enumerate(NUMBERS) if j not in kept) / (5 - len(kept))
        noise = noise_of(Point("ppca", ordered([Block((a,)) for a in kept], 3), float(mean), 0.0), found, None)
        for j in set(range(5)) - set(kept):
            assert (j < noise.above, j >= noise.below) == (NUMBERS[j] > mean, NUMBERS[j] < mean)
        assert [noise.holds(a) for a in kept] == [NUMBERS[a] > mean for a in kept] and noise.exact == mean


def test_of_vague_eigenvalues_the_mean_is_vague_and_a_single_one_is_its_own_mean():
    found = within([6.0, 4.0, 2.0], [0.1, 0.1, 0.1])
    one = noise_of(Point("ppca", ordered([Block((0,)), Block((1,))], 3), 2.0, 0.0), found, None)
    assert (one.above, one.below, one.tied) == (2, 3, True) and one.holds(1) is True
    two = noise_of(Point("ppca", ordered([Block((0,))], 3), 3.0, 0.0), found, None)
    assert (two.above, two.below, two.holds(0)) == (2, 2, True)
    wide = within([6.0, 4.0, 2.0], [1.5, 1.5, 1.5])
    open_ones = noise_of(Point("ppca", ordered([Block((0,))], 3), 3.0, 0.0), wide, None)
    assert open_ones.above < open_ones.below and not open_ones.tied
    with pytest.raises(Open, match="noise is positive"):
        noise_of(Point("ppca", ordered([Block((0,))], 1), 1.0, 0.0), within([6.0, 0.0], [0.1, 0.1]), None)


def test_the_root_of_the_noise_equation_is_enclosed():
    """By mpmath, to 50 digits; and a proposal that is none is refused."""
    found, seen = exactly(NUMBERS), 0
    for point in every_family(np.array([float(x) for x in NUMBERS]), 3, None)[0]:
        if not any(b.zeros and b.columns > 1 for b in point.blocks):
            continue
        seen += 1
        noise = noise_of(point, found, None)
        with mpmath.workdps(50), precision(160):
            exact = mpmath.mpf(str(point.noise.digits()))
            low, high = (mpmath.mpf(str(float(end))) for end in (noise.ball().lower(), noise.ball().upper()))
            assert abs(low - exact) < 1e-14 and abs(high - exact) < 1e-14
            assert noise.ball().rad() < 1e-25
        false = Point("elbo", point.blocks, point.sigma2 * 1.01, 0.0)
        with pytest.raises(Open, match="not enclosed"):
            noise_of(false, found, None)
    assert seen > 3


def test_constants_are_those_of_doubles_and_rational_where_their_roots_are():
    found = exactly([Fraction(9), Fraction(4), Fraction(1)])
    for block, s in (
        (Block((0, 2), 2), Fraction(1, 2)),
        (Block((0,), 2), Fraction(2)),
        (Block((1, 2), 3), Fraction(1, 4)),
    ):
        held = [found.low[a] for a in block.eigen]
        with precision(128):
            m = constant(found, block, ball(s))
            assert abs(float(m.mid()) - block_constant(np.array(held, dtype=float), block.columns, float(s))) < 1e-14
            rational = rational_constant(held, block, s)
            assert rational is None or m.contains(ball(rational))
    assert rational_constant([Fraction(9), Fraction(1)], Block((0, 2), 2), None) == 4
    assert rational_constant([Fraction(2), Fraction(1)], Block((0, 1), 2), None) is None
    assert rational_sum([Fraction(8), Fraction(2)], 0, Block((1,), 2)) == 4 + 8
    assert rational_sum([Fraction(3), Fraction(2)], 0, Block((1,), 1)) is None
