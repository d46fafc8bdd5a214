"""Plain Python with itertools, as one would write it first.

Main       combinations_one_by_one.
"""

from collections.abc import Callable
from itertools import combinations
from math import log, pi
from typing import Any

import numpy as np

from benchmarks.enumeration import SMALL, TOP
from benchmarks.problems import spectrum_of


def combinations_one_by_one(setup: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    """All sets of at most SMALL elements: noise, validity, value and index of each."""
    lam, k = spectrum_of(setup).tolist(), setup["k"]
    n, whole, logs = len(lam), sum(lam), [log(x) for x in lam]

    def run() -> dict[str, Any]:
        found, by_index = [], [0] * (n * k + 1)
        for q in range(SMALL + 1):
            for A in combinations(range(n), q):
                noise = (whole - sum(lam[i] for i in A)) / (n - q)
                if q and lam[A[-1]] <= noise:
                    continue
                value = -0.5 * (n * (log(2 * pi) + 1) + sum(logs[i] for i in A) + (n - q) * log(noise))
                above = sum(x > noise for x in lam)
                by_index[sum(A) - q * (q - 1) // 2 + (k - q) * (above - q)] += 1
                found.append((-value, A))
        found.sort()
        best = found[:TOP]
        return {
            "small_valid": len(found),
            "small_by_index": np.trim_zeros(by_index, "b"),
            "small_masks": np.array([sum(1 << i for i in A) for _, A in best], dtype=np.uint64),
            "small_values": np.array([-v for v, _ in best]),
        }

    return run
