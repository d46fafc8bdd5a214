"""How pictures look and are written: SVG and PNG, the same bytes each time (no date, a fixed salt for ids).

Main       drawing, in which figures are made; blank, one of them; settle, before text is placed; save; scales.
"""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from verify.pictures.palette import PALETTE

STYLE = {
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


@contextmanager
def drawing() -> Iterator[None]:
    """Figures that are made and saved in this block look alike."""
    with matplotlib.rc_context(dict[Any, Any](STYLE)):
        yield


def blank(width: float = WIDTH, height: float = HEIGHT) -> Figure:
    """An empty figure, in inches."""
    return Figure(figsize=(width, height), layout="constrained")


def settle(figure: Figure) -> None:
    """Lay the figure out and leave it so: what is placed after this by measuring stays in its place."""
    engine = figure.get_layout_engine()
    # Twice: the numbers on an axis change with its length, and with them the room that they take.
    for _ in range(2):
        if engine is not None:
            engine.execute(figure)
    figure.set_layout_engine(None)


def save(figure: Figure, folder: Path, name: str, scaled: Axes | None = None) -> list[Path]:
    """Write the figure as NAME.svg and NAME.png; the SVG carries the scales of the axes `scaled`.  -> the paths."""
    svg, png = folder / f"{name}.svg", folder / f"{name}.png"
    # Laid out once for both.
    settle(figure)
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    drawn = text.getvalue()
    if scaled is not None:
        said = escape(json.dumps(scales(scaled)))
        drawn = drawn.replace("<svg ", f'<svg data-axes="{said}" ', 1)
    svg.write_text(drawn, encoding="utf-8")
    figure.savefig(png, dpi=160, metadata={"Software": None})
    return [svg, png]


def scales(axes: Axes) -> dict[str, list[Any]]:
    """Where the frame of settled axes lies in the SVG, in units of its viewBox, and what stands at its edges.

    x: left, right, the values there, "log" or "linear"; y: top, bottom and so on, y growing downwards as in SVG.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None
    frame, (width, height) = axes.get_position(), figure.get_size_inches() * 72
    (left, right), (bottom, top) = (tuple(map(float, limits)) for limits in (axes.get_xlim(), axes.get_ylim()))
    places = [frame.x0 * width, frame.x1 * width], [(1 - frame.y1) * height, (1 - frame.y0) * height]
    across, down = ([round(float(place), 3) for place in pair] for pair in places)
    return {"x": [*across, left, right, axes.get_xscale()], "y": [*down, top, bottom, axes.get_yscale()]}
