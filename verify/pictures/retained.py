"""How many latents the optimum retains at each noise.

Notation   document: a stability document as a dict; lam (n,) the thresholds, eigenvalues over beta; k latents.
Main       staircase, the line alone; draw, with what other data may retain and the noises asked about.
"""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from verify.arrays import Array
from verify.pictures.palette import PALETTE
from verify.pictures.ticks import counts, decades, noise_axis
from verify.words.numerals import weight

Document = dict[str, Any]


def staircase(axes: Axes, lam: Array, k: int, low: float, high: float) -> None:
    """The line from no latent at noise `high` to all at `low`, on axes of their own scale."""
    steps = lam[:k][lam[:k] > 0]
    axes.step([high, *steps, low], [0, *range(1, steps.size + 1), steps.size], where="post", color=PALETTE["blue"])
    axes.axhline(k, color=PALETTE["muted"], linewidth=0.9, linestyle=":")
    axes.set(xscale="log", xlim=(low, high), ylim=(-0.05 * k, 1.08 * k), ylabel=f"latents retained, of {k}")
    counts(axes.yaxis)
    decades(axes.xaxis)


def sampled(axes: Axes, facts: Document) -> None:
    """Between the fewest and the most latents that other data of the same kind may retain at each noise."""
    rows = facts["noise"]
    if all(row["sampling_range"] is not None for row in rows):
        low, high = np.array([row["sampling_range"] for row in rows]).T
        noises = [row["sigma2"] for row in rows]
        axes.fill_between(noises, low, high, color=PALETTE["blue"], alpha=0.18, linewidth=0, zorder=1)


def draw(axes: Axes, document: Document) -> None:
    """The staircase with its steps at the lam_j, a dot for each noise that was tabulated, and the recommended one."""
    lam = np.array(document["eigenvalues"], dtype=float) / weight(document)
    k, rows, start = document["k"], document["noise"], document["recommended_sigma2"]
    noises = [row["sigma2"] for row in rows]
    held = lam[:k][lam[:k] > 0]
    shown = [held[0], max(held[-1], held[0] * 1e-6), *noises, *([] if start is None else [start])]
    staircase(axes, lam, k, min(shown) / 1.8, max(shown) * 1.8)
    sampled(axes, document)
    axes.plot(noises, [row["retained"] for row in rows], "o", color=PALETTE["blue"], markersize=4)
    if start is not None:
        label = f"recommended: {start:.4g}"
        axes.axvline(start, color=PALETTE["green"], linewidth=1.1, linestyle=(0, (4, 2)), label=label)
        axes.legend()
    axes.set_xlabel(noise_axis(weight(document)))
