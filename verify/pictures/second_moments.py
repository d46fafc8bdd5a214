"""The mean of mu^2 + variance of each latent, which is 1 at the end of a training.

Notation   document: a diagnosis or a collapse document as a dict.
Main       draw.
Reference  theory 6.4.
"""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from verify.landscape.worth import MOMENT
from verify.pictures.palette import PALETTE
from verify.pictures.ticks import counts, plain_numbers

Document = dict[str, Any]


def draw(axes: Axes, document: Document) -> None:
    """A dot for each latent in its own order; the band is what a training that goes on jitters by."""
    moment = np.array(document["second_moment"])
    fallen = np.isin(np.arange(1, moment.size + 1), document["collapsed"])
    axes.axhspan(1 - MOMENT, 1 + MOMENT, color=PALETTE["wash"], alpha=0.5, linewidth=0)
    axes.axhline(1, color=PALETTE["muted"], linewidth=0.9, linestyle=":")
    for which, colour, marker, name in ((~fallen, "blue", "o", "in use"), (fallen, "vermillion", "x", "collapsed")):
        if which.any():
            at = np.flatnonzero(which) + 1
            axes.plot(at, moment[which], marker, color=PALETTE[colour], markersize=4.5, label=name)
    low, high = min(0.8, moment.min()), max(1.2, moment.max())
    axes.set(ylim=(low - 0.05 * (high - low), high + 0.25 * (high - low)), xlim=(0.4, moment.size + 0.6))
    axes.set(xlabel="latent", ylabel="mean of μ² + variance")
    axes.legend(ncols=2, loc="upper right")
    counts(axes.xaxis, first=1)
    plain_numbers(axes.yaxis)
