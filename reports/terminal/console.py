"""What the user sees: results on standard output, messages and progress on standard error.

Main       Session; table; one_line of verify/errors.py.
"""

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from verify.data.documents import to_json
from verify.errors import one_line as one_line
from verify.words import tables

WIDTH = 100
# What takes less is over before a bar can be read.
PATIENCE = 1.0
# Without a terminal, how often long work says how far it is.
MINUTE = 60.0


class Session:
    """One run of one command: where it prints, and what it has written so far (said when it is interrupted)."""

    def __init__(self, *, json: bool = False, quiet: bool = False):
        self.json, self.quiet = json, quiet
        self.kept: list[Path] = []
        self._out, self._err = _console(sys.stdout), _console(sys.stderr)
        self._spinner: Any = None
        self._unsaid = ""

    @property
    def width(self) -> int:
        """The columns that a line of standard output may have."""
        return int(self._out.width)

    def result(self, document: Any) -> None:
        """The JSON document of --json: the only thing on standard output."""
        self._say_what_was_read()
        if self.json:
            print(to_json(document, ascii=True))

    def say(self, what: Any) -> None:
        """A line or a table for people; nothing with --json."""
        self._say_what_was_read()
        if self.json:
            return
        width = self._out.width
        if isinstance(what, Table):  # a narrow terminal breaks lines; it must not cut numbers off
            width = max(width, self._out.measure(what).minimum)
        with self._out.capture() as captured:
            self._out.print(what, width=width, crop=False, no_wrap=False)
        # rich fills every line up to its width, which a pipe has no use for.
        # At once: a run that is killed must have said all that it had to say.
        print("\n".join(line.rstrip() for line in captured.get().splitlines()), flush=True)

    def show(self, blocks: Iterable[str | tables.Table]) -> None:
        """Sentences and tables, with a blank line between two."""
        for i, block in enumerate(blocks):
            if i:
                self.say("")
            self.say(table(*block) if isinstance(block, tables.Table) else block)

    def note(self, text: str) -> None:
        """A remark on standard error; nothing with --quiet."""
        self._say_what_was_read()
        if not self.quiet:
            # Words are kept whole on a terminal, and lines in a file.
            self._err.print(f"note: {one_line(text)}", soft_wrap=not self._err.is_terminal)

    def read(self, name: str, what: str) -> None:
        """What was read, on standard error; nothing with --quiet.

        At once on a terminal; elsewhere before whatever comes next, so that bad input ends in one line and no more.
        """
        self._unsaid = one_line(f"read {name}: {what}")
        if self._err.is_terminal:
            self._say_what_was_read()

    def _say_what_was_read(self) -> None:
        unsaid, self._unsaid = self._unsaid, ""
        if unsaid and not self.quiet:
            self._err.print(unsaid, soft_wrap=not self._err.is_terminal)

    def notes(self, notes: Iterable[str], said: str = "") -> None:
        """Notes as remarks; those that standard output says as well, in the text `said`, only there."""
        for sentence in notes:
            if self.json or not tables.contained(sentence, said):
                self.note(sentence)

    def wrote(self, path: Path) -> None:
        """Remember and name a file that has been written."""
        self._say_what_was_read()
        self.kept.append(path)
        if not self.quiet:
            self._err.print(f"wrote {one_line(str(path))}", soft_wrap=True)

    @contextmanager
    def working(self, doing: str) -> Iterator[Any]:
        """A spinner on a terminal while the block runs; yields a function that says what is being done now."""
        if self.quiet or not self._err.is_terminal:
            yield lambda doing: None
            return
        with self._err.status(f"{doing} ...") as status:
            self._spinner = status
            yield lambda doing: status.update(f"{doing} ...")

    def track(self, things: Iterable[Any], doing: str, total: int) -> Iterator[Any]:
        """The same things, with a progress bar on a terminal once they take more than a moment."""
        with self.counting(doing) as told:
            for done, thing in enumerate(things, start=1):
                yield thing
                told(done, total)

    @contextmanager
    def counting(self, doing: str, *, stays: bool = False) -> Iterator[Callable[[int, int], object]]:
        """Yields a function that is told (done, total), for a progress bar on a terminal.

        The bar comes once the block takes more than a moment, and goes with it; one that `stays` comes at once and
        remains, so that one can read what was counted however fast it went. Without a terminal, a line a minute.
        """
        self._say_what_was_read()
        if self.quiet or not self._err.is_terminal:
            yield (lambda done, total: None) if self.quiet else self._line_a_minute(doing)
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        # What a resumed training finds done says nothing of its speed; an hour of steps does.
        bar = Progress(*columns, console=self._err, transient=not stays, speed_estimate_period=3600)
        task, start = bar.add_task(doing, total=None), time.monotonic()

        def told(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)
            if stays or time.monotonic() - start > PATIENCE:
                if self._spinner is not None:
                    self._spinner.stop()  # a console shows one live display at a time
                bar.start()

        try:
            yield told
        finally:
            bar.stop()

    def _line_a_minute(self, doing: str) -> Callable[[int, int], object]:
        """What a log or a pipe is told of long work."""
        start = last = time.monotonic()

        def told(done: int, total: int) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last >= MINUTE and done < total:
                last = now
                self._err.print(_counted(doing, done, total, now - start), soft_wrap=True)

        return told


def _counted(doing: str, done: int, total: int, seconds: float) -> str:
    return f"{doing}: {done} of {total} after {seconds / 60:.0f} min"


def _console(file: Any) -> Console:
    console = Console(file=file, markup=False, highlight=False, emoji=False)
    # In a pipe there is no width to ask for; a wide terminal makes lines too long to read.
    console.width = min(console.width, WIDTH) if console.is_terminal else WIDTH
    return console


def table(columns: Sequence[tuple[str, bool]], rows: Iterable[Sequence[str]]) -> Table:
    """A table of text; each column is (heading, is a number): numbers go right and never wrap."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for heading, numeric in columns:
        made.add_column(heading, justify="right" if numeric else "left", no_wrap=numeric, overflow="fold")
    for row in rows:
        made.add_row(*row)
    for column, (heading, numeric) in zip(made.columns, columns, strict=True):
        if numeric:  # half a number is another number
            column.min_width = max(len(line) for cell in (heading, *column.cells) for line in str(cell).split("\n"))
    return made
