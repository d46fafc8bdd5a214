"""NumPy's .npy and .npz files.

Main       read_npy, read_npz.

Nothing here unpickles: arrays of Python objects are refused.  An array is mapped, not read; a member of a compressed
archive that is large is unpacked into a file without a name first.
"""

import io
import math
import shutil
import tempfile
import tokenize
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np

from verify.arrays import Array
from verify.data.files import sparse
from verify.data.files.found import Asked, Found, clean
from verify.data.files.members import Member, as_member, member
from verify.data.files.opening import readable
from verify.data.files.rows_on_disk import IN_MEMORY
from verify.data.files.stacks import of_array
from verify.errors import InputError

MAGIC = b"\x93NUMPY"


def read_npy(path: Path, asked: Asked) -> Found:
    """The array of a .npy file, memory-mapped and unread so far.  Raises InputError."""
    with readable(path):
        with path.open("rb") as file:
            array = _array(file, path.stat().st_size, str(path), path)
        return of_array(array, asked)


def read_npz(path: Path, asked: Asked) -> Found:
    """The array of a .npz file that is meant (members.py), or its sparse matrix.  Raises InputError."""
    with readable(path), zipfile.ZipFile(path) as archive:
        infos = [info for info in archive.infolist() if info.filename.endswith(".npy")]
        names = [info.filename.removesuffix(".npy") for info in infos]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise InputError(
                f"{path}: holds the array {clean(twice)} twice, and one hides the other; write the file again"
            )
        if sparse.is_saved(names) and asked.member is None:
            return sparse.read_npz(path, asked)
        members = [_member(archive, info, path) for info in infos]
        one, said = member(path, members, asked.member, "save one with numpy.savez(file, X=rows)")
        info = infos[names.index(one.name)]
        array = _unpacked(archive, info, f"{path}, array {clean(one.name)}")
    found = of_array(array, asked)
    return as_member(found, one, members, said)


def _array(file: IO[bytes], size: int, where: str, path: Path | None) -> Array:
    """The array of a .npy file of `size` bytes: mapped, of that path or, if None, of the open file."""
    shape, order, dtype = _header(file, where)
    start, length = file.tell(), math.prod(shape) * dtype.itemsize
    if size - start < length:
        raise InputError(f"{where}: truncated or damaged ({size - start} bytes of data); write it again")
    if size - start > length:
        file.seek(start + length)
        if file.read(len(MAGIC)) == MAGIC:
            raise InputError(
                f"{where}: holds two arrays or more, one after the other; save each in a file of its own, or all with "
                "numpy.savez"
            )
        raise InputError(f"{where}: {size - start - length} bytes more than its array of shape {shape}; write it again")
    if not length:
        return np.empty(shape, dtype)
    if isinstance(file, io.BytesIO):
        return np.frombuffer(file.getbuffer(), dtype, math.prod(shape), start).reshape(shape, order=order)
    return np.memmap(path or file, dtype, "r", start, shape, order)


def _header(file: IO[bytes], where: str) -> tuple[tuple[int, ...], Any, Any]:
    """Shape, order and type that a .npy file promises; the file then stands at the data.  Raises InputError."""
    magic = file.read(len(MAGIC))
    if magic != MAGIC:
        raise InputError(f"{where}: not in NumPy's .npy format (pickles are refused); write it with numpy.save")
    file.seek(0)
    try:
        version = np.lib.format.read_magic(file)
        reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = reader(file)
    except (ValueError, EOFError, SyntaxError, TypeError, tokenize.TokenError):
        # A header is a Python literal: what its parser trips over comes out as it is.
        raise InputError(f"{where}: the header is damaged; write it again with numpy.save") from None
    if dtype.hasobject:
        raise InputError(f"{where}: holds Python objects (a pickle), which are never loaded; save numbers instead")
    if any(length < 0 for length in shape):
        raise InputError(f"{where}: the header is damaged; write it again with numpy.save")
    return shape, "F" if fortran else "C", dtype


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> Member:
    """What the header of a member promises; objects are named as such, for another member may be meant."""
    name = info.filename.removesuffix(".npy")
    with archive.open(info) as file:
        try:
            shape, _, dtype = _header(file, f"{path}, array {clean(name)}")
        except InputError as error:
            if "never loaded" in str(error):
                return Member(name, (), "Python objects, which are never loaded")
            raise
    what = {"U": "words", "S": "words", "M": "dates", "m": "durations"}.get(dtype.kind)
    return Member(name, shape, f"{what} (type {dtype})" if what else "")


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo, where: str) -> Array:
    """The array of a member; its checksum is compared on the way."""
    if info.file_size <= IN_MEMORY:
        content = archive.read(info)
        return _array(io.BytesIO(content), len(content), where, None)
    with archive.open(info) as packed, tempfile.TemporaryFile(prefix="elbo-verify-") as file:
        shutil.copyfileobj(packed, file, 1 << 22)
        size = file.tell()
        file.seek(0)
        return _array(file, size, where, None)
