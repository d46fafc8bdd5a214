"""Files written whole or not at all.

Main       writable, atomic; write_npz.

What is written goes to a temporary file beside its destination first, and is moved there once it is on the disk:
a full disk or an interruption leaves either the old file or the new one.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from verify.arrays import Array
from verify.errors import InputError

# What the names of files begin with that are being written.
UNFINISHED = ".unfinished-"


def writable(path: Path) -> Path:
    """`path` if a file can be written there; missing folders are made.  Raises InputError, before any computation."""
    if "\0" in str(path):
        raise InputError("a name with a zero byte is none of a file; name another place")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except (FileExistsError, NotADirectoryError) as error:
        file = next((folder for folder in path.parents if folder.is_file()), None)
        if file is None:
            raise unwritable(path, error) from None
        raise InputError(f"{path}: cannot be written ({file} is a file, not a folder); name another place") from None
    except OSError as error:
        raise unwritable(path, error) from None
    if path.is_dir():
        raise InputError(f"{path}: is a folder; name a file")
    if path.exists() and not path.is_file():
        raise InputError(f"{path}: is a pipe or a device, and would be replaced by a file; name a file")
    return path


@contextmanager
def atomic(path: Path) -> Iterator[Any]:
    """A binary file that takes the place of `path` if the block succeeds and vanishes if not.  Raises InputError."""
    name = None
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=UNFINISHED, delete=False) as file:
            name = file.name
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)  # temporary files are private, results are not
        os.replace(name, path)
        name = None
    except OSError as error:
        raise unwritable(path, error) from None
    finally:
        if name is not None:
            Path(name).unlink(missing_ok=True)


def write_npz(path: Path, **arrays: Array) -> None:
    """Write arrays whole or not at all.  Raises InputError."""
    with atomic(path) as file:
        np.savez(file, allow_pickle=False, **arrays)


def unwritable(path: Path, error: OSError) -> InputError:
    return InputError(f"{path}: cannot be written ({error.strerror or error}); name another place")
