"""What this machine can do at most: the bandwidth of a copy, the rate of matrix products; measured in the same run.

Main       measured -> Machine; copy, product: contenders.
Reference  Williams, Waterman & Patterson, Roofline, CACM 52 (2009).
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.harness import Contender, Effort, Entrant, Machine

COPIED = 1 << 26  # bytes: far more than the caches hold
SIDE = 1024


def copy(setup: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    """Copy COPIED bytes: as many are read as are written."""
    source = np.ones(COPIED // 8)
    target = np.empty_like(source)

    def run() -> dict[str, Any]:
        np.copyto(target, source)
        return {"last": target[-1]}

    return run


def product(setup: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    """A square matrix product: 2 SIDE^3 operations."""
    a, b = np.random.default_rng(0).standard_normal((2, SIDE, SIDE)).astype(setup["dtype"])
    out = np.empty_like(a)

    def run() -> dict[str, Any]:
        np.matmul(a, b, out=out)
        return {"first": out[0, 0]}

    return run


def measured(effort: Effort) -> Machine:
    """The best of several times, each with the better number of threads."""

    def best(name: str, where: str, setup: dict[str, Any]) -> float:
        entrant = Entrant(Contender(name, f"benchmarks.floors:{where}"), setup, effort)
        try:
            return min(entrant.time() for _ in range(5))
        finally:
            entrant.close()

    seconds = {dtype: best(dtype, "product", {"dtype": dtype}) for dtype in ("float64", "float32")}
    rates = {dtype: 2.0 * SIDE**3 / s for dtype, s in seconds.items()}
    return Machine(2 * COPIED / best("copy", "copy", {}), rates["float64"], rates["float32"])
