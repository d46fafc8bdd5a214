"""Values of word sums and scalars: on NumPy arrays, and on explicit SymPy matrices.

Notation   matrices: by name of letter; values: by SymPy symbol, dimensions included.
Main       on_arrays, on_matrices.

Nothing is simplified here: products are taken factor by factor, so that normal forms can be put to the test.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import sympy as sp

from verify.arrays import Array
from verify.symbolic.matrix_calculus import DiagonalPart, Expression, Factor, Word, WordSum
from verify.symbolic.traces import Scalar


class Arithmetic(Protocol):
    """What the values of a kind of matrix must be able to do, beside + and @ and .T."""

    def number(self, c: Expression) -> Any: ...
    def eye(self, size: int) -> Any: ...
    def inverse(self, A: Any) -> Any: ...
    def diagonal_part(self, A: Any) -> Any: ...
    def trace(self, A: Any) -> Any: ...
    def log_det(self, A: Any) -> Any: ...


class _OnArrays:
    def __init__(self, values: Mapping[sp.Symbol, float]) -> None:
        self.values = dict(values)

    def number(self, c: Expression) -> float:
        return float(sp.sympify(c).subs(self.values))

    def eye(self, size: int) -> Array:
        return np.eye(size)

    def inverse(self, A: Array) -> Array:
        return np.linalg.inv(A)

    def diagonal_part(self, A: Array) -> Array:
        return np.diag(np.diag(A))

    def trace(self, A: Array) -> float:
        return float(np.trace(A))

    def log_det(self, A: Array) -> float:
        sign, value = np.linalg.slogdet(A)
        if sign <= 0:
            raise ValueError("log det of a matrix that is not positive")
        return float(value)


class _OnMatrices:
    def __init__(self, values: Mapping[sp.Symbol, Expression]) -> None:
        self.values = dict(values)

    def number(self, c: Expression) -> Expression:
        return sp.sympify(c).subs(self.values)

    def eye(self, size: int) -> Any:
        return sp.eye(size)

    def inverse(self, A: Any) -> Any:
        return A.adjugate() / A.det()

    def diagonal_part(self, A: Any) -> Any:
        return sp.diag(*[A[i, i] for i in range(A.rows)])

    def trace(self, A: Any) -> Expression:
        return A.trace()

    def log_det(self, A: Any) -> Expression:
        return sp.log(A.det())


def on_arrays(A: WordSum | Scalar, matrices: Mapping[str, Array], values: Mapping[sp.Symbol, float]) -> Array:
    """A on NumPy arrays: (rows, cols) for a word sum, a float for a scalar. KeyError for a missing letter."""
    return _Evaluation(_OnArrays(values), matrices)(A)


def on_matrices(A: WordSum | Scalar, matrices: Mapping[str, Any], values: Mapping[sp.Symbol, Expression]) -> Any:
    """A on explicit SymPy matrices, for `values` of the dimensions. KeyError for a letter without value."""
    return _Evaluation(_OnMatrices(values), matrices)(A)


class _Evaluation:
    def __init__(self, arithmetic: Arithmetic, matrices: Mapping[str, Any]) -> None:
        self.arithmetic, self.matrices = arithmetic, matrices

    def __call__(self, A: WordSum | Scalar) -> Any:
        number = self.arithmetic.number
        if isinstance(A, WordSum):
            zero = np.zeros((int(number(A.shape.rows)), int(number(A.shape.cols))))
            total = zero if isinstance(self.arithmetic, _OnArrays) else sp.zeros(*zero.shape)
            for word, c in A.terms.items():
                total = total + number(c) * self.word(word)
            return total
        total = number(A.constant)
        for word, c in A.traces.items():
            total = total + number(c) * self.arithmetic.trace(self.word(word))
        for atom, c in A.log_dets.items():
            total = total + number(c) * self.arithmetic.log_det(self.factor(Factor(atom)))
        return total

    def word(self, word: Word) -> Any:
        product = self.arithmetic.eye(int(self.arithmetic.number(word.shape.rows)))
        for factor in word.factors:
            product = product @ self.factor(factor)
        return product

    def factor(self, factor: Factor) -> Any:
        value = self.atom(factor)
        value = value.T if factor.transposed else value
        return self.arithmetic.inverse(value) if factor.inverted else value

    def atom(self, factor: Factor) -> Any:
        atom = factor.atom
        if isinstance(atom, DiagonalPart):
            return self.arithmetic.diagonal_part(self.word(atom.word))
        if atom.definition is not None and atom.name not in self.matrices:
            return self(atom.definition)
        return self.matrices[atom.name]
