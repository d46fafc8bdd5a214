"""Figure 2: likelihood and ELBO over the number of latents.

Notation   document: report.json as a dict.
Main       draw, draw_detail, falls.
Reference  Lucas et al. 2019, Figure 2.
"""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from reports.pages.palette import PALETTE

Document = dict[str, Any]


def draw(axes: Axes, document: Document) -> None:
    """Figure 2: L and the ELBO at each k's own noise, and both readings of "the noise of k0"."""
    data = document["figure2"]
    own, k0 = data["maximum_likelihood"], data["reference_k"]
    axes.plot(data["k"], own, color=PALETTE["green"], linewidth=3.2, label="likelihood, σ² of each k")
    dashes = {"color": PALETTE["vermillion"], "linestyle": (0, (3, 2)), "linewidth": 1.5}
    axes.plot(data["k"], data["optimal_elbo"], label="optimal ELBO, the same", **dashes)
    _at_reference(axes, data)
    axes.axvline(k0, color=PALETTE["muted"], linewidth=0.9, linestyle=":")
    # The weights of a few columns are hopeless at another noise; they would flatten what is to be compared.
    low, high = min(own), max(own)
    room = (high - low) or abs(high) or 1.0
    axes.set_ylim(max(low, min(data["weights_at_reference"])) - 0.25 * room, high + 0.06 * room)
    axes.legend(loc="best", handlelength=2.6)


def draw_detail(axes: Axes, document: Document) -> None:
    """The two curves at the noise of k0 alone, so near their top that the rise and the fall are seen."""
    data = document["figure2"]
    judged, best = data["weights_at_reference"], data["fixed_noise"][-1]
    _at_reference(axes, data)
    top = max(range(len(judged)), key=judged.__getitem__)
    drop = best - judged[-1]
    first = next(i for i in range(top + 1) if judged[i] > best - 3 * drop)
    axes.set(xlim=(data["k"][max(first - 1, 0)], data["k"][-1]), ylim=(best - 3 * drop, best + 0.4 * drop))
    for i in (top, len(judged) - 1):
        axes.plot(data["k"][i], judged[i], "o", color=PALETTE["blue"], markersize=5, clip_on=False, zorder=5)
        side = "center" if i == top else "right"
        text = f"{judged[i]:.1f}".replace("-", "−")
        place = {"xytext": (0, -7), "textcoords": "offset points", "ha": side, "va": "top"}
        axes.annotate(text, (data["k"][i], judged[i]), color=PALETTE["blue"], **place)


def falls(figure2: Document) -> bool:
    """Whether the weights of each k, read at one noise, get worse with more of them."""
    return bool(figure2["weights_at_reference"][-1] < max(figure2["weights_at_reference"]))


def _at_reference(axes: Axes, data: Document) -> None:
    """Both readings of "the noise of k0": the best W for that noise, and the W of each k's own."""
    k0 = data["reference_k"]
    dashes = {"color": PALETTE["purple"], "linestyle": (0, (6, 1.5, 1, 1.5))}
    axes.plot(data["k"], data["fixed_noise"], label=f"best W for the σ² of k = {k0}", **dashes)
    label = f"W of each k, at the σ² of k = {k0}"
    axes.plot(data["k"], data["weights_at_reference"], color=PALETTE["blue"], label=label)
    axes.set(xlabel="latent dimension k", ylabel="nats per datum")
    axes.xaxis.set_major_locator(MaxNLocator(7, integer=True))
    axes.margins(x=0.02)
