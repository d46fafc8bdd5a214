"""The axes of the figure of `elbo-verify train`: the ELBO of every model, epoch by epoch.

Notation   document: train.json as a dict; elbos (models, epochs), as train.npz holds them.
Main       draw.
"""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from reports.pages.drawing import HEIGHT, WIDTH, blank, drawing, save
from reports.pages.palette import PALETTE
from reports.training.signs import group_of
from reports.words.numerals import typed
from verify.arrays import Array

Document = dict[str, Any]
COLOURS = ("blue", "vermillion", "green", "purple", "ink", "muted")
# More names than that hide the curves.
MOST_NAMES = 8


def courses(axes: Axes, document: Document, elbos: Array) -> None:
    """One line a model, a colour for each noise, dashed where it is learned; a cross where a model diverged."""
    groups = list(dict.fromkeys(map(group_of, document["models"])))
    epochs = np.arange(1, elbos.shape[1] + 1)
    marker = "o" if len(epochs) == 1 else ""
    for model, curve in zip(document["models"], elbos, strict=True):
        group = group_of(model)
        colour = PALETTE[COLOURS[groups.index(group) % len(COLOURS)]]
        finite = np.isfinite(curve)
        line = "-" if group[1] is not None else "--"
        axes.plot(epochs[finite], curve[finite], color=colour, linestyle=line, linewidth=1.2, marker=marker)
        if model["evaluation"] is None and finite.any():
            axes.plot(epochs[finite][-1], curve[finite][-1], "x", color=colour)
    for number, group in enumerate(groups[:MOST_NAMES]):
        name = "learned noise" if group[1] is None else f"σ² = {typed(group[1])}"
        axes.plot(
            [],
            [],
            color=PALETTE[COLOURS[number % len(COLOURS)]],
            linestyle="--" if group[1] is None else "-",
            label=name,
        )
    # Above the frame, where no curve is.
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=4, borderaxespad=0.2, columnspacing=1.2)
    axes.set(xlabel="epoch", ylabel="ELBO, nats per datum", ylim=window(elbos))
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))


def window(elbos: Array) -> tuple[float, float]:
    """The ELBOs worth showing: all that come after a tenth of the epochs; the first ones would flatten the rest."""
    later = elbos[:, elbos.shape[1] // 10 :]
    shown = later[np.isfinite(later)]
    if not shown.size:
        return 0.0, 1.0
    low, high = float(shown.min()), float(shown.max())
    room = 0.05 * ((high - low) or abs(high) or 1.0)
    return low - room, high + room


def draw(document: Document, elbos: Array, folder: Path) -> list[Path]:
    """Courses of the models of train.json, elbos (models, epochs): train.svg and .png in `folder`; -> the paths."""
    with drawing():
        figure = blank(1.4 * WIDTH, 1.1 * HEIGHT)
        courses(figure.subplots(), document, elbos)
        return save(figure, folder, "train")
