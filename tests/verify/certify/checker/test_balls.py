"""Balls, and the signs of eigenvalues counted in them."""

import sys
import types
from fractions import Fraction

import numpy as np
import pytest

from verify.certify.checker.balls import ball, balls, diagonal, inertia, precision, regular
from verify.certify.checker.balls import flint as imported
from verify.errors import InputError

flint = pytest.importorskip("flint")


def test_without_python_flint_there_is_one_sentence(monkeypatch):
    for stranger in (None, types.ModuleType("flint")):
        monkeypatch.setitem(sys.modules, "flint", stranger)
        with pytest.raises(InputError, match="pip install python-flint"):
            imported()


def test_the_precision_comes_back_however_the_block_ends():
    before = flint.ctx.prec
    with pytest.raises(ZeroDivisionError), precision(333):
        assert flint.ctx.prec == 333
        raise ZeroDivisionError
    assert flint.ctx.prec == before


@pytest.mark.parametrize("text", ["1/3", "-22/7", "0", "1/1024", "123456789012345678901234567890/7", "5"])
def test_a_ball_holds_its_number(text):
    x = Fraction(text)
    with precision(64):
        assert ball(x).contains(flint.fmpq(x.numerator, x.denominator))
        assert not ball(x).contains(
            flint.fmpq(x.numerator, x.denominator) * flint.fmpq(10**9 + 1, 10**9) + flint.fmpq(1, 10**9)
        )


def test_a_double_is_a_ball_of_radius_zero():
    assert ball(0.1).is_exact()
    assert not ball(Fraction(1, 10)).is_exact()


def test_the_radius_is_rounded_outwards():
    A = balls(np.array([[1.0, -2.0]]), Fraction(1, 10))
    for entry, x in zip(A.entries(), (1, -2), strict=True):
        for end in (flint.fmpq(10 * x + 1, 10), flint.fmpq(10 * x - 1, 10)):
            assert entry.contains(end)
    assert not A[0, 0].contains(flint.fmpq(1101, 1000) + flint.fmpq(1, 1000))


def exact_inertia(A):
    """Positive, negative and zero eigenvalues of a symmetric matrix of fractions: elimination with symmetric pivots."""
    A, counts = [list(map(Fraction, row)) for row in A], [0, 0, 0]
    while A:
        n = len(A)
        p = next((i for i in range(n) if A[i][i] != 0), None)
        if p is None:
            pair = next(((i, j) for i in range(n) for j in range(i) if A[i][j] != 0), None)
            if pair is None:
                counts[2] += n
                break
            i, j = pair  # adding row and column j to i makes the diagonal 2 A_ij
            A[i] = [x + y for x, y in zip(A[i], A[j], strict=True)]
            for row in A:
                row[i] += row[j]
            p = i
        d = A[p][p]
        counts[0 if d > 0 else 1] += 1
        A = [[A[i][j] - A[i][p] * A[p][j] / d for j in range(n) if j != p] for i in range(n) if i != p]
    return counts


def proposed(A, nulls):
    """Eigenvectors of a float matrix without those nearest to 0."""
    values, V = np.linalg.eigh(A)
    return V[:, np.sort(np.argsort(-np.abs(values))[: len(A) - nulls])]


@pytest.mark.parametrize("seed", range(40))
def test_counts_are_those_of_exact_elimination(seed):
    rng = np.random.default_rng(seed)
    n, g = int(rng.integers(2, 8)), int(rng.integers(0, 2))
    A = rng.integers(-9, 10, (n, n))
    A = A + A.T
    Z = rng.integers(-3, 4, (n, g))
    Z[rng.integers(n), :] = 1
    if g:  # B -> P B P with P = z^T z I - z z^T has z as a null vector, in whole numbers
        P = int((Z[:, 0] ** 2).sum()) * np.eye(n, dtype=int) - np.outer(Z, Z)
        A = P @ A @ P
    truth = exact_inertia(A.tolist())
    nulls = balls(Z.astype(float)) if g else flint.arb_mat(n, 0)
    with precision(128):
        found = inertia(balls(A.astype(float)), nulls, balls(proposed(A.astype(float), truth[2])))
        assert all(x <= y for x, y in zip(found, truth, strict=True))
        assert found == truth or truth[2] > g  # what is flat beyond the given vectors cannot be counted
        for wrong in (rng.normal(size=(n, n)), rng.normal(size=(n, 1)), np.zeros((n, 2)), np.ones((n, n))):
            found = inertia(balls(A.astype(float)), nulls, balls(wrong))
            assert all(x <= y for x, y in zip(found, truth, strict=True))


def test_what_the_balls_cannot_tell_is_not_counted():
    V, none = balls(np.eye(2)), flint.arb_mat(2, 0)
    assert inertia(balls(np.diag([1.0, -1.0])), none, V) == [1, 1, 0]
    assert inertia(balls(np.diag([1.0, -1.0]), 0.25), none, V) == [1, 1, 0]
    assert inertia(balls(np.diag([1.0, -1.0]), 1.0), none, V) == [0, 0, 0]
    assert inertia(balls(np.zeros((2, 2))), none, V) == [0, 0, 0]
    assert inertia(balls(np.ones((2, 2))), none, V) == [0, 0, 0]  # singular: the discs touch 0
    assert inertia(balls(np.array([[1.0, 2.0], [2.0, 1.0]])), none, V) == [0, 0, 0]


def test_nan_and_infinity_count_nothing():
    for x in ("nan", "inf", "-inf"):
        H = flint.arb_mat([[flint.arb(x), 0], [0, 1]])
        up, down, level = inertia(H, flint.arb_mat(2, 0), balls(np.eye(2)))
        assert down == level == 0
        assert up <= 1  # the other diagonal entry is 1
        H = flint.arb_mat([[1, flint.arb(x)], [flint.arb(x), 1]])
        assert inertia(H, flint.arb_mat(2, 0), balls(np.eye(2))) == [0, 0, 0]
        assert inertia(balls(np.eye(2)), flint.arb_mat([[flint.arb(x)], [0]]), balls(np.eye(2)))[2] == 0


def test_vectors_that_are_dependent_are_not_counted_twice():
    H, none = balls(np.diag([1.0, -1.0, -1.0])), flint.arb_mat(3, 0)
    twice = balls(np.array([[1.0, 1.0], [0.0, 1e-9], [0.0, 0.0]]))
    assert inertia(H, none, twice)[0] <= 1
    Z = balls(np.array([[1.0, 2.0], [1.0, 2.0], [0.0, 0.0]]))
    assert inertia(balls(np.zeros((3, 3))), Z, balls(np.zeros((3, 1))))[2] == 0


def test_small_beside_large_is_counted():
    """Twelve decades: each disc is scaled by its own diagonal."""
    H = np.diag([1e12, 1.0, -1e-12])
    H[0, 2] = H[2, 0] = 1e-3
    assert inertia(balls(H), flint.arb_mat(3, 0), balls(np.eye(3))) == [2, 1, 0]


def test_regular():
    assert regular(diagonal([ball(1), ball(2)]))
    assert regular(flint.arb_mat(0, 0))
    assert not regular(balls(np.array([[1.0, 2.0], [2.0, 4.0]])))
    assert not regular(balls(np.array([[1.0, 2.0], [2.0, 4.1]]), 0.1))
    assert not regular(flint.arb_mat([[flint.arb("nan")]]))


def test_a_system_is_solved_only_where_every_matrix_is_regular():
    """Newton's step rests on it, and uniqueness too: also where the right-hand side, and so the solution, is 0."""
    rng = np.random.default_rng(1)
    for n in range(1, 7):
        zero = flint.arb_mat(n, 1)
        for _ in range(20):
            singular = rng.integers(-4, 5, (n, max(n - 1, 1))) @ rng.integers(-4, 5, (max(n - 1, 1), n)) * (n > 1)
            away = rng.normal(size=(n, n)) * 10.0 ** rng.uniform(-9, 1)
            entries = [[flint.arb(x, abs(x)) for x in row] for row in away.tolist()]  # each touches 0
            J = flint.arb_mat(singular.tolist()) + flint.arb_mat(entries)
            with pytest.raises(ZeroDivisionError):
                J.solve(zero, algorithm="precond")
            assert not regular(J)
        assert diagonal([ball(1)] * n).solve(zero, algorithm="precond") == zero
