"""Definiteness, counts of eigenvalues and their enclosures, of matrices with eigenvalues about zero.

Notation   A (n, n) the doubles that were drawn; S = unit (mid + E), |E|_2 <= radius: a statement about S is true of all
           E, false of all, or open.
Main       questions, posed_of.
"""

from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
import scipy.linalg

from benchmarks.soundness.asked import Posed, Question, hexadecimal
from benchmarks.soundness.counted import About, counted, enclosed, levels
from benchmarks.soundness.exact import Symmetric, of_doubles
from benchmarks.soundness.families import drawn
from verify.certify import fast
from verify.certify.checker import balls, rounding
from verify.certify.checker.outcome import Outcome, proved, refuted, undecided
from verify.certify.checker.subject import Enclosure, Subject

Matrix = np.ndarray


def questions(rng: np.random.Generator) -> Iterator[Question]:
    """One matrix."""
    family, A = drawn(rng)
    exact = of_doubles(A)
    yield from _definite(family, A, rng)
    yield of_its_product(len(A), rng)
    yield from _in_balls(family, A, exact)
    for posed in posed_of(family, A, rng):
        yield posed.question()


def _definite(family: str, A: Matrix, rng: np.random.Generator) -> Iterator[Question]:
    """A + E > 0 for all |E|_2 <= radius: with the checker's own factor, LAPACK's, garbage for one, and a priori."""
    if rng.random() < 0.8:  # entries of about 1, as the checker wants them
        A = np.ldexp(A, -int(np.frexp(float(np.abs(A).max()) or 1.0)[1]))
    exact, size = of_doubles(A), float(np.abs(A).max())
    least = float(np.linalg.eigvalsh(A)[0])
    nearly = 1 + float(rng.choice([-1, 1])) * 2.0 ** -float(rng.uniform(8, 52))
    several = [0.0, abs(least), abs(least) * nearly, abs(least) * nearly, size * 10.0 ** rng.uniform(-18, -12)]
    for radius in (0.0, several[int(rng.integers(len(several)))]):
        truth = exact.above(radius) == exact.n
        ways = {"definite": None, "definite, LAPACK": _cholesky(A, radius, rng), "definite, garbage": _garbage(A, rng)}
        for name, R in ways.items():
            if R is not None or name == "definite":
                ask = partial(rounding.positive_definite, A, radius, R)
                yield Question(family, name, truth, ask, partial(_told, A, radius, R))
        ask = partial(fast.positive_definite, A, radius)
        yield Question(family, "definite, a priori", truth, ask, partial(_told, A, radius, None))


def of_its_product(n: int, rng: np.random.Generator) -> Question:
    """fl(R^T R) + c I, R of rank n - 1, c a unit in the last place or two: only what fl rounds can speak against it.

    It does so in one of a hundred.
    """
    R = rng.standard_normal((n, n))
    R[-1] = 0.0
    R *= np.sqrt(rng.uniform(0.55, 0.95, n)) / np.sqrt((R * R).sum(axis=0))  # on the diagonal such numbers add exactly
    A = R.T @ R
    A = np.tril(A) + np.tril(A, -1).T + int(rng.integers(1, 3)) * 2.0**-53 * np.eye(n)
    ask = partial(rounding.positive_definite, A, 0.0, R)
    return Question(
        "rounded product", "definite, its factor", of_doubles(A).above(0) == n, ask, partial(_told, A, 0.0, R)
    )


def _told(A: Matrix, radius: float, R: Matrix | None) -> dict[str, Any]:
    return {"A": hexadecimal(A), "radius": radius.hex(), "R": None if R is None else hexadecimal(R)}


def _cholesky(A: Matrix, radius: float, rng: np.random.Generator) -> Matrix | None:
    """Of A less a shift that leaves enough room for rounding, too little, or hardly any; None where there is none."""
    shift = radius + 10.0 ** rng.uniform(-1.5, 1) * len(A) ** 2 * 2.0**-53 * float(np.abs(A).max())
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
    lam, V = np.linalg.eigh(A / size if size else A)
    V = V[:, np.argsort(-np.abs(lam))[: max(len(A) - zero, 1)]]  # the others belong to the null vectors

    def asked(claimed: tuple[int, int, int]) -> Outcome:
        import flint

        with balls.precision(256):
            found = tuple(balls.inertia(balls.balls(A), flint.arb_mat(_null_vectors(exact)), balls.balls(V)))
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


def posed_of(family: str, A: Matrix, rng: np.random.Generator) -> Iterator[Posed | Question]:
    """Counts at levels on, beside and between eigenvalues, and enclosures, as proposed and changed."""
    enclosure = enclosure_of(A, rng)
    about = About(
        family,
        Subject("0" * 64, len(A), 1000, enclosure),
        of_doubles(enclosure.mid, enclosure.unit),
        Fraction(enclosure.radius) * enclosure.unit,
    )
    values = np.linalg.eigvalsh(enclosure.mid)
    for level in levels(values, rng):
        yield from counted(about, level * enclosure.unit, rng)
    yield from enclosed(about, rng)
