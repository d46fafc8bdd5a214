"""Rows of data: raw values as they were found, preprocessing as it was asked for, streamed in blocks.

Notation   raw (N, n) anything that slices by rows, perhaps a memory map; y (b, n) what the model sees.
Main       Rows.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from verify.arrays import Array
from verify.data.covariance import Covariance, check_entries, covariance
from verify.data.preprocess import Preprocessing

# Numbers per block: 8 MB of float64; smaller blocks merge too often, larger ones fall out of the cache.
BLOCK_ENTRIES = 1 << 20


@dataclass(frozen=True, eq=False)
class Rows:
    """N rows of n values.  Every pass over the blocks gives the same values, dequantisation noise and all."""

    raw: Array
    preprocessing: Preprocessing
    provenance: dict[str, Any]

    @property
    def shape(self) -> tuple[int, int]:
        """(N, n)."""
        return int(self.raw.shape[0]), int(self.raw.shape[1])

    def blocks_with_jacobian(self, size: int | None = None) -> Iterator[tuple[Array, Array]]:
        """Blocks y (b, n), b <= size, with their log|det Jacobian| of the logit (b,).

        Raises InputError at NaN, infinity, entries beyond 1e150, or what the logit refuses.
        """
        N, n = self.shape
        size = size or max(64, BLOCK_ENTRIES // n)
        noise = self.preprocessing.generator()
        for start in range(0, N, size):
            with np.errstate(over="ignore"):  # the check names what overflowed
                X = np.array(self.raw[start : start + size], dtype=np.float64)
                check_entries(X, start)
                y, log_jacobian = self.preprocessing.apply(X, noise, start)
            check_entries(y, start)
            yield y, log_jacobian

    def blocks(self, size: int | None = None) -> Iterator[Array]:
        """Blocks y (b, n), b <= size."""
        return (y for y, _ in self.blocks_with_jacobian(size))

    def array(self) -> Array:
        """All rows at once, y (N, n) float64."""
        whole = np.empty(self.shape)
        start = 0
        for y in self.blocks():
            whole[start : start + len(y)] = y
            start += len(y)
        return whole

    def mean_log_jacobian(self) -> float:
        """The mean over data of log|det Jacobian| of the logit step; 0 without one (theory 5.2)."""
        if self.preprocessing.alpha is None:
            return 0.0
        return math.fsum(float(j.sum()) for _, j in self.blocks_with_jacobian()) / self.shape[0]

    def covariance(self) -> Covariance:
        """The sample covariance of y, and the mean log-Jacobian, in one pass.  Raises InputError."""
        sums: list[float] = []

        def observed() -> Iterator[Array]:
            for y, log_jacobian in self.blocks_with_jacobian():
                sums.append(float(log_jacobian.sum()))
                yield y

        result = covariance(observed(), provenance=self.provenance)
        result.provenance["mean_log_jacobian"] = math.fsum(sums) / self.shape[0]
        return result
