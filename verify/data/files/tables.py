"""Tables whose columns have types of their own as rows of float64: the fields of structured arrays, Arrow's columns.

Notation   N rows; a block is a list of columns (b,), one for each that is taken.
Main       of_columns, of_fields, side_by_side, as_floats.
"""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from verify.arrays import Array
from verify.data.entries import BLOCK_ENTRIES, LARGEST_WHOLE, not_held
from verify.data.files import columns, strings
from verify.data.files.columns import is_index
from verify.data.files.found import Asked, Found
from verify.data.files.rows_on_disk import Growing
from verify.errors import InputError

_KINDS = {"c": "complex numbers", "M": "dates", "m": "durations", "O": "Python objects", "V": "raw bytes"}


def of_columns(
    names: Sequence[str],
    holds: Sequence[str],
    blocks: Callable[[list[int]], Iterable[list[Array]]],
    asked: Asked,
    said: Sequence[str] = (),
) -> Found:
    """The rows of a table of columns called `names`, each of which holds "" (numbers) or what it says.

    blocks(places) gives the columns at these places (from 0), so many rows at a time.  Raises InputError: no such
    column, none of numbers, a whole number that float64 does not hold.
    """
    places, table = columns.table_of(names, holds, asked)
    rows = Growing(len(places))
    for block in blocks(places):
        rows.add(side_by_side(block, places, rows.count))
    return Found(rows.rows(), said=tuple(said), table=table)


def of_fields(array: Array, asked: Asked) -> Found:
    """The fields of a structured array (N,) as columns, what is masked NaN.  Raises InputError."""
    if len(array.shape) != 1:
        raise InputError(f"a structured array of shape {array.shape}; give one axis of records")
    fields = list(array.dtype.names)
    places = asked.chosen(fields, len(fields))
    used = fields if places is None else [fields[j] for j in places]
    holds = [_held(array, name, fields if name in used else []) for name in fields]

    def blocks(places: list[int]) -> Iterable[list[Array]]:
        step = max(1, BLOCK_ENTRIES // len(fields))
        for start in range(0, len(array), step):
            part = array[start : start + step]
            yield [part[fields[j]] for j in places]

    return of_columns(fields, holds, blocks, asked, ["the fields of a structured array as columns"])


def side_by_side(parts: Sequence[Array], places: Sequence[int], start: int) -> Array:
    """Columns (b,) of any real types as a block (b, n) of float64; `start` rows came before.

    Raises InputError, with the row and the column of the file, at a number that float64 does not hold.
    """
    block = np.empty((len(parts[0]), len(parts)))
    for j, part in enumerate(parts):
        block[:, j] = as_floats(part, places[j], start)
    return block


def as_floats(part: Array, place: int, start: int) -> Array:
    """A column (b,) at this place (from 0) as float64, what is masked NaN; `start` rows came before.

    Raises as `side_by_side`.
    """
    if isinstance(part, np.ma.MaskedArray):
        values = as_floats(part.filled(0), place, start).copy()
        values[np.ma.getmaskarray(part)] = np.nan
        return values
    values = np.asarray(part, dtype=np.float64)
    if part.dtype.kind in "iu" and part.dtype.itemsize == 8:
        # Floats compare with integers as floats: only whole numbers tell.
        for row in np.flatnonzero(np.abs(values) >= LARGEST_WHOLE):
            if int(part[row]) != int(values[row]):
                raise not_held(str(part[row]), start + int(row), place)
    elif part.dtype.itemsize > 8:
        lost = np.flatnonzero((part != values) & np.isfinite(values))
        if len(lost):
            raise InputError(
                f"{part[lost[0]]} at row {start + int(lost[0]) + 1}, column {place + 1} has more digits than float64 "
                "holds; subtract a constant from its column first and save it as float64"
            )
    return values


def _held(array: Array, field: str, fields: Sequence[str]) -> str:
    """What a field holds, judged where it is among `fields`.  Raises InputError: strings that are numbers."""
    dtype = array.dtype[field]
    if dtype.shape:
        return f"arrays of shape {dtype.shape}"
    if dtype.kind not in "US":
        return "" if dtype.kind in "biuf" else _KINDS.get(dtype.kind, f"values of type {dtype}")
    if field not in fields or is_index(fields.index(field), fields):
        return "words"
    values, missing = np.ma.getdata(array[field]), np.ma.getmaskarray(array[field])
    words = (word.decode("utf-8", "replace") if isinstance(word, bytes) else str(word) for word in values)
    present = (None if gone else word for word, gone in zip(words, missing, strict=True))
    return strings.held(present, fields.index(field) + 1, fields)
