"""The log mean of exponentials over rows, which is a cumulant generating function, to rounding and in blocks.

Notation   y (n,) a centred row, N of them; t (n,); K(t) = log mean exp <y, t>; m(t) = grad K, the mean of y under the
           weights exp <y, t>.
Main       remainder, log_mean_exp, length; Given, Centred.
"""

import math
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from verify.arrays import Array
from verify.data.entries import checked_blocks, real_matrix
from verify.errors import InputError

# Rows (N, n), or a function that yields their blocks (b, n), the same ones every time: `Rows.blocks` is one.
Given = Array | Callable[[], Iterable[Array]]

_BLOCK = 1 << 23  # entries of a block of a large array
_HELD = 1 << 26  # entries that are kept in memory, half a gigabyte, so that a pass is but a product
_FAR = 600.0  # e^600 times any number of rows is a double


def remainder(a: Array) -> Array:
    """e^a - 1 - a >= 0 to rounding.  (...) -> (...)."""
    rest = np.asarray(np.expm1(a) - a)
    near = np.abs(a) < 0.5  # where the difference cancels
    if near.any():
        x = np.asarray(a)[near]
        series = np.ones_like(x)
        for j in range(16, 2, -1):  # 2 * 0.5^15/17! is below the rounding
            series = 1 + series * x / j
        rest[near] = series * x * x / 2
    return rest


def log_mean_exp(a: Array) -> Array:
    """log mean exp a over the first axis, for a of mean 0 there.  (N, ...) -> (...).

    mean e^a - 1 = mean (e^a - 1 - a) has no negative term, so nothing cancels however small a is.
    """
    top = a.max(axis=0)
    far = top > _FAR
    near = np.log1p(remainder(np.where(far, 0.0, a)).mean(axis=0))
    # Such a mean is above e^(600 - log N), whatever rounding did.
    return np.asarray(np.where(far, top + np.log(np.exp(a - top).mean(axis=0)), near))


def length(t: Array) -> Array:
    """|t| over the first axis, also where squares of its entries overflow.  (n, ...) -> (...)."""
    top = np.abs(t).max(axis=0)
    unit = np.where(top > 0, top, 1.0)
    return np.asarray(unit * np.sqrt(((t / unit) ** 2).sum(axis=0)))


class Centred:
    """Rows less their mean (n,), divided by a scale, in blocks (b, n) float64 as often as they are asked for.

    Raises InputError: entries that are no finite numbers, no rows, blocks of several widths.
    """

    def __init__(self, rows: Given, scale: float = 1.0) -> None:
        self._read = rows if callable(rows) else _cut(real_matrix(rows))
        self._scale = scale
        self._held: list[Array] | None = None
        self.N = 0
        first: Array = None  # checked_blocks yields one block or raises
        total: Array = 0.0
        for X in checked_blocks(self._read()):
            y = X.astype(np.float64)
            # Around the first row, so that a common offset costs no digits.
            first = y[0].copy() if first is None else first
            total = total + (y - first).sum(axis=0)
            self.N += len(y)
        self.mean: Array = first + total / self.N

    @property
    def n(self) -> int:
        """The number of columns."""
        return len(self.mean)

    def __iter__(self) -> Iterator[Array]:
        blocks = ((np.asarray(X, dtype=np.float64) - self.mean) / self._scale for X in self._read())
        if self._held is None and self.N * self.n <= _HELD:
            self._held = list(blocks)
        yield from blocks if self._held is None else self._held

    def projections(self, t: Array) -> Array:
        """<y, t> at all rows, of mean 0.  t (n,) -> (N,).  Raises InputError: t of other rows."""
        if t.shape != (self.n,):
            raise InputError(f"a vector of shape {t.shape}, but the rows have {self.n} columns; give those it is of")
        a = np.concatenate([y @ t for y in self])
        return np.asarray(a - a.mean())

    def moments(self, t: Array) -> tuple[Array, Array]:
        """K (m,) and its gradient (n, m) at the columns of t (n, m), in one pass."""
        rest, below = np.zeros(t.shape[1]), np.zeros(t.shape[1])
        top, m = np.full(t.shape[1], -np.inf), np.zeros_like(t)
        for y in self:
            a = y @ t
            new = np.maximum(top, a.max(axis=0))
            old, p = np.exp(top - new), np.exp(a - new)
            m, below = m * old + y.T @ p, below * old + p.sum(axis=0)
            rest += remainder(np.minimum(a, _FAR)).sum(axis=0)
            top = new
        far = top + np.log(below / self.N)
        return np.where(top > _FAR, far, np.log1p(rest / self.N)), m / below


def _cut(rows: Array) -> Callable[[], Iterator[Array]]:
    size = max(64, math.ceil(_BLOCK / max(1, rows.shape[1])))
    return lambda: (rows[start : start + size] for start in range(0, len(rows), size))
