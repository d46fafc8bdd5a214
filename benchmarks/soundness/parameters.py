"""Statements for all parameters of a box: of polynomials whose least value there is known, by trees of all kinds.

Notation   f(x) = c + sum_i a_i x_i + b_i x_i^2, or x_0^2 times one without x_0; a box of fractions in [-1, 1].
Main       questions.

The checker's own functions have the sign that is stated wherever they are defined, so that nothing false can be said of
them but the other sign. Those here are put in their place, and are false of many boxes.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from benchmarks.soundness.asked import Question, Truth
from verify.certify.checker import boxes, functions
from verify.certify.checker.outcome import Outcome
from verify.certify.propose import boxes as propose

Box = list[tuple[Fraction, Fraction]]
_LEAVES = 40
_DEEPEST = 5  # halvings in a row


def questions(rng: np.random.Generator) -> Iterator[Question]:
    """A polynomial on a box, one of the checker's own functions on another, of either sign, by several trees."""
    d, order = int(rng.integers(1, 4)), int(rng.choice([0, 0, 2]))
    linear, square = ([_short(rng) for _ in range(d)] for _ in range(2))
    if order:
        linear[0] = square[0] = Fraction(0)
    box = [_ends(rng, -1) for _ in range(d)]
    constant = _constant(linear, square, box, rng)
    function = boxes.Function(_polynomial(constant, linear, square, order), d, -1, order, 0)
    low, high = extremes(constant, linear, square, box)
    for tree in trees(rng, d):
        for sign, truth in ((">", low > 0), ("<", high < 0)):
            told = {
                "constant": str(constant),
                "linear": [*map(str, linear)],
                "square": [*map(str, square)],
                "order": order,
            }
            yield _question("polynomial", function, sign, box, tree, truth, told)
    name = str(rng.choice(list(functions.FUNCTIONS)))
    own = functions.FUNCTIONS[name]
    part = [_ends(rng, own.lowest) for _ in range(own.d)]
    for tree in (*trees(rng, own.d), propose.tree(own, ">", part, leaves=_LEAVES)):
        # By theory 3.3, 3.7 and 4.2 they are positive, where they are defined all over the part.
        yield _question(name, own, ">", part, tree, None if _at_an_end(name, part) else True, {})
        yield _question(name, own, "<", part, tree, False, {})


def _question(
    family: str, function: Any, sign: str, box: Box, tree: str, truth: Truth, told: dict[str, Any]
) -> Question:
    def ask() -> Outcome:
        return boxes.decide(function, sign, box, tree)

    written = [[str(lo), str(hi)] for lo, hi in box]
    return Question(family, f"box, {sign} 0", truth, ask, lambda: {**told, "sign": sign, "box": written, "tree": tree})


def _short(rng: np.random.Generator) -> Fraction:
    return Fraction(int(rng.integers(-8, 9)), int(rng.choice([1, 2, 3, 7])))


def _ends(rng: np.random.Generator, lowest: int) -> tuple[Fraction, Fraction]:
    """Two different fractions from lowest to 1, those ends and 0 among them."""
    while True:
        several = [
            Fraction(lowest),
            Fraction(0),
            Fraction(1),
            *(Fraction(int(rng.integers(0, 1000)), 999) for _ in range(3)),
        ]
        lo, hi = sorted(several[int(i)] for i in rng.integers(0, len(several), 2))
        if lo < hi:
            return lo, hi


def _at_an_end(name: str, part: Box) -> bool:
    """Whether a mean may be 0 or 1, or a noise as large as t_2."""
    return not name.startswith("gap") and any(lo == 0 or hi == 1 for lo, hi in part[1:])


def _constant(linear: Sequence[Fraction], square: Sequence[Fraction], box: Box, rng: np.random.Generator) -> Fraction:
    """So that the least value is 0, a little more or less, or anything."""
    least, _ = extremes(Fraction(0), linear, square, box)
    away = [Fraction(0), Fraction(1, 2**8), -Fraction(1, 2**8), Fraction(1, 2**40), -Fraction(1, 2**40), _short(rng)]
    return -least + away[int(rng.integers(len(away)))]


def extremes(
    constant: Fraction, linear: Sequence[Fraction], square: Sequence[Fraction], box: Box
) -> tuple[Fraction, Fraction]:
    """The least and the largest value of the factor: coordinate by coordinate at an end, or where the slope is 0."""
    least = most = constant
    for a, b, (lo, hi) in zip(linear, square, box, strict=True):
        turn = [-a / (2 * b)] if b and lo < -a / (2 * b) < hi else []
        values = [a * x + b * x * x for x in (lo, hi, *turn)]
        least, most = least + min(values), most + max(values)
    return least, most


def _polynomial(constant: Fraction, linear: Sequence[Fraction], square: Sequence[Fraction], order: int) -> Any:
    from verify.certify.checker.balls import ball

    def value(x: Sequence[Any], theta: Any) -> Any:
        one = x[0] * 0
        for i in range(one.nrows()):
            one[i, i] = 1
        total = one * ball(constant)
        for a, b, y in zip(linear, square, x, strict=True):
            total += y * ball(a) + y * y * ball(b)
        return x[0] * x[0] * total if order else total

    return value


def trees(rng: np.random.Generator, d: int) -> Iterator[str]:
    """One that covers, fine or coarse, and what becomes of it where a part is lost, doubled or exchanged."""
    whole = "".join(_grown(rng, d, int(rng.integers(0, _DEEPEST + 1))))
    yield whole
    for _ in range(2):
        i, j = sorted(int(x) for x in rng.integers(0, len(whole) + 1, 2))
        ways = [whole[:i] + whole[j:], whole[:i] + "." + whole[j:], whole + whole[i:j], whole[:i] + ":" + whole[i:]]
        yield ways[int(rng.integers(len(ways)))]


def _grown(rng: np.random.Generator, d: int, depth: int) -> Iterator[str]:
    if depth == 0 or rng.random() < 0.1:
        yield str(rng.choice([".", ":"]))
        return
    yield str(rng.integers(d))
    for _ in range(2):
        yield from _grown(rng, d, depth - 1)
