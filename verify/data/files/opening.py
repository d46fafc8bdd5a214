"""Files opened: what goes wrong while one is read becomes one line, and their hash.

Main       readable, damaged, sha256_of.
"""

import gzip
import hashlib
import lzma
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from verify.errors import InputError, first_line

LONGEST = 120  # characters of what a library says of an error


def damaged(path: Path, error: BaseException) -> InputError:
    """The refusal of a file that its library cannot read, with what it says."""
    return InputError(f"{path}: truncated or damaged ({first_line(error, LONGEST)}); write or copy it again")


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes.  Raises InputError."""
    with readable(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
    except (gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError):
        raise InputError(f"{path}: truncated or damaged; write or copy it again") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not a text file in UTF-8; save it as UTF-8") from None
    except (MemoryError, OverflowError):
        raise InputError(f"{path}: does not fit into memory; save it as .npy, which is read block by block") from None
    except (OSError, ValueError, RuntimeError, NotImplementedError) as error:
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())
        raise InputError(f"{path}: cannot be read ({reason})") from None
