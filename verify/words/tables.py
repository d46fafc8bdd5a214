"""What is said of a document: sentences and tables, which terminal, notebooks and pages set as they can.

Main       Table, Blocks; plain, as text; short, contained.
"""

import textwrap
from collections.abc import Iterable, Sequence
from typing import NamedTuple

WIDTH = 100


class Table(NamedTuple):
    """A table of text: each column is (heading, is a number); numbers stand to the right."""

    columns: Sequence[tuple[str, bool]]
    rows: Sequence[Sequence[str]]


# What stands between blank lines.
Blocks = list[str | Table]


def plain(blocks: Iterable[str | Table]) -> str:
    """All of them as text: sentences in lines of 100 characters, tables as wide as they are."""
    return "\n\n".join(_aligned(block) if isinstance(block, Table) else _filled(block) for block in blocks)


def _filled(text: str) -> str:
    return "\n".join(_line(line) for line in text.split("\n"))


def _line(text: str) -> str:
    """In lines that begin as the first does."""
    indent = " " * (len(text) - len(text.lstrip()))
    return textwrap.fill(text, WIDTH, subsequent_indent=indent, break_long_words=False)


def _aligned(table: Table) -> str:
    rows = [[heading for heading, _ in table.columns], *table.rows]
    widths = [max(len(row[c]) for row in rows) for c in range(len(table.columns))]
    lines = (
        "  ".join(
            cell.rjust(width) if numeric else cell.ljust(width)
            for cell, width, (_, numeric) in zip(row, widths, table.columns, strict=True)
        )
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def short(value: float | None, digits: int = 6) -> str:
    """A number in a table: six digits, "-" for None."""
    return "-" if value is None else f"{value:.{digits}g}"


def contained(note: str, text: str) -> bool:
    """Whether a text says what a note does, whatever kind of doubt the note says that it is."""
    return note.removeprefix("rounding: ").lower() in text.lower()
