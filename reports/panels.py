"""The axes of each picture of a report.

Notation   document: report.json as a dict; lam (n,) its eigenvalues, lam_j; a Slice as verify.landscape.slices has it.
Main       scree, phase, retained, likelihood, figure2, figure2_detail, slice_; PALETTE; window, the noises shown.
Reference  Lucas et al. 2019, Figures 1 and 2. Colours: Okabe & Ito 2008; slices in cividis.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from reports.numerals import as_threshold
from reports.wording import number, sub, symbols
from verify.arrays import Array
from verify.landscape.slices import Slice

Document = dict[str, Any]

# The page replaces each of these by a colour that suits light or dark; the files themselves stay as they are.
PALETTE = {
    "ink": "#1c1b1a",
    "muted": "#77756f",
    "rule": "#d9d6cf",
    "paper": "#fffefd",
    "blue": "#0072b2",
    "vermillion": "#d55e00",
    "green": "#009e73",
    "purple": "#a4508b",
    "wash": "#b9d8ea",
    "sand": "#f3dfb5",
}
# Farther than this from the spectrum sigma2 = 1 says nothing, and showing it would flatten the curve.
_NEAR = 1e3


def marked_noises(lam: Array, recommended: float | None) -> list[tuple[float, str, str]]:
    """The noises that the pictures mark, (sigma2, label, colour): the usual one if it is near, the recommended one."""
    marks = []
    if max(lam[lam > 0][-1], lam[0] * 1e-6) / _NEAR <= 1.0 <= lam[0] * _NEAR:
        marks.append((1.0, "σ² = 1", PALETTE["vermillion"]))
    if recommended is not None:
        marks.append((recommended, "recommended", PALETTE["green"]))
    return marks


def window(lam: Array, recommended: float | None) -> tuple[float, float]:
    """The noises worth showing: the spectrum, six decades of it at most, and the marked ones.  lam (n,)."""
    marked = [s for s, _, _ in marked_noises(lam, recommended)]
    shown = [float(max(lam[lam > 0][-1], lam[0] * 1e-6)), float(lam[0]), *marked]
    return min(shown) / 1.8, max(shown) * 1.8


class _Spectrum:
    """What the first four pictures need of the document."""

    def __init__(self, document: Document):
        facts = document["stability"]
        self.k = document["k"]
        self.lam = np.array(facts["eigenvalues"], dtype=float)
        self.low, self.high = window(self.lam, facts["recommended_sigma2"])
        self.marks = marked_noises(self.lam, facts["recommended_sigma2"])
        self.usual = document["usual"]
        errors = [t["standard_error"] for t in facts["thresholds"]]
        # Of lam_1 ... lam_min(k, rank), NaN where they are not known.
        self.errors = np.array([np.nan if e is None else e for e in errors], dtype=float)

    def ties(self) -> list[int]:
        """The latents, from 1, whose threshold is the usual noise: exactly, or as far as rounding can tell."""
        return [j for j in (*self.usual["tied"], *self.usual["undecided"]) if j <= self.k]


def _mark_vertically(axes: Axes, marks: list[tuple[float, str, str]]) -> None:
    """Each marked noise as a dashed line, named above the axes, on the side where there is room.

    Of the noises below the axes decades are named, and what is twice and five times as much where these are few: others
    would run into each other.
    """
    low, high = axes.get_xlim()
    axes.xaxis.set_minor_formatter(NullFormatter())
    if high < 1e3 * low:
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: number(v)))
    for sigma2, label, colour in marks:
        axes.axvline(sigma2, color=colour, linewidth=1.1, linestyle=(0, (4, 2)))
        rightmost = sigma2 == max(s for s, _, _ in marks)
        side, shift = ("left", -3) if rightmost or len(marks) == 1 else ("right", 3)
        axes.annotate(
            label, (sigma2, 1.0), (shift, 3), xycoords=("data", "axes fraction"), textcoords="offset points",
            ha=side, va="bottom", color=colour, fontsize=9, annotation_clip=False,
        )  # fmt: skip


def _ring(axes: Axes, x: Any, y: Any) -> None:
    """A tie: neither side of a threshold."""
    ring = {"facecolors": "none", "edgecolors": PALETTE["vermillion"], "linewidths": 1.4}
    axes.scatter(x, y, s=60, zorder=5, **ring)


def scree(axes: Axes, document: Document) -> None:
    """The eigenvalues, the thresholds of collapse, on a logarithmic scale; the first k in colour."""
    found = _Spectrum(document)
    lam, k, low, high = found.lam, found.k, found.low, found.high
    j = np.arange(1, lam.size + 1)
    shown = (lam >= low) & (lam > 0)
    size = 18 if shown.sum() <= 100 else 5
    for chosen, colour in ((shown & (j > k), PALETTE["muted"]), (shown & (j <= k), PALETTE["blue"])):
        axes.scatter(j[chosen], lam[chosen], s=size, color=colour, linewidths=0, zorder=3)
    m = found.errors.size
    band = {"color": PALETTE["blue"], "linewidth": 3 if m <= 30 else 2, "alpha": 0.35, "zorder": 2}
    axes.vlines(j[:m], np.maximum(lam[:m] - 2 * found.errors, low), lam[:m] + 2 * found.errors, **band)
    if ties := found.ties():
        _ring(axes, ties, lam[np.array(ties) - 1])
    axes.set(yscale="log", ylim=(low, high), xlabel="eigen-direction j", ylabel="eigenvalue λⱼ, the threshold")
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.axvline(k + 0.5, color=PALETTE["blue"], linewidth=0.9, linestyle=":")
    axes.annotate(
        f"k = {k}", (k + 0.5, 1.0), (0, 3), xycoords=("data", "axes fraction"), textcoords="offset points",
        color=PALETTE["blue"], fontsize=9, ha="center", va="bottom", annotation_clip=False,
    )  # fmt: skip
    for sigma2, label, colour in found.marks:
        axes.axhline(sigma2, color=colour, linewidth=1.1, linestyle=(0, (4, 2)))
        axes.annotate(
            label, (1.0, sigma2), (-2, 3), xycoords=("axes fraction", "data"), textcoords="offset points",
            color=colour, fontsize=9, ha="right", va="bottom",
        )  # fmt: skip


def phase(axes: Axes, document: Document) -> None:
    """Noise against eigen-direction: left of lam_j a zero column is unstable towards u_j; up to k it is retained."""
    found = _Spectrum(document)
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
        middle = _geometric_mean
    _mark_vertically(axes, found.marks)
    if ties := found.ties():
        _ring(axes, lam[np.array(ties) - 1], ties)
    axes.text(low * 1.3, middle([0.5, min(k, rank) + 0.5]), "retained", va="center", zorder=4)
    if rank > k:
        axes.text(low * 1.3, middle([k + 0.5, rank + 0.5]), "unstable, but\nall k are in use", va="center", zorder=4)
    axes.text(0.98, 0.04, "collapsed", transform=axes.transAxes, ha="right", zorder=4,
              bbox={"facecolor": PALETTE["paper"], "edgecolor": "none", "pad": 1.5})  # fmt: skip


def _geometric_mean(values: Sequence[float]) -> float:
    return float(np.exp(np.mean(np.log(values))))


def _noise_rows(document: Document) -> tuple[Array, Array, Array]:
    rows = document["stability"]["noise"]
    return tuple(np.array([row[name] for row in rows]) for name in ("sigma2", "retained", "value"))  # type: ignore[return-value]


def retained(axes: Axes, document: Document) -> None:
    """How many of the k latents the optimum retains at each noise: a staircase with its steps at the lam_j."""
    found = _Spectrum(document)
    lam, k, low, high = found.lam, found.k, found.low, found.high
    steps = lam[:k][lam[:k] > 0]
    axes.step([high, *steps, low], [0, *range(1, steps.size + 1), steps.size], where="post", color=PALETTE["blue"])
    axes.axhline(k, color=PALETTE["muted"], linewidth=0.9, linestyle=":")
    _sampled(axes, document)
    if ties := found.ties():
        _ring(axes, [found.usual["sigma2"]] * 2, [min(ties) - 1, max(ties)])
    axes.set(xscale="log", xlim=(low, high), ylim=(-0.03 * k, 1.06 * k))
    axes.set(xlabel="noise σ²", ylabel=f"latents retained, of {k}")
    axes.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    _mark_vertically(axes, found.marks)


def _sampled(axes: Axes, document: Document) -> None:
    """Between the fewest and the most latents that other data of the same kind may retain at each noise."""
    rows = document["stability"]["noise"]
    if all(row["sampling_range"] is not None for row in rows):
        low, high = np.array([row["sampling_range"] for row in rows]).T
        noises = [row["sigma2"] for row in rows]
        axes.fill_between(noises, low, high, color=PALETTE["blue"], alpha=0.18, linewidth=0, zorder=1)


def likelihood(axes: Axes, document: Document) -> None:
    """L at the optimum of each noise; its maximum over the noise is the maximum-likelihood solution."""
    sigma2, _, value = _noise_rows(document)
    found = _Spectrum(document)
    low, high = found.low, found.high
    inside = (sigma2 >= low) & (sigma2 <= high)
    axes.plot(sigma2[inside], value[inside], color=PALETTE["blue"])
    best = int(value[inside].argmax())
    # Below the maximum L falls like 1/sigma2 without end; the frame ends where the other side does.
    top, bottom = value[inside][best], value[inside][best:].min()
    room = max(top - bottom, 1e-9 * abs(top), 1e-300)
    axes.set(xscale="log", xlim=(low, high), ylim=(bottom - 0.08 * room, top + 0.1 * room))
    axes.set(xlabel="noise σ²", ylabel="L at the optimum, nats per datum")
    if document["stability"]["sigma2_mle"] is not None:
        axes.plot(sigma2[inside][best], top, "o", color=PALETTE["blue"], markersize=6)
    _mark_vertically(axes, found.marks)


def falls(figure2: Document) -> bool:
    """Whether the weights of each k, read at one noise, get worse with more of them."""
    return bool(figure2["weights_at_reference"][-1] < max(figure2["weights_at_reference"]))


def figure2(axes: Axes, document: Document) -> None:
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


def figure2_detail(axes: Axes, document: Document) -> None:
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


def slice_(axes: Axes, piece: Slice) -> None:
    """One panel of Figure 1: L over the two perturbed zero columns, the stationary point in the middle."""
    a, b = np.asarray(piece.a), np.asarray(piece.b)
    L = np.asarray(piece.values).T  # a runs along x
    levels = np.unique(np.quantile(L, np.linspace(0.02, 0.99, 12)))
    extent = (a[0], a[-1], b[0], b[-1])
    shading = {"cmap": "cividis", "vmin": levels[0], "interpolation": "bilinear", "aspect": "auto"}
    axes.imshow(L, origin="lower", extent=extent, **shading)
    if levels.size > 1:
        axes.contour(a, b, L, levels=levels, colors="white", linewidths=0.5, linestyles="solid", alpha=0.5)
    axes.plot(0, 0, marker="o", color="white", markeredgecolor="black", markersize=7, markeredgewidth=1.2)
    i, j = (d + 1 for d in piece.directions)
    axes.set(xlabel=f"along {sub('u', i)}", ylabel=f"along {sub('u', j)}", box_aspect=1)
    axes.set_title(f"σ² = {symbols(as_threshold(piece.sigma2))}: unstable in {piece.unstable} of 2")
    for spine in axes.spines.values():
        spine.set_visible(True)
