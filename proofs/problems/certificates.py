"""Stationary points as closed forms have them, put to the checker of certificates: exact spectra that are hard.

Notation   lam (n,) fractions, descending, S = diag(lam); A the retained indices, q of them, k columns; noise s > 0.
           x (N, 1) holds W row by row, and then s if it is learned; H (N, N) the Hessian of L or P there.
Main       Landscape, LANDSCAPES, retained_sets, joint_sets, index, gauge, plain, isolated, Stated, along;
           log_likelihood, elbo.
Reference  docs/mathematics.md, 13.2: what the checker proves.

W is rounded to 256 bits from its closed form and not improved: that a stationary point lies within 2^-160 of it, and
what it is, is decided in balls.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import combinations
from typing import Any

from proofs.machinery.checks import certified
from verify.arrays import Array
from verify.certify.checker.balls import Ball, diagonal, flint, precision
from verify.certify.checker.numbers import written
from verify.certify.checker.outcome import Outcome
from verify.certify.checker.stationary import Place, check, covariance, derivatives, enclosed, tangents
from verify.certify.checker.subject import Subject
from verify.certify.propose.stationary import eigenvectors, exact_weights, floats, written_rows
from verify.certify.subjects import of_spectrum
from verify.landscape.points import Block, Point, ordered

RADIUS = Fraction(1, 2**160)
BITS = 512  # with which everything is decided


@dataclass(frozen=True)
class Landscape:
    """A spectrum, a noise that none of it equals, and the number of columns."""

    lam: tuple[Fraction, ...]
    noise: Fraction
    k: int

    @property
    def n(self) -> int:
        return len(self.lam)

    @property
    def top(self) -> tuple[int, ...]:
        """What the optimum retains, from 0: the first k, as far as they exceed the noise."""
        return tuple(range(min(self.k, sum(x > self.noise for x in self.lam))))


def _landscape(lam: str, noise: str, k: int) -> Landscape:
    return Landscape(tuple(map(Fraction, lam.split())), Fraction(noise), k)


LANDSCAPES = {
    "ties split by 1e-12": _landscape("3 2.000000000001 2 1/2", "7/10", 2),
    "a noise between two, 1e-9 away": _landscape("2 1.000000001 0.999999999 1/5", "1", 2),
    "nine decades": _landscape("1000000 1000 1 1/1000", "1/10", 3),
    # The covariances (divided by N) of iris, and the first ones of digits/16.
    "iris": _landscape("4.200053427994632 0.2410529429424428 0.07768810337596686 0.02367619235362593", "1/20", 3),
    "digits": _landscape(
        "0.6988567022640989 0.6391665653682623 0.5535528759080716 0.3947035724999886 0.2713846980240791", "0.3", 2
    ),
}


def retained_sets(at: Landscape) -> Iterator[tuple[int, ...]]:
    """The A of all stationary points of L at this noise: at most k of the lam_a > s (Proposition 2)."""
    above = [a for a, x in enumerate(at.lam) if x > at.noise]
    for q in range(min(at.k, len(above)) + 1):
        yield from combinations(above, q)


def noise_at_rest(at: Landscape, A: tuple[int, ...]) -> Fraction:
    """The mean of the discarded eigenvalues (Proposition 4)."""
    unused = [x for j, x in enumerate(at.lam) if j not in A]
    return sum(unused, Fraction(0)) / len(unused)


def joint_sets(at: Landscape) -> Iterator[tuple[int, ...]]:
    """The A of all joint stationary points of L, q < n: every lam_a exceeds the mean of the others."""
    for q in range(min(at.k, at.n - 1) + 1):
        for A in combinations(range(at.n), q):
            if all(at.lam[a] > noise_at_rest(at, A) for a in A):
                yield A


def plain(objective: str, A: tuple[int, ...], k: int) -> Point:
    """The point that retains A by one column each.  Its noise is said elsewhere, exactly."""
    return Point(objective, ordered([Block((a,)) for a in A], k), 0.0, 0.0)


def index(at: Landscape, A: tuple[int, ...], noise: Fraction) -> int:
    """sum_A #{discarded lam_j > lam_a} + (k - q) #{discarded lam_j > s} (Proposition 3)."""
    outside = [x for j, x in enumerate(at.lam) if j not in A]
    return sum(x > at.lam[a] for a in A for x in outside) + (at.k - len(A)) * sum(x > noise for x in outside)


def gauge(at: Landscape, A: tuple[int, ...]) -> int:
    """q (q - 1)/2 + q (k - q): the dimension of the orbit of the W Q."""
    q = len(A)
    return q * (q - 1) // 2 + q * (at.k - q)


def isolated(point: Point) -> bool:
    """Whether no block of a point of P can be turned into others: the zeros inside each are none (Proposition 9)."""
    for b in point.blocks:
        q, k = len(b.eigen), b.columns
        flat = (k - 1) * (k - 2) // 2 if q == k else q * k - q * (q + 1) // 2 - (k - 1)
        if k > 1 and flat:
            return False
    return True


class Stated:
    """What may be stated of the point of `point` in the spectrum lam at this noise, or of any W (n, k) of fractions."""

    def __init__(
        self,
        lam: tuple[Fraction, ...],
        point: Point,
        noise: Fraction,
        *,
        learned: bool = False,
        W: Array | None = None,
    ) -> None:
        if list(lam) != sorted(lam, reverse=True):
            raise ValueError("the spectrum is not descending, and indices would mean others")
        self.subject: Subject = of_spectrum(lam)
        self.W = exact_weights(point, lam, noise) if W is None else W
        of_noise = {"sigma2": "learned", "noise": written(noise)} if learned else {"sigma2": written(noise)}
        self.statement: dict[str, Any] = {
            "kind": "stationary",
            "objective": point.objective,
            "k": point.k,
            "W": written_rows(self.W),
            "radius": written(RADIUS),
            **of_noise,
        }
        self.place = Place(point.objective == "elbo", self.W, noise, learned, RADIUS)

    def stationary(self) -> Outcome:
        """There is one stationary point there."""
        return check(self.statement, self.subject, (BITS,))

    def inertia(self, positive: int, negative: int, zero: int) -> Outcome:
        """And so many eigenvalues of its Hessian are positive, negative and zero."""
        counts = {"positive": positive, "negative": negative, "zero": zero}
        evidence = {"evidence": {"vectors": written_rows(self.vectors)}}
        return check(self.statement | counts | evidence | {"kind": "inertia"}, self.subject, (BITS,))

    def saddle(self, curvature: Fraction, vectors: Array) -> Outcome:
        """And an eigenvalue of its Hessian exceeds the curvature, and one of L's is negative.  vectors (N, m)."""
        more = {"kind": "saddle", "curvature": written(curvature), "evidence": {"vectors": written_rows(vectors)}}
        return check(self.statement | more, self.subject, (BITS,))

    @cached_property
    def vectors(self) -> Array:
        """Nearly eigenvectors of H, for the checker.  -> (N, N - g)."""
        with precision(BITS):
            x = self.place.coordinates()
            H = flint().arb_mat(derivatives(self.place, x, covariance(self.subject))[1])
            return eigenvectors(floats(H), floats(tangents(self.place, x)))

    def enclosed(self) -> tuple[Ball, Ball]:
        """x (N, 1) of the stationary point and H (N, N), to be asked for inside `precision`; else Disagreement."""
        S = covariance(self.subject)
        outcome, x = enclosed(self.place, S)
        certified(outcome)
        return x, flint().arb_mat(derivatives(self.place, x, S)[1])


def along(H: Ball, X: Ball) -> Ball:
    """X^T H X of the direction X (n, k) in W."""
    column = flint().arb_mat([[y] for y in X.entries()])
    return (column.transpose() * H * column)[0, 0]


def log_likelihood(W: Ball, s: Ball, S: Ball) -> Ball:
    """L by its definition: -1/2 [n log 2 pi + log det C + tr C^-1 S].  W (n, k), S (n, n)."""
    n = S.nrows()
    C = W * W.transpose() + diagonal([s] * n)
    return -(n * (2 * flint().arb.pi()).log() + C.det().log() + C.solve(S).trace()) / 2


def elbo(W: Ball, s: Ball, S: Ball) -> Ball:
    """The ELBO by its definition, reconstruction less KL to the prior, at V = M^-1 W^T, D_i = s/M_ii."""
    n, k, Wt = S.nrows(), W.ncols(), W.transpose()
    M = Wt * W + diagonal([s] * k)
    V, D = M.solve(Wt), [s / M[i, i] for i in range(k)]
    rest = W * V - diagonal([flint().arb(1)] * n)
    misfit = (rest * S * rest.transpose()).trace() + (W * diagonal(D) * Wt).trace()
    divergence = sum(D) + (V * S * V.transpose()).trace() - k - sum(x.log() for x in D)
    return -(n * (2 * flint().arb.pi() * s).log() + misfit / s + divergence) / 2
