"""Figure 1: slices of the likelihood along two zero columns.

Notation   a Slice as verify.landscape.slices has it.
Main       draw (one slice); side_by_side, and landscape, which writes that; Scale, what panels have in common.
Reference  Lucas et al. 2019, Figure 1; colours: cividis.

Panels beside each other share their axes and their colours: nats below the best of each panel's plane, down to one
depth, so that a colour and a contour mean the same in all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from verify.arrays import Array
from verify.landscape.slices import Slice
from verify.landscape.weighted import PLAIN
from verify.pictures.drawing import blank, drawing, save
from verify.pictures.palette import PALETTE
from verify.pictures.ticks import plain_numbers
from verify.words.numerals import as_threshold, typed
from verify.words.wording import number, sub, symbols

# Near the best of a plane L falls with the square of the distance: its root makes steps of equal width there.
_GAMMA = 0.5
_CONTOURS = 12


@dataclass(frozen=True)
class Scale:
    """What panels have in common: the half-width of their frames, and the depth that is darkest, in nats."""

    extent: float
    depth: float

    @classmethod
    def of(cls, slices: Sequence[Slice]) -> "Scale":
        """The widest frame, and of the depths that panels would choose for themselves thrice the middle one."""
        extent = max(float(np.abs(axis).max()) for piece in slices for axis in (piece.a, piece.b))
        depths = sorted(float(np.quantile(below_best(piece), 0.98)) for piece in slices)
        # The deepest alone would leave the others without contrast.
        return cls(extent, min(3 * depths[len(depths) // 2], depths[-1]) or 1.0)

    @property
    def norm(self) -> PowerNorm:
        """From depths to colours, 1 being the best."""
        return PowerNorm(_GAMMA, vmin=0.0, vmax=self.depth, clip=True)


def below_best(piece: Slice) -> Array:
    """How far each point of the plane lies below its best, in nats; b along the rows, a along the columns."""
    L = np.asarray(piece.values).T
    return np.asarray(L.max() - L)


def draw(axes: Axes, piece: Slice, scale: Scale | None = None, bar: bool = True, beta: float = PLAIN) -> None:
    """One panel of Figure 1: L (the ELBO at another beta) over two perturbed zero columns, the point in the middle."""
    scale = scale or Scale.of([piece])
    a, b, depth = np.asarray(piece.a), np.asarray(piece.b), below_best(piece)
    extent = (a[0], a[-1], b[0], b[-1])
    shading = {"cmap": "cividis_r", "norm": scale.norm, "interpolation": "bilinear", "aspect": "auto"}
    axes.imshow(depth, origin="lower", extent=extent, **shading)
    levels = scale.depth * (np.arange(1, _CONTOURS + 1) / _CONTOURS) ** (1 / _GAMMA)
    # matplotlib warns of levels that no point crosses.
    levels = levels[levels < depth.max()]
    if levels.size:
        axes.contour(a, b, depth, levels=levels, colors="white", linewidths=0.5, linestyles="solid", alpha=0.5)
    axes.plot(0, 0, marker="o", color="white", markeredgecolor="black", markersize=7, markeredgewidth=1.2)
    i, j = (d + 1 for d in piece.directions)
    limits = (-scale.extent, scale.extent)
    axes.set(xlabel=f"along {sub('u', i)}", ylabel=f"along {sub('u', j)}", box_aspect=1, xlim=limits, ylim=limits)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(4))
        plain_numbers(axis)
    axes.set_title(f"σ² = {symbols(as_threshold(piece.sigma2))}: unstable in {piece.unstable} of 2")
    for spine in axes.spines.values():
        spine.set_visible(True)
    if bar:
        _bar(axes, scale, beta)


def _bar(axes: Axes, scale: Scale, beta: float) -> None:
    """What the colours mean, beside a panel and as high."""
    bar = axes.inset_axes((1.05, 0.0, 0.05, 1.0))
    top = np.linspace(1.0, 0.0, 128)[:, None]
    bar.imshow(top, cmap="cividis_r", vmin=0, vmax=1, origin="lower", extent=(0, 1, 0, 1), aspect="auto")
    ticks = [v for v in MaxNLocator(5).tick_values(0.0, scale.depth) if 0 <= v <= scale.depth]
    heights = [1.0 - float(scale.norm(v)) for v in ticks]
    # The best is at the top; what is deeper than the scale has the colour at its foot.
    said = [number(v, 3) for v in ticks]
    bar.yaxis.set_major_locator(FixedLocator(heights))
    bar.yaxis.set_major_formatter(FuncFormatter(lambda _, at: said[at] if at is not None else ""))
    bar.yaxis.tick_right()
    bar.yaxis.set_label_position("right")
    of = "" if beta == PLAIN else f", ELBO (β = {typed(beta)})"
    bar.set(ylim=(0, 1), xticks=[], ylabel=f"nats below the panel's best{of}")
    for spine in bar.spines.values():
        spine.set(visible=True, color=PALETTE["muted"])


def landscape(slices: Sequence[Slice], out: Path, beta: float = PLAIN) -> list[Path]:
    """Figure 1: the slices side by side, as landscape.svg and landscape.png in the folder `out`; -> the paths."""
    if not slices:
        return []
    with drawing():
        return save(side_by_side(slices, beta), out, "landscape")


def side_by_side(slices: Sequence[Slice], beta: float = PLAIN) -> Figure:
    """One panel for each of the slices, one at least, and one bar for them all."""
    scale, figure = Scale.of(slices), blank(3.2 * len(slices) + 0.6, 3.5)
    for axes, piece in zip(np.atleast_1d(figure.subplots(1, len(slices))), slices, strict=True):
        draw(axes, piece, scale, bar=piece is slices[-1], beta=beta)
    return figure
