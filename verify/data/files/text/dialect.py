"""Which delimiter and which decimal mark a text table is written with.

Main       recognised.
"""

import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

from verify.data.files.text.records import SPACES, Dialect, Records, separator
from verify.data.files.text.words import Kind, kind_of
from verify.errors import InputError

_LINES, _CHARACTERS = 100, 200_000  # enough to tell
_ORDER = "\t;,| "  # where all else is equal
_OF_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}")
NAMES = {"\t": "tabs", SPACES: "spaces", ";": ";", "|": "|", ",": "commas"}


def recognised(lines: Sequence[str], mark: str | None, ending: str) -> Dialect:
    """The dialect under which most fields are numbers and most lines have as many fields.

    lines: the first of the file. mark: the decimal mark where it was asked for. ending: of the file's name, which
    decides between equals.  Raises InputError where a comma may be a decimal mark or one between thousands.
    """
    told = separator(lines[0]) if lines else None
    few = _few(lines)
    written = [d for d in _ORDER if any(d in line or (d == SPACES and "\t" in line) for line in few)]
    delimiters = [told] if told else written
    first = {".tsv": "\t", ".csv": ","}.get(ending, "")
    delimiters.sort(key=lambda d: d != first)
    marks = [mark] if mark else [".", ","]
    ranked = [
        (*_worth(few, d, m), -place, -i, Dialect(d, m))
        for place, d in enumerate(delimiters)
        for i, m in enumerate(marks)
    ]
    best = max((entry for entry in ranked if entry[1]), key=lambda entry: entry[:-1], default=None)
    alone = Dialect("", mark or ".")
    share, _ = _worth(few, "", alone.mark, strict=True)
    # Where a decimal comma was asked for, every comma may be one.
    if best is None or (mark == "," and best[-1].delimiter == "," and share >= best[0]):
        return alone
    chosen = best[-1]
    if chosen.mark == "," and mark is None:
        _refuse_thousands(few, chosen)
    return chosen


def _few(lines: Sequence[str]) -> list[str]:
    """Some first lines, more than three only while they are short."""
    few: list[str] = []
    size = 0
    for line in lines[:_LINES]:
        if len(few) > 3 and size > _CHARACTERS:
            break
        few.append(line)
        size += len(line)
    return few


def _records(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    records: list[list[str]] = []
    with suppress(InputError):  # a field without an end, which is said when it is read
        records.extend(fields for _, fields in Records(lines, delimiter, cut=True))
    return records


def _worth(lines: Sequence[str], delimiter: str, mark: str, strict: bool = False) -> tuple[float, float]:
    """The share of fields that are numbers in lines of the commonest width, and that of such lines; 0 where that is 1.

    strict: numbers with other marks do not count.
    """
    records = _records(lines, delimiter)
    # A header has no numbers, and where it is short it says nothing of the rows.
    body = records[1:] if len(records) > 1 and not any(_weight(word, mark, False) for word in records[0]) else records
    if not body:
        return 0.0, 0.0
    counts = Counter(map(len, body))
    width = max(counts, key=lambda w: (counts[w], w))
    if delimiter and width < 2:
        return 0.0, 0.0
    numbers = sum(_weight(word, mark, strict) for fields in body if len(fields) == width for word in fields)
    return round(numbers / sum(map(len, body)), 9), counts[width] / len(body)


def _weight(word: str, mark: str, strict: bool) -> float:
    kind = kind_of(word, mark)
    if kind is Kind.NUMBER:
        return 0.0 if word.strip().endswith(",") else 1.0  # "1," of "1, 2" is no number with a decimal comma
    return 0.9 if kind is Kind.MARKED and not strict else 0.0


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
