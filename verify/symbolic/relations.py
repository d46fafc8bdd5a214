"""Relations between words, and substitution: how a letter with a definition meets what defines it.

Notation   a relation `word = sum` is used from left to right, anywhere inside a word and around the ring of a
           trace, together with its transpose.
Main       Relation, relation, of_definition, reduce, expand, substitute, substitute_log_det, map_words,
           factorwise.

For M = W^T W + sigma2 I, `of_definition(M)` is W^T W = M - sigma2 I: so M^-1 W^T W becomes
I - sigma2 M^-1, and M^-1 M = I does the rest. A relation must lead to shorter words, or `reduce` may not end.
Two normal forms that agree are equal for certain; that unequal ones differ is true only of relations that are
confluent, as the one of M is, so where it matters a difference is exhibited on numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar, overload

from verify.symbolic.matrix_calculus import (
    DiagonalPart,
    Expression,
    Factor,
    Letter,
    NotConformable,
    Shape,
    WordSum,
    diag,
    identity,
    inverse,
    of_factor,
    of_factors,
    single,
    the_letter,
)
from verify.symbolic.traces import Factors, Scalar, log_det, ring_shape, rotations, trace

Either = TypeVar("Either", WordSum, Scalar)
MAX_STEPS = 200


@dataclass(frozen=True, eq=False)
class Relation:
    """pattern = replacement, both of one shape."""

    pattern: Factors
    replacement: WordSum

    @property
    def T(self) -> Relation:
        return Relation(tuple(f.T for f in reversed(self.pattern)), self.replacement.T)


def relation(left: WordSum, right: WordSum) -> Relation:
    """The relation left = right. NotConformable for two shapes; ValueError unless left is one word, not I."""
    if left.shape != right.shape:
        raise NotConformable(f"relation {left} = {right}", left.shape, right.shape)
    word = single(left)
    if word is None or not word.factors:
        raise ValueError(f"{left}: the left side of a relation is one word, not a sum and not I")
    return Relation(word.factors, right / left.terms[word])


def of_definition(M: WordSum) -> Relation:
    """The definition of the letter M, solved for its longest word. ValueError if M has none."""
    definition = the_letter(M).definition
    if definition is None:
        raise ValueError(f"{M} has no definition")
    word = max(definition.terms, key=lambda item: item.key)
    leading = WordSum(definition.shape, [(word, definition.terms[word])])
    return relation(leading, M - (definition - leading))


def reduce(A: Either, *relations: Relation) -> Either:
    """A with every relation applied until none applies. RuntimeError if that does not end."""
    rules = [rule for r in relations for rule in ((r,) if r.T.pattern == r.pattern else (r, r.T))]
    for _ in range(MAX_STEPS):
        before = A
        A = map_words(A, lambda factors, shape, ring: _step(factors, shape, ring, rules))
        if str(A) == str(before):
            return A
    raise RuntimeError(f"no end after {MAX_STEPS} steps: a relation makes words longer")


def expand(A: Either, *letters: WordSum) -> Either:
    """A with each of these letters replaced by its definition, except where it is inverted."""
    named = {the_letter(M): _definition(the_letter(M)) for M in letters}

    def image(factor: Factor) -> WordSum:
        value = named.get(factor.atom) if isinstance(factor.atom, Letter) else None
        if value is None or factor.inverted:
            return of_factor(factor)
        return value.T if factor.transposed else value

    return map_words(A, lambda factors, shape, ring: factorwise(factors, shape, image))


def substitute(A: Either, values: Mapping[str, WordSum]) -> Either:
    """A with letters, by name, replaced by values of their shape: in definitions, inverses and log dets, too.

    NotConformable for a value of another shape, NotInvertible for the inverse or log det of a sum.
    """

    def image(factor: Factor) -> WordSum:
        value = _image_of_atom(factor, values, image)
        if value is None:
            return of_factor(factor)
        value = value.T if factor.transposed else value
        return inverse(value) if factor.inverted else value

    result = map_words(A, lambda factors, shape, ring: factorwise(factors, shape, image))
    if isinstance(result, WordSum):
        return result
    return _with_log_dets(result, {atom: log_det(image(Factor(atom))) for atom in result.log_dets})


def substitute_log_det(A: Scalar, M: WordSum, value: Scalar) -> Scalar:
    """A with log det M replaced by `value` (a determinant lemma, say)."""
    return _with_log_dets(A, {the_letter(M): value})


def _definition(letter: Letter) -> WordSum:
    if letter.definition is None:
        raise ValueError(f"{letter} has no definition")
    return letter.definition


def _with_log_dets(A: Scalar, values: Mapping[Expression, Scalar]) -> Scalar:
    kept = [(atom, c) for atom, c in A.log_dets.items() if atom not in values]
    replaced = [c * values[atom] for atom, c in A.log_dets.items() if atom in values]
    return sum(replaced, Scalar(A.constant, A.traces.items(), kept))


def _image_of_atom(factor: Factor, values: Mapping[str, WordSum], image: Callable[[Factor], WordSum]) -> WordSum | None:
    """What replaces an atom; None if nothing does."""
    atom = factor.atom
    if isinstance(atom, DiagonalPart):
        return diag(factorwise(atom.word.factors, atom.word.shape, image))
    if atom.name in values:
        value = values[atom.name]
        if value.shape != atom.shape:
            raise NotConformable(f"{atom} replaced by {value}", atom.shape, value.shape)
        return value
    if atom.definition is None:
        return None
    definition = substitute(atom.definition, values)
    return None if definition == atom.definition else definition


def factorwise(factors: Sequence[Factor], shape: Shape, image: Callable[[Factor], WordSum]) -> WordSum:
    """The product with each factor replaced by its image, for a product of `shape`."""
    product = identity(shape.rows)
    for factor in factors:
        product = product @ image(factor)
    return product


@overload
def map_words(A: WordSum, image: Callable[[Factors, Shape, bool], WordSum]) -> WordSum: ...
@overload
def map_words(A: Scalar, image: Callable[[Factors, Shape, bool], WordSum]) -> Scalar: ...
def map_words(A: WordSum | Scalar, image: Callable[[Factors, Shape, bool], WordSum]) -> WordSum | Scalar:
    """Replace each word by a word sum; `image` is told whether the word is the ring of a trace."""
    if isinstance(A, WordSum):
        images = [(image(word.factors, word.shape, False), c) for word, c in A.terms.items()]
        return WordSum(A.shape, [(word, c * d) for B, c in images for word, d in B.terms.items()])
    total = Scalar(A.constant, log_dets=A.log_dets.items())
    for word, c in A.traces.items():
        total = total + c * trace(image(word.factors, word.shape, True))
    return total


def _step(factors: Factors, shape: Shape, ring: bool, rules: Sequence[Relation]) -> WordSum:
    """The word after one use of the first relation that applies, or as it was."""
    for rotated in rotations(factors) if ring else [factors]:
        here = ring_shape(rotated) if ring else shape
        for rule in rules:
            size = len(rule.pattern)
            for i in range(len(rotated)):
                if rotated[i : i + size] == rule.pattern:
                    left = of_factors(rotated[:i], Shape(here.rows, rule.replacement.shape.rows))
                    right = of_factors(rotated[i + size :], Shape(rule.replacement.shape.cols, here.cols))
                    return left @ rule.replacement @ right
        for i, factor in enumerate(rotated):
            reduced = _inside_diagonal_part(factor, rules)
            if reduced is not None:
                left = of_factors(rotated[:i], Shape(here.rows, factor.shape.rows))
                right = of_factors(rotated[i + 1 :], Shape(factor.shape.cols, here.cols))
                return left @ reduced @ right
    return of_factors(factors, shape)


def _inside_diagonal_part(factor: Factor, rules: Sequence[Relation]) -> WordSum | None:
    """diag(A) with a relation used inside A; None if none applies, or if A becomes a sum under an inverse."""
    if not isinstance(factor.atom, DiagonalPart):
        return None
    word = factor.atom.word
    reduced = diag(_step(word.factors, word.shape, False, rules))
    if reduced == of_factor(Factor(factor.atom)):
        return None
    if not factor.inverted:
        return reduced
    return inverse(reduced) if single(reduced) else None
