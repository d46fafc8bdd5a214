"""What statements on boxes speak of: four functions, in series of balls, written as they are defined.

Notation   x the parameters, theta the function's own variable: series in theta and e, theta^3 = e^3 = 0, as matrices
           (boxes.py).
Main       FUNCTIONS; check.
Reference  docs/mathematics.md, 13.3: why each vanishes where it does, and what symmetry it leaves out.

Whoever relies on a statement on a box relies on this file as well: it is what the statement says.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from verify.certify.checker.balls import ball, flint
from verify.certify.checker.boxes import Function, decide, shift
from verify.certify.checker.numbers import interval
from verify.certify.checker.outcome import Outcome
from verify.certify.checker.subject import Subject
from verify.errors import InputError

HALF = Fraction(1, 2)


def check(statement: Any, subject: Subject | None = None) -> Outcome:
    """{"function": one of FUNCTIONS, "sign": ">" or "<", "box": [[lo, hi], ...], "evidence": {"tree"}}; of no data.

    Raises InputError for anything else.
    """
    try:
        function, box = FUNCTIONS[statement["function"]], [interval(x) for x in statement["box"]]
        sign, tree = statement["sign"], statement["evidence"]["tree"]
    except (KeyError, TypeError):
        raise InputError(f"a box has a sign, ends, a tree, and a function, one of {', '.join(FUNCTIONS)}") from None
    return decide(function, sign, box, tree)


def _taylor(A: Any, coefficients: Sequence[Any]) -> Any:
    """The sum of c_m (A - a)^m, a the constant term of A: four powers, as the fifth is 0."""
    rest, total = flint().arb_mat(A), 0 * A
    for i in range(9):
        rest[i, i] = 0
    for c in reversed(coefficients):
        total = total * rest + shift(0) * c
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
    return 1 - _det([[shift(0), x[0]], [x[0], shift(0)]])


def _three(x: Sequence[Any], theta: Any) -> Any:
    """1 - det R, R (3, 3) with the correlations s, s a, s b."""
    one, (s, a, b) = shift(0), x
    return 1 - _det([[one, s, s * a], [s, one, s * b], [s * a, s * b, one]])


def _rotation(x: Sequence[Any], theta: Any) -> Any:
    """P(W R(theta)) + log 2 pi; S = diag(r^2), r = 1 +- x_0; sigma2 = x_1 t_2; W = diag(w) [[1, 1], [1, -1]]."""
    cos, sin, two = 1 - theta * theta * ball(HALF), theta, (0, 1)  # theta^3 = 0
    U = [[cos + sin, cos - sin], [cos - sin, -cos - sin]]
    r = (1 + x[0], 1 - x[0])
    root_m = (r[0] + r[1]) * ball(HALF)
    t = [root * root_m for root in r]
    noise = [[x[1] * t[1], 0 * theta], [0 * theta, x[1] * t[1]]]
    w = [_power((y - noise[0][0]) * ball(HALF), 1, 2) for y in t]
    C = [[w[i] * w[j] * sum(U[i][a] * U[j][a] for a in two) + noise[i][j] for j in two] for i in two]
    M = [[sum(w[a] * w[a] * (U[a][i] * U[a][j]) for a in two) + noise[i][j] for j in two] for i in two]
    trace = (r[0] * r[0] * C[1][1] + r[1] * r[1] * C[0][0]) * _power(_det(C), -1, 1)  # of C^-1 S
    return (_log(_det(M)) - _log(M[0][0]) - _log(M[1][1]) - _log(_det(C)) - trace) * ball(HALF)


def _pixels(x: Sequence[Any], theta: Any) -> Any:
    """L(W) - L(0), W = theta (1, 1)^T, of two binary pixels with the correlation x_0 and the means x_1, x_2."""
    r, a, b = x
    c, total = r * _power(a * (1 - a) * b * (1 - b), 1, 2), 0 * theta
    for i, j in ((1, 1), (1, -1), (-1, 1), (-1, -1)):  # 1 where the pixel is on
        p, q = a if i > 0 else 1 - a, b if j > 0 else 1 - b
        # E_z by z = 1 and z = -1, which have the moments of N(0, 1) up to the third; theta^3 = 0.
        ratio = sum(_odds(p, i * z) * _odds(q, j * z) for z in (theta, -theta)) * ball(HALF)
        total += (p * q + i * j * c) * _log(ratio)
    return total


def _odds(p: Any, h: Any) -> Any:
    """The probability that logit^-1 gives at h above logit(p), divided by p: 1/(1 + (1 - p) (e^-h - 1)), h^3 = 0."""
    return _power(1 + (1 - p) * (h * h * ball(HALF) - h), -1, 1)


FUNCTIONS = {
    "gap of two": Function(_two, 1, -1, 2, 0),
    "gap of three": Function(_three, 3, -1, 2, 0),
    "rotation": Function(_rotation, 2, 0, 2, 2),
    "two pixels": Function(_pixels, 3, 0, 1, 2),
}
