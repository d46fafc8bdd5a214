"""How a figure of curves is drawn, and written as numbers: what most figures of the paper are.

Notation   an entry of figures.json; panels and lines as document.py has them.
Main       draw, numbers; STYLES.
Reference  colours: Okabe & Ito 2008.
"""

from collections.abc import Mapping
from math import ceil, inf
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from verify.arrays import Array
from verify.pictures.drawing import HEIGHT, WIDTH, blank
from verify.pictures.palette import PALETTE
from verify.words.wording import symbols

Document = dict[str, Any]
COLOURS = ("blue", "vermillion", "green", "purple", "ink", "muted")
ACROSS = 3
# Of a legend: how long its lines are, in letters m; such a letter in inches.
HANDLE, EM = 2.6, 9 / 72
# Limits of a frame that shows percentages, and these: what is beyond them is nothing.
AROUND_PERCENT, PERCENT = (-3.0, 103.0), (0.0, 100.0)
# Of what there are only whole numbers.
WHOLE = ("epoch", "step")
# By the kind of a line.
STYLES: dict[str, dict[str, Any]] = {
    "trained": {"linestyle": "-", "linewidth": 1.5},
    "on the way": {"linestyle": "--", "linewidth": 1.3},
    "linear": {"linestyle": ":", "linewidth": 1.4},
    "exact": {"linestyle": (0, (6, 1.5, 1, 1.5)), "linewidth": 1.3},
    "printed": {"linestyle": "none", "marker": "s", "markersize": 4.5, "markerfacecolor": "none"},
    "final": {"linestyle": "none", "marker": "o", "markersize": 4.5},
}


def draw(entry: Document, arrays: Mapping[str, Array]) -> Figure:
    """The panels of an entry beside and below each other, and one legend above them all.

    entry["across"]: how many stand side by side, where that is not the usual number.
    """
    panels = entry["panels"]
    across = min(len(panels), entry.get("across", ACROSS))
    down = ceil(len(panels) / across)
    # However many stand side by side, they take the same room together.
    smaller = min(1.0, ACROSS / across)
    width, height = (0.85 * across * smaller, 0.85 * down * max(smaller, 0.75)) if across > 1 else (1.4, 0.85 * down)
    figure = blank(WIDTH * width, HEIGHT * max(height, 1.1))
    frames = figure.subplots(down, across, squeeze=False).ravel()
    for at, (axes, one) in enumerate(zip(frames, panels, strict=False)):
        frame(axes, one)
        _edges_only(axes, at, across, panels)
    for axes in frames[len(panels) :]:
        axes.set_visible(False)
    named: dict[str, Any] = {}
    for axes in frames[: len(panels)]:
        for handle, name in zip(*axes.get_legend_handles_labels(), strict=True):
            named.setdefault(name, handle)
    # Above the frames, where no curve runs.
    columns = _columns(list(named), figure.get_figwidth())
    figure.legend(named.values(), named, loc="outside upper center", ncols=columns, handlelength=HANDLE)
    return figure


def _columns(names: list[str], width: float) -> int:
    """In how many columns a legend with these names, filled column by column, fits into so many inches."""
    for down in range(1, len(names)):
        columns = ceil(len(names) / down)
        longest = [max(map(len, column)) for column in np.array_split(names, columns)]
        if sum(HANDLE * EM + 3 * EM + 0.55 * EM * letters for letters in longest) <= width:
            return columns
    return 1


def _edges_only(axes: Axes, at: int, across: int, panels: list[Document]) -> None:
    """An axis that the panel to the left, or below, has as well needs no name of its own."""

    def same(other: int, axis: str) -> bool:
        names = (axis, f"{axis}scale", f"{axis}lim")
        return panels[at][f"{axis}lim"] is not None and all(panels[at][n] == panels[other][n] for n in names)

    if at % across and same(at - 1, "y"):
        axes.set_ylabel("")
        axes.tick_params(labelleft=False)
    if at + across < len(panels) and same(at + across, "x"):
        axes.set_xlabel("")
        axes.tick_params(labelbottom=False)


def frame(axes: Axes, panel: Document) -> None:
    """One panel."""
    for line in panel["lines"]:
        points = [(x, y) for x, y in zip(line["x"], line["y"], strict=True) if y is not None]
        colour = PALETTE[COLOURS[line["group"] % len(COLOURS)]]
        style = STYLES[line["kind"]]
        x, y = zip(*points, strict=True) if points else ((), ())
        [drawn] = axes.plot(x, y, color=colour, label=symbols(line["name"]), **style)
        if line["kind"] in ("printed", "final") and _inside(points, panel):
            drawn.set_clip_on(False)  # a mark on the edge of the frame is seen whole
        spread = line["spread"] or []
        least, most = PERCENT if panel["ylim"] is not None and tuple(panel["ylim"]) == AROUND_PERCENT else (-inf, inf)
        band = [
            (x, max(y - s, least), min(y + s, most))
            for x, y, s in zip(line["x"], line["y"], spread, strict=False)
            if None not in (y, s)
        ]
        if band:
            axes.fill_between(*zip(*band, strict=True), color=colour, alpha=0.15, linewidth=0)
    axes.set(xlabel=symbols(panel["x"]), ylabel=symbols(panel["y"]), title=symbols(panel["title"]))
    axes.set(xscale=panel["xscale"], yscale=panel["yscale"])
    for limits, put in ((panel["xlim"], axes.set_xlim), (panel["ylim"], axes.set_ylim)):
        if limits is not None:
            put(*limits)
    for name, axis in (("x", axes.xaxis), ("y", axes.yaxis)):
        _ticks(axis, panel[f"{name}scale"], panel[f"{name}lim"])
    if panel["x"] in WHOLE and panel["xscale"] == "linear":
        axes.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True))


def _inside(points: list[tuple[float, float]], panel: Document) -> bool:
    limits = (panel["xlim"] or (-inf, inf), panel["ylim"] or (-inf, inf))
    return all(low <= v <= high for point in points for v, (low, high) in zip(point, limits, strict=True))


def _ticks(axis: Axis, scale: str, limits: list[float] | None) -> None:
    """Short numbers, where the limits are known: 0 for 0.00, and 0.3, 1, 3 for powers of ten that are few."""
    if limits is None or limits[0] < -100:
        return
    if scale == "linear":
        axis.set_major_formatter("{x:g}")
    elif limits[0] > 0 and limits[1] < 1e4 * limits[0]:
        axis.set_major_locator(LogLocator(subs=(1.0, 3.0)))
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter(NullFormatter())


def numbers(entry: Document, arrays: Mapping[str, Array]) -> tuple[list[str], list[list[Any]]]:
    """Heading and lines of figure-N.csv: every point of every curve."""
    lines = []
    for number, panel in enumerate(entry["panels"], start=1):
        for line in panel["lines"]:
            spread = line["spread"] or [None] * len(line["x"])
            for x, y, s in zip(line["x"], line["y"], spread, strict=True):
                lines.append([number, panel["title"], line["name"], line["kind"], x, y, s])
    return ["panel", "title", "line", "kind", "x", "y", "spread"], lines
