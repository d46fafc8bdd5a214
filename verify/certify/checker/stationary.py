"""Stationary points of pPCA and of the linear VAE near given matrices: there they are, and what they are.

Notation   L the log likelihood of pPCA, P the profile ELBO (over V and D), per datum, of W (n, k) and, where it is
           learned, of the noise s; C = W W^T + s I, M = W^T W + s I; S (n, n). Coordinates: W row by row, then s.
           A column of W that is given as 0 stays 0; the others are live.
Main       check_stationary, check_inertia, check_saddle; enclosed, hessian, derivatives, tangents, place_of.
Reference  docs/mathematics.md, section 13, has the statements and proves what is used here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import Any

from verify.arrays import Array
from verify.certify.checker.balls import Ball, ball, balls, flint, identity, inertia, precision
from verify.certify.checker.numbers import exact, matrix
from verify.certify.checker.outcome import Outcome, Status, proved, refuted, undecided
from verify.certify.checker.subject import Subject
from verify.errors import InputError

LARGEST = 200  # entries of W
BITS = (128, 256, 512, 1024)  # the precisions, in turn
Question = Callable[[Ball, Ball, Ball], Outcome]  # of H (N, N), the tangents Z (N, g) and W of balls


@dataclass(frozen=True, eq=False)
class Place:
    """Where a stationary point of "ppca" or "elbo" is said to be: within `radius` of W, and of the noise if learned."""

    objective: str
    W: Array
    noise: Fraction
    learned: bool
    radius: Fraction


def covariance(subject: Subject) -> Ball:
    """S, diag(spectrum) or within the enclosure.  -> (n, n)."""
    if subject.enclosure is not None:
        return balls(subject.enclosure.mid, subject.enclosure.radius) * ball(subject.enclosure.unit)
    return _diagonal([ball(x) for x in subject.spectrum or ()])


def _diagonal(entries: list[Ball]) -> Ball:
    return flint().arb_mat([[x if i == j else 0 for j in range(len(entries))] for i, x in enumerate(entries)])


def derivatives(W: Ball, s: Ball, S: Ball, of_elbo: bool) -> tuple[list[Ball], Callable[[Ball, int], list[Ball]]]:
    """The gradient of L or P in (W, s), and as a function its derivative along (X, ds), X (n, k).

    dL/dW = R W and dL/ds = tr R / 2, R = C^-1 S C^-1 - C^-1; P has W K and tr K / 2 less, K = diag(M)^-1 - M^-1.
    """
    n, k, Wt = W.nrows(), W.ncols(), W.transpose()
    A, M = (W * Wt + identity(n, s)).inv(), Wt * W + identity(k, s)
    T = A * S * A
    R = T - A
    G, P, Q = R * W, A * W, A * T + T * A - A * A
    B, E = M.inv(), _diagonal([1 / M[i, i] for i in range(k)])
    K = E - B

    def along(X: Ball, ds: int) -> list[Ball]:
        # With dC = X W^T + W X^T + ds I: dR = -A dC R - R dC A - A dC A, so dR W = -A dC G - T dC P and tr dR = -tr dC Q.
        Xt = X.transpose()
        first, second = (X * (Wt * Y) + W * (Xt * Y) + ds * Y for Y in (G, P))
        D, rise = R * X - A * first - T * second, -(Xt * Q * W).trace() - ds * Q.trace() / 2
        if of_elbo:
            dM = Xt * W + Wt * X + identity(k, ds)
            dK = B * dM * B - E * _diagonal([dM[i, i] for i in range(k)]) * E
            D, rise = D - X * K - W * dK, rise - dK.trace() / 2
        return [*D.entries(), rise]

    gradient, slope = (G - W * K, R.trace() - K.trace()) if of_elbo else (G, R.trace())
    return [*gradient.entries(), slope / 2], along


def hessian(W: Ball, s: Ball, S: Ball, of_elbo: bool, N: int) -> Ball:
    """The Hessian in the first N coordinates, nk or nk + 1.  -> (N, N)."""
    m, along = W.nrows() * W.ncols(), derivatives(W, s, S, of_elbo)[1]
    units = (flint().arb_mat(W.nrows(), W.ncols(), [int(i == j) for j in range(m)]) for i in range(N))
    return flint().arb_mat([along(X, int(i == m))[:N] for i, X in enumerate(units)])


def tangents(W: Ball, pairs: list[tuple[int, int]], N: int) -> Ball:
    """W turned in the planes of two columns i, j: column j moves by w_i, column i by -w_j.  -> (N, len(pairs))."""
    n, k = W.nrows(), W.ncols()
    rows = [[W[a, i] * (c == j) - W[a, j] * (c == i) for i, j in pairs] for a in range(n) for c in range(k)]
    return flint().arb_mat(N, len(pairs), sum(rows, []) + [0] * len(pairs) * (N - n * k))


def enclosed(place: Place, S: Ball) -> tuple[Outcome, Ball, Ball]:
    """Whether one stationary point is there, and W (n, k) and s of balls that hold it, narrowed.

    Interval Newton for F(x) + G mu = 0, G^T (x - x_0) = 0: F the gradient, G the tangents at the x_0 that is given.
    Raises ZeroDivisionError where something cannot be told from singular.
    """
    (n, k), of_elbo, mat = place.W.shape, place.objective == "elbo", flint().arb_mat
    live = [j for j in range(k) if place.W[:, j].any()]
    q, N, radius = len(live), n * len(live) + place.learned, ball(place.radius)
    pairs = [] if of_elbo else list(combinations(range(q), 2))
    start = mat(N, 1, [ball(x) for x in [*place.W[:, live].ravel().tolist(), place.noise][:N]])

    def parts(x: Ball) -> tuple[Ball, Ball]:
        return mat(n, q, x.entries()[: n * q]), x[N - 1, 0] if place.learned else ball(place.noise)

    def whole(x: Ball) -> tuple[Ball, Ball]:
        W = parts(x)[0]
        return mat(n, k, [W[a, live.index(j)] if j in live else 0 for a in range(n) for j in range(k)]), parts(x)[1]

    G = tangents(parts(start)[0], pairs, N)
    borders = [row + [0] * len(pairs) for row in G.transpose().tolist()] if pairs else []

    def newton(x: Ball) -> Ball:
        m, H = x.mid(), hessian(*parts(x), S, of_elbo, N)
        F = derivatives(*parts(m), S, of_elbo)[0][:N] + (G.transpose() * (m - start)).entries()
        J = mat([h + g for h, g in zip(H.tolist(), G.tolist(), strict=True)] + borders)
        return m - mat(N, 1, J.solve(mat(len(F), 1, F)).entries()[:N])

    x = start + mat(N, 1, [radius * flint().arb(0, 1)] * N)
    if any(y != 0 for y in derivatives(*parts(x), S, of_elbo)[0][:N]):
        return refuted("nowhere within the radius the gradient is 0"), *whole(x)
    inner = newton(x) if N else x
    if not all(abs(y) <= radius for y in (inner - start).entries()):
        return undecided("Newton's step from within the radius may lead out of it"), *whole(x)
    if pairs and not (G.transpose() * tangents(parts(inner)[0], pairs, N)).det() != 0:
        return undecided("the tangents of the gauge may be dependent"), *whole(x)
    while N and 2 * _width(inner) < _width(x):
        x, inner = inner, newton(inner)
    return proved(f"one stationary point, up to its gauge, within {float(place.radius):.1e}"), *whole(x)


def _width(x: Ball) -> Ball:
    return max(y.rad() for y in x.entries())


def check_stationary(statement: dict[str, Any], subject: Subject) -> Outcome:
    """{"objective", "sigma2", "k", "W", "radius"}, and "noise" where sigma2 is "learned"."""
    return _decided(place_of(statement, subject), subject, None)


def check_inertia(statement: dict[str, Any], subject: Subject) -> Outcome:
    """As above, and "positive", "negative", "zero", counted; "evidence": {"vectors": (N, m)}."""
    place = place_of(statement, subject)
    try:
        claimed = tuple(statement[sign] for sign in ("positive", "negative", "zero"))
        V = matrix(statement["evidence"]["vectors"])
    except (TypeError, KeyError):
        raise InputError("it lacks positive, negative, zero, or the vectors of its evidence") from None
    N = place.W.size + place.learned
    if any(type(x) is not int or x < 0 for x in claimed) or len(V) != N or V.shape[1] > N:
        raise InputError(f"three counts are >= 0, and each of at most {N} vectors has {N} entries")

    def question(H: Ball, Z: Ball, W: Ball) -> Outcome:
        found = inertia(H, Z, balls(V))
        if any(x > most for x, most in zip(found, claimed, strict=True)):
            return refuted("at least {} positive, {} negative and {} zero eigenvalues".format(*found))
        if found == claimed and sum(found) == N:
            return proved("{} positive, {} negative and {} zero eigenvalues".format(*found))
        return undecided("only {} positive, {} negative and {} zero eigenvalues are sure".format(*found))

    return _decided(place, subject, question)


def check_saddle(statement: dict[str, Any], subject: Subject) -> Outcome:
    """As above, and "curvature" >= 0; "evidence": {"up": (N, 1)}, and of ppca "down": (N, 1).

    The second derivative along up exceeds curvature |up|^2, and along down it is < 0: the ELBO's along D always is.
    """
    place = place_of(statement, subject)
    try:
        curvature, evidence = exact(statement["curvature"]), statement["evidence"]
        directions = [matrix(evidence[name]) for name in ("up", "down")[: 1 + (place.objective == "ppca")]]
    except (TypeError, KeyError):
        raise InputError("it lacks its curvature, or the directions of its evidence") from None
    N = place.W.size + place.learned
    if curvature < 0 or any(v.shape != (N, 1) for v in directions):
        raise InputError(f"the curvature is >= 0, and a direction has {N} rows of one entry")

    def question(H: Ball, Z: Ball, W: Ball) -> Outcome:
        up, *down = ((v.transpose() * H * v)[0, 0] for v in map(balls, directions))
        if up > ball(curvature) * sum(ball(x) ** 2 for x in directions[0].ravel().tolist()) and all(x < 0 for x in down):
            return proved(f"a saddle: it rises with curvature more than {float(curvature):.3g}")
        return undecided("the direction that is given does not surely rise so fast, or the other does not surely fall")

    return _decided(place, subject, question)


def place_of(statement: dict[str, Any], subject: Subject) -> Place:
    """What a statement says of where the point is.  Raises InputError."""
    try:
        objective, noise, radius = statement["objective"], statement["sigma2"], exact(statement["radius"])
        W, k, learned = matrix(statement["W"]), statement["k"], noise == "learned"
        noise = exact(statement["noise"]) if learned else exact(noise)
    except (TypeError, KeyError):
        raise InputError("it lacks its objective, sigma2, k, W, radius, or the noise that is learned") from None
    if objective not in ("ppca", "elbo") or W.shape != (subject.n, k) or noise <= 0 or radius < 0:
        raise InputError(f"of ppca or elbo, W has {subject.n} rows of k entries, sigma2 > 0 and radius >= 0")
    return Place(objective, W, noise, learned, radius)


def _decided(place: Place, subject: Subject, question: Question | None) -> Outcome:
    n, k, N = *place.W.shape, place.W.size + place.learned
    if place.W.size > LARGEST:
        return undecided(f"W has more than {LARGEST} entries, which is more than this checker tries")
    pairs = [(i, j) for i, j in combinations(range(k), 2) if place.W[:, [i, j]].any()]
    outcome = undecided("")
    for bits in BITS:
        with precision(bits):
            try:
                S = covariance(subject)
                outcome, W, s = enclosed(place, S)
                if outcome.status is Status.PROVED and question is not None:
                    H = hessian(W, s, S, place.objective == "elbo", N)
                    outcome = question(H, tangents(W, pairs if place.objective == "ppca" else [], N), W)
            except ZeroDivisionError:
                outcome = undecided("singular, as far as balls can tell: a flat direction, or too large a radius")
        if outcome.status is not Status.UNDECIDED:
            break
    return outcome
