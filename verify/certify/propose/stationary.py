"""Evidence that a matrix is near a stationary point, and of what kind that is: floats polished, and eigenvectors.

Notation   W (n, k), sigma2 the noise; H (N, N) the Hessian of L or of the profile ELBO P in W, and in sigma2 where it
           is learned; g the dimension of the gauge, the rotations of columns that leave L as it is.
Main       certify_point, certify_weights -> Certified.
Reference  docs/mathematics.md, section 13.

Nothing here is relied upon: the checker decides.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
import scipy.linalg

from verify.arrays import Array
from verify.certify.checker.balls import Ball, flint, precision
from verify.certify.checker.numbers import written
from verify.certify.checker.outcome import Outcome, Status, undecided
from verify.certify.checker.stationary import LARGEST, Place, check, covariance, derivatives, tangents
from verify.certify.checker.subject import Subject
from verify.certify.subjects import of_spectrum
from verify.errors import InputError
from verify.landscape.points import Point, weights

Statement = dict[str, Any]
_BITS = 256  # of the polish
_STEPS = 12
_RADII = tuple(2.0**-e for e in (12, 20, 28, 36, 44, 50, 60, 80, 100))  # of the largest entry, in turn


@dataclass(frozen=True)
class Certified:
    """What was tried on a point: stationary, inertia, saddle, as far as it came; and what is certain, None if nothing.

    kind: "maximum", "minimum" or "saddle" where the second derivatives decide it, else "undecided". The index and the
    nullity (gauge included) are of L or P in W, and in the noise if it is learned.
    """

    tried: tuple[tuple[Statement, Outcome], ...]
    index: int | None = None
    nullity: int | None = None
    kind: str = "undecided"

    @property
    def proved(self) -> list[Statement]:
        """The statements that hold."""
        return [statement for statement, outcome in self.tried if outcome.status is Status.PROVED]


def certify_point(spectrum: Sequence[Fraction], point: Point, learned: bool = False) -> Certified:
    """A point of landscape.stationary or landscape.families, of a bare spectrum (n,), descending.

    learned: stationary in the noise as well.
    """
    exact = tuple(spectrum)
    lam = np.array([float(x) for x in exact])
    noise = Fraction(point.noise.exact) if point.noise is not None and point.noise.exact is not None else point.sigma2
    W = weights(point, lam, np.eye(len(lam)))
    return certify_weights(of_spectrum(exact), point.objective, W, Fraction(noise), learned)


def certify_weights(subject: Subject, objective: str, W: Array, noise: Fraction, learned: bool = False) -> Certified:
    """Any W (n, k) near a stationary point of "ppca" or "elbo" at this noise.  Columns that are nearly 0 become 0."""
    if W.size + learned > LARGEST:
        unheard = undecided(f"{W.size} entries of W: stationary points are certified up to {LARGEST}")
        return Certified((({"kind": "stationary", "objective": objective}, unheard),))
    place = polished(Place(objective == "elbo", _straightened(W, objective), noise, learned), subject)
    stated = _stationary(place)
    tried = [_first_proved(place, subject, stated)]
    if tried[0][1].status is not Status.PROVED:
        return Certified(tuple(tried))
    stated = tried[0][0]
    H, Z = floats(place, subject)
    values, V = eigenvectors(H, Z)
    g = Z.shape[1]
    up, down = int((values > 0).sum()), int((values < 0).sum())
    counts = {"positive": up, "negative": down, "zero": g}
    inertia = stated | {"kind": "inertia"} | counts | {"evidence": {"vectors": written_rows(V)}}
    tried.append((inertia, check(inertia, subject)))
    sure = tried[1][1].status is Status.PROVED
    if up and (down or objective == "elbo"):
        tried.append(_saddle(stated, H, subject))
    if sure:
        minimum = down == 0 and objective == "ppca"
        kind = "maximum" if not up else "minimum" if minimum else "saddle"
        return Certified(tuple(tried), up, g, kind)
    risen = tried[-1][0]["kind"] == "saddle" and tried[-1][1].status is Status.PROVED
    return Certified(tuple(tried), kind="saddle" if risen else "undecided")


def _straightened(W: Array, objective: str) -> Array:
    """W with columns that are rounding set to 0; of L, turned so that they are columns."""
    if objective == "ppca" and np.count_nonzero(np.abs(W.T @ W - np.diag((W * W).sum(0)))):
        U, scales, _ = np.linalg.svd(W, full_matrices=False)
        W = np.zeros_like(W)
        W[:, : len(scales)] = U * scales
    small = np.abs(W).max(axis=0) <= 1e-12 * np.abs(W).max(initial=0.0)
    return np.where(small, 0.0, W)


def polished(place: Place, subject: Subject) -> Place:
    """Newton's steps at high precision, then rounded to doubles: a better W, and noise if it is learned."""
    with precision(_BITS):
        S, x = covariance(subject), place.coordinates()
        G = tangents(place, x)
        N, g = x.nrows(), G.ncols()
        for _ in range(_STEPS):
            F, row = derivatives(place, x, S)
            J = [row(i) + tangent for i, tangent in enumerate(G.tolist())]
            J += [tangent + [0] * g for tangent in G.transpose().tolist()]
            try:
                step = flint().arb_mat(J).mid().solve(flint().arb_mat([[y] for y in F + [0] * g]).mid())
            except ZeroDivisionError:
                return place
            moved = [float(y.mid()) for y in step.entries()[:N]]
            x = (x - flint().arb_mat(N, 1, step.entries()[:N])).mid()
            if not np.all(np.isfinite(moved)) or np.abs(moved).max(initial=0.0) > 0.1 * np.abs(place.W).max(initial=1.0):
                return place
            if np.abs(moved).max(initial=0.0) < 2.0**-120:
                break
        entries = np.array([float(y) for y in x.entries()])
    W = np.where(place.W == 0, 0.0, entries[: place.W.size].reshape(place.W.shape))
    noise = Fraction(float(entries[-1])) if place.learned else place.noise
    return replace(place, W=W, noise=noise)


def _stationary(place: Place) -> Statement:
    """The statement without its radius."""
    common = {"kind": "stationary", "objective": "elbo" if place.of_elbo else "ppca", "k": place.W.shape[1]}
    noise = {"sigma2": "learned", "noise": written(place.noise)} if place.learned else {"sigma2": written(place.noise)}
    return common | noise | {"W": written_rows(place.W)}


def written_rows(values: Array) -> list[list[str]]:
    """A matrix (n, m) with every digit, however its entries differ in size."""
    return [["0" if x == 0 else written(x) for x in row] for row in values.tolist()]


def _first_proved(place: Place, subject: Subject, stated: Statement) -> tuple[Statement, Outcome]:
    """With the largest radius that is proved, or the largest of all."""
    largest = float(np.abs(place.W).max(initial=0.0)) or float(place.noise) ** 0.5
    tried = []
    for radius in _RADII:
        statement = stated | {"radius": written(largest * radius)}
        tried.append((statement, check(statement, subject)))
        if tried[-1][1].status is Status.PROVED:
            return tried[-1]
    return tried[0]


def floats(place: Place, subject: Subject) -> tuple[Array, Array]:
    """H (N, N) and the gauge's tangents (N, g), each entry as good as a double can be."""
    with precision(_BITS):
        x = place.coordinates()
        row = derivatives(place, x, covariance(subject))[1]
        H = np.array([[float(y.mid()) for y in row(i)] for i in range(x.nrows())])
        Z = np.array([[float(y) for y in tangent] for tangent in tangents(place, x).tolist()]).reshape(len(H), -1)
    return (H + H.T) / 2, Z


def eigenvectors(H: Array, Z: Array) -> tuple[Array, Array]:
    """Signs (N - g,) of the eigenvalues of H beside those of Z, and V (N, N - g) with V^T H V nearly diagonal.

    H sends Z to 0, so its signs are those of the part of H in coordinates that with Z span everything: g are left out,
    those in which Z is farthest from singular. Scaled to a diagonal of about 1, what is small beside what is large
    keeps its digits.
    """
    N, g = Z.shape
    kept = np.sort(scipy.linalg.qr(Z.T, mode="r", pivoting=True)[1][g:]) if g else np.arange(N)
    part = H[np.ix_(kept, kept)]
    size = np.sqrt(np.abs(part).max(axis=0, initial=0.0))
    d = 1 / np.where(size > 0, size, 1.0)
    values, vectors = np.linalg.eigh(part * d[:, None] * d)
    V = np.zeros((N, len(kept)))
    V[kept] = d[:, None] * vectors
    return values, V


def _saddle(stated: Statement, H: Array, subject: Subject) -> tuple[Statement, Outcome]:
    """The steepest direction up, its curvature less a little, and the steepest down."""
    values, V = np.linalg.eigh(H)
    curvature = written(float(values[-1]) * (1 - 2.0**-30))
    statement = stated | {"kind": "saddle", "curvature": curvature, "evidence": {"vectors": written_rows(V[:, [-1, 0]])}}
    return statement, check(statement, subject)
