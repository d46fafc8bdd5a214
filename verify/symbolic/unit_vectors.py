"""Unit vectors in words: eigenvectors and coordinate axes, and the diagonal entries that axes pick out.

Notation   u (n, 1), e (k, 1): letters of one column; an axis is a unit vector of the coordinates, its index left open.
           P (k, p), a selector: p different axes beside each other.
Main       unit_vector, orthonormal, on_axes, on_blocks.

diag(A e^T) = (e^T A) e e^T for an axis e and any A (k, 1), because only row and column i of A e^T meet there;
diag(P A P^T) = P diag(A) P^T for a selector P and any A (p, p), because P puts A among zeros, rows and columns alike.
"""

from __future__ import annotations

from itertools import combinations

from verify.symbolic.matrix_calculus import (
    DiagonalPart,
    Expression,
    Factor,
    Shape,
    WordSum,
    diag,
    identity,
    letter,
    of_factor,
    of_factors,
    the_letter,
    zero,
)
from verify.symbolic.relations import Either, Relation, factorwise, map_words, relation


def unit_vector(name: str, dimension: Expression) -> WordSum:
    """A letter (dimension, 1); that its length is 1 is said by `orthonormal`."""
    return letter(name, dimension, 1)


def orthonormal(*vectors: WordSum) -> tuple[Relation, ...]:
    """u^T u = 1 for each and u^T v = 0 for each two of these vectors, all (d, 1).  NotConformable otherwise."""
    lengths = [relation(u.T @ u, identity(1)) for u in vectors]
    angles = [relation(u.T @ v, zero(1, 1)) for u, v in combinations(vectors, 2)]
    return (*lengths, *angles)


def on_axes(A: Either, *axes: WordSum) -> Either:
    """A with diag(B e^T) and diag(e B^T) replaced by (e^T B) e e^T, for each of these axes e (k, 1)."""
    ends = [Factor(the_letter(e)) for e in axes]
    return map_words(A, lambda factors, shape, ring: factorwise(factors, shape, lambda factor: _entry(factor, ends)))


def on_blocks(A: Either, *selectors: WordSum) -> Either:
    """A with diag(P B P^T) replaced by P diag(B) P^T, for each of these selectors P (k, p)."""
    ends = [Factor(the_letter(P)) for P in selectors]
    return map_words(A, lambda factors, shape, ring: factorwise(factors, shape, lambda factor: _block(factor, ends)))


def _block(factor: Factor, selectors: list[Factor]) -> WordSum:
    """What a selector makes of a diagonal part; any other factor, and an inverse, as it was."""
    if not isinstance(factor.atom, DiagonalPart) or factor.inverted:
        return of_factor(factor)
    inner = factor.atom.word.factors
    for end in selectors:
        if len(inner) > 1 and inner[0] == end and inner[-1] == end.T:
            P, size = of_factor(end), end.shape.cols
            return P @ diag(of_factors(inner[1:-1], Shape(size, size))) @ P.T
    return of_factor(factor)


def _entry(factor: Factor, axes: list[Factor]) -> WordSum:
    """What an axis makes of a diagonal part; any other factor, and an inverse, as it was."""
    if not isinstance(factor.atom, DiagonalPart) or factor.inverted:
        return of_factor(factor)
    word = factor.atom.word
    for e in axes:
        for inner in (word, word.T):
            if inner.factors[-1] == e.T:
                # e (e^T B) e^T, with B (k, 1) all of the word but its last factor.
                B = of_factors(inner.factors[:-1], e.shape)
                axis = of_factor(e)
                return axis @ axis.T @ B @ axis.T
    return of_factor(factor)
