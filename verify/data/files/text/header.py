"""Whether the first line of a text table names its columns, and how many there are.

Main       heading.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from verify.data.files.found import clean
from verify.data.files.text.faults import counted, some
from verify.data.files.text.numbered import Guess, numbered_header
from verify.data.files.text.records import SPACES, Dialect, Records, are_values, cut
from verify.data.files.text.words import Kind, is_bounded, kind_of
from verify.errors import InputError

_ROWS = 100  # rows that are looked at
_ODD = re.compile(r"[<>~≤≥(−±*]+\s*[0-9].*|0x[0-9a-f]+|[0-9]+(?:_[0-9]+)+|[0-9.,]+\s*±.*", re.IGNORECASE)
_MEASURED = re.compile(r"[$€£+-]?\s*[0-9.,]+\s*(?:[^\W\d_]{1,3}|[%$€£°‰])(?:[/^][\w]+)?|[$€£][0-9.,]+")  # a unit
Line = tuple[int, list[str]]


@dataclass(frozen=True)
class Heading:
    """names: one for each of `width` columns, or none. present: whether the first record is the header.  said."""

    names: tuple[str, ...]
    width: int
    present: bool
    said: tuple[str, ...]


def heading(sample: Sequence[Line], dialect: Dialect, asked: bool | None, records: Records) -> Heading:
    """From the first records of a file, `sample` of `records`.  The comment before them may name the columns.

    Raises InputError: a question that only a person can answer, or a header without rows.
    """
    line, first = sample[0]
    body = [fields for _, fields in sample[1 : _ROWS + 1]]
    present = _is_header(sample[0], body, dialect) if asked is None else asked
    remark = records.remark
    if not present:
        _refuse_row(remark, len(first), dialect)
        words = _of_remark(remark, len(first), dialect) if asked is None else ()
        found = f"line {remark[0]}, a comment, names the columns" if remark and words else "no header"
        return Heading(words, len(first), False, (found,))
    if not body:
        rest = f"; {counted(records.comments, 'line')} after # or % were taken for comments" if records.comments else ""
        raise InputError(f"holds a header but no rows (line {line}: {some(first, dialect.delimiter)}){rest}")
    said = [f"line {line} is the header"]
    width = _commonest(body)
    names = list(map(clean, first))
    if len(first) == width + 1 and not names[-1]:
        names.pop()
    elif len(first) == width - 1 and all(not fields[-1].strip() for fields in body if len(fields) == width):
        names.append("")
    elif len(first) == width - 1 and _names_rows(body, width, dialect):
        names.insert(0, "")
        said.append("it has no name for the first column, the names of the rows")
    elif len(first) == len(body[0]):
        width = len(first)
    elif len(first) != width:
        other = next(i for i, (_, fields) in enumerate(sample) if i and len(fields) == width)
        raise _question(sample[0], sample[other], width, dialect)
    return Heading(tuple(names), width, True, tuple(said))


def _commonest(body: Sequence[Sequence[str]]) -> int:
    counts = Counter(map(len, body))
    return max(counts, key=lambda width: (counts[width], width))


def _is_header(first: Line, body: Sequence[Sequence[str]], dialect: Dialect) -> bool:
    """Whether the first line names columns.  Raises InputError where that is a question."""
    line, words = first
    kinds = [kind_of(word, dialect.mark) for word in words]
    numbers = [j for j, kind in enumerate(kinds) if kind is Kind.NUMBER]
    names = [j for j, kind in enumerate(kinds) if kind is Kind.WORD or (kind is Kind.WRAPPED and _names(words[j]))]
    likely = names + [j for j, kind in enumerate(kinds) if kind in (Kind.DATE, Kind.TRUTH)]
    same = [fields for fields in body if len(fields) == len(words)]
    below = {j: _numeric([fields[j] for fields in same], dialect.mark) for j in range(len(words))}
    over = [j for j in likely if below[j]]  # words above numbers
    if Kind.ERROR in kinds and 2 * len(names) < len(words):
        return False
    if not numbers:
        truths = [j for j in likely if kinds[j] is Kind.TRUTH]
        if any(kind_of(fields[j]) is Kind.TRUTH for j in truths for fields in same):
            return False
        unnamed = [j for j in below if below[j] and not words[j].strip()]
        if unnamed and not over and unnamed != [0]:
            raise _either(line, words, dialect)
        if over and all(kinds[j] in (Kind.WORD, Kind.WRAPPED) and _is_odd_number(words[j]) for j in over):
            raise _either(line, words, dialect)
        empty = all(kinds[j] is Kind.MISSING and words[j].strip() for j in below if j not in likely)
        return bool(over) or (bool(names) and (not any(below.values()) or not empty or len(names) == len(words)))
    guess = Guess.ROW
    counted_on = [j for j in numbers if below[j]]
    if counted_on == numbers and same:
        guess = numbered_header(
            [words[j].strip() for j in numbers], [[fields[j] for j in numbers] for fields in same], dialect.mark
        )
    if not words[0].strip() and [word.strip() for word in words[1:]] == [str(i) for i in range(len(words) - 1)]:
        guess = Guess.HEADER  # as pandas writes a table without names
    elif (
        guess is Guess.ROW
        and len(same) > 1
        and all(not word.strip() or word.strip().isdecimal() for word in words)
        and (counted_on != numbers or not words[0].strip())
    ):
        guess = Guess.MAYBE  # a number above words, or beside the nothing above an index
    if guess is Guess.HEADER:
        return True
    if guess is Guess.MAYBE or over:
        raise _either(line, words, dialect)
    return False


def _either(line: int, words: Sequence[str], dialect: Dialect) -> InputError:
    """What to ask about a first line that may be a header or a row."""
    return InputError(
        f"line {line} ({some(words, dialect.delimiter)}) may be a header or the first row: say --header yes or "
        "--header no"
    )


def _is_odd_number(word: str) -> bool:
    """Whether a word may be a number that is written in no usual way, as <0.1, −5, (5), 0x10, 5±1; or a mere sign."""
    return bool(_ODD.fullmatch(word.strip())) or not any(c.isalnum() for c in word)


def _names(word: str) -> bool:
    """Whether a number with something around it is rather a name, as "3 months" or "10+"."""
    return not is_bounded(word) and not _MEASURED.fullmatch(word.strip())


def _numeric(column: Sequence[str], mark: str) -> bool:
    """Whether most values of a column are numbers."""
    kinds = Counter(kind_of(word, mark) for word in column)
    numbers = kinds[Kind.NUMBER] + kinds[Kind.MARKED]
    return numbers > 0 and 2 * numbers >= kinds.total() - kinds[Kind.MISSING]


def _of_remark(remark: tuple[int, str] | None, width: int, dialect: Dialect) -> tuple[str, ...]:
    """The names of the columns where the comment before the rows has as many words, none a number; else none."""
    if remark is None or width < 2:
        return ()
    text = remark[1].lstrip("#% ")
    words = text.split(dialect.delimiter.strip() or None)
    names = [clean(word.strip(' "')) for word in words]
    kinds = {kind_of(word, dialect.mark) for word in names[1:]}
    return tuple(names) if len(names) == width and kinds == {Kind.WORD} and len(set(names)) == width else ()


def _refuse_row(remark: tuple[int, str] | None, width: int, dialect: Dialect) -> None:
    """Raises InputError where the comment before the rows looks like one of them, such as #10,1.5,2.5."""
    if remark is None or width < 2:
        return
    fields = cut(remark[1], dialect.delimiter)
    if len(fields) != width or not fields[0][1:2].strip():
        return
    kinds = {kind_of(word, dialect.mark) for word in fields[1:]}
    # Between spaces anything has fields; and columns may be numbered.
    values = are_values(fields) if dialect.delimiter == SPACES else bool(kinds - {Kind.WORD, Kind.MISSING})
    counts = [fields[0].lstrip("#% "), *map(str.strip, fields[1:])] == [str(i + 1) for i in range(width)]
    if (values or kinds == {Kind.MISSING}) and not counts:
        raise InputError(
            f"line {remark[0]} ({some(fields, dialect.delimiter)}) begins as comments do and has the fields of a row; "
            "delete it, or write its first field in quotation marks"
        )


def _names_rows(body: Sequence[Sequence[str]], width: int, dialect: Dialect) -> bool:
    """Whether the first column holds the names of the rows, as R writes them: words, or counts."""
    column = [fields[0].strip() for fields in body if len(fields) == width]
    if not any(kind_of(word, dialect.mark) in (Kind.NUMBER, Kind.MISSING, Kind.MARKED) for word in column):
        return True
    counts = any(column == [str(i + start) for i in range(len(column))] for start in (0, 1))
    # 1,5 2,5 3,7 under one name: numbers with a decimal comma look so too.
    commas = (
        dialect.delimiter == ","
        and width == 2
        and all(fields[1].strip().isdecimal() for fields in body[:_ROWS] if len(fields) == width)
    )
    return counts and len(column) > 1 and not commas


def _question(header: Line, row: Line, width: int, dialect: Dialect) -> InputError:
    """What to ask about a header that is narrower or wider than the rows."""
    line, names = header[0], len(header[1])
    where = f"line {line} has {counted(names, 'name')}, line {row[0]} has {counted(width, 'field')}"
    if names > width:
        return InputError(f"{where}: a name too many, or a field missing from every row? make them as many")
    numbers = all(kind_of(word) is Kind.NUMBER for word in row[1])
    if dialect.delimiter == "," and width == 2 * names and numbers:
        mark = (
            "a decimal comma (--decimal ,) or a missing name? say --decimal , or complete"
            if names == 1
            else "decimal commas (then save with ; between the fields) or missing names? complete"
        )
        return InputError(f"{where}: {mark} line {line}")
    title = ", or a title? complete or delete" if names == 1 else "? complete"
    return InputError(f"{where}: {'a missing name' if width == names + 1 else 'missing names'}{title} line {line}")
