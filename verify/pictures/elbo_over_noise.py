"""The ELBO over the noise: of the best linear VAE, and of a model whose reconstructions and KL stay as they are.

Notation   document: a diagnosis document as a dict; s a noise; t the mean squared error of the reconstructions a
           column; lam (n,) the data's eigenvalues, of which the first are known and the others by their mean.
Main       draw; linear, of_model, the two curves; spectrum.
Reference  theory 1.5, 5.1: at given reconstructions the ELBO is -n/2 log(2 pi s) - n t/(2 s) - KL, highest at s = t.
"""

from math import log, pi
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from verify.arrays import Array
from verify.models.beta_vae import optimum_that_keeps
from verify.pictures.palette import PALETTE
from verify.pictures.ticks import decades, plain_numbers

Document = dict[str, Any]
POINTS = 160
# Curves fall without end towards small noises: of that only so much is drawn, as a part of what else there is to see.
DEEP = 0.2


def spectrum(document: Document) -> Array:
    """lam (n,) with the mean of the unknown ones in their place: no ELBO that keeps known ones differs."""
    known = np.array(document["linear"]["eigenvalues"])
    n = document["n"]
    rest = max(n * document["data_noise"] - float(known.sum()), 0.0)
    return np.concatenate([known, np.full(n - known.size, rest / max(n - known.size, 1))])


def linear(document: Document, noises: Array) -> Array:
    """The best ELBO of the linear VAE at each noise, with as many latents as it is compared with.  (m,) -> (m,)."""
    lam, k = spectrum(document), len(document["linear"]["eigenvalues"])
    return np.array([optimum_that_keeps(lam, min(k, int((lam[:k] > s).sum())), float(s), 1.0) for s in noises])


def of_model(document: Document, noises: Array) -> Array:
    """The ELBO of the model at each noise.  (m,) -> (m,)."""
    n, t = document["n"], document["tuned_sigma2"]
    return np.asarray(-0.5 * n * (log(2 * pi) + np.log(noises) + t / noises) - document["kl_total"])


def draw(axes: Axes, document: Document) -> None:
    """Both curves, the model where it is, and where its own errors would put it."""
    s, tuned, mle = document["sigma2"], document["tuned_sigma2"], document["linear"]["sigma2_mle"]
    told = [noise for noise in (s, tuned, mle) if noise]
    grid = np.geomspace(min(told) / 3, 3 * max(told), POINTS)
    best = linear(document, grid)
    axes.plot(grid, best, color=PALETTE["blue"], label="best linear VAE at each noise")
    seen = [*linear(document, np.array(told))]
    if document["elbo"] is not None and tuned:
        colour, at = PALETTE["vermillion"], np.array([s, tuned])
        values = of_model(document, at)
        axes.plot(grid, of_model(document, grid), color=colour, linewidth=1.2, linestyle=(0, (4, 2)))
        axes.plot(s, values[0], "o", color=colour, markersize=6.5, label="your model")
        own: dict[str, Any] = {"color": colour, "markersize": 6.5, "markerfacecolor": "none", "linestyle": "none"}
        axes.plot(tuned, values[1], "o", label="the same at the noise of its errors", **own)
        seen += [*values]
    low, high = min(seen), max(*seen, float(best.max()))
    room = (high - low) or abs(high) or 1.0
    axes.set(xscale="log", xlim=(grid[0], grid[-1]), ylim=(low - DEEP * room, high + 0.08 * room))
    axes.set(xlabel="noise σ²", ylabel="ELBO, nats per datum")
    axes.legend(loc="lower center")
    decades(axes.xaxis)
    plain_numbers(axes.yaxis)
