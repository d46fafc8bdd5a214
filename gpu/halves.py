"""Index sets by the million on the CPU: outer sums over the two halves of a spectrum.

Notation   lam (n,) descending eigenvalues, n <= 64; A the retained set, q = |A| <= k, p = n - q; a mask has bit i set
           where i is in A. cost: what the value falls with, sum of `terms` over A, plus p log sigma2_A if learned.
Main       Half, halves, Tally, Closer, walk_learned, walk_fixed.
Reference  theory 1.2, 1.4 and 2; verify/landscape/stationary.py says the same one set at a time.

A set is a pair: a subset of the first half of the spectrum (the columns of an array) and one of the second (its rows).
All that matters is a sum over the pair: the discarded eigenvalues, the terms, the inversions. With the columns in the
order of their discarded sum, the valid sets of a row are a leading run of it, because the smallest retained eigenvalue
lies in the second half; what is beyond that run is excluded by one comparison and never touched.

Ties. What is stationary, and of which index, is decided in whole numbers (limbs.py). The sums over a pair have the
leading 60 bits; where these leave a comparison open, or the eigenvalues were measured, the set is looked at by itself.
Sets whose costs differ only by rounding are all kept until `Tally.best` compares them by sums in one fixed order.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from gpu.limbs import Limbs
from verify.arrays import Array

BLOCK = 1 << 15  # pairs at once: some ten arrays of this length fit into a core's cache
TASK = 1 << 24  # pairs in one task, so that progress moves and an interruption is quick
INVALID = 0  # the bin of the index histogram that collects what is not valid; index i is counted in bin i + 1


@dataclass(frozen=True)
class Half:
    """All subsets of one size of a run of eigenvalues, (m,) each: what they bring to a sum over a pair."""

    mask: Array
    size: Array
    discarded: Array  # sum of the discarded, at most, in whole numbers
    rest: Array  # and as a double
    cost: Array
    inversions: Array  # pairs of a discarded eigenvalue and a smaller retained one
    smallest: Array  # retained, at least; 0 where there is none
    tied_last: Array  # discarded ones equal to the last of the run
    tied_first: Array  # retained ones equal to the first of the run

    def __len__(self) -> int:
        return len(self.mask)

    def take(self, chosen: Array) -> "Half":
        """The subsets that an index array, a slice or a Boolean array chooses."""
        return Half(*[getattr(self, f.name)[chosen] for f in fields(self)])


def halves(spectrum: Limbs, terms: Array, start: int, stop: int, most: int) -> list[Half]:
    """The subsets of lam[start:stop] of 0 .. min(most, stop - start) elements, size by size, by discarded sum."""
    zero, real, starts = np.zeros(1, dtype=np.int64), np.zeros(1), spectrum.runs[0]
    all_ = Half(np.zeros(1, dtype=np.uint64), zero, zero, real, real, zero, zero, zero, zero)
    for i in range(start, stop):
        low, _, high = spectrum.narrow[:, i]
        tied = all_.tied_last if i > start and starts[i] == starts[i - 1] else np.zeros_like(all_.size)
        without = Half(
            all_.mask, all_.size, all_.discarded + high, all_.rest + spectrum.lam[i], all_.cost, all_.inversions,
            all_.smallest, tied + 1, all_.tied_first,
        )  # fmt: skip
        with_it = Half(
            all_.mask | np.uint64(1 << i), all_.size + 1, all_.discarded, all_.rest, all_.cost + terms[i],
            all_.inversions + (i - start - all_.size - tied), np.full(len(all_), low), tied,
            all_.tied_first + int(starts[i] == starts[start]),
        ).take(all_.size < most)  # fmt: skip
        all_ = Half(*map(np.concatenate, zip(_arrays(without), _arrays(with_it), strict=True)))
    all_ = all_.take(np.lexsort((all_.discarded, all_.size)))
    cuts = np.searchsorted(all_.size, np.arange(min(most, stop - start) + 2)).tolist()
    return [all_.take(slice(a, b)) for a, b in pairwise(cuts)]


def _arrays(half: Half) -> list[Array]:
    return [getattr(half, f.name) for f in fields(half)]


def reversed_bits(masks: Array) -> Array:
    """Bit i to bit 63 - i: among sets of equal value the larger comes first, which is the order of their tuples."""
    masks = np.asarray(masks, dtype=np.uint64)
    for shift, keep in ((1, 0x5555555555555555), (2, 0x3333333333333333), (4, 0x0F0F0F0F0F0F0F0F)):
        low = np.uint64(keep)
        masks = ((masks >> np.uint64(shift)) & low) | ((masks & low) << np.uint64(shift))
    return masks.byteswap()


class Tally:
    """What a walk collects: histograms of index and cost, and the sets of least cost. Threads may share one."""

    def __init__(self, bins: int, low: float, high: float, top: int, exact: Callable[[Array], Array], indices: int):
        self.index = np.zeros(indices + 1, dtype=np.int64)
        self.cost = np.zeros(bins, dtype=np.int64)
        self.low, self.high = low, high
        self.per_width = bins / (high - low) if high > low else 0.0
        self.top, self.exact = top, exact
        self.cutoff = np.inf if top else -np.inf
        # Costs are sums of some hundred terms in some order: equal ones differ by less than this.
        self.slack = 1e-12 * max(1.0, abs(low), abs(high))
        self._costs, self._masks = [np.zeros(0)], [np.zeros(0, dtype=np.uint64)]
        self._held, self._lock = 0, threading.Lock()
        self.walked = self.undecided = self.unsure = 0

    def bin_of(self, cost: Array) -> Array:
        """The bin of a cost: equal parts of [low, high], the ends included whatever rounding does to them."""
        # Where the range is as small as rounding, a cost may lie bins below `low`.
        return np.clip(((cost - self.low) * self.per_width).astype(np.int64), 0, len(self.cost) - 1)

    def count(self, index: Array, cost_bin: Array | None) -> None:
        """Add histograms (of bins of the index, of bins of the cost)."""
        with self._lock:
            self.index += index
            if cost_bin is not None:
                self.cost += cost_bin

    def doubt(self, undecided: int, unsure: int) -> None:
        """So many more sets may be stationary, and of so many that are the index may be higher."""
        with self._lock:
            self.undecided += undecided
            self.unsure += unsure

    def walk(self, sets: int) -> int:
        """So many more sets have been decided on; -> as many."""
        with self._lock:
            self.walked += sets
        return sets

    def offer(self, cost: Array, masks: Array) -> None:
        """Keep these sets if they may be among the best."""
        with self._lock:
            self._costs.append(cost)
            self._masks.append(masks)
            self._held += len(cost)
            if self._held > 4 * self.top + 4 * BLOCK:
                self._compress()

    def _compress(self) -> None:
        cost, masks = np.concatenate(self._costs), np.concatenate(self._masks)
        if len(cost) > self.top > 0:
            # Two costs, each off by rounding: the last of the best and whatever may be as good.
            self.cutoff = float(np.partition(cost, self.top - 1)[self.top - 1]) + 2 * self.slack
            near = cost <= self.cutoff
            cost, masks = cost[near], masks[near]
        if len(cost) > 4 * self.top:  # so many ties have to be decided now, or they would pile up
            cost, masks = self._ordered(masks)
        self._costs, self._masks, self._held = [cost], [masks], len(cost)

    def _ordered(self, masks: Array) -> tuple[Array, Array]:
        """The costs and masks of the best of these, compared by sums in one fixed order."""
        exact = self.exact(masks)
        order = np.lexsort((np.iinfo(np.uint64).max - reversed_bits(masks), exact))[: self.top]
        return exact[order], masks[order]

    def tighten(self) -> None:
        """Update the cutoff from what is held."""
        with self._lock:
            self._compress()

    def best(self) -> Array:
        """The masks of the `top` sets of least cost, best first."""
        self.tighten()
        return self._ordered(self._masks[0])[1]


def _rectangles(widths: Array) -> Iterator[tuple[slice, slice]]:
    """Cover row i up to column widths[i] (falling) by rectangles of at most BLOCK pairs."""
    row = 0
    while row < len(widths) and widths[row]:
        width = int(widths[row])
        rows = slice(row, row + max(1, BLOCK // width))
        for column in range(0, width, BLOCK):
            yield rows, slice(column, min(width, column + BLOCK))
        row = rows.stop


def _collect(
    tally: Tally, index: Array, cost: Callable[[], Array], bound: float, valid: Array | None, pair: tuple[Half, Half]
) -> None:
    """Count one rectangle, and offer what may be among the best; the cost is computed only where it can matter.

    index, cost(), valid (rows, columns); valid is None where all are.
    """
    columns, rows = pair
    costs = None
    bins = None
    if len(tally.cost):
        costs = cost()
        counted = costs.reshape(-1) if valid is None else costs[valid]
        bins = np.bincount(tally.bin_of(counted), minlength=len(tally.cost))
    tally.count(np.bincount(index.reshape(-1), minlength=len(tally.index)), bins)
    if bound <= tally.cutoff:
        costs = cost() if costs is None else costs
        near = costs <= tally.cutoff
        r, c = np.nonzero(near if valid is None else valid & near)
        if r.size:
            picked = costs[r, c]
            if np.isinf(tally.cutoff) and len(picked) > tally.top:
                near = picked <= np.partition(picked, tally.top - 1)[tally.top - 1] + tally.slack
                r, c, picked = r[near], c[near], picked[near]
            tally.offer(picked, columns.mask[c] | rows.mask[r])
            tally.tighten()


def _cross_inversions(columns: Half, rows: Half, split: int, tied: bool) -> Array:
    """Inversions of a whole set: those of its halves, and retained of the second half below discarded of the first."""
    across = rows.size * (split - columns.size[0])
    inversions = columns.inversions + (rows.inversions + across)[:, None]
    return inversions - columns.tied_last * rows.tied_first[:, None] if tied else inversions


class Closer(NamedTuple):
    """Sets looked at one by one: surely stationary, perhaps, the index, directions of unknown sign, (m,) each."""

    valid: Array
    perhaps: Array
    index: Array
    undecided: Array


def walk_learned(
    spectrum: Limbs, k: int, split: int, pair: tuple[Half, Half], tally: Tally, closer: Callable[[Array], Closer]
) -> None:
    """All sets A that join a subset of each half: valid iff p min_A lam_a > sum of the discarded > 0 (theory 2)."""
    columns, rows = pair
    n, slack = len(spectrum.lam), spectrum.slack
    q, in_rows = int(columns.size[0] + rows.size[0]), bool(rows.size[0])
    p = n - q
    if in_rows:
        widths = np.searchsorted(columns.discarded, p * rows.smallest - rows.discarded + slack, side="left")
        order = np.argsort(-widths, kind="stable")[: np.count_nonzero(widths)]
        if not order.size:  # most pairs of sizes hold no valid set at all
            return
        rows, widths = rows.take(order), widths[order]
    else:
        widths = np.full(len(rows), len(columns))
    cross_tie = 0 < split < n and bool(spectrum.runs[0, split - 1] == spectrum.runs[0, split])
    # A retained lam_j is above the noise where the set is valid; a discarded one surely is if the sum of the discarded,
    # of which it is a part, is below this (units.py).
    thresholds = (p - 1) * spectrum.narrow[0] + spectrum.narrow[1]
    for r, c in _rectangles(widths):
        right, below = columns.take(c), rows.take(r)
        total = right.discarded + below.discarded[:, None]
        limit = p * below.smallest[:, None] if in_rows else p * right.smallest
        valid = total < limit if q else np.ones(total.shape, dtype=bool)
        index = _cross_inversions(right, below, split, cross_tie)
        near = None
        if slack and q:
            near = total < limit + slack
            near ^= valid
        if q < k:
            above = _above(thresholds, total)
            if slack:
                unsure = _above(thresholds + (slack + 2), total) != above
                near = unsure if near is None else near | unsure
            index = index + (k - q) * (above.astype(np.int64) - q)
        if q == spectrum.rank < n:  # what is discarded may be nothing but zeros, and then there is no noise
            valid &= right.rest + below.rest[:, None] > 0
        index += 1
        if near is not None and near.any():
            at = np.nonzero(near)
            found = closer(right.mask[at[1]] | below.mask[at[0]])
            valid[at], index[at] = found.valid, found.index + 1
            tally.doubt(int(found.perhaps.sum()), int((found.valid & (found.undecided > 0)).sum()))
        if not valid.all():
            index[~valid] = INVALID

        def cost(right: Half = right, below: Half = below) -> Array:
            with np.errstate(divide="ignore"):
                return right.cost + below.cost[:, None] + p * np.log((right.rest + below.rest[:, None]) / p)

        # A sum in another order may be less by its rounding, which the cutoff has room for.
        least = (right.rest.min() + below.rest.min()) / p
        bound = right.cost.min() + below.cost.min() + p * np.log(least) if least > 0 else -np.inf
        _collect(tally, index, cost, bound, valid, (right, below))


def _above(thresholds: Array, total: Array) -> Array:
    """How many of the thresholds, falling, exceed each entry.  (n,), (r, c) -> (r, c) of int8."""
    # Within a rectangle the sums vary little, so few thresholds have to be compared with all of it.
    surely = int((thresholds > total.max()).sum())
    count = np.full(total.shape, surely, dtype=np.int8)
    for x in thresholds[surely : int((thresholds > total.min()).sum())]:
        count += total < x
    return count


def walk_fixed(above: int, k: int, split: int, pair: tuple[Half, Half], tally: Tally, cross_tie: bool) -> None:
    """All sets that join a subset of each half of the eigenvalues above the noise: every one is valid (theory 1.2)."""
    columns, rows = pair
    q = int(columns.size[0] + rows.size[0])
    for r, c in _rectangles(np.full(len(rows), len(columns))):
        right, below = columns.take(c), rows.take(r)
        index = _cross_inversions(right, below, split, cross_tie) + ((k - q) * (above - q) + 1)

        def cost(right: Half = right, below: Half = below) -> Array:
            return right.cost + below.cost[:, None]

        bound = right.cost.min() + below.cost.min()
        _collect(tally, index, cost, bound, None, (right, below))
