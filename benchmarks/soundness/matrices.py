"""Definiteness, counts of eigenvalues and their enclosures, of matrices with eigenvalues about zero.

Notation   A (n, n) the doubles that were drawn; S = unit (mid + E), |E|_2 <= radius: a statement about S is true of all
           E, false of all, or open. By Weyl lam_j(S)/unit goes through [lam_j - radius, lam_j + radius].
Main       questions, posed_of.
"""

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import scipy.linalg

from benchmarks.soundness.asked import OPEN, Posed, Question, Statement, Truth, hexadecimal
from benchmarks.soundness.exact import Symmetric, of_doubles
from benchmarks.soundness.families import drawn
from verify.certify.checker import balls, rounding
from verify.certify.checker.numbers import written
from verify.certify.checker.outcome import Outcome, proved, refuted, undecided
from verify.certify.checker.subject import Enclosure, Subject
from verify.certify.propose import counts
from verify.errors import InputError

Matrix = np.ndarray


def questions(rng: np.random.Generator) -> Iterator[Question]:
    """One matrix."""
    family, A = drawn(rng)
    exact = of_doubles(A)
    yield from _definite(family, A, exact, rng)
    yield from _in_balls(family, A, exact)
    for posed in posed_of(family, A, rng):
        yield posed.question()


def _definite(family: str, A: Matrix, exact: Symmetric, rng: np.random.Generator) -> Iterator[Question]:
    """A + E > 0 for all |E|_2 <= radius, with the checker's own factor, LAPACK's, and garbage for one."""
    least = float(np.linalg.eigvalsh(A)[0])
    size = float(np.abs(A).max())
    several = [
        0.0,
        abs(least),
        abs(least) * (1 + float(rng.choice([-1, 1])) * 2.0**-20),
        size * 10.0 ** rng.uniform(-18, -12),
    ]
    for radius in (0.0, several[int(rng.integers(len(several)))]):
        truth = exact.above(radius) == exact.n
        for name, R in (
            ("definite", None),
            ("definite, LAPACK", _cholesky(A, radius)),
            ("definite, garbage", _garbage(A, rng)),
        ):
            if R is not None or name == "definite":
                yield _asked_of_rounding(family, name, truth, A, radius, R)


def _asked_of_rounding(family: str, name: str, truth: bool, A: Matrix, radius: float, R: Matrix | None) -> Question:
    def told() -> dict[str, Any]:
        return {"A": hexadecimal(A), "radius": radius.hex(), "R": None if R is None else hexadecimal(R)}

    return Question(family, name, truth, lambda: rounding.positive_definite(A, radius, R), told)


def _cholesky(A: Matrix, radius: float) -> Matrix | None:
    """Of A less a shift that leaves some room, upper triangular; None where there is none."""
    shift = radius + 2 * len(A) ** 2 * 2.0**-53 * float(np.abs(A).max())
    try:
        return scipy.linalg.cholesky(A - shift * np.eye(len(A)))
    except np.linalg.LinAlgError:
        return None


def _garbage(A: Matrix, rng: np.random.Generator) -> Matrix:
    """What is no factor of A, or one of something else."""
    n, size = len(A), float(np.sqrt(np.abs(A).max()))
    with np.errstate(all="ignore"):
        eigenvalues, U = np.linalg.eigh(A)
        ways = [
            np.zeros((n, n)), np.full((n, n), np.nan), np.full((n, n), np.inf), np.full((n, n), 1e200),
            size * np.eye(n), -size * np.eye(n), np.full((n, n), 5e-324), size * rng.standard_normal((n, n)), A.copy(),
            np.sqrt(np.abs(eigenvalues))[:, None] * U.T, np.sqrt(np.maximum(eigenvalues, 0))[:, None] * U.T,
            np.sqrt(np.abs(eigenvalues))[:, None] * U,
        ]  # fmt: skip
    R = ways[int(rng.integers(len(ways)))]
    if rng.random() < 0.2:
        R[int(rng.integers(n)), int(rng.integers(n))] = float(rng.choice([np.nan, np.inf, -1e300, 5e-324]))
    return R


def _in_balls(family: str, A: Matrix, exact: Symmetric) -> Iterator[Question]:
    """What the balls' congruence counts, held against the inertia and its neighbours."""
    positive, negative, zero = exact.inertia()
    size = float(np.abs(A).max())
    V = np.linalg.eigh(A / size if size else A)[1]

    def asked(claimed: tuple[int, int, int]) -> Outcome:
        import flint

        with balls.precision(256):
            found = balls.inertia(balls.balls(A), flint.arb_mat(_null_vectors(exact)), balls.balls(V))
        said = "at least {} positive, {} negative, {} zero".format(*found)
        if any(x > y for x, y in zip(found, claimed, strict=True)):
            return refuted(said)
        return proved(said) if found == claimed and sum(found) == exact.n else undecided(said)

    def told() -> dict[str, Any]:
        return {"A": hexadecimal(A), "V": hexadecimal(V)}

    for change in ((0, 0, 0), (1, -1, 0), (-1, 1, 0), (-1, 0, 1), (0, -1, 1), (1, 0, -1), (0, 1, -1)):
        claimed = (positive + change[0], negative + change[1], zero + change[2])
        if min(claimed) >= 0:
            name = "inertia in balls" + (", off by one" if any(change) else "")
            yield Question(family, name, not any(change), lambda claimed=claimed: asked(claimed), told)


def _null_vectors(exact: Symmetric) -> Any:
    """Columns of whole numbers that span the null space (n, g)."""
    import flint

    space, g = flint.fmpz_mat(exact.whole).nullspace()
    return flint.fmpz_mat(exact.n, g, [space[i, j] for i in range(exact.n) for j in range(g)])


def enclosure_of(A: Matrix, rng: np.random.Generator) -> Enclosure:
    """A, brought to entries of about 1 by a unit, with a radius of 0 or of the size of a rounding."""
    e = int(np.frexp(float(np.abs(A).max()) or 1.0)[1])
    radius = float(rng.choice([0.0, 0.0, 2.0**-53, 2.0**-50])) * rng.random()
    unit = Fraction(2) ** e / int(rng.choice([1, 1, 3, 255**2]))
    return Enclosure(np.ldexp(A, -e), radius, unit)


def posed_of(family: str, A: Matrix, rng: np.random.Generator) -> Iterator[Posed]:
    """Counts at levels on, beside and between eigenvalues, and enclosures, as proposed and changed."""
    enclosure = enclosure_of(A, rng)
    subject = Subject("0" * 64, len(A), 1000, enclosure)
    exact = of_doubles(enclosure.mid)
    values = np.linalg.eigvalsh(enclosure.mid)[::-1]
    yield from _counted(family, subject, exact, values, rng)
    yield from _enclosed(family, subject, exact, rng)


def _counted(
    family: str, subject: Subject, exact: Symmetric, values: Matrix, rng: np.random.Generator
) -> Iterator[Posed]:
    for level in levels(values, rng):
        statement = proposed(lambda level=level: counts.count(subject, level * subject.enclosure.unit)[0])
        if statement is None:
            continue
        above = statement["above"]
        r = Fraction(subject.enclosure.radius)
        for name, changed in (
            ("count", {}),
            ("count, off by one", {"above": max(0, above + int(rng.choice([-1, 1])))}),
            ("count, at least", {"at_least": True}),
            ("count, at least one more", {"at_least": True, "above": above + 1}),
            ("count, one equal", {"equal": 1, "above": max(0, above - 1)}),
        ):
            stated = {**statement, **changed}
            yield Posed(family, name, count_truth(exact, level, r, stated), stated, subject)


def proposed(propose: Callable[[], Statement]) -> Statement | None:
    """What is proposed, or None where it is refused: whoever proposes may give up, and is not trusted anyway."""
    try:
        return propose()
    except InputError:
        return None


def levels(values: Matrix, rng: np.random.Generator) -> list[Fraction]:
    """Zero; an eigenvalue as computed, the double beside it, a third between doubles; and one between two."""
    near = float(rng.choice(values))
    beside = float(np.nextafter(near, rng.choice([-np.inf, np.inf])))
    i = int(rng.integers(len(values)))
    between = (Fraction(float(values[i])) + Fraction(float(values[i - 1]))) / 2
    exactly = [Fraction(0), Fraction(near), Fraction(beside), Fraction(near) + Fraction(1, 3 * 2**70), between]
    return [exactly[int(j)] for j in rng.permutation(len(exactly))[:2]]


def count_truth(exact: Symmetric, level: Fraction, r: Fraction, stated: Statement) -> Truth:
    """Of "exactly `above` exceed the level and `equal` are equal to it", or of "at least so many exceed it"."""
    surely, perhaps = exact.above(level + r), exact.above(level - r) if r else exact.above(level)
    above = stated["above"]
    if stated.get("at_least"):
        return True if above <= surely else False if above > perhaps else OPEN
    if not r:
        return above == surely and stated.get("equal", 0) == exact.equal(level)
    not_below = exact.least(level + r)  # of all E so many are at the level or above it
    if stated.get("equal", 0):
        return False if not surely <= above <= perhaps or exact.least(level - r) == surely else OPEN
    if surely == above == exact.least(level - r):
        return True
    return OPEN if not_below <= above <= perhaps else False


def _enclosed(family: str, subject: Subject, exact: Symmetric, rng: np.random.Generator) -> Iterator[Posed]:
    """The first m eigenvalues, in the intervals that were proposed, and in others."""
    m = int(rng.integers(1, subject.n + 1))
    statement = proposed(lambda: counts.eigenvalues(subject, m)[0])
    if statement is None:
        return
    intervals = [
        [Fraction(float.fromhex(x)) if "x" in x else Fraction(x) for x in pair] for pair in statement["intervals"]
    ]
    j = int(rng.integers(m))
    low, high = intervals[j]
    width = (high - low) or Fraction(1, 2**60) * subject.enclosure.unit
    ways = {
        "eigenvalues": (low, high),
        "eigenvalues, moved": (low + width / 2, high + width / 2),
        "eigenvalues, beside": (high, high + width),
        "eigenvalues, narrow": (low + width * Fraction(9, 20), high - width * Fraction(9, 20)),
        "eigenvalues, reversed": (high, low),
    }
    for name, (lo, hi) in ways.items():
        changed = [*intervals[:j], [lo, hi], *intervals[j + 1 :]]
        stated = {**statement, "intervals": [[written(x) for x in pair] for pair in changed]}
        yield Posed(family, name, intervals_truth(exact, subject.enclosure, changed), stated, subject)


def intervals_truth(exact: Symmetric, enclosure: Enclosure, intervals: list[list[Fraction]]) -> Truth:
    """Of "the j-th largest eigenvalue of S lies in the j-th interval, for all j"."""
    r = Fraction(enclosure.radius)
    ends = [(lo / enclosure.unit, hi / enclosure.unit) for lo, hi in intervals]
    if all(exact.holds(j, lo + r, hi - r) for j, (lo, hi) in enumerate(ends, start=1)):
        return True
    possible = all(lo <= hi and exact.holds(j, lo - r, hi + r) for j, (lo, hi) in enumerate(ends, start=1))
    return OPEN if possible else False
