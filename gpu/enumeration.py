"""Every stationary point of pPCA, by walking all index sets: at fixed noise (a whole vector of them) or learned noise.

Notation   lam (n,) descending eigenvalues, n <= 64; A a retained set of q <= k eigen-indices; a mask (uint64) has bit i
           set where i (from 0) is in A; sigma2_A the mean of the discarded eigenvalues.
Main       enumerate_learned, enumerate_fixed -> Enumeration; evaluate(masks) -> Evaluated.
Reference  theory 1.2-1.4 and 2. verify/landscape/stationary.py finds the best without walking the rest.

On a device kernels/enumeration.cu walks the sets of each size by their rank; its twin is halves.py (outer sums over
the two halves of the spectrum) for the walk and `evaluate` here for single sets. Ties are exact on both sides.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import comb, log, pi
from typing import Any

import numpy as np

from gpu.halves import TASK, Half, Tally, halves, two_sum, walk_fixed, walk_learned
from gpu.kernels import kernel
from verify.arrays import Array, to_numpy
from verify.errors import InputError

LONGEST = 64  # bits of a mask
TABLE_ROWS = 40_000_000  # subsets of one half that fit into memory (some 90 bytes each)
THREADS = 128  # of a block on the device
LAUNCH = 1 << 32  # sets in one launch: about a second
WIDEST_TOP = 512  # sets that a block on the device can keep

Progress = Callable[[int, int], object]


@dataclass(frozen=True)
class Evaluated:
    """Index sets one by one, (m,) each: is it stationary, the noise, L, index and nullity of the Hessian in W (1.3)."""

    valid: Array
    sigma2: Array
    value: Array
    index: Array
    nullity: Array


@dataclass(frozen=True)
class Enumeration:
    """All index sets of at most k elements: `count` of them, `walked` so far, `valid` stationary points among these.

    index_histogram[i] counts the valid ones of index i; value_histogram those in equal parts of value_range, the values
    of the empty set and of the optimum, between which all values lie. masks (M,) and `evaluated` are the best ones in
    falling order of value, equal ones in the order of their index sets.
    """

    count: int
    walked: int
    index_histogram: Array
    value_histogram: Array
    value_range: tuple[float, float]
    masks: Array
    evaluated: Evaluated

    @property
    def valid(self) -> int:
        """How many index sets are stationary points."""
        return int(self.index_histogram.sum())

    @property
    def complete(self) -> bool:
        """Whether the walk came to its end."""
        return self.walked == self.count

    @property
    def best(self) -> list[tuple[tuple[int, ...], float]]:
        """The best sets and their values."""
        return [(members(m), float(v)) for m, v in zip(self.masks, self.evaluated.value, strict=True)]


def members(mask: int) -> tuple[int, ...]:
    """The eigen-indices of a mask, ascending."""
    return tuple(i for i in range(LONGEST) if int(mask) >> i & 1)


def _spectrum(lam: Array, k: int, noises: Iterable[float] = ()) -> Array:
    values = np.array(to_numpy(lam), dtype=np.float64)
    if values.ndim != 1 or not 1 <= len(values) <= LONGEST:
        raise InputError(f"enumeration: {values.shape} eigenvalues, not 1 to {LONGEST}; search for the best instead")
    if not np.isfinite(values).all() or values[-1] < 0 or (np.diff(values) > 0).any():
        raise InputError("enumeration: the eigenvalues must be finite, not negative and in descending order; sort them")
    if not 1 <= k <= len(values):
        raise InputError(f"enumeration: k = {k} with {len(values)} eigenvalues; choose k from 1 to {len(values)}")
    if not all(np.isfinite(s) and s > 0 for s in noises):
        raise InputError("enumeration: every sigma2 must be finite and greater than 0; leave the others out")
    return values


def _logs(x: Array) -> Array:
    return np.log(np.where(x > 0, x, 1.0))  # a zero eigenvalue is never retained


def _terms(lam: Array, sigma2: float | None) -> tuple[Array, float, float]:
    """(terms, base, weight): L = base - weight (sum of terms over A [+ p log sigma2_A]), theory 1.2 and 2."""
    n = len(lam)
    if sigma2 is None:
        return _logs(lam), -0.5 * n * (log(2 * pi) + 1), 0.5
    ratio = np.maximum(lam / sigma2, 1.0)
    return 0.5 * (np.log(ratio) - (ratio - 1)), -0.5 * (n * log(2 * pi * sigma2) + float(lam.sum()) / sigma2), 1.0


def _measured(lam: Array, k: int, masks: Array, sigma2: float | None) -> tuple[Array, ...]:
    """(valid, noise, cost, index, nullity) of each mask, by one pass over the spectrum in its order."""
    n, m = len(lam), len(masks)
    terms, _, _ = _terms(lam, sigma2)
    size, inversions, ties, held, left = (np.zeros(m, dtype=np.int64) for _ in range(5))
    total, rest, cost = np.zeros(m), np.zeros(m), np.zeros(m)
    smallest, most, least = np.full(m, np.inf), np.full(m, -np.inf), np.full(m, np.inf)
    for i in range(n):
        if i and lam[i] != lam[i - 1]:  # held and left count within a run of equal eigenvalues
            ties += held * left
            held, left = np.zeros_like(held), np.zeros_like(left)
        retained = (masks >> np.uint64(i) & np.uint64(1)).astype(bool)
        inversions += np.where(retained, i - size - left, 0)
        size, held, left = size + retained, held + retained, left + ~retained
        cost += np.where(retained, terms[i], 0.0)
        smallest = np.where(retained, lam[i], smallest)
        total, error = two_sum(total, np.where(retained, 0.0, lam[i]))
        rest += error
        most, least = np.where(retained, most, np.maximum(most, lam[i])), np.where(retained, least, lam[i])
    ties += held * left
    p = n - size
    if sigma2 is None:
        total = total + rest
        valid = (total > 0) & (p * np.where(size, smallest, np.inf) > total)
        noise = np.where(most == least, most, total / np.maximum(p, 1))
        cost = cost + p * _logs(noise)
    else:
        noise = np.full(m, sigma2)
        valid = smallest > sigma2
    valid &= size <= k
    above = (lam > noise[:, None]).sum(1)
    equal = (lam == noise[:, None]).sum(1)
    index = inversions + (k - size) * (above - size)
    nullity = size * (size - 1) // 2 + size * (k - size) + ties + (k - size) * equal
    return valid, noise, cost, index, nullity


def evaluate(lam: Array, k: int, masks: Array, sigma2: float | None = None, backend: Any = np) -> Evaluated:
    """Each index set by itself (theory 1.2-1.4; 2 where sigma2 is None): lam (n,), masks (m,) uint64 -> (m,) each.

    Where a set is not stationary, value is NaN and index and nullity are -1; sigma2 is the mean discarded all the same.
    """
    noises = () if sigma2 is None else (sigma2,)
    lam, masks = _spectrum(lam, k, noises), np.asarray(masks, dtype=np.uint64)
    if backend is np or not len(masks):
        valid, noise, cost, index, nullity = _measured(lam, k, masks, sigma2)
    else:
        valid, noise, cost, index, nullity = _measured_on_device(lam, k, masks, sigma2, backend)
    _, base, weight = _terms(lam, sigma2)
    value = np.where(valid, base - weight * cost, np.nan)
    return Evaluated(valid, noise, value, np.where(valid, index, -1), np.where(valid, nullity, -1))


def _tally(lam: Array, k: int, sigma2: float | None, top: int, bins: int) -> Tally:
    """An empty tally whose range of costs is that of the valid sets: from the optimum to the empty set (theory 2)."""
    n = len(lam)
    largest = min(k, n - 1) if sigma2 is None else k
    leading = np.array([(1 << q) - 1 for q in range(largest + 1)], dtype=np.uint64)
    valid, _, cost, _, _ = _measured(lam, k, leading, sigma2)
    low, high = (float(cost[valid].min()), float(cost[valid].max())) if valid.any() else (0.0, 0.0)
    return Tally(bins, low, high, top, lambda masks: _measured(lam, k, masks, sigma2)[2], n * k + 1)


def _pairs(lam: Array, terms: Array, split: int, largest: int) -> Iterator[tuple[Half, Half]]:
    """Pairs of subsets of the two halves that make up all sets of 0 .. largest elements, in pieces, largest first."""
    n = len(lam)
    if max(sum(comb(m, q) for q in range(min(largest, m) + 1)) for m in (split, n - split)) > TABLE_ROWS:
        raise InputError(
            f"enumeration: {n} eigenvalues, sets of up to {largest}: too many; search for the best instead"
        )
    first, second = halves(lam, terms, 0, split, largest), halves(lam, terms, split, n, largest)
    for q in range(min(largest, n), -1, -1):
        for q1 in range(min(q, len(first) - 1), -1, -1):
            if q - q1 < len(second):
                columns, rows = first[q1], second[q - q1]
                step = max(1, TASK // len(columns))
                for r in range(0, len(rows), step):
                    yield columns, rows.take(slice(r, r + step))


def _run(
    tasks: Iterable[tuple[Half, Half]], work: Callable[[tuple[Half, Half]], int], told: Callable[[int], object]
) -> None:
    """Every task in some thread; `told` hears from each in turn how much it did.  An exception ends it early."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    with ThreadPoolExecutor(max_workers=cores) as pool:
        try:
            for task in [pool.submit(work, pair) for pair in tasks]:
                told(task.result())
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


class _Walk:
    """What is known of one noise (None: learned) so far."""

    def __init__(self, lam: Array, k: int, sigma2: float | None, top: int, bins: int, told: Callable[[int], object]):
        n, self.lam, self.k, self.sigma2, self.told = len(lam), lam, k, sigma2, told
        # The sets to walk lie among the first `above` eigenvalues; the rest hold one below the noise.
        self.above = n if sigma2 is None else int((lam > sigma2).sum())
        self.largest = min(k, n - 1 if sigma2 is None else n)
        self.count = candidates(n, self.largest)
        self.tally = _tally(lam, k, sigma2, top, bins)

    def finish(self) -> None:
        """The sets that hold an eigenvalue below the noise are no stationary points, and were never looked at."""
        rest, self.tally.walked = self.count - self.tally.walked, self.count
        self.told(rest)

    def on_host(self) -> None:
        """Walk by the outer sums of halves.py."""
        lam, k, above, tally = self.lam, self.k, self.above, self.tally
        split = above // 2
        cross_tie = 0 < split < above and bool(lam[split - 1] == lam[split])
        pairs = _pairs(lam[:above], _terms(lam, self.sigma2)[0], split, min(self.largest, above))

        def work(pair: tuple[Half, Half]) -> int:
            if self.sigma2 is None:
                walk_learned(lam, k, split, pair, tally)
            else:
                walk_fixed(above, k, split, pair, tally, cross_tie)
            return tally.walk(len(pair[0]) * len(pair[1]))

        _run(pairs, work, self.told)
        self.finish()

    def result(self) -> Enumeration:
        """What has been found."""
        masks = self.tally.best()
        _, base, weight = _terms(self.lam, self.sigma2)
        values = (base - weight * self.tally.high, base - weight * self.tally.low)
        index = np.trim_zeros(self.tally.index[1:], "b")  # the first bin holds what is not valid
        by_value = self.tally.cost[::-1].copy()  # costs rise where values fall
        found = evaluate(self.lam, self.k, masks, self.sigma2)
        return Enumeration(self.count, self.tally.walked, index, by_value, values, masks, found)


def candidates(n: int, k: int) -> int:
    """How many index sets there are: sum over q <= k of C(n, q)."""
    return sum(comb(n, q) for q in range(k + 1))


def _enumerate(
    lam: Array, k: int, noises: list[float | None], top: int, bins: int, progress: Progress | None, backend: Any
) -> list[Enumeration]:
    done = 0

    def told(sets: int) -> None:
        nonlocal done
        done += sets
        if progress is not None:
            progress(done, total)

    if top < 0 or bins < 0:
        raise InputError(f"enumeration: top = {top} and bins = {bins} must not be negative")
    walks = [_Walk(lam, k, sigma2, top, bins, told) for sigma2 in noises]
    total = sum(w.count for w in walks)
    try:
        if backend is np:
            for w in walks:
                w.on_host()
        elif walks:
            _on_device(lam, k, walks, backend)
    except KeyboardInterrupt:
        pass  # the results say that they are not complete
    return [w.result() for w in walks]


def enumerate_learned(
    lam: Array, k: int, *, top: int = 50, bins: int = 64, progress: Progress | None = None, backend: Any = np
) -> Enumeration:
    """All joint stationary points in (W, sigma2) (theory 2).  lam (n,), at most 64 -> Enumeration.

    `progress(walked, count)` is called from time to time; KeyboardInterrupt ends the walk, and what was walked by then
    is returned (`complete` is False). At k = n the set of all n is left out, as in stationary.py.
    InputError for a bad spectrum or k, or too many sets.
    """
    return _enumerate(_spectrum(lam, k), k, [None], top, bins, progress, backend)[0]


def enumerate_fixed(
    lam: Array, k: int, sigma2: Array, *, top: int = 50, bins: int = 64, progress: Progress | None = None,
    backend: Any = np,
) -> list[Enumeration]:  # fmt: skip
    """All stationary points of L at each noise (theory 1.2).  lam (n,), sigma2 (r,) -> r of Enumeration.

    A set that holds an eigenvalue not above the noise is no stationary point; such sets count as walked without being
    looked at. On a device all noises are walked in one launch. Otherwise as enumerate_learned.
    """
    noises = [float(s) for s in to_numpy(sigma2)]
    return _enumerate(_spectrum(lam, k, noises), k, [*noises], top, bins, progress, backend)


# ---------------------------------------------------------------- on a device


def _measured_on_device(lam: Array, k: int, masks: Array, sigma2: float | None, xp: Any) -> tuple[Array, ...]:
    """As _measured, by the kernel `evaluate`."""
    m = len(masks)
    arrays = [xp.asarray(a) for a in (lam, _terms(lam, sigma2)[0], masks)]
    out = [xp.zeros(m, dtype=d) for d in (np.int32, np.float64, np.float64, np.int32, np.int32)]
    sizes = (np.float64(sigma2 or 0.0), np.int32(len(lam)), np.int32(k), np.int32(m))
    blocks = min(-(-m // THREADS), 1 << 16)
    kernel("enumeration", "evaluate", xp)((blocks,), (THREADS,), (*arrays, *sizes, *out))
    valid, noise, cost, index, nullity = [to_numpy(a) for a in out]
    return valid.astype(bool), noise, cost, index.astype(np.int64), nullity.astype(np.int64)


def _on_device(lam: Array, k: int, walks: list[_Walk], xp: Any) -> None:
    """All sets for all noises by the kernel `walk`, size by size, the largest first."""
    first, r = walks[0], len(walks)
    n = max(w.above for w in walks)  # the sets beyond hold an eigenvalue below every noise
    top, bins, indices = first.tally.top, len(first.tally.cost), len(first.tally.index) - 1
    if top > WIDEST_TOP:
        raise InputError(f"enumeration: top = {top} on a device; at most {WIDEST_TOP} there")
    slots = 1 << (top + THREADS - 1).bit_length()
    shared = 8 * (2 * n + 2 * slots) + 4 * (indices + bins)
    binomial = np.array([[comb(i, j) for j in range(65)] for i in range(65)], dtype=np.uint64)
    terms = np.stack([_terms(lam, w.sigma2)[0][:n] for w in walks])
    ranges = np.array([[w.tally.low, w.tally.per_width] for w in walks])
    noises = np.array([w.sigma2 or 0.0 for w in walks])
    inputs = [xp.asarray(a) for a in (lam[:n], terms, noises, ranges, binomial)]
    widest = max(1, 8 * xp.cuda.Device().attributes["MultiProcessorCount"] // r)
    walk = kernel("enumeration", "walk", xp)
    for q in range(min(first.largest, n), -1, -1):
        for start in range(0, comb(n, q), LAUNCH):
            count = min(LAUNCH, comb(n, q) - start)
            blocks = min(widest, -(-count // THREADS))
            by_index, by_cost = (xp.zeros((r, b), dtype=np.uint64) for b in (indices, max(bins, 1)))
            cost, masks = (xp.zeros((r, blocks, max(top, 1)), dtype=d) for d in (np.float64, np.uint64))
            steps = -(-count // (blocks * THREADS))
            whole = [np.int32(x) for x in (n, k, q)] + [np.uint64(start), np.uint64(count)]
            whole += [np.int32(x) for x in (steps, indices, bins, top, slots)]
            walk((blocks, r), (THREADS,), (*inputs, *whole, by_index, by_cost, cost, masks), shared_mem=shared)
            _merge(walks, *[to_numpy(a) for a in (by_index, by_cost, cost, masks)])
            for w in walks:
                w.told(w.tally.walk(count))
    for w in walks:
        w.finish()


def _merge(walks: list[_Walk], by_index: Array, by_cost: Array, cost: Array, masks: Array) -> None:
    """Add what one launch found: histograms (r, bins), each block's best (r, blocks, top)."""
    for i, w in enumerate(walks):
        index = np.concatenate([[0], by_index[i].astype(np.int64)])
        w.tally.count(index, by_cost[i].astype(np.int64) if len(w.tally.cost) else None)
        if w.tally.top:
            found = np.isfinite(cost[i])
            w.tally.offer(cost[i][found], masks[i][found])
            w.tally.tighten()
