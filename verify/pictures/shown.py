"""A picture on axes of somebody's own, or on new ones, in our style.

Main       on_axes.
"""

from collections.abc import Callable

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from verify.pictures.drawing import HEIGHT, WIDTH, drawing


def on_axes(draw: Callable[[Axes], None], axes: Axes | None) -> Axes:
    """Draw on `axes`, or on those of a new figure that a notebook shows; -> the axes."""
    with drawing():
        if axes is None:
            _, axes = plt.subplots(figsize=(WIDTH, HEIGHT), layout="constrained")
        draw(axes)
    return axes
