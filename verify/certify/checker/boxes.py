"""Statements that hold for all parameters of a box, decided leaf by leaf of a tree that halves the box.

Notation   x (d,) in a box of rational ends lo < hi. The statement is f(x) > 0, or f(x) < 0, at all x of the box; for
           an f that vanishes to the order o at x_0 = 0 (f and its first o - 1 derivatives in x_0 are 0 there, whatever
           the other coordinates): at all x of the box with x_0 != 0.
           tree: in preorder; a digit halves that coordinate, lower half first; "." is a leaf decided by one enclosure
           of f on it (of f/x_0^o, if f vanishes to the order o > 0), ":" one decided by the mean value form.
           A series in theta and e, both cubed 0, is the matrix (9, 9) by which it multiplies in the basis
           theta^i e^j, 3 i + j its row: so +, -, * are those of ball matrices. theta is f's own variable, e runs
           along one coordinate.
Main       Function, decide, enclosure, shift.
Reference  docs/mathematics.md, 13.3, Lemmas 1 and 2. The functions: verify/certify/checker/functions.py.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

from verify.certify.checker.balls import ball, flint, precision
from verify.certify.checker.outcome import Outcome, proved, refuted, undecided
from verify.errors import InputError

BITS = 80
Part = Sequence[tuple[Fraction, Fraction]]


class Function(NamedTuple):
    """f(x) is the coefficient of theta^power in value(x, theta), x in [lowest, 1]^d; it vanishes to the order there."""

    value: Callable[[Sequence[Any], Any], Any]
    d: int
    lowest: int
    order: int
    power: int


def decide(function: Function, sign: str, box: Part, tree: str) -> Outcome:
    """Whether f has that sign all over the box.  Raises InputError: no box of f, no sign, no tree that covers it."""
    lowest = [function.lowest if i or function.order % 2 == 0 else 0 for i in range(function.d)]  # x_0^o > 0
    if len(box) != function.d or not all(low <= lo < hi <= 1 for low, (lo, hi) in zip(lowest, box, strict=True)):
        ends = ", ".join(f"x_{i} from {low} to 1" for i, low in enumerate(lowest))
        raise InputError(f"the box of this function has {function.d} ends, [lo, hi] with lo < hi, within {ends}")
    if sign not in (">", "<") or not isinstance(tree, str):
        raise InputError("a sign is > or <, a tree a text")
    parts, leaves, doubt = [list(box)], 0, ""
    for step in tree:
        if not parts or step not in ".:0123456789"[: function.d + 2]:
            raise InputError("the tree goes on behind its end, or halves a coordinate that there is not")
        part = parts.pop()
        if step in ".:":
            found, leaves = enclosure(function, part, step) * (1 if sign == ">" else -1), leaves + 1
            if found.is_finite() and found < 0:
                return refuted(f"on leaf {leaves} the sign is the other one")
            doubt = doubt or ("" if found.is_finite() and found > 0 else f"leaf {leaves} is too coarse: it allows 0")
            continue
        i, (lo, hi) = int(step), part[int(step)]
        parts += [[*part[:i], half, *part[i + 1 :]] for half in (((lo + hi) / 2, hi), (lo, (lo + hi) / 2))]
    if parts:
        raise InputError("the tree ends before it has covered the box")
    return undecided(doubt) if doubt else proved(f"on each of {leaves} leaves that cover the box")


def enclosure(function: Function, part: Part, leaf: str) -> Any:
    """A ball that holds f, or f/x_0^order, at every x of the part (Lemmas 1 and 2).  NaN where none is found."""
    with precision(BITS):
        X = [ball(lo).union(ball(hi)) for lo, hi in part]
        if leaf == ".":
            # f(x) = x_0^o times the coefficient of e^o at some point between x and the one with x_0 = 0.
            reach = [X[0].union(ball(0)), *X[1:]] if function.order else X
            return _coefficient(function, reach, 0, function.order)
        middle = [ball((lo + hi) / 2) for lo, hi in part]
        slopes = [_coefficient(function, X, i, 1) * (x - m) for i, (x, m) in enumerate(zip(X, middle, strict=True))]
        return sum(slopes, _coefficient(function, middle, 0, 0))


def _coefficient(function: Function, X: Sequence[Any], i: int, order: int) -> Any:
    """That of theta^power e^order where e is added to the coordinate i: the derivative, divided by order!."""
    x = [shift(0) * ball_ + (shift(1) if j == i else 0) for j, ball_ in enumerate(X)]
    return function.value(x, shift(3))[0, 3 * function.power + order]


@cache
def shift(by: int) -> Any:
    """1, e or theta, by = 0, 1, 3.  -> (9, 9)."""
    return flint().arb_mat([[int(j == i + by and (by != 1 or j % 3 > 0)) for j in range(9)] for i in range(9)])
