"""Jacobi's formula for the derivative of a determinant, and rotations as exponentials of skew matrices.

Method     Jacobi: entry by entry, for matrices of symbols up to size 3. Exponentials: the real Schur form of a rotation
           has blocks of size 2, plane rotations by theta, and pairs of eigenvalues -1, plane rotations by pi.
"""

import numpy as np
import pytest
import scipy.linalg
import sympy as sp

from proofs.machinery.checks import agree, check, rejected, vanishes
from proofs.machinery.facts import fact
from proofs.problems.spectra import random_rotation

JACOBI, EXPONENTIAL = fact("jacobi"), fact("so-exponential")


def slope_less_jacobi(size, factor=1):
    """d det A / dA_ij less the entries of det A A^-T, for a matrix of symbols (size, size)."""
    A = sp.Matrix(size, size, sp.symbols(f"a:{size * size}"))
    slopes = A.applyfunc(lambda entry: sp.diff(A.det(), entry))
    return (slopes - factor * A.adjugate().T).expand()


@JACOBI.evidence(role="supports", kind="symbolic")
@pytest.mark.parametrize("size", [1, 2, 3])
def test_the_derivative_of_a_determinant_entry_by_entry(size, record):
    # d log det A = tr(A^-1 dA) times det A: the adjugate is det A A^-1.
    vanishes(slope_less_jacobi(size))
    record(instances=size**2)


@JACOBI.evidence(role="control", kind="symbolic")
def test_half_the_derivative_is_rejected():
    with rejected():
        vanishes(slope_less_jacobi(2, sp.Rational(1, 2)))
    with rejected():  # without the transpose
        A = sp.Matrix(2, 2, sp.symbols("a:4"))
        vanishes(A.applyfunc(lambda entry: sp.diff(A.det(), entry)) - A.adjugate())


def skew_logarithm(Q):
    """A skew B with exp(B) = Q.  Disagreement if a single eigenvalue -1 is left over: then there is none."""
    T, Z = scipy.linalg.schur(Q, output="real")
    B, alone, i = np.zeros_like(Q), [], 0
    while i < len(Q):
        if i + 1 < len(Q) and abs(T[i + 1, i]) > 1e-9:
            theta = np.arctan2(T[i + 1, i] - T[i, i + 1], T[i, i] + T[i + 1, i + 1])
            B[i + 1, i], B[i, i + 1] = theta, -theta
            i += 2
            continue
        if T[i, i] < 0:
            alone.append(i)
        i += 1
    check(len(alone) % 2 == 0, "a single eigenvalue -1: no exponential of a skew matrix")
    for a, b in zip(alone[::2], alone[1::2], strict=True):
        B[b, a], B[a, b] = np.pi, -np.pi
    return Z @ B @ Z.T


@EXPONENTIAL.evidence(role="supports", kind="numeric")
def test_rotations_are_exponentials_of_skew_matrices(record, thorough):
    rng = np.random.default_rng(11)
    for _ in range(thorough(60, 600)):
        size = int(rng.integers(2, 7))
        basis, signs = random_rotation(rng, size), np.ones(size)
        signs[: 2 * int(rng.integers(0, size // 2 + 1))] = -1
        random = random_rotation(rng, size)
        random[:, 0] *= np.linalg.det(random)
        for Q in (random, (basis * signs) @ basis.T):
            B = skew_logarithm(Q)
            agree(B, -B.T, tolerance=1e-12, scale=1.0 + np.linalg.norm(B))
            record(worst_error=agree(scipy.linalg.expm(B), Q, tolerance=1e-8))


@EXPONENTIAL.evidence(role="control", kind="numeric")
def test_reflections_are_rejected():
    rng = np.random.default_rng(12)
    for size in (2, 3, 5):
        Q = random_rotation(rng, size)
        Q[:, 0] *= -np.linalg.det(Q)
        with rejected():
            skew_logarithm(Q)
