"""Rows that are made when they are asked for.

Notation   N rows of n values; a block (b, n) is rows start..stop.
Main       Lazy, flattened, chosen.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from verify.arrays import Array


class Lazy:
    """N rows that slice like an array (N, n); block(start, stop) -> (b, n), called only when needed."""

    ndim = 2

    def __init__(self, shape: tuple[int, int], dtype: Any, block: Callable[[int, int], Array]) -> None:
        self.shape = (int(shape[0]), int(shape[1]))
        self.dtype = np.dtype(dtype)
        self._block = block

    @property
    def size(self) -> int:
        """N n."""
        return math.prod(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> Array:
        """A row (n,), or those of a slice (b, n)."""
        numbers = range(self.shape[0])[rows]
        if isinstance(numbers, int):
            return self._block(numbers, numbers + 1)[0]
        if numbers.step == 1 or not numbers:
            return self._block(numbers.start, max(numbers.start, numbers.stop))
        return np.concatenate([self._block(i, i + 1) for i in numbers])


def flattened(array: Any) -> Array:
    """Anything (N, ...) that slices by rows as rows (N, n), the last axis running fastest; nothing is copied."""
    N, n = int(array.shape[0]), math.prod(int(length) for length in array.shape[1:])
    if isinstance(array, np.ndarray) and array.flags.c_contiguous:
        return array.reshape(N, n)
    # Other orders in memory would be copied whole by a reshape.
    return Lazy((N, n), array.dtype, lambda start, stop: np.asarray(array[start:stop]).reshape(stop - start, n))


def chosen(raw: Array, places: Sequence[int]) -> Array:
    """The columns at `places` (from 0) of raw (N, n), in that order."""
    if list(places) == list(range(raw.shape[1])):
        return raw
    index = np.asarray(places)
    return Lazy((raw.shape[0], len(index)), raw.dtype, lambda start, stop: np.asarray(raw[start:stop])[:, index])
