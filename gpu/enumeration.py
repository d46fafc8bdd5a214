"""Every stationary point of pPCA, by walking all index sets: at fixed noise (a whole vector of them) or learned noise.

Notation   lam (n,) descending eigenvalues, n <= 64; A a retained set of q <= k eigen-indices; a mask (uint64) has bit i
           set where i (from 0) is in A; sigma2_A the mean of the discarded eigenvalues.
Main       enumerate_learned, enumerate_fixed -> Enumeration.
Reference  theory 1.2-1.4 and 2. verify/landscape/stationary.py finds the best without walking the rest.

On a device kernels/enumeration.cu walks the sets of each size by their rank; its twin is halves.py (outer sums over
the two halves of the spectrum), and index_sets.py for single sets. Both decide in whole numbers (limbs.py): of
decimals exactly; of measured eigenvalues what rounding leaves open is counted apart. At k = n and learned noise the set
of all n, a curve of maxima, is left out; the set in which it ends stands for it (stationary.py).
"""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from math import comb
from typing import Any

import numpy as np

from gpu.halves import TASK, Closer, Half, Tally, halves, walk_fixed, walk_learned
from gpu.index_sets import Evaluated, Problem, checked_spectrum, evaluated, kernel_inputs, measured, members
from gpu.kernels import kernel
from gpu.limbs import Limbs, limbs
from verify.arrays import Array, to_numpy
from verify.eigenvalues import Eigenvalues, Position
from verify.errors import InputError

TABLE_ROWS = 40_000_000  # subsets of one half that fit into memory (some 90 bytes each)
THREADS = 128  # of a block on the device
LAUNCH = 1 << 32  # sets in one launch: about a second
WIDEST_TOP = 512  # sets that a block on the device can keep

Progress = Callable[[int, int], object]


@dataclass(frozen=True)
class Enumeration:
    """All index sets of at most k elements: `count` of them, `walked` so far, `valid` stationary points among these.

    Rounding cannot tell of `undecided` others whether they are, and of `unsure` of the valid ones the whole index.
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
    undecided: int = 0
    unsure: int = 0

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


def _tally(problem: Problem, top: int, bins: int) -> Tally:
    """An empty tally whose range of costs is that of the valid sets: from the optimum to the empty set (theory 2)."""
    n, k = problem.n, problem.k
    largest = min(k, n - 1) if problem.sigma2 is None else k
    leading = measured(problem, np.array([(1 << q) - 1 for q in range(largest + 1)], dtype=np.uint64))
    costs = leading.cost[leading.valid == 1]
    low, high = (float(costs.min()), float(costs.max())) if costs.size else (0.0, 0.0)
    return Tally(bins, low, high, top, lambda masks: measured(problem, masks).cost, n * k + 1)


def _closer(problem: Problem, masks: Array) -> Closer:
    here = measured(problem, masks)
    return Closer(here.valid == 1, here.valid == 2, here.index, here.undecided)


def _pairs(of: Limbs, n: int, terms: Array, split: int, largest: int) -> Iterator[tuple[Half, Half]]:
    """Pairs of subsets of the two halves of the first n that make up all sets of 0 .. largest elements, largest first.

    In pieces.
    """
    if max(sum(comb(m, q) for q in range(min(largest, m) + 1)) for m in (split, n - split)) > TABLE_ROWS:
        raise InputError(
            f"enumeration: {n} eigenvalues, sets of up to {largest}: too many; search for the best instead"
        )
    first, second = halves(of, terms, 0, split, largest), halves(of, terms, split, n, largest)
    for q in range(min(largest, n), -1, -1):
        for q1 in range(min(q, len(first) - 1), -1, -1):
            if q - q1 < len(second):
                columns, rows = first[q1], second[q - q1]
                step = max(1, TASK // len(columns))
                for r in range(0, len(rows), step):
                    yield columns, rows if step >= len(rows) else rows.take(slice(r, r + step))


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

    def __init__(self, problem: Problem, top: int, bins: int, told: Callable[[int], object]):
        self.problem, self.told, n, at = problem, told, problem.n, problem.at
        # The sets to walk lie among the first `above` eigenvalues; the rest hold one not surely above the noise.
        self.above = n if at is None else at.above
        self.largest = min(problem.k, n - 1 if at is None else n)
        self.count = candidates(n, self.largest)
        self.tally = _tally(problem, top, bins)

    def finish(self) -> None:
        """The sets that hold an eigenvalue not above the noise are no stationary points, and were never looked at."""
        rest, self.tally.walked = self.count - self.tally.walked, self.count
        at = self.problem.at
        if at is not None and at.undecided:
            more = at.above + at.level
            self.tally.undecided = candidates(more, min(self.largest, more)) - candidates(self.above, self.largest)
            # Every set of fewer than k has a zero column that may rise towards what ties.
            self.tally.unsure = candidates(self.above, self.problem.k - 1) if at.level else 0
        self.told(rest)

    def on_host(self) -> None:
        """Walk by the outer sums of halves.py."""
        problem, above, tally = self.problem, self.above, self.tally
        split, of = above // 2, problem.limbs
        cross_tie = 0 < split < above and bool(of.runs[0, split - 1] == of.runs[0, split])
        pairs = _pairs(of, above, problem.terms[0], split, min(self.largest, above))

        def work(pair: tuple[Half, Half]) -> int:
            if problem.at is None:
                walk_learned(of, problem.k, split, pair, tally, partial(_closer, problem))
            else:
                walk_fixed(above, problem.k, split, pair, tally, cross_tie)
            return tally.walk(len(pair[0]) * len(pair[1]))

        _run(pairs, work, self.told)
        self.finish()

    def result(self) -> Enumeration:
        """What has been found."""
        masks, tally = self.tally.best(), self.tally
        _, base, weight = self.problem.terms
        values = (base - weight * tally.high, base - weight * tally.low)
        index = np.trim_zeros(tally.index[1:], "b")  # the first bin holds what is not valid
        by_value = tally.cost[::-1].copy()  # costs rise where values fall
        found = evaluated(self.problem, masks)
        doubts = tally.undecided, tally.unsure
        return Enumeration(self.count, tally.walked, index, by_value, values, masks, found, *doubts)


def candidates(n: int, k: int) -> int:
    """How many index sets there are: sum over q <= k of C(n, q)."""
    return sum(comb(n, q) for q in range(k + 1))


def _enumerate(
    spectrum: Eigenvalues, k: int, noises: list[float | None], top: int, bins: int, progress: Progress | None,
    backend: Any,
) -> list[Enumeration]:  # fmt: skip
    done = 0

    def told(sets: int) -> None:
        nonlocal done
        done += sets
        if progress is not None:
            progress(done, total)

    if top < 0 or bins < 0:
        raise InputError(f"enumeration: top = {top} and bins = {bins} must not be negative")
    whole = limbs(spectrum)
    walks = [_Walk(Problem(spectrum, whole, k, sigma2), top, bins, told) for sigma2 in noises]
    total = sum(w.count for w in walks)
    try:
        if backend is np:
            for w in walks:
                w.on_host()
        elif walks:
            _on_device(walks, backend)
    except KeyboardInterrupt:
        pass  # the results say that they are not complete
    return [w.result() for w in walks]


def enumerate_learned(
    lam: Array | Eigenvalues, k: int, *, top: int = 50, bins: int = 64, progress: Progress | None = None,
    backend: Any = np,
) -> Enumeration:  # fmt: skip
    """All joint stationary points in (W, sigma2) (theory 2).  lam (n,), at most 64 -> Enumeration.

    `progress(walked, count)` is called from time to time; KeyboardInterrupt ends the walk, and what was walked by then
    is returned (`complete` is False). At k = n the set of all n is left out, as in stationary.py.
    InputError for a bad spectrum or k, too many sets, or more digits than fit (limbs.py).
    """
    return _enumerate(checked_spectrum(lam, k), k, [None], top, bins, progress, backend)[0]


def enumerate_fixed(
    lam: Array | Eigenvalues, k: int, sigma2: Array, *, top: int = 50, bins: int = 64, progress: Progress | None = None,
    backend: Any = np,
) -> list[Enumeration]:  # fmt: skip
    """All stationary points of L at each noise (theory 1.2).  lam (n,), sigma2 (r,) -> r of Enumeration.

    A set that holds an eigenvalue not above the noise is no stationary point; such sets count as walked without being
    looked at. On a device all noises are walked in one launch. Otherwise as enumerate_learned.
    """
    noises = [float(s) for s in to_numpy(sigma2)]
    return _enumerate(checked_spectrum(lam, k, noises), k, [*noises], top, bins, progress, backend)


# ---------------------------------------------------------------- on a device


def _on_device(walks: list[_Walk], xp: Any) -> None:
    """All sets for all noises by the kernel `walk`, size by size, the largest first."""
    first, r = walks[0], len(walks)
    k, n = first.problem.k, max(w.above for w in walks)  # the sets beyond hold an eigenvalue below every noise
    top, bins, indices = first.tally.top, len(first.tally.cost), len(first.tally.index) - 1
    if top > WIDEST_TOP:
        raise InputError(f"enumeration: top = {top} on a device; at most {WIDEST_TOP} there")
    slots = 1 << (top + THREADS - 1).bit_length()
    counted = indices + 2  # those that are undecided and those whose index is unsure, after all indices
    shared = 8 * (7 * n + 2 * slots) + 4 * (counted + bins)
    binomial = np.array([[comb(i, j) for j in range(65)] for i in range(65)], dtype=np.uint64)
    arrays, sharp = kernel_inputs(first.problem, n, np.stack([w.problem.terms[0][:n] for w in walks]), xp)
    ranges = np.array([[w.tally.low, w.tally.per_width] for w in walks])
    noises = np.array([w.problem.sigma2 or 0.0 for w in walks])
    ats = [w.problem.at or Position(0, 0, False) for w in walks]
    positions = np.array([[at.above, at.level] for at in ats], dtype=np.int32)
    inputs = [*arrays, *(xp.asarray(a) for a in (noises, positions, ranges, binomial))]
    widest = max(1, 8 * xp.cuda.Device().attributes["MultiProcessorCount"] // r)
    walk = kernel("enumeration", "walk", xp)
    for q in range(min(first.largest, n), -1, -1):
        for start in range(0, comb(n, q), LAUNCH):
            count = min(LAUNCH, comb(n, q) - start)
            blocks = min(widest, -(-count // THREADS))
            by_index, by_cost = (xp.zeros((r, b), dtype=np.uint64) for b in (counted, max(bins, 1)))
            cost, masks = (xp.zeros((r, blocks, max(top, 1)), dtype=d) for d in (np.float64, np.uint64))
            steps = -(-count // (blocks * THREADS))
            whole = [sharp] + [np.int32(x) for x in (first.problem.limbs.rank, n, k, q)]
            whole += [np.uint64(start), np.uint64(count)]
            whole += [np.int32(x) for x in (steps, counted, bins, top, slots)]
            walk((blocks, r), (THREADS,), (*inputs, *whole, by_index, by_cost, cost, masks), shared_mem=shared)
            _merge(walks, *[to_numpy(a) for a in (by_index, by_cost, cost, masks)])
            for w in walks:
                w.told(w.tally.walk(count))
    for w in walks:
        w.finish()


def _merge(walks: list[_Walk], by_index: Array, by_cost: Array, cost: Array, masks: Array) -> None:
    """Add what one launch found: histograms (r, bins), each block's best (r, blocks, top)."""
    for i, w in enumerate(walks):
        *counted, undecided, unsure = by_index[i].tolist()
        index = np.array([0, *counted], dtype=np.int64)
        w.tally.doubt(undecided, unsure)
        w.tally.count(index, by_cost[i].astype(np.int64) if len(w.tally.cost) else None)
        if w.tally.top:
            found = np.isfinite(cost[i])
            w.tally.offer(cost[i][found], masks[i][found])
            w.tally.tighten()
