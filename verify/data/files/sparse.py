"""Sparse matrices: kept as they are, and made dense a block at a time.

Notation   N x n, of which few entries are not 0.
Main       SparseRows, of_sparse, is_saved, read_npz.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from verify.data.files import columns
from verify.data.files.found import Asked, Found
from verify.data.files.lazy import Lazy
from verify.data.files.opening import LONGEST
from verify.data.files.stacks import checked_type
from verify.errors import InputError, first_line

_PLACES = ({"indices", "indptr"}, {"row", "col"}, {"coords"}, {"offsets"})  # where the entries are, in each format


class SparseRows(Lazy):
    """The rows of a matrix in compressed rows (scipy's CSR): dense blocks (b, n) when they are asked for."""

    def __init__(self, matrix: Any) -> None:
        super().__init__(matrix.shape, matrix.dtype, lambda start, stop: np.asarray(matrix[start:stop].toarray()))
        self.matrix = matrix


def of_sparse(matrix: Any, asked: Asked, names: Sequence[str] = ()) -> Found:
    """The rows of one of scipy's sparse matrices or arrays (N, n).  Raises InputError."""
    checked_type(matrix.dtype, "the entries of the sparse matrix")
    if len(matrix.shape) != 2:
        raise InputError(f"a sparse array of shape {matrix.shape}; give a matrix with one row per datum")
    (N, n), form = matrix.shape, matrix.format
    rows = matrix.tocsr()
    share = 100 * np.count_nonzero(rows.data) / max(N * n, 1)
    said = f"a sparse {form.upper()} matrix, {share:.3g}% of the entries are not 0"
    raw, table = columns.of_matrix(SparseRows(rows), names, asked)
    return Found(raw, {"sparse": form}, (said,), (), table)


def is_saved(names: Sequence[str]) -> bool:
    """Whether arrays of these names are what scipy.sparse.save_npz writes."""
    held = set(names)
    return {"format", "shape", "data"} <= held and any(places <= held for places in _PLACES)


def read_npz(path: Path, asked: Asked) -> Found:
    """A matrix that scipy.sparse.save_npz wrote.  Raises InputError."""
    from scipy import sparse

    try:
        matrix = sparse.load_npz(path)
        if hasattr(matrix, "check_format"):
            matrix.check_format(full_check=True)  # before any conversion, which trusts the indices
    except (ValueError, IndexError, TypeError, KeyError, AttributeError, NotImplementedError) as error:
        reason = first_line(error, LONGEST)
        raise InputError(f"{path}: a sparse matrix of scipy that is damaged ({reason}); write it again") from None
    return of_sparse(matrix, asked)
