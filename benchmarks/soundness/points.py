"""What is asked about stationary points: where W is a matrix of fractions and the Hessian one of fractions as well.

Notation   RationalPoint (spectra.py): S = diag(lam), W; H (nk, nk) the Hessian of L ("ppca") or P ("elbo") at W.
Main       posed_at.

A statement speaks of the one stationary point within a radius of W, up to the gauge: it is true of a small radius where
the flat directions of H in the columns that are not zero are those of the gauge, and false where there are more.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from benchmarks.soundness.asked import Posed, Statement, Truth
from benchmarks.soundness.exact import Symmetric
from benchmarks.soundness.spectra import Derivatives, RationalPoint
from verify.certify.checker.numbers import written, written_matrix
from verify.certify.subjects import of_spectrum


@dataclass(frozen=True)
class Known:
    """A rational point as an objective sees it, and what is true there."""

    objective: str
    point: RationalPoint

    @cached_property
    def hessian(self) -> Symmetric:
        """H at W."""
        return self._derivatives(self.point.W).hessian()

    def _derivatives(self, W: Sequence[Sequence[Fraction]]) -> Derivatives:
        return Derivatives(self.objective, self.point.lam, self.point.sigma2, W, self.point.learned)

    @cached_property
    def isolated(self) -> bool:
        """Whether all flat directions in the columns that are not zero are those of the gauge."""
        live = [j for j in range(self.point.k) if any(row[j] for row in self.point.W)]
        if not live:
            return True  # L is strictly concave in the logarithm of the noise where nothing is retained
        W = [[row[j] for j in live] for row in self.point.W]
        zero = self._derivatives(W).hessian().inertia()[2]
        return zero == (len(live) * (len(live) - 1) // 2 if self.objective == "ppca" else 0)

    @cached_property
    def least(self) -> Fraction:
        """The least size that matters nearby: of entries of W, and of gaps between lam, relative to it."""
        sizes = [abs(x) for row in self.point.W for x in row if x]
        every = [self.point.sigma2, *self.point.lam]
        gaps = [abs(a - b) / (abs(a) + abs(b)) for a in every for b in every if a != b]
        return min(sizes, default=Fraction(1)) * min(gaps, default=Fraction(1))

    def statement(self, kind: str, radius: Fraction, W: np.ndarray | None = None) -> Statement:
        """Without evidence."""
        return {
            "kind": kind,
            "objective": self.objective,
            "sigma2": "learned" if self.point.learned else written(self.point.sigma2),
            **({"noise": written(self.point.sigma2)} if self.point.learned else {}),
            "k": self.point.k,
            "W": _listed(self.W if W is None else W),
            "radius": written(radius),
        }

    @property
    def W(self) -> np.ndarray:
        """As doubles: they are."""
        return np.array([[float(x) for x in row] for row in self.point.W])


def _listed(W: np.ndarray) -> list[list[str]]:
    return [[float(x).hex() for x in row] for row in W]


def _vectors(H: Symmetric) -> np.ndarray:
    """Eigenvectors of H in floating point."""
    values = np.array([[float(H.unit * x) for x in row] for row in H.whole])
    return np.linalg.eigh(values)[1]


def posed_at(point: RationalPoint, objective: str, rng: np.random.Generator) -> Iterator[Posed]:
    """Existence, counts of signs and curvature, true ones and false ones beside them."""
    known = Known(objective, point)
    subject = of_spectrum(point.lam)
    family = f"{objective}, {point.family}" + ("" if known.isolated else ", a family")

    def posed(name: str, truth: Truth, statement: Statement) -> Posed:
        return Posed(family, name, truth, statement, subject)

    # Far less than the distance to any other stationary point, so that uniqueness is decided by H.
    radius = known.least / 2 ** int(rng.integers(20, 60))
    exists = known.isolated
    yield posed("stationary", exists, known.statement("stationary", radius))
    yield posed("stationary, radius 0", exists, known.statement("stationary", Fraction(0)))
    yield from _moved(known, posed, radius, rng)
    yield from _elsewhere(known, posed, radius, rng)
    yield from _signs(known, posed, radius, exists, rng)
    yield from _rising(known, posed, radius, exists)


def _moved(known: Known, posed: Any, radius: Fraction, rng: np.random.Generator) -> Iterator[Posed]:
    """Where no point is: an entry of W moved by twice the radius, or all of W made longer."""
    W, change = known.W, Fraction(1, 2 ** int(rng.integers(8, 40)))
    if not W.any():
        return
    if known.objective == "elbo":
        i, j = (int(x) for x in rng.choice(np.argwhere(W)))
        W[i, j] = float(known.point.W[i][j] * (1 + change))
        off = abs(Fraction(W[i, j]) - known.point.W[i][j])
        if known.isolated and 0 < off < known.least / 2**10:
            within = off / int(rng.choice([2, 2**10, 2**30]))
            yield posed("stationary, moved", False, known.statement("stationary", within, W))
        return
    if known.point.learned:
        return
    longer = float(1 + change)
    longest = max(sum(x * x for x in column) for column in zip(*known.point.W, strict=True)) * Fraction(longer) ** 2
    # Singular values differ by less than nk radius from those of what is within the radius (Weyl), and by a rounding.
    reach = radius * W.size + longest / 2**50
    # |a - b| > r if |a^2 - b^2| > r (a + b), and a + b < a^2 + b^2 + 2.
    others = [Fraction(0), *(x - known.point.sigma2 for x in known.point.lam if x > known.point.sigma2)]
    far = all(abs(x - longest) > reach * (x + longest + 2) for x in others)
    yield posed("stationary, moved", False if far else None, known.statement("stationary", radius, W * longer))


def _elsewhere(known: Known, posed: Any, radius: Fraction, rng: np.random.Generator) -> Iterator[Posed]:
    """A radius that reaches W = 0, which is a second stationary point; and W among twice the eigenvalues."""
    if known.point.learned or not known.W.any():
        return
    largest = max(abs(x) for row in known.point.W for x in row)
    wide = largest * Fraction(int(rng.choice([2, 3, 20, 2 * 10**6])), 2)
    yield posed("stationary, wide", False, known.statement("stationary", wide))
    twice, s = tuple(2 * x for x in known.point.lam), known.point.sigma2
    longest = max(sum(x * x for x in column) for column in zip(*known.point.W, strict=True))
    others = [Fraction(0), *(x - s for x in twice if x > s)]
    reach = radius * known.W.size
    if known.point.family == "on axes" and all(abs(x - longest) > reach * (x + longest + 2) for x in others):
        wrong = posed("stationary, elsewhere", False, known.statement("stationary", radius))
        yield replace(wrong, subject=of_spectrum(twice))


def _signs(known: Known, posed: Any, radius: Fraction, exists: bool, rng: np.random.Generator) -> Iterator[Posed]:
    positive, negative, zero = known.hessian.inertia()
    vectors = written_matrix(_vectors(known.hessian), int(rng.choice([20, 53])))

    def statement(p: int, m: int, z: int) -> Statement:
        counts = {"positive": p, "negative": m, "zero": z, "evidence": {"vectors": vectors}}
        return {**known.statement("inertia", radius), **counts}

    # Of a family the counts are those of W, but that there is only one point is false.
    yield posed("inertia", True if exists else None, statement(positive, negative, zero))
    for p, m, z in ((1, -1, 0), (-1, 1, 0), (0, -1, 1), (0, 1, -1), (-1, 0, 1), (1, 0, -1)):
        wrong = (positive + p, negative + m, zero + z)
        if min(wrong) >= 0:
            yield posed("inertia, off by one", False, statement(*wrong))


def _rising(known: Known, posed: Any, radius: Fraction, exists: bool) -> Iterator[Posed]:
    H = known.hessian
    vectors = _vectors(H)
    ends = written_matrix(vectors[:, [-1, 0]])
    up = np.array(ends["integers"], float).reshape(-1, 2)[:, 0]
    entries = [Fraction(x) for x in np.ldexp(up, ends["exponent"])]
    rate = sum(
        (H.unit * H.whole[i][j] * x * y for i, x in enumerate(entries) for j, y in enumerate(entries)), Fraction(0)
    ) / sum(x * x for x in entries)
    for offset in (Fraction(-1, 10**6), Fraction(-1, 10**15), Fraction(0), Fraction(1, 10**15), Fraction(1, 10**6)):
        curvature = _short(rate * (1 + offset))
        if curvature < 0:
            continue
        rises = H.above(curvature) > 0 and (known.objective == "elbo" or H.inertia()[1] > 0)
        truth = False if not rises else True if exists else None
        name = "saddle" if offset < 0 else "saddle, too steep"
        yield posed(
            name,
            truth,
            {**known.statement("saddle", radius), "curvature": written(curvature), "evidence": {"vectors": ends}},
        )


def _short(x: Fraction) -> Fraction:
    """Near x, and short enough to be written: exact truth is asked of what is written."""
    return Fraction(float(x))
