"""How many threads matrix products take.

Main       one_thread.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any


@contextmanager
def one_thread() -> Iterator[bool]:
    """Keep the host's products from starting threads of their own; yields whether that is so (threadpoolctl)."""
    controller = _controller("scipy.linalg" in sys.modules)
    if controller is None:
        yield False
        return
    with controller.limit(limits=1, user_api="blas"):
        yield True


@cache
def _controller(with_scipy: bool) -> Any:
    """The libraries of matrix products that this process has loaded; looked for once, which takes milliseconds.

    SciPy brings another one than NumPy's, and is not always there from the start.
    """
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    return ThreadpoolController()
