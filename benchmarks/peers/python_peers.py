"""Plain Python over the tuples of itertools.combinations, as one would write it first.

Main       one_by_one.
"""

from collections.abc import Callable
from math import log, pi
from typing import Any

import numpy as np

from benchmarks.enumeration import TOP, sample
from benchmarks.problems import spectrum_of


def one_by_one(setup: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    """Noise, validity, value and index of each set of a sample."""
    lam, k = spectrum_of(setup).tolist(), setup["k"]
    n, whole, logs = len(lam), sum(lam), [log(x) for x in lam]
    sets = sample(n, k)

    def run() -> dict[str, Any]:
        values, by_index = [], [0] * (n * k + 1)
        for A in sets:
            q = len(A)
            noise = (whole - sum(lam[i] for i in A)) / (n - q)
            if q and lam[A[-1]] <= noise:
                continue
            above = sum(x > noise for x in lam)
            by_index[sum(A) - q * (q - 1) // 2 + (k - q) * (above - q)] += 1
            values.append(-0.5 * (n * (log(2 * pi) + 1) + sum(logs[i] for i in A) + (n - q) * log(noise)))
        values.sort(reverse=True)
        return {
            "sampled_valid": len(values),
            "sampled_by_index": np.trim_zeros(by_index, "b"),
            "sampled_values": values[:TOP],
        }

    return run
