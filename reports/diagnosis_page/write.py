"""What `elbo-verify diagnose --out` writes: the document, its arrays, pictures and a page.

Main       write; FILES, all that may be written.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from verify.arrays import Array
from verify.data.documents import write_json
from verify.data.writing import write_npz

Document = dict[str, Any]
PICTURES = ("elbo", "latents", "moments", "spectra", "directions", "examples")
FILES = (
    *("diagnose.json", "diagnose.npz", "index.html"),
    *(f"{name}.{ending}" for name in PICTURES for ending in ("svg", "png")),
)


def write(document: Document, arrays: Mapping[str, Array], folder: Path) -> None:
    """All of it into `folder`; arrays: those of document["portrait"], {} where that is null."""
    from reports.diagnosis_page.page import write_page  # slow to import

    write_json(document, folder / "diagnose.json")
    write_npz(folder / "diagnose.npz", **arrays)
    write_page(document, arrays, folder)
