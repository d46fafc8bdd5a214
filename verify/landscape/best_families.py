"""The best families of the ELBO's stationary points when there are too many to list.

Notation   lam (n,) descending; a family is a set of disjoint blocks (points.py), filled up with zero columns to k.
Main       best_families.
Reference  theory 3.6; the pruning is ours, and is checked against the complete lists of families.py.

Why it may prune. At fixed noise, for a block with free scales t_a >= sigma2, put
    f(t) = -1/2 [k_b log((sum t + z sigma2)/(k_b sigma2)) + sum lam_a (1/t_a - 1/sigma2)];
it is concave in log t, so its stationary point, the block, is its maximum. Let loss = (value of the same indices as
single columns) - (value of the block). By concavity of log, (k+1) log((T + t)/(k+1)) >= k log(T/k) + log t: adding an
index with a column never lowers the loss; adding a zero row never does. If indices are added in the order of falling
lam, a block that is invalid stays invalid. So the best completion of a partial family by single columns bounds all
that can grow out of it. With learned noise the same holds among blocks without zero rows, whose loss
q log(mean sqrt lam) - 1/2 sum log lam does not depend on the noise, on retained sets that are valid for pPCA.
"""

import heapq
from collections.abc import Iterator, Sequence
from itertools import accumulate, takewhile
from math import fsum, inf, log
from typing import Any, Protocol

import numpy as np

from verify.arrays import Array
from verify.eigenvalues import Eigenvalues
from verify.landscape.families import best_to_worst, curve_of_maxima, end_of_curve, family, solve_noise
from verify.landscape.noise import Noise, given
from verify.landscape.points import Block, Point, block_value, ordered
from verify.landscape.search import IndexSet, best_first
from verify.landscape.stationary import gains, profile_value
from verify.landscape.units import STATIONARY, units
from verify.landscape.validity import row_sign, status


class _Objective(Protocol):
    """What the search asks of an objective."""

    zero_rows: bool

    def loss(self, block: Block) -> float:
        """What the block loses against single columns; inf if nothing that grows out of it is valid."""

    def completions(self, held: IndexSet, columns: int) -> Iterator[tuple[float, IndexSet]]:
        """(value, further indices) for all ways to retain `held` and up to `columns` more as singles, best first."""

    def bound(self, held: IndexSet, columns: int) -> float:
        """The value of the best completion, or more."""

    def noise(self, blocks: tuple[Block, ...]) -> Noise | None:
        """The noise at which the family is stationary."""


class _FixedNoise:
    zero_rows = True

    def __init__(self, spectrum: Eigenvalues, sigma2: float):
        self.spectrum, self.given = spectrum, given(spectrum, sigma2)
        self.gain = gains(spectrum.values, sigma2).tolist()
        self.above = self.given.position.above
        self.total = [0.0, *accumulate(self.gain)]

    def loss(self, block: Block) -> float:
        # Every t_a exceeds the noise if the least does.
        if row_sign(self.spectrum, block.eigen[-1], block, self.given).sign <= 0:
            return inf
        held = self.spectrum.values[list(block.eigen)]
        return fsum(self.gain[i] for i in block.eigen) - block_value(held, block.columns, self.given.sigma2)

    def completions(self, held: IndexSet, columns: int) -> Iterator[tuple[float, IndexSet]]:
        free = [i for i in range(self.above) if i not in held]
        base = fsum(self.gain[i] for i in held)
        found = best_first(len(free), columns, lambda A: base + fsum(self.gain[free[p]] for p in A))
        return ((value, tuple(free[p] for p in chosen)) for value, chosen in found)

    def bound(self, held: IndexSet, columns: int) -> float:
        # The gains fall, so the best further singles are the first free indices: all below `reach` are retained.
        reach = columns
        while sum(i < reach for i in held) > reach - columns:
            reach += 1
        beyond = fsum(self.gain[i] for i in held if i >= reach)
        return float(self.total[min(reach, len(self.gain))]) + beyond

    def noise(self, blocks: tuple[Block, ...]) -> Noise | None:
        return self.given


class _LearnedNoise:
    zero_rows = False

    def __init__(self, spectrum: Eigenvalues):
        self.spectrum, self.values, self.units = spectrum, spectrum.values.tolist(), units(spectrum)

    def loss(self, block: Block) -> float:
        held = self.spectrum.values[list(block.eigen)]
        if held[-1] <= 0:
            return inf
        return len(held) * log(float(np.sqrt(held).mean())) - 0.5 * float(np.log(held).sum())

    def completions(self, held: IndexSet, columns: int) -> Iterator[tuple[float, IndexSet]]:
        free = [i for i in range(len(self.values)) if i not in held]

        def worth(chosen: IndexSet) -> float | None:
            whole = tuple(sorted((*held, *(free[p] for p in chosen))))
            if self.units.status(whole) != STATIONARY:
                return None
            return profile_value(self.values, whole, self.units.mean(whole))

        found = best_first(len(free), columns, worth)
        return ((value, tuple(free[p] for p in chosen)) for value, chosen in found)

    def bound(self, held: IndexSet, columns: int) -> float:
        return next(self.completions(held, columns), (-inf, ()))[0]

    def noise(self, blocks: tuple[Block, ...]) -> Noise | None:
        return solve_noise(blocks, sum(b.columns for b in blocks), self.spectrum)


class _Search:
    """Depth first over partial families (finished blocks and one that grows), pruned by the `top`-th best so far."""

    def __init__(self, spectrum: Eigenvalues, k: int, objective: _Objective, top: int):
        self.spectrum, self.k, self.objective, self.top = spectrum, k, objective, top
        self.known: Sequence[Any] = spectrum.exact if spectrum.exact is not None else spectrum.values.tolist()
        self.best: list[tuple[float, tuple[Block, ...]]] = []

    def run(self) -> list[tuple[Block, ...]]:
        self.offer((), 0.0)
        self.open_block((), 0.0)
        return [blocks for _, blocks in self.best]

    def offer(self, done: tuple[Block, ...], lost: float) -> None:
        """Complete the finished blocks by single columns, while that still reaches the list."""
        used = sum(b.columns for b in done)
        for value, singles in self.objective.completions(_indices(done), self.k - used):
            if not self.reaches(value - lost):
                return
            whole = ordered((*done, *(Block((i,)) for i in singles)), self.k)
            noise = self.objective.noise(whole)
            if noise is not None and status(whole, self.spectrum, noise) == STATIONARY:
                heapq.heappush(self.best, (value - lost, whole))
                if len(self.best) > self.top:
                    heapq.heappop(self.best)

    def reaches(self, value: float) -> bool:
        """Whether a family of this value, or below it, can still enter the list."""
        return value > -inf and (len(self.best) < self.top or value > self.best[0][0])

    def hopeless(self, done: tuple[Block, ...], block: Block, lost: float) -> bool:
        """Whether nothing that grows out of these blocks can enter the list."""
        blocks = (*done, block)
        used = sum(b.columns for b in blocks)
        here = self.objective.loss(block)
        if used > self.k or here == inf:
            return True
        return not self.reaches(self.objective.bound(_indices(blocks), self.k - used) - lost - here)

    def open_block(self, done: tuple[Block, ...], lost: float) -> None:
        """Begin a new block at every index beyond the first of the last one (so that each set of blocks comes once)."""
        held = set(_indices(done))
        free = (a for a in range(done[-1].eigen[0] + 1 if done else 0, len(self.known)) if a not in held)
        # A smaller eigenvalue bounds no better, so the first hopeless one ends the row; close pairs of eigenvalues,
        # which lose least and so prune most, are at its far end.
        for a in reversed(list(takewhile(lambda a: not self.hopeless(done, Block((a,)), lost), free))):
            for columns in range(1, self.k + 1 if self.objective.zero_rows else 2):
                if self.hopeless(done, Block((a,), columns), lost):
                    break  # nor does another zero row
                self.grow(done, Block((a,), columns), lost)

    def grow(self, done: tuple[Block, ...], block: Block, lost: float) -> None:
        """Close the block if it is one, and widen it by every smaller eigenvalue."""
        if block.zeros or self.known[block.eigen[0]] != self.known[block.eigen[-1]]:
            total = lost + self.objective.loss(block)
            self.offer((*done, block), total)
            self.open_block((*done, block), total)
        held = set(_indices(done))
        for b in range(block.eigen[-1] + 1, len(self.known)):
            if b in held:
                continue
            wider = Block((*block.eigen, b), block.columns + 1)
            if not self.hopeless(done, wider, lost):
                self.grow(done, wider, lost)
            elif not block.zeros:
                break  # without zero rows a smaller eigenvalue loses more; with them it may lose less


def _indices(blocks: tuple[Block, ...]) -> IndexSet:
    return tuple(i for b in blocks for i in b.eigen)


def best_families(lam: Array | Eigenvalues, k: int, sigma2: float | None, top: int) -> list[Point]:
    """The `top` best families, best first, without enumerating the rest; sigma2 None: learned.  lam (n,).

    Of measured eigenvalues those that surely exist. At learned noise blocks with zero rows, and blocks that hold an
    eigenvalue at or below the noise, are left out.
    """
    spectrum = Eigenvalues.of(lam)
    objective: _Objective = _LearnedNoise(spectrum) if sigma2 is None else _FixedNoise(spectrum, sigma2)
    end = end_of_curve(spectrum, k) if sigma2 is None else None
    points = []
    for blocks in _Search(spectrum, k, objective, top).run():
        noise = objective.noise(blocks)
        if end is not None and blocks == ordered(end, k):
            points.append(curve_of_maxima(spectrum))
        elif noise is not None:
            points.append(family(blocks, k, spectrum, noise))
    return best_to_worst(points)
