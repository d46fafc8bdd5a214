"""The stability report on disk: written down once, then drawn from that.

Notation   k latents; document: report.json as a dict; slices: the grids of Figure 1; arrays: those of report.npz.
Main       write, redraw; draw, the pictures alone.

Data flow one way: document (report.json) and arrays (report.npz) -> figures/, index.html and audit.html. These are
drawn from the first two alone. Everything is built in a folder beside its destination and then moved there.
"""

import os
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports.audit import page as audit
from reports.panels import slices as figure_1
from reports.stability_page.figures import every, pictures
from reports.stability_page.page import render
from reports.terminal.files import read_json, staged
from verify.arrays import Array
from verify.data.documents import write_json
from verify.data.writing import write_npz
from verify.errors import InputError
from verify.landscape.slices import Slice
from verify.pictures.drawing import blank, drawing, save, settle
from verify.words.numerals import weight

Document = dict[str, Any]
PORTRAIT = "portrait_"
# Of the pictures some are there for some data only.
PICTURES = (*every(), "slice-1", "slice-2", "slice-3", "landscape")
FILES = (
    *("report.json", "report.npz", "index.html", "audit.html"),
    *(f"figures/{name}.{ending}" for name in PICTURES for ending in ("svg", "png")),
)


def write(document: Document, arrays: dict[str, Array], stage: Path, out: Path) -> None:
    """Write a report down and draw it in `stage`, a folder that is staged for the folder `out`.

    Files of an earlier report in `out` are replaced, others left alone.
    """
    write_json(document, stage / "report.json")
    write_npz(stage / "report.npz", **arrays)
    _draw(stage, out)


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


def _read_data(folder: Path) -> tuple[Document, list[Slice], dict[str, Array]]:
    """The document, the slices and the portrait that a report was drawn from.  InputError if they are damaged."""
    document = read_json(folder / "report.json")
    try:
        panels = document["figure1"]["panels"] if document["figure1"] else []
        # Opened here, so that it is closed whatever numpy makes of it.
        with (folder / "report.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            slices = [_slice(panel, arrays, i) for i, panel in enumerate(panels)]
            portrait = {name.removeprefix(PORTRAIT): arrays[name] for name in arrays.files if name.startswith(PORTRAIT)}
            return document, slices, portrait
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
    """index.html, audit.html and the pictures, from report.json and report.npz in `stage` and from nothing else."""
    document, slices, portrait = _read_data(stage)
    folder = stage / "figures"
    folder.mkdir()
    draw(document, slices, folder)
    (stage / "index.html").write_text(render(document, folder, portrait), encoding="utf-8")
    of_tables = {**document["audit"], "provenance": document["provenance"]}
    (stage / "audit.html").write_text(audit.render(of_tables, "report.json"), encoding="utf-8")
    # One by one, because a folder cannot take the place of one that holds files.
    (out / "figures").mkdir(exist_ok=True)
    if (out / "report.json").is_file():  # pictures of the report before this one would pass for its own
        for name in FILES:
            if name.startswith("figures/") and not (stage / name).exists():
                (out / name).unlink(missing_ok=True)
    for picture in sorted(folder.iterdir()):
        os.replace(picture, out / "figures" / picture.name)
    folder.rmdir()


def drawn(picture: Any, document: Document) -> tuple[Figure, Axes]:
    """One of the pictures, a module of figures/, as it is saved."""
    figure = blank()
    axes = figure.subplots()
    picture.draw(axes, document)
    settle(figure)
    if hasattr(picture, "label"):
        picture.label(axes, document)
    return figure, axes


def draw(document: Document, slices: Sequence[Slice], folder: Path) -> list[Path]:
    """Every picture that the document has data for, as SVG and PNG, into an existing folder; -> the paths."""
    written, beta = [], weight(document["stability"])
    with drawing():
        for name, picture in pictures(document).items():
            figure, axes = drawn(picture, document)
            written += save(figure, folder, name, scaled=axes)
        scale = figure_1.Scale.of(slices) if slices else None
        for number, piece in enumerate(slices, start=1):
            figure = blank(3.9, 3.5)
            figure_1.draw(figure.subplots(), piece, scale, beta=beta)
            written += save(figure, folder, f"slice-{number}")
    return written + figure_1.landscape(slices, folder, beta)
