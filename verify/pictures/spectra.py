"""How much the data vary, and what a VAE misses of that, direction by direction, beside the noises that matter.

Notation   document: a diagnosis document as a dict; lam_j eigenvalues of the data, rho_j of the mean residual.
Main       draw; noises, printed.
Reference  theory 2, 6.1, 6.2: a linear latent pays along rho_j > s, and the linear VAE keeps lam_j > s.
"""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from verify.pictures.palette import PALETTE
from verify.pictures.ticks import counts, decades
from verify.words.certified import CERTIFIED
from verify.words.diagnosis import at_least, at_most
from verify.words.wording import number

Document = dict[str, Any]
PROVED = " (certified)"
NONE = f"from it on no decoder does{PROVED}"
# Standard errors of an eigenvalue that are drawn either way; decades below the noise that are.
ERRORS, BELOW = 2, 1e-2


def noises(document: Document) -> list[tuple[str, float, str, Any]]:
    """The noises to be marked, those that are known: (name, noise, colour, line)."""
    decoder = document["any_decoder"]
    proved = decoder is not None and decoder.get("certified", {}).get("lower") == CERTIFIED
    below = f"below it some decoder uses latents{PROVED if proved else ''}"
    found = [
        ("the noise σ²", document["sigma2"], "vermillion", "-"),
        ("error of the reconstructions", document["tuned_sigma2"], "green", (0, (5, 2))),
        ("noise of a linear VAE that learns it", document["linear"]["sigma2_mle"], "purple", (0, (1, 1.5))),
        (below, decoder and decoder["lower"], "muted", (0, (6, 1.5, 1, 1.5))),
        (NONE, decoder and decoder["upper"], "ink", (0, (6, 1.5, 1, 1.5, 1, 1.5))),
    ]
    return [(name, noise, PALETTE[colour], line) for name, noise, colour, line in found if noise]


def printed(name: str, noise: float) -> str:
    """A noise in three digits; what is proved in four, which say no more than that."""
    if not name.endswith(PROVED):
        return number(noise, 3)
    return at_most(noise) if name == NONE else at_least(noise)


def draw(axes: Axes, document: Document) -> None:
    """Eigenvalues on a logarithmic axis; bars are two standard errors either way."""
    lam = np.array(document["linear"]["eigenvalues"])
    error = np.array([e or 0.0 for e in document["linear"]["standard_errors"]])
    # A bar that reached 0 would have no end on this axis.
    down = np.minimum(ERRORS * error, 0.9 * lam)
    at = np.arange(1, lam.size + 1)
    blue = PALETTE["blue"]
    axes.plot(at, lam, "o", color=blue, markersize=3.5, label="data")
    axes.errorbar(at, lam, (down, ERRORS * error), fmt="none", ecolor=blue, elinewidth=0.9)
    rho = np.array(document["revival"]["leading"] if document["revival"] else [])
    rho = rho[rho > 0]
    if rho.size:
        missed: dict[str, Any] = {
            "color": PALETTE["ink"],
            "markersize": 3.5,
            "markerfacecolor": "none",
            "linestyle": "none",
        }
        axes.plot(np.arange(1, rho.size + 1), rho, marker="s", label="what the model misses", **missed)
    marked = noises(document)
    for name, noise, colour, line in marked:
        axes.axhline(noise, color=colour, linestyle=line, linewidth=1.2, label=f"{name}: {printed(name, noise)}")
    shown = [*lam, *rho, *(noise for _, noise, _, _ in marked)]
    low = max(min(shown), BELOW * min(noise for _, noise, _, _ in marked))
    most = max(lam.size, rho.size)
    room = 0.03 * max(most - 1, 10)
    axes.set(yscale="log", ylim=(low / 1.6, 1.6 * max(shown)), xlim=(1 - room, most + room))
    axes.set(xlabel="direction, largest variance first", ylabel="variance")
    counts(axes.xaxis, first=1)
    decades(axes.yaxis)
