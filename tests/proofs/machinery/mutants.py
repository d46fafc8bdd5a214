"""A pytest plugin that replaces one check of the proofs by a faulty one, before any claim is imported.

The environment variable MUTANT names it: "agree=yes" accepts everything, "agree=no" refuses everything.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from proofs.machinery import checks

CHECKS = ("agree", "at_most", "same", "check", "vanishes", "certified", "rejected")


def yes(*args: object, **options: object) -> float:
    return 0.0


def no(*args: object, **options: object) -> float:
    raise checks.Disagreement("refused by a check that always says no")


@contextmanager
def accepts() -> Iterator[None]:
    """A `rejected` that is content with anything, and counts it as a rejection all the same."""
    checks._refused[""] += 1
    with suppress(Exception):
        yield


@contextmanager
def refuses() -> Iterator[None]:
    """A `rejected` that is never content."""
    with suppress(Exception):
        yield
    raise AssertionError("never content")


def faulty(name: str, says: str) -> object:
    """The check of that name as one that always says "yes", or always "no"."""
    return ({"yes": accepts, "no": refuses} if name == "rejected" else {"yes": yes, "no": no})[says]


if mutant := os.environ.get("MUTANT"):
    setattr(checks, mutant.split("=")[0], faulty(*mutant.split("=")))
