"""Definiteness and radii of larger matrices beside python-flint: characteristic polynomials, and its congruence."""

from fractions import Fraction

import numpy as np
import pytest

from tests.verify.certify.exactly import changes
from verify.certify import fast
from verify.certify.checker import counts, rounding
from verify.certify.checker.outcome import Status

flint = pytest.importorskip("flint")


def inertia(A, level=Fraction(0)):
    """How many eigenvalues of A exceed the level, and how many are below it, exactly (Descartes)."""
    n = len(A)
    scale = 2**1074  # every double is a whole multiple of 2^-1074
    whole = [[int(Fraction(float(A[i, j])) * scale) * level.denominator for j in range(n)] for i in range(n)]
    for i in range(n):
        whole[i][i] -= level.numerator * scale
    p = [int(c) for c in flint.fmpz_mat(whole).charpoly().coeffs()][::-1]
    return changes(p), changes([c * (-1) ** i for i, c in enumerate(p)])


def near_singular(rng, n):
    """Eigenvalues of six decades, the smallest ones tied or within 1e-13 of zero."""
    lam = 10.0 ** rng.uniform(-6, 1, n)
    lam[:2] = rng.choice([-1, 1]) * 10.0 ** rng.uniform(-16, -12)
    Q = np.linalg.qr(rng.standard_normal((n, n)))[0]
    A = (Q * lam) @ Q.T
    return (A + A.T) / 2


def congruence(A):
    """Whether V^T A V > 0 in balls, V the float eigenvectors: the discs of Gershgorin."""
    n = len(A)
    M, V = (flint.arb_mat(n, n, X.ravel().tolist()) for X in (A, np.linalg.eigh(A)[1]))
    C = V.transpose() * M * V
    return all((C[i, i] > sum((abs(C[i, j]) for j in range(n) if j != i), flint.arb(0))) is True for i in range(n))


def test_definiteness():
    rng = np.random.default_rng(0)
    tally = [0, 0, 0]
    for _ in range(12):
        A = near_singular(rng, int(rng.integers(10, 21)))
        definite = inertia(A)[0] == len(A)
        for i, proved in enumerate(
            (rounding.positive_definite(A).status, fast.positive_definite(A).status, congruence(A) and Status.PROVED)
        ):
            assert proved is not Status.PROVED or definite
            tally[i] += proved is Status.PROVED
    assert min(tally) > 0
    # Control: the reference tells a matrix from what it is after one eigenvalue has changed its sign.
    assert inertia(np.diag([1.0, 2.0, 3.0])) == (3, 0) and inertia(np.diag([1.0, -2.0, 3.0])) == (2, 1)


def test_radii():
    rng = np.random.default_rng(1)
    for n in (9, 14, 20):
        A = near_singular(rng, n)
        theta, radii = counts.leading(A, np.linalg.eigh(A)[1][:, ::-1], -np.inf)
        assert (radii < 1e-12).all()
        for j in range(n):
            low, high = (Fraction(theta[j]) + sign * Fraction(radii[j]) for sign in (-1, 1))
            assert inertia(A, low)[1] <= n - 1 - j and inertia(A, high)[0] <= j
