"""What `elbo-verify diagnose --out` writes: the document, its arrays, pictures and a page.

Main       write; FILES, all that may be written.
"""

from pathlib import Path
from typing import Any

from verify.data.documents import write_json
from verify.diagnosis.document import Diagnosis
from verify.diagnosis.outputs import Outputs

Document = dict[str, Any]
FILES = ("diagnose.json", "diagnose.npz", "index.html")


def write(document: Document, found: Diagnosis, vae: Outputs, folder: Path) -> None:
    """All of it into `folder`."""
    write_json(document, folder / "diagnose.json")
