"""All stationary points of pPCA, at fixed and at learned noise, the best ones first.

Notation   lam (n,) descending eigenvalues; A the set of retained eigen-indices, q = |A| <= k; sigma2 the noise.
Main       fixed_noise_points, learned_noise_points, learned_noise_point, fixed_noise_count, retained_count, noise_of.
Reference  theory 1.2 and 2; Tipping & Bishop, JRSS-B 61 (1999), App. A.

Each index set counts once, however eigenvalues tie and whatever the rotation R. At k = n and learned noise the set
of all n indices is left out: there C = S for every sigma2 <= lam_n, a curve that ends in the set of n - 1 indices.
"""

from collections.abc import Iterator
from math import comb, fsum, log, pi

import numpy as np

from verify.arrays import Array
from verify.landscape.points import Block, Point, ordered, value_at
from verify.landscape.search import IndexSet, best_first


def retained_count(lam: Array, k: int, sigma2: float) -> int:
    """q* = min(k, #{lam_i > sigma2}): how many latents the optimum at this noise retains (theory 1.5)."""
    return min(k, int((np.asarray(lam) > sigma2).sum()))


def fixed_noise_count(lam: Array, k: int, sigma2: float) -> int:
    """The number of stationary index sets at fixed noise: sum over q <= k of C(#{lam_i > sigma2}, q)."""
    above = int((np.asarray(lam) > sigma2).sum())
    return sum(comb(above, q) for q in range(min(k, above) + 1))


def gains(lam: Array, sigma2: float) -> Array:
    """What retaining u_a adds to L: 1/2 [lam_a/sigma2 - 1 - log(lam_a/sigma2)], additive (theory 1.2).  -> (n,)."""
    ratio = np.asarray(lam) / sigma2
    with np.errstate(divide="ignore"):
        return np.where(ratio > 1, 0.5 * (ratio - 1 - np.log(np.maximum(ratio, 1.0))), 0.0)


def _point(chosen: IndexSet, k: int, lam: Array, sigma2: float) -> Point:
    blocks = ordered((Block((i,)) for i in chosen), k)
    return Point("ppca", blocks, sigma2, value_at(blocks, lam, sigma2))


def fixed_noise_points(lam: Array, k: int, sigma2: float) -> Iterator[Point]:
    """Yield every stationary point of L at this noise, best first: A within {lam_a > sigma2}, |A| <= k (theory 1.2)."""
    above = int((np.asarray(lam) > sigma2).sum())
    gain = gains(lam, sigma2).tolist()
    for _, chosen in best_first(above, k, lambda A: fsum(gain[i] for i in A)):
        yield _point(chosen, k, lam, sigma2)


def noise_of(lam: Array, chosen: IndexSet) -> float | None:
    """sigma2_A, the mean of the discarded eigenvalues, or None unless every retained one exceeds it (theory 2).

    The comparison is p lam_a > sum with the correctly rounded sum, so that equal eigenvalues compare as equal.
    """
    held = set(chosen)
    discarded = [x for i, x in enumerate(lam) if i not in held]
    if not discarded or max(discarded) <= 0:
        return None
    total, p = fsum(discarded), len(discarded)
    if chosen and not p * min(lam[i] for i in chosen) > total:
        return None
    # A mean of equal numbers may miss them by an ulp, and ties with the noise would be lost.
    return discarded[0] if min(discarded) == max(discarded) else total / p


def profile_value(lam: Array, chosen: IndexSet, sigma2: float) -> float:
    """L at the joint stationary point: -1/2 [n log 2 pi + sum_A log lam_a + (n - q) log sigma2 + n] (theory 2)."""
    n = len(lam)
    logs = fsum(log(lam[i]) for i in chosen)
    return -0.5 * (n * (log(2 * pi) + 1) + logs + (n - len(chosen)) * log(sigma2))


def learned_noise_point(lam: Array, k: int, chosen: IndexSet) -> Point | None:
    """The joint stationary point that retains these indices (ascending), None where there is none (theory 2)."""
    noise = noise_of([float(x) for x in lam], chosen)
    return None if noise is None else _point(chosen, k, lam, noise)


def learned_noise_points(lam: Array, k: int) -> Iterator[Point]:
    """Yield every joint stationary point of L in (W, sigma2), best first: sigma2_A is the mean discarded (theory 2)."""
    values = [float(x) for x in lam]

    def worth(chosen: IndexSet) -> float | None:
        noise = noise_of(values, chosen)
        return None if noise is None else profile_value(values, chosen, noise)

    for _, chosen in best_first(len(values), min(k, len(values) - 1), worth):
        point = learned_noise_point(lam, k, chosen)
        assert point is not None  # only valid sets are yielded
        yield point


def learned_noise_candidates(n: int, k: int) -> int:
    """How many index sets compete at learned noise, valid or not: sum over q <= min(k, n - 1) of C(n, q)."""
    return sum(comb(n, q) for q in range(min(k, n - 1) + 1))
