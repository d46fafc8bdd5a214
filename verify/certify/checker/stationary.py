"""Stationary points of pPCA and of the linear VAE near given matrices: there they are, and what they are.

Notation   L the log likelihood of pPCA, P the profile ELBO (over V and D), per datum, of W (n, k) and, where it is
           learned, of the noise s; C = W W^T + s I, M = W^T W + s I; S (n, n). x (N, 1): W row by row, then s if learned.
Main       check; Place, enclosed, derivatives, tangents, covariance.
Reference  docs/mathematics.md, section 13, has the statements and proves what is used here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import Any

from verify.arrays import Array
from verify.certify.checker.balls import Ball, ball, balls, diagonal, flint, inertia, precision, regular
from verify.certify.checker.numbers import exact, matrix
from verify.certify.checker.outcome import Outcome, Status, proved, refuted, undecided
from verify.certify.checker.subject import Subject
from verify.errors import InputError

LARGEST = 200  # coordinates
BITS = (128, 256, 512, 1024)  # the precisions, in turn


@dataclass(frozen=True, eq=False)
class Place:
    """Where a stationary point of P, or of L, is said to be: within `radius` of W, and of the noise if it is learned."""

    of_elbo: bool
    W: Array
    noise: Fraction
    learned: bool
    radius: Fraction = Fraction(0)

    def coordinates(self) -> Ball:
        """x_0, exactly.  -> (N, 1)."""
        return flint().arb_mat([[ball(x)] for x in self.W.ravel().tolist() + [self.noise] * self.learned])

    def parts(self, x: Ball) -> tuple[Ball, Ball]:
        """W (n, k) and s of coordinates (N, 1)."""
        entries = x.entries() + ([] if self.learned else [ball(self.noise)])
        return flint().arb_mat(*self.W.shape, entries[:-1]), entries[-1]


def covariance(subject: Subject) -> Ball:
    """S, diag(spectrum) or within the enclosure.  -> (n, n)."""
    if subject.enclosure is not None:
        return balls(subject.enclosure.mid, subject.enclosure.radius) * ball(subject.enclosure.unit)
    return diagonal([ball(x) for x in subject.spectrum or ()])


def derivatives(place: Place, x: Ball, S: Ball) -> tuple[list[Ball], Callable[[int], list[Ball]]]:
    """The gradient of L or P (N,), and as a function the rows of the Hessian (N,).

    dL/dW = R W and dL/ds = tr R / 2, R = C^-1 S C^-1 - C^-1; P has W K and tr K / 2 less, K = diag(M)^-1 - M^-1.
    """
    W, s = place.parts(x)
    (n, k), N, Wt = place.W.shape, x.nrows(), W.transpose()
    A, M = (W * Wt + diagonal([s] * n)).inv(), Wt * W + diagonal([s] * k)
    T = A * S * A
    R, B, E = T - A, M.inv(), diagonal([1 / M[i, i] for i in range(k)])
    G, P, Q, K = R * W, A * W, A * T + T * A - A * A, (E - B) * int(place.of_elbo)

    def row(i: int) -> list[Ball]:
        # Along x_i: dC = X W^T + W X^T + ds I, dR = -A dC R - R dC A - A dC A, so dR W = -A dC G - T dC P.
        X, ds = flint().arb_mat(n, k, [int(i == j) for j in range(n * k)]), int(i == n * k)
        Xt = X.transpose()
        dCG, dCP = (X * (Wt * Y) + W * (Xt * Y) + ds * Y for Y in (G, P))
        dM = Xt * W + Wt * X + diagonal([ds] * k)
        dK = (B * dM * B - E * diagonal([dM[j, j] for j in range(k)]) * E) * int(place.of_elbo)
        D = R * X - A * dCG - T * dCP - X * K - W * dK
        return [*D.entries(), -(Xt * Q * W).trace() - (ds * Q.trace() + dK.trace()) / 2][:N]

    return [*(G - W * K).entries(), (R.trace() - K.trace()) / 2][:N], row


def tangents(place: Place, x: Ball) -> Ball:
    """The gauge of L: W turned in the planes of columns i, j, where one is given as nonzero.  -> (N, g), of P (N, 0)."""
    W, (n, k) = place.parts(x)[0], place.W.shape
    pairs = [p for p in combinations(range(k), 2) if not place.of_elbo and place.W[:, p].any()]
    rows = [[W[a, i] * (c == j) - W[a, j] * (c == i) for i, j in pairs] for a in range(n) for c in range(k)]
    return flint().arb_mat(x.nrows(), len(pairs), sum(rows, []) + [0] * len(pairs) * place.learned)


def enclosed(place: Place, S: Ball) -> tuple[Outcome, Ball]:
    """Whether one stationary point is there, with G^T (x - x_0) = 0, and x of balls that hold it, narrowed.

    Interval Newton for F(x) + G mu = 0, G^T (x - x_0) = 0: F the gradient, G the tangents of the gauge at x_0.
    Raises ZeroDivisionError where something cannot be told from singular.
    """
    x_0, mat, radius = place.coordinates(), flint().arb_mat, ball(place.radius)
    N, G = x_0.nrows(), tangents(place, x_0)
    x = mat([[y + radius * flint().arb(0, 1)] for y in x_0.entries()])
    if any(y != 0 for y in derivatives(place, x, S)[0]):
        return refuted("nowhere within the radius the gradient is 0"), x

    def newton(x: Ball) -> Ball:
        m, row = x.mid(), derivatives(place, x, S)[1]
        F = derivatives(place, m, S)[0] + (G.transpose() * (m - x_0)).entries()
        J = [row(i) + g for i, g in enumerate(G.tolist())] + [g + [0] * G.ncols() for g in G.transpose().tolist()]
        return m - mat(N, 1, mat(J).solve(mat([[y] for y in F])).entries()[:N])

    inner = newton(x)
    if not all(abs(y) <= radius for y in (inner - x_0).entries()):
        return undecided("Newton's step from within the radius may lead out of it"), x
    if not regular(G.transpose() * tangents(place, inner)):
        return undecided("the tangents of the gauge may be dependent"), x
    while 2 * max(y.rad() for y in inner.entries()) < max(y.rad() for y in x.entries()):
        x, inner = inner, newton(inner)
    return proved(f"one stationary point, up to its gauge, within {float(place.radius):.1e}"), x


def check(statement: dict[str, Any], subject: Subject) -> Outcome:
    """The kinds "stationary": "objective", "sigma2", "k", "W", "radius", and "noise" where sigma2 is "learned";
    "inertia", of the Hessian of L or P there: "positive", "negative", "zero" too, and "evidence": {"vectors": (N, m)};
    "saddle": "curvature" too, the Hessian has an eigenvalue above it, and L a negative one: "evidence" the same.
    """
    try:
        kind, objective, noise = statement["kind"], statement["objective"], statement["sigma2"]
        W, k, radius, learned = matrix(statement["W"]), statement["k"], exact(statement["radius"]), noise == "learned"
        place = Place(objective == "elbo", W, exact(statement["noise"] if learned else noise), learned, radius)
        counts = tuple(statement[x] for x in ("positive", "negative", "zero")) if kind == "inertia" else ()
        level = exact(statement["curvature"]) if kind == "saddle" else Fraction(0)
        V = matrix(statement["evidence"]["vectors"]) if kind != "stationary" else W
    except (TypeError, KeyError):
        raise InputError("it lacks something that it has to say: docs/certificates.md") from None
    N = W.size + learned
    if objective not in ("ppca", "elbo") or W.shape != (subject.n, k) or place.noise <= 0 or min(radius, level) < 0:
        raise InputError(f"of ppca or elbo, W has {subject.n} rows of k, sigma2 > 0, radius and curvature are >= 0")
    if any(type(x) is not int for x in counts) or (kind != "stationary" and (len(V) != N or V.shape[1] > N)):
        raise InputError(f"counts are whole numbers, and each of at most {N} vectors has {N} entries")
    if N > LARGEST:
        return undecided(f"{N} coordinates are more than the {LARGEST} that this checker tries")
    outcome = undecided("no precision")
    for bits in BITS:
        with precision(bits):
            try:
                S = covariance(subject)
                outcome, x = enclosed(place, S)
                if kind != "stationary" and outcome.status is Status.PROVED:
                    row = derivatives(place, x, S)[1]
                    H, Z, vectors = flint().arb_mat([row(i) for i in range(N)]), tangents(place, x), balls(V)
                    found = inertia(H, Z, vectors)
                    above = inertia(H - diagonal([ball(level)] * N), Z, vectors)[0]
                    outcome = _counted(found, counts, N) if counts else _risen(above, found[1], place.of_elbo)
            except ZeroDivisionError:
                outcome = undecided("singular as far as balls can tell: a flat direction, or too large a radius")
        if outcome.status is not Status.UNDECIDED:
            break
    return outcome


def _counted(found: tuple[int, ...], counts: tuple[int, ...], N: int) -> Outcome:
    said = "{} positive, {} negative and {} zero eigenvalues".format(*found)
    if any(x > y for x, y in zip(found, counts, strict=True)) or sum(counts) != N:
        return refuted(f"at least {said}")
    return proved(said) if found == counts else undecided(f"only {said} are sure")


def _risen(above: int, falling: int, of_elbo: bool) -> Outcome:
    if above and (falling or of_elbo):
        return proved("a saddle: a direction rises at least so fast, another falls")
    return undecided("the vectors show no direction that rises so fast, or none that falls")
