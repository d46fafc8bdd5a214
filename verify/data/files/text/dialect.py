"""Which delimiter and which decimal mark a text table is written with.

Main       recognised, NAMES, EXPECTED.
"""

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import NamedTuple

from verify.data.files.text.records import SPACES, Dialect, Records, is_comment, separator
from verify.data.files.text.words import Kind, is_grouped, kind_of
from verify.errors import InputError

_LINES, _CHARACTERS = 100, 200_000  # enough to tell
_ORDER = "\t;,| "  # where all else is equal
_OF_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}")
_WHOLE = re.compile(r"[+-]?[0-9]+")
_DELIMITERS = re.compile(r"[,;|\t]")
EXPECTED = {".csv": ",", ".tsv": "\t", ".tab": "\t", ".psv": "|", ".prn": SPACES}  # by the ending of the file's name
NAMES = {"\t": "tabs", SPACES: "spaces", ";": "semicolons", "|": "bars", ",": "commas"}


class _Worth(NamedTuple):
    """How well a dialect explains some lines, from the weightiest to the least.

    sense: of a field, averaged over the rows, by half where a first line of words is not as wide. alike: the share of
    lines of the commonest width, 0 where that is 1. names: how many words the first line has, 0 if it is not as wide.
    """

    sense: float
    alike: float
    names: int


def recognised(lines: Sequence[str], mark: str | None, ending: str) -> Dialect:
    """The dialect under which most fields are numbers and most lines have as many fields.

    lines: the first of the file. mark: the decimal mark where it was asked for. ending: of the file's name, which
    decides between equals.  Raises InputError where a comma may be a decimal mark or one between fields or thousands.
    """
    told = separator(lines[0]) if lines else None
    few = _few(lines)
    written = [d for d in _ORDER if any(d in line or (d == SPACES and "\t" in line) for line in few)]
    if "\t" in written and len({line.count("\t") for line in few}) == 1:
        written = [d for d in written if d != SPACES]  # as many tabs in every line: blanks stand within fields
    delimiters = [told] if told else written
    first = EXPECTED.get(ending, "")
    delimiters.sort(key=lambda d: d != first)
    dialects = [Dialect(d, m) for d in delimiters for m in ([mark] if mark else [".", ","])]
    ranked = [(_worth(few, dialect), -place, dialect) for place, dialect in enumerate(dialects)]
    worth, _, chosen = max(
        (entry for entry in ranked if entry[0].alike),
        key=lambda entry: (entry[0][:2], entry[1]),
        default=(None, 0, Dialect("", mark or ".")),
    )
    if mark == "," and worth and chosen.delimiter == "," and _worth(few, Dialect("", mark)).sense >= worth.sense:
        # Every comma may be a decimal one.
        if worth.names > 1:
            raise InputError(
                f"commas stand between the {worth.names} names of the columns, and cannot be decimal marks below; save "
                "the table with ; between its fields, or leave out --decimal ,"
            )
        return Dialect("", mark)
    if mark is None and chosen.mark == ",":
        _refuse_thousands(few, chosen)
    if mark is None and chosen == Dialect(","):
        _refuse_pairs(few)
    if told is None and chosen.delimiter == SPACES:
        _refuse_grouped(few, [d for d in written if d != SPACES])
    return chosen


def _few(lines: Sequence[str]) -> list[str]:
    """Some first lines, more than three only while they are short."""
    few = _first(line for line in lines if line.strip() and not is_comment(line))
    if len(few) > 1:
        return few
    # Where all that is left looks like comments, it may be rows whose names begin with a hash.
    return _first(itertools.dropwhile(is_comment, filter(str.strip, lines)))


def _first(lines: Iterable[str]) -> list[str]:
    few: list[str] = []
    size = 0
    for line in lines:
        if len(few) >= _LINES or (len(few) > 3 and size > _CHARACTERS):
            break
        few.append(line)
        size += len(line)
    return few


def _records(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    records: list[list[str]] = []
    with suppress(InputError):  # a field without an end, which is said when it is read
        records.extend(fields for _, fields in Records(lines, delimiter, cut=True))
    return records


def _worth(lines: Sequence[str], dialect: Dialect) -> _Worth:
    records = _records(lines, dialect.delimiter)
    # A header has no numbers but in names such as 25%, and where it is short it says nothing of the rows.
    header = len(records) > 1 and not any(
        _sense(word, dialect) > 0 and kind_of(word, dialect.mark) is not Kind.WRAPPED for word in records[0]
    )
    body = records[header:]
    if not body:
        return _Worth(0.0, 0.0, 0)
    counts = Counter(map(len, body))
    width = max(counts, key=lambda w: (counts[w], w))
    fields = [word for record in body if len(record) == width for word in record]
    sense = round(sum(_sense(word, dialect) for word in fields) / sum(map(len, body)), 9)
    alike = 0.0 if dialect.delimiter and width < 2 else counts[width] / len(body)
    headed = len(records[0]) == width
    return _Worth(sense if headed or not header else sense / 2, alike, len(records[0]) if header and headed else 0)


def _sense(word: str, dialect: Dialect) -> float:
    """How much speaks for a dialect that a field is this."""
    kind = kind_of(word, dialect.mark)
    if kind is Kind.NUMBER:
        return 0.0 if word.strip().endswith(",") else 1.0  # "1," of "1, 2" is no number with a decimal comma
    if kind is Kind.WORD:
        # Numbers between other delimiters, as in "Paris;2" of a field.
        parts = _DELIMITERS.split(word.replace(dialect.mark, ""))
        return -1.0 if len(parts) > 1 and any(kind_of(part) is Kind.NUMBER for part in parts) else 0.0
    if kind is Kind.WRAPPED:
        return 0.6
    if kind is Kind.MARKED:
        return 0.9 if dialect.delimiter else 0.0
    return 0.8 if word.strip() else 0.0


def _refuse_thousands(lines: Sequence[str], dialect: Dialect) -> None:
    """Raises InputError where every comma stands before three digits, as in 1,234."""
    words = [word.strip() for fields in _records(lines, dialect.delimiter) for word in fields]
    commas = [word for word in words if "," in word and kind_of(word, ",") is Kind.NUMBER]
    if commas and all(map(_OF_THOUSANDS.fullmatch, commas)):
        whole, part = commas[0].split(",")
        raise InputError(
            f"{commas[0]} may be {whole}.{part} or {whole}{part}: say --decimal , if the comma is a decimal mark, or "
            "write the numbers without marks between thousands"
        )


def _refuse_grouped(lines: Sequence[str], delimiters: Sequence[str]) -> None:
    """Raises InputError where a blank may stand between thousands, and another mark between the fields: 1 234,5 678."""
    for delimiter in delimiters:
        records = _records(lines, delimiter)
        fields = [word.strip() for record in records for word in record]
        if len(set(map(len, records))) == 1 and len(records[0]) > 1 and all(map(is_grouped, fields)):
            raise InputError(
                f"blanks may stand between fields or between thousands, as in {fields[0]!r}; write the numbers without "
                "marks between thousands"
            )


def _refuse_pairs(lines: Sequence[str]) -> None:
    """Raises InputError where each second field can be the decimals of the one before, and some begin with 0: 3,05."""
    # A quotation mark or a blank tells that the comma stands between fields.
    body = [line.strip().split(",") for line in lines if not any(mark in line.strip() for mark in '" \t')]
    body = [fields for fields in body if all(map(_WHOLE.fullmatch, fields))]
    pairs = [(fields[j], fields[j + 1]) for fields in body for j in range(0, len(fields) - 1, 2)]
    if len(body) < len(lines) - 1 or any(len(fields) % 2 for fields in body):
        return
    zero = next((pair for pair in pairs if len(pair[1]) > 1 and pair[1].startswith("0")), None)
    if zero and not any(part.startswith(("+", "-")) for _, part in pairs):
        way = "say --decimal ," if len(body[0]) == 2 else "save the table with ; between its fields"
        raise InputError(f"{','.join(zero)} may be one number with a decimal comma or two: {way}; if two, --decimal .")
