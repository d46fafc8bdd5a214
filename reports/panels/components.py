"""Figure 2: likelihood and ELBO over the number of latents.

Notation   document: report.json as a dict.
Main       draw; draw_detail and label_detail, before and after the frame is laid out; falls.
Reference  Lucas et al. 2019, Figure 2.
"""

from math import floor, log10
from typing import Any

from matplotlib.axes import Axes

from verify.pictures.palette import PALETTE
from verify.pictures.placing import beside
from verify.pictures.ticks import counts, plain_numbers
from verify.words.wording import number

Document = dict[str, Any]


def draw(axes: Axes, document: Document) -> None:
    """Figure 2: L and the ELBO at each k's own noise, and both readings of "the noise of k0"."""
    data = document["figure2"]
    own, k0 = data["maximum_likelihood"], data["reference_k"]
    axes.plot(data["k"], own, color=PALETTE["green"], linewidth=3.2, label="likelihood, σ² of each k")
    dashes = {"color": PALETTE["vermillion"], "linestyle": (0, (3, 2)), "linewidth": 1.5}
    axes.plot(data["k"], data["optimal_elbo"], label="optimal ELBO, the same", **dashes)
    _at_reference(axes, data)
    axes.axvline(k0, color=PALETTE["muted"], linewidth=0.9, linestyle=":", label=f"k = {k0}")
    # The weights of a few columns are hopeless at another noise; they would flatten what is to be compared.
    low, high = min(own), max(own)
    room = (high - low) or abs(high) or 1.0
    axes.set_ylim(max(low, min(data["weights_at_reference"])) - 0.25 * room, high + 0.06 * room)
    _numbers(axes)
    # Above the frame, where no curve runs: so many names leave no corner free for sure.
    axes.figure.legend(loc="outside upper center", ncols=2, handlelength=2.6, columnspacing=1.5)


def draw_detail(axes: Axes, document: Document) -> None:
    """The two curves at the noise of k0 alone, so near their top that the rise and the fall are seen."""
    data = document["figure2"]
    judged, best = data["weights_at_reference"], data["fixed_noise"][-1]
    _at_reference(axes, data)
    top = max(range(len(judged)), key=judged.__getitem__)
    drop = best - judged[-1]
    first = next(i for i in range(top + 1) if judged[i] > best - 3 * drop)
    axes.set(xlim=(data["k"][max(first - 1, 0)], data["k"][-1]), ylim=(best - 3 * drop, best + 0.4 * drop))
    _numbers(axes)
    for i in (top, len(judged) - 1):
        axes.plot(data["k"][i], judged[i], "o", color=PALETTE["blue"], markersize=5, clip_on=False, zorder=5)


def label_detail(axes: Axes, document: Document) -> None:
    """The value at the top of the falling curve and at its end, with two digits of what lies between them."""
    data = document["figure2"]
    judged = data["weights_at_reference"]
    top = max(range(len(judged)), key=judged.__getitem__)
    decimals = max(0, 1 - floor(log10(judged[top] - judged[-1])))
    for i in (top, len(judged) - 1):
        text = number(judged[i], decimals + max(1, 1 + floor(log10(abs(judged[i]) or 1.0))))
        near = [(x, y) for y in (-6, -10, -16, -24, -36, -50) for x in (0, -6, -14, 6, 14)]
        beside(axes, text, (data["k"][i], judged[i]), PALETTE["blue"], near)


def falls(figure2: Document) -> bool:
    """Whether the weights of each k, read at one noise, get worse with more of them."""
    return bool(figure2["weights_at_reference"][-1] < max(figure2["weights_at_reference"]))


def _at_reference(axes: Axes, data: Document) -> None:
    """Both readings of "the noise of k0": the best W for that noise, and the W of each k's own."""
    k0 = data["reference_k"]
    dashes = {"color": PALETTE["purple"], "linestyle": (0, (6, 1.5, 1, 1.5))}
    axes.plot(data["k"], data["fixed_noise"], label=f"best W at the σ² of k = {k0}", **dashes)
    axes.plot(data["k"], data["weights_at_reference"], color=PALETTE["blue"], label="W of each k at that σ²")
    axes.set(xlabel="latent dimension k", ylabel="nats per datum")
    axes.margins(x=0.02)


def _numbers(axes: Axes) -> None:
    """The numbers on both axes, whose limits are set."""
    counts(axes.xaxis, 1)
    plain_numbers(axes.yaxis)
