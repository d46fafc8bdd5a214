"""The trial performed: cases by number, in this process or in several, each case from a seed of its own.

Notation   a case is (stage, index); its generator is seeded by (seed, stage, index): it can be made again alone.
Main       STAGES, one, performed.
"""

import importlib
import multiprocessing
import signal
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from benchmarks.soundness.asked import Tally, put

# How many cases of each stage make the whole trial; benchmarks/soundness/STAGE.py has `questions(rng)`.
STAGES: dict[str, int] = {
    "matrices": 10000,
    "landscapes": 2000,
    "documents": 500,
    "decoders": 100,
    "parameters": 300,
    "garbage": 1000,
}
LIMIT = 120  # seconds for a case: what takes longer counts as crashed
_CHUNK = 10

Task = tuple[str, int, int, int]  # stage, first, last + 1, seed


@contextmanager
def _at_most(seconds: int) -> Iterator[None]:
    def late(*_: Any) -> None:
        raise TimeoutError(f"more than {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds, seconds)  # again and again: a checker that swallows one gets the next
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def one(stage: str, index: int, seed: int) -> Tally:
    """One case."""
    rng = np.random.default_rng([seed, zlib.crc32(stage.encode()), index])
    with _at_most(LIMIT):
        questions = importlib.import_module(f"benchmarks.soundness.{stage}").questions(rng)
        return put(questions, {"stage": stage, "case": index, "seed": seed})


def _several(task: Task) -> tuple[str, int, Tally]:
    stage, first, last, seed = task
    tally = Tally()
    for index in range(first, last):
        tally.add(one(stage, index, seed))
    return stage, last - first, tally


def _quiet() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its children


def performed(cases: Mapping[str, int], seed: int, processes: int = 2) -> Iterator[tuple[str, int, Tally]]:
    """(stage, how many cases, their answers) as they come.  In this process where processes is 0."""
    tasks = [
        (stage, first, min(first + _CHUNK, count), seed)
        for stage, count in cases.items()
        for first in range(0, count, _CHUNK)
    ]
    if not processes:
        yield from map(_several, tasks)
        return
    with multiprocessing.get_context("spawn").Pool(processes, _quiet) as pool:
        yield from pool.imap_unordered(_several, tasks)
