"""Scalars: linear combinations of 1, traces of words and log determinants, with a normal form.

Notation   tr(A), log det A, both with SymPy coefficients.
Main       Scalar, trace, log_det, constant.

Two traces are equal if their words are, after rotation, transposition, and the move of a diagonal part:
tr(A B) = tr(B A), tr(A) = tr(A^T), tr(diag(A) B) = tr(A diag(B)). Where a product passes through dimension 1
it falls apart into numbers, which commute and transpose one by one. The normal form is the least word of all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import pairwise

import sympy as sp

from verify.symbolic.matrix_calculus import (
    Atom,
    DiagonalPart,
    Expression,
    Factor,
    NotConformable,
    NotInvertible,
    Shape,
    Word,
    WordSum,
    collected,
    diag,
    is_zero,
    of_factors,
    shown,
    simplified,
    single,
)

Factors = tuple[Factor, ...]


class Scalar:
    """constant + sum c tr(word) + sum c log det(atom), immutable, in normal form."""

    __slots__ = ("constant", "log_dets", "traces")
    __hash__ = None  # type: ignore[assignment]

    def __init__(
        self,
        constant: Expression = 0,
        traces: Iterable[tuple[Word, Expression]] = (),
        log_dets: Iterable[tuple[Atom, Expression]] = (),
    ) -> None:
        canonical = [(cyclic_form(word), c) for word, c in traces]
        # tr(I) is the dimension: a constant, not a trace.
        dimensions = sum((c * word.shape.rows for word, c in canonical if not word.factors), sp.S.Zero)
        self.constant = sp.expand(sp.expand_log(sp.sympify(constant) + dimensions))
        self.traces: Mapping[Word, Expression] = collected((w, c) for w, c in canonical if w.factors)
        self.log_dets: Mapping[Atom, Expression] = collected(log_dets)

    def __add__(self, other: Scalar | Expression) -> Scalar:
        if not isinstance(other, Scalar):
            return self + Scalar(other)
        return Scalar(
            self.constant + other.constant,
            [*self.traces.items(), *other.traces.items()],
            [*self.log_dets.items(), *other.log_dets.items()],
        )

    __radd__ = __add__

    def __mul__(self, c: Expression) -> Scalar:
        return Scalar(
            self.constant * c,
            [(word, c * value) for word, value in self.traces.items()],
            [(atom, c * value) for atom, value in self.log_dets.items()],
        )

    __rmul__ = __mul__

    def __truediv__(self, c: Expression) -> Scalar:
        result: Scalar = self * (1 / sp.sympify(c))
        return result

    def __neg__(self) -> Scalar:
        return -1 * self

    def __sub__(self, other: Scalar | Expression) -> Scalar:
        return self + -other

    def __rsub__(self, other: Expression) -> Scalar:
        result: Scalar = -self + other
        return result

    def __eq__(self, other: object) -> bool:
        return (self - other).is_zero() if isinstance(other, Scalar) else NotImplemented

    def is_zero(self) -> bool:
        coefficients = [self.constant, *self.traces.values(), *self.log_dets.values()]
        return all(is_zero(c) for c in coefficients)

    def __str__(self) -> str:
        named = [(c, f"tr({word})") for word, c in self.traces.items()]
        named += [(c, f"log det({atom})") for atom, c in self.log_dets.items()]
        return shown([*named, (self.constant, "1")] if self.constant != 0 else named)

    __repr__ = __str__


def constant(c: Expression) -> Scalar:
    return Scalar(c)


def trace(A: WordSum) -> Scalar:
    """tr A. NotConformable if A is not square."""
    if not A.shape.square:
        raise NotConformable(f"trace of {A}", A.shape, A.shape.T)
    return Scalar(traces=A.terms.items())


def log_det(A: WordSum) -> Scalar:
    """log det of a positive multiple of a product of square letters; NotInvertible for anything else."""
    word = single(A)
    if word is None or not all(factor.shape.square for factor in word.factors):
        raise NotInvertible(f"log det of {A}, which is not a product of square letters")
    atoms = [(factor.atom, -1 if factor.inverted else 1) for factor in word.factors]
    return Scalar(A.shape.rows * sp.log(A.terms[word]), log_dets=atoms)


def rotations(factors: Factors) -> list[Factors]:
    """All rotations that do not cut a run of diagonal factors (whose inner order means nothing)."""
    cuts = [i for i in range(len(factors)) if not (factors[i - 1].diagonal and factors[i].diagonal)]
    return [simplified(factors[i:] + factors[:i]) for i in cuts] or [simplified(factors)]


@lru_cache(maxsize=4096)
def cyclic_form(word: Word) -> Word:
    """The normal form of tr(word): the least word with the same trace under the moves of this module."""
    reached: dict[Factors, None] = {}
    queue = [_representative(word.factors)]
    while queue:
        factors = queue.pop()
        if factors not in reached:
            reached[factors] = None
            queue.extend(_representative(other) for other in _moves(factors))
    least = min(reached, key=_order)
    return Word(least, ring_shape(least) if least else word.shape)


def ring_shape(factors: Factors) -> Shape:
    """The shape of the product of a ring of factors cut where this product begins."""
    return Shape(factors[0].shape.rows, factors[0].shape.rows)


def _order(factors: Factors) -> tuple[int, int, str]:
    text = " ".join(factor.key for factor in factors)
    return text.count("diag("), len(factors), text


def _representative(factors: Factors) -> Factors:
    """The same word for all that differ by rotation, transposition, or the order of numbers."""
    while (shorter := next((other for other in rotations(factors) if len(other) < len(factors)), None)) is not None:
        factors = shorter  # inverses that met when the word was bent into a ring
    numbers = segments(factors)
    if numbers:
        least = sorted((min(s, transposed(s), key=_order) for s in numbers), key=_order)
        return simplified(factor for number in least for factor in number)
    return min([*rotations(factors), *rotations(transposed(factors))], key=_order)


def _moves(factors: Factors) -> Iterator[Factors]:
    """Words with the same trace: tr(E B) = tr(E diag(B)) for a diagonal E, read in both directions.

    From left to right only where E contains some diag(A) or its inverse, which is where it can matter.
    """
    if all(factor.diagonal for factor in factors):
        for i, factor in enumerate(factors):
            if isinstance(factor.atom, DiagonalPart) and not factor.inverted:
                yield simplified(factors[:i] + factor.atom.word.factors + factors[i + 1 :])
        return
    for rotated in rotations(factors):
        cut = next(i for i, factor in enumerate(rotated) if not factor.diagonal)
        run, rest = rotated[:cut], rotated[cut:]
        if any(isinstance(factor.atom, DiagonalPart) for factor in run):
            (part,) = diag(of_factors(rest, ring_shape(rest))).terms
            yield simplified(run + part.factors)


def transposed(factors: Factors) -> Factors:
    return simplified(factor.T for factor in reversed(factors))


def segments(factors: Factors) -> list[Factors]:
    """The numbers (1, 1) into which a ring of factors falls where it passes through dimension 1."""
    cuts = [i for i, factor in enumerate(factors) if factor.shape.rows == 1]
    round_again = [i + len(factors) for i in cuts[:1]]
    return [(factors + factors)[a:b] for a, b in pairwise([*cuts, *round_again])]
