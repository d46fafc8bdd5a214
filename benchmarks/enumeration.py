"""All index sets at learned noise: how many are stationary points, of which index, and the best fifty.

Ours       gpu/enumeration.py, which excludes most sets a run at a time.
Peers      a compiled loop over bit masks on all cores, plain Python over a part (extrapolated), and our own search
           that yields only the stationary ones, best first, here to its end.
Floor      one operation for each set.
"""

from collections.abc import Callable
from math import comb

import numpy as np

from benchmarks.harness import Answer, Contender, Setup, Subject, Work
from benchmarks.problems import relative_error, spectrum_of
from gpu.enumeration import candidates, enumerate_learned
from gpu.index_sets import evaluate
from verify.landscape.stationary import learned_noise_points

TOP = 50
SAMPLED = 10_000  # what plain Python walks


def sample(n: int, k: int) -> list[tuple[int, ...]]:
    """SAMPLED index sets drawn evenly from all of at most k elements (with repetition), as combinations gives them."""
    rng = np.random.default_rng(1)
    sizes = np.array([float(comb(n, q)) for q in range(k + 1)])
    drawn = rng.choice(k + 1, size=SAMPLED, p=sizes / sizes.sum())
    return [tuple(sorted(rng.permutation(n)[:q].tolist())) for q in drawn]


def walk(setup: Setup) -> Callable[[], Answer]:
    """enumerate_learned; beside it, outside the timed run, what there is to know of the sample."""
    lam, k = spectrum_of(setup), setup["k"]
    masks = np.array([sum(1 << i for i in A) for A in sample(len(lam), k)], dtype=np.uint64)
    drawn = evaluate(lam, k, masks)
    few = {
        "sampled_valid": drawn.valid.sum(),
        "sampled_by_index": np.bincount(drawn.index[drawn.valid], minlength=1),
        "sampled_values": np.sort(drawn.value[drawn.valid])[::-1][:TOP],
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
    numba = "benchmarks.peers.numba_peers"
    return (
        Contender("numba, bits of each mask", f"{numba}:bits", ("numba",), target=4.0),
        Contender("numba, sums of halves in tables", f"{numba}:halves", ("numba",), remark="our idea, compiled"),
        Contender(
            "plain Python, itertools",
            "benchmarks.peers.python_peers:one_by_one",
            target=1000.0,
            remark=f"timed on {SAMPLED} sets drawn evenly from all, extrapolated; to generate them is not counted",
            share=SAMPLED / candidates(n, k),
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
