"""What each latent of a VAE says, and beside it what each further direction of the mean residual would add.

Notation   document: a diagnosis document as a dict; rho_j the eigenvalues of the mean residual above the noise s.
Main       draw; alone, the directions by themselves.
Reference  theory 6.1: a linear latent along rho_j adds (rho_j/s - 1 - log(rho_j/s))/2 nats.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator

from verify.arrays import Array
from verify.landscape.revival import direction_nats
from verify.pictures.palette import PALETTE
from verify.words.wording import number

Document = dict[str, Any]
# Of so many further directions the first are drawn.
MOST = 40


def draw(axes: Axes, document: Document) -> None:
    """Bars in nats: the KL of the latents, largest first; then, from 1 again, the directions that are left."""
    kl, fallen = np.array(document["kl"]), np.array(document["collapsed"], dtype=int) - 1
    used, lost = np.sort(np.delete(kl, fallen))[::-1], np.sort(kl[fallen])[::-1]
    _bars(axes, 1, used, "blue", f"KL of a latent in use: {used.size}")
    _bars(axes, used.size + 1, lost, "vermillion", f"KL of a collapsed latent: {lost.size}")
    k, revival = kl.size, document["revival"]
    if revival is None or not revival["eigenvalues"]:
        _finish(axes, [(1, k)], "latents, largest KL first")
        return
    axes.axvline(k + 1, ymax=0.75, color=PALETTE["rule"], linewidth=1)
    shown = directions(axes, revival["eigenvalues"], document["sigma2"], k + 2, "left above")
    _finish(axes, [(1, k), (k + 2, shown)], "latents, largest KL first; then directions that are left")


def alone(axes: Axes, rho: Sequence[float], s: float) -> None:
    """Only what the directions of a residual would add."""
    _finish(axes, [(1, directions(axes, rho, s, 1, "above"))], "directions of the residual")


def directions(axes: Axes, rho: Sequence[float], s: float, first: int, where: str) -> int:
    """A bar for each direction above the noise, from the place `first` on.  -> how many are drawn."""
    heights = direction_nats(np.array(rho, dtype=float), s)[:MOST]
    more = "" if len(heights) == len(rho) else f", the first {MOST} drawn"
    _bars(axes, first, heights, "green", f"what a direction {where} σ² = {number(s)} would add: {len(rho)}{more}")
    return len(heights)


def _bars(axes: Axes, first: int, heights: Array, colour: str, label: str) -> None:
    if len(heights):
        axes.bar(np.arange(first, first + len(heights)), heights, color=PALETTE[colour], label=label, width=0.8)


def _finish(axes: Axes, groups: Sequence[tuple[int, int]], xlabel: str) -> None:
    """Each group of bars, (its first place, how many), numbered from 1; room for the legend above."""
    found = [
        (first + j - 1, str(j))
        for first, many in groups
        for j in map(int, MaxNLocator(5, integer=True).tick_values(1, max(many, 1)))
        if 1 <= j <= many
    ]
    axes.xaxis.set_major_locator(FixedLocator([place for place, _ in found]))
    axes.xaxis.set_major_formatter(FixedFormatter([text for _, text in found]))
    last = max(sum(groups[-1]) - 1, 1)
    axes.set(xlim=(0.4, last + 0.6), ylim=(0, 1.35 * max(axes.get_ylim()[1], 1e-3)))
    axes.set(xlabel=xlabel, ylabel="nats per datum")
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="upper right")
