"""All families of stationary points of the linear VAE's ELBO, non-orthogonal ones included.

Notation   lam (n,) descending; a family is a set of disjoint blocks (points.py), filled up with zero columns to k.
Main       fixed_noise_families, learned_noise_families (all of them; best_families.py finds the best of many),
           candidates (how many there are before validity is asked), solve_noise, family.
Reference  theory 3.6. Families that differ by the order or the signs of columns, or by the rotation Q_b, are one.
"""

from collections.abc import Iterable, Iterator
from itertools import combinations
from math import comb, fsum

from scipy.optimize import brentq

from verify.arrays import Array
from verify.landscape.points import (
    Block,
    Point,
    block_constant,
    block_gap,
    is_block,
    ordered,
    value_at,
)


def _structures(n: int, k: int, first: int = 0, taken: frozenset[int] = frozenset()) -> Iterator[tuple[Block, ...]]:
    """Every set of disjoint non-empty blocks of at most k columns, each once: ordered by their least index."""
    yield ()
    for a in range(first, n):
        if a in taken:
            continue
        rest = [i for i in range(a + 1, n) if i not in taken]
        for q in range(1, k + 1):
            for others in combinations(rest, q - 1):
                held = (a, *others)
                for columns in range(q, k + 1):
                    for tail in _structures(n, k - columns, a + 1, taken | set(held)):
                        yield (Block(held, columns), *tail)


def candidates(n: int, k: int) -> int:
    """The number of structures for n distinct eigenvalues before any is asked to be valid.

    q indices out of n, set out in j blocks (a Stirling number S(q, j) of ways), and up to k - q zero rows handed out to
    the blocks (C(k - q + j, j) ways).
    """
    total = 0
    stirling = [1]  # S(q, 0), ..., S(q, q)
    for q in range(min(n, k) + 1):
        total += comb(n, q) * sum(ways * comb(k - q + j, j) for j, ways in enumerate(stirling))
        above = [*stirling[1:], 0]
        stirling = [0, *(j * above[j - 1] + before for j, before in enumerate(stirling, start=1))]
    return total


def family(blocks: Iterable[Block], k: int, lam: Array, sigma2: float) -> Point:
    """The family as a Point, with its value P and its gap."""
    filled = ordered(blocks, k)
    gap = fsum(block_gap(lam[list(b.eigen)], b.columns, sigma2) for b in filled)
    return Point("elbo", filled, sigma2, value_at(filled, lam, sigma2), gap)


def exists(blocks: Iterable[Block], lam: Array, sigma2: float) -> bool:
    """Whether every block is stationary at this noise and no mere set of orthogonal columns."""
    return all(is_block(lam[list(b.eigen)], b.columns, sigma2) for b in blocks)


def best_to_worst(points: Iterable[Point]) -> list[Point]:
    """By falling value; ties by the blocks, so that the order is reproducible."""
    return sorted(points, key=lambda p: (-p.value, p.blocks))


def fixed_noise_families(lam: Array, k: int, sigma2: float) -> list[Point]:
    """Every family at this noise, best first (theory 3.6). lam (n,); for n and k so small that all can be listed."""
    return best_to_worst(family(b, k, lam, sigma2) for b in _structures(len(lam), k) if exists(b, lam, sigma2))


def noise_equation(blocks: Iterable[Block], k: int, lam: Array, sigma2: float) -> float:
    """sigma2^2 dP/dsigma2, up to the factor -1/2: (n - k) s + sum_b z_b s^2/m_b - sum of discarded lam (theory 3.6).

    Strictly increasing in sigma2 = s, because s / sqrt(m_b) is. Sums over all blocks, zero columns included.
    """
    filled = ordered(blocks, k)
    total = (len(lam) - k) * sigma2 - fsum(_discarded(filled, lam))
    for b in filled:
        if b.zeros:
            total += b.zeros * sigma2**2 / block_constant(lam[list(b.eigen)], b.columns, sigma2)
    return total


def _discarded(blocks: Iterable[Block], lam: Array) -> list[float]:
    held = {i for b in blocks for i in b.eigen}
    return [float(x) for i, x in enumerate(lam) if i not in held]


def solve_noise(blocks: tuple[Block, ...], k: int, lam: Array) -> float | None:
    """The noise at which the family is stationary in sigma2 as well, or None where there is none (theory 3.6).

    Without zero rows in larger blocks it is the mean of the discarded eigenvalues.
    """
    discarded = _discarded(blocks, lam)
    total = fsum(discarded)
    if total <= 0:
        return None
    if min(discarded) == max(discarded) and not any(b.zeros for b in blocks):
        return discarded[0]
    mean = total / len(discarded)
    if not any(b.zeros for b in blocks):
        return mean
    low = high = mean
    while noise_equation(blocks, k, lam, low) > 0:
        low /= 2
    while noise_equation(blocks, k, lam, high) < 0:
        high *= 2
    if low == high:
        return mean
    return float(brentq(lambda s: noise_equation(blocks, k, lam, s), low, high, xtol=mean * 1e-15, rtol=1e-15))


def learned_noise_families(lam: Array, k: int) -> list[Point]:
    """Every family that is stationary in sigma2 as well, best first. For n and k so small that all can be listed.

    Families that hold all n eigenvalues in n columns are left out: there the noise equation is empty, and every noise
    below all t_a will do.
    """
    found = []
    for blocks in _structures(len(lam), k):
        sigma2 = solve_noise(blocks, k, lam)
        if sigma2 is not None and exists(blocks, lam, sigma2):
            found.append(family(blocks, k, lam, sigma2))
    return best_to_worst(found)
