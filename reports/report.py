"""The stability report: everything computed once, then drawn from what was written down.

Notation   k latents; document: report.json as a dict; slices: the grids of Figure 1.
Main       write_report, redraw, folder_name.
Reference  what is computed stands in contents.py, what is said of it in wording.py and captions.py.

Data flow one way: Covariance -> document (report.json) and slices (report.npz) -> figures/ and index.html. The last
two are drawn from the first two alone. Everything is built in a folder beside its destination and then moved there.
"""

import os
import re
import shutil
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

import verify
from proofs.machinery import ledger as proofs_ledger
from reports import figures, page
from reports.audit import audit_document
from reports.caveats import UNPROVED
from reports.contents import Progress, compute
from reports.files import read_json, staged, write_json, write_npz
from verify.checks import latent_dimension
from verify.data.covariance import Covariance
from verify.errors import InputError
from verify.landscape.slices import Slice

Document = dict[str, Any]


def write_report(
    covariance: Covariance,
    *,
    k: int,
    name: str,
    ledger: Path | None,
    out: Path,
    seed: int = 0,
    command: str = "",
    progress: Progress | None = None,
) -> Path:
    """Compute, write and draw the report of these data into the folder `out`; -> the path of its index.html.

    InputError: k out of range, a ledger that is none, a folder that cannot be written. Files of an earlier report
    in `out` are replaced, others left alone.
    """
    say = progress or (lambda stage: None)
    k = latent_dimension(k, covariance.n)
    proofs = None if ledger is None else _read_ledger(ledger)
    with staged(Path(out)) as stage:
        document, slices = compute(covariance, k, _printable(name), say)
        document["ledger"] = proofs
        document["notes"] += [UNPROVED] if proofs is None else proofs["notes"]
        say("the printed tables")
        document["audit"] = audit_document(figures=False)
        document["provenance"] = provenance(covariance, seed, command)
        write_json(document, stage / "report.json")
        write_npz(stage / "report.npz", **{f: np.array([getattr(s, f) for s in slices]) for f in ("a", "b", "values")})
        say("drawing")
        _draw(stage, Path(out))
    return Path(out) / "index.html"


def redraw(out: Path) -> Path:
    """Draw figures and page again from report.json and report.npz in `out`, computing nothing; -> index.html."""
    out = Path(out)
    with staged(out) as stage:
        for file in ("report.json", "report.npz"):
            if not (out / file).is_file():
                raise InputError(f"{out / file}: not there; write the report first (elbo-verify report)")
            shutil.copyfile(out / file, stage / file)
        _draw(stage, out)
    return out / "index.html"


def _printable(value: Any) -> Any:
    """Text (also within lists and dicts) with what is no text, from a foreign file system say, replaced by "?"."""
    if isinstance(value, dict):
        return {name: _printable(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_printable(inner) for inner in value]
    return value.encode("utf-8", errors="replace").decode() if isinstance(value, str) else value


def folder_name(name: str) -> str:
    """A name from outside as a harmless folder name: letters, digits, "-", "_" and inner dots, 80 at most."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name)[:80].strip("-.") or "data"


def provenance(covariance: Covariance, seed: int, command: str) -> Document:
    """Where the numbers come from: the input, versions, seed, device, command and date.

    SOURCE_DATE_EPOCH, where set, stands for the date, so that a build can be repeated bit for bit.
    """
    now = float(os.environ.get("SOURCE_DATE_EPOCH", time.time()))
    found = {
        "data": covariance.provenance,
        "environment": proofs_ledger.environment(device="CPU", **{"elbo-verify": verify.__version__}),
        "seed": seed,
        "command": command,
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(now)),
    }
    return _printable(found)


def _read_ledger(path: Path) -> Document:
    document = proofs_ledger.read(Path(path))
    for claim in document["claims"]:
        whole = isinstance(claim, dict) and {"id", "verdict", "evidence"} <= claim.keys()
        if not (whole and isinstance(claim["evidence"], list) and all(isinstance(e, dict) for e in claim["evidence"])):
            raise InputError(f"{path}: a claim without id, verdict or evidence; write the ledger again")
    known = (document.get("complete", True), document.get("errors", []), document.get("skipped", []))
    return {"notes": proofs_ledger.notes(*known), **document}


def _read_data(folder: Path) -> tuple[Document, list[Slice]]:
    """The document and the slices that a report was drawn from.  InputError if they are damaged."""
    document = read_json(folder / "report.json")
    try:
        panels = document["figure1"]["panels"] if document["figure1"] else []
        # Opened here, so that it is closed whatever numpy makes of it.
        with (folder / "report.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return document, [_slice(panel, arrays, i) for i, panel in enumerate(panels)]
    except (ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{folder}: report.json or report.npz is damaged ({error}); write the report again") from None


def _slice(panel: Document, arrays: Any, number: int) -> Slice:
    return Slice(
        sigma2=panel["sigma2"],
        directions=(panel["directions"][0] - 1, panel["directions"][1] - 1),
        retained=tuple(i - 1 for i in panel["retained"]),
        a=arrays["a"][number],
        b=arrays["b"][number],
        values=arrays["values"][number],
        curvatures=(panel["curvatures"][0], panel["curvatures"][1]),
    )


def _draw(stage: Path, out: Path) -> None:
    """index.html and the pictures, from report.json and report.npz in `stage` and from nothing else."""
    document, slices = _read_data(stage)
    pictures = stage / "figures"
    pictures.mkdir()
    figures.draw(document, slices, pictures)
    (stage / "index.html").write_text(page.render(document, pictures), encoding="utf-8")
    # One by one, because a folder cannot take the place of one that holds files.
    (out / "figures").mkdir(exist_ok=True)
    for picture in sorted(pictures.iterdir()):
        os.replace(picture, out / "figures" / picture.name)
    pictures.rmdir()
