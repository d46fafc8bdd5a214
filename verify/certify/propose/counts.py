"""Who proposes counts, enclosures of eigenvalues, and optima: LAPACK's eigenvectors, rounded to few bits.

Notation   S (n, n) the covariance of a subject; A its enclosure's mid; theta (n,), U (n, n) A's eigenpairs.
Main       thresholds, count, eigenvalues, optimum; positive_definite.
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
import scipy.linalg.lapack

from verify.arrays import Array
from verify.certify.checker import counts as checker
from verify.certify.checker import rounding
from verify.certify.checker.numbers import written, written_matrix
from verify.certify.checker.outcome import Outcome, Status, undecided
from verify.certify.checker.subject import Subject

Statement = dict[str, Any]
BITS = (16, 24, 34, 53)  # of the vectors: the fewest that decide
FINE = 40  # and where they also say how close the eigenvalues are
MORE = 8
_LARGE, _LARGEST = Fraction(2) ** 390, Fraction(2) ** 1000


@dataclass(frozen=True, eq=False)
class Thresholds:
    """values (n,), descending, radii (n,): lam_j of S lies within radii_j of values_j, in exact arithmetic."""

    values: Array
    radii: Array


@lru_cache(maxsize=1)
def decomposed(subject: Subject) -> tuple[Array, Array]:
    """theta (n,), descending, U (n, n): of the enclosure's mid."""
    assert subject.enclosure is not None
    theta, U = scipy.linalg.eigh(subject.enclosure.mid, check_finite=False, driver="evd")
    return theta[::-1], np.ascontiguousarray(U[:, ::-1])


def thresholds(subject: Subject) -> Thresholds:
    """All eigenvalues of S with rigorous radii; infinite where nothing is known."""
    if subject.spectrum is not None:
        held = [x < _LARGEST for x in subject.spectrum]
        known = [float(x) if good else 0.0 for x, good in zip(subject.spectrum, held, strict=True)]
        gaps = [
            abs(Fraction(v) - x) if good else None for v, x, good in zip(known, subject.spectrum, held, strict=True)
        ]
        ends = [math.inf if gap is None else _outwards(gap, math.inf) if gap else 0.0 for gap in gaps]
        return Thresholds(np.array(known), np.array(ends))
    enclosure = subject.enclosure
    assert enclosure is not None
    found = checker.leading(enclosure.mid, decomposed(subject)[1], -math.inf)
    theta, radii = found or (np.zeros(subject.n), np.full(subject.n, np.inf))
    unit = float(enclosure.unit)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        values = theta * unit
        # Rounding the unit, the product and this sum takes less than 4 u of the value.
        radii = ((radii + enclosure.radius) * unit + np.abs(values) * 2.0**-51) * rounding.SAFE + 2e-323
    good = np.isfinite(values) & np.isfinite(radii) & (2.0**-1000 < unit < 2.0**1000)
    return Thresholds(np.where(good, values, 0.0), np.where(good, radii, np.inf))


def count(subject: Subject, level: Fraction) -> tuple[Statement, Outcome]:
    """How many eigenvalues of S exceed level."""
    statement: Statement = {"kind": "count", "level": written(level)}
    if subject.spectrum is not None:
        statement["above"] = sum(x > level for x in subject.spectrum)
        statement["equal"] = sum(x == level for x in subject.spectrum)
        return statement, checker.check_count(statement, subject)
    assert subject.enclosure is not None
    theta, U = decomposed(subject)
    above = int(np.count_nonzero(theta > _near(level, subject)))
    sign, side, V = 1, "above", U[:, :above]
    if 2 * above > len(theta):
        sign, side, V = -1, "below", U[:, above:][:, ::-1]
    between = _between(subject, sign, level, V.shape[1])
    outcome = undecided("")
    for bits in BITS:
        statement |= {"above": above, "evidence": {"side": side} | between | _vectors(V, bits)}
        outcome = checker.check_count(statement, subject)
        if outcome.status is not Status.UNDECIDED or not V.shape[1]:
            break
    return statement, outcome


def eigenvalues(subject: Subject, m: int) -> tuple[Statement, Outcome]:
    """Where the first m eigenvalues of S lie."""
    evidence = {} if subject.spectrum is not None else _leading(subject, m, None)
    statement: Statement = {"kind": "eigenvalues", "evidence": evidence}
    found, _ = checker.first(statement, subject)
    if len(found) < m:
        return statement | {"intervals": [["0", "0"]] * m}, undecided(_UNKNOWN)
    if found[0][1] > _LARGEST:
        return statement | {"intervals": [["0", "0"]] * m}, undecided(_BEYOND)
    statement["intervals"] = [_written(low, high) for low, high in found[:m]]
    return statement, checker.check_eigenvalues(statement, subject)


def optimum(subject: Subject, k: int, sigma2: Fraction, beta: Fraction = Fraction(1)) -> tuple[Statement, Outcome]:
    """What the optimum of the beta-ELBO at sigma2 with k latents retains, and its value per datum."""
    s = beta * sigma2
    statement: Statement = {"kind": "optimum", "k": k, "sigma2": written(sigma2), "beta": written(beta), "evidence": {}}
    if subject.spectrum is not None:
        return _valued(statement, subject, min(k, sum(x > s for x in subject.spectrum)), sigma2, beta)
    retained = min(k, int(np.count_nonzero(decomposed(subject)[0] > _near(s, subject))))
    outcome = undecided("")
    for bits in (FINE, BITS[-1]):
        statement = statement | {"evidence": _leading(subject, retained, s if retained < k else None, bits)}
        statement, outcome = _valued(statement, subject, retained, sigma2, beta)
        if outcome.status is not Status.UNDECIDED:
            break
    return statement, outcome


def _valued(
    statement: Statement, subject: Subject, retained: int, sigma2: Fraction, beta: Fraction
) -> tuple[Statement, Outcome]:
    """The statement with what is retained and the value that its evidence encloses."""
    found, _ = checker.first(statement, subject)
    statement = statement | {"retained": retained, "value": ["0", "0"]}
    if len(found) < retained or any(low <= beta * sigma2 for low, _ in found[:retained]):
        return statement, undecided(_UNKNOWN)
    value = checker.optimum(subject, found[:retained], sigma2, beta)
    if max(map(abs, value)) > _LARGEST:
        return statement, undecided(_BEYOND)
    statement["value"] = _written(*value)
    return statement, checker.check_optimum(statement, subject)


_BEYOND = "the numbers are beyond the range of doubles"
_UNKNOWN = "no enclosure of the first eigenvalues was found: the next ones, or the noise, are too near"


def _leading(subject: Subject, m: int, noise: Fraction | None, bits: int = FINE) -> Statement:
    """For the first m eigenvalues, some more where the next one is near; with a noise, that the others are below it."""
    assert subject.enclosure is not None
    theta, U = decomposed(subject)
    if m == len(theta):
        return _vectors(U, bits)
    if noise is None:
        gaps = theta[m - 1 : m + MORE] - np.append(theta[m : m + MORE + 1], -np.inf)[: len(theta[m - 1 : m + MORE])]
        m += int(np.argmax(gaps))
        if m == len(theta):
            return _vectors(U, bits)
    level = noise if noise is not None else Fraction(float(theta[m - 1])) * subject.enclosure.unit
    return _between(subject, 1, level, m) | _vectors(U[:, :m], bits)


def _between(subject: Subject, sign: int, level: Fraction, m: int) -> Statement:
    """A level that all eigenvalues of sign S but m are below: halfway from the next one to what is known of `level`."""
    assert subject.enclosure is not None
    theta = sign * decomposed(subject)[0][::sign]
    if m == len(theta):
        return {}
    radius = subject.enclosure.radius if subject.enclosure.radius < 1e100 else 1e100
    edge = (float(theta[m]) + sign * _near(level, subject) - radius) / 2
    return {"level": written(float(max(-_LARGEST, min(_LARGEST, Fraction(edge) * subject.enclosure.unit))))}


def _near(level: Fraction, subject: Subject) -> float:
    """A level in the units of the enclosure, nearly."""
    assert subject.enclosure is not None
    return float(max(-_LARGE, min(_LARGE, level / subject.enclosure.unit)))


def _vectors(V: Array, bits: int) -> Statement:
    return {"vectors": written_matrix(V, bits)} if V.shape[1] else {}


def _written(low: Fraction, high: Fraction) -> list[str]:
    """Both ends as doubles, rounded outwards."""
    return [written(_outwards(low, -math.inf)), written(_outwards(high, math.inf))]


def _outwards(x: Fraction, towards: float) -> float:
    return math.nextafter(float(x), towards)


@np.errstate(all="ignore")
def positive_definite(A: Array, radius: float = 0.0) -> Outcome:
    """Whether A + E > 0 for all |E|_2 <= radius, at any scale.  A (n, n).

    Powers of two change nothing but what vanishes, which the checker's bounds pay for.
    """
    half = math.frexp(float(A.diagonal().max(initial=0.0)))[1] // 2
    if abs(half) > 100:
        A, radius = np.ldexp(A, -2 * half), float(np.ldexp(radius, -2 * half)) + rounding.TINY
    return rounding.positive_definite(A, radius)
