"""Rows of data: raw values as they were found, preprocessing as it was asked for, streamed in blocks.

Notation   raw (N, n) anything that slices by rows, perhaps a memory map; y (b, n) what the model sees.
Main       Rows.
"""

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from verify.arrays import Array
from verify.data.covariance import Covariance, of_rows
from verify.data.decomposition.steps import Source
from verify.data.entries import BLOCK_ENTRIES, BadEntry, check_entries
from verify.data.preprocess import Preprocessing
from verify.data.selected import HERE, Places
from verify.errors import InputError

_LARGEST_SINGLE = 1e15  # sums of squares of such entries, and of their reciprocals, are normal single-precision numbers


@dataclass(frozen=True, eq=False)
class Rows:
    """N rows of n values.  Every pass over the blocks gives the same values, dequantisation noise and all.

    Where a noise_seed can be given, each (from 0) is a draw of that noise of its own, None the one of all other passes.
    """

    raw: Array
    preprocessing: Preprocessing
    provenance: dict[str, Any]
    places: Places = HERE

    def __repr__(self) -> str:
        return f"<Rows of {self.provenance.get('name')}: {self.provenance.get('read') or self.shape}>"

    @property
    def shape(self) -> tuple[int, int]:
        """(N, n)."""
        return int(self.raw.shape[0]), int(self.raw.shape[1])

    def blocks_with_jacobian(
        self, size: int | None = None, noise_seed: int | None = None
    ) -> Iterator[tuple[Array, Array]]:
        """Blocks y (b, n), b <= size, with their log|det Jacobian| of the logit (b,).

        Raises InputError at NaN, infinity, entries beyond 1e150 or that float64 does not hold, or what dequantisation
        refuses.
        """
        N, n = self.shape
        # With fewer rows than n/16, adding a block's (n, n) scatter to the sum takes longer than computing it.
        size = size or max(64, BLOCK_ENTRIES // n, n // 16)
        noise = self.preprocessing.generator(noise_seed)
        for start in range(0, N, size):
            with self._placed():
                raw = np.asarray(self.raw[start : start + size])
                check_entries(raw, start)
                X = np.array(raw, dtype=np.float64)
                with np.errstate(over="ignore"):  # the check names what overflowed
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

    def float32_array(self, noise_seed: int | None = None, offset: Array | None = None) -> Array:
        """All rows at once for training, y - offset (N, n) float32; memory of that and one block.  Raises InputError.

        The offset (n,) is taken away in float64 (single.py says when that is needed).
        """
        whole = np.empty(self.shape, dtype=np.float32)
        start, largest = 0, 0.0
        for y, _ in self.blocks_with_jacobian(noise_seed=noise_seed):
            if offset is not None:
                y -= offset
            largest = max(largest, float(np.abs(y).max()))
            if largest > _LARGEST_SINGLE:
                break
            whole[start : start + len(y)] = y
            start += len(y)
        if largest > _LARGEST_SINGLE or 0 < largest < 1 / _LARGEST_SINGLE:
            raise InputError(
                f"entries of size {largest:.3g}: training works in single precision; bring the data to a size near 1"
            )
        return whole

    def mean_log_jacobian(self, noise_seed: int | None = None) -> float:
        """The mean over data of log|det Jacobian| of the logit step; 0 without one (theory 5.2)."""
        if self.preprocessing.alpha is None:
            return 0.0
        sums = (float(j.sum()) for _, j in self.blocks_with_jacobian(noise_seed=noise_seed))
        return math.fsum(sums) / self.shape[0]

    def covariance(self, noises: Iterable[float] = ()) -> Covariance:
        """The sample covariance of y, and the mean log-Jacobian.  Raises InputError.

        noises: those that will be asked about (see `verify.data.covariance`). Dividing by the scale is left to the
        spectrum: it is exact there, and whole numbers stay whole.
        """
        if not self.preprocessing.dequantised and self.preprocessing.standard is None:
            result = of_rows(self.source(), self.provenance, noises)
            result.provenance["mean_log_jacobian"] = 0.0
            return replace(result, places=self.places.rows)
        sums: list[float] = []

        def observed() -> Iterator[Array]:
            first_pass = not sums
            for y, log_jacobian in self.blocks_with_jacobian():
                if first_pass:
                    sums.append(float(log_jacobian.sum()))
                yield y

        result = of_rows(Source(observed, again=True), self.provenance, noises)
        result.provenance["mean_log_jacobian"] = math.fsum(sums) / self.shape[0]
        return replace(result, places=self.places.rows)

    def source(self) -> Source:
        """The rows in blocks, and what they are to be divided by: whole numbers stay whole until then."""
        if self.preprocessing.dequantised or self.preprocessing.standard is not None:
            return Source(self.blocks, again=True)
        N, n = self.shape
        scale = self.preprocessing.scale or 1.0
        size = max(64, BLOCK_ENTRIES // n, n // 16)

        def blocks() -> Iterator[Array]:
            for start in range(0, N, size):
                with self._placed():
                    X = np.asarray(self.raw[start : start + size])
                    if scale < 1:  # what is divided must not become too large
                        check_entries(X, start)
                        with np.errstate(over="ignore"):  # infinity is told in words
                            divided = X.astype(np.float64) / scale
                        check_entries(divided, start)
                yield X

        return Source(blocks, True, scale)

    @contextmanager
    def _placed(self) -> Iterator[None]:
        """An entry that cannot be used is named by its place in the source."""
        try:
            yield
        except BadEntry as error:
            raise error.at(self.places.entry(error.row, error.column)) from None
