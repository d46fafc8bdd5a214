"""All index sets at learned noise: how many are stationary points, of which index, and the best fifty.

Ours       gpu/enumeration.py, which excludes most sets a run at a time.
Peers      a compiled loop over bit masks on all cores, plain Python over a part (extrapolated), and our own search
           that yields only the stationary ones, best first, here to its end.
Floor      one operation for each set.
"""

from collections.abc import Callable
from itertools import combinations

import numpy as np

from benchmarks.harness import Answer, Contender, Setup, Subject, Work
from benchmarks.problems import relative_error, spectrum_of
from gpu.enumeration import candidates, enumerate_learned, evaluate
from verify.landscape.stationary import learned_noise_points

TOP = 50
SMALL = 4  # the sets of so few elements are what plain Python walks


def walk(setup: Setup) -> Callable[[], Answer]:
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


def search(setup: Setup) -> Callable[[], Answer]:
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


def work(setup: Setup, ours: Answer) -> Work:
    """One operation for each set."""
    return Work(0.0, float(candidates(setup["n"], setup["k"])))


def _peers(n: int, k: int) -> tuple[Contender, ...]:
    numba, few = "benchmarks.peers.numba_peers", candidates(n, SMALL)
    return (
        Contender("numba, bits of each mask", f"{numba}:bits", ("numba",), target=4.0),
        Contender("numba, sums of halves in tables", f"{numba}:halves", ("numba",), remark="our idea, compiled"),
        Contender(
            "itertools.combinations",
            "benchmarks.peers.python_peers:combinations_one_by_one",
            target=1000.0,
            remark=f"timed on the {few} sets of at most {SMALL}, extrapolated",
            share=few / candidates(n, k),
            threads=(1,),
        ),
        Contender("best first, stationary ones only", "benchmarks.enumeration:search", threads=(1,)),
    )


def _subject(n: int, k: int) -> Subject:
    return Subject(
        name="enumeration",
        title=f"learned noise, n = {n}, k = {k}: {candidates(n, k)} index sets",
        setup={"n": n, "k": k},
        ours=Contender("walk over two halves", "benchmarks.enumeration:walk"),
        peers=_peers(n, k),
        check=check,
        tolerance=1e-11,  # two orders of adding some tens of terms
        work=work,
        unit="index sets",
        amount=float(candidates(n, k)),
        rate=1e8,
    )


def subjects(quick: bool) -> list[Subject]:
    """Two sizes."""
    return [_subject(24, 12)] if quick else [_subject(24, 12), _subject(27, 13)]
