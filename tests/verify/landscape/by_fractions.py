"""Stationary points of pPCA by brute force in exact arithmetic, and spectra of decimals that hurt.

Notation   lam (n,) descending fractions; A a retained index set; sigma2 fixed, or None for the mean of the discarded.
Main       brute -> Truth of every set; decimal_spectra.
"""

from fractions import Fraction
from itertools import combinations
from typing import NamedTuple

import numpy as np


class Truth(NamedTuple):
    """What holds at one stationary set: its noise, index and nullity (theory 1.3, 1.4)."""

    sigma2: Fraction
    index: int
    nullity: int


def truth(lam, A, k, sigma2):
    """The definition of one set, or None where it is not stationary."""
    D = [j for j in range(len(lam)) if j not in A]
    if sigma2 is None:
        if not D or sum(lam[j] for j in D) == 0:
            return None
        sigma2 = sum((lam[j] for j in D), Fraction(0)) / len(D)
    if any(lam[a] <= sigma2 for a in A):
        return None
    q = len(A)
    index = sum(lam[j] > lam[a] for a in A for j in D) + (k - q) * sum(lam[j] > sigma2 for j in D)
    ties = sum(lam[j] == lam[a] for a in A for j in D) + (k - q) * sum(lam[j] == sigma2 for j in D)
    return Truth(sigma2, index, q * (q - 1) // 2 + q * (k - q) + ties)


def brute(lam, k, sigma2=None):
    """{A: Truth} of every stationary index set of at most k elements, fewer than n where the noise is learned."""
    found = {}
    for q in range(min(k, len(lam) - (sigma2 is None)) + 1):
        for A in combinations(range(len(lam)), q):
            here = truth(lam, A, k, sigma2)
            if here is not None:
                found[A] = here
    return found


def _decimals(rng, n):
    """n decimals of 1-3, or of 16-17 digits."""
    if rng.random() < 0.6:
        digits = int(rng.integers(1, 4))
        return [Fraction(int(x), 10**digits) for x in rng.integers(0, 3 * 10**digits // 2, n)]
    return [Fraction(repr(float(x))) for x in rng.random(n) * 10.0 ** rng.integers(-2, 2)]


def _spoiled(rng, lam):
    """Ties, zeros, neighbours of doubles, and values chosen so that a mean is an eigenvalue exactly."""
    n, lam = len(lam), list(lam)
    kind = rng.integers(0, 5)
    if kind == 1:
        lam[int(rng.integers(n))] = lam[int(rng.integers(n))]
    elif kind == 2:
        lam[int(rng.integers(n))] = Fraction(0)
    elif kind == 3:
        double = float(lam[int(rng.integers(n))])
        if double > 0:
            lam[int(rng.integers(n))] = Fraction(repr(float(np.nextafter(double, 9.0 * rng.integers(2)))))
    elif kind == 4:
        target = lam[int(rng.integers(n))]
        D = rng.permutation(n)[: int(rng.integers(2, n + 1))]
        x = len(D) * target - sum(lam[j] for j in D[1:])
        # Of fewer digits than a double holds, so that the float means this very number.
        if x >= 0 and Fraction(repr(float(x))) == x:
            lam[int(D[0])] = x
    return lam


def decimal_spectra(count, most_n=11, seed=0):
    """(lam, k): n = 2 .. most_n descending decimals, each the shortest of its double, not all zero."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        n = int(rng.integers(2, most_n + 1))
        lam = _decimals(rng, n)
        for _ in range(int(rng.integers(0, 4))):
            lam = _spoiled(rng, lam)
        lam = sorted(lam, reverse=True)
        if lam[0] > 0:
            yield lam, int(rng.integers(1, min(n, 5) + 1))
