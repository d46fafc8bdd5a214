"""Counts in whole numbers: against the inertia of exact matrices, at ties and one step of doubles beside them."""

from fractions import Fraction
from math import inf, nextafter

import numpy as np
import pytest

from tests.verify.certify.fractions_between import inertia
from verify.certify.decided import exact_counts as module
from verify.certify.decided.exact_counts import exact_count
from verify.errors import InputError

pytest.importorskip("flint")


def counted(rows, divisor, level):
    """How many eigenvalues exceed the level and equal it, by elimination in fractions."""
    X = [[Fraction(x) / Fraction(divisor) for x in row] for row in rows.tolist()]
    N, n = rows.shape
    mean = [sum(column) / N for column in zip(*X, strict=True)]
    A = [
        [sum((r[i] - mean[i]) * (r[j] - mean[j]) for r in X) / N - (i == j) * level for j in range(n)] for i in range(n)
    ]
    positive, _, zero = inertia(A)
    return positive, zero


@pytest.mark.parametrize("seed", range(12))
def test_they_are_those_of_exact_elimination(seed):
    rng = np.random.default_rng(seed)
    N, n = int(rng.integers(2, 12)), int(rng.integers(1, 6))
    whole = seed % 2 == 0
    X = (
        rng.integers(0, 5, size=(N, n)).astype(float)
        if whole
        else rng.normal(size=(N, n)) * 10.0 ** rng.integers(-9, 9)
    )
    X[:, 0] = 3.0 if seed % 3 == 0 else X[:, 0]
    divisor = [1.0, 255.0, 0.1][seed % 3]
    lam = np.linalg.eigvalsh(np.cov(X.T, bias=True).reshape(n, n) / divisor**2)
    for x in lam[lam > 0].tolist():
        for level in (
            Fraction(x),
            Fraction(nextafter(x, inf)),
            Fraction(nextafter(x, 0)),
            Fraction(repr(x)),
            Fraction(1, 3),
        ):
            if level > 0:
                assert exact_count(X, divisor, level) == counted(X, divisor, level)


def test_ties_are_told_exactly():
    X = np.concatenate([np.eye(4), -np.eye(4)])
    assert exact_count(X, 1.0, Fraction(1, 4)) == (0, 4)
    assert exact_count(X, 2.0, Fraction(1, 16)) == (0, 4)
    assert exact_count(X, 1.0, Fraction(1, 4) - Fraction(1, 10**300)) == (4, 0)
    assert exact_count(X, 1.0, Fraction(1, 4) + Fraction(1, 10**300)) == (0, 0)
    assert exact_count(X, 0.1, Fraction(25)) == (0, 0)  # the double 0.1 exceeds a tenth
    assert counted(X, 0.1, Fraction(25)) == exact_count(X, 0.1, Fraction(25))


def test_what_would_take_long_is_left(monkeypatch):
    assert exact_count(np.zeros((3, module.COLUMNS + 1)), 1.0, Fraction(1)) is None
    assert exact_count(np.zeros((module.ENTRIES, 2)), 1.0, Fraction(1)) is None
    assert exact_count(np.array([[1e200], [1e-200]]), 1.0, Fraction(1)) is None

    def missing():
        raise InputError("python-flint")

    monkeypatch.setattr(module, "flint", missing)
    assert exact_count(np.eye(3), 1.0, Fraction(1)) is None
