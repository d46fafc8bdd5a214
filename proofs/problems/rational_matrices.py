"""Random matrices of rationals, and what can be said of them without any rounding.

Notation   SymPy matrices over the rationals; inertia: how many eigenvalues are positive, negative, zero.
Main       rational_matrix, rational_rotation, positive_definite, inertia.
"""

from itertools import pairwise
from random import Random

import sympy as sp


def rational_matrix(rng: Random, rows: int, cols: int) -> sp.Matrix:
    """Entries a/b, |a| <= 4, b from 1 to 3."""
    return sp.Matrix(rows, cols, lambda i, j: sp.Rational(rng.randint(-4, 4), rng.randint(1, 3)))


def rational_rotation(rng: Random, n: int) -> sp.Matrix:
    """An orthogonal matrix (n, n) of determinant 1: (I - A) (I + A)^-1 for a skew A (Cayley)."""
    A = rational_matrix(rng, n, n)
    skew = A - A.T
    return (sp.eye(n) - skew) * (sp.eye(n) + skew).inv()


def positive_definite(rng: Random, n: int) -> sp.Matrix:
    """A^T A + I, (n, n)."""
    A = rational_matrix(rng, n, n)
    return A.T * A + sp.eye(n)


def inertia(A: sp.Matrix) -> tuple[int, int, int]:
    """Positive, negative and zero eigenvalues of a symmetric A: all roots are real, so Descartes' rule is exact."""
    if A != A.T:
        raise ValueError("not symmetric, so its eigenvalues need not be real")
    coefficients = A.charpoly().all_coeffs()
    alternating = [c * (-1) ** i for i, c in enumerate(coefficients)]
    positive, negative = (_changes(values) for values in (coefficients, alternating))
    return positive, negative, A.rows - positive - negative


def _changes(values: list[sp.Rational]) -> int:
    signs = [value > 0 for value in values if value != 0]
    return sum(a != b for a, b in pairwise(signs))
