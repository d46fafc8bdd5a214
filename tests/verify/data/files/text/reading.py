"""Text as a file, read or refused."""

from pathlib import Path

import numpy as np
import pytest

from verify.data.files.found import Asked, Found
from verify.data.files.text import read_text
from verify.errors import InputError


def read(folder: Path, content: str | bytes, name: str = "a.csv", **asked) -> Found:
    """What the reader finds in a file of this content."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_text(path, Asked(**asked))


def rows(folder: Path, content: str | bytes, name: str = "a.csv", **asked) -> list:
    """Its rows as lists, missing values None."""
    raw = np.asarray(read(folder, content, name, **asked).raw)
    return [[None if np.isnan(value) else value for value in row] for row in raw.tolist()]


def refusal(folder: Path, content: str | bytes, name: str = "a.csv", **asked) -> str:
    """The one line with which it is refused, less the file's path in front."""
    with pytest.raises(InputError) as caught:
        read(folder, content, name, **asked)
    message = str(caught.value)
    assert message.startswith(f"{folder / name}: ") and "\n" not in message
    return message.removeprefix(f"{folder / name}: ")
