"""Which files of tests judge a mutant, the likeliest to see it first.

Notation   stratum: a folder of what is mutated, such as "verify/models"; its tests stand in "tests/verify/models".
Main       STRATA, Judges.

The mirrored tests of the whole stratum judge, but those that cannot reach the mutated module by any import; then the
claims that reach it, which trials.py takes only where they are fast.
"""

import ast
import hashlib
import sys
from functools import cached_property
from pathlib import Path

STRATA = ("verify/models", "verify/landscape", "verify/symbolic", "proofs/machinery")
# Its tests start other processes, which import what no import of theirs tells.
THROUGH_PROCESSES = "proofs/machinery"
CLAIMS = "proofs"
PROJECT = ("verify", "gpu", "proofs", "reports", "tests")


class Judges:
    """The files of tests and claims of one tree, by the module that they can judge; all paths relative to `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def tests(self, path: str) -> list[str]:
        """The tests for the module at `path`: its mirror, what imports it, what reaches it in any way."""
        stratum = next(s for s in STRATA if path.startswith(s + "/"))
        reaching = {f: d for f in self._files(f"tests/{stratum}") if (d := self._distance(f, path)) is not None}
        if stratum == THROUGH_PROCESSES:
            reaching = {f: len(STRATA) for f in self._files(f"tests/{stratum}")} | reaching
        mirror = f"test_{Path(path).name}"
        return sorted(reaching, key=lambda f: (Path(f).name != mirror, reaching[f], f))

    def claims(self, path: str) -> list[str]:
        """The claims that import the module at `path`, or what imports it; the most direct first."""
        reaching = {f: d for f in self._files(CLAIMS) if (d := self._distance(f, path)) is not None}
        return sorted(reaching, key=lambda f: (reaching[f], f))

    def fingerprint(self, file: str) -> str:
        """Changes with all that a file of tests imports, or that the processes import which its like start."""
        seen: set[str] = set()
        edge = set(self._imports) if file.startswith(f"tests/{THROUGH_PROCESSES}") else {file}
        while edge:
            seen |= edge
            edge = {to for f in edge for to in self._imports.get(f, ())} - seen
        digest = hashlib.sha256(f"{sys.version} {file}".encode())
        for name in sorted(seen | {"pyproject.toml", "tests/conftest.py"}):
            if (self.root / name).is_file():
                digest.update(f"\0{name}\0".encode() + (self.root / name).read_bytes())
        return digest.hexdigest()[:32]

    def _files(self, folder: str) -> list[str]:
        return sorted(str(f.relative_to(self.root)) for f in (self.root / folder).rglob("test_*.py"))

    def _distance(self, start: str, goal: str) -> int | None:
        """How many imports lead from one file to the other; None where none do."""
        seen, edge, distance = {start}, {start}, 0
        while edge and goal not in seen:
            edge = {to for f in edge for to in self._imports.get(f, ())} - seen
            seen |= edge
            distance += 1
        return distance if goal in seen else None

    @cached_property
    def _imports(self) -> dict[str, set[str]]:
        files = [str(f.relative_to(self.root)) for top in PROJECT for f in (self.root / top).rglob("*.py")]
        return {f: imported((self.root / f).read_text(), set(files)) for f in files}


def imported(source: str, files: set[str]) -> set[str]:
    """Those of the files that a text imports anywhere, also inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    paths = {name.replace(".", "/") for name in names}
    return {f"{path}{end}" for path in paths for end in (".py", "/__init__.py")} & files
