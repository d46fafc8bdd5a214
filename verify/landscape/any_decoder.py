"""The noise above which total collapse is the optimum of every decoder, however deep: bounds and witnesses.

Notation   y (n,) a centred row, N of them, lam_1 the largest eigenvalue of their covariance, divided by N; t (n,) any
           vector; K(t) = log mean exp <y, t>; s the noise; s* = sup_t 2 K(t)/|t|^2, the sub-Gaussian variance proxy.
Main       proxy, lower_bound, Witness, upper_bound; two_atoms, TwoAtoms.
Reference  theory 6.2; claim any-decoder; docs/mathematics.md 12.2.

Above s* no decoder and no encoder beats collapse; below it a decoder with two outputs does (`two_atoms`). s* >= lam_1.

The ascent t <- m(t)/s with m = grad K and s = 2 K(t)/|t|^2 never lowers the quotient: K is convex, so
K(t') - s |t'|^2/2 >= K(t) + <m, t' - t> - s |t'|^2/2 = s |t' - t|^2/2 >= 0 at t' = m/s. A search finds local maxima, so
what it returns is a lower bound of s*, and the vector t that proves it can be checked in one line.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from verify.arrays import Array
from verify.checks import positive_noise, random_seed
from verify.data.entries import check_entries
from verify.errors import InputError

# Rows (N, n), or a function that yields their blocks (b, n), the same ones every time: `Rows.blocks` is one.
Given = Array | Callable[[], Iterable[Array]]

SEARCHED = 4096  # rows that the search looks at; what it finds is polished on all of them
_STARTS = 48
_POLISHED = 6
_BLOCK = 1 << 23  # entries of a block of a large array
# Around these sizes of <y, t> cumulants beyond the second begin to count, and single data to rule the mean.
_SIZES = (0.3, 1.0, 3.0, 8.0)


def proxy(y: Array, t: Array) -> Array:
    """2 log mean exp <y - mean y, t> / |t|^2 at each column of t.  y (N, n), t (n,) or (n, m), not 0 -> () or (m,).

    Exact to rounding at every length of t: for rows that are centred exactly, mean e^a - 1 = mean (e^a - 1 - a), all
    of whose terms are >= 0, so nothing cancels as t -> 0, where the quotient is t^T S t/|t|^2.
    """
    size = np.sqrt((t * t).sum(axis=0))
    with np.errstate(divide="ignore", invalid="ignore"):
        a = y @ t
        a = a - a.mean(axis=0)
        return np.asarray(2 * (_log_mean_exp(a) / size) / size)


def upper_bound(lam_1: float, largest: float) -> float:
    """(B^4 - lam_1^2)/(2 B^2 log(B^2/lam_1)) >= s*, B = largest the largest |y - mean y|.  Not certified: rounding.

    <y, t>/|t| has mean 0, variance <= lam_1 and is <= B; of all such variables the one with the two values B and
    -lam_1/B has the largest mean exponential (Bennett 1962), and its proxy has a closed form (Kearns & Saul 1998). It
    rises with lam_1 and B; at B^2 = lam_1 both values are +-B, and it is lam_1.
    """
    ratio = lam_1 / (largest * largest)  # <= 1 but for rounding
    if ratio <= 0:
        return 0.0
    if ratio >= 1 - 1e-9:  # (1 - r^2)/(-2 r log r) -> 1
        return float(max(lam_1, largest * largest))
    return float(largest * largest * (1 - ratio * ratio) / (-2 * math.log(ratio)))


@dataclass(frozen=True, eq=False)
class Witness:
    """That s* >= value: the quotient 2 K(t)/|t|^2 of `rows`, or where `limit` its limit along t -> 0, t^T S t/|t|^2.

    t (n,); lam_1: the largest such limit that is known; largest: the largest |y - mean y|.
    """

    value: float
    t: Array
    limit: bool
    lam_1: float
    largest: float

    @property
    def upper(self) -> float:
        """What s* cannot exceed, by `upper_bound`; not certified."""
        return max(self.value, upper_bound(self.lam_1, self.largest))

    def check(self, rows: Given) -> float:
        """The quotient again, from the rows and t alone: what s* is at least.  Raises InputError: other rows."""
        a = _projections(_source(rows), self.t)
        quotient = 2 * float(_log_mean_exp(a)) if not self.limit else float((a * a).mean())
        return quotient / float(self.t @ self.t)


def lower_bound(rows: Given, leading: Array | None = None, *, seed: int = 0, starts: int = _STARTS) -> Witness:
    """A lower bound of s*, at least lam_1, with its witness; the same for the same seed.

    rows (N, n), or a function that yields their blocks each time it is called; leading (n, m): eigenvectors of the
    covariance, first ones first, where they are known already (they are computed from at most 4096 rows otherwise, and
    improved on all). The search takes at most 4096 rows, and both ways along the leading directions, the data farthest
    from the mean and random data as its `starts`; the best are polished on all rows.

    Raises InputError: entries that are no finite numbers, fewer than two rows, equal rows.
    """
    source = _source(rows)
    seen = _survey(source, random_seed(seed))
    y = seen.sample / seen.scale
    axes = _axes(y) if leading is None else np.asarray(leading, dtype=np.float64)[:, :16]
    first, lam_1 = _first(source, seen, axes)
    sample_starts = _starts(y, seen.far / seen.scale, axes, starts, np.random.default_rng(seed))
    found = _distinct(y, _ascend(y, sample_starts, 40))
    # A datum alone, far enough out, is a maximum that the sample cannot see.
    alone = seen.far / seen.scale * (2 * math.log(seen.N) / ((seen.far / seen.scale) ** 2).sum(axis=1))[:, None]
    whole = _Whole(source, seen)
    best, t = whole.polished(np.concatenate([found, alone[:2].T], axis=1))
    limit = not best > lam_1
    value = lam_1 if limit else best
    return Witness(
        value * seen.scale**2, first if limit else t / seen.scale, limit, lam_1 * seen.scale**2, seen.largest
    )


@dataclass(frozen=True, eq=False)
class TwoAtoms:
    """A decoder with two outputs, each on its part of the prior: weights (2,), atoms (2, n), first the common one.

    nats: what its mean log-likelihood per datum exceeds that of collapse by, at noise s. The ELBO comes up to it with
    an encoder that reaches the posterior; one that is Gaussian gains less.
    """

    weights: Array
    atoms: Array
    nats: float


def two_atoms(rows: Given, t: Array, s: float, steps: int = 30) -> TwoAtoms:
    """The two outputs to which t leads at noise s, and what they gain over one.  t (n,).

    At theta = mean + s t Lindsay's gradient is exp(K(t) - s |t|^2/2) - 1, positive where s < 2 K(t)/|t|^2: some weight
    on that atom gains. From the best weight and length along t the EM algorithm, `steps` passes of it, moves both
    atoms; it never loses. Where nothing is gained the two atoms are the mean, and nats is 0.  Raises InputError.
    """
    s = positive_noise(s)
    source = _source(rows)
    mean, _ = _mean(source)
    t = np.asarray(t, dtype=np.float64)
    a = _projections(source, t)
    weight, length = _along(a, s * float(t @ t))
    atoms, weights, nats = np.stack([mean, mean + length * s * t]), np.array([1 - weight, weight]), 0.0
    for _ in range(steps if weight > 0 else 0):
        new_nats, counts, sums = _expectation(source, mean, atoms - mean, weights, s)
        if not new_nats > nats:
            break
        nats, kept = new_nats, (weights, atoms)
        if counts.min() <= 0:
            break
        weights, atoms = counts / counts.sum(), mean + sums / counts[:, None]
    if nats <= 0:
        return TwoAtoms(np.array([1.0, 0.0]), np.stack([mean, mean]), 0.0)
    return TwoAtoms(*kept, nats)


# The arithmetic of exp <y, t>


def _rest(a: Array) -> Array:
    """e^a - 1 - a to rounding.  (...) -> (...)."""
    rest = np.expm1(a) - a
    small = np.abs(a) < 0.5
    if small.any():
        x = a[small]
        series = np.ones_like(x)
        for j in range(16, 2, -1):
            series = 1 + series * x / j
        rest[small] = series * x * x / 2
    return np.asarray(rest)


def _log_mean_exp(a: Array) -> Array:
    """log mean exp a over the first axis, of a that has mean 0.  (N, ...) -> (...)."""
    top = a.max(axis=0)
    far = top > 600.0  # e^a would overflow; such a mean is > e^(600 - log N), and nothing cancels
    shift = np.where(far, top, 0.0)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        near = np.log1p(_rest(np.where(far, 0.0, a)).mean(axis=0))
        return np.asarray(np.where(far, shift + np.log(np.exp(a - top).mean(axis=0)), near))


# Rows, all of them or in blocks


@dataclass(frozen=True, eq=False)
class _Seen:
    """mean (n,); N; sample (m, n) and far (f, n) centred rows, far the farthest; largest |y|; scale a power of two."""

    mean: Array
    N: int
    sample: Array
    far: Array
    largest: float
    scale: float


def _source(rows: Given) -> Callable[[], Iterator[Array]]:
    """Blocks (b, n) float64, as often as they are asked for."""

    def blocks() -> Iterator[Array]:
        start = 0
        given = rows() if callable(rows) else _cut(np.asarray(rows))
        for block in given:
            X = np.asarray(block)
            if X.ndim != 2:
                raise InputError(f"rows of shape {X.shape}: give a matrix, one datum a row")
            check_entries(X, start)
            start += len(X)
            yield X.astype(np.float64, copy=False)

    return blocks


def _cut(rows: Array) -> Iterator[Array]:
    if rows.ndim != 2:
        raise InputError(f"rows of shape {rows.shape}: give a matrix, one datum a row")
    size = max(64, _BLOCK // max(1, rows.shape[1]))
    return (rows[start : start + size] for start in range(0, len(rows), size))


def _mean(source: Callable[[], Iterator[Array]]) -> tuple[Array, int]:
    """The mean (n,) and N, around the first row, so that a common offset costs no digits.  Raises InputError."""
    N, first, total = 0, None, None
    for X in source():
        if first is None and len(X):
            first, total = X[0].copy(), np.zeros(X.shape[1])
        if first is not None:
            total = total + (X - first).sum(axis=0)
            N += len(X)
    if first is None or N < 2:
        raise InputError(f"{N} rows: a mean and what varies around it take at least two")
    return first + total / N, N


def _survey(source: Callable[[], Iterator[Array]], seed: int) -> _Seen:
    """Mean, a sample of rows and the farthest ones, in two passes.  Raises InputError."""
    mean, N = _mean(source)
    chosen = np.zeros(N, dtype=bool)
    chosen[np.random.default_rng(seed).choice(N, min(N, SEARCHED), replace=False)] = True
    parts, far, start = [], np.zeros((0, len(mean))), 0
    for X in source():
        y = X - mean
        parts.append(y[chosen[start : start + len(y)]])
        start += len(y)
        both = np.concatenate([far, y])
        size = np.abs(both).max(axis=1, initial=0.0)
        unit = float(size.max(initial=0.0)) or 1.0
        far = both[np.argsort(-((both / unit) ** 2).sum(axis=1), kind="stable")[:12]]
    largest = float(np.abs(far).max(initial=0.0))
    if largest == 0:
        raise InputError("all rows are equal: nothing varies around their mean")
    scale = float(2.0 ** math.frexp(largest)[1])
    largest = float(np.sqrt(((far / scale) ** 2).sum(axis=1).max())) * scale
    return _Seen(mean, N, np.concatenate(parts), far, largest, scale)


def _projections(source: Callable[[], Iterator[Array]], t: Array) -> Array:
    """<y - mean y, t> at all rows, (N,) or (N, m).  Raises InputError."""
    mean, _ = _mean(source)
    if t.shape[0] != len(mean):
        raise InputError(f"a vector of {t.shape[0]} entries, but rows of {len(mean)}; give the rows it is of")
    a = np.concatenate([(X - mean) @ t for X in source()])
    return np.asarray(a - a.mean(axis=0))


# The search


def _axes(y: Array) -> Array:
    """Leading eigenvectors (n, m <= 16) of the sample, by the smaller of its two Gram matrices."""
    if y.shape[1] <= y.shape[0]:
        return np.asarray(np.linalg.eigh(y.T @ y)[1][:, ::-1][:, :16])
    left = np.linalg.eigh(y @ y.T)[1][:, ::-1][:, :16]
    return np.asarray(np.linalg.qr(y.T @ left)[0])


def _first(source: Callable[[], Iterator[Array]], seen: _Seen, axes: Array) -> tuple[Array, float]:
    """The first eigenvector (n,) and its Rayleigh quotient on all rows, by steps of block iteration from `axes`."""
    quotient, first = 0.0, axes[:, 0]
    for _ in range(30):
        product = np.zeros_like(axes)
        for X in source():
            y = (X - seen.mean) / seen.scale
            product += y.T @ (y @ axes)
        # Ritz vectors of S in the span of the axes, the product S axes already there.
        values, turned = np.linalg.eigh(axes.T @ product / seen.N)
        if not values[-1] > quotient * (1 + 1e-13):
            break
        quotient, first = float(values[-1]), axes @ turned[:, -1]
        axes = np.linalg.qr(product @ turned[:, ::-1])[0]
    return np.asarray(first), quotient


def _starts(y: Array, far: Array, axes: Array, count: int, rng: np.random.Generator) -> Array:
    """Starts (n, m): both ways along axes, towards far and random data, at the best of several lengths."""
    random = y[rng.permutation(len(y))[: max(1, count - 2 * axes.shape[1] - len(far))]]
    directions = np.concatenate([axes.T, -axes.T, far, random])
    a = y @ directions.T
    reach = a.max(axis=0)
    directions, a, reach = directions[reach > 0], a[:, reach > 0], reach[reach > 0]
    sizes = np.array([*_SIZES, 2 * math.log(len(y) + 1)])
    norm = (directions * directions).sum(axis=1)
    values = np.stack([2 * _log_mean_exp(_centred(a * (r / reach))) / (r / reach) ** 2 / norm for r in sizes])
    return np.asarray((directions * (sizes[values.argmax(axis=0)] / reach)[:, None]).T)


def _centred(a: Array) -> Array:
    return np.asarray(a - a.mean(axis=0))


def _ascend(y: Array, t: Array, steps: int) -> Array:
    """`steps` of t <- m(t)/s at each column of t (n, m)."""
    for _ in range(steps):
        a = _centred(y @ t)
        s = 2 * _log_mean_exp(a) / (t * t).sum(axis=0)
        p = np.exp(a - a.max(axis=0))
        t = (y - y.mean(axis=0)).T @ (p / p.sum(axis=0)) / s
    return t


def _distinct(y: Array, t: Array) -> Array:
    """The best columns of t, no two of them nearly the same."""
    values = proxy(y, t)
    chosen: list[int] = []
    for j in np.argsort(-values, kind="stable"):
        if not math.isfinite(values[j]) or len(chosen) == _POLISHED:
            continue
        if all(((t[:, j] - t[:, i]) ** 2).sum() > 1e-4 * (t[:, i] ** 2).sum() for i in chosen):
            chosen.append(int(j))
    return np.asarray(t[:, chosen])


class _Whole:
    """K and its gradient on all rows, in units of the scale."""

    def __init__(self, source: Callable[[], Iterator[Array]], seen: _Seen) -> None:
        self.source, self.seen = source, seen

    def _blocks(self) -> Iterator[Array]:
        return ((X - self.seen.mean) / self.seen.scale for X in self.source())

    def __call__(self, t: Array) -> tuple[Array, Array]:
        """K (m,) and grad K (n, m) at the columns of t, in one pass."""
        rest = below = np.zeros(t.shape[1])
        top = np.full(t.shape[1], -np.inf)
        m = np.zeros_like(t)
        for y in self._blocks():
            a = y @ t
            new = np.maximum(top, a.max(axis=0))
            with np.errstate(under="ignore"):
                old, p = np.exp(top - new), np.exp(a - new)
            m = m * old + y.T @ p
            below = below * old + p.sum(axis=0)
            with np.errstate(over="ignore", invalid="ignore"):
                rest = rest + _rest(np.minimum(a, 600.0)).sum(axis=0)
            top = new
        shifted = top + np.log(below / self.seen.N)
        return np.where(top > 600.0, shifted, np.log1p(rest / self.seen.N)), m / below

    def polished(self, t: Array) -> tuple[float, Array]:
        """The best quotient and its t (n,) after a few steps from each column, and quasi-Newton from the best."""
        for _ in range(6):
            K, m = self(t)
            s = 2 * K / (t * t).sum(axis=0)
            t = m / s
        K, _ = self(t)
        s = 2 * K / (t * t).sum(axis=0)
        best = int(np.argmax(s))
        size = math.sqrt(float(t[:, best] @ t[:, best]))
        found = minimize(self._objective, t[:, best] / size, args=(size,), jac=True, options={"maxiter": 40})
        if -found.fun > s[best]:
            return float(-found.fun), found.x * size
        return float(s[best]), t[:, best]

    def _objective(self, direction: Array, size: float) -> tuple[float, Array]:
        """-2 K/|t|^2 and its gradient, t = size direction."""
        t = direction * size
        K, m = self(t[:, None])
        square = float(t @ t)
        s = 2 * float(K[0]) / square
        return -s, -size * 2 * (m[:, 0] - s * t) / square


# Two atoms


def _along(a: Array, squared: float) -> tuple[float, float]:
    """The best weight and length r of mean + r s t, from a = <y, t> (N,) and squared = s |t|^2.  Weight 0: no gain."""
    best = (0.0, 0.0, 1.0)
    for r in np.geomspace(0.25, 4, 9):
        ratio = r * a - r * r * squared / 2  # log N(x; theta)/N(x; mean)
        weight, nats = _weight(ratio)
        best = max(best, (nats, weight, float(r)))
    return best[1], best[2]


def _weight(ratio: Array) -> tuple[float, float]:
    """The weight e that maximises mean log(1 - e + e exp(ratio)), concave in e, by bisection of its slope; the gain."""
    gain = np.expm1(np.minimum(ratio, 700.0))

    def slope(e: float) -> float:
        return float((gain / (1 + e * gain)).mean())

    if not slope(0.0) > 0:
        return 0.0, 0.0
    low, high = 1e-300, 1 - 1e-9
    for _ in range(200):
        middle = math.sqrt(low * high) if low * 4 < high else (low + high) / 2
        low, high = (middle, high) if slope(middle) > 0 else (low, middle)
    return low, float(np.log1p(low * gain).mean())


def _expectation(
    source: Callable[[], Iterator[Array]], mean: Array, offsets: Array, weights: Array, s: float
) -> tuple[float, Array, Array]:
    """Nats over collapse of atoms at mean + offsets (2, n); the mass (2,) and sum (2, n) of y that each explains."""
    total, N, counts, sums = 0.0, 0, np.zeros(2), np.zeros_like(offsets)
    for X in source():
        y = X - mean
        log_ratio = np.log(weights) + (y @ offsets.T - (offsets * offsets).sum(axis=1) / 2) / s
        top = log_ratio.max(axis=1, keepdims=True)
        share = np.exp(log_ratio - top)
        mass = share.sum(axis=1, keepdims=True)
        total += float((top + np.log(mass)).sum())
        share /= mass
        counts, sums, N = counts + share.sum(axis=0), sums + share.T @ y, N + len(y)
    return total / N, counts, sums
