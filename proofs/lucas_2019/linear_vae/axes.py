"""Whether the columns of a matrix are given axes, in whatever order and with whatever signs.

Notation   W, axes (n, k).
Main       agree_with_axes.
"""

import numpy as np
from scipy.optimize import linear_sum_assignment

from proofs.machinery.checks import agree
from verify.arrays import Array


def agree_with_axes(W: Array, axes: Array, *, tolerance: float) -> float:
    """The relative error of W (n, k) against `axes` (n, k), each column matched to one, up to its sign."""
    products = axes.T @ W
    # |w - a|^2 = |w|^2 + |a|^2 - 2 w.a: the best matching has the largest sum of |w.a|.
    rows, columns = linear_sum_assignment(-np.abs(products))
    signs = np.where(products[rows, columns] < 0, -1.0, 1.0)
    return agree(W[:, columns], axes[:, rows] * signs, tolerance=tolerance)
