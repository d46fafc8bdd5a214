"""Which tests of a file run which lines of the project, so that a mutant is shown first to those that can see it.

Main       Covering, Observer, statement.

A line that runs before any test, or in a fixture that several tests share, is run by all of them ("whole"). Tests that
start other processes ("starters") may run any line in these, where nobody looks. What a test finds in a cache it has
not run: that a mutant lives is therefore said only after whole files.
"""

import ast
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import coverage
import pytest

STARTS_PROCESSES = ("subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn")
NOWHERE = ""


@dataclass(frozen=True)
class Covering:
    """For one file of tests: `lines[path][line]` are the tests, by their place in `tests`, that ran the line.

    `whole`: the lines that run for all tests; `starters`: the tests that start processes.
    """

    tests: tuple[str, ...]
    lines: dict[str, dict[str, list[int]]]
    whole: dict[str, list[int]]
    starters: tuple[str, ...]

    def seeing(self, path: str, lines: Iterable[int]) -> tuple[str, ...] | None:
        """The tests that are seen to run one of these lines, in the order of the file; None where all do."""
        wanted = set(lines)
        if wanted & set(self.whole.get(path, ())):
            return None
        of_path = self.lines.get(path, {})
        seen = {self.tests[i] for line in wanted for i in of_path.get(str(line), ())}
        return tuple(test for test in self.tests if test in seen)

    def may_see(self, path: str, lines: Iterable[int]) -> bool:
        """Whether any test may run one of these lines."""
        return self.seeing(path, lines) != () or bool(self.starters)


class Observer:
    """A plugin of pytest that writes a Covering of what lies in `folder`."""

    def __init__(self, folder: Path, sources: Sequence[str], out: Path) -> None:
        self.folder, self.out, self.now = folder, out, NOWHERE
        self.tests: list[str] = []
        self.starters: set[str] = set()
        inside = [f"{folder / source}/*" for source in sources]
        self.coverage = coverage.Coverage(data_file=None, config_file=False, include=inside)
        self.coverage.start()
        sys.addaudithook(self._audit)

    def _audit(self, event: str, _: object) -> None:
        if event in STARTS_PROCESSES and self.now != NOWHERE:
            self.starters.add(self.now)

    def _turn_to(self, test: str) -> None:
        self.now = test
        self.coverage.switch_context(test)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self.tests.append(item.nodeid)
        self._turn_to(item.nodeid)
        try:
            return (yield)
        finally:
            self._turn_to(NOWHERE)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Iterator[None]:
        before = self.now
        if fixturedef.scope != "function":
            self._turn_to(NOWHERE)
        try:
            return (yield)
        finally:
            self._turn_to(before)

    def write(self) -> None:
        """To be called once pytest has ended."""
        self.coverage.stop()
        data, place = self.coverage.get_data(), {test: i for i, test in enumerate(self.tests)}
        lines: dict[str, dict[str, list[int]]] = {}
        whole: dict[str, list[int]] = {}
        for file in data.measured_files():
            path = str(Path(file).relative_to(self.folder))
            contexts = data.contexts_by_lineno(file)
            whole[path] = [line for line, tests in contexts.items() if NOWHERE in tests]
            lines[path] = {str(line): sorted(place[t] for t in tests if t) for line, tests in contexts.items()}
        starters = sorted(self.starters, key=place.__getitem__)
        self.out.write_text(json.dumps({"tests": self.tests, "lines": lines, "whole": whole, "starters": starters}))


def statement(source: str, line: int) -> range:
    """The lines of the innermost statement that a line stands in; of a compound one, those of its head."""
    found = range(line, line + 1)
    first = 0
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.stmt):
            continue
        body = getattr(node, "body", None)
        end = max(node.lineno, body[0].lineno - 1) if body else node.end_lineno or node.lineno
        if first <= node.lineno <= line <= end:
            found, first = range(node.lineno, end + 1), node.lineno
    return found
