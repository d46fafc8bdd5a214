"""The phase diagram: noise against eigen-direction."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from reports.stability_page.axes import (
    Spectrum,
    mark_vertically,
    name_marks,
    ring,
    ring_caption,
    said_of_ties,
)
from verify.arrays import Array
from verify.landscape.weighted import PLAIN
from verify.pictures.palette import PALETTE
from verify.pictures.placing import inside
from verify.pictures.ticks import counts, decades, noise_axis
from verify.words.numerals import share_of, typed, weight

Document = dict[str, Any]
SECTION, ORDER = "noise", 20


def shown(found: Spectrum) -> int:
    """How many directions have their eigenvalue among the noises that are shown."""
    return int((found.lam >= found.low).sum())


def draw(axes: Axes, document: Document) -> None:
    """Noise against eigen-direction: left of lam_j/beta zero columns are unstable towards u_j, up to k retained."""
    found = Spectrum(document)
    lam, k, low, high, rows = found.lam, found.k, found.low, found.high, shown(found)
    edges = np.arange(rows + 1) + 0.5
    bound = np.append(lam[:rows], lam[rows - 1])
    for region, colour in ((edges <= k + 0.5, "wash"), (edges >= k + 0.5, "sand")):
        axes.fill_betweenx(edges[region], low, bound[region], color=PALETTE[colour], step="post", linewidth=0, zorder=2)
    axes.step(bound, edges, where="pre", color=PALETTE["ink"], linewidth=1.2, zorder=3)
    m, below, above = found.band(low)
    if m := min(m, rows):
        sides = (np.append(side[:m], side[m - 1]) for side in (below, above))
        band = {"color": PALETTE["ink"], "alpha": 0.2, "linewidth": 0, "zorder": 2.5}
        axes.fill_betweenx(edges[: m + 1], *sides, step="post", **band)
    axes.set(xscale="log", xlim=(low, high), xlabel=noise_axis(found.beta), ylabel="eigen-direction j")
    if rows > 30:
        axes.set(yscale="log")
    axes.set_ylim(rows + 0.5, 0.5)
    counts(axes.yaxis, 1)
    decades(axes.xaxis)
    mark_vertically(axes, found.marks)
    if ties := [j for j in found.ties() if j <= rows]:
        ring(axes, lam[np.array(ties) - 1], ties)


def label(axes: Axes, document: Document) -> None:
    """The names of noises and regions; a region that has no room for its name has it in the caption alone."""
    found = Spectrum(document)
    name_marks(axes, found.marks)
    k, rows = found.k, shown(found)
    edges = np.arange(rows + 1) + 0.5
    _, below, above = found.band(found.low)
    left, right = (np.concatenate([side[:rows], found.lam[side.size : rows]]) for side in (below, above))
    inside(axes, ["retained"], _staircase(left[:k], edges[: k + 1], found.low))
    inside(axes, ["collapsed"], _staircase(right, edges, found.high))
    if rows > k:
        said = ["unstable, but\nall k are in use", "unstable, but all k are in use", "all k in use"]
        inside(axes, said, _staircase(left[k:], edges[k:], found.low))


def _staircase(bound: Array, edges: Array, side: float) -> Array:
    """The corners of the region between the noise `side` and bound (m,), whose rows lie between edges (m + 1,)."""
    steps = np.column_stack([np.repeat(bound, 2), np.repeat(edges, 2)[1:-1]])
    return np.vstack([steps, [(side, edges[-1]), (side, edges[0])]])


def caption(document: Document) -> str:
    """What one sees."""
    found = Spectrum(document)
    line = share_of("j", found.beta)
    text = (
        f"Noise against eigen-direction. The line is {line}: to its left a zero column is unstable towards u_j, to its "
        "right it stays collapsed. Blue: retained at the optimum."
    )
    if shown(found) > found.k:
        text += " Yellow: unstable, but all k latents are in use."
    if found.band(found.low)[0]:
        text += f" Grey band: two standard errors of {line} on either side."
    if shown(found) < found.rank:
        text += f" Of the {found.rank} directions the first {shown(found)} are drawn, whose {line} lie in the frame."
    return text + ring_caption(document)


def alt(document: Document) -> str:
    """For who cannot see it."""
    held, beta = min(document["k"], document["rank"]), weight(document["stability"])
    below = "its eigenvalue" if beta == PLAIN else f"its eigenvalue divided by {typed(beta)}"
    return (
        f"Phase diagram of noise against eigen-direction: direction j is unstable at noise below {below}; the "
        f"first {held} of these directions are retained there.{said_of_ties(document)}"
    )
