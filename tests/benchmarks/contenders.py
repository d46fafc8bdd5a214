"""Contenders with known answers, for the tests of the harness: each runs in a process of its own."""

import os
import sys
import time

COUNT = 7


def right(setup):
    """The answer, in no time."""
    return lambda: {"x": [1.0, 2.0, setup["third"]], "threads": int(os.environ["OMP_NUM_THREADS"])}


def slow(setup):
    """The same answer, later."""

    def run():
        time.sleep(0.02)
        return {"x": [1.0, 2.0, setup["third"]]}

    return run


def wrong(setup):
    """Off by a thousandth."""
    return lambda: {"x": [1.0, 2.0, setup["third"] + 1e-3]}


def not_a_number(setup):
    """An answer of which no error can be told."""
    return lambda: {"x": [1.0, 2.0, float("nan")]}


def raising(setup):
    """Fails while it runs."""

    def run():
        raise ValueError("no convergence")

    return run


def dying(setup):
    """Ends its process."""
    print("the last words", file=sys.stderr)
    os._exit(3)


def chatty(setup):
    """Prints where the replies go."""
    print("on standard output")
    return right(setup)


def without_its_library(setup):
    """Needs what is not there."""
    import no_such_library  # noqa: F401


def scales_badly(setup):
    """Slower with more threads."""
    delay = 0.01 * int(os.environ["OMP_NUM_THREADS"])

    def run():
        time.sleep(delay)
        return {"x": [1.0, 2.0, setup["third"]]}

    return run
