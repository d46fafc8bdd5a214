"""How pictures look and are written: SVG and PNG, the same bytes each time (no date, a fixed salt for ids).

Main       drawing, in which figures are made; blank, one of them; save.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

from reports.pages.palette import PALETTE

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
    with matplotlib.rc_context(STYLE):
        yield


def blank(width: float = WIDTH, height: float = HEIGHT) -> Figure:
    """An empty figure, in inches."""
    return Figure(figsize=(width, height), layout="constrained")


def save(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write the figure as NAME.svg and NAME.png; -> the paths."""
    svg, png = folder / f"{name}.svg", folder / f"{name}.png"
    figure.savefig(svg, metadata={"Date": None, "Creator": None})
    figure.savefig(png, dpi=160, metadata={"Software": None})
    return [svg, png]
