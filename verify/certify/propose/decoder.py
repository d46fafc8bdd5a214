"""Proposes what bounds the noise at which some decoder beats collapse: tilts, metrics and boxes, by floats and trying.

Notation   as in verify/certify/checker/decoder.py: x = V^T y in the eigenvectors of S, a (d,) the first coordinates of
           c, b the others; F(c) = K(c) - s |c|^2/2; q = R_j - s for the first coordinates, R_b = rest s for the others.
Main       witness, every_decoder, levels, tightest; threads, for whoever searches or checks.
Reference  docs/mathematics.md, 13.4. Nothing here is relied upon: what is proposed is checked.

A box is tilted to the best b at its centre. There the bound has room for so much curvature q as keeps it below 0 in all
of the box; if the kernel allows that q the box is done, and otherwise it is halved.
"""

import functools
import math
from contextlib import AbstractContextManager, nullcontext
from fractions import Fraction
from typing import Any

import numpy as np
import scipy.linalg
from scipy.optimize import minimize

from verify.arrays import Array
from verify.certify.checker import decoder
from verify.certify.checker.numbers import written, written_matrix
from verify.certify.checker.outcome import Status
from verify.certify.checker.subject import Subject
from verify.errors import InputError
from verify.threads import one_thread

Statement = dict[str, Any]
Found = tuple[list[Any], list[Array], list[Array]]  # the tree, its tilts and their metrics
_MARGIN = {np.float32: 2e-4, np.float64: 1e-6}  # of the kernel's bound, for rounding
_EXCESSES = (1.0, 0.3, 0.16, 0.08, 0.04, 0.02, 0.01, 0.003, 0.001)  # over the lower bound: the levels tried
_SMALLEST = 0.02  # of its distance from 0: a box that is narrower is given up
_FEW = 4000  # rows: up to here the many products are so small that threads spend their time waiting for each other


def threads(subject: Subject) -> AbstractContextManager[object]:
    """One thread for the products of few rows: on busy cores that is ten times faster.  More for many rows."""
    return one_thread() if subject.N is None or subject.N <= _FEW else nullcontext()


def witness(subject: Subject, level: Fraction, t: Array) -> Statement:
    """The statement that s* exceeds level, at t (n,)."""
    return {"kind": "witness", "level": written(level), "evidence": {"t": [float(q).hex() for q in t]}}


def every_decoder(subject: Subject, level: Fraction, depth: int = 1, most: int = 400) -> Statement | None:
    """The statement that s* <= level, in boxes over `depth` leading directions; None where at most `most` do not do."""
    if subject.rows is None:
        raise InputError("the data have no rows")
    rows = (subject.rows - subject.rows[0]) / subject.divisor  # spread alone, however far from 0
    for rest in (0.5, 0.8, 0.9, 0.95, 0.98, 0.995):
        search = _Search(rows, float(level), depth, rest, most)
        found = search.tree() if search.possible() else None
        if found is not None:
            return _stated(search, level, found, subject.divisor)
    return None


def _stated(search: "_Search", level: Fraction, found: Found, scale: float) -> Statement:
    """The statement; scale: the checker speaks of the rows before they are divided by it."""
    tree, tilts, metrics = found
    if not tilts:  # a matrix has a row; no leaf asks for it
        tilts, metrics = [np.zeros(len(search.V))], [np.ones(search.d + 1)]

    def doubles(rows: Any) -> list[list[str]]:
        return [[float(q).hex() for q in row] for row in rows]

    return {
        "kind": "every decoder",
        "level": written(level),
        "evidence": {
            "basis": written_matrix(search.V),
            "p": doubles([search.p]),
            "X": written(float(search.X)),
            "box": doubles(search.box / scale),
            "zero": doubles(search.zero * scale * scale),
            "tilts": written_matrix(np.array(tilts) / scale),
            "metrics": doubles(np.array(metrics) * scale * scale),
            "tree": [q if isinstance(q, int) else [q[0], float(q[1] / scale).hex()] for q in tree],
        },
    }


def levels(lower: float) -> list[Fraction]:
    """What is tried as an upper bound, highest first: where one is not proved, a lower one is not worth a search."""
    return [_rounded(lower * (1 + excess)) for excess in _EXCESSES]


def tightest(subject: Subject, lower: float, depth: int = 1, most: int = 400) -> Statement | None:
    """The lowest level that is proved to be at least s*, of a few above `lower`, a lower bound; None where none is."""
    found: list[Statement] = []
    for level in levels(lower):
        proposed = every_decoder(subject, level, depth, most)
        if proposed is None and found:
            break
        found += [] if proposed is None else [proposed]
    proved = (one for one in reversed(found) if decoder.every_decoder(one, subject).status is Status.PROVED)
    return next(proved, None)


def _rounded(level: float) -> Fraction:
    """Four digits of it, upwards."""
    digits = 3 - math.floor(math.log10(level))
    return Fraction(math.ceil(Fraction(level) * Fraction(10) ** digits)) / Fraction(10) ** digits


@functools.cache
def polynomial(X: int) -> Array:
    """p (orders,) with p(x)^2 >= (e^x - 1 - x)/x^2 on [-X, X], by floats: near the root's series, a little above it."""
    orders = 9 if X <= 8 else 11 if X <= 14 else 13 if X <= 24 else 15
    root = np.zeros(orders)
    series = [1 / math.factorial(k + 2) for k in range(orders)]
    root[0] = math.sqrt(0.5)
    for k in range(1, orders):
        root[k] = (series[k] - root[1:k] @ root[1:k][::-1]) / (2 * root[0])
    x = np.unique(np.concatenate([np.linspace(-X, X, 120 * X), np.linspace(-2, 2, 200)]))
    x = x[np.abs(x) > 1e-3]
    all_values = np.vander(x, orders, increasing=True) * root / (np.sqrt(np.expm1(x) - x) / np.abs(x))[:, None]
    values = all_values[:: len(x) // 800]
    weights = np.array([0.7, 0.1, 0.12, 0.06, 0.04, 0.02, 0.01, 0.006, 0.004, 0.003, 0.002, *[0.001] * 4])[
        :orders
    ]  # about how much each order counts in the kernels met
    found = minimize(
        lambda P: float(weights @ (P * P)),
        1 + 0.1 * np.arange(orders),
        jac=lambda P: 2 * weights * P,
        constraints=[{"type": "ineq", "fun": lambda P: values @ P - 1, "jac": lambda P: values}],
        method="SLSQP",
        options={"maxiter": 1000, "ftol": 1e-12},
    )
    P = found.x * max(1.0, 1 / float((all_values @ found.x).min()), 1 / float(found.x[0]))
    return np.asarray(P * root * (1 + 2e-4))


class _Search:
    """The boxes at one level s, with one metric rest * s of all directions but the first d."""

    def __init__(self, rows: Array, s: float, d: int, rest: float, most: int) -> None:
        y = rows - rows.mean(axis=0)
        self.V = np.linalg.eigh(y.T @ y / len(y))[1][:, ::-1]
        self.x, self.s, self.d, self.rest, self.most = y @ self.V, s, d, rest, most
        # The bounds hold of a slightly smaller s than the level: so much the rounding of V costs.
        self.inner = s * (1 - 1e-10)
        self.X = min(44, math.ceil(2.7 * float((y * y).sum(axis=1).max()) / s) + 4)
        self.p = polynomial(self.X)
        self.c = [float(q * q * 2.0**e * math.factorial(e)) for e, q in enumerate(self.p, start=1)]
        self.box = 1.001 / s * np.stack([self.x[:, :d].min(axis=0), self.x[:, :d].max(axis=0)])
        self.zero = np.zeros((2, d + 1))
        self.radius = 0.0
        self.tilts: list[Array] = []
        self.metrics: list[Array] = []

    def metric(self, first: float, rest: float) -> Array:
        """(n,): first for the first d directions, rest for the others."""
        return np.where(np.arange(self.x.shape[1]) < self.d, first, rest)

    def allowed(self, m: Array, v: Array, Q: Array, R: Array, reach: float) -> bool:
        """Whether the kernel of the rows less m with weights v has no eigenvalue above 1, and p serves, by floats."""
        z = (self.x - m) / np.sqrt(R)
        sizes = (z * z).sum(axis=1)
        if not math.sqrt(sizes.max()) * reach * 1.00001 < self.X:
            return False
        sizes = np.maximum(sizes, ((self.x - m) ** 2 / Q).sum(axis=1))
        parts = v * sum(c * np.maximum(sizes, 1) ** e for e, c in enumerate(self.c, start=1))
        order = np.argsort(parts)
        kept = order[np.cumsum(parts[order]) > decoder.DROPPED]
        kind = np.float32 if len(kept) > 600 else np.float64
        short, u, weight = (q[kept].astype(kind) for q in (z, (self.x - m) / np.sqrt(Q), np.sqrt(v)))
        G = short @ short.T
        kernel = np.zeros_like(G)
        for c in self.c[:0:-1]:
            kernel += kind(c)
            kernel *= G
        kernel *= G
        kernel += kind(self.c[0]) * (u @ u.T)
        kernel *= -weight[:, None]
        kernel *= weight
        kernel.flat[:: len(kept) + 1] += kind(1 - decoder.DROPPED - _MARGIN[kind])
        try:
            scipy.linalg.cholesky(kernel, lower=True, overwrite_a=True, check_finite=False)
        except np.linalg.LinAlgError:
            return False
        return True

    def possible(self) -> bool:
        """Whether some box around 0 is settled; sets `zero` and `radius` to the metrics Q, R and |a| of the largest."""
        N, n = self.x.shape
        m, v, best = np.zeros(n), np.full(N, 1 / N), 0.0
        length = float(np.sqrt((self.x[:, self.d :] ** 2).sum(axis=1).max(initial=0))) / self.s
        for part in (0.998, 0.993, 0.985, 0.96, 0.9):
            worked = False
            for factor in (60.0, 12.0, 4.0, 2.5, 1.8, 1.4, 1.2, 1.1, 1.05, 1.02):
                small = (1 - part) / ((factor - 1) + (1 - part)) / self.s
                A = small / (factor + self.rest * (factor - 1) / (1 - self.rest))
                Q, R = self.metric(part * self.s, 0.999 * self.s), self.metric(factor * self.s, self.rest * self.s)
                reach = math.sqrt(2 * A * factor * self.s + self.rest * self.s * length**2)
                if not self.allowed(m, v, Q, R, reach):
                    break
                worked = True
                if math.sqrt(2 * A) * 0.999 > best:
                    best = math.sqrt(2 * A) * 0.999
                    self.zero = np.array([[*Q[: self.d], 0.999 * self.s], [*R[: self.d], self.rest * self.s]])
            if not worked:
                break
        self.radius = best
        return best > 0

    def tilted(self, c: Array) -> tuple[float, Array, Array]:
        """K, the weights (N,) and the mean (n,) of the rows under exp <x, c>."""
        a = self.x @ c
        v = np.exp(a - a.max())
        return float(a.max() + np.log(v.mean())), v / v.sum(), v @ self.x / v.sum()

    def best_rest(self, a: Array) -> Array:
        """c (n,) with these first coordinates, and about the best others."""
        c = np.zeros(self.x.shape[1])
        c[: self.d] = a
        for _ in range(200):
            after = np.concatenate([a, self.tilted(c)[2][self.d :] / self.s])
            if np.abs(after - c).max() < 1e-11 * np.abs(after).max():
                break
            c = after
        return c

    def settled(self, low: Array, high: Array) -> bool:
        """Whether some tilt settles the box; it is appended."""
        middle = (low + high) / 2
        for part in (1.0, 0.8):
            c0 = self.best_rest(part * middle)
            K, v, m = self.tilted(c0)
            g = m - self.inner * c0
            F = K + 2e-9 - self.inner * c0 @ c0 / 2 + float(g[self.d :] @ g[self.d :]) / (2 * self.s * (1 - self.rest))
            far = (
                1.0001 * float(np.sqrt(((self.x - self.s * c0)[:, self.d :] ** 2).sum(axis=1).max(initial=0))) / self.s
            )
            # Far below the level there is room for a curvature above it in the others as well.
            room = -F / 2 / max(far * far * self.s, 1e-300)
            for rest, lost in [(self.rest, 0.0), (1 + min(room, 1.0), min(room, 1.0) * far**2 * self.s / 2 * 1.01)]:
                if rest > self.rest and room < 0.005:
                    continue
                R = self.curved(F + lost, g[: self.d], np.stack([low, high]) - c0[: self.d], rest)
                if R is not None:
                    sides = np.maximum(np.abs(low - c0[: self.d]), np.abs(high - c0[: self.d]))
                    reach = math.sqrt(float((sides**2).sum()) * float(R[0]) + rest * self.s * far**2)
                    if self.allowed(m, v, R, R, reach):
                        self.tilts.append(c0)
                        self.metrics.append(np.array([*R[: self.d], rest * self.s]))
                        return True
        return False

    def curved(self, F: float, g: Array, ends: Array, rest: float) -> Array | None:
        """The metric (n,) with the largest q at which the bound is not above 0 at any corner of the box, by halving."""

        def bound(q: float) -> float:
            return F + float(np.max(g * ends + q * ends**2 / 2, axis=0).sum())

        least, most = 0.01 * self.s, 30 * self.s
        if bound(least) > 0:
            return None
        for _ in range(40):
            middle = math.sqrt(least) * math.sqrt(most)
            least, most = (middle, most) if bound(middle) <= 0 else (least, middle)
        return self.metric(self.s + least, rest * self.s)

    def tree(self) -> Found | None:
        """The boxes in preorder, with their tilts and metrics; None where there are too many, or one stays open."""
        tree: list[Any] = []
        stack = [self.box]
        while stack:
            low, high = stack.pop()
            if np.sqrt((np.maximum(np.abs(low), np.abs(high)) ** 2).sum()) <= self.radius:
                tree.append(-1)
            elif self.settled(low, high):
                tree.append(len(self.tilts) - 1)
            else:
                width = high - low
                j = int(np.argmax(width))
                if width[j] < _SMALLEST * np.abs(low + high).max() / 2 or len(self.tilts) >= self.most:
                    return None
                at = float(low[j] + high[j]) / 2
                side = np.arange(self.d) == j
                tree.append([j, at])
                # The last is looked at first: the lower half.
                stack += [np.stack([np.where(side, at, low), high]), np.stack([low, np.where(side, at, high)])]
        return tree, self.tilts, self.metrics
