"""Probabilistic PCA in exact arithmetic: witnesses that no rounding can be blamed for.

Notation   W (n, k), S (n, n), sigma2: SymPy matrices and numbers, rational; C = W W^T + sigma2 I.
Main       diagonal, weights, gradient, noise_gradient, check_zero.
"""

from typing import Any

import sympy as sp

from proofs.machinery.checks import check


def diagonal(*values: Any) -> sp.Matrix:
    """diag(values) of rationals, (n, n); a value may be text such as "7/2"."""
    return sp.diag(*[sp.Rational(value) for value in values])


def weights(*rows: Any) -> sp.Matrix:
    """The matrix of these rows, of rationals."""
    return sp.Matrix([[sp.Rational(value) for value in row] for row in rows])


def _score(W: sp.Matrix, sigma2: Any, S: sp.Matrix) -> sp.Matrix:
    """C^-1 S C^-1 - C^-1: twice the derivative of L in C.  -> (n, n)."""
    precision = (W * W.T + sp.Rational(sigma2) * sp.eye(S.rows)).inv()
    return precision * S * precision - precision


def gradient(W: sp.Matrix, sigma2: Any, S: sp.Matrix) -> sp.Matrix:
    """dL/dW = C^-1 S C^-1 W - C^-1 W.  -> (n, k)."""
    return _score(W, sigma2, S) * W


def noise_gradient(W: sp.Matrix, sigma2: Any, S: sp.Matrix) -> sp.Rational:
    """dL/dsigma2 = 1/2 tr(C^-1 S C^-1 - C^-1)."""
    return _score(W, sigma2, S).trace() / 2


def check_zero(found: Any) -> None:
    """A rational, or each entry of a matrix of them, is zero: exactly."""
    entries = list(found) if isinstance(found, sp.MatrixBase) else [found]
    if not all(entry.is_Rational for entry in entries):
        raise ValueError(f"{found}: not rational, so nothing exact can be said")
    check(all(entry == 0 for entry in entries), f"{found} is not zero")
