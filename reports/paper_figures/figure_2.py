"""Figure 2: likelihood and ELBO of pPCA over the number of latents.

Notation   k0 the number of latents whose noise judges the weights of all others, 50 in the paper.
Reference  Lucas et al. 2019, Figure 2, Secs. 6.1 and E; theory 5.4; claim figure-2.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from reports.analysis.figure_2 import REFERENCE_K, figure_2
from reports.panels import components
from reports.paper_figures.document import Measured, finding, line, panel
from reports.paper_figures.setting import Setting
from reports.training.experiment import Bench, Experiment, divided
from verify.arrays import Array
from verify.errors import InputError
from verify.pictures.drawing import HEIGHT, WIDTH, blank
from verify.words.wording import number

Document = dict[str, Any]
TITLE = "Likelihood and ELBO over the number of latents"
SOURCE = "Figure 2, Secs. 6.1 and E"
PAPER = (
    "On 1000 images of MNIST, with up to 300 latents: the optimal ELBO lies on the maximum likelihood; with the "
    "weights of each k but the noise of k = 50, the likelihood first rises and falls beyond about 200 components. "
    "Nothing is printed in numbers."
)
DATASET = "mnist"
CURVES = (
    ("maximum_likelihood", "likelihood, σ² of each k", "exact"),
    ("optimal_elbo", "optimal ELBO, the same", "linear"),
    ("fixed_noise", "best W at the noise of k0", "exact"),
    ("weights_at_reference", "W of each k at the noise of k0", "exact"),
)


def experiments(setting: Setting) -> Sequence[Experiment]:
    """Nothing is trained: all four curves are closed forms."""
    return ()


def measure(setting: Setting, bench: Bench) -> Measured:
    """The curves, and whether they do what the paper says.  Raises InputError: fewer than two k to compare."""
    data = setting.drawn()
    material = bench.material(data, setting.first_seed, **divided(data))
    found = figure_2(material.eigenvalues, REFERENCE_K if material.rank > REFERENCE_K + 1 else material.rank // 2)
    if found is None:
        raise InputError(f"{data}: Figure 2 needs data that vary in three directions at least; choose others")
    k0, ks, own = found["reference_k"], found["k"], found["maximum_likelihood"]
    apart = max(abs(a - b) / abs(a) for a, b in zip(own, found["optimal_elbo"], strict=True))
    judged, best = found["weights_at_reference"], found["fixed_noise"]
    top = max(range(len(ks)), key=judged.__getitem__)
    noise = found["reference_sigma2"]
    kept = int((material.eigenvalues > noise).sum())
    lines = [line(name, kind, ks, found[curve], group) for group, (curve, name, kind) in enumerate(CURVES)]
    findings = [
        finding(
            "the optimal ELBO equals the maximum likelihood at every k",
            apart < 1e-9,
            f"the two differ by {apart:.1g} of their size at most",
        ),
        finding(
            f"at the noise of k = {k0}, the weights of more latents first raise the likelihood and then lower it",
            k0 < ks[top] < ks[-1],
            f"{number(judged[ks.index(k0)], 6)} nats per datum at k = {k0}, {number(judged[top], 6)} at {ks[top]}, "
            f"{number(judged[-1], 6)} at {ks[-1]}",
        ),
        finding(
            "so a collapsed solution is preferred where the noise is not set correctly (Sec. 6.1)",
            kept < ks[-1] and judged[-1] < best[-1],
            f"at sigma2 = {number(noise, 6)} of k = {k0} the best W with up to {ks[-1]} columns uses "
            f"{min(kept, ks[-1])}: {number(best[-1], 6)} nats per datum, {number(judged[-1], 6)} for W of k = "
            f"{ks[-1]} as it was fitted, with that k's own noise. The best W for the fixed noise never gets worse "
            "with k",
        ),
    ]
    return Measured(
        panels=[panel("", "latent dimension k", "nats per datum", lines)],
        findings=findings,
        alt=f"Likelihood over k from {ks[0]} to {ks[-1]}: {findings[1]['evidence']}",
        caption=f"Maximum likelihood and optimal ELBO of each k (green, orange); at the noise of k = {k0}: the W of "
        "each k (blue), as in the paper, and the best W for that noise (purple), which the paper does not show.",
        materials=[material],
        deviations=setting.other_data(DATASET),
        more={"curves": found},
    )


def draw(entry: Document, arrays: Mapping[str, Array]) -> Figure:
    """The whole and, where there is a fall to see, the two curves at the noise of k0 near their top."""
    document = {"figure2": entry["curves"]}
    both = components.falls(entry["curves"])
    figure = blank(2 * WIDTH if both else 1.4 * WIDTH, 1.2 * HEIGHT)
    whole, *detail = figure.subplots(1, 2 if both else 1, squeeze=False)[0]
    components.draw(whole, document)
    for axes in detail:
        components.draw_detail(axes, document)
    return figure


def label(figure: Figure, entry: Document) -> None:
    """The values at the top of the falling curve and at its end."""
    for axes in figure.axes[1:]:
        components.label_detail(axes, {"figure2": entry["curves"]})
