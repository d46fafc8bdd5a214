"""The axes of what became of the latents in `elbo-verify train`: collapse over its threshold, and the KL of each.

Notation   document: train.json as a dict; lam_j its eigenvalues, descending; s = beta sigma2, beta the weight of the KL
           at which the training ended.
Main       collapse, kl_of_latents.
Reference  Lucas et al. 2019, Figures 5 and 6; theory 3.9: at the optimum of a linear model the KL of latent j is, on
           average over the data, 1/2 log(lam_j/s) where lam_j > s, and 0 elsewhere.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from reports.training.groups import Group, groups, named
from verify.arrays import Array
from verify.pictures.palette import PALETTE
from verify.pictures.ticks import counts, decades

Document = dict[str, Any]
# A latent of a smaller mean KL is as collapsed as any; showing it would flatten the others.
SMALLEST_KL = 1e-4
# Of so few latents each is marked.
FEW = 40


def _best(document: Document) -> Iterator[tuple[Group, Document]]:
    """Each group that has a best model, with that."""
    for group in groups(document).values():
        if group.best is not None:
            yield group, document["models"][group.best]


def collapse(axes: Axes, document: Document) -> bool:
    """Collapsed latents over epsilon, a line for the best model of each noise; rings: the linear optimum there.

    -> False: no model is left.
    """
    shown, k = list(_best(document)), document["architecture"]["k"]
    for number, (group, model) in enumerate(shown):
        e = model["evaluation"]
        style = {"color": group.colour, "linestyle": group.line}
        axes.plot(document["epsilons"], e["collapse_curve"], linewidth=1.6, **style)
        linear = 100 * (1 - e["linear_retained"] / k)
        # Rings that meet lie in each other.
        size = 5 + 2.6 * (number % 4)
        axes.plot(document["epsilon"], linear, marker="o", markersize=size, fillstyle="none", color=group.colour)
    ring = Line2D([], [], marker="o", markersize=6.5, fillstyle="none", color=PALETTE["ink"], linestyle="none")
    ring.set_label("linear optimum")
    named(axes, [group for group, _ in shown], [ring])
    axes.set(xlabel="threshold ε of the KL, nats", ylabel="collapsed latents, %", ylim=(-4, 104))
    axes.margins(x=0.03)
    return bool(shown)


def kl_of_latents(axes: Axes, document: Document) -> bool:
    """The mean KL of each latent, the largest first, of the best model of each noise; dotted: the linear optimum there.

    -> False: no model is left.
    """
    shown, k = list(_best(document)), document["architecture"]["k"]
    marker, top, low = ("o" if k <= FEW else ""), 0.0, np.inf
    for group, model in shown:
        values = np.sort(model["evaluation"]["kl_of_latents"])[::-1]
        linear = linear_kl(document, model)
        for line, style in ((values, group.line), (linear, ":")):
            own = {"linewidth": 1.6, "marker": marker, "markersize": 3.2} if line is values else {"linewidth": 1.3}
            axes.plot(np.arange(1, len(line) + 1), line, color=group.colour, linestyle=style, **own)
            positive = line[line > 0]
            top, low = max(top, positive.max(initial=0.0)), min(low, positive.min(initial=np.inf))
    dotted = Line2D([], [], color=PALETTE["ink"], linestyle=":", label="linear optimum")
    named(axes, [group for group, _ in shown], [dotted])
    top = top or 1.0
    # Before the scale: where every KL is 0 there is no other range.
    axes.set_ylim(min(max(SMALLEST_KL, low / 1.5), top / 10), 1.6 * top)
    axes.set(xlabel="latent, by its KL", ylabel="mean KL, nats", yscale="log")
    axes.set_xlim(1 - 0.03 * max(k - 1, 1), k + 0.03 * max(k - 1, 1))
    counts(axes.xaxis, 1)
    decades(axes.yaxis)
    return bool(shown)


def linear_kl(document: Document, model: Document) -> Array:
    """Of the latents that the linear optimum keeps at the noise of a model, (q,), the largest first."""
    s = model["evaluation"]["sigma2"] * model["convergence"]["final_beta"]
    kept = np.array(document["eigenvalues"])[: model["evaluation"]["linear_retained"]]
    return 0.5 * np.log(kept / s) if s > 0 else np.empty(0)
