"""MATLAB's .mat files.

Main       read_mat.

Up to version 7 scipy reads them; since 7.3 they are HDF5 inside.
"""

from pathlib import Path
from typing import Any

import numpy as np

from verify.data.files import hdf5
from verify.data.files.found import Asked, Found
from verify.data.files.matlab import axis_of_data, holds
from verify.data.files.members import Member, as_member, member
from verify.data.files.opening import damaged
from verify.data.files.sparse import of_sparse
from verify.data.files.stacks import of_array
from verify.errors import InputError


def read_mat(path: Path, asked: Asked) -> Found:
    """The variable of a .mat file that is meant (members.py).  Raises InputError."""
    with path.open("rb") as file:
        if file.read(520)[512:] == hdf5.MAGIC:
            return hdf5.read_matlab(path, asked)
    from scipy import io, sparse

    try:
        members = [Member(name, shape, holds(kind)) for name, shape, kind in io.whosmat(path)]
        one, said = member(path, members, asked.member, "save one with save('file.mat', 'X')")
        array: Any = io.loadmat(path, variable_names=[one.name])[one.name]
    except InputError:
        raise
    except Exception as error:  # its reader lets anything through: struct.error, TypeError, KeyError, zlib.error
        raise damaged(path, error) from None
    if sparse.issparse(array):
        found = of_sparse(array, asked)
    else:
        axis, moved = axis_of_data(one.name, array.shape)
        found = of_array(np.moveaxis(array, axis, 0) if axis else array, asked)
        said += moved
    return as_member(found, one, members, said)
