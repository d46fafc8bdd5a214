"""Above which noise no decoder beats collapse, and below which one does: proofs for given data.

Notation   y (n,) rows less their mean; K(t) = log mean exp <y, t>; s* = sup_t 2 K(t)/|t|^2, the threshold of all decoders.
           x = V^T y, t = V c, c = (a, b) with a (d,) first; of one tilt: c = c0 + r, z = x - m, weights v, and metrics
           |r|_R^2 = sum R_j r_j^2, positive, the last of their d + 1 numbers for all of b; f(x) = x p(x), c_e = f_e^2 2^e e!.
Main       witness, every_decoder.
Reference  docs/mathematics.md, section 13, where all that is used here is proved; theory 6.2.

A tilt proves F(c) = K(c) - s |c|^2/2 <= 0 for all c of a box in a, and the boxes cover what they have to:
(i) f(x)^2 >= e^x - 1 - x on [-X, X], and the kernel sqrt(v_i v_j) sum_e c_e <z_i, z_j>^e has no eigenvalue above 1, its
products in the dual metrics (of order 1: Q; of others: R); so sum v (e^<z, r> - 1 - <z, r>) <= |r|_Q^2/2 + h(|r|_R^2/2),
h(x) = e^x - 1 - x. (ii) At c0 = 0 that is below exp(s |c|^2/2) for |a| small. (iii) Elsewhere Q = R, and
K(c) <= K0 + <m, r> + |r|_R^2/2, whose excess over s |c|^2/2 has its maximum over a box at a corner.
"""

import math
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from verify.arrays import Array
from verify.certify.checker.balls import ball, balls, flint, precision
from verify.certify.checker.numbers import exact, matrix
from verify.certify.checker.outcome import Outcome, Status, proved, undecided
from verify.certify.checker.rounding import SAFE, TINY, U, norm, positive_definite, product
from verify.certify.checker.subject import Subject
from verify.errors import InputError

_SMALL = 1e-9  # what K0 is raised by, far above all rounding of weights
DROPPED = 2e-4  # of the trace of a kernel
_NAMES = ("basis", "p", "box", "zero", "tilts", "metrics")


def witness(statement: dict[str, Any], subject: Subject) -> Outcome:
    """s* > level: mean exp <y, t> > exp(level |t|^2/2) at the evidence t, or t^T S t > level |t|^2, which s* exceeds not."""
    level, t = exact(statement.get("level")), matrix([_evidence(statement, subject).get("t")])
    if t.shape != (1, subject.n) or not t.any():
        raise InputError(f"t is no vector of {subject.n} numbers other than 0")
    with precision(64 + 64 * 5):
        a = [x / ball(subject.divisor) for block in _blocks(subject.rows) for x in (balls(block) * balls(t.T)).entries()]
        mean = sum(a, ball(0)) / len(a)
        half = ball(level) * sum((ball(x) ** 2 for x in t[0].tolist()), ball(0)) / 2
        gain = sum(((x - mean).exp() for x in a), ball(0)) / len(a) - half.exp()
        spread = sum(((x - mean) ** 2 for x in a), ball(0)) / len(a) - 2 * half
        if gain > 0 or spread > 0:
            return proved(f"a decoder with two outputs beats collapse at a noise of {float(level):.6g}")
    return undecided("at this vector the mean exponential is not larger")


def every_decoder(statement: dict[str, Any], subject: Subject) -> Outcome:
    """s* <= level, so that no decoder whatever beats collapse at a noise of level or more."""
    evidence, level = _evidence(statement, subject), exact(statement.get("level"))
    V, p, box, zero, tilts, metrics = (matrix(evidence.get(name)) for name in _NAMES)
    (N, n), d, tree = subject.rows.shape, box.shape[1], evidence.get("tree")
    shapes = [V.shape, box.shape, zero.shape, tilts.shape, metrics.shape]
    if shapes != [(n, n), (2, d), (2, d + 1), (len(tilts), n), (len(tilts), d + 1)] or d > n or not isinstance(tree, list):
        raise InputError("the shapes of the evidence do not fit each other, or the data")
    if len(p) > 1 or p.shape[1] > 24 or not ((zero > 0).all() and (metrics > 0).all()):
        raise InputError("p has at most 24 coefficients, and metrics are positive")
    with np.errstate(all="ignore"), precision(128):
        about = _prepared(subject, V, level * Fraction(subject.divisor) ** 2, p[0], exact(evidence.get("X")), d)
        reach = SAFE * np.stack([about.error - about.x[:, :d].min(axis=0), about.error + about.x[:, :d].max(axis=0)])
        if not (np.stack([-box[0], box[1]]) * float(about.s) >= np.maximum(reach, 0)).all():
            return undecided("the boxes do not hold all that may be a maximum")
        stack = [box]
        for item in tree:
            (low, high), cut = stack.pop(), item if isinstance(item, list) else None
            if cut is not None:
                j, at = cut[0], float(exact(cut[1]))
                side = np.arange(d) == j
                stack += [np.stack([np.where(side, at, low), high]), np.stack([low, np.where(side, at, high)])]
                continue
            if type(item) is not int or not -1 <= item < len(tilts):
                raise InputError("a leaf of the tree is -1 or the number of a tilt")
            Q, R = zero if item < 0 else (metrics[item], metrics[item])
            reason = _fails(about, low, high, tilts[item] if item >= 0 else None, Q, R)
            if reason:
                return undecided(f"in a box {reason}")
    if stack:
        raise InputError("the tree ends before its boxes do")
    return proved(f"no decoder whatever beats collapse at a noise of {float(level):.6g} or more")


class _About(NamedTuple):
    """x (N, n) within error (of each row's length) of V^T y; s a lower bound of level |t|^2/|c|^2; c (D,), X, d."""

    x: Array
    error: float
    s: Fraction
    c: Array
    X: float
    d: int


def _prepared(subject: Subject, V: Array, level: Fraction, p: Array, X: Fraction, d: int) -> _About:
    """What all tilts share.  Raises InputError: a basis far from orthonormal, a p that is too small somewhere."""
    (N, n), rows = subject.rows.shape, subject.rows
    VV, e = product(V.T, V)
    e = SAFE * (e + norm(VV - np.eye(n)))
    if not e < 0.5 or not level > 0:
        raise InputError("the level is not positive, or the basis far from orthonormal")
    if not (0 < X < 100 and _dominates(p, float(X))):
        raise InputError("x p(x) squared is not above e^x - 1 - x everywhere between -X and X")
    x = (rows - np.array([math.fsum(column) / N for column in rows.T])) @ V
    largest = float(np.sqrt((rows * rows).sum(axis=1).max()))
    factorials = np.array([2.0**e * math.factorial(e) for e in range(1, len(p) + 1)])
    error = SAFE * 2 * (n + 8) * U * norm(V) * largest + TINY
    return _About(x, error, level * (1 - Fraction(e)), p * p * factorials, float(X) / SAFE, d)


def _dominates(p: Array, X: float) -> bool:
    """Whether p(x)^2 >= (e^x - 1 - x)/x^2 on [-X, X]; the right side rises, so its value at the end of a part counts."""
    arb, cells = flint().arb, [(-X, 0.0), (0.0, X)]
    P = flint().arb_poly(p.tolist())
    while cells:
        low, high = cells.pop()
        middle, end = (low + high) / 2, arb(high)
        value = P(flint().arb_poly([middle, 1]))(arb(0, high - low))
        if not (value**2 * end**2 > end.exp() - 1 - end if high else value**2 > 0.5):
            if high - low < X * 2.0**-20:
                return False
            cells += [(low, middle), (middle, high)]
    return True


def _fails(about: _About, low: Array, high: Array, c0: Array | None, Q: Array, R: Array) -> str:
    """Why F <= 0 is not proved where a lies between low and high (d,); "" where it is.  c0: None for the tilt at 0."""
    x, error, s, c, X, d = about
    N, n = x.shape
    m, K0, at = np.zeros(n), 0.0, np.zeros(n) if c0 is None else c0
    a = x @ at
    blur = 1e-12 + 4 * error * float(np.sqrt(at @ at))
    if not (np.abs(a).max() < 700 and blur < 0.1):
        return "a tilt is too large"
    if c0 is not None:
        K0 = float(a.max() + np.log(np.exp(a - a.max()).mean())) + _SMALL
    v = np.array([float(flint().arb(q).exp()) for q in (a - K0).tolist()]) / N * (1 + blur)
    if c0 is not None:
        m = v @ x / v.sum()
    if not (excess := _excess(about, low, high, at, m, K0, Q, R) if c0 is not None else _near_zero(s, low, high, Q, R)) <= 0:
        return f"the bound exceeds the level by {float(excess):.3g}"
    roots = [np.sqrt(np.concatenate([M[:d], np.full(n - d, M[d])])) for M in (Q, R)]
    u, z = ((x - m) / root for root in roots)
    off = SAFE * 2 * error / float(min(root.min() for root in roots))
    lengths = SAFE * np.sqrt((z * z).sum(axis=1)) + off
    rest = float(np.sqrt(((x[:, d:] - float(s) * at[d:]) ** 2).sum(axis=1).max())) / float(s) + 4 * error / float(s)
    sides = np.maximum(np.abs(low - at[:d]), np.abs(high - at[:d]))
    reach = SAFE * float(np.sqrt(R[:d] @ sides**2 + R[d] * (rest + 4 * U * float(np.sqrt(at @ at))) ** 2))
    if not lengths.max() * reach <= X:
        return "the data lie farther than p was given for"
    pull = float(np.sqrt((v @ z) @ (v @ z))) + (3 * blur + 4 * N * U) * float(lengths.max()) + off
    if c0 is not None and not v.sum() * (1 + 4 * N * U) + SAFE * pull * reach <= 1:
        return "the weights are not small enough"
    # Rows whose part of the trace is small are left out of the kernel, and the trace of their part taken off.
    sizes = np.maximum(1, np.maximum(lengths, SAFE * np.sqrt((u * u).sum(axis=1)) + off)) ** 2
    orders = np.arange(1, len(c) + 1)
    powers = c * sizes[:, None] ** orders
    order = np.argsort(v * powers.sum(axis=1))
    lost = SAFE * np.cumsum((v * powers.sum(axis=1))[order])
    kept = order[lost > DROPPED]
    G = z[kept] @ z[kept].T
    kernel = np.zeros_like(G)
    for factor in c[:0:-1]:
        kernel += factor
        kernel *= G
    kernel *= G
    kernel += c[0] * (u[kept] @ u[kept].T)
    kernel *= -np.sqrt(v[kept])[:, None]
    kernel *= np.sqrt(v[kept])
    kernel.flat[:: len(kept) + 1] += 1 - DROPPED
    rounding = (3 * off + (n + 20 * len(c) + 20) * U) * float(v @ (powers @ orders))
    outcome = positive_definite(kernel, SAFE * (rounding + 4 * N * U))
    return "" if outcome.status is Status.PROVED else f"the kernel is not below 1: {outcome.reason}"


def _near_zero(s: Fraction, low: Array, high: Array, Q: Array, R: Array) -> Fraction:
    """(ii): not above 0 where 1 + |c|_Q^2/2 + h(|c|_R^2/2) <= exp(s |c|^2/2) for |a| <= |max(-low, high)|."""
    A = sum((Fraction(q) ** 2 for q in np.maximum(np.abs(low), np.abs(high)).tolist()), Fraction(0)) / 2
    *first, last = map(Fraction, R.tolist())
    margin, top = s - max(map(Fraction, Q[:-1].tolist())), max(first)
    if not (margin > 0 and s > last and s >= Fraction(float(Q[-1])) and top > s):
        return Fraction(1)
    largest = A * (top + last * (top - s) / (s - last))
    return (top - s) * largest - margin * (1 - largest)


def _excess(
    about: _About, low: Array, high: Array, c0: Array, m: Array, K0: float, Q: Array, R: Array
) -> Fraction:
    """(iii): the largest value of K0 + <m, r> + |r|_R^2/2 - s |c0 + r|^2/2 in the box, or more."""
    s, d = about.s, about.d
    at, g = [Fraction(q) for q in c0.tolist()], [Fraction(q) for q in m.tolist()]
    g = [q - s * t for q, t in zip(g, at, strict=True)]
    *first, last = map(Fraction, R.tolist())
    if not last < s:
        return Fraction(1)
    total = Fraction(K0) - s * sum(t * t for t in at) / 2 + sum((q * q for q in g[d:]), Fraction(0)) / (2 * (s - last))
    for j, (ends, curve) in enumerate(zip(zip(low.tolist(), high.tolist(), strict=True), first, strict=True)):
        steps = [Fraction(end) - at[j] for end in ends]
        total += max(g[j] * r + max(curve - s, Fraction(0)) * r * r / 2 for r in steps)
    return total


def _evidence(statement: dict[str, Any], subject: Subject) -> dict[str, Any]:
    evidence = statement.get("evidence")
    if not isinstance(evidence, dict) or subject.rows is None:
        raise InputError("it has no evidence, or the data have no rows")
    return evidence


def _blocks(rows: Array) -> list[Array]:
    return [rows[i : i + 1000] for i in range(0, len(rows), 1000)]
