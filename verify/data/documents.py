"""Documents as JSON: numbers in full precision, written whole or not at all.

Main       to_json, write_json.
"""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from verify.data.writing import atomic


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
