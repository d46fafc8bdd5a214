"""The sentences for what is wrong in a text table: where, what, and what to do.

Main       ragged, not_a_number, beyond_whole, Place.
"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from verify.data.entries import not_held
from verify.data.files.columns import shown as column
from verify.data.files.text.words import Kind, has_unit, is_grouped, shown
from verify.errors import InputError

_SHOWN = 4  # fields of a line
_MISSING = "a missing value is nothing, NA, NaN, null, none, nil, missing, ., - or ?"


@dataclass(frozen=True)
class Place:
    """A field: its line as an editor counts them, its row from 1, its word."""

    line: int
    row: int
    word: str


def ragged(fields: Sequence[str], line: int, row: int, first: int, width: int) -> InputError:
    """A row of another length than the line `first`."""
    quoted = "; is a quotation mark there never closed?" if any("\n" in word for word in fields) else ""
    return InputError(
        f"line {line} (row {row}) has {counted(len(fields), 'field')}, line {first} has {width}"
        f"{quoted or '; every line needs as many'}"
    )


def not_a_number(kind: Kind, place: Place, number: int, names: Sequence[str], mark: str) -> InputError:
    """An entry of a column of numbers that is none.  number: of the column, from 1."""
    where = f"line {place.line}, row {place.row}, {column(number, names[number - 1] if names else '')}"
    word = place.word.strip()
    drop = f"leave the column out ({dropping(number, names)})"
    if kind is Kind.ERROR:
        what = f"is a spreadsheet's error; mend the cell and export again, or {drop}"
    elif kind is Kind.MARKED and is_grouped(word) and not (mark == "." and _is_plain_comma(word)):
        what = f"has marks between thousands; write the digits without them, or {drop}"
    elif kind is Kind.MARKED and mark == ".":
        what = "has a decimal comma; say --decimal , if all numbers are written so, else write a point"
    elif kind is Kind.MARKED:
        what = "has a decimal point where other numbers have a comma; write all of them in one way"
    elif has_unit(word):
        what = f"is a number with something behind it, perhaps a unit; write the number alone, or {drop}"
    else:
        what = f"is not a number; mend it, or {drop}; {_MISSING}"
    if place.row == 1 and not names and kind not in (Kind.ERROR, Kind.MARKED):
        what += "; or, if this line names the columns, say --header yes"
    return InputError(f"{where}: {shown(word)} {what}")


def second_header(place: Place, fields: Sequence[str]) -> InputError:
    """A first row of words under a header."""
    return InputError(
        f"line {place.line} ({some(fields)}) stands under the header and is no row of numbers; delete it if it holds "
        "units or a second header"
    )


def beyond_whole(line: int, row: int, number: int, word: str, names: Sequence[str]) -> InputError:
    """A whole number that float64 does not hold.  row, number: from 1."""
    said = not_held(word, row - 1, number - 1)
    return InputError(f"line {line}: {said}, or leave the column out ({dropping(number, names)})")


def dropping(number: int, names: Sequence[str]) -> str:
    """The option that leaves out a column."""
    name = names[number - 1] if names else ""
    if name and list(names).count(name) == 1 and not name.removeprefix("#")[:1].isdigit() and not name.startswith("-"):
        return f"--drop {shlex.quote(name)}"
    return f"--drop '#{number}'" if str(number) in names else f"--drop {number}"


def some(fields: Sequence[str], delimiter: str = ",") -> str:
    """The beginning of a line, for a message."""
    words = [" ".join(word.split())[:20] for word in fields[:_SHOWN]] + ["..."] * (len(fields) > _SHOWN)
    return (delimiter.strip() or " ").join("".join(c if c.isprintable() else "?" for c in word) for word in words)


def counted(number: int, what: str) -> str:
    """1 name, 2 names."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def _is_plain_comma(word: str) -> bool:
    """Whether the one mark in a number is a comma, which may be a decimal one."""
    return word.count(",") == 1 and not any(mark in word for mark in ". '\u00a0\u202f’")
