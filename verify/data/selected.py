"""Some rows of a source, without holes, as rows of their own; and where rows and columns stand in their source.

Notation   raw (N, n) a source, anything that gives a block for raw[start:stop].
Main       Selected, Places, HERE, blocks.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from verify.arrays import Array
from verify.data.entries import BLOCK_ENTRIES
from verify.data.files.columns import shown

_SHOWN = 5


@dataclass(frozen=True, eq=False)
class Selected:
    """The rows (N', n) of raw at these places (None: all), with NaN replaced by `fill` (n,)."""

    raw: Array
    rows: Array | None = None
    fill: Array | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """(N', n)."""
        N, n = (int(length) for length in self.raw.shape)
        return (N if self.rows is None else len(self.rows)), n

    @property
    def dtype(self) -> Any:
        """The type of the entries."""
        return self.raw.dtype

    def __getitem__(self, part: slice) -> Array:
        """Rows of a slice without a step, (b, n)."""
        start, stop, _ = part.indices(self.shape[0])
        block = self._block(start, stop)
        if self.fill is not None and np.isnan(block).any():
            block = np.where(np.isnan(block), self.fill, block)
        return block

    def _block(self, start: int, stop: int) -> Array:
        if self.rows is None:
            return np.asarray(self.raw[start:stop])
        places = self.rows[start:stop]
        if not len(places):
            return np.asarray(self.raw[0:0])
        # Of rows far apart no more is held than of rows side by side.
        first, last, height = int(places[0]), int(places[-1]) + 1, max(1, stop - start)
        parts = []
        for low in range(first, last, height):
            own = places[(places >= low) & (places < low + height)] - low
            if len(own):
                parts.append(np.asarray(self.raw[low : min(low + height, last)])[own])
        return np.concatenate(parts)


@dataclass(frozen=True, eq=False)
class Places:
    """Where rows and columns stand in their source: numbers from 1, names, lines.  Empty: where they stand here.

    numbers: of each column. names: of each column, or empty. rows: of each row its place (from 0) in the source. line:
    the line of a row of the source (from 1).
    """

    numbers: Sequence[int] | None = None
    names: Sequence[str] = ()
    rows: Array | None = None
    line: Callable[[int], int] | None = None

    def number(self, column: int) -> int:
        """The number of a column (from 0)."""
        return column + 1 if self.numbers is None else self.numbers[column]

    def name(self, column: int) -> str:
        """The name of a column (from 0), "" if it has none."""
        return self.names[column] if self.names else ""

    def column(self, column: int) -> str:
        """A column (from 0) in words: "column 3 (ash)"."""
        return shown(self.number(column), self.name(column))

    def row(self, row: int) -> str:
        """A row (from 0) in words: "row 7 (line 8)"."""
        number = row + 1 if self.rows is None else int(self.rows[row]) + 1
        line = None if self.line is None else self.line(number)
        return f"row {number}" + (f" (line {line})" if line is not None and line != number else "")

    def entry(self, row: int, column: int) -> str:
        """An entry in words: "at row 7 (line 8), column 3 (ash)"."""
        return f"at {self.row(row)}, {self.column(column)}"

    def columns(self, which: Iterable[int], n: int) -> str:
        """Columns (from 0) of n as the subject of a sentence, with its verb: "columns 1, 2 and 3 more are"."""
        places = [int(j) for j in which]
        if len(places) == n and n > 1:
            return f"all {n} columns are"
        words = [self.column(j).removeprefix("column ") for j in places]
        listed = ", ".join(words[:_SHOWN]) + (f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else "")
        return f"column {listed} is" if len(words) == 1 else f"columns {listed} are"

    def chosen(self, columns: Array | None, rows: Array | None) -> "Places":
        """The places of these columns and rows (places here, from 0; None: all)."""
        numbers, names = self.numbers, self.names
        if columns is not None:
            numbers = [self.number(int(j)) for j in columns]
            names = [self.name(int(j)) for j in columns] if names else ()
        kept = self.rows if rows is None else rows if self.rows is None else self.rows[rows]
        return Places(numbers, names, kept, self.line)


HERE = Places()  # of rows that come from nowhere else


def blocks(raw: Array) -> Iterator[tuple[int, Array]]:
    """The rows (N, n) in blocks (b, n), each with the number of rows before it."""
    N, n = (int(length) for length in raw.shape)
    size = max(64, BLOCK_ENTRIES // n)
    for start in range(0, N, size):
        yield start, np.asarray(raw[start : start + size])
