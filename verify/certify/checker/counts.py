"""How many eigenvalues exceed a level, where the first ones lie, and what the optimum at a noise retains.

Notation   S = unit (A + E), |E|_2 <= radius: an enclosure; lam_1 >= ... >= lam_n the eigenvalues of S; V (n, m) any
           matrix, meant to be the first m eigenvectors of A; theta_j, about v_j^T A v_j.
Main       leading, first; trace, optimum; check_count, check_eigenvalues, check_optimum.
Reference  docs/mathematics.md, 13.1.

(i)  R = A V - V T, T = diag(theta), G = V^T V - I, g = |G| < 1: m eigenvalues of A lie within (2 |R| + |G T|/(1 - g))
     /(1 - g) of the theta, both in descending order; and one within |R_j|/|v_j| of each theta_j.
(ii) l - A + W W^T > 0, W (n, m): at most m eigenvalues of A are >= l.
So they are the first m where the least of them exceeds l; and one near theta_j is the j-th where no other can be.
How many exceed a level may also be counted in whole numbers (exact_counts.py), where the evidence asks for it.
"""

import math
from decimal import MAX_EMAX, MIN_EMIN, Context
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np

from verify.arrays import Array
from verify.certify.checker.exact_counts import NOT_COUNTED, exact_count
from verify.certify.checker.numbers import exact, interval, matrix
from verify.certify.checker.outcome import Outcome, Status, proved, refuted, undecided
from verify.certify.checker.rounding import SAFE, TINY, U, norm, positive_definite, product
from verify.certify.checker.subject import Subject
from verify.errors import InputError

Statement = dict[str, Any]
End = tuple[Fraction, Fraction]  # between them a number lies
Ends = list[End]
PI = Fraction("3.14159265358979323846264338327950288419716939937510")
LOG_ERROR = Fraction(1, 10**30)
HUGE = Fraction(2**400)  # its square is a double


@np.errstate(all="ignore")
def leading(A: Array, V: Array, below: float) -> tuple[Array, Array] | None:
    """theta (m,), descending, and radii (m,): the m largest eigenvalues of A lie so near, each near its own.

    The others are < below, by (ii), where there are any. None: this could not be shown.
    """
    n, m = V.shape
    AV, e = product(A, V)
    theta = np.sort(np.einsum("ij,ij->j", V, AV))[::-1]
    VT = V * theta
    R = AV - VT
    G, f = product(V.T, V)
    G.flat[:: m + 1] -= 1
    big, size, g = float(np.abs(theta).max(initial=0)), norm(VT), SAFE * (norm(G) + f)
    twist = SAFE * (norm(G * theta) + n * U * norm(V) * size) / (1 - g)
    together = SAFE * (2 * (norm(R) + e + 2 * U * size) + twist) / (1 - g) + 8 * U * big
    rounding = n * U * float(np.abs(A).sum(axis=0).max()) + 2 * U * big + n * TINY
    alone = SAFE * (np.sqrt(np.einsum("ij,ij->j", R, R)) + (1 + g) * rounding) / (1 - g) + 8 * U * big
    under, over = np.append(theta + together, below)[1:], np.append(math.inf, theta - together)
    if not (g < 0.5 and together < math.inf and (m == n or (over[-1] > below and _at_most(A, below, V, theta)))):
        return None
    own = (theta + alone < over[:-1]) & (theta - alone > under)
    return theta, np.where(own, np.minimum(alone, together), together)


def _at_most(A: Array, level: float, V: Array, theta: Array) -> bool:
    """Whether (ii) is proved, W the columns of V so long that more than A has along them is added."""
    M = -A
    M.flat[:: len(M) + 1] += level
    size = float(np.abs(M.diagonal()).max())
    W = V * np.sqrt(np.maximum(theta - level, 0) + abs(level))
    WW, error = product(W, W.T)
    M += WW
    return positive_definite(M, SAFE * (error + U * (size + norm(M)))).status is Status.PROVED


def first(statement: Statement, subject: Subject, sign: int = 1) -> tuple[Ends, list[Fraction]]:
    """Ends of the first eigenvalues of sign S, as many as the evidence encloses; and what no other exceeds, if known.

    Evidence: "vectors", V, for m > 0; "level", what the others do not exceed, for m < n. None beside a count in whole
    numbers that encloses nothing.
    """
    if subject.spectrum is not None:
        return [(sign * x, sign * x) for x in subject.spectrum[::sign]], []
    evidence, known, n = statement["evidence"], subject.enclosure, subject.n
    if "vectors" not in evidence and _in_whole_numbers(statement, subject):
        return [], []
    V = matrix(evidence["vectors"]) if "vectors" in evidence else np.zeros((n, 0))
    m = V.shape[1]
    if known is None or len(V) != n or m > n:
        raise InputError(f"vectors of shape {V.shape} are no evidence on {n} eigenvalues")
    below = float(min(max(exact(evidence["level"]) / known.unit, -HUGE), HUGE)) if m < n else -math.inf
    if not 0 <= known.radius < math.inf or (found := leading(sign * known.mid, V, below)) is None:
        return [], []
    theta, radii = ([Fraction(x) for x in values.tolist()] for values in found)
    r = Fraction(known.radius)
    ends = [((t - x - r) * known.unit, (t + x + r) * known.unit) for t, x in zip(theta, radii, strict=True)]
    return ends, [(Fraction(below) + r) * known.unit] if m < n else []


def check_count(statement: Statement, subject: Subject) -> Outcome:
    """Exactly `above` eigenvalues of S exceed `level`, `equal` (0) equal it; "at_least": at least so many exceed it.

    Evidence: that of the first eigenvalues of S, or, with "side": "below", of -S; or "exact": true, of whole numbers.
    """
    above, equal, at_least = statement["above"], statement.get("equal", 0), statement.get("at_least", False)
    side = statement.get("evidence", {}).get("side", "above")
    if side not in ("above", "below") or not isinstance(at_least, bool) or (at_least and "equal" in statement):
        raise InputError('the side is "above" or "below"; at_least is true, and "equal" missing, or false')
    _whole(above, equal)
    level = exact(statement["level"])
    if _in_whole_numbers(statement, subject):
        if (counted := exact_count(subject, level)) is None:
            return undecided(NOT_COUNTED)
        (sure, same), unknown = counted, 0
    else:
        sure, same, unknown = _told(statement, subject, level, 1 if side == "above" else -1)
    right = sure >= above if at_least else unknown == 0 and (sure, same) == (above, equal)
    wrong = above > sure + unknown or not (at_least or (sure <= above and same <= equal <= same + unknown))
    words = f"{sure} eigenvalues exceed the level, {same} equal it, and {unknown} are not decided"
    words = words if unknown < subject.n else "no eigenvalue is told from the level"
    return _judged(right, wrong, words)


def _told(statement: Statement, subject: Subject, level: Fraction, sign: int) -> tuple[int, int, int]:
    """By enclosures of the first of sign S: so many of S exceed the level, so many equal it, of so many it is open."""
    found, others = first(statement, subject, sign)
    level = sign * level
    beyond, same = sum(low > level for low, _ in found), sum(low == high == level for low, high in found)
    short = sum(high < level for _, high in found) + (subject.n - len(found)) * sum(high <= level for high in others)
    return beyond if sign > 0 else short, same, subject.n - beyond - short - same


def _in_whole_numbers(statement: Statement, subject: Subject) -> bool:
    """Whether the evidence is that eigenvalues are to be counted in whole numbers; a spectrum is compared anyway."""
    asked = statement.get("evidence", {}).get("exact", False)
    if not isinstance(asked, bool):
        raise InputError("exact is true or false")
    return asked and subject.spectrum is None


def check_eigenvalues(statement: Statement, subject: Subject) -> Outcome:
    """The first eigenvalues of S lie in `intervals`, [[least, most], ...]."""
    stated = [interval(x) for x in statement["intervals"]]
    if not 0 < len(stated) <= subject.n:
        raise InputError("there are intervals for at least one and at most n eigenvalues")
    return _within(first(statement, subject)[0], stated)


def check_optimum(statement: Statement, subject: Subject) -> Outcome:
    """The optimum of the beta-ELBO at sigma2 with k latents retains `retained`; its value per datum lies in `value`.

    Evidence: that of the first eigenvalues; with "exact": true whole numbers decide which of them exceed beta sigma2.
    """
    k, retained, value = statement["k"], statement["retained"], interval(statement["value"])
    sigma2, beta = exact(statement["sigma2"]), exact(statement.get("beta", "1"))
    _whole(k, retained)
    if not (sigma2 > 0 and beta > 0 and 0 < k <= subject.n):
        raise InputError("sigma2 and beta are positive, k is at least 1 and at most n")
    found, others = first(statement, subject)
    least = sum(low > beta * sigma2 for low, _ in found[:k])
    highs = [high for _, high in found] + others
    most = min([k, *(j for j, high in enumerate(highs) if high <= beta * sigma2)])
    if _in_whole_numbers(statement, subject):
        if (counted := exact_count(subject, beta * sigma2)) is None:
            return undecided(NOT_COUNTED)
        least = most = min(k, counted[0])
    if least < most or retained != most:
        return _judged(False, not least <= retained <= most, f"it retains at least {least} and at most {most}")
    if len(found) < most:
        return undecided(f"{most} latents are retained, and {len(found)} eigenvalues are enclosed")
    return _within([optimum(subject.n, trace(subject), found[:most], sigma2, beta)], [value])


def trace(subject: Subject) -> End:
    """Between what tr S lies: |tr E| <= n |E|_2."""
    total, wide, known = sum(subject.spectrum or (), Fraction(0)), Fraction(0), subject.enclosure
    if known is not None:
        total = sum(map(Fraction, known.mid.diagonal().tolist()), Fraction(0)) * known.unit
        wide = subject.n * Fraction(known.radius) * known.unit
    return total - wide, total + wide


def optimum(n: int, trace: End, found: Ends, sigma2: Fraction, beta: Fraction) -> End:
    """Ends of the greatest beta-ELBO: -(n log(2 pi sigma2) + beta (tr S/s - sum of the retained h(lam_j/s)))/2.

    s = beta sigma2; found: of the first lam_j, all that are retained, or more of them up to k. h(x) = x - 1 - log x is
    0 at 1 and rises beyond: one that is not retained adds nothing, and so one that may be <= s adds 0 at least.
    """
    s = beta * sigma2

    def gain(x: list[Fraction]) -> Fraction:
        return sum(x, Fraction(0)) / s - len(x) - sum(map(_ln, x), Fraction(0)) + len(x) * _ln(s)

    least, most = (gain([max(ends[i], s) for ends in found]) for i in (0, 1))
    constant, error = n * _ln(2 * PI * sigma2), LOG_ERROR * (n + 2 * beta * len(found))
    return (beta * (least - trace[1] / s) - constant - error) / 2, (beta * (most - trace[0] / s) - constant + error) / 2


@lru_cache(maxsize=1 << 14)
def _ln(x: Fraction) -> Fraction:
    """log x within LOG_ERROR, x > 0: decimal rounds quotients and logarithms correctly."""
    digits = Context(prec=60, Emax=MAX_EMAX, Emin=MIN_EMIN)
    return Fraction(digits.ln(digits.divide(x.numerator, x.denominator)))


def _within(found: Ends, stated: Ends) -> Outcome:
    """Whether what lies between the ends that are found lies, one for one, between those that are stated."""
    pairs = list(zip(found, stated, strict=False))
    apart = any(high < least or most < low for (low, high), (least, most) in pairs)
    within = len(pairs) == len(stated) and all(least <= low and high <= most for (low, high), (least, most) in pairs)
    where = "lies within" if within else "lies outside of" if apart else "reaches beyond, or is less than,"
    return _judged(within, apart, f"what is known of the numbers {where} what is stated of them")


def _judged(right: bool, wrong: bool, words: str) -> Outcome:
    return proved(words) if right else refuted(words) if wrong else undecided(words)


def _whole(*given: Any) -> None:
    if any(type(x) is not int or x < 0 for x in given):
        raise InputError("what is counted is a whole number, from 0 on")
