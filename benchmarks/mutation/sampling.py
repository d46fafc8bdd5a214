"""A stratified random sample, and what its kill rate says of all mutants.

Main       sample, interval.

Each stratum gets its share of the sample by size (largest remainders), so that the rate of the whole sample is an
unbiased estimate of the rate among all mutants, and its interval errs, if at all, to the wide side.
"""

import random
from collections.abc import Mapping, Sequence
from typing import TypeVar

from scipy.stats import beta

T = TypeVar("T")


def sample(strata: Mapping[str, Sequence[T]], size: int, seed: int) -> dict[str, list[T]]:
    """`size` items without repetition, by strata.  All of them where there are no more than that."""
    total = sum(map(len, strata.values()))
    size = min(size, total)
    exact = {name: size * len(items) / total for name, items in strata.items()}
    share = {name: int(x) for name, x in exact.items()}
    for name in sorted(exact, key=lambda name: (share[name] - exact[name], name))[: size - sum(share.values())]:
        share[name] += 1
    return {name: random.Random(f"{seed} {name}").sample(list(items), share[name]) for name, items in strata.items()}


def interval(successes: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Clopper and Pearson's interval for a rate: it holds the true one at least as often as it says."""
    tail = (1 - confidence) / 2
    low = float(beta.ppf(tail, successes, trials - successes + 1)) if successes else 0.0
    high = float(beta.ppf(1 - tail, successes + 1, trials - successes)) if successes < trials else 1.0
    return low, high
