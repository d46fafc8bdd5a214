"""Numba: every mask in a compiled loop on all cores.

Main       bits (each mask by itself), halves (sums over two halves of the bits looked up in tables).

Both prune nothing but what one comparison tells, keep a histogram and the best fifty for each chunk of masks, and
compute a logarithm only of what is stationary. Ties are compared in floating point, which is fine for spectra without.
"""

from collections.abc import Callable
from math import log, pi
from typing import Any

import numba
import numpy as np

from benchmarks.enumeration import TOP
from benchmarks.problems import spectrum_of

CHUNKS = 64


@numba.njit(inline="always")
def _popcount(x: int) -> int:
    x = x - ((x >> 1) & 0x55555555)
    x = (x & 0x33333333) + ((x >> 2) & 0x33333333)
    return (((x + (x >> 4)) & 0x0F0F0F0F) * 0x01010101 & 0xFFFFFFFF) >> 24


@numba.njit(inline="always")
def _keep(costs: Any, masks: Any, cost: float, mask: int) -> None:
    """Insert into a list in rising order of cost."""
    at = costs.size - 1
    while at > 0 and costs[at - 1] > cost:
        costs[at], masks[at] = costs[at - 1], masks[at - 1]
        at -= 1
    costs[at], masks[at] = cost, mask


@numba.njit(inline="always")
def _above(lam: Any, noise: float) -> int:
    low, high = 0, lam.size
    while low < high:
        middle = (low + high) >> 1
        if lam[middle] > noise:
            low = middle + 1
        else:
            high = middle
    return low


@numba.njit(parallel=True, fastmath=True)
def _walk_bits(lam: Any, logs: Any, k: int, top: int, chunks: int) -> Any:
    n = lam.size
    by_index = np.zeros((chunks, n * k + 1), dtype=np.int64)
    costs, masks = np.full((chunks, top), np.inf), np.zeros((chunks, top), dtype=np.int64)
    step = (1 << n) // chunks
    whole = lam.sum()
    for chunk in numba.prange(chunks):
        for mask in range(chunk * step, (chunk + 1) * step):
            q = _popcount(mask)
            if q > k or q == n:
                continue
            total, rest, last = whole, mask, -1
            while rest:  # from the lowest bit up
                last = _popcount((rest & -rest) - 1)
                total -= lam[last]
                rest &= rest - 1
            p = n - q
            if q and p * lam[last] <= total:
                continue
            noise = total / p
            cost, inversions, rest, seen = p * log(noise), 0, mask, 0
            while rest:
                i = _popcount((rest & -rest) - 1)
                cost += logs[i]
                inversions += i - seen
                seen += 1
                rest &= rest - 1
            by_index[chunk, inversions + (k - q) * (_above(lam, noise) - q)] += 1
            if cost < costs[chunk, top - 1]:
                _keep(costs[chunk], masks[chunk], cost, mask)
    return by_index, costs, masks


@numba.njit(parallel=True, fastmath=True)
def _walk_halves(lam: Any, k: int, top: int, low: int, sums: Any, logs: Any, sizes: Any, turns: Any) -> Any:
    """sums, logs, sizes, turns (2, 2^max): of the lower `low` bits and of the others, by value."""
    n = lam.size
    rows = 1 << (n - low)
    by_index = np.zeros((CHUNKS, n * k + 1), dtype=np.int64)
    costs, masks = np.full((CHUNKS, top), np.inf), np.zeros((CHUNKS, top), dtype=np.int64)
    whole, step = lam.sum(), rows // CHUNKS
    for chunk in numba.prange(CHUNKS):
        for row in range(chunk * step, (chunk + 1) * step):
            last, rest = -1, row
            while rest:
                last += 1
                rest >>= 1
            of_row, smallest = whole - sums[1, row], lam[low + last] if row else np.inf
            for column in range(1 << low):
                q = sizes[0, column] + sizes[1, row]
                p = n - q
                total = of_row - sums[0, column]
                if q > k or p == 0 or p * smallest <= total:
                    continue
                if row == 0 and column:
                    last, rest = -1, column
                    while rest:
                        last += 1
                        rest >>= 1
                    if p * lam[last] <= total:
                        continue
                noise = total / p
                cost = logs[0, column] + logs[1, row] + p * log(noise)
                across = sizes[1, row] * (low - sizes[0, column])
                index = turns[0, column] + turns[1, row] + across + (k - q) * (_above(lam, noise) - q)
                by_index[chunk, index] += 1
                if cost < costs[chunk, top - 1]:
                    _keep(costs[chunk], masks[chunk], cost, column | row << low)
    return by_index, costs, masks


def _answer(n: int, by_index: Any, costs: Any, masks: Any) -> dict[str, Any]:
    by_index = by_index.sum(axis=0)
    costs, masks = costs.reshape(-1), masks.reshape(-1)
    order = np.argsort(costs, kind="stable")[:TOP]
    order = order[np.isfinite(costs[order])]
    return {
        "valid": by_index.sum(),
        "by_index": np.trim_zeros(by_index, "b"),
        "masks": masks[order].astype(np.uint64),
        "values": -0.5 * (n * (log(2 * pi) + 1) + costs[order]),
    }


def bits(setup: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    """Each mask by itself."""
    lam, k = spectrum_of(setup), setup["k"]
    logs = np.log(lam)
    return lambda: _answer(len(lam), *_walk_bits(lam, logs, k, TOP, CHUNKS))


def halves(setup: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    """Sums, sizes and inversions of each half of the bits from tables, which are made in the timed run."""
    lam, k = spectrum_of(setup), setup["k"]
    n, logs = len(lam), np.log(lam)
    low = n // 2

    def table(values: Any) -> Any:
        found = np.zeros((2, 1 << (n - low)), dtype=values.dtype)
        for half, part in enumerate((values[:low], values[low:])):
            for i, x in enumerate(part):
                found[half, 1 << i : 2 << i] = found[half, : 1 << i] + x
        return found

    def run() -> dict[str, Any]:
        sizes = table(np.ones(n, dtype=np.int64))
        places = table(np.r_[np.arange(low), np.arange(n - low)])
        turns = places - sizes * (sizes - 1) // 2
        return _answer(n, *_walk_halves(lam, k, TOP, low, table(lam), table(logs), sizes, turns))

    return run
