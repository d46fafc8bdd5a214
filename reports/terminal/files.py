"""Files of results: written whole or not at all.  (Other people's latents are read by latents.py.)

Main       staged, read_json; and documents.py, writing.py of verify/data.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from verify.data.writing import UNFINISHED, unwritable
from verify.errors import InputError


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
