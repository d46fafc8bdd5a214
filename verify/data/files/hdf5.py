"""HDF5 files: datasets by their names, read a block of rows at a time.

Main       read_hdf5, read_h5ad, read_matlab.

h5py is an extra.  A file stays open as long as rows of it are about.
"""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from verify.arrays import Array
from verify.data.files import compressed_rows
from verify.data.files.found import Asked, Found
from verify.data.files.matlab import axis_of_data, holds
from verify.data.files.members import Member, as_member, member
from verify.data.files.opening import damaged
from verify.data.files.sparse import of_sparse
from verify.data.files.stacks import of_array
from verify.errors import InputError

MAGIC = b"\x89HDF\r\n\x1a\n"
_HOW = "save one with h5py: file['X'] = rows"


class _Held:
    """A dataset that slices by rows, and says so where it turns out to be damaged."""

    def __init__(self, dataset: Any, path: Path) -> None:
        self.dataset, self.path, self.dtype, self.shape = dataset, path, dataset.dtype, dataset.shape

    def __len__(self) -> int:
        return int(self.shape[0])

    def __getitem__(self, rows: Any) -> Array:
        try:
            return np.asarray(self.dataset[rows])
        except (OSError, RuntimeError, ValueError) as error:
            raise damaged(self.path, error) from None


class _Turned:
    """A dataset whose axes MATLAB wrote in reverse order, sliced along MATLAB's first axis, or with `last` its last."""

    def __init__(self, held: _Held, last: bool) -> None:
        axes = held.shape[::-1]
        self.held, self.last, self.dtype = held, last, held.dtype
        self.shape = (axes[-1], *axes[:-1]) if last else axes

    def __getitem__(self, rows: slice) -> Array:
        if self.last:
            block = self.held[rows]
            return np.asarray(block.transpose(0, *range(block.ndim - 1, 0, -1)))
        return np.asarray(self.held[..., rows].T)


def read_hdf5(path: Path, asked: Asked) -> Found:
    """The dataset of an HDF5 file that is meant (members.py).  Raises InputError."""
    return _read(path, asked, _members)


def read_h5ad(path: Path, asked: Asked) -> Found:
    """X of an AnnData file, or the layer that is named, its columns called as the variables are.  Raises InputError."""

    def members(file: Any) -> list[Member]:
        held = _members(file)
        return [one for one in held if one.name.split("/")[0] in ("X", "layers", "obsm") or one.name == "raw/X"]

    # Cells x genes: what is called X is meant, whatever else there is.
    return _read(path, asked, members, "X")


def read_matlab(path: Path, asked: Asked) -> Found:
    """The variable of a .mat file of version 7.3 that is meant.  Raises InputError."""

    def members(file: Any) -> list[Member]:
        return [
            Member(one.name, one.shape[::-1], one.holds or _of_matlab(file[one.name]))
            for one in _members(file)
            if not one.name.startswith("#")
        ]

    return _read(path, asked, members, matlab=True)


def _read(
    path: Path,
    asked: Asked,
    members: Callable[[Any], list[Member]],
    usual: str | None = None,
    matlab: bool = False,
) -> Found:
    try:
        h5py: Any = importlib.import_module("h5py")
    except ImportError:
        raise InputError(f"{path}: needs h5py: pip install 'elbo-verify[hdf5]'") from None
    file = None
    try:
        file = h5py.File(path, "r")
        held = members(file)
        named = asked.member.strip("/") if asked.member else asked.member
        if named is None and usual is not None and any(one.name == usual for one in held):
            named = usual
        one, said = member(path, held, named, _HOW)
        found = _found(file, one, asked, matlab, path)
    except (OSError, KeyError, RuntimeError, TypeError, ValueError) as error:
        if file is not None:
            file.close()
        if isinstance(error, InputError):
            raise
        raise damaged(path, error) from None
    return as_member(found, one, held, said)


def _found(file: Any, one: Member, asked: Asked, matlab: bool, path: Path) -> Found:
    group = file[one.name]
    if compressed_rows.is_one(group):
        parts = {name: _Held(group[name], path) for name in ("data", "indices", "indptr")}
        return compressed_rows.of_group(group, parts, asked, _names(file, one.name, one.shape[1]))
    if matlab and "MATLAB_sparse" in group.attrs:
        return of_sparse(compressed_rows.of_matlab(group), asked)
    held = _Held(group, path)
    if held.dtype.names:
        return of_array(held[:], asked)
    if not matlab:
        n = one.shape[1] if len(one.shape) == 2 else 0
        return of_array(held, asked, _names(file, one.name, n))
    axis, moved = axis_of_data(one.name, one.shape)
    found = of_array(_Turned(held, axis == -1), asked)
    return found.told(said=moved)


def _members(file: Any) -> list[Member]:
    """Every dataset of a file, and every group that is one matrix."""
    found: list[Member] = []
    inside: list[str] = []  # groups whose parts are no members

    def visit(name: str, held: Any) -> None:
        if any(name.startswith(group) for group in inside):
            return
        if hasattr(held, "dtype"):
            found.append(Member(name, tuple(held.shape or ()), _holds(held)))
            return
        if "MATLAB_sparse" in held.attrs:
            shape = (len(held["jc"]) - 1, int(held.attrs["MATLAB_sparse"]))
            found.append(Member(name, shape))
        elif compressed_rows.is_one(held):
            found.append(Member(name, tuple(int(length) for length in held.attrs["shape"])))
        elif "pandas_type" in held.attrs:
            found.append(Member(name, (), f"a DataFrame of pandas (read_hdf(FILE, {name!r}).to_parquet(...))"))
        elif {"data", "indices", "indptr", "shape"} <= set(held):
            found.append(Member(name, (), "a matrix of 10x Genomics (scanpy.read_10x_h5(FILE).write(...))"))
        elif _class(held):
            found.append(Member(name, (), holds(_class(held)) or f"a group ({_class(held)})"))
        else:
            return
        inside.append(f"{name}/")

    file.visititems(visit)
    return found


def _holds(dataset: Any) -> str:
    if dataset.shape is None:
        return "nothing"
    if dataset.dtype.kind in "OSU":
        return "words or objects"
    return "complex numbers" if set(dataset.dtype.names or ()) == {"real", "imag"} else ""


def _of_matlab(held: Any) -> str:
    """What a variable of MATLAB holds that is no array of numbers."""
    # Of an empty one the dataset is its shape.
    return "nothing" if _flag(held, "MATLAB_empty") else holds(_class(held))


def _flag(held: Any, name: str) -> bool:
    return bool(np.any(held.attrs.get(name, 0)))


def _class(held: Any) -> str:
    """MATLAB's own name for what a variable is."""
    told = held.attrs.get("MATLAB_class", "")
    return told.decode() if isinstance(told, bytes) else str(told)


def _names(file: Any, name: str, n: int) -> tuple[str, ...]:
    """The names of the n variables of an AnnData file, where it says them."""
    where = "raw/var" if name.startswith("raw/") else "var"
    if where not in file or not (name in ("X", "raw/X") or name.startswith("layers/")):
        return ()
    var = file[where]
    held = var.get(var.attrs.get("_index", "_index")) if hasattr(var, "keys") else None
    if held is None or not hasattr(held, "shape") or held.shape != (n,):
        return ()
    return tuple(word.decode("utf-8", "replace") if isinstance(word, bytes) else str(word) for word in held[:])
