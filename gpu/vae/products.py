"""Batched matrix products, the one place that decides in which precision they run, and on how many threads.

Notation   a (E, m, p), b (E, p, q), c (E, m, q): one product a model; views of a flat buffer and transposes are taken
           as they are.
Main       multiply, one_thread.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from verify.arrays import Array, namespace


def multiply(a: Array, b: Array, out: Array | None = None) -> Array:
    """c = a b for every model.  (E, m, p), (E, p, q) -> (E, m, q), written to `out` where given."""
    return namespace(a).matmul(a, b, out=out)


@contextmanager
def one_thread() -> Iterator[bool]:
    """Keep the host's products from starting threads of their own; yields whether that is so (threadpoolctl)."""
    controller = _controller()
    if controller is None:
        yield False
        return
    with controller.limit(limits=1, user_api="blas"):
        yield True


@cache
def _controller() -> Any:
    """The libraries of matrix products that this process has loaded; looked for once, which takes milliseconds."""
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    return ThreadpoolController()
