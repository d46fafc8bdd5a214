"""Words: a non-commutative matrix calculus for matrices of symbolic shape.

A *word* is a product of letters, their transposes and inverses; a *word sum* is a linear combination of words
with SymPy coefficients. Word sums are kept in normal form, so that equality is a comparison: inverses that
meet cancel, neighbouring diagonal factors commute and are sorted, symmetric letters lose their transposes. A
product of shapes that do not fit is refused.

Notation   A @ B product, A.T transpose, c * A scaling, I the empty word.
Main       letter, identity, zero, diag, inverse; WordSum, Word, Factor, Letter, DiagonalPart;
           NotConformable, NotInvertible.
           What to do with them: traces.py, differentials.py, relations.py, expectations.py, evaluation.py.

The rules used are A A^-1 = I, (A B)^T = B^T A^T, A^T = A for a symmetric letter, D E = E D for diagonal ones,
and diag(D A E) = D diag(A) E, diag(A^T) = diag(A). No letter is taken for invertible unless it is inverted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeVar

import sympy as sp

Expression = Any  # a SymPy expression, or a Python number that SymPy takes for one
Kind = Literal["general", "symmetric", "diagonal"]
Key = TypeVar("Key")


class NotConformable(ValueError):
    """Two shapes that do not fit together; `left` and `right` keep them."""

    def __init__(self, what: str, left: Shape, right: Shape) -> None:
        super().__init__(f"{what}: shapes {left} and {right} do not conform")
        self.left, self.right = left, right


class NotInvertible(ValueError):
    """An inverse or a log det was asked of what is not a product of square letters."""


@dataclass(frozen=True)
class Shape:
    """Rows and columns, as SymPy symbols or integers."""

    rows: Expression
    cols: Expression

    @property
    def T(self) -> Shape:
        return Shape(self.cols, self.rows)

    @property
    def square(self) -> bool:
        return bool(self.rows == self.cols)

    def __str__(self) -> str:
        return f"({self.rows}, {self.cols})"


@dataclass(frozen=True)
class Letter:
    """A named matrix; two of one name, shape and kind are the same one.

    Its `definition`, if it has one, is what it abbreviates; differentials look through it.
    """

    name: str
    shape: Shape
    kind: Kind = "general"
    definition: WordSum | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class DiagonalPart:
    """The diagonal part of a word, as a diagonal matrix. Built by `diag` alone, which keeps it canonical."""

    word: Word

    @property
    def kind(self) -> Kind:
        return "diagonal"

    @property
    def shape(self) -> Shape:
        return self.word.shape

    def __str__(self) -> str:
        return f"diag({self.word})"


Atom = Letter | DiagonalPart


@dataclass(frozen=True)
class Factor:
    """An atom, perhaps transposed, perhaps inverted; only general atoms are ever marked as transposed."""

    atom: Atom
    transposed: bool = False
    inverted: bool = False

    @property
    def shape(self) -> Shape:
        return self.atom.shape.T if self.transposed else self.atom.shape

    @property
    def diagonal(self) -> bool:
        return self.atom.kind == "diagonal"

    @property
    def T(self) -> Factor:
        return Factor(self.atom, not self.transposed, self.inverted) if self.atom.kind == "general" else self

    @property
    def inverse(self) -> Factor:
        return Factor(self.atom, self.transposed, not self.inverted)

    @cached_property
    def key(self) -> str:
        """Its text, which also orders factors."""
        return f"{self.atom}{'^T' if self.transposed else ''}{'^-1' if self.inverted else ''}"


def simplified(factors: Iterable[Factor]) -> tuple[Factor, ...]:
    """The normal form of a product: runs of diagonal factors sorted, inverses that meet cancelled."""
    stack: list[Factor] = []
    for factor in factors:
        start = len(stack)
        while factor.diagonal and start and stack[start - 1].diagonal:
            start -= 1
        # A diagonal factor meets every other one of its run, any other factor only its neighbour.
        if not factor.diagonal:
            start -= 1
        if factor.inverse in stack[start:]:
            del stack[stack.index(factor.inverse, start)]
        elif factor.diagonal:
            stack[start:] = sorted([*stack[start:], factor], key=lambda item: item.key)
        else:
            stack.append(factor)
    return tuple(stack)


@dataclass(frozen=True)
class Word:
    """A product in normal form, with its shape (which the empty product could not tell)."""

    factors: tuple[Factor, ...]
    shape: Shape

    @property
    def T(self) -> Word:
        return Word(simplified(factor.T for factor in reversed(self.factors)), self.shape.T)

    @property
    def diagonal(self) -> bool:
        """Whether the word is diagonal because every factor is."""
        return all(factor.diagonal for factor in self.factors)

    @cached_property
    def key(self) -> tuple[int, str]:
        """Length and text, which order words."""
        return len(self.factors), str(self)

    def __str__(self) -> str:
        return " ".join(factor.key for factor in self.factors) or "I"


class WordSum:
    """A linear combination of words of one shape, immutable; no zero coefficient is kept."""

    __slots__ = ("shape", "terms")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, shape: Shape, terms: Iterable[tuple[Word, Expression]]) -> None:
        self.shape = shape
        self.terms: Mapping[Word, Expression] = collected(terms)

    @property
    def T(self) -> WordSum:
        return WordSum(self.shape.T, [(word.T, c) for word, c in self.terms.items()])

    def __add__(self, other: WordSum) -> WordSum:
        if self.shape != other.shape:
            raise NotConformable(f"sum of {self} and {other}", self.shape, other.shape)
        return WordSum(self.shape, [*self.terms.items(), *other.terms.items()])

    def __neg__(self) -> WordSum:
        return -1 * self

    def __sub__(self, other: WordSum) -> WordSum:
        return self + -other

    def __mul__(self, scalar: Expression) -> WordSum:
        return WordSum(self.shape, [(word, c * scalar) for word, c in self.terms.items()])

    __rmul__ = __mul__

    def __truediv__(self, scalar: Expression) -> WordSum:
        result: WordSum = self * (1 / sp.sympify(scalar))
        return result

    def __matmul__(self, other: WordSum) -> WordSum:
        if self.shape.cols != other.shape.rows:
            raise NotConformable(f"product of {self} and {other}", self.shape, other.shape)
        shape = Shape(self.shape.rows, other.shape.cols)
        pairs = ((a, b, c * d) for a, c in self.terms.items() for b, d in other.terms.items())
        return WordSum(shape, [(Word(simplified(a.factors + b.factors), shape), c) for a, b, c in pairs])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, WordSum):
            return NotImplemented
        return self.shape == other.shape and (self - other).is_zero()

    def is_zero(self) -> bool:
        return all(is_zero(c) for c in self.terms.values())

    def __str__(self) -> str:
        return shown((c, str(word)) for word, c in self.terms.items())

    __repr__ = __str__


def collected(terms: Iterable[tuple[Key, Expression]]) -> dict[Key, Expression]:
    """Coefficients of equal keys added up; those that cancel are dropped."""
    total: dict[Key, Expression] = {}
    for key, c in terms:
        total[key] = total.get(key, 0) + sp.sympify(c)
    expanded = {key: sp.expand(c) for key, c in total.items()}
    return {key: c for key, c in expanded.items() if c != 0}


def is_zero(coefficient: Expression) -> bool:
    """Whether a coefficient vanishes identically (`expand` may have missed it)."""
    return bool(sp.simplify(coefficient) == 0)


def shown(terms: Iterable[tuple[Expression, str]]) -> str:
    """'(2) A B + C' and the like; '0' for no terms."""
    text = " + ".join(name if c == 1 else f"({c}) {name}" for c, name in terms)
    return text or "0"


def letter(name: str, rows: Expression, cols: Expression, kind: Kind = "general") -> WordSum:
    """A matrix of that name and shape. NotConformable if symmetric or diagonal and not square."""
    shape = Shape(sp.sympify(rows), sp.sympify(cols))
    if kind != "general" and not shape.square:
        raise NotConformable(f"{kind} letter {name}", shape, shape.T)
    return of_factor(Factor(Letter(name, shape, kind)))


def defined(name: str, definition: WordSum) -> WordSum:
    """A letter that abbreviates `definition`; symmetric or not, as that is."""
    kind: Kind = "general"
    if definition == definition.T:
        kind = "diagonal" if all(word.diagonal for word in definition.terms) else "symmetric"
    return of_factor(Factor(Letter(name, definition.shape, kind, definition)))


def the_letter(A: WordSum) -> Letter:
    """The letter that A consists of; ValueError if A is anything else."""
    for factor in (factor for word in A.terms for factor in word.factors):
        if isinstance(factor.atom, Letter) and of_factor(Factor(factor.atom)) == A:
            return factor.atom
    raise ValueError(f"{A} is not a single letter")


def single(A: WordSum) -> Word | None:
    """The only word of A, if there is just one."""
    return next(iter(A.terms)) if len(A.terms) == 1 else None


def identity(dimension: Expression) -> WordSum:
    """I, (dimension, dimension)."""
    shape = Shape(sp.sympify(dimension), sp.sympify(dimension))
    return WordSum(shape, [(Word((), shape), 1)])


def zero(rows: Expression, cols: Expression) -> WordSum:
    """0, (rows, cols)."""
    return WordSum(Shape(sp.sympify(rows), sp.sympify(cols)), [])


def of_factor(factor: Factor) -> WordSum:
    return of_factors((factor,), factor.shape)


def of_factors(factors: Sequence[Factor], shape: Shape) -> WordSum:
    """The product of the factors, in normal form."""
    return WordSum(shape, [(Word(simplified(factors), shape), 1)])


def inverse(A: WordSum) -> WordSum:
    """A^-1 of a multiple of a product of square letters. NotInvertible for a sum; name it first."""
    word = single(A)
    if word is None or not all(factor.shape.square for factor in word.factors):
        raise NotInvertible(f"{A} is not a product of square letters")
    result: WordSum = of_factors([f.inverse for f in reversed(word.factors)], A.shape) / A.terms[word]
    return result


def diag(A: WordSum) -> WordSum:
    """The diagonal part of A, a diagonal matrix. NotConformable if A is not square."""
    if not A.shape.square:
        raise NotConformable(f"diagonal part of {A}", A.shape, A.shape.T)
    return WordSum(A.shape, [(_diagonal_part(word), c) for word, c in A.terms.items()])


def _diagonal_part(word: Word) -> Word:
    """diag(D A E) = D E diag(A): diagonal factors at either end come out."""
    if word.diagonal:
        return word
    others = [i for i, factor in enumerate(word.factors) if not factor.diagonal]
    start, end = others[0], others[-1] + 1
    inner = Word(word.factors[start:end], word.shape)
    atom = DiagonalPart(min(inner, inner.T, key=lambda item: item.key))
    return Word(simplified([*word.factors[:start], Factor(atom), *word.factors[end:]]), word.shape)
