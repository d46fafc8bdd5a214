"""MATLAB's .mat files.

Main       read_mat.

Up to version 7 scipy reads them; since 7.3 they are HDF5 inside.  MATLAB counts images along the last axis: of an array
of more than two axes whose last is the longest, that one is the axis of the data.
"""

from pathlib import Path
from typing import Any

import numpy as np

from verify.data.files import hdf5
from verify.data.files.found import Asked, Found
from verify.data.files.members import Member, member
from verify.data.files.sparse import of_sparse
from verify.data.files.stacks import of_array, shown
from verify.errors import InputError

_NUMBERS = ("double", "single", "logical", "sparse")
_WORDS = {"char": "words", "cell": "a cell array", "struct": "a struct", "function": "a function"}


def read_mat(path: Path, asked: Asked) -> Found:
    """The variable of a .mat file that is meant (members.py).  Raises InputError."""
    with path.open("rb") as file:
        if file.read(520)[512:] == hdf5.MAGIC:
            return hdf5.read_matlab(path, asked)
    from scipy import io, sparse

    try:
        members = [Member(name, shape, _holds(kind)) for name, shape, kind in io.whosmat(path)]
        one, said = member(path, members, asked.member, "save one with save('file.mat', 'X')")
        array: Any = io.loadmat(path, variable_names=[one.name])[one.name]
    except InputError:
        raise
    except Exception as error:  # its reader lets anything through: struct.error, TypeError, KeyError, zlib.error
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise InputError(f"{path}: truncated or damaged ({reason}); write or copy it again") from None
    if sparse.issparse(array):
        found = of_sparse(array, asked)
    else:
        array, moved = data_first(array)
        found = of_array(array, asked)
        said += moved
    facts = {"member": one.name} if len(members) > 1 else {}
    return Found(found.raw, {**facts, **found.facts}, said + found.said, found.doubts, found.table)


def data_first(array: Any) -> tuple[Any, tuple[str, ...]]:
    """The same with the axis of the data first, and what is to be said of that."""
    shape = array.shape
    if len(shape) > 2 and shape[-1] > max(shape[:-1]):
        return np.moveaxis(array, -1, 0), (f"of {shown(shape)} the last axis was taken for that of the data",)
    return array, ()


def _holds(kind: str) -> str:
    numbers = kind in _NUMBERS or kind.startswith(("int", "uint"))
    return "" if numbers else _WORDS.get(kind, f"an object of MATLAB ({kind})")
