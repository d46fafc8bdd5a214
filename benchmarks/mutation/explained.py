"""Mutants that no test can see, and why: the list `explained.toml` beside this file.

Main       Explained, read, explanation.

An entry names the file, the function, the line as it stands and as it becomes, not the number of the line, so that it
outlives what is written above it. An entry that fits no mutant is an error: the list cannot go stale in silence.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.mutation.operators import Mutant

LIST = Path(__file__).with_name("explained.toml")


@dataclass(frozen=True)
class Explained:
    """One entry; why: one sentence that says why no result changes, or why it does not matter."""

    path: str
    scope: str
    text: str
    becomes: str
    why: str

    def fits(self, mutant: Mutant) -> bool:
        return (self.path, self.scope, self.text, self.becomes) == (
            mutant.path, mutant.scope, mutant.text, mutant.becomes
        )  # fmt: skip


def read(path: Path = LIST) -> list[Explained]:
    """The entries; TypeError for one with a field too many or too few."""
    document = tomllib.loads(path.read_text())
    return [Explained(**entry) for entry in document.get("mutant", [])]


def stale(entries: Sequence[Explained], mutants: Sequence[Mutant]) -> list[Explained]:
    """The entries that fit no mutant."""
    return [entry for entry in entries if not any(entry.fits(mutant) for mutant in mutants)]


def explanation(mutant: Mutant, entries: Sequence[Explained]) -> str:
    """Why this mutant cannot be seen; "" where nothing says so."""
    return next((entry.why for entry in entries if entry.fits(mutant)), "")
