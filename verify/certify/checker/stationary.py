"""Stationary points of pPCA and of the linear VAE near given matrices: there they are, and what they are.

Notation   L the log likelihood of pPCA, P the profile ELBO (over V and D), per datum, of W (n, k) and, where it is
           learned, of the noise s; C = W W^T + s I, M = W^T W + s I; S (n, n). x (N, 1) are W row by row, and then s
           if it is learned.
Main       check; Place, enclosed, derivatives, tangents, covariance.
Reference  docs/mathematics.md, 13.2, has the statements and proves what is used here.
"""

from fractions import Fraction
from itertools import combinations
from typing import Any, NamedTuple

from verify.arrays import Array
from verify.certify.checker.balls import Ball, ball, balls, diagonal, flint, inertia, precision, regular
from verify.certify.checker.numbers import exact, matrix
from verify.certify.checker.outcome import Outcome, Status, proved, refuted, undecided
from verify.certify.checker.subject import Subject
from verify.errors import InputError

LARGEST = 200  # coordinates
BITS = (128, 256, 512, 1024)  # the precisions, in turn
STEPS = 12  # that narrow a box: each squares its radius or finds an end, but around 0 there is none


class Place(NamedTuple):
    """Where a stationary point of P or L is said to be: every coordinate within `radius` of W, and of the noise."""

    of_elbo: bool
    W: Array
    noise: Fraction
    learned: bool
    radius: Fraction = Fraction(0)

    def coordinates(self) -> Ball:
        """x_0.  -> (N, 1)."""
        return flint().arb_mat([[ball(x)] for x in self.W.ravel().tolist() + [self.noise] * self.learned])

    def parts(self, x: Ball) -> tuple[Ball, Ball]:
        """W (n, k) and s of coordinates (N, 1)."""
        entries = x.entries() + ([] if self.learned else [ball(self.noise)])
        return flint().arb_mat(*self.W.shape, entries[:-1]), entries[-1]


def covariance(subject: Subject) -> Ball:
    """S, diag(spectrum) or within the enclosure.  -> (n, n)."""
    if (E := subject.enclosure) is not None:
        return balls(E.mid, E.radius) * ball(E.unit)
    return diagonal([ball(x) for x in subject.spectrum or ()])


def derivatives(place: Place, x: Ball, S: Ball) -> tuple[list[Ball], list[list[Ball]]]:
    """The gradient of L or P (N,) and its Hessian (N, N), row by row.

    dL/dW = R W and dL/ds = tr R / 2, R = C^-1 S C^-1 - C^-1; P has W K and tr K / 2 less, K = diag(M)^-1 - M^-1.
    """
    W, s = place.parts(x)
    (n, k), N, Wt = place.W.shape, x.nrows(), W.transpose()
    A, M = (W * Wt + diagonal([s] * n)).inv(), Wt * W + diagonal([s] * k)
    P, T, B, E = A * W, A * S * A, M.inv(), diagonal([1 / M[i, i] for i in range(k)])
    R, G, Q, K = T - A, A * (S * P - W), A * T + T * A - A * A, (E - B) * int(place.of_elbo)
    H = []
    for i in range(N):
        # Along x_i: dC = X W^T + W X^T + ds I, dR = -A dC R - R dC A - A dC A, so dR W = -A dC G - T dC P.
        X, ds = flint().arb_mat(n, k, [int(i == j) for j in range(n * k)]), int(i == n * k)
        dCG, dCP = (X * (Wt * Y) + W * (X.transpose() * Y) + ds * Y for Y in (G, P))
        dM = X.transpose() * W + Wt * X + diagonal([ds] * k)
        dK = (B * dM * B - E * diagonal([dM[j, j] for j in range(k)]) * E) * int(place.of_elbo)
        dW, dCQ = R * X - A * dCG - T * dCP - X * K - W * dK, (X.transpose() * Q * W).trace() + ds * Q.trace() / 2
        H.append([*dW.entries(), -dCQ - dK.trace() / 2][:N])
    return [*(G - W * K).entries(), (R.trace() - K.trace()) / 2][:N], H


def tangents(place: Place, x: Ball) -> Ball:
    """The gauge of L: W turned in the planes of two columns, one of them nonzero as given.  -> (N, g), of P (N, 0).

    Raises ZeroDivisionError where they are more than N, and so dependent.
    """
    W, (n, k) = place.parts(x)[0], place.W.shape
    pairs = [p for p in combinations(range(k), 2) if not place.of_elbo and place.W[:, p].any()]
    if len(pairs) > x.nrows():
        raise ZeroDivisionError("more tangents than coordinates are dependent")
    moved = [W[a, i] * (c == j) - W[a, j] * (c == i) for a in range(n) for c in range(k) for i, j in pairs]
    return flint().arb_mat(x.nrows(), len(pairs), moved + [0] * len(pairs) * place.learned)


def enclosed(place: Place, S: Ball) -> tuple[Outcome, Ball]:
    """Whether one stationary point is there with G^T (x - x_0) = 0, and x (N, 1) of balls that hold it, narrowed.

    Interval Newton for F(x) + G mu = 0, G^T (x - x_0) = 0: F the gradient, G the tangents of the gauge at x_0.
    Raises ZeroDivisionError where something cannot be told from singular.
    """
    x_0, mat, radius = place.coordinates(), flint().arb_mat, ball(place.radius)
    N, G = x_0.nrows(), tangents(place, x_0)

    def newton(x: Ball) -> Ball:
        m, H, Gt = x.mid(), derivatives(place, x, S)[1], G.transpose()
        F = derivatives(place, m, S)[0] + (Gt * (m - x_0)).entries()
        J = [h + g for h, g in zip(H, G.tolist(), strict=True)] + [g + [0] * G.ncols() for g in Gt.tolist()]
        return m - mat(N, 1, mat(J).solve(mat([[y] for y in F]), algorithm="precond").entries()[:N])

    x = mat([[y + radius * flint().arb(0, 1)] for y in x_0.entries()])
    if any(y != 0 for y in derivatives(place, x, S)[0]):
        return refuted("nowhere within the radius the gradient is 0"), x
    inner = newton(x)
    inside = all(abs(y) <= radius for y in (inner - x_0).entries()) and place.parts(x)[1] > 0
    if not inside or not regular(G.transpose() * tangents(place, inner)):
        return undecided("Newton's step may lead out of the radius, or the gauge's tangents be dependent"), x
    steps = STEPS
    while steps and 2 * max(y.rad() for y in inner.entries()) < max(y.rad() for y in x.entries()):
        x, inner, steps = inner, newton(inner), steps - 1
    return proved("one stationary point within the radius, on the slice across its gauge"), x


def check(statement: dict[str, Any], subject: Subject, precisions: tuple[int, ...] = BITS) -> Outcome:
    """Of the kind "stationary", "inertia" or "saddle" (docs/certificates.md).

    Raises InputError: malformed; KeyError and TypeError, which certificate.check catches: a field is missing.

    Of an inertia at least so many eigenvalues have to be positive, negative and 0, N together. Of a saddle one is above
    the curvature and, of L, one is negative: in (W, V, D) the ELBO falls along D wherever it is.
    """
    kind, objective, k, learned = *(statement[x] for x in ("kind", "objective", "k")), statement["sigma2"] == "learned"
    W, noise = matrix(statement["W"], exact), exact(statement["noise" if learned else "sigma2"])
    place = Place(objective == "elbo", W, noise, learned, exact(statement["radius"]))
    N, counts, V = W.size + learned, [1, int(not place.of_elbo), 0], W
    level = exact(statement["curvature"] if kind == "saddle" else "0")
    if kind == "inertia":
        counts = [statement[sign] for sign in ("positive", "negative", "zero")]
    if kind != "stationary":
        V = matrix(statement["evidence"]["vectors"], exact)
    whole = all(type(x) is int for x in [*counts, k]) and (kind != "inertia" or sum(counts) == N)
    shaped = W.shape == (subject.n, k) and N <= LARGEST and (kind == "stationary" or len(V) == N >= V.shape[1])
    known = kind in ("stationary", "inertia", "saddle") and objective in ("ppca", "elbo")
    if not (known and whole and shaped) or noise <= 0 or min(place.radius, level) < 0:
        raise InputError(f"W ({subject.n}, k) of ppca or elbo, noise > 0, all for {N} coordinates, at most {LARGEST}")
    for bits in precisions:
        with precision(bits):
            try:
                S = covariance(subject)
                outcome, x = enclosed(place, S)
                if kind != "stationary" and outcome.status is Status.PROVED:
                    H = flint().arb_mat(derivatives(place, x, S)[1])
                    outcome = _counted(H, tangents(place, x), balls(V), ball(level), counts)
            except ZeroDivisionError:
                outcome = undecided("singular as far as balls can tell: a flat direction, or too large a radius")
        if outcome.status is not Status.UNDECIDED:
            break
    return outcome


def _counted(H: Ball, Z: Ball, V: Ball, level: Ball, counts: list[int]) -> Outcome:
    """Whether at least so many eigenvalues are above the level, negative and 0."""
    found = inertia(H - diagonal([level] * H.nrows()), Z, V)[:1] + inertia(H, Z, V)[1:]
    said = "{} eigenvalues above the level (0, or the curvature), {} negative and {} zero".format(*found)
    if all(x >= y for x, y in zip(found, counts, strict=True)):
        return proved(said)
    if any(sum(found) - x + y > H.nrows() for x, y in zip(found, counts, strict=True)):
        return refuted(f"at least {said}")
    return undecided(f"only {said} are sure")
