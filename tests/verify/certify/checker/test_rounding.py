"""Matrix products and definiteness beside exact rational arithmetic; what is not definite is never proved to be."""

from fractions import Fraction

import numpy as np
import pytest

from tests.verify.certify.exactly import inertia, times
from verify.certify import aids, fast
from verify.certify.checker import rounding
from verify.certify.checker.outcome import Status
from verify.certify.propose import counts as propose

WAYS = (rounding.positive_definite, propose.positive_definite, fast.positive_definite)


def symmetric(A):
    return (A + A.T) / 2


def near_singular(rng, n):
    """One eigenvalue within 1e-14 of zero, of either sign; some tied, some of many decades."""
    lam = 10.0 ** rng.uniform(-6, 0, n)
    lam[0] = rng.choice([-1, 1]) * 10.0 ** rng.uniform(-17, -13)
    lam[-1] = lam[-2] if n > 2 else lam[-1]
    Q = np.linalg.qr(rng.standard_normal((n, n)))[0]
    return symmetric((Q * lam) @ Q.T)


def test_products_stay_within_their_bounds():
    rng = np.random.default_rng(0)
    for _ in range(60):
        m, n, p = rng.integers(1, 9, 3)
        A = rng.standard_normal((m, n)) * 10.0 ** rng.integers(-9, 9, (m, 1))
        B = rng.standard_normal((n, p)) * 10.0 ** rng.integers(-9, 9, (1, p))
        P, bound = rounding.product(A, B)
        exact = times(
            [[Fraction(x) for x in row] for row in A.tolist()], [[Fraction(x) for x in row] for row in B.tolist()]
        )
        square = sum((Fraction(float(P[i, j])) - exact[i][j]) ** 2 for i in range(m) for j in range(p))
        assert square <= Fraction(bound) ** 2
        # Control: a thousandth of the last place of the largest entry is no bound.
        assert bound > 1e-3 * np.spacing(np.abs(P).max()) * n


def test_the_norm_is_never_too_small():
    rng = np.random.default_rng(1)
    for size in (1, 3, 50, 1000):
        x = rng.standard_normal(size) * 10.0 ** rng.integers(-100, 100, size)
        assert Fraction(rounding.norm(x)) ** 2 >= sum(Fraction(float(v)) ** 2 for v in x)
    with np.errstate(all="ignore"):
        assert not rounding.norm(np.array([1.0, np.nan])) < np.inf
        assert rounding.norm(np.array([1e200])) == np.inf  # its square is no double: never too small


@pytest.mark.parametrize("scale", [1.0, 2.0**-498, 2.0**498, 2.0**-1040])
def test_definiteness_beside_exact_inertia(scale):
    rng = np.random.default_rng(2)
    proved = [0] * len(WAYS)
    definite = 0
    for _ in range(40):
        A = near_singular(rng, int(rng.integers(2, 6))) * scale
        truth = inertia(A)[0] == len(A)
        definite += truth
        for i, way in enumerate(WAYS):
            status = way(A).status
            assert status is not Status.PROVED or truth
            assert status is not Status.REFUTED
            proved[i] += status is Status.PROVED
    # Enough of both; and those whose margin is above the rounding are proved.
    assert 10 < definite < 30 and min(proved[0 if scale == 1.0 else 1 :]) > (0 if scale < 2.0**-1000 else 5)


@pytest.mark.parametrize("way", WAYS[1:])
def test_what_is_well_definite_is_proved_at_any_scale(way):
    rng = np.random.default_rng(3)
    for n in (1, 2, 49, 97):
        X = rng.standard_normal((n, 2 * n))
        A = symmetric(X @ X.T) / n
        least = np.linalg.eigvalsh(A)[0]
        for scale in (1.0, 1e-150, 1e150, 2.0**-1000, 1e305):
            assert way(A * scale).status is Status.PROVED
            assert way(A * scale, 0.9 * least * scale).status is Status.PROVED
            assert way(A * scale, 1.1 * least * scale).status is not Status.PROVED  # A - 1.1 least I is not definite
        assert way(A - 1.0001 * least * np.eye(n)).status is not Status.PROVED


@pytest.mark.parametrize("way", WAYS)
def test_exactly_singular_matrices_are_not_proved(way):
    for A in ([[1.0, 1.0], [1.0, 1.0]], [[4.0, 2.0, 0], [2.0, 1.0, 0], [0, 0, 1.0]], [[0.0]], [[1.0, 0], [0, -0.0]]):
        assert way(np.array(A)).status is not Status.PROVED
    A = np.array([[1.0, 1.0], [1.0, np.nextafter(1.0, 2.0)]])  # definite, by one unit in the last place
    assert inertia(A) == (2, 0, 0) and way(A).status is Status.UNDECIDED


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_never_proved(way, bad):
    for i, j in ((0, 0), (0, 2), (2, 2), (1, 2)):
        A = np.eye(3)
        A[i, j] = A[j, i] = bad
        assert way(A).status is not Status.PROVED
    assert way(np.eye(3), bad).status is not Status.PROVED
    assert way(np.eye(3), -1.0).status is Status.UNDECIDED


def test_a_factor_is_only_a_proposal():
    rng = np.random.default_rng(4)
    good, bad = np.eye(4) * 2, np.diag([1.0, 1.0, 1.0, -1e-3])
    R = aids.factor(good.copy())
    for proposal in (R, np.zeros((4, 4)), np.eye(4), np.full((4, 4), np.nan), np.full((4, 4), np.inf),
                     1e200 * np.eye(4), rng.standard_normal((4, 4)), np.eye(4)[::-1], np.ones((4, 1)),
                     np.zeros((2, 4))):  # fmt: skip
        assert rounding.positive_definite(bad, 0.0, proposal).status is not Status.PROVED
    shifted = bad + 2e-3 * np.eye(4)
    assert rounding.positive_definite(shifted, 0.0, aids.factor(shifted.copy(), 5e-4)).status is Status.PROVED
    assert rounding.positive_definite(good.astype(np.float32), 0.0, R.astype(np.float32)).status is not Status.PROVED


def test_shifted_noise_is_never_proved_beyond_its_exact_margin():
    """A radius that is proved is below the least eigenvalue, exactly."""
    rng = np.random.default_rng(5)
    for _ in range(10):
        A = near_singular(rng, 4) + 1e-13 * np.eye(4)
        for way in WAYS:
            for radius in 10.0 ** rng.uniform(-18, -12, 4):
                if way(A, radius).status is Status.PROVED:
                    assert inertia(A, Fraction(radius))[0] == 4
