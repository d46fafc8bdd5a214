"""What each latent of a VAE says, beside what the latents of the best linear VAE say at the same noise.

Notation   document: a diagnosis document as a dict; lam_j eigenvalues of the data, s the noise that counts.
Main       draw; linear_kl.
Reference  theory 3.9: at the linear optimum latent j says 1/2 log(lam_j/s) where lam_j > s, and 0 elsewhere.
"""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from verify.arrays import Array
from verify.pictures import kl_of_latents
from verify.pictures.palette import PALETTE

Document = dict[str, Any]


def linear_kl(document: Document) -> Array:
    """Of the latents that the linear optimum keeps, largest first.  -> (q,)."""
    kept = np.array(document["linear"]["eigenvalues"][: document["linear"]["retained"]])
    return np.asarray(0.5 * np.log(kept / document["sigma2"]))


def draw(axes: Axes, document: Document) -> None:
    """Bars of the model, largest first, and a dotted line of the linear VAE."""
    kl_of_latents.draw(axes, document)
    linear = linear_kl(document)
    if linear.size:
        style: dict[str, Any] = {
            "color": PALETTE["ink"],
            "linestyle": ":",
            "marker": "o",
            "markersize": 2.5,
            "linewidth": 1.2,
        }
        axes.plot(np.arange(1, linear.size + 1), linear, label=f"best linear VAE: {linear.size}", **style)
        axes.legend()
