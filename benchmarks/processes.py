"""One process for each contender, with its own number of threads, told over a pipe what to do.

Main       Worker; Failed, Missing; thread_choices.  `python -m benchmarks.processes` is the other end.

A library that has been imported changes the threads, the allocator and the floating-point settings of its process;
so nobody shares one. The processes that are not being timed wait for a line on a pipe.
"""

import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

HOUSE = Path(__file__).resolve().parents[1]
# What the libraries read when they are loaded.
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "BENCHMARK_THREADS")
ONE_THREAD_OF_XLA = "--xla_cpu_multi_thread_eigen=false"


class Failed(RuntimeError):
    """A contender that raised or died."""


class Missing(RuntimeError):
    """A contender whose library is not installed."""


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def thread_choices() -> tuple[int, ...]:
    """One thread, or as many as there are cores: on a busy machine the first may be the faster."""
    return (1, cores()) if cores() > 1 else (1,)


class Worker:
    """The process of one contender.  answer and time raise Missing or Failed."""

    def __init__(self, where: str, setup: dict[str, Any], threads: int, packages: tuple[str, ...] = ()):
        environment = os.environ | {name: str(threads) for name in THREADS}
        environment["PYTHONPATH"] = os.pathsep.join([str(HOUSE), *filter(None, [os.environ.get("PYTHONPATH")])])
        if threads == 1:
            environment["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {ONE_THREAD_OF_XLA}".strip()
        self.where = where
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - close() closes it
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.processes", where, json.dumps(setup), *packages],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )

    def _ask(self, **order: Any) -> dict[str, Any]:
        assert self.process.stdin is not None and self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps(order) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self.process.wait()
            self.errors.seek(0)
            last = self.errors.read().strip().splitlines()[-1:] or ["no message"]
            raise Failed(f"{self.where} ended with code {self.process.returncode}: {last[0]}")
        reply: dict[str, Any] = json.loads(line)
        if "missing" in reply:
            raise Missing(reply["missing"])
        if "failed" in reply:
            raise Failed(reply["failed"])
        return reply

    def answer(self) -> tuple[dict[str, Any], float]:
        """The answer, and the seconds of this first run."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "answer.npz")
            seconds = float(self._ask(do="answer", file=str(file))["seconds"])
            with np.load(file, allow_pickle=False) as arrays:
                return {name: arrays[name] for name in arrays.files}, seconds

    def time(self, loops: int) -> float:
        """The mean seconds of so many runs."""
        return float(self._ask(do="time", loops=loops)["seconds"])

    def close(self) -> None:
        """End the process, which waits for nothing but the next order."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()
        self.errors.close()


def _obey(orders: Any, reply: Any, where: str, setup: dict[str, Any], packages: list[str]) -> None:
    """The other end: prepare once, then run as often as one is told."""
    run = None
    for line in orders:
        order = json.loads(line)
        try:
            if run is None:
                module, function = where.split(":")
                run = getattr(importlib.import_module(module), function)(setup)
            start = time.perf_counter()
            for _ in range(order.get("loops", 1)):
                answer = run()
            seconds = (time.perf_counter() - start) / order.get("loops", 1)
            if order["do"] == "answer":
                np.savez(order["file"], **{name: np.asarray(a) for name, a in answer.items()})
            said = {"seconds": seconds}
        except ModuleNotFoundError as error:
            mine = (error.name or "").split(".")[0] in packages
            said = {"missing" if mine else "failed": str(error)}
        except Exception as error:
            said = {"failed": f"{type(error).__name__}: {error}"}
        print(json.dumps(said), file=reply, flush=True)


if __name__ == "__main__":
    # What a library prints must not be taken for a reply.
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    _obey(sys.stdin, replies, sys.argv[1], json.loads(sys.argv[2]), sys.argv[3:])
