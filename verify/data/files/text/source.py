"""The bytes and lines of a text file, whatever it is compressed with and however its characters are written.

Main       Source (lines, bytes, last), opened.
"""

import bz2
import gzip
import io
import lzma
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from verify.data.files.foreign import refuse_in_text
from verify.errors import InputError

_START = 1 << 16  # bytes that tell the encoding
_PACKED = {".gz": ("gzip", b"\x1f\x8b"), ".bz2": ("bzip2", b"BZh"), ".xz": ("xz", b"\xfd7zXZ\x00")}
_OPENERS: dict[str, Any] = {"gzip": gzip.open, "bzip2": bz2.open, "xz": lzma.open}
_MARKS = (("utf-8-sig", b"\xef\xbb\xbf"), ("utf-16", b"\xff\xfe"), ("utf-16", b"\xfe\xff"))


@dataclass(frozen=True)
class Source:
    """A text file: its path, compression ("" if none) and encoding, and whether lines end in a lone carriage return."""

    path: Path
    packed: str
    encoding: str
    returns: bool
    said: tuple[str, ...]

    @contextmanager
    def bytes(self) -> Iterator[IO[bytes]]:
        """The unpacked bytes from the first on, without a mark of UTF-8."""
        with _unpacked(self.path, self.packed) as file:
            if self.encoding == "utf-8-sig":
                file.read(len(_MARKS[0][1]))
            yield file

    def last(self) -> str:
        """The last line that is not blank; "" where it takes reading the whole file to know it."""
        if self.packed or self.encoding.startswith("utf-16") or self.returns:
            return ""
        with self.path.open("rb") as file:
            start = max(0, file.seek(0, io.SEEK_END) - _START)
            file.seek(start)
            lines = file.read().rstrip().split(b"\n")
        return lines[-1].decode(self.encoding, "replace") if len(lines) > 1 or not start else ""

    def lines(self) -> Generator[str, None, None]:
        """The lines, each with a line feed at its end, as an editor counts them."""
        # Bytes that are not UTF-8 far down in a column of words do no harm.
        errors = "surrogateescape" if self.encoding.startswith("utf-8") else "replace"
        with (
            _unpacked(self.path, self.packed) as file,
            io.TextIOWrapper(file, encoding=self.encoding, errors=errors, newline=None) as text,
        ):
            yield from text


def opened(path: Path) -> Source:
    """Looks at the beginning of a file.  Raises InputError: another kind of file, or empty."""
    with path.open("rb") as file:
        start = file.read(16)
    said: list[str] = []
    ending = next((e for e in _PACKED if path.name.lower().endswith(e)), "")
    packed = next((name for name, magic in _PACKED.values() if start.startswith(magic)), "")
    if ending and start and _PACKED[ending][0] != packed:
        raise InputError(
            f"{path}: damaged, or not compressed by {_PACKED[ending][0]} as its name says; write or copy it again, or "
            f"call it {path.name[: -len(ending)]}"
        )
    if packed and not ending:
        said.append(f"compressed by {packed}, though its name does not say so")
    with _unpacked(path, packed) as unpacked:
        start = unpacked.read(_START)
    if not start.strip():
        raise InputError(f"{path}: the file is empty")
    refuse_in_text(path, start)
    encoding = next((name for name, mark in _MARKS if start.startswith(mark)), "") or _guessed(path, start)
    if encoding.startswith("utf-16"):
        said.append("characters in UTF-16")
    elif encoding == "latin-1":
        said.append("characters that are not UTF-8, read as Latin-1")
    plain = start.decode(encoding, "replace")
    return Source(path, packed, encoding, "\r" in plain.replace("\r\n", "")[:-1], tuple(said))


def _guessed(path: Path, start: bytes) -> str:
    """The encoding of a file without a mark.  Raises InputError: no text."""
    if b"\0" in start:
        for encoding, zeros, others in (("utf-16-le", 1, 0), ("utf-16-be", 0, 1)):
            if start[zeros::2].count(0) > len(start) / 3 and 0 not in start[others::2]:
                return encoding
        raise InputError(f"{path}: not a text file (it holds zero bytes); save the rows as CSV or .npy")
    try:
        start.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(start) - 3:  # else a character cut in two by where the reading stopped
            return "latin-1"
    return "utf-8"


@contextmanager
def _unpacked(path: Path, packed: str) -> Iterator[IO[bytes]]:
    """The bytes of a file, unpacked."""
    try:
        with closing(_OPENERS[packed](path, "rb") if packed else path.open("rb")) as file:
            yield file
    except lzma.LZMAError:
        raise EOFError from None
    except OSError as error:
        if packed and error.errno is None and not isinstance(error, gzip.BadGzipFile):  # as bz2 says it
            raise EOFError from None
        raise
