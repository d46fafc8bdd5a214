"""How many eigenvalues exceed a level, where the first ones lie, and what the optimum at a noise retains.

Notation   S = unit (A + E), |E|_2 <= radius: an enclosure; lam_1 >= ... >= lam_n the eigenvalues of S; U (n, m) any
           matrix, meant to be some eigenvectors; theta_j, about u_j^T A u_j.
Main       count, leading; check_count, check_eigenvalues, check_optimum.
Reference  docs/mathematics.md, section 13.

(i) U^T (A - l) U > 0: at least m eigenvalues of A exceed l. (ii) l - A + W W^T > 0, W (n, m): at most m are >= l.
(iii) R = A U - U diag(theta), g = |U^T U - I|: m eigenvalues of A lie within 2 (|R| + g max|theta|)/(1 - g) of the
theta, both in descending order; and one within |R_j|/|u_j| of each theta_j.
"""

import math
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, localcontext
from fractions import Fraction
from typing import Any

import numpy as np

from verify.arrays import Array
from verify.certify.checker.numbers import exact, matrix
from verify.certify.checker.outcome import Outcome, Status, proved, refuted, undecided
from verify.certify.checker.rounding import SAFE, TINY, U, norm, positive_definite, product
from verify.certify.checker.subject import Enclosure, Subject
from verify.errors import InputError

Statement = dict[str, Any]
Ends = list[tuple[Fraction, Fraction]]
PI = Fraction("3.14159265358979323846264338327950288419716939937510")
LOG_ERROR = Fraction(1, 10**30)
HUGE = 2.0**400  # its square is a double


def ln(x: Fraction) -> Fraction:
    """ln x within LOG_ERROR, x > 0: the module decimal rounds it correctly, and the quotient before it."""
    with localcontext(Context(prec=60, Emax=MAX_EMAX, Emin=MIN_EMIN)):
        return Fraction((Decimal(x.numerator) / Decimal(x.denominator)).ln())


def outside(x: Fraction, towards: float) -> float:
    """A double beyond x on the side of towards, -inf or inf; that itself where x is huge."""
    if abs(x) < HUGE:
        return math.nextafter(float(x), towards)
    return towards if (x > 0) == (towards > 0) else math.copysign(HUGE, x)


def proves(outcome: Outcome) -> bool:
    """Whether it is a proof."""
    return outcome.status is Status.PROVED


@np.errstate(all="ignore")
def _within(A: Array, level: float, W: Array, sign: int) -> Outcome:
    """(ii): whether sign (level - A) + W W^T > 0."""
    M = -sign * A
    M.flat[:: len(M) + 1] += sign * level
    size = float(np.abs(M.diagonal()).max())
    WW, error = product(W, W.T)
    M += WW
    return positive_definite(M, SAFE * (error + U * (size + norm(M))))


@np.errstate(all="ignore")
def count(enclosure: Enclosure, level: Fraction, V: Array, side: str) -> tuple[int, int, bool]:
    """least, most: so many eigenvalues of S exceed level; and whether none equals it.

    V (n, m), m from 0 on: the eigenvectors above level, or those below it, as `side` says.
    """
    A, l, r = enclosure.mid, level / enclosure.unit, Fraction(enclosure.radius)
    n, sign = len(A), 1 if side == "above" else -1
    beyond, before = outside(l + sign * r, sign * math.inf), outside(l - sign * r, -sign * math.inf)
    B = sign * A
    B.flat[:: n + 1] -= sign * beyond
    (BV, e), m, size = product(B, V), V.shape[1], norm(V)
    C, f = product(V.T, BV)
    many = positive_definite(C, SAFE * (f + size * (e + U * size * float(np.abs(B.diagonal()).max()))))
    few = _within(A, before, V * np.sqrt(np.abs(C.diagonal()) + abs(beyond)), sign)
    some, rest = m if proves(many) else 0, n - m if m == n or proves(few) else 0
    return (some, n - rest, some + rest == n) if sign > 0 else (rest, n - some, some + rest == n)


@np.errstate(all="ignore")
def leading(A: Array, V: Array, below: float) -> tuple[Array, Array]:
    """(iii) theta (m,), descending, and radii (m,): the m largest eigenvalues of A lie so near, each near its own.

    below: what the others do not exceed (m = n: -inf). Radii are infinite where these need not be the m largest.
    """
    n, m = V.shape
    AV, e = product(A, V)
    theta = np.sort(np.einsum("ij,ij->j", V, AV))[::-1]
    R = AV - V * theta
    G, f = product(V.T, V)
    G.flat[:: m + 1] -= 1
    big, size, g = float(np.abs(theta).max()), norm(V), SAFE * (norm(G) + f)
    together = SAFE * 2 * (norm(R) + e + 2 * U * size * big + g * big) / (1 - g) + 8 * U * big
    rounding = n * U * float(np.abs(A).sum(axis=0).max()) + 2 * U * big + n * TINY
    alone = SAFE * (np.sqrt(np.einsum("ij,ij->j", R, R)) + (1 + g) * rounding) / (1 - g) + 8 * U * big
    above = np.append(np.inf, theta[:-1] - together)
    under = np.append(theta[1:] + together, below)
    own = (theta + alone < above) & (theta - alone > under)
    known = g < 0.5 and together < math.inf and (m == n or theta[-1] - together > below)
    return theta, np.where(own & known, np.minimum(alone, together), together if known else np.inf)


def first(statement: Statement, subject: Subject) -> tuple[Ends, list[Fraction]]:
    """Ends of the first eigenvalues of S, so many as the evidence encloses; what the next one cannot exceed."""
    if subject.spectrum is not None:
        return [(x, x) for x in subject.spectrum], []
    about, V = _evidence(statement, "level", subject.n)
    A, r, unit = _enclosure(subject).mid, Fraction(_enclosure(subject).radius), _enclosure(subject).unit
    (n, m), below = V.shape, -math.inf
    theta, radii = np.zeros(0), np.zeros(0)
    if m < n:
        below = outside(exact(about) / unit, math.inf)
    if m:
        theta, radii = leading(A, V, below)
    if not np.isfinite(radii).all() or (m < n and not proves(_within(A, below, V * np.sqrt(np.maximum(theta, 0)), 1))):
        return [], []
    near = [(Fraction(t), Fraction(x) + r) for t, x in zip(theta.tolist(), radii.tolist(), strict=True)]
    return [((t - x) * unit, (t + x) * unit) for t, x in near], [(Fraction(below) + r) * unit] if m < n else []


def check_count(statement: Statement, subject: Subject) -> Outcome:
    """Exactly `above` eigenvalues of S exceed `level`, `equal` (0) equal it; "at_least": at least so many exceed it."""
    level, above, equal = exact(statement.get("level")), _whole(statement, "above"), _whole(statement, "equal", 0)
    same: int | None
    if subject.spectrum is not None:
        least = most = sum(x > level for x in subject.spectrum)
        same = sum(x == level for x in subject.spectrum)
    else:
        side, basis = _evidence(statement, "side", subject.n)
        if side not in ("above", "below"):
            raise InputError('the side is "above" or "below"')
        least, most, none = count(_enclosure(subject), level, basis, side)
        same = 0 if none else None
    found = f"{least} to {most} eigenvalues exceed the level, {'perhaps some' if same is None else same} equal it"
    if statement.get("at_least") is True:
        right, wrong = least >= above, most < above
    else:
        right, wrong = least == most == above and same == equal, not least <= above <= most or same not in (None, equal)
    return refuted(found) if wrong else proved(found) if right else undecided(found)


def check_eigenvalues(statement: Statement, subject: Subject) -> Outcome:
    """The first eigenvalues of S lie in `intervals`, [[least, most], ...]."""
    stated = statement.get("intervals")
    if not isinstance(stated, list) or not 0 < len(stated) <= subject.n:
        raise InputError("the intervals are a list of at least one and at most n pairs")
    pairs, (found, _) = [_pair(x) for x in stated], first(statement, subject)
    outcomes = [_inside(a, b) for a, b in zip(found, pairs, strict=False)]
    wrong = [x for x in outcomes if x.status is Status.REFUTED]
    if wrong or (len(found) >= len(stated) and all(map(proves, outcomes))):
        return wrong[0] if wrong else outcomes[0]
    return undecided("the evidence does not enclose so many eigenvalues, or not so closely")


def check_optimum(statement: Statement, subject: Subject) -> Outcome:
    """The optimum of the beta-ELBO at sigma2 with k latents retains `retained`; its value per datum lies in `value`."""
    k, retained, value = _whole(statement, "k"), _whole(statement, "retained"), _pair(statement.get("value"))
    sigma2, beta = exact(statement.get("sigma2")), exact(statement.get("beta", "1"))
    if not (sigma2 > 0 and beta > 0 and 0 < k <= subject.n):
        raise InputError("sigma2 and beta are positive, k is at least 1 and at most n")
    found, rest = first(statement, subject)
    s = beta * sigma2
    least = sum(low > s for low, _ in found[:k])
    highs = [high for _, high in found] + rest
    most = min([k, *(j for j, high in enumerate(highs) if high <= s)])
    if not least <= retained <= most:
        return refuted(f"it retains {least} to {most}")
    if least < most:
        return undecided(f"it retains {least} to {most}: the evidence does not decide it")
    return _inside(optimum(subject, found[:least], sigma2, beta), value)


def optimum(subject: Subject, found: Ends, sigma2: Fraction, beta: Fraction) -> tuple[Fraction, Fraction]:
    """Ends of the greatest beta-ELBO: -(n log(2 pi sigma2) + beta (tr S/s - sum h(lam_j/s)))/2, h(x) = x - 1 - log x.

    s = beta sigma2; found: of the lam_j > s that are retained. h rises beyond 1.
    """
    n, s = subject.n, beta * sigma2
    if subject.spectrum is not None:
        trace, wide = sum(subject.spectrum, Fraction(0)), Fraction(0)
    else:
        known = _enclosure(subject)
        trace = sum(map(Fraction, known.mid.diagonal().tolist()), Fraction(0)) * known.unit
        wide = n * Fraction(known.radius) * known.unit
    gains = [[x / s - 1 - ln(x / s) for x in (max(low, s), high)] for low, high in found]
    least, most = (sum(column, Fraction(0)) for column in zip(*gains, strict=True)) if gains else (Fraction(0),) * 2
    middle, error = n * ln(2 * PI * sigma2), LOG_ERROR * (n + beta * len(found))
    low = -(middle + error + beta * ((trace + wide) / s - least)) / 2
    return low, -(middle - error + beta * ((trace - wide) / s - most)) / 2


def _inside(found: tuple[Fraction, Fraction], stated: tuple[Fraction, Fraction]) -> Outcome:
    """Whether what is enclosed in `found` lies within what is stated."""
    words = f"between {float(found[0])!r} and {float(found[1])!r}"
    if stated[0] <= found[0] and found[1] <= stated[1]:
        return proved(words)
    return refuted(words) if found[1] < stated[0] or stated[1] < found[0] else undecided(words)


def _enclosure(subject: Subject) -> Enclosure:
    if subject.enclosure is None:
        raise InputError("nothing is known of the covariance")
    return subject.enclosure


def _pair(given: Any) -> tuple[Fraction, Fraction]:
    if not isinstance(given, list) or len(given) != 2:
        raise InputError("an interval is a list of two numbers")
    return exact(given[0]), exact(given[1])


def _whole(statement: Statement, name: str, default: int | None = None) -> int:
    value = statement.get(name, default)
    if type(value) is not int or value < 0:
        raise InputError(f"{name} is a whole number, not below 0")
    return value


def _evidence(statement: Statement, name: str, n: int) -> tuple[Any, Array]:
    """Evidence of that name, and the vectors (n, m), perhaps none."""
    evidence = statement.get("evidence")
    if not isinstance(evidence, dict):
        raise InputError("it has no evidence")
    V = np.zeros((n, 0)) if evidence.get("vectors") is None else matrix(evidence["vectors"])
    if len(V) != n or V.shape[1] > n:
        raise InputError(f"the vectors have shape {V.shape}, not {n} rows and at most so many columns")
    return evidence.get(name), V
