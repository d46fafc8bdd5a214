"""Mutants judged by several processes at once, each with a copy of the tree of its own.

Main       performed.
"""

import multiprocessing
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from multiprocessing.connection import Connection, wait
from pathlib import Path

from benchmarks.mutation.operators import Mutant
from benchmarks.mutation.trials import Copy, Trial

# A trial, and the tests that its worker has so far seen fail without any mutant.
Answer = tuple[Trial, dict[str, tuple[str, ...]]]


def _work(root: Path, folder: Path, quick: bool, pipe: Connection) -> None:
    """In a process of its own: answer every mutant that comes, until None does."""
    try:
        copy = Copy(root, folder)
        while (mutant := pipe.recv()) is not None:
            trial = copy.judged(mutant, quick=quick)
            pipe.send((trial, {file: run.failed for file, run in copy.sound.items() if run.failed}))
    except (BrokenPipeError, EOFError, KeyboardInterrupt):
        return  # nobody waits for an answer any more
    except Exception:
        pipe.send(traceback.format_exc())


def performed(root: Path, chosen: Sequence[Mutant], *, workers: int = 2, quick: bool = False) -> Iterator[Answer]:
    """The trials, in the order in which they end.  RuntimeError where a worker falls over."""
    fresh = multiprocessing.get_context("spawn")  # a fork may only be made of a process with one thread
    ahead = list(reversed(chosen))
    with tempfile.TemporaryDirectory(prefix="mutation-", ignore_cleanup_errors=True) as scratch, ExitStack() as ends:
        busy: list[Connection] = []
        for i in range(min(workers, len(chosen))):
            ours, theirs = fresh.Pipe()
            process = fresh.Process(target=_work, args=(root, Path(scratch) / str(i), quick, theirs), daemon=True)
            process.start()
            ends.callback(process.join)
            ends.callback(process.terminate)
            theirs.close()
            ours.send(ahead.pop())
            busy.append(ours)
        while busy:
            for pipe in wait(busy):
                assert isinstance(pipe, Connection)
                try:
                    answer = pipe.recv()
                except EOFError:
                    answer = "a worker died"
                if isinstance(answer, str):
                    raise RuntimeError(answer)
                if not ahead:
                    busy.remove(pipe)
                pipe.send(ahead.pop() if ahead else None)
                yield answer
