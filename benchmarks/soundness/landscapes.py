"""Near-degenerate landscapes: ties split by one ulp, a noise beside an eigenvalue, scales of blocks nearly equal.

Notation   S exact: the diagonal matrix of a bare spectrum, or the covariance of rows in whole numbers.
Main       questions; bare, of_data, points_of.
"""

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from benchmarks.soundness import exact, points, spectra
from benchmarks.soundness.asked import Posed, Question
from benchmarks.soundness.counted import About, counted, enclosed, levels, optimal
from verify.certify.subjects import of_rows, of_spectrum
from verify.data.sources import load_rows


def questions(rng: np.random.Generator) -> Iterator[Question]:
    """One landscape."""
    way = (bare, of_data, points_of)[int(rng.integers(3))]
    for posed in way(rng):
        yield posed.question()


def bare(rng: np.random.Generator) -> Iterator[Posed | Question]:
    """A spectrum alone."""
    landscape = spectra.spectrum_of(rng)
    S = exact.of_spectrum(landscape.lam)
    about = About(f"spectrum, {landscape.family}", of_spectrum(landscape.lam), S)
    beta = weight(rng)
    yield from counted(about, landscape.sigma2, rng)
    yield from enclosed(about, rng)
    yield from optimal(about, landscape.k, landscape.sigma2 / beta, beta, rng)


def of_data(rng: np.random.Generator) -> Iterator[Posed | Question]:
    """Rows, with a noise that their eigenvalues meet."""
    family, rows, divisor = spectra.rows_of(rng)
    S = exact.of_rows(rows, divisor)
    about = About(f"rows, {family}", of_rows(load_rows(rows, scale=divisor)), S)
    beta, k = weight(rng), int(rng.integers(1, S.n + 1))
    values = np.linalg.eigvalsh(np.array([[float(S.unit * x) for x in row] for row in S.whole]))
    for level in levels(values, rng):
        yield from counted(about, level, rng)
        if level > 0:
            yield from optimal(about, k, level / beta, beta, rng)
    yield from enclosed(about, rng)


def weight(rng: np.random.Generator) -> Fraction:
    """beta: 1, a double, or a fraction that is none."""
    return [Fraction(1), Fraction(1), Fraction(4), Fraction(0.1), Fraction(1, 3)][int(rng.integers(5))]


def points_of(rng: np.random.Generator) -> Iterator[Posed | Question]:
    """A stationary point of fractions."""
    point = spectra.point_of(rng)
    objective = "elbo" if point.family.startswith("coupled") else str(rng.choice(["elbo", "ppca"]))
    yield from points.posed_at(point, objective, rng)
