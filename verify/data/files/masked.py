"""Arrays of which some values are masked: these are missing, NaN.

Main       unmasked, as_list, Sliced.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from verify.arrays import Array
from verify.data.entries import check_entries
from verify.data.files.lazy import Lazy
from verify.errors import InputError


class Sliced:
    """Rows that are somewhere else and slice; their library may mask what is missing (netCDF4 does)."""

    def __init__(self, data: Any) -> None:
        self.data, self.dtype, self.shape = data, data.dtype, data.shape

    def __getitem__(self, rows: Any) -> Array:
        part = self.data[rows]
        if not np.ma.is_masked(part):
            return np.asarray(part)
        if self.dtype.kind != "f":
            raise InputError(f"masked values of type {self.dtype}, which has no NaN; give the array in memory, data[:]")
        return np.ma.filled(part, np.nan)


def unmasked(data: Any) -> Any:
    """An array (N, ...) with NaN where it is masked; records keep their masks, seen column by column.

    Raises InputError: of a type that has no NaN.
    """
    if data.dtype.names:
        return data
    if data.ndim < 2 or not np.ma.is_masked(data):
        return np.ma.getdata(data)
    if data.dtype.kind not in "biuf":
        raise InputError(f"masked values of type {data.dtype}, which has no NaN; give data.filled(...)")
    dtype = data.dtype if data.dtype.kind == "f" else np.dtype(np.float64)
    block = _filled(data, dtype)
    return Lazy(data.shape, dtype, block) if data.ndim == 2 else block(0, len(data))


def _filled(data: Any, dtype: np.dtype) -> Callable[[int, int], Array]:
    def block(start: int, stop: int) -> Array:
        part = data[start:stop]
        values = part.filled(0)
        if values.dtype.kind in "iu" and values.size:
            check_entries(values.reshape(len(values), -1), start)
        values = values.astype(dtype)
        values[np.ma.getmaskarray(part)] = np.nan
        return values

    return block


def as_list(data: Any) -> Any:
    """A row of which something is masked as a list, so that whole numbers stay such beside NaN; another as it is."""
    if not np.ma.is_masked(data):
        return np.ma.getdata(data)

    def seen(entry: Any) -> Any:
        return [seen(one) for one in entry] if isinstance(entry, (list, tuple)) else np.nan if entry is None else entry

    return seen(data.tolist())
