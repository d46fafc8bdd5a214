"""index.html of `elbo-verify figures`, and the files of each figure: all drawn from figures.json and the arrays.

Notation   document: figures.json as a dict; arrays: what figure-N.npz holds, {} for most figures.
Main       write_figures, render, WRITES.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from reports.pages.html import environment, inline_svg
from reports.paper_figures import lines
from reports.paper_figures.declared import figure
from reports.paper_figures.text import prepared, shown, verdict_of
from reports.terminal.files import staged
from reports.training.document import write_csv
from verify.arrays import Array
from verify.data.documents import write_json
from verify.data.writing import write_npz
from verify.pictures.drawing import drawing, save, settle

Document = dict[str, Any]
ENVIRONMENT = environment("reports.paper_figures")
ENDINGS = ("svg", "png", "csv", "npz")
WRITES = ("figures.json", "index.html", *(f"figure-*.{ending}" for ending in ENDINGS))


def write_figures(document: Document, number: int, arrays: Mapping[str, Array], out: Path) -> list[Path]:
    """figures.json, index.html and the files of the figure that has just been made into `out`; -> their paths."""
    [entry] = [one for one in document["figures"] if one["figure"] == number]
    with staged(out) as stage:
        if entry["left_out"] is None:
            _write(entry, arrays, stage)
        write_json(document, stage / "figures.json")
        (stage / "index.html").write_text(render(document, stage, out), encoding="utf-8")
        names = sorted(path.name for path in stage.iterdir())
    return [out / name for name in names]


def files_of(entry: Document) -> list[str]:
    """The names of the files of a figure."""
    endings = [] if entry["left_out"] is not None else [e for e in ENDINGS if e != "npz" or entry["arrays"]]
    return [f"figure-{entry['figure']}.{ending}" for ending in endings]


def _write(entry: Document, arrays: Mapping[str, Array], folder: Path) -> None:
    """figure-N.svg, .png, .csv and, where there are arrays, .npz."""
    module, name = figure(entry["figure"]), f"figure-{entry['figure']}"
    with drawing():
        picture = getattr(module, "draw", lines.draw)(entry, arrays)
        if hasattr(module, "label"):
            settle(picture)
            module.label(picture, entry)
        save(picture, folder, name)
    write_csv(folder / f"{name}.csv", *getattr(module, "numbers", lines.numbers)(entry, arrays))
    if arrays:
        write_npz(folder / f"{name}.npz", **{key: np.asarray(value) for key, value in arrays.items()})


def render(document: Document, *folders: Path) -> str:
    """The page as text; each picture lies in the first of these folders that has it."""
    return ENVIRONMENT.get_template("figures.html").render(
        document=document, figures=[_figure(one, folders) for one in document["figures"]]
    )


def _figure(entry: Document, folders: tuple[Path, ...]) -> Document:
    name = f"figure-{entry['figure']}"
    beside = [one | {"shown": shown(one)} for one in entry["beside"]]
    data = [one | {"prepared": prepared(one)} for one in entry["data"]]
    found = {**entry, "data": data, "name": name, "verdict": verdict_of(entry), "beside": beside, "picture": None}
    if entry["left_out"] is None:
        path = next(folder / f"{name}.svg" for folder in folders if (folder / f"{name}.svg").is_file())
        found["picture"] = inline_svg(path.read_text(encoding="utf-8"), name, entry["alt"])
    return found
