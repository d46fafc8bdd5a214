"""What `elbo-verify diagnose --out` writes: the document, its arrays, pictures and a page.

Main       write; FILES, all that may be written.
"""

from pathlib import Path

from reports.terminal.files import write_json
from verify.diagnosis.document import Diagnosis
from verify.diagnosis.outputs import Outputs

FILES = ("diagnose.json", "diagnose.npz", "index.html")


def write(found: Diagnosis, vae: Outputs, command: str, seed: int, folder: Path) -> None:
    """All of it into `folder`."""
    write_json(found.document, folder / "diagnose.json")
