"""Sparse matrices in groups of HDF5: AnnData's, read a block of rows at a time, and MATLAB's.

Notation   data, indices (nnz,), indptr (N + 1,): row i has the entries data[indptr[i]:indptr[i + 1]].
Main       is_one, of_group, of_matlab.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from verify.arrays import Array
from verify.data.files import columns
from verify.data.files.found import Asked, Found
from verify.data.files.lazy import Lazy
from verify.data.files.sparse import of_sparse
from verify.data.files.stacks import checked_type
from verify.errors import InputError

_FORMATS = ("csr_matrix", "csc_matrix")
_DAMAGED = "a sparse matrix whose indices lie outside of it; write the file again"


def is_one(group: Any) -> bool:
    """Whether a group is a sparse matrix of AnnData."""
    return _format(group) in _FORMATS and "shape" in group.attrs


def of_group(group: Any, parts: dict[str, Any], asked: Asked, names: Sequence[str]) -> Found:
    """The rows of a sparse matrix of AnnData, whose parts data, indices, indptr slice.  Raises InputError."""
    N, n = (int(length) for length in group.attrs["shape"])
    if _format(group) == "csc_matrix":
        return of_sparse(_matrix(parts["data"], parts["indices"], parts["indptr"], (n, N)).T, asked, names)
    data, indices, indptr = parts["data"], parts["indices"], parts["indptr"][:].astype(np.int64)
    checked_type(data.dtype, "the entries of the sparse matrix")
    if indptr.shape != (N + 1,) or indptr[0] != 0 or (np.diff(indptr) < 0).any() or indptr[-1] > len(data):
        raise InputError(_DAMAGED)

    def block(start: int, stop: int) -> Array:
        part = slice(int(indptr[start]), int(indptr[stop]))
        rows = _matrix(data[part], indices[part], indptr[start : stop + 1] - indptr[start], (stop - start, n))
        return np.asarray(rows.toarray())

    share = 100 * int(indptr[-1]) / max(N * n, 1)
    raw, table = columns.of_matrix(Lazy((N, n), data.dtype, block), names, asked)
    return Found(raw, {"sparse": "csr"}, (f"a sparse CSR matrix, {share:.3g}% of the entries are not 0",), (), table)


def of_matlab(group: Any) -> Any:
    """A sparse matrix of MATLAB 7.3 as scipy's.  Raises InputError."""
    width = len(group["jc"]) - 1
    data = group["data"] if "data" in group else np.empty(0)
    indices = group["ir"] if "ir" in group else np.empty(0, np.int64)
    return _matrix(data, indices, group["jc"], (width, int(group.attrs["MATLAB_sparse"]))).T


def _format(group: Any) -> str:
    told = group.attrs.get("encoding-type", group.attrs.get("h5sparse_format", ""))
    word = told.decode() if isinstance(told, bytes) else str(told)
    return f"{word}_matrix" if word in ("csr", "csc") else word


def _matrix(data: Any, indices: Any, indptr: Any, shape: tuple[int, int]) -> Any:
    """A matrix in compressed rows, its indices checked: nothing later does.  Raises InputError."""
    from scipy import sparse

    parts = (np.asarray(data[:]), np.asarray(indices[:]).astype(np.int64), np.asarray(indptr[:]).astype(np.int64))
    try:
        rows = sparse.csr_matrix(parts, shape=shape)
        rows.check_format(full_check=True)
    except ValueError:
        raise InputError(_DAMAGED) from None
    return rows
