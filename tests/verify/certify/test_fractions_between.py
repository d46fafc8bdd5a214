"""The arithmetic of the second checker against mpmath, and the inertia against numbers that are known."""

import random
from fractions import Fraction

import mpmath
import pytest

from tests.verify.certify import fractions_between as between
from tests.verify.certify.fractions_between import Interval, interval


@pytest.mark.parametrize("x", [Fraction(1, 3), Fraction(-7, 2), Fraction(20), Fraction(1, 10**12), Fraction(0)])
def test_exp_log_and_pi_hold_the_true_value_and_little_else(x):
    with mpmath.workdps(80):
        cases = [(between.exp(x), mpmath.exp(mpmath.mpf(x.numerator) / x.denominator)), (between.PI, +mpmath.pi)]
        if x > 0:
            cases += [(between.log(x), mpmath.log(mpmath.mpf(x.numerator) / x.denominator))]
            cases += [(between.sqrt(x), mpmath.sqrt(mpmath.mpf(x.numerator) / x.denominator))]
        for found, true in cases:
            low, high = (mpmath.mpf(end.numerator) / end.denominator for end in (found.lo, found.hi))
            assert low <= true + mpmath.mpf(10) ** -75 and true <= high + mpmath.mpf(10) ** -75
            assert high - low <= mpmath.mpf(10) ** -25 * (1 + abs(true))


def test_intervals_hold_what_their_parts_give():
    rng = random.Random(0)
    for _ in range(500):
        a, b, c, d = (Fraction(rng.randint(-50, 50), rng.randint(1, 20)) for _ in range(4))
        x, y = Interval(min(a, b), max(a, b)), Interval(min(c, d), max(c, d))
        for name in ("__add__", "__sub__", "__mul__", "__truediv__"):
            if name == "__truediv__" and y.lo <= 0 <= y.hi:
                with pytest.raises(ZeroDivisionError):
                    x / y
                continue
            held = getattr(x, name)(y)
            for p in (a, b, (a + b) / 2):
                for q in (c, d, (c + d) / 2):
                    assert held.lo <= getattr(p, name)(q) <= held.hi
    with pytest.raises(ValueError):
        Interval(Fraction(1), Fraction(0))


def test_inertia_is_that_of_matrices_whose_signs_are_known():
    rng = random.Random(1)
    for n in range(1, 6):
        for _ in range(30):
            signs = [rng.choice([-1, 0, 1]) for _ in range(n)]
            while True:  # congruence with any regular matrix keeps them
                T = [[Fraction(rng.randint(-3, 3)) for _ in range(n)] for _ in range(n)]
                if (
                    between.inertia([[sum(T[i][k] * T[j][k] for k in range(n)) for j in range(n)] for i in range(n)])[2]
                    == 0
                ):
                    break
            A = [[sum(T[i][k] * signs[k] * T[j][k] for k in range(n)) for j in range(n)] for i in range(n)]
            assert between.inertia(A) == tuple(signs.count(s) for s in (1, -1, 0))
            found = between.signs(A)
            assert found in (None, (signs.count(1), signs.count(-1))) or 0 in signs
    assert between.inertia([[0, 1], [1, 0]]) == (1, 1, 0)
    assert between.signs([[interval(2), interval(1)], [interval(1), interval(2)]]) == (2, 0)
    assert between.signs([[between.around(0, Fraction(1, 100))]]) is None  # control: it may have either sign
