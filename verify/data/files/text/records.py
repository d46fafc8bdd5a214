"""The records of a text table: its lines without comments and blank ones, cut into fields.

Main       Records, Dialect.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from verify.data.files.text.words import MISSING, Kind, is_error, kind_of
from verify.errors import InputError

SPACES = " "  # runs of spaces and tabs
_DELIMITERS = re.compile(r"[,;\t| ]")
_NARROW = 3  # hashes that spreadsheets write where a column is too narrow for its number
_SEPARATOR = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)  # how spreadsheets are told the delimiter


@dataclass(frozen=True)
class Dialect:
    """The delimiter, "" where there is one column, and the decimal mark."""

    delimiter: str
    mark: str = "."


class Records:
    """(line, fields) of each record, by the line on which it starts; a quoted field may hold line ends.

    Below the first record a line after # or % is one, and no comment, if it has as many fields as its neighbours.

    comments and blanks: lines left out up to here, blank ones only between records. remark: the last comment before the
    first record. spanning: how many records go on over several lines, and the first such line. cut: the lines are not
    all, and a quotation may end beyond.  Raises InputError where one never ends.
    """

    def __init__(self, lines: Iterable[str], delimiter: str, cut: bool = False) -> None:
        self.comments = self.blanks = 0
        self.remark: tuple[int, str] | None = None
        self.spanning: tuple[int, int] | None = None
        self._delimiter, self._cut = delimiter, cut
        self._lines = enumerate(lines, start=1)
        self._start = self._last = 0
        self._fresh = True
        self._widths: tuple[int, ...] = ()  # of the first record and the last

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        reader = (
            self._spaced()
            if self._delimiter in ("", SPACES)
            else csv.reader(self._feed(), delimiter=self._delimiter, skipinitialspace=True)
        )
        while True:
            self._fresh = True
            try:
                fields = next(reader)
            except StopIteration:
                return
            except csv.Error:
                longest = csv.field_size_limit()
                raise InputError(
                    f"line {self._start}: a field of more than {longest} characters; is a quotation mark not closed?"
                ) from None
            if self._last > self._start:
                self.spanning = (self.spanning[0] + 1, self.spanning[1]) if self.spanning else (1, self._start)
            # A header may lack a name, that of the first column.
            self._widths = (self._widths[0], len(fields)) if self._widths else (len(fields), len(fields) + 1)
            yield self._start, fields

    def _feed(self) -> Iterator[str]:
        """The lines that count; within a quoted field all of them do."""
        blanks = 0
        for number, line in self._lines:
            if self._fresh:
                if not line.strip(" \r\n" if self._delimiter == "\t" else None):
                    blanks += 1
                    continue
                if is_comment(line) and not self._is_record(line):
                    self.comments += 1
                    if not self._start:
                        self.remark = number, line.strip()
                    continue
                if number == 1 and _SEPARATOR.fullmatch(line):
                    continue
                self.blanks += blanks if self._start else 0
                blanks = 0
                self._start, self._fresh = number, False
            self._last = number
            yield line
        if not (self._fresh or self._cut):
            raise InputError(
                f"line {self._start}: a quotation mark that opens a field there is not closed; close or delete it"
            )

    def _is_record(self, line: str) -> bool:
        """Whether what looks like a comment has the fields of a record."""
        if not (self._widths and self._delimiter):
            return False
        fields = cut(line, self._delimiter)
        # Words lie between spaces in every sentence.
        return len(fields) in self._widths and (self._delimiter != SPACES or are_values(fields))

    def _spaced(self) -> Iterator[list[str]]:
        """The fields of lines of one column, or with runs of spaces between them."""
        for line in self._feed():
            line = line.strip()
            if '"' not in line:
                yield line.split() if self._delimiter else [line]
            elif self._delimiter:
                yield next(csv.reader([line.replace("\t", " ")], delimiter=SPACES, skipinitialspace=True))
            else:
                yield [line[1:-1].replace('""', '"') if len(line) > 1 and line[0] == line[-1] == '"' else line]
            self._fresh = True


def is_comment(line: str) -> bool:
    """Whether a line is a remark: after # or %, unless that is a spreadsheet's error or missing value."""
    line = line.lstrip()
    if not line.startswith(("#", "%")):
        return False
    first = _DELIMITERS.split(line, maxsplit=1)[0].strip()
    if not first.strip("#"):  # a row of hashes is drawn under a title too
        return len(first) < _NARROW or not are_values(_DELIMITERS.split(line.strip()))
    return not (is_error(first) or first.lower() in MISSING)


def cut(line: str, delimiter: str) -> list[str]:
    """The fields of one line."""
    if delimiter == SPACES:
        return line.split()
    return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True)) if delimiter else [line.strip()]


def are_values(fields: Sequence[str]) -> bool:
    """Whether the first field is more than a mark of comments, and something but words stands in each of the others."""
    return (
        len(fields) > 1
        and bool(fields[0].strip("#% ") or len(fields[0]) >= _NARROW)
        and all(kind_of(word) is not Kind.WORD for word in fields[1:])
    )


def separator(line: str) -> str | None:
    """The delimiter that a first line sep=; tells a spreadsheet."""
    found = _SEPARATOR.fullmatch(line)
    return found[1] if found else None
