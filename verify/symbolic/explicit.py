"""The same derivations on explicit small matrices, entry by entry and without any matrix calculus.

Notation   W (n, k), V (k, n), D (k, k) diagonal, S (n, n) symmetric: SymPy matrices of independent symbols.
Main       Explicit: elbo, log_likelihood, gradient, matrices and values for evaluation.on_matrices,
           lambdified, at_rationals.

The ELBO starts from the log densities, written as polynomials in the entries of x and z; moments are inserted
monomial by monomial. Nothing is shared with the calculus of words, so that an error there shows here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import sympy as sp

from verify.arrays import Array
from verify.symbolic import letters
from verify.symbolic.matrix_calculus import Expression

Matrix = Any  # a SymPy matrix


@dataclass(frozen=True)
class Explicit:
    """A linear VAE with n = `rows` and k = `columns` in numbers and all entries as symbols."""

    rows: int
    columns: int

    @cached_property
    def W(self) -> Matrix:
        return sp.Matrix(self.rows, self.columns, lambda i, j: sp.Symbol(f"w{i}{j}"))

    @cached_property
    def V(self) -> Matrix:
        return sp.Matrix(self.columns, self.rows, lambda i, j: sp.Symbol(f"v{i}{j}"))

    @cached_property
    def D(self) -> Matrix:
        return sp.diag(*sp.symbols(f"d:{self.columns}", positive=True))

    @cached_property
    def S(self) -> Matrix:
        return sp.Matrix(self.rows, self.rows, lambda i, j: sp.Symbol(f"s{min(i, j)}{max(i, j)}"))

    @property
    def sigma2(self) -> Expression:
        return letters.sigma2

    @property
    def matrices(self) -> dict[str, Matrix]:
        """By name of letter, for evaluation.on_matrices."""
        return {"W": self.W, "V": self.V, "D": self.D, "S": self.S}

    @property
    def values(self) -> dict[sp.Symbol, int]:
        """The dimensions, for evaluation.on_matrices."""
        return {letters.n: self.rows, letters.k: self.columns}

    @cached_property
    def elbo(self) -> Expression:
        """E_x E_q[log p(x|z) + log p(z) - log q(z|x)], per datum (Eq. 4)."""
        x = sp.Matrix(sp.symbols(f"x:{self.rows}"))
        z = sp.Matrix(sp.symbols(f"z:{self.columns}"))
        mean = self.V * x
        terms = zip(z, mean, self.D.diagonal(), strict=True)
        log_q = -sum((z_i - m) ** 2 / (2 * d) + sp.log(2 * sp.pi * d) / 2 for z_i, m, d in terms)
        log_prior = -sum(z_i**2 for z_i in z) / 2 - self.columns * sp.log(2 * sp.pi) / 2
        error = sum(r**2 for r in x - self.W * z)
        log_observation = -error / (2 * self.sigma2) - self.rows * sp.log(2 * sp.pi * self.sigma2) / 2
        over_z = with_moments(log_observation + log_prior - log_q, z, mean, self.D)
        return with_moments(over_z, x, [0] * self.rows, self.S)

    @cached_property
    def log_likelihood(self) -> Expression:
        """-1/2 [n log 2 pi + log det C + tr(C^-1 S)] with an explicit determinant (Eq. 5)."""
        C = self.W * self.W.T + self.sigma2 * sp.eye(self.rows)
        det = sp.expand(C.det())
        quadratic = (C.adjugate() * self.S).trace() / det
        return -(self.rows * sp.log(2 * sp.pi) + sp.log(det) + quadratic) / 2

    def gradient(self, f: Expression, X: Matrix) -> Matrix:
        """df/dX entry by entry, in the shape of X; for the diagonal D a diagonal matrix."""
        return X.applyfunc(lambda entry: sp.diff(f, entry) if entry != 0 else sp.S.Zero)

    def lambdified(self, f: Any) -> Callable[..., Array]:
        """f as a NumPy function of W (n, k), V (k, n), D (k,), sigma2 and S (n, n)."""
        arguments = [*self.W, *self.V, *self.D.diagonal(), self.sigma2, *self._upper(self.S)]
        function = sp.lambdify(arguments, f, "numpy")

        def of_arrays(W: Array, V: Array, D: Array, sigma2: float, S: Array) -> Array:
            upper = S[np.triu_indices(self.rows)]
            return np.asarray(function(*W.ravel(), *V.ravel(), *D, sigma2, *upper))

        return of_arrays

    def _upper(self, A: Matrix) -> list[Expression]:
        return [A[i, j] for i in range(A.rows) for j in range(i, A.cols)]

    def at_rationals(self, f: Any, seed: int) -> Any:
        """f at a random rational point, exactly; the same point for every f of one seed.

        An identity of rational functions that is false fails there almost surely.
        """
        rng = np.random.default_rng(seed)
        symbols = [*self.W, *self.V, *self.D.diagonal(), *self._upper(self.S), self.sigma2]
        # Between 1/9 and 9: positive, as D and sigma2 must be.
        draws = rng.integers(1, 10, (len(symbols), 2))
        point = {s: sp.Rational(int(a), int(b)) for s, (a, b) in zip(symbols, draws, strict=True)}
        return f.subs(point)


def with_moments(f: Expression, variables: Sequence[Any], mean: Sequence[Any], covariance: Matrix) -> Expression:
    """E[f] for f of degree <= 2 in the variables, monomial by monomial. ValueError for a higher degree."""
    polynomial = sp.Poly(sp.expand(f), *variables)
    return sp.expand(sum(c * _moment(powers, mean, covariance) for powers, c in polynomial.terms()))


def _moment(powers: Sequence[int], mean: Sequence[Any], covariance: Matrix) -> Expression:
    indices = [i for i, power in enumerate(powers) for _ in range(power)]
    if len(indices) > 2:
        raise ValueError("a moment of third or higher order was asked for")
    product = sp.prod([mean[i] for i in indices])
    return product + covariance[indices[0], indices[1]] if len(indices) == 2 else product
