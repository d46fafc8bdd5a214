"""The pictures of a report, drawn from its JSON and npz alone.

Notation   document: report.json as a dict; slices: Slice objects (Figure 1), computed or read back.
Main       draw (all pictures of a report), landscape (the slices alone), tables (those of tables.json),
           training (that of train.json).
Reference  Lucas et al. 2019, Figures 1 and 2; what stands on the axes is in panels.py.

Every picture is written as SVG and as PNG, the same bytes each time: no date, a fixed salt for ids.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from reports import panels, tables_panels, training_panels
from reports.panels import PALETTE
from verify.arrays import Array
from verify.landscape.slices import Slice

Document = dict[str, Any]

_STYLE = {
    "svg.hashsalt": "elbo-verify",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.5,
    "axes.titlesize": 10,
    "axes.labelsize": 9.5,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": PALETTE["muted"],
    "axes.labelcolor": PALETTE["ink"],
    "axes.facecolor": PALETTE["paper"],
    "figure.facecolor": PALETTE["paper"],
    "text.color": PALETTE["ink"],
    "xtick.color": PALETTE["muted"],
    "ytick.color": PALETTE["muted"],
    "xtick.labelcolor": PALETTE["ink"],
    "ytick.labelcolor": PALETTE["ink"],
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.8,
}
WIDTH, HEIGHT = 4.8, 3.5


def draw(document: Document, slices: Sequence[Slice], folder: Path) -> list[Path]:
    """Every picture that the document has data for, as SVG and PNG, into an existing folder; -> the paths."""
    makers = {
        "scree": panels.scree,
        "phase": panels.phase,
        "retained": panels.retained,
        "likelihood": panels.likelihood,
    }
    if document["figure2"] is not None:
        makers["figure2"] = panels.figure2
        if panels.falls(document["figure2"]):
            makers["figure2-detail"] = panels.figure2_detail
    written = []
    with matplotlib.rc_context(_STYLE):
        for name, make in makers.items():
            figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
            make(figure.subplots(), document)
            written += _save(figure, folder, name)
        for number, piece in enumerate(slices, start=1):
            figure = Figure(figsize=(3.4, 3.5), layout="constrained")
            panels.slice_(figure.subplots(), piece)
            written += _save(figure, folder, f"slice-{number}")
    return written + landscape(slices, folder)


def landscape(slices: Sequence[Slice], out: Path) -> list[Path]:
    """Figure 1: the slices side by side, as landscape.svg and landscape.png in the folder `out`; -> the paths."""
    if not slices:
        return []
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(3.2 * len(slices), 3.5), layout="constrained")
        for axes, piece in zip(np.atleast_1d(figure.subplots(1, len(slices))), slices, strict=True):
            panels.slice_(axes, piece)
        return _save(figure, out, "landscape")


def tables(document: Document, folder: Path) -> list[Path]:
    """Collapse and ELBO over noise for each training of tables.json: tables-1.svg ... in `folder`; -> the paths."""
    written = []
    with matplotlib.rc_context(_STYLE):
        for number in range(1, len(document["trainings"]) + 1):
            figure = Figure(figsize=(2 * WIDTH, 1.1 * HEIGHT), layout="constrained")
            tables_panels.both(figure.subplots(1, 2), document, number)
            written += _save(figure, folder, f"tables-{number}")
    return written


def training(document: Document, elbos: Array, folder: Path) -> list[Path]:
    """Courses of the models of train.json, elbos (models, epochs): train.svg and .png in `folder`; -> the paths."""
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(1.4 * WIDTH, 1.1 * HEIGHT), layout="constrained")
        training_panels.courses(figure.subplots(), document, elbos)
        return _save(figure, folder, "train")


def _save(figure: Figure, folder: Path, name: str) -> list[Path]:
    svg, png = folder / f"{name}.svg", folder / f"{name}.png"
    figure.savefig(svg, metadata={"Date": None, "Creator": None})
    figure.savefig(png, dpi=160, metadata={"Software": None})
    return [svg, png]
