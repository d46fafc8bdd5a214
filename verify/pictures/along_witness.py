"""The quotient whose largest value is the threshold of every decoder, along the vector that proves the lower bound.

Notation   document: {"along": [{"length", "quotient"}], "lam_1", "lower", "upper"}.
Main       draw.
"""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from verify.pictures.palette import PALETTE
from verify.pictures.ticks import plain_numbers
from verify.words.wording import number


def draw(axes: Axes, document: dict[str, Any]) -> None:
    """A curve over the length of the vector, and the bounds as lines."""
    length, quotient = np.array([[row["length"], row["quotient"]] for row in document["along"]]).T
    axes.plot(length, quotient, color=PALETTE["blue"], label="2 log mean exp⟨y, t⟩ / |t|²")
    for name, colour, said in (
        ("lam_1", "muted", "linear VAE collapses above"),
        ("lower", "vermillion", "some decoder gains below"),
    ):
        label = f"{said} {number(document[name])}"
        axes.axhline(document[name], color=PALETTE[colour], linestyle="--", linewidth=1.1, label=label)
    axes.set(xlabel="length of t, in units of the witness", ylabel="noise σ²", xlim=(0, length[-1]))
    low, high = min(quotient.min(), document["lam_1"]), document["lower"]
    axes.set_ylim(low - 0.05 * (high - low), high + 0.45 * (high - low))
    plain_numbers(axes.yaxis)
    axes.legend(loc="upper right")
