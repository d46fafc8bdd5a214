"""scikit-learn's bundled tables, by name.

Main       bundled, NAMES.
"""

import hashlib
import importlib
from typing import Any

import numpy as np

from verify.data.files.found import Asked, Found
from verify.data.files.stacks import of_array
from verify.errors import InputError

# What each is, and its target, which is not among the columns.
_TABLES = {
    "iris": ("150 flowers", "the species"),
    "wine": ("178 wines", "the cultivar"),
    "breast_cancer": ("569 tumours", "the diagnosis"),
    "diabetes": ("442 patients", "the progression of the disease"),
    "linnerud": ("20 men, 3 exercises", "weight, waist and pulse"),
}
NAMES = ("digits", *_TABLES)
_SCALED = "scikit-learn gives its columns centred and divided, each to a sum of squares of 1: all variances are equal"


def bundled(name: str, asked: Asked | None = None) -> Found:
    """The rows that scikit-learn bundles under `name`, one of NAMES.  Raises InputError."""
    if name not in NAMES:
        raise InputError(f"{name}: scikit-learn bundles no such data; give one of {', '.join(NAMES)}")
    asked = asked or Asked()
    if asked.of_text or asked.member is not None:
        what = asked.of_text or f":{asked.member}"
        raise InputError(f"{name}: {what}: only files have use for it; leave it out")
    try:
        datasets: Any = importlib.import_module("sklearn.datasets")
    except ImportError:
        raise InputError(f"{name}: needs scikit-learn, which is not installed (pip install scikit-learn)") from None
    held = getattr(datasets, f"load_{name}")()
    raw = np.ascontiguousarray(held.data, dtype=np.float64)
    facts = {"kind": "digits" if name == "digits" else "bundled", "sha256": hashlib.sha256(raw.tobytes()).hexdigest()}
    if name == "digits":
        found = of_array(raw, asked)
        if asked.columns or asked.drop:
            return found.told({"name": name, **facts})
        return found.told({"name": name, **facts, "image": [8, 8, 1]}, ["images of 8 x 8"])
    what, target = _TABLES[name]
    found = of_array(raw, asked, tuple(map(str, held.feature_names)))
    doubts = (_SCALED,) if name == "diabetes" else ()
    said = (f"scikit-learn's {name} ({what}); its target ({target}) is not among the columns",)
    return found.told(facts, said, doubts)
