"""Above which noise no decoder beats collapse, and below which one does: proofs for given data.

Notation   y (n,) rows less their mean; K(t) = log mean exp <y, t>; s* = sup_t 2 K(t)/|t|^2, every decoder's threshold.
           x = V^T y, t = V c, c = (a, b) with a (d,) first; F(c) = K(c) - s |c|^2/2; h(x) = e^x - 1 - x.
           A tilt: c = c0 + r, z = x - m, weights v; a metric: |r|_R^2 = sum R_j r_j^2, d + 1 numbers, the last for b.
           f(x) = x p(x) of degree D, c_e = f_e^2 2^e e!.
Main       witness, every_decoder.
Reference  docs/mathematics.md, 13.4, where all that is used here is proved; theory 6.2.

F <= 0 is proved box by box in a, and the boxes hold all c at which F can have a positive maximum. In each of them:
(i) f(x)^2 >= h(x) on [-X, X], and the kernel sqrt(v_i v_j) sum_e c_e <z_i, z_j>^e is below 1, its products in the dual
of the metric Q for e = 1 and of R for others: so sum v h(<z, r>) <= |r|_Q^2/2 + h(|r|_R^2/2).
(ii) At c0 = 0 that is at most exp(s |c|^2/2) - 1 for small a. (iii) Elsewhere Q = R: K(c) <= K0 + <m, r> + |r|_R^2/2.
"""

import math
from fractions import Fraction
from typing import Any

import numpy as np

from verify.arrays import Array
from verify.certify.checker.balls import ball, balls, flint, precision
from verify.certify.checker.numbers import double, exact, matrix
from verify.certify.checker.outcome import Outcome, Status, proved, undecided
from verify.certify.checker.rounding import SAFE, TINY, U, norm, positive_definite, product
from verify.certify.checker.subject import Subject
from verify.errors import InputError

SMALL = 1e-9  # what K0 is raised by, far above all rounding of the weights
DROPPED = 2e-4  # of the trace of a kernel
ORDERS = 150  # of p at most: 2^e e! is a double up to about there
Statement = dict[str, Any]
# x (N, n), error: each row's distance from V^T y, s with s |c|^2 <= level |t|^2, c (D,), X, d.
Prepared = tuple[Array, float, Fraction, Array, float, int]


def witness(statement: Statement, subject: Subject) -> Outcome:
    """s* > level: at t mean exp <y, t> > exp(level |t|^2/2), or t^T S t > level |t|^2, so that s* >= lam_1 > level."""
    level, (evidence, rows) = exact(statement.get("level")), _given(statement, subject)
    t = matrix([evidence.get("t")])
    if t.shape != (1, subject.n) or not t.any() or not level > 0:
        raise InputError(f"t is no vector of {subject.n} numbers other than 0, or the level is not positive")
    with precision(384):
        zero, blocks = ball(0), (rows[i : i + 1000] for i in range(0, len(rows), 1000))
        a = [x / ball(subject.divisor) for block in blocks for x in (balls(block) * balls(t.T)).entries()]
        mean, half = sum(a, zero) / len(a), ball(level) * sum((ball(x) ** 2 for x in t[0].tolist()), zero) / 2
        gain = sum(((x - mean).exp() for x in a), zero) / len(a) - half.exp()
        spread = sum(((x - mean) ** 2 for x in a), zero) / len(a) - 2 * half
        if gain > 0 or spread > 0:
            return proved("a decoder with two outputs beats collapse at this noise")
    return undecided("at this vector the mean exponential is not larger")


@np.errstate(all="ignore")
def every_decoder(statement: Statement, subject: Subject) -> Outcome:
    """s* <= level: no decoder whatever beats collapse at a noise of level or more."""
    level, (evidence, rows) = exact(statement.get("level")) * Fraction(subject.divisor) ** 2, _given(statement, subject)
    names, n, tree = ("basis", "p", "box", "zero", "tilts", "metrics"), subject.n, evidence.get("tree")
    V, p, box, zero, tilts, metrics = (matrix(evidence.get(name)) for name in names)
    d, m = box.shape[1], len(tilts)
    shapes = [(n, n), (1, p.shape[1]), (2, d), (2, d + 1), (m, n), (m, d + 1)]
    fits = [A.shape for A in (V, p, box, zero, tilts, metrics)] == shapes and p.size <= ORDERS and d <= n
    if not fits or not isinstance(tree, list):
        raise InputError("the shapes of the evidence do not fit each other, or the data")
    c0, Q, R = (np.concatenate(both) for both in ((tilts, np.zeros((1, n))), (metrics, zero[:1]), (metrics, zero[1:])))
    if not (level > 0 and (Q > 0).all() and (R > 0).all()):
        raise InputError("the level and the metrics are positive")
    with precision(128):
        about = _prepared(rows - rows[0], V, level, p[0], double(evidence.get("X")), d)
        x, error, s, *_ = about
        reach = SAFE * (error + np.stack([-x[:, :d].min(axis=0), x[:, :d].max(axis=0)]))
        if not (np.stack([-box[0], box[1]]) * float(s) >= np.maximum(reach, 0)).all():
            return undecided("the boxes do not hold all that may be a maximum")
        boxes = [box]
        for item in tree:
            low, high = boxes.pop()
            # [j, at]: the box is cut there, and the part below is next. Cut in two j at once it would lose corners.
            if isinstance(item, list) and item[0] in range(d):
                at, side = double(item[1]), np.arange(d) == item[0]
                boxes += [np.stack([np.where(side, at, low), high]), np.stack([low, np.where(side, at, high)])]
                continue
            if type(item) is not int or not -1 <= item < m:
                raise InputError(
                    "a cut in the tree has a coordinate of the boxes, a leaf is -1 or the number of a tilt"
                )
            if reason := _fails(about, low, high, c0[item], Q[item], R[item]):
                return undecided(f"in a box {reason}")
    if boxes:
        return undecided("boxes are left")
    return proved("no decoder whatever beats collapse at this noise or more")


def _prepared(rows: Array, V: Array, level: Fraction, p: Array, X: float, d: int) -> Prepared:
    """What all tilts share.  Raises InputError: a basis far from orthonormal, a p that is too small somewhere."""
    (N, n), (VV, e) = rows.shape, product(V.T, V)
    e = SAFE * (e + norm(VV - np.eye(n)))
    if not (e < 0.5 and U < X < 200 and _dominates(p, X)):
        raise InputError("the basis is far from orthonormal, or p(x)^2 not above (e^x - 1 - x)/x^2 all over [-X, X]")
    x = (rows - np.array([math.fsum(column) / N for column in rows.T])) @ V
    error = SAFE * 2 * (n + 8) * U * norm(V) * float(np.sqrt((rows * rows).sum(axis=1).max())) + TINY
    # p^2 alone may vanish where 2^e e! is 1e300 and x^e more; TINY is above whatever still does.
    c = p * (p * np.array([2.0**e * math.factorial(e) for e in range(1, len(p) + 1)])) + TINY
    return x, error, level * (1 - Fraction(e)), c, X, d


def _dominates(p: Array, X: float) -> bool:
    """Whether p(x)^2 > h(x)/x^2 on [-X, X]: the right side rises, so its value at the end of a part counts."""
    arb, poly, parts = flint().arb, flint().arb_poly, [(-X, 0.0), (0.0, X)]
    P = poly(p.tolist())
    while parts:
        low, high = parts.pop()
        middle, end, step = (low + high) / 2, arb(high), arb(0, high - low)
        x = poly([middle, 1])
        near = P(x)(step) ** 2
        # Far from 0 f^2 - h itself, with e^step = 1 + step + e^(less) step^2/2.
        apart = (x * P(x)) ** 2 + 1 + x - arb(middle).exp() * poly([1, 1, step.exp() / 2])
        if not (apart(step) > 0 or (near * end**2 > end.exp() - 1 - end if high else near > 0.5)):
            if high - low < X * 2.0**-20 or not low < middle < high:
                return False
            parts += [(low, middle), (middle, high)]
    return True


def _fails(about: Prepared, low: Array, high: Array, c0: Array, Q: Array, R: Array) -> str:
    """Why F <= 0 is not proved where a lies between low and high (d,); "" where it is.  By (ii) at c0 = 0."""
    (x, error, s, c, X, d), tilted = about, c0.any()
    (N, n), a, size = x.shape, x @ c0, float(np.sqrt(c0 @ c0)) + TINY
    blur = 1e-12 + 4 * error * size
    if not (np.abs(a).max() < 300 and blur < 0.1):
        return "the tilt is too large"
    K0 = float(a.max() + np.log(np.exp(a - a.max()).mean())) + SMALL if tilted else 0.0
    v = np.array([float(q.exp()) for q in map(flint().arb, (a - K0).tolist())]) / N * (1 + blur)
    m = v @ x / v.sum() if tilted else np.zeros(n)
    rest = (x - float(s) * c0)[:, d:]
    rest = SAFE * (float(np.sqrt((rest * rest).sum(axis=1).max())) + 4 * error) / float(s) + 4 * U * size
    excess = _excess(s, low, high, c0, m, K0, R, Fraction(rest)) if tilted else _near_zero(s, low, high, Q, R)
    if not excess <= 0:
        return f"the bound exceeds the level by {float(excess):.3g}"
    root_Q, root_R = (np.sqrt(np.concatenate([M[:d], np.full(n - d, M[d])])) for M in (Q, R))
    u, z = (x - m) / root_Q, (x - m) / root_R
    off = SAFE * 2 * error / float(min(root_Q.min(), root_R.min())) + TINY
    lengths = SAFE * np.sqrt((z * z).sum(axis=1)) + off
    sides = np.sqrt(R) * [*np.maximum(np.abs(low - c0[:d]), np.abs(high - c0[:d])), rest]
    reach = SAFE * float(np.sqrt(sides @ sides)) + TINY
    if not SAFE * lengths.max() * reach <= X:
        return "the data lie farther than X"
    pull = float(np.sqrt((v @ z) @ (v @ z))) + (3 * blur + 4 * N * U) * float(lengths.max()) + off
    if tilted and not v.sum() * (1 + 4 * N * U) + SAFE * pull * reach <= 1:
        return "the weights sum to more than 1"
    # What rows with small entries on the diagonal add to the largest eigenvalue is at most the sum of these.
    orders = np.arange(1, len(c) + 1)
    sizes = np.maximum(1, np.maximum(lengths, SAFE * np.sqrt((u * u).sum(axis=1)) + off)) ** 2
    powers = c * sizes[:, None] ** orders
    order = np.argsort(v * powers.sum(axis=1))
    kept = order[~(SAFE * np.cumsum((v * powers.sum(axis=1))[order]) <= DROPPED)]
    G, u, weight = z[kept] @ z[kept].T, u[kept], np.sqrt(v[kept])
    kernel = np.zeros_like(G)
    for factor in c[:0:-1]:
        kernel = (kernel + factor) * G
    kernel = -weight[:, None] * (kernel * G + c[0] * (u @ u.T)) * weight
    kernel.flat[:: len(kept) + 1] += 1 - DROPPED
    rounding = (3 * off + (n + 20 * len(c) + 20) * U) * float(v @ (powers @ orders)) + 4 * N * U
    outcome = positive_definite(kernel, SAFE * rounding)
    return "" if outcome.status is Status.PROVED else f"the kernel is not below 1: {outcome.reason}"


def _near_zero(s: Fraction, low: Array, high: Array, Q: Array, R: Array) -> Fraction:
    """(ii): not above 0 where |c|_Q^2/2 + h(|c|_R^2/2) <= exp(s |c|^2/2) - 1 for all b and all a of the box."""
    A = sum((Fraction(q) ** 2 for q in np.maximum(np.abs(low), np.abs(high)).tolist()), Fraction(0)) / 2
    (*first, last), (*margins, margin) = map(Fraction, R.tolist()), (s - Fraction(q) for q in Q.tolist())
    top = max(first)
    if not (margin >= 0 and min(margins) > 0 and top > s > last):
        return Fraction(1)
    largest = A * (top + last * (top - s) / (s - last))
    return (top - s) * largest - min(margins) * (1 - largest)


def _excess(s: Fraction, low: Array, high: Array, c0: Array, m: Array, K0: float, R: Array, rest: Fraction) -> Fraction:
    """(iii): at least the largest K0 + <m, r> + |r|_R^2/2 - s |c0 + r|^2/2 in the box, r no longer than rest in b."""
    *first, last = map(Fraction, R.tolist())
    at = [Fraction(q) for q in c0.tolist()]
    g = [Fraction(q) - s * t for q, t in zip(m.tolist(), at, strict=True)]
    square = sum((q * q for q in g[len(first) :]), Fraction(0))
    total = Fraction(K0) - s * sum(t * t for t in at) / 2
    if last < s:
        total += square / (2 * (s - last))
    else:
        total += Fraction(SAFE * math.sqrt(square) + TINY) * rest + (last - s) * rest**2 / 2
    for ends, t, slope, curve in zip(zip(low.tolist(), high.tolist(), strict=True), at, g, first, strict=False):
        bend = max(curve - s, Fraction(0)) / 2
        total += max(slope * r + bend * r * r for r in (Fraction(end) - t for end in ends))
    return total


def _given(statement: Statement, subject: Subject) -> tuple[dict[str, Any], Array]:
    evidence = statement.get("evidence")
    if not isinstance(evidence, dict) or subject.rows is None:
        raise InputError("it has no evidence, or the data have no rows")
    return evidence, subject.rows
