"""Batched matrix products, the one place that decides in which precision they run.

Notation   a (E, m, p), b (E, p, q), c (E, m, q): one product a model; views of a flat buffer and transposes are taken
           as they are.
Main       multiply, precision, PRECISIONS.
"""

import numpy as np

from verify.arrays import Array


def multiply(a: Array, b: Array, out: Array | None = None) -> Array:
    """c = a b for every model.  (E, m, p), (E, p, q) -> (E, m, q), written to `out` where given."""
    return np.matmul(a, b, out=out)
