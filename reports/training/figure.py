"""The axes of the courses of `elbo-verify train`: the ELBO of every model, and the noise of those that learn it.

Notation   document: train.json as a dict; elbos, sigma2 (models, epochs), as train.npz holds them.
Main       courses, noises.
"""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from reports.training.groups import groups, named
from reports.training.signs import group_of
from verify.arrays import Array
from verify.pictures.palette import PALETTE
from verify.pictures.ticks import decades, plain_numbers

Document = dict[str, Any]


def courses(axes: Axes, document: Document, elbos: Array) -> None:
    """One line a model, a colour for each noise, dashed where it is learned; a cross where a model diverged."""
    found = groups(document)
    epochs = np.arange(1, elbos.shape[1] + 1)
    marker = "o" if len(epochs) == 1 else ""
    for model, curve in zip(document["models"], elbos, strict=True):
        group = found[group_of(model)]
        finite = np.isfinite(curve)
        style = {"color": group.colour, "linestyle": group.line}
        axes.plot(epochs[finite], curve[finite], linewidth=1.2, marker=marker, **style)
        if model["evaluation"] is None and finite.any():
            axes.plot(epochs[finite][-1], curve[finite][-1], "x", color=group.colour)
    named(axes, list(found.values()))
    room = 0.03 * len(epochs)
    axes.set(xlabel="epoch", ylabel="ELBO, nats per datum", ylim=window(elbos), xlim=(1 - room, len(epochs) + room))
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    plain_numbers(axes.yaxis)


def window(elbos: Array) -> tuple[float, float]:
    """The ELBOs worth showing: all that come after a tenth of the epochs; the first ones would flatten the rest."""
    epochs = elbos.shape[1]
    later = elbos[:, max(epochs // 10, int(epochs > 2)) :]
    shown = later[np.isfinite(later)]
    if not shown.size:
        return 0.0, 1.0
    low, high = float(shown.min()), float(shown.max())
    room = 0.05 * ((high - low) or abs(high) or 1.0)
    return low - room, high + room


def noises(axes: Axes, document: Document, sigma2: Array) -> bool:
    """The learned noise of each model, from its start; dotted, the best noise of a linear model.

    -> False: no model that is left learns it.
    """
    learned = [i for i, m in enumerate(document["models"]) if m["noise"] == "learned"]
    if not any(document["models"][i]["evaluation"] for i in learned):
        return False
    found = groups(document)
    for i in learned:
        model = document["models"][i]
        group = found[group_of(model)]
        curve = np.array([model["init_sigma2"], *sigma2[i]])
        shown = np.isfinite(curve) & (curve > 0)
        best = group.best == i
        width, alpha = (1.9, 1.0) if best else (1.0, 0.6)
        axes.plot(np.flatnonzero(shown), curve[shown], color=group.colour, linewidth=width, alpha=alpha)
    linear = {c["linear_optimum_sigma2"] for i in learned if (c := document["models"][i]["convergence"]) is not None}
    more = [Line2D([], [], color=group.colour, label="each model, the best one bold")]
    if optima := linear - {None}:
        for optimum in optima:
            axes.axhline(optimum, color=PALETTE["ink"], linewidth=1.2, linestyle=":")
        more.append(Line2D([], [], color=PALETTE["ink"], linestyle=":", label="best noise of a linear model"))
    named(axes, [], more)
    axes.set(xlabel="epoch", ylabel="learned noise σ²", yscale="log")
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    decades(axes.yaxis)
    return True
