"""Evidence that a matrix is near a stationary point, and of what kind that is: floats polished, and eigenvectors.

Notation   W (n, k), sigma2 the noise; H (N, N) the Hessian of L or of the profile ELBO P in W, and in sigma2 where it
           is learned; g the dimension of the gauge, the rotations of columns that leave L as it is.
Main       certify_point, certify_weights -> Certified.
Reference  docs/mathematics.md, 13.2.

Nothing here is relied upon: the checker decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import scipy.linalg

from verify.arrays import Array
from verify.certify.checker.balls import Ball, balls, flint, precision
from verify.certify.checker.balls import inertia as signs
from verify.certify.checker.numbers import written
from verify.certify.checker.outcome import Outcome, Status, undecided
from verify.certify.checker.stationary import LARGEST, Place, check, covariance, derivatives, tangents
from verify.certify.checker.subject import Subject
from verify.certify.subjects import of_spectrum
from verify.eigenvalues import decimal
from verify.landscape.points import Point, constant_diagonal_rotation

Statement = dict[str, Any]
_BITS = 256  # of the polish
_STEPS = 12
# Bits of W, -log2 of the radii over the largest entry, and the precisions with which they are tried.
_TRIES = (
    (53, (12, 18, 24, 27, 30, 33, 36, 39, 42, 45, 48), (128,)),
    (128, (64, 90, 116), (256, 512)),
    (256, (150, 200), (512, 1024)),
)
_MARGINS = (2.0**-30, 2.0**-10, 0.5)  # by which the curvature of an escape is stated less than it is


@dataclass(frozen=True)
class Certified:
    """What was tried on a point: stationary, inertia, saddle, as far as it came; and what is certain, None if nothing.

    kind: "maximum", "minimum" or "saddle" where the second derivatives decide it, else "undecided". The index and the
    nullity (gauge included) are of L or P in W, and in the noise if it is learned. All is said of the point that the
    statements hold, in their radius: of another W, a thousandth of its largest entry away, it may be false.
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
    known = point.noise.exact if point.noise is not None else None
    noise = Fraction(known) if known is not None else decimal(point.sigma2)
    return certify_weights(of_spectrum(exact), point.objective, exact_weights(point, exact, noise), noise, learned)


def exact_weights(point: Point, lam: Sequence[Fraction], noise: Fraction) -> Array:
    """U_A (t - sigma2)^(1/2) Q_b block by block, to many digits (theory 1.2, 3.6), U = I.  -> (n, k) of fractions."""
    with mpmath.workprec(_BITS):
        W, s = np.full((len(lam), point.k), Fraction(0), dtype=object), _mpf(noise)
        for block, columns in zip(point.blocks, point.column_ranges(), strict=True):
            held, k = [_mpf(lam[a]) for a in block.eigen], block.columns
            if not held:
                continue
            r = mpmath.fsum(map(mpmath.sqrt, held))
            root = (r + mpmath.sqrt(r * r + 4 * k * block.zeros * s)) / (2 * k)
            scales = np.array([mpmath.sqrt(x) * root for x in held] + [s] * block.zeros, dtype=object)
            Q = constant_diagonal_rotation(scales, mpmath.mpf(2) ** (8 - _BITS), mpmath.sqrt)
            for row, a, t in zip(Q, block.eigen, scales, strict=False):
                W[a, list(columns)] = [_fraction(mpmath.sqrt(max(t - s, 0)) * x) for x in row]
        return W


def _mpf(x: Fraction) -> Any:
    return mpmath.mpf(x.numerator) / x.denominator


def _fraction(x: Any) -> Fraction:
    man, exp = mpmath.frexp(x)
    return Fraction(int(mpmath.nint(mpmath.ldexp(man, _BITS)))) * Fraction(2) ** (int(exp) - _BITS)


def _rounded(x: Fraction, bits: int) -> Fraction:
    """x to so many bits."""
    shift = bits - abs(x.numerator).bit_length() + x.denominator.bit_length()
    return Fraction(round(x * Fraction(2) ** shift)) / Fraction(2) ** shift


def certify_weights(subject: Subject, objective: str, W: Array, noise: Fraction, learned: bool = False) -> Certified:
    """Any W (n, k) near a stationary point of "ppca" or "elbo" at this noise.  Columns that are nearly 0 become 0."""
    if W.size + learned > LARGEST:
        unheard = undecided(f"{W.size} entries of W: stationary points are certified up to {LARGEST}")
        return Certified((({"kind": "stationary", "objective": objective}, unheard),))
    place = polished(Place(objective == "elbo", _straightened(W, objective), noise, learned), subject)
    first = _first_proved(place, subject)
    tried = [first]
    if first[1].status is not Status.PROVED:
        return Certified((first,))
    with precision(_BITS):
        x = place.coordinates()
        H, Z = flint().arb_mat(derivatives(place, x, covariance(subject))[1]), tangents(place, x)
        V, g = eigenvectors(floats(H), floats(Z)), Z.ncols()
        up, down, _ = signs(H, Z, balls(V))
        if up + down + g != len(V):
            V = orthogonalised(H, V)
            up = signs(H, Z, balls(V))[0]
            down = len(V) - g - up
    counts = {"positive": up, "negative": down, "zero": g}
    inertia = first[0] | {"kind": "inertia"} | counts | {"evidence": {"vectors": written_rows(V)}}
    tried.append((inertia, check(inertia, subject)))
    if up and (down or place.of_elbo):
        tried.append(_saddle(first[0], floats(H), subject))
    if tried[1][1].status is Status.PROVED:
        kind = "maximum" if not up else "minimum" if not down and not place.of_elbo else "saddle"
        return Certified(tuple(tried), up, g, kind)
    risen = tried[-1][0]["kind"] == "saddle" and tried[-1][1].status is Status.PROVED
    return Certified(tuple(tried), kind="saddle" if risen else "undecided")


def _straightened(W: Array, objective: str) -> Array:
    """W as fractions, with columns that are rounding set to 0; of L, turned so that they are columns."""
    near = W.astype(np.float64)
    gram = near.T @ near
    if objective == "ppca" and np.count_nonzero(np.abs(gram - np.diag(gram.diagonal())) > 1e-14 * np.abs(gram).max()):
        U, scales, _ = np.linalg.svd(near, full_matrices=False)
        W = np.zeros_like(near)
        W[:, : len(scales)] = U * scales
        W[:, : len(scales)][:, scales <= 1e-12 * scales[0]] = 0.0
    return np.frompyfunc(Fraction, 1, 1)(W)


def polished(place: Place, subject: Subject) -> Place:
    """Newton's steps at high precision, as far as they lead nowhere else: a better W, and noise if it is learned."""
    with precision(_BITS):
        try:
            x = _newton(place, covariance(subject))
        except ZeroDivisionError:
            return place
        if x is None:
            return place
        entries = [_of_ball(y) for y in x.entries()]
    W = np.array(entries[: place.W.size], dtype=object).reshape(place.W.shape)
    return place._replace(W=W, noise=entries[-1] if place.learned else place.noise)


def _newton(place: Place, S: Ball) -> Ball | None:
    """Coordinates (N, 1) where Newton's steps end, None where they lead away.  Raises ZeroDivisionError: singular."""
    start = x = place.coordinates()
    G, N = tangents(place, x), x.nrows()
    farthest = 1e-3 * max(map(abs, place.W.ravel().tolist()))
    for _ in range(_STEPS):
        F, H = derivatives(place, x, S)
        F += (G.transpose() * (x - start)).entries()
        J = [row + tangent for row, tangent in zip(H, G.tolist(), strict=True)]
        J += [tangent + [0] * G.ncols() for tangent in G.transpose().tolist()]
        step = flint().arb_mat(J).mid().solve(flint().arb_mat([[y] for y in F]).mid()).entries()[:N]
        x = (x - flint().arb_mat([[y] for y in step])).mid()
        moved = max(float(abs(y).upper()) for y in (x - start).entries()[: place.W.size])
        if not moved <= farthest:
            return None
        if max(float(abs(y).upper()) for y in step) < 2.0**-200:
            break
    return x


def _of_ball(x: Ball) -> Fraction:
    man, exp = x.mid().man_exp()
    return Fraction(int(man)) * Fraction(2) ** int(exp)


def _shortened(place: Place, bits: int) -> Place:
    W = np.frompyfunc(lambda x: _rounded(x, bits), 1, 1)(place.W)
    return place._replace(W=W, noise=_rounded(place.noise, bits) if place.learned else place.noise)


def _stationary(place: Place) -> Statement:
    """The statement without its radius."""
    common = {"kind": "stationary", "objective": "elbo" if place.of_elbo else "ppca", "k": place.W.shape[1]}
    noise = {"sigma2": "learned", "noise": written(place.noise)} if place.learned else {"sigma2": written(place.noise)}
    return common | noise | {"W": written_rows(place.W)}


def written_rows(values: Array) -> list[list[str]]:
    """A matrix (n, m) with every digit, however its entries differ in size."""
    return [["0" if x == 0 else written(x) for x in row] for row in values.tolist()]


def _first_proved(place: Place, subject: Subject) -> tuple[Statement, Outcome]:
    """In doubles, else in longer numbers; with the largest radius that is proved, or the first attempt."""
    largest = float(max(map(abs, place.W.ravel().tolist()))) or float(place.noise) ** 0.5
    tried = []
    for bits, radii, precisions in _TRIES:
        stated = _stationary(_shortened(place, bits))
        for radius in radii:
            statement = stated | {"radius": written(largest * 2.0**-radius)}
            tried.append((statement, check(statement, subject, precisions)))
            if tried[-1][1].status is Status.PROVED:
                return tried[-1]
    return tried[0]


def floats(A: Ball) -> Array:
    """A ball matrix (n, m) as doubles, each entry as good as a double can be."""
    return np.array([[float(y.mid()) for y in row] for row in A.tolist()]).reshape(A.nrows(), A.ncols())


def eigenvectors(H: Array, Z: Array) -> Array:
    """V (N, N - g) with V^T H V nearly diagonal, and independent of Z.

    H sends Z to 0, so its signs are those of the part of H in coordinates that with Z span everything: g are left out,
    those in which Z is farthest from singular. Scaled to a diagonal of about 1, what is small beside what is large
    keeps its digits.
    """
    N, g = Z.shape
    kept = np.sort(scipy.linalg.qr(Z.T, mode="r", pivoting=True)[1][g:]) if g else np.arange(N)
    part = H[np.ix_(kept, kept)]
    size = np.sqrt(np.abs(part).max(axis=0, initial=0.0))
    d = 1 / np.where(size > 0, size, 1.0)
    part = part * d[:, None] * d
    vectors = np.linalg.eigh((part + part.T) / 2)[1]
    V = np.zeros((N, len(kept)))
    V[kept] = d[:, None] * vectors
    return V


def orthogonalised(H: Ball, V: Array) -> Array:
    """V (N, m) with V^T H V diagonal to many digits, where doubles are too short: those of the largest |A_jj| first."""
    form = balls(V).transpose() * H * balls(V)
    done: list[tuple[Ball, Ball, Ball]] = []
    for j in sorted(range(V.shape[1]), key=lambda j: -abs(float(form[j, j].mid()))):
        v = balls(V[:, [j]])
        for w, Hw, a in done:
            v = (v - w * ((Hw.transpose() * v)[0, 0] / a)).mid()
        Hv = (H * v).mid()
        if (a := (v.transpose() * Hv)[0, 0].mid()) != 0:
            done.append((v, Hv, a))
    columns = [[_rounded(_of_ball(y), _BITS // 2) for y in v.entries()] for v, _, _ in done]
    return np.array(columns, dtype=object).T


def _saddle(stated: Statement, H: Array, subject: Subject) -> tuple[Statement, Outcome]:
    """The steepest direction up, its curvature less a little, and the steepest down."""
    values, V = np.linalg.eigh((H + H.T) / 2)
    vectors = {"evidence": {"vectors": written_rows(V[:, [0, -1][-len(V) :]])}}
    for margin in _MARGINS:
        curvature = written(max(float(values[-1]), 0.0) * (1 - margin))
        statement = stated | {"kind": "saddle", "curvature": curvature} | vectors
        outcome = check(statement, subject)
        if outcome.status is Status.PROVED:
            break
    return statement, outcome
