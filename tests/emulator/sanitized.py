"""Kernels under the thread or the address sanitizer, in a process of their own.

Main       report(sanitizer, path, exercise) -> what the sanitizer said, "" where it found nothing.

The runtime of a sanitizer must be in a process from its start, hence a subprocess with LD_PRELOAD; there the file is
compiled with OS threads, and `exercise`, named "package.module:function", is called with its Module. NumPy's arrays
are watched too: they come from the malloc that the runtime replaces.
"""

import importlib
import os
import subprocess
import sys
from pathlib import Path

from tests.emulator.build import Unavailable, compiler, emulated

RUNTIME = {"thread": "libtsan.so", "address": "libasan.so"}
# The interpreter leaks by design and its own threads are none of our business; the first finding ends the process.
OPTIONS = {
    "TSAN_OPTIONS": "halt_on_error=1:exitcode=66:report_signal_unsafe=0",
    "ASAN_OPTIONS": "detect_leaks=0:exitcode=66:abort_on_error=0",
}
ROOT = Path(__file__).parents[2]


def runtime(sanitizer: str) -> str:
    """The path of the sanitizer's runtime.  Unavailable where the compiler has none."""
    name = RUNTIME[sanitizer]
    found = subprocess.run([compiler(), f"-print-file-name={name}"], capture_output=True, text=True, check=True)
    path = found.stdout.strip()
    if not Path(path).is_absolute():  # the compiler answers with the bare name where it knows of none
        raise Unavailable(f"g++ has no {name}")
    return str(Path(path).resolve())


def run(sanitizer: str | None, path: Path, exercise: str) -> subprocess.CompletedProcess[str]:
    """Call `exercise` with the file's Module in a subprocess; without a sanitizer, still with OS threads."""
    environment = {**os.environ, **OPTIONS, "OPENBLAS_NUM_THREADS": "1"}
    if sanitizer:
        environment["LD_PRELOAD"] = runtime(sanitizer)
        emulated(path, sanitizer=sanitizer)  # compiled here: the compiler is not to run under the sanitizer
    command = [sys.executable, "-m", __name__, sanitizer or "", str(path), exercise]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)


def report(sanitizer: str, path: Path, exercise: str) -> str:
    """What the sanitizer found, "" for nothing.  RuntimeError where the process failed otherwise."""
    done = run(sanitizer, path, exercise)
    if done.returncode == 0:
        return ""
    if done.returncode == 66 and "Sanitizer" in done.stderr:
        return done.stderr
    raise RuntimeError(f"the process under the sanitizer ended with {done.returncode}:\n{done.stderr}")


def main(sanitizer: str, path: str, exercise: str) -> None:
    """In the subprocess: run the exercise, and see that it left no kernel out."""
    module = emulated(path, threads=True, sanitizer=sanitizer or None)
    where, function = exercise.split(":")
    getattr(importlib.import_module(where), function)(module)


if __name__ == "__main__":
    main(*sys.argv[1:])
