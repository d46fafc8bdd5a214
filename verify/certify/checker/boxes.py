"""Statements that hold for all parameters of a box, decided leaf by leaf of a tree that halves the box.

Notation   x (d,) in a box of rational ends lo < hi. The statement is f(x) > 0, or f(x) < 0, at all x of the box; for
           an f that vanishes to the order o at x_0 = 0 (f and its first o - 1 derivatives in x_0 are 0 there, whatever
           the other coordinates): at all x of the box with x_0 != 0.
           tree: in preorder; a digit halves that coordinate, lower half first; "." is a leaf decided by one enclosure
           of f on it (of f/x_0^o, if f vanishes to the order o > 0), ":" one decided by the mean value form.
           A series in theta and e, both cubed 0, is the matrix (9, 9) by which it multiplies in the basis
           theta^i e^j, 3 i + j its row: so +, -, * are those of ball matrices. theta is f's own variable, e runs
           along one coordinate.
Main       check, decide, enclosure; FUNCTIONS.
Reference  docs/mathematics.md, section 13 (boxes): what each function is, why it vanishes where it does, the lemmas.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

from verify.certify.checker.balls import ball, flint, precision
from verify.certify.checker.numbers import exact
from verify.certify.checker.outcome import Outcome, proved, refuted, undecided
from verify.certify.checker.subject import Subject
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


def check(statement: dict[str, Any], subject: Subject) -> Outcome:
    """{"function": one of FUNCTIONS, "sign": ">" or "<", "box": [[lo, hi], ...], "evidence": {"tree"}}."""
    try:
        function, box = FUNCTIONS[statement["function"]], [(exact(lo), exact(hi)) for lo, hi in statement["box"]]
        sign, tree = statement["sign"], statement["evidence"]["tree"]
    except (KeyError, TypeError):
        raise InputError(f"a box has a sign, ends, a tree, and a function, one of {', '.join(FUNCTIONS)}") from None
    except ValueError as fault:
        raise InputError(f"no ends of a box: {fault}") from None
    return decide(function, sign, box, tree)


def decide(function: Function, sign: str, box: Part, tree: str) -> Outcome:
    """Whether f has that sign all over the box.  Raises InputError: no box of f, no sign, no tree that covers it."""
    if len(box) != function.d or not all(function.lowest <= lo < hi <= 1 for lo, hi in box):
        raise InputError(f"the box of this function has {function.d} ends lo < hi between {function.lowest} and 1")
    if sign not in (">", "<") or not isinstance(tree, str):
        raise InputError("a sign is > or <, a tree a text")
    parts, leaves, doubt = [list(box)], 0, ""
    for step in tree:
        if not parts or step not in ".:0123456789"[: function.d + 2]:
            raise InputError("the tree goes on behind its end, or halves a coordinate that there is not")
        part = parts.pop()
        if step in ".:":
            found, leaves = enclosure(function, part, step) * (1 if sign == ">" else -1), leaves + 1
            if found < 0:
                return refuted(f"on leaf {leaves} the sign is the other one")
            doubt = doubt if doubt or found > 0 else f"leaf {leaves} is too coarse: its enclosure holds 0"
            continue
        i, (lo, hi) = int(step), part[int(step)]
        for half in (((lo + hi) / 2, hi), (lo, (lo + hi) / 2)):
            parts.append([*part[:i], half, *part[i + 1 :]])
    if parts:
        raise InputError("the tree ends before it has covered the box")
    return undecided(doubt) if doubt else proved(f"on each of {leaves} leaves that cover the box")


def enclosure(function: Function, part: Part, leaf: str) -> Any:
    """A ball that holds f, or f/x_0^order, at every x of the part (Lemmas 1 and 2).  NaN where none is found."""
    with precision(BITS):
        X = [ball(lo).union(ball(hi)) for lo, hi in part]
        if leaf == "." and function.order:
            # f(x) = x_0^o times the coefficient of e^o at some point between x and the one with x_0 = 0.
            return _coefficient(function, [X[0].union(ball(0)), *X[1:]], 0, function.order)
        if leaf == ".":
            return _coefficient(function, X, 0, 0)
        middle = [ball((lo + hi) / 2) for lo, hi in part]
        slopes = [_coefficient(function, X, i, 1) * (x - m) for i, (x, m) in enumerate(zip(X, middle, strict=True))]
        return sum(slopes, _coefficient(function, middle, 0, 0))


def _coefficient(function: Function, X: Sequence[Any], i: int, order: int) -> Any:
    """That of theta^power e^order where e is added to the coordinate i: the derivative, divided by order!."""
    x = [_shift(0) * ball_ + (_shift(1) if j == i else 0) for j, ball_ in enumerate(X)]
    return function.value(x, _shift(3))[0, 3 * function.power + order]


@cache
def _shift(by: int) -> Any:
    """1, e or theta, by = 0, 1, 3.  -> (9, 9)."""
    return flint().arb_mat([[int(j == i + by and (by != 1 or j % 3 > 0)) for j in range(9)] for i in range(9)])


def _taylor(A: Any, coefficients: Sequence[Any]) -> Any:
    """The sum of c_m (A - a)^m, a the constant term of A: four powers, as the fifth is 0."""
    rest, total = flint().arb_mat(A), 0 * A
    for i in range(9):
        rest[i, i] = 0
    for c in reversed(coefficients):
        total = total * rest + _shift(0) * c
    return total


def _power(A: Any, p: int, q: int) -> Any:
    """A^(p/q), by the binomial series."""
    a, p = A[0, 0], ball(Fraction(p, q))
    terms = [a**p]
    for m in range(4):
        terms.append(terms[-1] * (p - m) / (a * (m + 1)))
    return _taylor(A, terms)


def _log(A: Any) -> Any:
    a = A[0, 0]
    return _taylor(A, [a.log(), *((-1) ** (m + 1) / (a**m * m) for m in range(1, 5))])


def _det(A: Sequence[Sequence[Any]]) -> Any:
    """By the first row."""
    minors = [[[*row[:j], *row[j + 1 :]] for row in A[1:]] for j in range(len(A))]
    return A[0][0] if len(A) == 1 else sum((-1) ** j * A[0][j] * _det(minor) for j, minor in enumerate(minors))


def _two(x: Sequence[Any], theta: Any) -> Any:
    """1 - det R, R the correlations of two columns."""
    return 1 - _det([[_shift(0), x[0]], [x[0], _shift(0)]])


def _three(x: Sequence[Any], theta: Any) -> Any:
    """1 - det R, R (3, 3) with the correlations s, s a, s b."""
    one, (s, a, b) = _shift(0), x
    return 1 - _det([[one, s, s * a], [s, one, s * b], [s * a, s * b, one]])


def _rotation(x: Sequence[Any], theta: Any) -> Any:
    """P(W R(theta)) + log 2 pi, S = diag(r_1^2, r_2^2), r = 1 +- x_0, sigma2 = x_1 t_2, W = diag(w) [[1, 1], [1, -1]]."""
    cos, sin, two = 1 - theta * theta * ball(Fraction(1, 2)), theta, (0, 1)  # theta^3 = 0
    U = [[cos + sin, cos - sin], [cos - sin, -cos - sin]]
    r = (1 + x[0], 1 - x[0])
    root_m = (r[0] + r[1]) * ball(Fraction(1, 2))
    t = [root * root_m for root in r]
    noise = [[x[1] * t[1], 0 * theta], [0 * theta, x[1] * t[1]]]
    w = [_power((y - noise[0][0]) * ball(Fraction(1, 2)), 1, 2) for y in t]
    C = [[w[i] * w[j] * sum(U[i][a] * U[j][a] for a in two) + noise[i][j] for j in two] for i in two]
    M = [[sum(w[a] * w[a] * (U[a][i] * U[a][j]) for a in two) + noise[i][j] for j in two] for i in two]
    trace = (r[0] * r[0] * C[1][1] + r[1] * r[1] * C[0][0]) * _power(_det(C), -1, 1)  # of C^-1 S
    return (_log(_det(M)) - _log(M[0][0]) - _log(M[1][1]) - _log(_det(C)) - trace) * ball(Fraction(1, 2))


def _pixels(x: Sequence[Any], theta: Any) -> Any:
    """L(W) - L(0), W = theta (1, 1)^T, of two binary pixels with the correlation x_0 and the means x_1, x_2."""
    r, a, b = x
    c, total = r * _power(a * (1 - a) * b * (1 - b), 1, 2), 0 * theta
    for i, j in ((1, 1), (1, -1), (-1, 1), (-1, -1)):  # 1 where the pixel is on
        p, q = a if i > 0 else 1 - a, b if j > 0 else 1 - b
        # E_z by z = 1 and z = -1, which have the moments of N(0, 1) up to the third; theta^3 = 0.
        ratio = sum(_odds(p, i * z) * _odds(q, j * z) for z in (theta, -theta)) * ball(Fraction(1, 2))
        total += (p * q + i * j * c) * _log(ratio)
    return total


def _odds(p: Any, h: Any) -> Any:
    """The probability that logit^-1 gives at h above logit(p), divided by p: 1/(1 + (1 - p) (e^-h - 1)), h^3 = 0."""
    return _power(1 + (1 - p) * (h * h * ball(Fraction(1, 2)) - h), -1, 1)


FUNCTIONS = {
    "gap of two": Function(_two, 1, -1, 2, 0),
    "gap of three": Function(_three, 3, -1, 2, 0),
    "rotation": Function(_rotation, 2, 0, 2, 2),
    "two pixels": Function(_pixels, 3, 0, 1, 2),
}
