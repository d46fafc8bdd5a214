"""The fast reader of text tables, pyarrow's, for what is written plainly; whatever else it meets is left to the other.

Main       read_fast, Unfit.

It takes nothing that the slow reader would not read to the same bits (tested).  pyarrow is given pieces of whole lines
that lie in memory, never the file: its threads must not wait for Python.
"""

import itertools
import re
from collections.abc import Iterable, Iterator
from typing import IO

import numpy as np

from verify.arrays import Array
from verify.data.entries import LARGEST_WHOLE
from verify.data.files.rows_on_disk import Growing
from verify.data.files.text.records import SPACES
from verify.data.files.text.slow import Plan
from verify.data.files.text.source import Source
from verify.data.files.text.words import MISSING, TRUTHS
from verify.errors import InputError

_PIECE = 4 << 20  # bytes
_BLOCK = 1 << 20  # of a piece that one thread takes
_REMARK = re.compile(rb"^[ \t\x0b\x0c]*[#%]", re.MULTILINE)  # unless it stands within quotation marks
_BLANK = re.compile(rb"^[ \t\r\x0b\x0c]*\n", re.MULTILINE)


class Unfit(Exception):
    """Not for this reader."""


def read_fast(source: Source, plan: Plan, start: int, longest: int) -> Growing:
    """The columns at plan.places.  start: the line of the first row. longest: a line, in characters.  Raises Unfit."""
    spaced = plan.width > 1 and plan.dialect.delimiter == SPACES
    if spaced or source.returns or not source.encoding.startswith(("utf-8", "latin")):
        raise Unfit
    growing = Growing(len(plan.places))
    try:
        table = _Table(plan, max(_BLOCK, 8 * longest))
        with source.bytes() as file:
            for _ in itertools.islice(file, start - 1):
                pass
            for piece in _pieces(file, max(_PIECE, 8 * longest)):
                growing.add(table.rows(piece))
    except InputError:
        raise
    except Exception:  # whatever it is, the other reader meets it too, and has a sentence for it
        raise Unfit from None
    return growing


def _pieces(file: IO[bytes], size: int) -> Iterator[bytes]:
    """Whole lines, about so many bytes of them at a time."""
    rest = b""
    while chunk := file.read(size):
        chunk = rest + chunk
        end = chunk.rfind(b"\n") + 1
        if end:
            yield chunk[:end]
        rest = chunk[end:]
    if rest:
        yield rest


class _Table:
    """How pyarrow is to read a table."""

    def __init__(self, plan: Plan, block: int) -> None:
        import pyarrow
        from pyarrow import csv

        self._pyarrow, self._csv, self._plan = pyarrow, csv, plan
        names = [str(j) for j in range(plan.width)]
        types = {name: pyarrow.float64() for name in names}
        types |= {str(j): pyarrow.bool_() for j in plan.truths} | {str(j): pyarrow.null() for j in plan.empty}
        self._options = {
            "read_options": csv.ReadOptions(column_names=names, block_size=block),
            "parse_options": csv.ParseOptions(delimiter=plan.dialect.delimiter or ","),
            "convert_options": csv.ConvertOptions(
                column_types=types,
                include_columns=[names[j] for j in (*plan.places, *plan.empty)],
                null_values=_spellings(MISSING),
                true_values=_spellings(word for word, value in TRUTHS.items() if value),
                false_values=_spellings(word for word, value in TRUTHS.items() if not value),
                decimal_point=plan.dialect.mark,
                check_utf8=False,
            ),
        }
        delimiter = re.escape((plan.dialect.delimiter or ",").encode())
        field = rb'(?:[^"' + delimiter + rb']*|"(?:[^"]|"")*")'
        self._closed = re.compile(field + rb"(?:" + delimiter + field + rb")*\s*")

    def rows(self, piece: bytes) -> Array:
        """The rows of whole lines.  Raises Unfit, or what pyarrow raises."""
        self._check(piece)
        buffer = self._pyarrow.BufferReader(self._pyarrow.py_buffer(piece))
        table = self._csv.read_csv(buffer, **self._options)
        block = np.empty((table.num_rows, len(self._plan.places)))
        for i in range(len(self._plan.places)):
            block[:, i] = table.column(i).cast(self._pyarrow.float64()).to_numpy()
        size = np.abs(block)
        if ((size >= LARGEST_WHOLE) & (size < np.inf)).any():
            raise Unfit  # which may be whole numbers that were rounded
        if b'"' in piece and not self._closes(piece, len(block)):
            raise Unfit
        return block

    def _check(self, piece: bytes) -> None:
        """Raises Unfit at what pyarrow would not see: comments, carriage returns alone, blank lines of one column."""
        if (b"#" in piece or b"%" in piece) and _REMARK.search(piece):
            raise Unfit
        if b"\r" in piece and piece.count(b"\r") != piece.count(b"\r\n"):
            raise Unfit
        if self._plan.width == 1 and _BLANK.search(piece):
            raise Unfit

    def _closes(self, piece: bytes, rows: int) -> bool:
        """Whether each row is a line, and the last one ends its quotations: then none runs over lines."""
        last = piece[piece.rfind(b"\n", 0, -1) + 1 :]
        return rows == piece.count(b"\n") + (not piece.endswith(b"\n")) and bool(self._closed.fullmatch(last))


def _spellings(words: Iterable[str]) -> list[str]:
    """Words in lower case, as they are usually written."""
    usual = {spelling for word in words for spelling in (word, word.upper(), word.capitalize(), word.title())}
    return sorted(usual | ({"NaN"} if "nan" in usual else set()))
