"""Pictures of data side by side, in one frame.

Notation   pictures (rows, columns, height, width, channels) uint8, of 1 or 3 channels.
Main       gallery, mark; mosaic, the pixels.

All pictures of a frame are one image, so that no viewer smooths their edges into each other.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from verify.arrays import Array

# Between two pictures, as a part of their width.
GAP = 16


def gap(pictures: Array) -> int:
    """How many pixels lie between two pictures."""
    return max(1, int(pictures.shape[3]) // GAP)


def mosaic(pictures: Array) -> Array:
    """All of them as one image (H, W, 4) uint8, nothing but transparency between them."""
    rows, columns, height, width, channels = pictures.shape
    down, across = height + gap(pictures), width + gap(pictures)
    tiles = np.zeros((rows, columns, down, across, 4), dtype=np.uint8)
    tiles[:, :, :height, :width, :3] = pictures if channels == 3 else np.repeat(pictures, 3, axis=4)
    tiles[:, :, :height, :width, 3] = 255
    whole = tiles.transpose(0, 2, 1, 3, 4).reshape(rows * down, columns * across, 4)
    return whole[: -gap(pictures), : -gap(pictures)]


def gallery(
    axes: Axes, pictures: Array, names: Sequence[str] = (), below: Sequence[str] = (), after: Sequence[str] = ()
) -> None:
    """Draw them; names: of the rows, on the left; after: what stands on their right; below: under each column."""
    rows, columns, height, width, _ = pictures.shape
    whole = mosaic(pictures)
    # Each pixel a square of one unit, the first at the top left.
    axes.imshow(whole, extent=(0, whole.shape[1], whole.shape[0], 0), interpolation="none")
    for axis, count, side, words in ((axes.yaxis, rows, height, names), (axes.xaxis, columns, width, below)):
        axis.set_ticks([side / 2 + i * (side + gap(pictures)) for i in range(count)] if words else [], words or None)
        axis.set_tick_params(length=0)
    for row, words in enumerate(after):
        at = whole.shape[1] + width / 10, height / 2 + row * (height + gap(pictures))
        axes.text(*at, words, ha="left", va="center")
    for spine in axes.spines.values():
        spine.set_visible(False)


def mark(axes: Axes, pictures: Array, row: int, column: int, colour: str, name: str) -> None:
    """A frame around one picture of a gallery, and a name above it or, in the lower half, below."""
    rows, _, height, width, _ = pictures.shape
    room = gap(pictures)
    left, top = column * (width + room), row * (height + room)
    frame = Rectangle((left, top), width, height, fill=False, edgecolor=colour, linewidth=2.2, clip_on=False)
    axes.add_patch(frame)
    lower = 2 * row >= rows
    at = left + width / 2, (top + height + room if lower else top - room)
    axes.text(*at, name, color=colour, ha="center", va="top" if lower else "bottom")
