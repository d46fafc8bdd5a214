"""Stationary points by their value and by the number of directions in which the objective still rises.

Notation   document: a stationary document as a dict.
Main       draw.
"""

from typing import Any

from matplotlib.axes import Axes

from verify.pictures.palette import PALETTE
from verify.pictures.ticks import counts, plain_numbers

Document = dict[str, Any]
KINDS = {
    "maximum": ("green", "o", "maximum"),
    "saddle": ("blue", "o", "saddle"),
    "minimum": ("purple", "s", "minimum"),
    "undecided": ("muted", "D", "undecided"),
}


def draw(axes: Axes, document: Document) -> None:
    """A point for each that is listed; non-orthogonal ones hollow."""
    points = document["points"]
    for kind, (colour, marker, name) in KINDS.items():
        for orthogonal in (True, False):
            these = [p for p in points if p["kind"] == kind and p["orthogonal"] == orthogonal]
            if these:
                face = PALETTE[colour] if orthogonal else "none"
                label = f"{name}{'' if orthogonal else ', columns not orthogonal'}: {len(these)}"
                axes.plot(
                    [p["index"] for p in these], [p["value"] for p in these], marker, label=label, linestyle="none",
                    markeredgecolor=PALETTE[colour], markerfacecolor=face, alpha=0.8,
                )  # fmt: skip
    axes.set(xlabel="directions in which the objective rises", ylabel="value, nats per datum")
    left, right = axes.get_xlim()
    axes.set_xlim(min(left, -0.5), max(right, 0.5))
    counts(axes.xaxis)
    plain_numbers(axes.yaxis)
    axes.legend()
