"""Rows from outside: whether they are a table of usable numbers, and in chunks of a chosen height.

Notation   X (N, n) rows, or (b, n) a block of them.
Main       real_matrix, check_entries, checked_blocks, chunks.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from verify.arrays import Array
from verify.errors import InputError

LARGEST_ENTRY = 1e150


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
    """Raises InputError, with row (`start` rows came before) and column, unless all of X (b, n) is usable."""
    if X.dtype.kind in "biu":
        return  # none of these reaches 1e150
    low, high = float(X.min()), float(X.max())  # NaN propagates through both
    if low >= -LARGEST_ENTRY and high <= LARGEST_ENTRY:
        return
    row, column = np.argwhere(~(np.abs(X) <= LARGEST_ENTRY))[0]
    value, place = X[row, column], f"at row {start + row + 1}, column {column + 1}"
    if np.isnan(value):
        raise InputError(f"NaN {place}; remove or fill in missing values first")
    if np.isinf(value):
        raise InputError(f"infinity {place}; every entry must be finite")
    raise InputError(f"{value:.3g} {place} is beyond {LARGEST_ENTRY:g}; divide the data by a constant")


def checked_blocks(rows: Array | Iterable[Array]) -> Iterator[Array]:
    """Non-empty finite blocks (b, n), all of one width, of the types in which they came.  Raises InputError."""
    start, width = 0, None
    for block in [rows] if is_matrix(rows) else rows:
        X = real_matrix(block)
        if width is not None and X.shape[1] != width:
            raise InputError(f"row {start + 1} has {X.shape[1]} columns, the rows before it {width}")
        width = X.shape[1]
        if X.dtype.kind == "f" and X.dtype.itemsize > 8:
            with np.errstate(over="ignore"):  # the check names what overflowed
                X = X.astype(np.float64)
        if len(X):
            check_entries(X, start)
            yield X
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
