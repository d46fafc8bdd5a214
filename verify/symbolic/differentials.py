"""Differentials of word sums and scalars, and the gradients read off them.

Notation   dX a letter that stands for an arbitrary change of X; G the gradient of f in X if df = tr(G^T dX).
Main       differential, gradient, derivative (in a symbol such as sigma2).

The rules: the product rule; d(A^-1) = -A^-1 dA A^-1, from A^-1 A = I; d diag(A) = diag(dA); Jacobi's formula
d log det A = tr(A^-1 dA); and a letter with a definition changes as its definition does. The gradient in a
symmetric letter is symmetric, that in a diagonal letter is diagonal: only such changes are allowed there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import overload

import sympy as sp

from verify.symbolic.matrix_calculus import (
    Atom,
    DiagonalPart,
    Expression,
    Factor,
    Letter,
    NotConformable,
    Shape,
    Word,
    WordSum,
    diag,
    of_factor,
    of_factors,
    simplified,
    the_letter,
)
from verify.symbolic.traces import Scalar, trace

Changes = Mapping[Letter, WordSum]


@overload
def differential(f: WordSum, X: WordSum, dX: WordSum) -> WordSum: ...
@overload
def differential(f: Scalar, X: WordSum, dX: WordSum) -> Scalar: ...
def differential(f: WordSum | Scalar, X: WordSum, dX: WordSum) -> WordSum | Scalar:
    """The change of f to first order when the letter X changes by dX. NotConformable if the shapes differ."""
    if X.shape != dX.shape:
        raise NotConformable(f"change of {X} by {dX}", X.shape, dX.shape)
    return _change(f, {the_letter(X): dX}, None)


@overload
def derivative(f: WordSum, symbol: sp.Symbol) -> WordSum: ...
@overload
def derivative(f: Scalar, symbol: sp.Symbol) -> Scalar: ...
def derivative(f: WordSum | Scalar, symbol: sp.Symbol) -> WordSum | Scalar:
    """df/dsymbol, through the coefficients and through the definitions of letters."""
    return _change(f, {}, symbol)


def gradient(f: Scalar, X: WordSum) -> WordSum:
    """The G with df = tr(G^T dX) for every change dX that the kind of the letter X allows."""
    x = the_letter(X)
    marker = Letter(f"d{x.name}", x.shape, x.kind)
    change = differential(f, X, of_factor(Factor(marker)))
    G = WordSum(x.shape, [])
    for word, c in change.traces.items():
        G = G + c * _coefficient(word.factors, marker).T
    if x.kind == "symmetric":
        return (G + G.T) / 2
    return diag(G) if x.kind == "diagonal" else G


def _coefficient(factors: Sequence[Factor], marker: Letter) -> WordSum:
    """The A with tr(factors) = tr(A marker), for a product in which the marker occurs once."""
    i, factor = next((i, factor) for i, factor in enumerate(factors) if _mentions(factor.atom, marker))
    A = of_factors([*factors[i + 1 :], *factors[:i]], Shape(factor.shape.cols, factor.shape.rows))
    if isinstance(factor.atom, DiagonalPart):
        # tr(diag(B) A) = tr(B diag(A)), and the marker is inside B.
        (inner,) = diag(A).terms
        return _coefficient(simplified(factor.atom.word.factors + inner.factors), marker)
    return A.T if factor.transposed else A


def _mentions(atom: Atom, letter: Letter) -> bool:
    if isinstance(atom, DiagonalPart):
        return any(_mentions(factor.atom, letter) for factor in atom.word.factors)
    return atom == letter


@overload
def _change(f: WordSum, changes: Changes, symbol: sp.Symbol | None) -> WordSum: ...
@overload
def _change(f: Scalar, changes: Changes, symbol: sp.Symbol | None) -> Scalar: ...
@overload
def _change(f: WordSum | Scalar, changes: Changes, symbol: sp.Symbol | None) -> WordSum | Scalar: ...
def _change(f: WordSum | Scalar, changes: Changes, symbol: sp.Symbol | None) -> WordSum | Scalar:
    if isinstance(f, WordSum):
        return _change_of_sum(f, changes, symbol)
    total = Scalar(
        _partial(f.constant, symbol),
        [(word, _partial(c, symbol)) for word, c in f.traces.items()],
        [(atom, _partial(c, symbol)) for atom, c in f.log_dets.items()],
    )
    for word, c in f.traces.items():
        total = total + c * trace(_change_of_word(word, changes, symbol))
    for atom, c in f.log_dets.items():
        # Jacobi's formula.
        inverse = of_factor(Factor(atom, inverted=True))
        total = total + c * trace(inverse @ _change_of_atom(atom, changes, symbol))
    return total


def _partial(c: Expression, symbol: sp.Symbol | None) -> Expression:
    return sp.S.Zero if symbol is None else sp.diff(c, symbol)


def _change_of_sum(A: WordSum, changes: Changes, symbol: sp.Symbol | None) -> WordSum:
    total = WordSum(A.shape, [(word, _partial(c, symbol)) for word, c in A.terms.items()])
    for word, c in A.terms.items():
        total = total + c * _change_of_word(word, changes, symbol)
    return total


def _change_of_word(word: Word, changes: Changes, symbol: sp.Symbol | None) -> WordSum:
    """The product rule."""
    total = WordSum(word.shape, [])
    for i, factor in enumerate(word.factors):
        change = _change_of_factor(factor, changes, symbol)
        if change.terms:
            left = of_factors(word.factors[:i], Shape(word.shape.rows, factor.shape.rows))
            right = of_factors(word.factors[i + 1 :], Shape(factor.shape.cols, word.shape.cols))
            total = total + left @ change @ right
    return total


def _change_of_factor(factor: Factor, changes: Changes, symbol: sp.Symbol | None) -> WordSum:
    change = _change_of_atom(factor.atom, changes, symbol)
    change = change.T if factor.transposed else change
    if not factor.inverted:
        return change
    inverse = of_factor(factor)
    return -(inverse @ change @ inverse)


def _change_of_atom(atom: Atom, changes: Changes, symbol: sp.Symbol | None) -> WordSum:
    if isinstance(atom, DiagonalPart):
        return diag(_change_of_word(atom.word, changes, symbol))
    if atom in changes:
        return changes[atom]
    if atom.definition is not None:
        return _change_of_sum(atom.definition, changes, symbol)
    return WordSum(atom.shape, [])
