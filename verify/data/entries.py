"""Rows from outside: whether they are a table of usable numbers, and in chunks of a chosen height.

Notation   X (N, n) rows, or (b, n) a block of them.
Main       real_matrix, check_entries, checked_blocks, chunks, BadEntry.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from verify.arrays import Array
from verify.errors import InputError

LARGEST_ENTRY = 1e150
# Numbers per block: 8 MB of float64; smaller blocks merge too often, larger ones fall out of the cache.
BLOCK_ENTRIES = 1 << 20
LARGEST_WHOLE = 2**53  # up to here float64 holds every whole number


class BadEntry(InputError):
    """An entry that cannot be used: `shown`, at row and column (both from 0), and the rest of the sentence."""

    def __init__(self, shown: str, row: int, column: int, rest: str):
        super().__init__(f"{shown} at row {row + 1}, column {column + 1}{rest}")
        self.shown, self.row, self.column, self.rest = shown, int(row), int(column), rest

    def at(self, place: str) -> InputError:
        """The same, of an entry that stands elsewhere: in a file, say, "at row 3 (line 4), column 2 (ash)"."""
        return InputError(f"{self.shown} {place}{self.rest}")


def real_matrix(rows: Any, what: str = "the data") -> Array:
    """`rows` as a real matrix (N, n) with n >= 1, nothing converted yet.  Raises InputError."""
    try:
        X = rows if hasattr(rows, "dtype") else np.asarray(rows)
    except ValueError:
        raise InputError(f"{what} are not a table of numbers: its rows have different lengths") from None
    if X.dtype.kind not in "biuf":
        raise InputError(f"{what} are of type {X.dtype}, not real numbers; save them as float64")
    if X.size == 0 and X.shape[1:] != X.shape[-1:]:
        raise InputError(f"{what} are empty (shape {X.shape}); give a matrix with one row per datum")
    if X.ndim != 2:
        raise InputError(f"{what} have shape {X.shape}; give a matrix with one row per datum (reshape(N, -1))")
    if X.shape[1] == 0:
        raise InputError(f"{what} are empty (shape {X.shape}); give at least one column")
    return X


def check_entries(X: Array, start: int = 0) -> None:
    """Raises InputError, with row (`start` rows came before) and column, unless all of X (b, n) is usable.

    What float64 does not hold is refused: rounded before anything is subtracted, it would be other data.
    """
    if X.dtype.kind in "biu":
        if X.dtype.itemsize == 8:
            _check_whole(X, start)
        return  # none of these reaches 1e150
    if X.dtype.itemsize > 8:
        _check_long(X, start)
    low, high = float(X.min()), float(X.max())  # NaN propagates through both
    if low >= -LARGEST_ENTRY and high <= LARGEST_ENTRY:
        return
    # Not in single precision or below, where 1e150 is infinite itself.
    with np.errstate(over="ignore"):
        values = X.astype(np.float64, copy=False)
    row, column = np.argwhere(~(np.abs(values) <= LARGEST_ENTRY))[0]
    value = values[row, column]
    if np.isnan(value):
        raise BadEntry("NaN", start + row, column, "; remove or fill in missing values first")
    if np.isinf(value):
        what_to_do = "; every entry must be finite: mend it, or write NaN if it is missing"
        raise BadEntry("infinity", start + row, column, what_to_do)
    raise BadEntry(f"{value:.3g}", start + row, column, f" is beyond {LARGEST_ENTRY:g}; divide the data by a constant")


def _check_whole(X: Array, start: int) -> None:
    """Raises InputError unless float64 holds all of the whole numbers X (b, n) of 8 bytes."""
    if int(X.min()) >= -LARGEST_WHOLE and int(X.max()) <= LARGEST_WHOLE:
        return
    # The least integer has no absolute value but as an unsigned one, which is what its bits are then read as.
    size = np.abs(X).astype(np.uint64)
    digits = size // np.maximum(size & (~size + np.uint64(1)), np.uint64(1))  # an odd number, or 0
    lost = np.argwhere(digits > LARGEST_WHOLE)
    if len(lost):
        row, column = lost[0]
        raise not_held(str(X[row, column]), start + row, column)


def _check_long(X: Array, start: int) -> None:
    """Raises InputError unless float64 holds all of X (b, n), numbers of more than 8 bytes."""
    with np.errstate(over="ignore"):  # what overflows is too large, or infinite, which is said instead
        lost = np.argwhere((X.astype(np.float64) != X) & (np.abs(X) <= LARGEST_ENTRY))
    if len(lost):
        row, column = lost[0]
        raise BadEntry(
            f"{X[row, column]}",
            start + row,
            column,
            " has more digits than float64 holds; subtract a constant from its column first if the data vary in them, "
            "and save as float64",
        )


def not_held(shown: str, row: int, column: int) -> BadEntry:
    """The refusal of a whole number that float64 would round, at this row and column, counted from 0."""
    rest = " is beyond 2^53, and float64 does not hold it; subtract a constant from its column first"
    return BadEntry(shown, row, column, rest)


def checked_blocks(rows: Array | Iterable[Array]) -> Iterator[Array]:
    """Non-empty finite blocks (b, n), all of one width, of the types in which they came.  Raises InputError."""
    start, width = 0, None
    for block in [rows] if is_matrix(rows) else rows:
        X = real_matrix(block)
        if width is not None and X.shape[1] != width:
            raise InputError(f"row {start + 1} has {X.shape[1]} columns, the rows before it {width}")
        width = X.shape[1]
        if len(X):
            check_entries(X, start)
            yield X.astype(np.float64) if X.dtype.kind == "f" and X.dtype.itemsize > 8 else X
        start += len(X)
    if start == 0:
        raise InputError("the data are empty; give at least two rows")


def is_matrix(rows: Any) -> bool:
    """Whether rows is one matrix, perhaps a plain list of lists of numbers, rather than an iterable of blocks."""
    return hasattr(rows, "dtype") or (isinstance(rows, (list, tuple)) and not any(np.ndim(row) == 2 for row in rows))


def chunks(blocks: Iterable[Array], height: int) -> Iterator[Array]:
    """The rows of the blocks in chunks (height, n), the last one perhaps lower.

    So neither the bits of a sum nor the bound on its rounding depend on how the rows were cut.
    """
    held: list[Array] = []
    count = 0
    for X in blocks:
        start = 0
        while start < len(X):
            part = X[start : start + height - count]
            start += len(part)
            if len(part) == height:
                yield part
                continue
            held.append(part.copy())  # whoever yields blocks may write the next one to the same place
            count += len(part)
            if count == height:
                yield np.concatenate(held)
                held, count = [], 0
    if held:
        yield np.concatenate(held)
