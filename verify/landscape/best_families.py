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
from collections.abc import Iterator
from itertools import accumulate, takewhile
from math import fsum, inf, log
from typing import Protocol

import numpy as np

from verify.arrays import Array
from verify.landscape.families import best_to_worst, exists, family, solve_noise
from verify.landscape.points import Block, Point, block_value, is_valid, ordered
from verify.landscape.search import IndexSet, best_first
from verify.landscape.stationary import gains, noise_of, profile_value


class _Objective(Protocol):
    """What the search asks of an objective."""

    zero_rows: bool

    def loss(self, block: Block) -> float:
        """What the block loses against single columns; inf if nothing that grows out of it is valid."""

    def completions(self, held: IndexSet, columns: int) -> Iterator[tuple[float, IndexSet]]:
        """(value, further indices) for all ways to retain `held` and up to `columns` more as singles, best first."""

    def bound(self, held: IndexSet, columns: int) -> float:
        """The value of the best completion, or more."""

    def noise(self, blocks: tuple[Block, ...]) -> float | None:
        """The noise at which the family is stationary."""


class _FixedNoise:
    zero_rows = True

    def __init__(self, lam: Array, sigma2: float):
        self.lam, self.sigma2 = lam, sigma2
        self.gain = gains(lam, sigma2).tolist()
        self.above = int((lam > sigma2).sum())
        self.total = [0.0, *accumulate(self.gain)]

    def loss(self, block: Block) -> float:
        held = self.lam[list(block.eigen)]
        if not is_valid(held, block.columns, self.sigma2):
            return inf
        return fsum(self.gain[i] for i in block.eigen) - block_value(held, block.columns, self.sigma2)

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

    def noise(self, blocks: tuple[Block, ...]) -> float | None:
        return self.sigma2


class _LearnedNoise:
    zero_rows = False

    def __init__(self, lam: Array):
        self.lam, self.values = lam, [float(x) for x in lam]

    def loss(self, block: Block) -> float:
        held = self.lam[list(block.eigen)]
        if held[-1] <= 0:
            return inf
        return len(held) * log(float(np.sqrt(held).mean())) - 0.5 * float(np.log(held).sum())

    def completions(self, held: IndexSet, columns: int) -> Iterator[tuple[float, IndexSet]]:
        free = [i for i in range(len(self.lam)) if i not in held]

        def worth(chosen: IndexSet) -> float | None:
            whole = tuple(sorted((*held, *(free[p] for p in chosen))))
            noise = noise_of(self.values, whole)
            return None if noise is None else profile_value(self.values, whole, noise)

        found = best_first(len(free), min(columns, len(self.lam) - 1 - len(held)), worth)
        return ((value, tuple(free[p] for p in chosen)) for value, chosen in found)

    def bound(self, held: IndexSet, columns: int) -> float:
        return next(self.completions(held, columns), (-inf, ()))[0]

    def noise(self, blocks: tuple[Block, ...]) -> float | None:
        return solve_noise(blocks, sum(b.columns for b in blocks), self.lam)


class _Search:
    """Depth first over partial families (finished blocks and one that grows), pruned by the `top`-th best so far."""

    def __init__(self, lam: Array, k: int, objective: _Objective, top: int):
        self.lam, self.k, self.objective, self.top = lam, k, objective, top
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
            if noise is not None and exists(whole, self.lam, noise):
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
        free = (a for a in range(done[-1].eigen[0] + 1 if done else 0, len(self.lam)) if a not in held)
        # A smaller eigenvalue bounds no better, so the first hopeless one ends the row; close pairs of eigenvalues,
        # which lose least and so prune most, are at its far end.
        for a in reversed(list(takewhile(lambda a: not self.hopeless(done, Block((a,)), lost), free))):
            for columns in range(1, self.k + 1 if self.objective.zero_rows else 2):
                if self.hopeless(done, Block((a,), columns), lost):
                    break  # nor does another zero row
                self.grow(done, Block((a,), columns), lost)

    def grow(self, done: tuple[Block, ...], block: Block, lost: float) -> None:
        """Close the block if it is one, and widen it by every smaller eigenvalue."""
        if block.zeros or self.lam[block.eigen[0]] != self.lam[block.eigen[-1]]:
            total = lost + self.objective.loss(block)
            self.offer((*done, block), total)
            self.open_block((*done, block), total)
        held = set(_indices(done))
        for b in range(block.eigen[-1] + 1, len(self.lam)):
            if b in held:
                continue
            wider = Block((*block.eigen, b), block.columns + 1)
            if not self.hopeless(done, wider, lost):
                self.grow(done, wider, lost)
            elif not block.zeros:
                break  # without zero rows a smaller eigenvalue loses more; with them it may lose less


def _indices(blocks: tuple[Block, ...]) -> IndexSet:
    return tuple(i for b in blocks for i in b.eigen)


def best_families(lam: Array, k: int, sigma2: float | None, top: int) -> list[Point]:
    """The `top` best families, best first, without enumerating the rest; sigma2 None: learned.  lam (n,).

    At learned noise blocks with zero rows, and blocks that hold an eigenvalue at or below the noise, are left out.
    """
    objective: _Objective = _LearnedNoise(lam) if sigma2 is None else _FixedNoise(lam, sigma2)
    found = _Search(lam, k, objective, top).run()
    noises = [objective.noise(blocks) for blocks in found]
    return best_to_worst(family(b, k, lam, s) for b, s in zip(found, noises, strict=True) if s is not None)
