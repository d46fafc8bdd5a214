"""The records of a text table: its lines without comments and blank ones, cut into fields.

Main       Records, Dialect.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from verify.data.files.text.words import is_error
from verify.errors import InputError

SPACES = " "  # runs of spaces and tabs
_DELIMITERS = re.compile(r"[,;\t| ]")
_SEPARATOR = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)  # how spreadsheets are told the delimiter


@dataclass(frozen=True)
class Dialect:
    """The delimiter, "" where there is one column, and the decimal mark."""

    delimiter: str
    mark: str = "."


class Records:
    """(line, fields) of each record, by the line on which it starts; a quoted field may hold line ends.

    comments and blanks: lines left out up to here, blank ones only between records. remark: the last comment before the
    first record. cut: the lines are not all, and a quotation may end beyond.  Raises InputError where one never ends.
    """

    def __init__(self, lines: Iterable[str], delimiter: str, cut: bool = False) -> None:
        self.comments = self.blanks = 0
        self.remark: tuple[int, str] | None = None
        self._delimiter, self._cut = delimiter, cut
        self._lines = enumerate(lines, start=1)
        self._start = 0
        self._fresh = True

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
            yield self._start, fields

    def _feed(self) -> Iterator[str]:
        """The lines that count; within a quoted field all of them do."""
        blanks = 0
        for number, line in self._lines:
            if self._fresh:
                if not line.strip(" \r\n" if self._delimiter == "\t" else None):
                    blanks += 1
                    continue
                if is_comment(line):
                    self.comments += 1
                    if not self._start:
                        self.remark = number, line.strip().lstrip("#% ")
                    continue
                if number == 1 and _SEPARATOR.fullmatch(line):
                    continue
                self.blanks += blanks if self._start else 0
                blanks = 0
                self._start, self._fresh = number, False
            yield line
        if not (self._fresh or self._cut):
            raise InputError(
                f"line {self._start}: a quotation mark that opens a field there is not closed; close or delete it"
            )

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
    return not (is_error(first) or first.lower() == "#n/a")


def separator(line: str) -> str | None:
    """The delimiter that a first line sep=; tells a spreadsheet."""
    found = _SEPARATOR.fullmatch(line)
    return found[1] if found else None
