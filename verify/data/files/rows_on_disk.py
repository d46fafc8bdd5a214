"""Rows that come one block after the other, kept in memory while they are few and in a file without a name beyond.

Notation   X (N, n) float64.
Main       Growing.
"""

import tempfile
from typing import IO

import numpy as np

from verify.arrays import Array
from verify.errors import InputError

IN_MEMORY = 256 << 20  # bytes


class Growing:
    """Rows (N, n) of a known width and an unknown number: `add` blocks (b, n), then take `rows`."""

    def __init__(self, width: int, most: int = IN_MEMORY) -> None:
        self.width, self.most = width, most
        self.count = 0
        self._blocks: list[Array] = []
        self._file: IO[bytes] | None = None

    def add(self, block: Array) -> None:
        """Append rows (b, n).  Raises InputError where the disk is full."""
        block = np.ascontiguousarray(block, dtype=np.float64)
        self.count += len(block)
        try:
            if self._file is None and 8 * self.width * self.count > self.most:
                self._file = tempfile.TemporaryFile(prefix="elbo-verify-")  # noqa: SIM115, it lives as long as its rows
                for held in self._blocks:
                    held.tofile(self._file)
                self._blocks = []
            if self._file is None:
                self._blocks.append(block)
            else:
                block.tofile(self._file)
        except OSError as error:
            raise InputError(
                f"{tempfile.gettempdir()}: no room for the rows ({error.strerror or error}); make room, or name "
                "another folder with the environment variable TMPDIR"
            ) from None

    def rows(self) -> Array:
        """All rows (N, n), once: an array, or a memory map of a file that is gone with it."""
        if self._file is not None:
            # ndarray.tofile writes past the buffer of the file: there is nothing to flush. The map outlives it.
            file, self._file = self._file, None
            with file:
                return np.memmap(file, dtype=np.float64, mode="r", shape=(self.count, self.width))
        if not self._blocks:
            return np.empty((0, self.width))
        blocks, self._blocks = self._blocks, []
        whole = np.empty((self.count, self.width))
        start = 0
        while blocks:
            part = blocks.pop(0)
            whole[start : start + len(part)] = part
            start += len(part)
        return whole
