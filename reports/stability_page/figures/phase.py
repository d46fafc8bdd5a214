"""The phase diagram: noise against eigen-direction."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from reports.pages.palette import PALETTE
from reports.stability_page.axes import Spectrum, geometric_mean, mark_vertically, ring, said_of_ties

Document = dict[str, Any]
SECTION, ORDER = "noise", 20


def draw(axes: Axes, document: Document) -> None:
    """Noise against eigen-direction: left of lam_j a zero column is unstable towards u_j; up to k it is retained."""
    found = Spectrum(document)
    lam, k, low, high = found.lam, found.k, found.low, found.high
    rank = int((lam >= low).sum())
    edges = np.arange(rank + 1) + 0.5
    bound = np.append(lam[:rank], lam[rank - 1])
    for region, colour in ((edges <= k + 0.5, "wash"), (edges >= k + 0.5, "sand")):
        axes.fill_betweenx(edges[region], low, bound[region], color=PALETTE[colour], step="post", linewidth=0, zorder=2)
    axes.step(bound, edges, where="pre", color=PALETTE["ink"], linewidth=1.2, zorder=3)
    axes.set(xscale="log", xlim=(low, high), xlabel="noise σ²", ylabel="eigen-direction j")
    axes.set_ylim(rank + 0.5, 0.5)
    axes.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    middle = np.mean
    if rank > 30:
        axes.set(yscale="log", ylim=(rank + 0.5, 0.5))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
        middle = geometric_mean
    mark_vertically(axes, found.marks)
    if ties := found.ties():
        ring(axes, lam[np.array(ties) - 1], ties)
    axes.text(low * 1.3, middle([0.5, min(k, rank) + 0.5]), "retained", va="center", zorder=4)
    if rank > k:
        axes.text(low * 1.3, middle([k + 0.5, rank + 0.5]), "unstable, but\nall k are in use", va="center", zorder=4)
    axes.text(0.98, 0.04, "collapsed", transform=axes.transAxes, ha="right", zorder=4,
              bbox={"facecolor": PALETTE["paper"], "edgecolor": "none", "pad": 1.5})  # fmt: skip


def caption(document: Document) -> str:
    """What one sees."""
    return (
        "Noise against eigen-direction. The line is lam_j: to its left a zero column is unstable towards u_j, to its "
        "right it stays collapsed. Blue: retained at the optimum."
    )


def alt(document: Document) -> str:
    """For who cannot see it."""
    held = min(document["k"], document["rank"])
    return (
        "Phase diagram of noise against eigen-direction: direction j is unstable at noise below its eigenvalue; the "
        f"first {held} of these directions are retained there.{said_of_ties(document)}"
    )
