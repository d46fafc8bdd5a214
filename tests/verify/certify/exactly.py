"""What exact arithmetic says of eigenvalues, written out naively: the reference for certificates.

Notation   A (n, n) a symmetric matrix of doubles; p(x) = det(x I - A), whose roots are all real.
Main       inertia.

All roots being real, Descartes' rule of signs counts the positive ones exactly, and p(-x) the negative ones.
"""

from fractions import Fraction
from itertools import pairwise


def inertia(A, level=Fraction(0)):
    """How many eigenvalues of A exceed the level, equal it, and are below it."""
    n = len(A)
    exact = [[Fraction(float(A[i][j])) - (level if i == j else 0) for j in range(n)] for i in range(n)]
    p = characteristic(exact)
    above, below = changes(p), changes([c * (-1) ** i for i, c in enumerate(p)])
    assert above + below + next(i for i, c in enumerate(reversed(p)) if c) == n
    return above, n - above - below, below


def characteristic(A):
    """The coefficients of p, that of x^n first (Faddeev and LeVerrier)."""
    n = len(A)
    p, M = [Fraction(1)], [[Fraction(0)] * n for _ in range(n)]
    for k in range(1, n + 1):
        M = times(A, M)
        for i in range(n):
            M[i][i] += p[-1]
        p.append(-sum(times(A, M)[i][i] for i in range(n)) / k)
    return p


def times(A, B):
    return [[sum((a * b for a, b in zip(row, column, strict=True)), Fraction(0)) for column in zip(*B, strict=True)]
            for row in A]  # fmt: skip


def changes(coefficients):
    signs = [c > 0 for c in coefficients if c]
    return sum(a != b for a, b in pairwise(signs))
