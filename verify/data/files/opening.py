"""Tables of numbers in files: .csv and .csv.gz.

Main       read_csv (-> Found: the array, and what the file says of it), sha256_of, readable.

What a file says is plain JSON for the provenance: "columns", the names in the header of a table. Of arrays it says
nothing: 784 columns may be an image or not, and nobody guesses.

Nothing here unpickles: arrays of Python objects are refused.  Every way in which a file can be damaged ends
in an InputError that names the file.
"""

import csv
import gzip
import hashlib
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from verify.arrays import Array
from verify.data.entries import LARGEST_WHOLE, not_held
from verify.errors import InputError

_MOST_DIGITS = 310  # of a whole number that float64 reaches
_LONGEST_NAME = 60  # of a column, in characters
Found = tuple[Array, dict[str, Any]]


def read_csv(path: Path) -> Found:
    """The numbers of a .csv or .csv.gz file (N, n): comma, semicolon or tab; the first line may be a header.

    A first line of words is a header; it names the columns if it has as many fields as the rows.  Rows in messages are
    counted without it.  Raises InputError.
    """
    with readable(path):
        content = path.read_bytes()
        if path.name.lower().endswith(".gz"):
            content = gzip.decompress(content)
        text = content.decode("utf-8-sig")
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise InputError(f"{path}: the file is empty")
    delimiter = next((d for d in "\t;," if d in lines[0]), ",")
    header = lines.pop(0) if _is_header(lines[0].split(delimiter)) else None
    if not lines:
        raise InputError(f"{path}: holds a header but no rows")
    try:
        table = np.loadtxt(lines, delimiter=delimiter, comments=None, quotechar='"', ndmin=2, dtype=np.float64)
    except ValueError as error:
        fault = _first_fault(lines, delimiter) or " ".join(str(error).split())
        raise InputError(f"{path}: {fault}") from None
    _check_whole(table, lines, delimiter, path)
    names = [] if header is None else _names(header, delimiter)
    # One name too few, as R writes them, and each would stand above its neighbour.
    return table, {"columns": names} if len(names) == table.shape[1] else {}


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes.  Raises InputError."""
    with readable(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _first_fault(lines: list[str], delimiter: str) -> str | None:
    """Where a table stops being one: a row of another length, or an entry that is not a number."""
    width = len(lines[0].split(delimiter))
    for row, line in enumerate(lines, start=1):
        fields = line.split(delimiter)
        for column, field in enumerate(fields, start=1):
            if not _is_number(field):
                shown = field.strip()[:40]
                return (
                    f"row {row}, column {column}: {shown!r} is not a number"
                    if shown
                    else (f"row {row}, column {column}: nothing there; fill in missing values first")
                )
        if len(fields) != width:
            return f"row {row} has {len(fields)} columns, row 1 has {width}"
    return None


def _check_whole(table: Array, lines: list[str], delimiter: str, path: Path) -> None:
    """Raises InputError where a whole number was written out that is neither the float64 it became nor its decimal."""
    for row, column in np.argwhere((np.abs(table) >= LARGEST_WHOLE) & np.isfinite(table)):
        word = lines[row].split(delimiter)[column].strip(' "')
        value = float(table[row, column])
        if not word.lstrip("+-").isdecimal() or len(word) > _MOST_DIGITS:
            continue
        if int(word) not in (int(value), int(Decimal(repr(value)))):
            raise InputError(f"{path}: {not_held(word, row, column)}")


def _is_header(fields: list[str]) -> bool:
    """Whether a first line names columns: no number, and a word that does not stand for a missing value."""
    words = [field for field in fields if any(map(str.isalpha, field))]
    missing = {"na", "n/a", "null", "none", "missing"}
    return not any(map(_is_number, fields)) and any(w.strip(' "').lower() not in missing for w in words)


def _names(header: str, delimiter: str) -> list[str]:
    """The fields of a header as printable text on one line, 60 characters at most; a field may be empty."""
    try:
        fields = next(csv.reader([header], delimiter=delimiter, skipinitialspace=True))
    except csv.Error:  # a field longer than 131072 characters names nothing
        return []
    words = (" ".join(field.split()) for field in fields)
    return ["".join(c if c.isprintable() else "?" for c in word[:_LONGEST_NAME]).strip() for word in words]


def _is_number(field: str) -> bool:
    try:
        float(field.strip().strip('"'))
    except ValueError:
        return False
    return True


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
