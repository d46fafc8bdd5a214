"""A table of numbers as text: read into an array of float64, every value the nearest one.

Ours       verify/data/files/text: recognises how the file is written, streams it, checks every entry.
Peers      numpy.loadtxt, which is told the delimiter and the header, and pandas; neither looks at the numbers.
Floor      the bytes of the text, read, and those of the array, written.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.harness import Answer, Contender, Setup, Subject, Work
from verify.data.sources import load_rows

EACH = 97  # of so many rows one is compared


def table(setup: Setup) -> Path:
    """The file, written by the first process that asks for it: N rows of n numbers of six decimals under a header."""
    N, n = setup["N"], setup["n"]
    path = Path(tempfile.gettempdir(), f"elbo-verify-benchmark-{N}x{n}.csv")
    if not path.is_file():
        rng = np.random.default_rng(0)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
            file.write(",".join(f"c{j}" for j in range(n)) + "\n")
            for start in range(0, N, 1000):
                np.savetxt(file, rng.standard_normal((min(1000, N - start), n)), fmt="%.6f", delimiter=",")
        Path(file.name).replace(path)
    return path


def ours(setup: Setup) -> Callable[[], Answer]:
    """Everything that a command does before it computes."""
    path = table(setup)
    return lambda: answer(load_rows(path).raw)


def loadtxt(setup: Setup) -> Callable[[], Answer]:
    """NumPy's own reader."""
    path = table(setup)
    return lambda: answer(np.loadtxt(path, delimiter=",", skiprows=1, ndmin=2))


def pandas(setup: Setup) -> Callable[[], Answer]:
    """read_csv, which rounds rightly."""
    from pandas import read_csv

    path = table(setup)
    return lambda: answer(read_csv(path).to_numpy())


def answer(values: np.ndarray) -> Answer:
    """Some of the rows, and how many there are."""
    return {"rows": np.array(values[::EACH]), "shape": np.array(values.shape)}


def check(ours: Answer, theirs: Answer) -> float:
    """0 where all bits are the same, infinite elsewhere."""
    same = all(np.array_equal(ours[name], theirs[name]) for name in ("rows", "shape"))
    return 0.0 if same else float("inf")


def work(setup: Setup, ours: Answer) -> Work:
    """Some nine characters a number, and its eight bytes."""
    return Work(17.0 * setup["N"] * setup["n"], float(setup["N"] * setup["n"]))


def _subject(N: int, n: int) -> Subject:
    return Subject(
        name="reading",
        title=f"a CSV of {N} x {n}",
        setup={"N": N, "n": n},
        ours=Contender("load_rows", "benchmarks.reading:ours"),
        peers=(
            Contender("numpy.loadtxt", "benchmarks.reading:loadtxt", remark="is told how it is written", threads=(1,)),
            Contender("pandas.read_csv", "benchmarks.reading:pandas", ("pandas",), threads=(1,)),
        ),
        check=check,
        tolerance=0.0,
        work=work,
        unit="numbers",
        amount=float(N * n),
    )


def subjects(quick: bool) -> list[Subject]:
    """One size."""
    return [_subject(20_000, 50)] if quick else [_subject(200_000, 100)]
