"""The fast reader of text tables, pyarrow's, for what is written plainly; whatever else it meets is left to the other.

Main       read_fast, Unfit.

It takes nothing that the slow reader would not read to the same bits (tested).
"""

import itertools
import re
from typing import IO

import numpy as np

from verify.data.entries import LARGEST_WHOLE
from verify.data.files.rows_on_disk import Growing
from verify.data.files.text.records import SPACES
from verify.data.files.text.slow import Plan
from verify.data.files.text.source import Source
from verify.data.files.text.words import MISSING, TRUTHS
from verify.errors import InputError

_BLOCK = 1 << 20  # bytes
_PECULIAR = re.compile(rb"\n[ \t\x0b\x0c]*[#%]")  # a comment, unless it stands within quotation marks
_BLANK = re.compile(rb"\n[ \t\r]*\n")


class Unfit(Exception):
    """Not for this reader."""


def read_fast(source: Source, plan: Plan, start: int, longest: int) -> Growing:
    """The columns at plan.places.  start: the line of the first row. longest: a line, in characters.  Raises Unfit."""
    spaced = plan.width > 1 and plan.dialect.delimiter == SPACES
    if spaced or source.returns or not source.encoding.startswith(("utf-8", "latin")):
        raise Unfit
    try:
        import pyarrow
        from pyarrow import csv
    except Exception:  # missing, or built for another NumPy
        raise Unfit from None
    names = [str(j) for j in range(plan.width)]
    types = {name: pyarrow.float64() for name in names}
    types |= {str(j): pyarrow.bool_() for j in plan.truths} | {str(j): pyarrow.null() for j in plan.empty}
    try:
        with source.bytes() as file:
            for _ in itertools.islice(file, start - 1):
                pass
            plain = _Plain(file, plan.width == 1)
            reader = csv.open_csv(
                plain,
                read_options=csv.ReadOptions(column_names=names, block_size=max(_BLOCK, 8 * longest), use_threads=True),
                parse_options=csv.ParseOptions(delimiter=plan.dialect.delimiter or ",", newlines_in_values=True),
                convert_options=csv.ConvertOptions(
                    column_types=types,
                    include_columns=[names[j] for j in (*plan.places, *plan.empty)],
                    null_values=_spellings(MISSING),
                    true_values=_spellings([word for word, value in TRUTHS.items() if value]),
                    false_values=_spellings([word for word, value in TRUTHS.items() if not value]),
                    decimal_point=plan.dialect.mark,
                    check_utf8=False,
                ),
            )
            growing = Growing(len(plan.places))
            for batch in reader:
                block = np.empty((batch.num_rows, len(plan.places)))
                for i in range(len(plan.places)):
                    block[:, i] = batch.column(i).cast(pyarrow.float64()).to_numpy(zero_copy_only=False)
                size = np.abs(block)
                if ((size >= LARGEST_WHOLE) & (size < np.inf)).any():
                    raise Unfit  # which may be whole numbers that were rounded
                growing.add(block)
            if not plain.closes(growing.count, plan.dialect.delimiter):
                raise Unfit
    except InputError:
        raise
    except Exception:  # whatever it is, the other reader meets it too, and has a sentence for it
        raise Unfit from None
    return growing


def _spellings(words: "list[str] | frozenset[str]") -> list[str]:
    """Words in lower case, as they are usually written."""
    return sorted(
        {spelling for word in words for spelling in (word, word.upper(), word.capitalize(), word.title())}
        | ({"NaN"} if "nan" in words else set())
    )


class _Plain:
    """A file of bytes as pyarrow reads it.  Raises Unfit at what it would not see: comments, and blank lines if asked.

    lines: so many have been read. quoted: whether there is a quotation mark. tail: the last line so far, and its end.
    """

    closed = False

    def __init__(self, file: IO[bytes], blanks: bool) -> None:
        self._file, self._blanks = file, blanks
        self._last = b"\n"
        self.lines, self.quoted, self.tail = 0, False, b""

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        chunk = self._file.read(size)
        for seen in (self._last + chunk[:64], chunk):
            if (b"#" in seen or b"%" in seen) and _PECULIAR.search(seen):
                raise Unfit
            if self._blanks and _BLANK.search(seen):
                raise Unfit
        if chunk:
            self._last = chunk[-64:]
            self.lines += chunk.count(b"\n")
            self.quoted = self.quoted or b'"' in chunk
            whole = self.tail + chunk
            self.tail = whole[whole.rfind(b"\n", 0, -1) + 1 :]
        return chunk

    def closes(self, rows: int, delimiter: str) -> bool:
        """Whether each of so many rows is a line: then no quotation runs over lines, closed or not."""
        if not self.quoted:
            return True
        field = rb'(?:[^"]*|"(?:[^"]|"")*")'
        line = re.compile(field + rb"(?:" + re.escape(delimiter.encode()) + field + rb")*\s*")
        return rows == self.lines + (not self.tail.endswith(b"\n")) and bool(line.fullmatch(self.tail))

    def readable(self) -> bool:
        """Always."""
        return True

    def close(self) -> None:
        """Whoever opened the file closes it."""
