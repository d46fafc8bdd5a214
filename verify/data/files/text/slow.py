"""The reader of text tables that takes every case, a line at a time: what it reads is what is right.

Main       read_slowly, Plan, Surprise.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from verify.arrays import Array
from verify.data.entries import LARGEST_WHOLE
from verify.data.files.rows_on_disk import Growing
from verify.data.files.text.faults import Place, beyond_whole, ragged
from verify.data.files.text.records import Dialect
from verify.data.files.text.words import Kind, kind_of, number

_ENTRIES = 1 << 17  # per block
_MOST_DIGITS = 310  # of a whole number that float64 reaches
_PLAIN = re.compile(r"[0-9eE+.\-\s]*")  # where float takes such a word, it means the same as here


@dataclass(frozen=True)
class Plan:
    """How the rows of a text are read.

    first: the line that rows are measured by. header: whether that names the columns. width: fields of a row. places:
    of the columns to read, from 0. truths: those of them that hold True and False. empty: places not read, where
    nothing but missing values is expected. names: of the columns, or none.
    """

    dialect: Dialect
    first: int
    header: bool
    width: int
    places: tuple[int, ...]
    truths: frozenset[int]
    empty: tuple[int, ...]
    names: tuple[str, ...]


class Surprise(Exception):
    """Fields of a row that are not what the first lines of the file made one expect, in the columns at `places`."""

    def __init__(self, places: Sequence[int]) -> None:
        super().__init__()
        self.places = tuple(places)


def read_slowly(records: Iterable[tuple[int, list[str]]], plan: Plan) -> Growing:
    """The columns at plan.places of all records.  Raises InputError (ragged, too large), Surprise."""
    growing = Growing(len(plan.places))
    row = 0
    rows = _picked(itertools.islice(records, int(plan.header), None), plan)
    while held := list(itertools.islice(rows, max(1, _ENTRIES // len(plan.places)))):
        block = np.array([_values(words, plan) for _, words in held], dtype=np.float64)
        _refuse_rounded(block, held, row, plan)
        growing.add(block)
        row += len(block)
    return growing


def _picked(records: Iterable[tuple[int, list[str]]], plan: Plan) -> Iterator[tuple[int, Sequence[str]]]:
    """The fields to read of each record, with its line."""
    everything = plan.places == tuple(range(plan.width))
    rows = iter(records)
    for row, (line, fields) in enumerate(rows, start=1):
        if len(fields) != plan.width:
            raise ragged(fields, Place(line, row, "", next(rows, None) is None), plan.first, plan.width)
        filled = [j for j in plan.empty if fields[j] and kind_of(fields[j]) is not Kind.MISSING]
        if filled:
            raise Surprise(filled)
        yield line, fields if everything else [fields[j] for j in plan.places]


def _values(words: Sequence[str], plan: Plan) -> list[float]:
    """The values of a row.  Raises Surprise where a word is none."""
    mark = plan.dialect.mark
    if mark == "." and _PLAIN.fullmatch("".join(words)):
        try:
            return list(map(float, words))
        except ValueError:
            pass  # something is missing, or no number
    values = [number(word, mark, j in plan.truths) for j, word in zip(plan.places, words, strict=True)]
    if None in values:
        raise Surprise([j for j, value in zip(plan.places, values, strict=True) if value is None])
    return [value for value in values if value is not None]


def _refuse_rounded(block: Array, held: Sequence[tuple[int, Sequence[str]]], row: int, plan: Plan) -> None:
    """Raises InputError where a whole number was written out that is neither the float64 it became nor its decimal."""
    for i, j in np.argwhere((np.abs(block) >= LARGEST_WHOLE) & np.isfinite(block)):
        line, words = held[i]
        word, value = words[j].strip(), float(block[i, j])
        if not word.lstrip("+-").isdecimal() or len(word) > _MOST_DIGITS:
            continue
        if int(word) not in (int(value), int(Decimal(repr(value)))):
            raise beyond_whole(line, row + int(i) + 1, plan.places[j] + 1, word, plan.names)
