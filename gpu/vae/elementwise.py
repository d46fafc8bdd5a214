"""Everything between two matrix products: bias, ReLU, their gradients, and the rows of a batch.

Notation   y, dy (E, B, d) contiguous; bias (E, d), a view of a flat buffer (E, P).
Main       add_bias, bias_gradient, gather; in_pieces, share_out.

On the host a pass over memory is what costs, so several operations run over a piece that stays in a core's cache, and
large arrays are shared out to the cores.  No result depends on how many there are.  A device runs kernels/vae.cuh.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache
from typing import TypeVar

import numpy as np

from gpu.vae import on_device
from verify.arrays import Array, namespace

T = TypeVar("T")
Piece = tuple[slice, slice]
# Numbers in one piece: two or three arrays of them fit into a core's second-level cache.
PIECE = 1 << 15
# Below so many numbers handing the work to another thread costs more than it saves.
SHARED = 1 << 18


@cache
def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(cores(), thread_name_prefix="elementwise")


def in_pieces(work: Callable[[Piece], object], models: int, length: int, width: int = 1) -> None:
    """Call work((models, rows)), slices of both, for pieces of arrays (models, length, width) of about PIECE numbers.

    A piece holds rows of one model, or several models whole where these are small.
    """
    each = max(1, length * width)
    if each > PIECE:
        step = max(1, PIECE // max(1, width))
        rows = [slice(start, min(start + step, length)) for start in range(0, length, step)]
        pieces = [(slice(e, e + 1), part) for e in range(models) for part in rows]
    else:
        step = PIECE // each
        pieces = [(slice(e, min(e + step, models)), slice(0, length)) for e in range(0, models, step)]
    share_out(work, pieces, threads=models * each >= SHARED)


def share_out(work: Callable[[T], object], items: Sequence[T], *, threads: bool = True) -> None:
    """Call work(item) for every item, on all cores if `threads`; what NumPy is to overlook holds in all."""
    workers = min(cores(), len(items)) if threads else 1
    overlooked = np.geterr()

    def every(first: int) -> None:
        with np.errstate(**overlooked):  # a thread does not inherit it
            for item in items[first::workers]:
                work(item)

    rest = [_pool().submit(every, first) for first in range(1, workers)]
    try:
        every(0)
    finally:
        wait(rest)
    for future in rest:
        future.result()


def add_bias(y: Array, bias: Array, relu: bool) -> None:
    """y <- y + bias, and max(., 0) of it for ReLU, in place."""
    if namespace(y) is not np:
        return on_device.add_bias(y, bias, relu)

    def work(piece: Piece) -> None:
        part = y[piece]
        part += bias[piece[0], None]
        if relu:
            np.maximum(part, 0, out=part)

    in_pieces(work, *y.shape)


def bias_gradient(dy: Array, y: Array | None, out: Array) -> None:
    """out (E, d) <- the sum of dy over the batch; with y, the output of a ReLU, dy <- dy [y > 0] first, in place."""
    if namespace(dy) is not np:
        return on_device.bias_gradient(dy, y, out)
    if y is not None:

        def work(piece: Piece) -> None:
            np.multiply(dy[piece], y[piece] > 0, out=dy[piece])

        in_pieces(work, *dy.shape)
    np.sum(dy, axis=1, out=out)


def gather(X: Array, rows: Array, out: Array) -> Array:
    """out (E, B, n) <- the rows (E, B) of X (N, n) -> out."""
    if namespace(X) is not np:
        return on_device.gather(X, rows, out)
    return np.take(X, rows, axis=0, out=out, mode="clip")
