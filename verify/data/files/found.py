"""What a reader is asked for, and what it found.

Main       Asked, Found, Table, Aside, clean.

Columns and rows count from 1 in words, as they stand in the file: an index that was left out is column 1 all the same.
"""

import difflib
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from verify.arrays import Array
from verify.errors import InputError

_SHOWN = 12  # names of columns in a message
_LONGEST = 60  # of a name, in characters


def clean(name: str) -> str:
    """A name as printable text on one line, 60 characters at most."""
    name = " ".join(name.split())[:_LONGEST]
    return "".join(c if c.isprintable() else "?" for c in name).strip()


@dataclass(frozen=True)
class Asked:
    """How a file is to be read: options of the command line, None or empty where nobody said.

    columns, drop: names or numbers, "3-7" for several, "#3" for a number where a column is called 3,
    "##3" where one is called #3. decimal: the
    decimal mark. header: whether the first line names the columns. member: the array of a file of several.
    """

    columns: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    decimal: str | None = None
    header: bool | None = None
    member: str | None = None

    def __post_init__(self) -> None:
        if self.columns and self.drop:
            raise InputError("columns and drop: give one of them, the columns to use or those to leave out")
        if self.decimal not in (None, ".", ","):
            raise InputError(f"decimal = {self.decimal!r}: the decimal mark is . or ,")

    @property
    def of_text(self) -> str | None:
        """The option that only a text file has use for, None if none was given."""
        return "decimal" if self.decimal is not None else "header" if self.header is not None else None

    def chosen(self, names: Sequence[str], width: int) -> list[int] | None:
        """The places (from 0) of the columns that were asked for, in the order asked, or those not dropped; None: all.

        names: one for each of the `width` columns as it is written, or empty; a word may also be a name as messages
        show it (`clean`).  Raises InputError: no such column, or none left.
        """
        if self.columns:
            places = [j for word in self.columns for j in _places(word, names, width)]
            return list(dict.fromkeys(places))
        if self.drop:
            dropped = {j for word in self.drop for j in _places(word, names, width)}
            if len(dropped) == width:
                raise InputError(f"drop {' '.join(self.drop)}: no column is left")
            return [j for j in range(width) if j not in dropped]
        return None


def _places(word: str, names: Sequence[str], width: int) -> list[int]:
    """The columns that one word means: a name, a number from 1, "#3", or "3-7"."""
    named = _named(word, names)
    shown = clean(word)
    if len(named) > 1:
        said = ", ".join(str(j + 1) for j in named)
        raise InputError(
            f"column {shown!r}: columns {said} have that name; choose one by its number, as "
            f"{_by_number(str(named[0] + 1), names)}"
        )
    numbers = _numbers(word, width)
    if named and numbers and numbers != named:
        raise InputError(
            f"column {shown!r}: column {named[0] + 1} is called so, and there is a column {word.lstrip('#')}; write "
            f"{_by_number(str(named[0] + 1), names)} or {_by_number(word.lstrip('#'), names)}"
        )
    if named or numbers:
        return named or numbers
    words = [clean(name) or "(no name)" for name in names]
    if len(words) > _SHOWN:
        words = [*words[: _SHOWN - 2], "...", *words[-2:]]
    near = difflib.get_close_matches(shown, [clean(name) for name in names], 1)
    meant = f" (did you mean {near[0]}?)" if near else ""
    raise InputError(
        f"column {shown!r}: no such column{meant}; there are {width}" + (f": {', '.join(words)}" if names else "")
    )


def _named(word: str, names: Sequence[str]) -> list[int]:
    """The columns of that name: as it is written, else as it is shown."""
    exactly = [j for j, name in enumerate(names) if name == word]
    shown = clean(word)
    return exactly or [j for j, name in enumerate(names) if shown and clean(name) == shown]


def _by_number(number: str, names: Sequence[str]) -> str:
    """A number that is no name: "#3", or "##3" where a column is called #3."""
    return next(word for i in itertools.count(1) if not _named(word := "#" * i + number, names))


def _numbers(word: str, width: int) -> list[int]:
    """Places (from 0) of "3", "#3" or "3-7"; empty where the word is none of these or leaves the table."""
    first, _, last = word.lstrip("#").partition("-")
    if not (first.isascii() and first.isdigit() and len(first) < 10):
        return []
    if "-" in word and not (last.isascii() and last.isdigit() and len(last) < 10):
        return []
    low, high = int(first), int(last or first)
    return list(range(low - 1, high)) if 1 <= low <= high <= width else []


@dataclass(frozen=True)
class Aside:
    """A column of a table that is not among the rows: its number from 1, its name ("" if none), and what it holds."""

    number: int
    name: str
    holds: str


@dataclass(frozen=True)
class Table:
    """Where the columns of the rows stand in a table.

    numbers: of each column its number in the file, from 1. names: of each its name, or empty. asides: columns left out
    unasked (words, dates, an index), each with the reason. width: how many columns the file has. line: the line of the
    file, as an editor counts them, of a row (from 1); None where there are no lines.
    """

    numbers: tuple[int, ...]
    names: tuple[str, ...] = ()
    asides: tuple[Aside, ...] = ()
    width: int = 0
    line: Callable[[int], int] | None = None


@dataclass(frozen=True, eq=False)
class Found:
    """Rows as they were found.

    raw (N, n): anything with shape and dtype that gives a block (b, n) as a NumPy array for raw[start:stop]; missing
    values of a table are NaN. facts: plain JSON for the provenance (kind, sha256, image ...). said: sentences on how
    the source was read ("line 1 is the header"), without its name. doubts: what the reader of the results should know.
    table: of tables.
    """

    raw: Array
    facts: dict[str, Any] = field(default_factory=dict)
    said: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    table: Table | None = None

    def told(
        self, facts: dict[str, Any] | None = None, said: Sequence[str] = (), doubts: Sequence[str] = ()
    ) -> "Found":
        """The same rows with more facts, of which its own prevail, more that is said before, more doubts after."""
        return replace(
            self, facts={**(facts or {}), **self.facts}, said=(*said, *self.said), doubts=(*self.doubts, *doubts)
        )
