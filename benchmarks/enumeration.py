"""All index sets at learned noise: how many are stationary points, of which index, and the best fifty.

Ours       gpu/enumeration.py, which excludes most sets a run at a time.
Peers      a compiled loop over bit masks on all cores, plain Python over a part (extrapolated), and our own search
           that yields only the stationary ones, best first, here to its end.
Floor      one operation for each set.
"""

from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np

from benchmarks.harness import Answer, Contender, Subject, Work
from benchmarks.problems import relative_error, spectrum_of
from gpu.enumeration import candidates, enumerate_learned, evaluate
from verify.landscape.stationary import learned_noise_points

TOP = 50
SMALL = 4  # the sets of so few elements are what plain Python walks


def walk(setup: dict[str, Any]) -> Callable[[], Answer]:
    """enumerate_learned; beside it, outside the timed run, what there is to know of the small sets."""
    lam, k = spectrum_of(setup), setup["k"]
    sets = [A for q in range(SMALL + 1) for A in combinations(range(len(lam)), q)]
    masks = np.array([sum(1 << i for i in A) for A in sets], dtype=np.uint64)
    small = evaluate(lam, k, masks)
    order = np.argsort(-small.value[small.valid], kind="stable")[:TOP]
    few = {
        "small_valid": small.valid.sum(),
        "small_by_index": np.bincount(small.index[small.valid]),
        "small_masks": masks[small.valid][order],
        "small_values": small.value[small.valid][order],
    }

    def run() -> Answer:
        found = enumerate_learned(lam, k, top=TOP, bins=0)
        return few | {
            "valid": found.valid,
            "by_index": found.index_histogram,
            "masks": found.masks,
            "values": found.evaluated.value,
        }

    return run


def search(setup: dict[str, Any]) -> Callable[[], Answer]:
    """learned_noise_points to its end: the stationary ones only, each as a Point."""
    lam, k = spectrum_of(setup), setup["k"]

    def run() -> Answer:
        points = list(learned_noise_points(lam, k))
        best = points[:TOP]
        masks = np.array([sum(1 << i for i in p.retained) for p in best], dtype=np.uint64)
        return {"valid": len(points), "masks": masks, "values": np.array([p.value for p in best])}

    return run


def check(ours: Answer, theirs: Answer) -> float:
    """The deviation of the values; infinite where a count or a set differs."""
    for name, found in theirs.items():
        if not name.endswith("values") and not np.array_equal(ours[name], found):
            return float("inf")
    return max(relative_error(ours[name], theirs[name]) for name in theirs if name.endswith("values"))


def subjects(quick: bool) -> list[Subject]:
    """Two sizes."""
    ours = Contender("walk over two halves", "benchmarks.enumeration:walk")

    def peers(n: int, k: int) -> tuple[Contender, ...]:
        numba, python = "benchmarks.peers.numba_peers", "benchmarks.peers.python_peers"
        few = candidates(n, SMALL)
        return (
            Contender("numba, bits of each mask, prange", f"{numba}:bits", ("numba",), target=4.0),
            Contender("numba, sums of halves tabulated", f"{numba}:halves", ("numba",), remark="our idea, compiled"),
            Contender(
                "itertools.combinations", f"{python}:combinations_one_by_one", target=1000.0, threads=(1,),
                share=few / candidates(n, k), remark=f"timed on the {few} sets of at most {SMALL}, extrapolated",
            ),
            Contender("only the stationary ones, best first", "benchmarks.enumeration:search", threads=(1,)),
        )  # fmt: skip

    return [
        Subject(
            "enumeration", f"learned noise, n = {n}, k = {k}: {candidates(n, k)} index sets", {"n": n, "k": k}, ours,
            peers(n, k), check, 1e-11, lambda answer, sets=candidates(n, k): Work(0.0, float(sets)), "", "index sets",
            float(candidates(n, k)), 1e8,
        )  # fmt: skip
        for n, k in (((24, 12),) if quick else ((24, 12), (27, 13)))
    ]
