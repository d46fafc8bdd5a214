"""Files of results: written whole or not at all, and the latents of other people's models.

Main       staged, write_json, read_json, to_json, write_npz, read_latents; and writing.py of verify/data.
"""

import json
import math
import os
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from verify.arrays import Array
from verify.data.writing import atomic, unwritable
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
    """A folder whose files move to the folder `out` if the block succeeds, and vanish if not.  Raises InputError."""
    made = [folder for folder in (out, *out.parents) if not folder.exists()]
    stage = None
    try:
        out.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=out))
        yield stage
        for file in sorted(stage.iterdir()):
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


def read_latents(path: Path) -> tuple[Array, Array]:
    """`mu` and `logvar` (N, k) of an .npz file.  Raises InputError: missing, damaged, pickled, shapes, NaN."""
    try:
        with zipfile.ZipFile(path):
            pass  # numpy.load would read anything else as a pickle, and say so
        with np.load(path, allow_pickle=False) as archive:
            missing = [name for name in ("mu", "logvar") if name not in archive]
            if missing:
                found = ", ".join(sorted(archive.files)) or "nothing"
                raise InputError(
                    f"{path}: no array {' and no '.join(missing)}; it holds {found}, "
                    "and needs mu and logvar, each (N, k)"
                )
            mu, logvar = archive["mu"], archive["logvar"]
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(f"{path}: no such file (looked in {path.absolute().parent})") from None
    except (zipfile.BadZipFile, zlib.error, EOFError):
        raise InputError(f"{path}: no .npz file, or truncated; write it again with numpy.savez") from None
    except ValueError as error:
        why = (
            "holds Python objects (a pickle), which are never loaded"
            if "pickle" in str(error).lower()
            else "is damaged"
        )
        raise InputError(f"{path}: {why}; save mu and logvar as plain numbers") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (SyntaxError, TypeError, KeyError, RuntimeError, NotImplementedError, OverflowError):
        raise InputError(f"{path}: is damaged; write it again with numpy.savez") from None
    return mu, logvar
