"""One pass over rows: their mean and S, exact where the rows are whole numbers times powers of two.

Notation   X (b, n) chunks of rows.
Main       scatter_of, chunk_height.
"""

from collections.abc import Iterator

from verify.arrays import Array
from verify.data.decomposition.real_numbers import RealSums
from verify.data.decomposition.scatter import Scatter
from verify.data.decomposition.whole_numbers import WholeSums


def chunk_height(n: int) -> int:
    """Rows per chunk: 8 MB of float64; at most 2048, for the bound; at least n/16, so that adding G costs little."""
    return min(2048, max(64, (1 << 20) // n, n // 16))


def scatter_of(rows: Iterator[Array]) -> Scatter:
    """The Scatter of chunks of rows, one chunk or more."""
    sums: WholeSums | RealSums | None = None
    for X in rows:
        if sums is None:
            sums = WholeSums.begin(X) or RealSums.begin(X)
        if isinstance(sums, WholeSums):
            if sums.add(X):
                continue
            sums = sums.as_reals()
        sums.add(X)
    assert sums is not None
    return sums.scatter()
