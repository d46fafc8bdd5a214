"""The statements of a certificate, one below the other, by what became of them.

Notation   document: a certify document as a dict.
Main       draw.
"""

import textwrap
from typing import Any

from matplotlib.axes import Axes

from verify.pictures.palette import PALETTE

Document = dict[str, Any]
_COLOURS = {"proved": "green", "refuted": "vermillion", "undecided": "muted"}
# Of so many statements the first are drawn.
_MOST = 12
_WIDTH = 60


def draw(axes: Axes, document: Document) -> None:
    """A line for each statement: its status in a colour and in letters, and what it says."""
    rows = document["statements"][:_MOST]
    for i, row in enumerate(rows):
        colour = PALETTE[_COLOURS[row["status"]]]
        axes.text(0.0, i, row["status"], color=colour, weight="bold", va="center")
        axes.text(0.2, i, textwrap.shorten(row["says"], _WIDTH, placeholder=" ..."), color=PALETTE["ink"], va="center")
    axes.set(xlim=(0, 1), ylim=(max(len(rows), 1) - 0.5, -0.5), xticks=[], yticks=[])
    axes.set_frame_on(False)
