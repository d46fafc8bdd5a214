"""Who proposes counts, enclosures of eigenvalues, and optima: LAPACK's eigenvectors, rounded to few bits.

Where they leave open on which side of a level an eigenvalue lies, it is proposed to count in whole numbers.

Notation   S (n, n) the covariance of a subject; A its enclosure's mid; theta (n,), U (n, n) A's eigenpairs.
Main       decomposed, count, eigenvalues, optimum.
"""

import math
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
import scipy.linalg.lapack

from verify.arrays import Array
from verify.certify.checker import counts as checker
from verify.certify.checker.exact_counts import exact_count
from verify.certify.checker.numbers import written, written_matrix
from verify.certify.checker.outcome import Outcome, Status, undecided
from verify.certify.checker.subject import Subject
from verify.errors import MissingError

Statement = dict[str, Any]
BITS = (16, 24, 34, 53)  # of the vectors: the fewest that decide
FINE = 40  # and where they also say how close the eigenvalues are
MORE = 8
WANTING = "; python-flint would decide it"
_LARGE, _LARGEST = Fraction(2) ** 390, Fraction(2) ** 1000


@lru_cache(maxsize=1)
def decomposed(subject: Subject) -> tuple[Array, Array]:
    """theta (n,), descending, U (n, n): of the enclosure's mid."""
    assert subject.enclosure is not None
    theta, U = scipy.linalg.eigh(subject.enclosure.mid, check_finite=False, driver="evd")
    return theta[::-1], np.ascontiguousarray(U[:, ::-1])


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
    if outcome.status is Status.UNDECIDED:
        return _exactly(statement, outcome, subject, level)
    return statement, outcome


def _exactly(statement: Statement, outcome: Outcome, subject: Subject, level: Fraction) -> tuple[Statement, Outcome]:
    """The same in whole numbers, where these decide what floats leave open; else as it was, and what is missing."""
    try:
        counted = exact_count(subject, level)
    except MissingError:
        return statement, undecided(outcome.reason + WANTING)
    if counted is None:
        return statement, outcome
    above, equal = counted
    found = {"above": above, "equal": equal} if equal else {"above": above}
    statement = {"kind": "count", "level": statement["level"], **found, "evidence": {"exact": True}}
    return statement, checker.check_count(statement, subject)


def eigenvalues(subject: Subject, m: int) -> tuple[Statement, Outcome]:
    """Where the first m eigenvalues of S lie."""
    evidence = {} if subject.spectrum is not None else _leading(subject, m, None)
    statement: Statement = {"kind": "eigenvalues", "evidence": evidence}
    found, _ = checker.first(statement, subject)
    ends = found[:m] if len(found) >= m else _guessed(subject, m)
    if ends[0][1] > _LARGEST:
        return statement, undecided(_BEYOND)  # there is nothing to state
    statement["intervals"] = [_written(low, high) for low, high in ends]
    return statement, undecided(_UNKNOWN) if len(found) < m else checker.check_eigenvalues(statement, subject)


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
            return statement, outcome
    try:
        counted = exact_count(subject, s)
    except MissingError:
        return statement, undecided(outcome.reason + WANTING)
    if counted is None:
        return statement, outcome
    retained = min(k, counted[0])
    # Those at the noise need not be told from it: enclosures of the retained, or of more, say what they add.
    evidence = {"exact": True} | (_leading(subject, retained, None, BITS[-1]) if retained else {})
    return _valued(statement | {"evidence": evidence}, subject, retained, sigma2, beta)


def _valued(
    statement: Statement, subject: Subject, retained: int, sigma2: Fraction, beta: Fraction
) -> tuple[Statement, Outcome]:
    """The statement with what is retained and the value that its evidence encloses."""
    found, _ = checker.first(statement, subject)
    statement = {name: statement[name] for name in statement if name != "value"} | {"retained": retained}
    known = len(found) >= retained and all(low > beta * sigma2 for low, _ in found[:retained])
    known = known or (len(found) >= retained and "exact" in statement["evidence"])
    ends = found[:retained] if known else _guessed(subject, retained)
    value = checker.optimum(subject.n, checker.trace(subject), ends, sigma2, beta)
    if max(map(abs, value)) > _LARGEST:
        return statement, undecided(_BEYOND)
    statement["value"] = _written(*value)
    return statement, checker.check_optimum(statement, subject) if known else undecided(_UNKNOWN)


_BEYOND = "the numbers are beyond the range of doubles"
_UNKNOWN = "no enclosure of the first eigenvalues was found: the next ones, or the noise, are too near"


def _guessed(subject: Subject, m: int) -> checker.Ends:
    """Where the first m eigenvalues lie as floats have them: what is stated where nothing is proved."""
    assert subject.enclosure is not None
    values = [Fraction(x) * subject.enclosure.unit for x in decomposed(subject)[0][:m].tolist()]
    return [(x, x) for x in values]


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
