"""What each latent of a VAE says, and beside it what each further direction of the mean residual would add.

Notation   document: a diagnosis document as a dict; rho_j the eigenvalues of the mean residual above the noise s.
Main       draw.
Reference  theory 6.1: a linear latent along rho_j adds (rho_j/s - 1 - log(rho_j/s))/2 nats.
"""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from verify.landscape.revival import direction_nats
from verify.pictures.palette import PALETTE
from verify.pictures.ticks import counts
from verify.words.wording import number

Document = dict[str, Any]
# Of so many further directions the first are drawn.
MOST = 40


def draw(axes: Axes, document: Document) -> None:
    """Bars in nats: the KL of the latents, largest first; then, from 1 again, the directions that are left."""
    kl, fallen = np.array(document["kl"]), np.array(document["collapsed"], dtype=int) - 1
    used = np.sort(np.delete(kl, fallen))[::-1]
    lost = np.sort(kl[fallen])[::-1]
    _bars(axes, 1, used, "blue", f"KL of a latent in use: {used.size}")
    _bars(axes, used.size + 1, lost, "vermillion", f"KL of a collapsed latent: {lost.size}")
    right = kl.size + 0.6
    if document["revival"] is not None and document["revival"]["eigenvalues"]:
        rho, s = np.array(document["revival"]["eigenvalues"]), document["sigma2"]
        shown = direction_nats(rho, s)[:MOST]
        more = "" if shown.size == rho.size else f", the first {MOST} drawn"
        axes.axvline(kl.size + 1, color=PALETTE["rule"], linewidth=1)
        label = f"what a direction left above σ² = {number(s)} would add: {rho.size}{more}"
        _bars(axes, kl.size + 2, shown, "green", label)
        right = kl.size + 1.6 + shown.size
    axes.set(
        xlim=(0.4, right), xlabel="latents, largest KL first; then directions that are left", ylabel="nats per datum"
    )
    counts(axes.xaxis, first=1)
    axes.xaxis.set_major_locator(_upto(axes, kl.size))
    axes.set_ylim(top=1.35 * axes.get_ylim()[1])
    axes.legend(loc="upper right")


def _bars(axes: Axes, first: int, heights: Any, colour: str, label: str) -> None:
    if len(heights):
        axes.bar(np.arange(first, first + len(heights)), heights, color=PALETTE[colour], label=label, width=0.8)


def _upto(axes: Axes, last: int) -> Any:
    """Numbers at latents alone."""
    from matplotlib.ticker import FixedLocator

    return FixedLocator([tick for tick in axes.get_xticks() if tick <= last])
