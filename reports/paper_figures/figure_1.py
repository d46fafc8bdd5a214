"""Figure 1: slices of the likelihood along two zero columns.

Notation   a Slice as verify.landscape.slices has it.
Main       draw (one slice), landscape (side by side).
Reference  Lucas et al. 2019, Figure 1; colours: cividis.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from reports.pages.drawing import blank, drawing, save
from reports.words.numerals import as_threshold
from reports.words.wording import sub, symbols
from verify.landscape.slices import Slice


def draw(axes: Axes, piece: Slice) -> None:
    """One panel of Figure 1: L over the two perturbed zero columns, the stationary point in the middle."""
    a, b = np.asarray(piece.a), np.asarray(piece.b)
    L = np.asarray(piece.values).T  # a runs along x
    levels = np.unique(np.quantile(L, np.linspace(0.02, 0.99, 12)))
    extent = (a[0], a[-1], b[0], b[-1])
    shading = {"cmap": "cividis", "vmin": levels[0], "interpolation": "bilinear", "aspect": "auto"}
    axes.imshow(L, origin="lower", extent=extent, **shading)
    if levels.size > 1:
        axes.contour(a, b, L, levels=levels, colors="white", linewidths=0.5, linestyles="solid", alpha=0.5)
    axes.plot(0, 0, marker="o", color="white", markeredgecolor="black", markersize=7, markeredgewidth=1.2)
    i, j = (d + 1 for d in piece.directions)
    axes.set(xlabel=f"along {sub('u', i)}", ylabel=f"along {sub('u', j)}", box_aspect=1)
    axes.set_title(f"σ² = {symbols(as_threshold(piece.sigma2))}: unstable in {piece.unstable} of 2")
    for spine in axes.spines.values():
        spine.set_visible(True)


def landscape(slices: Sequence[Slice], out: Path) -> list[Path]:
    """Figure 1: the slices side by side, as landscape.svg and landscape.png in the folder `out`; -> the paths."""
    if not slices:
        return []
    with drawing():
        figure = blank(3.2 * len(slices), 3.5)
        for axes, piece in zip(np.atleast_1d(figure.subplots(1, len(slices))), slices, strict=True):
            draw(axes, piece)
        return save(figure, out, "landscape")
