"""The KL of each latent of an encoder, largest first, those that collapsed apart.

Notation   document: a collapse document as a dict; KL in nats, mean over the data.
Main       draw.
"""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from verify.pictures.palette import PALETTE
from verify.pictures.ticks import counts

Document = dict[str, Any]
# Below this share of the largest a bar cannot be seen, and a logarithm shows what there is.
SMALL = 1e-3


def draw(axes: Axes, document: Document) -> None:
    """A bar for each latent; the numbers of few latents stand below their bars."""
    kl = np.array(document["kl"])
    order = np.argsort(-kl, kind="stable")
    fallen = {i - 1 for i in document["collapsed"]}
    for which, colour, name in ((False, "blue", "in use"), (True, "vermillion", "collapsed")):
        at = [place for place, i in enumerate(order, start=1) if (i in fallen) == which]
        if at:
            axes.bar(at, kl[order[np.array(at) - 1]], color=PALETTE[colour], label=f"{name}: {len(at)}", width=0.8)
    axes.axhline(document["epsilon"], color=PALETTE["muted"], linewidth=0.9, linestyle=":")
    if kl.min() > 0 and kl.min() < SMALL * kl.max():
        axes.set_yscale("log")
    axes.set(xlim=(0.4, kl.size + 0.6), xlabel="latents, largest KL first", ylabel="KL to the prior, nats")
    counts(axes.xaxis, first=1)
    axes.legend()
