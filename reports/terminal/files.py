"""Files of results: written whole or not at all.  (Other people's latents are read by latents.py.)

Main       staged, write_json, read_json, to_json, write_npz; and writing.py of verify/data.
"""

import json
import math
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from verify.arrays import Array
from verify.data.writing import UNFINISHED, atomic, unwritable
from verify.errors import InputError


def to_json(document: Any, ascii: bool = False) -> str:
    """One JSON document, numbers in full precision; what is not finite becomes null."""
    return json.dumps(_plain(document), indent=1, allow_nan=False, ensure_ascii=ascii)


def _plain(value: Any) -> Any:
    """`value` out of dicts, lists and numbers that JSON knows."""
    if isinstance(value, dict):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return _plain(value.tolist())
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_json(document: Any, path: Path) -> None:
    """Write a document whole or not at all.  Raises InputError."""
    with atomic(path) as file:
        file.write((to_json(document) + "\n").encode())


def read_json(path: Path) -> Any:
    """The document of a file that we wrote.  Raises InputError."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error})") from None


@contextmanager
def staged(out: Path) -> Iterator[Path]:
    """A folder whose files move to the folder `out` if the block succeeds, and vanish if not.  Raises InputError.

    Documents move before all else: by them the folder is known, and a run that was killed amid the moving knows the
    rest for its own.
    """
    made = [folder for folder in (out, *out.parents) if not folder.exists()]
    stage = None
    try:
        out.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=out))
        yield stage
        for file in sorted(stage.iterdir(), key=lambda file: (file.suffix != ".json", file.name)):
            os.replace(file, out / file.name)
    except OSError as error:
        raise unwritable(out, error) from None
    finally:
        if stage is not None:
            shutil.rmtree(stage, ignore_errors=True)
        with suppress(OSError):  # folders that a failed run made for itself; others are not empty
            for folder in made:
                folder.rmdir()


def write_npz(path: Path, **arrays: Array) -> None:
    """Write arrays whole or not at all.  Raises InputError."""
    with atomic(path) as file:
        np.savez(file, allow_pickle=False, **arrays)
