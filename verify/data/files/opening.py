"""Arrays in files: .npy and .npz.

Main       read_npy, read_npz (each -> Found: the array, and what the file says of it), sha256_of, readable.

Of arrays a file says nothing: 784 columns may be an image or not, and nobody guesses.

Nothing here unpickles: arrays of Python objects are refused.  Every way in which a file can be damaged ends
in an InputError that names the file.
"""

import gzip
import hashlib
import io
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from verify.arrays import Array
from verify.errors import InputError

_NPZ_NAMES = ("X", "x", "data")
_NPY_MAGIC = b"\x93NUMPY"
Found = tuple[Array, dict[str, Any]]


def read_npy(path: Path) -> Found:
    """The array of a .npy file, memory-mapped and unread so far.  Raises InputError."""
    with readable(path), path.open("rb") as file:
        _refuse_foreign_npy(file.read(len(_NPY_MAGIC)), str(path))
        file.seek(0)
        _refuse_objects(file, str(path))
        size = path.stat().st_size - file.tell()
        try:
            array = np.load(path, mmap_mode="r", allow_pickle=False)
        except (ValueError, OverflowError):
            raise InputError(f"{path}: truncated or damaged ({size} bytes of data); write it again") from None
    return array, {}


def read_npz(path: Path) -> Found:
    """The only array of a .npz file, or the one called X, x or data.  Raises InputError."""
    with readable(path), zipfile.ZipFile(path) as archive:
        members = {m.removesuffix(".npy"): m for m in archive.namelist() if m.endswith(".npy")}
        chosen = [name for name in _NPZ_NAMES if name in members] or list(members)
        if not members:
            raise InputError(f"{path}: holds no array; save one with numpy.savez(file, X=rows)")
        if len(chosen) > 1 and chosen[0] not in _NPZ_NAMES:
            found = ", ".join(sorted(members))
            raise InputError(f"{path}: holds several arrays ({found}); call the one to use X, x or data")
        content = io.BytesIO(archive.read(members[chosen[0]]))
        _refuse_foreign_npy(content.getvalue()[: len(_NPY_MAGIC)], f"{path}, array {chosen[0]}")
        _refuse_objects(content, f"{path}, array {chosen[0]}")
        content.seek(0)
        return np.load(content, allow_pickle=False), {}


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes.  Raises InputError."""
    with readable(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _refuse_foreign_npy(magic: bytes, where: str) -> None:
    if magic != _NPY_MAGIC:
        raise InputError(f"{where}: not in NumPy's .npy format (pickles are refused); write it with numpy.save")


def _refuse_objects(file: io.BufferedIOBase, where: str) -> None:
    """Raises InputError unless the .npy header at hand can be read and promises plain values."""
    try:
        version = np.lib.format.read_magic(file)
        reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        _, _, dtype = reader(file)
    except (ValueError, EOFError, SyntaxError, TypeError, tokenize.TokenError):
        # A header is a Python literal: what its parser trips over comes out as it is.
        raise InputError(f"{where}: the header is damaged; write it again with numpy.save") from None
    if dtype.hasobject:
        raise InputError(f"{where}: holds Python objects (a pickle), which are never loaded; save numbers instead")


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turns what goes wrong while reading `path` into an InputError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what NumPy says of headers written under Python 2
            yield
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(f"{path}: no such file (looked in {path.absolute().parent})") from None
    except (gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, EOFError):
        raise InputError(f"{path}: truncated or damaged; write or copy it again") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not a text file in UTF-8; save it as UTF-8") from None
    except (MemoryError, OverflowError):
        raise InputError(f"{path}: does not fit into memory; save it as .npy, which is read block by block") from None
    except (OSError, ValueError, RuntimeError, NotImplementedError) as error:
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())
        raise InputError(f"{path}: cannot be read ({reason})") from None
