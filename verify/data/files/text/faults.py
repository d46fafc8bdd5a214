"""The sentences for what is wrong in a text table: where, what, and what to do.

Main       ragged, not_a_number, second_header, repeated_header, title, beyond_whole, Place.
"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from verify.data.entries import not_held
from verify.data.files.columns import shown as column
from verify.data.files.text.words import Kind, has_unit, is_bounded, is_grouped, shown
from verify.errors import InputError

_SHOWN = 4  # fields of a line; lines
_ENOUGH = 2  # rows, for the last one to be one of its own kind
_MISSING = "a missing value is nothing, NA, NaN, null, none, nil, missing, ., - or ?"


@dataclass(frozen=True)
class Place:
    """A field: its line as an editor counts them (0 where there are none), its row from 1, its word; last: that row."""

    line: int
    row: int
    word: str
    last: bool = False


def ragged(fields: Sequence[str], place: Place, first: int, width: int) -> InputError:
    """A row of another length than the line `first`."""
    what = "every line needs as many"
    if any("\n" in word for word in fields):
        what = "is a quotation mark there never closed?"
    elif len(fields) > 1 and fields[0].startswith(("#", "%")):
        what = f"{what}, and a comment has no delimiters"
    elif place.last and place.row > _ENOUGH and len(fields) < width:
        what = f"it is the last line: a note or a summary? delete it, for {what}"
    return InputError(
        f"line {place.line} (row {place.row}) has {counted(len(fields), 'field')}, line {first} has {width}; {what}"
    )


def not_a_number(kind: Kind, place: Place, number: int, names: Sequence[str], mark: str) -> InputError:
    """An entry of a column of numbers that is none.  number: of the column, from 1."""
    line = f"line {place.line}, " if place.line else ""
    where = f"{line}row {place.row}, {column(number, names[number - 1] if names else '')}"
    word = place.word.strip()
    what = _wrong(kind, word, place, mark, f"leave the column out ({dropping(number, names)})")
    if place.line and place.row == 1 and not names and kind not in (Kind.ERROR, Kind.MARKED):
        what += "; or, if this line names the columns, say --header yes"
    return InputError(f"{where}: {shown(word)} {what}")


def _wrong(kind: Kind, word: str, place: Place, mark: str, drop: str) -> str:
    """What is wrong with a word among numbers, and what to do.  drop: how to do without its column."""
    if kind is Kind.ERROR:
        return f"is a spreadsheet's error; mend the cell and export again, or {drop}"
    if kind is Kind.MARKED and is_grouped(word) and not (mark == "." and _is_plain_comma(word)):
        return f"has marks between thousands; write the digits without them, or {drop}"
    if kind is Kind.MARKED and mark == ".":
        says = "say --decimal ," if place.line else 'give read_csv decimal=","'
        return f"has a decimal comma; {says} if all numbers are written so, else write a point"
    if kind is Kind.MARKED:
        return "has a decimal point where other numbers have a comma; write all of them in one way"
    if kind is Kind.DATE:
        return f"is a date; did a spreadsheet make it of a number? mend the cell, or {drop}"
    if is_bounded(word):
        return f"says only on which side of a number the value lies; write a number, or NaN if it is missing, or {drop}"
    if has_unit(word):
        return f"is a number with something behind it, perhaps a unit; write the number alone, or {drop}"
    if kind is Kind.WRAPPED:
        return f"is a number with something around it; write the number alone, or {drop}"
    if word.startswith(("#", "%")) and place.line:
        return f"is not a number; if the line is a comment, delete it; else mend the word, or {drop}"
    if place.last and place.row > _ENOUGH:
        what = "line" if place.line else "row"
        return f"is not a number, in the last row only: a summary or a note? delete that {what}, or {drop}; {_MISSING}"
    return f"is not a number; mend it, or {drop}; {_MISSING}"


def repeated_header(lines: Sequence[int], header: int) -> InputError:
    """Lines that say what the header, at that line, has said.  lines: not empty."""
    listed = ", ".join(map(str, lines[:_SHOWN])) + f" and {len(lines) - _SHOWN} more" * (len(lines) > _SHOWN)
    what = f"line {lines[0]} repeats" if len(lines) == 1 else f"lines {listed} repeat"
    return InputError(f"{what} the header of line {header}; delete {'it' if len(lines) == 1 else 'them'}")


def title(line: int, fields: Sequence[str]) -> InputError:
    """A line of names below what was taken for the header."""
    return InputError(
        f"line {line} ({some(fields)}) looks like the header; delete the lines above it, or begin them with # if they "
        "are to stay"
    )


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
