"""Of each column, in one pass: how many values, mean, variance, lowest, highest; and some rows.

Notation   y (b, n) a block; N rows in all. NaN is a missing value and counts in `count` only.
Main       Moments.
"""

from dataclasses import dataclass, field

import numpy as np

from verify.arrays import Array

# Numbers that are looked at for medians: enough for a median within some percent of the spread.
SAMPLED = 1 << 22


@dataclass(eq=False)
class Moments:
    """Of n columns of N rows: `add` blocks, then read."""

    N: int
    n: int
    count: Array = field(init=False)
    mean: Array = field(init=False)
    low: Array = field(init=False)
    high: Array = field(init=False)
    rows: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.count, self.mean, self._scatter = (np.zeros(self.n) for _ in range(3))
        self.low, self.high = np.full(self.n, np.inf), np.full(self.n, -np.inf)
        self._step = -(-self.N // max(64, SAMPLED // self.n))
        self._sample: list[Array] = []

    def add(self, y: Array) -> None:
        """The next rows (b, n) float64."""
        with np.errstate(over="ignore", invalid="ignore"):  # entries of such a size are refused elsewhere
            self._sample.append(y[-self.rows % self._step :: self._step].copy())
            self.rows += len(y)
            there = np.isnan(y)
            if there.any():
                self._merge(np.where(there, 0.0, y), len(y) - there.sum(axis=0), there)
                low, high = np.where(there, np.inf, y), np.where(there, -np.inf, y)
            else:
                self._merge(y, np.full(self.n, float(len(y))), None)
                low = high = y
            np.minimum(self.low, low.min(axis=0), out=self.low)
            np.maximum(self.high, high.max(axis=0), out=self.high)

    def _merge(self, y: Array, count: Array, missing: Array | None) -> None:
        # Chan, Golub & LeVeque: sums of squares around means, merged.
        own = y.sum(axis=0) / np.maximum(count, 1)
        total = np.maximum(self.count + count, 1)
        apart = y - own
        if missing is not None:
            apart[missing] = 0.0
        shift = np.where(count > 0, own - self.mean, 0.0)
        self._scatter += (apart**2).sum(axis=0) + shift**2 * (self.count * count / total)
        self.mean = self.mean + shift * (count / total)
        self.count = self.count + count

    @property
    def variance(self) -> Array:
        """(n,), divided by the number of values; exactly 0 of equal ones."""
        equal = self.low >= self.high  # a mean of equal values may miss them by an ulp
        return np.where(equal, 0.0, self._scatter / np.maximum(self.count, 1))

    @property
    def sample(self) -> Array:
        """Rows (m, n), evenly spaced."""
        return np.concatenate(self._sample)
