"""Counts of eigenvalues by Descartes' rule are those of an elimination over the fractions."""

from fractions import Fraction

import numpy as np
import pytest

pytest.importorskip("flint")

from benchmarks.soundness import exact
from benchmarks.soundness.families import FAMILIES, drawn
from tests.verify.certify.fractions_between import inertia

RNG = np.random.default_rng


@pytest.mark.parametrize("name", FAMILIES)
def test_two_routes_agree_on_every_family(name):
    rng = RNG(5)
    for _ in range(12):
        A = FAMILIES[name](rng, int(rng.integers(2, 7)))
        assert (A == A.T).all() and np.isfinite(A).all()
        found = exact.of_doubles(A)
        level = Fraction(float(rng.choice(A.ravel()))) * Fraction(1, 3)
        for at in (Fraction(0), level):
            less = at / found.unit
            A = [[Fraction(x) - (i == j) * less for j, x in enumerate(row)] for i, row in enumerate(found.whole)]
            positive, negative, zero = inertia(A)
            assert (found.above(at), found.equal(at)) == (positive, zero)
            assert positive + negative + zero == len(A)


def test_most_are_nearly_singular_to_fourteen_digits():
    # That is what makes the trial hard; the families that are not always so are mixed in.
    rng, near = RNG(1), 0
    for _ in range(300):
        _, A = drawn(rng)
        tiny = Fraction(float(np.abs(A).max())) / 10**14  # at most the norm
        found = exact.of_doubles(A)
        near += found.least(-tiny) > found.above(tiny)
    assert near > 200


def test_a_known_spectrum_with_ties_and_zeros():
    lam = [Fraction(3), Fraction(1, 3), Fraction(1, 3), Fraction(0), Fraction(-2)]
    found = exact.of_spectrum(lam)
    assert found.inertia() == (3, 1, 1)
    assert (found.above(Fraction(1, 3)), found.equal(Fraction(1, 3)), found.least(Fraction(1, 3))) == (1, 2, 3)
    assert found.above(Fraction(1, 3) - Fraction(1, 10**40)) == 3
    assert found.holds(2, Fraction(1, 3), Fraction(1, 3)) and not found.holds(2, Fraction(1, 2), Fraction(4))
    assert found.norm_at_most(3) and not found.norm_at_most(Fraction(299, 100)) and not found.norm_at_most(-1)


def test_the_covariance_of_rows_is_that_of_its_definition():
    rows, divisor = RNG(2).integers(0, 256, (7, 4)).astype(float), 0.1
    found = exact.of_rows(rows, divisor)
    exactly = [[Fraction(x) / Fraction(divisor) for x in row] for row in rows]
    means = [sum(column, Fraction(0)) / 7 for column in zip(*exactly, strict=True)]
    S = [[sum((r[i] - means[i]) * (r[j] - means[j]) for r in exactly) / 7 for j in range(4)] for i in range(4)]
    assert [[found.unit * x for x in row] for row in found.whole] == S
    other = exact.of_doubles(np.diag([1.0, 2.0, 3.0, 4.0]))
    difference = found.minus(other)
    assert [[difference.unit * x for x in row] for row in difference.whole] == [
        [S[i][j] - (i + 1) * (i == j) for j in range(4)] for i in range(4)
    ]


def test_subnormal_numbers_and_huge_ones_are_exact():
    A = np.array([[5e-324, 0.0], [0.0, -1e300]])
    assert exact.of_doubles(A).inertia() == (1, 1, 0)
    assert exact.of_doubles(np.zeros((3, 3))).inertia() == (0, 0, 3)
    with pytest.raises(ValueError, match="symmetric"):
        exact.Symmetric([[1, 2], [3, 4]])
