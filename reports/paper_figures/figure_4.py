"""Figure 4: linear decoders under encoders of no, one, two and three hidden layers.

Notation   optimum: of the linear VAE with as many latents and a noise of its own, on the very rows that are trained
           on; whatever the encoder, no model with a linear decoder exceeds it (Lemma 1).
Main       encoders, experiments, measure; the findings stand in findings_4.py.
Reference  Lucas et al. 2019, Figure 4, Secs. 6.1 and E; theory 2, 5.2, 6.3.
"""

from collections.abc import Sequence
from dataclasses import replace
from statistics import median
from typing import Any

from gpu.vae.plan import Run
from reports.paper_figures.courses import Trial, best_rate, mean_and_spread, together, trials
from reports.paper_figures.document import Measured, beside_print, line, panel
from reports.paper_figures.findings_4 import findings
from reports.paper_figures.setting import Setting
from reports.paper_tables.presets import ALPHA, Sizes
from reports.paper_tables.presets import PAPER as PRESETS
from reports.training.experiment import Bench, Experiment
from verify.words.wording import number

Document = dict[str, Any]
TITLE = "Linear decoders under deeper encoders"
SOURCE = "Figure 4, Secs. 6.1 and E"
PAPER = (
    "Linear decoders under various encoders, on real-valued MNIST with the logit transform: the final average ELBOs on "
    "the training set are -1098.2, -1108.7, -1112.1 and -1119.6, in the order of the legend; the linear encoder is not "
    "expected to be outperformed, and is not."
)
DATASET = "mnist"
# On the scale of the grey levels 0 to 255, in the order of the legend, which names the encoders.
PRINTED = (-1098.2, -1108.7, -1112.1, -1119.6)
# Half of their last digit.
ROUNDED = 0.05
SQUARES = "Squares: the printed finals, after 1000 epochs; right, how far below our optimum, if more than rounding."
INIT_SIGMA2 = 1.0
# Of the digits: with the 250 epochs of the tables, the differences are those of trainings that have not ended.
QUICK_EPOCHS, QUICK_RATES = 500, (1e-3, 3e-3)
NAMES = ("linear encoder", "1 hidden layer", "2 hidden layers", "3 hidden layers")


def sizes(setting: Setting) -> Sizes:
    """Those of the preset's deep VAEs for k, widths and batch; one trial of the paper's, because it takes hours."""
    own = setting.sizes(DATASET)
    if setting.preset == "paper":
        return replace(own, seeds=1)
    if setting.words[DATASET] != "digits":
        return own
    return replace(
        own, epochs=setting.epochs or QUICK_EPOCHS, learning_rates=setting.learning_rates or QUICK_RATES
    )  # fmt: skip


def encoders(own: Sizes) -> list[tuple[int, ...]]:
    """Hidden layers of the four, none of fewer than 2k units, so that each contains every linear encoder (6.3)."""
    first, second = (max(width, 2 * own.k) for width in own.hidden)
    return [(), (first,), (first, second), (first, second, second)]


def experiments(setting: Setting) -> Sequence[Experiment]:
    """One for each encoder; learning rates fastest."""
    own = sizes(setting)
    runs = tuple(
        Run(INIT_SIGMA2, True, seed, rate) for seed in setting.trials(own.seeds) for rate in own.learning_rates
    )
    return [
        Experiment(
            f"Figure 4, {name}", setting.words[DATASET], "linear-decoder" if hidden else "linear", hidden, own.k,
            own.epochs, own.batch, runs, logit=ALPHA[DATASET], analytic=True, seed=setting.first_seed,
        )
        for name, hidden in zip(NAMES, encoders(own), strict=True)
    ]  # fmt: skip


def measure(setting: Setting, bench: Bench) -> Measured:
    """Train all encoders on the same rows."""
    own, performed = sizes(setting), [bench.perform(one) for one in experiments(setting)]
    material = performed[0].material
    found = [trials(one) for one in performed]
    rates = [best_rate(one) for one in found]
    best = [[one for one in kind if one.rate == rate] for kind, rate in zip(found, rates, strict=True)]
    comparable = not setting.other_data(DATASET) and own.k == PRESETS[DATASET].k
    said = findings(NAMES, best, complete=own.epochs >= PRESETS[DATASET].epochs)
    optimum = next((one.optimum for kind in found for one in kind if one.optimum is not None), None)
    return Measured(
        panels=_panels(best, optimum, material.J, own.epochs, comparable),
        findings=said,
        alt=f"The ELBO of four encoders over epochs, and how far it lies below its optimum: {said[0]['evidence']}",
        caption=_caption(best, comparable),
        materials=[material],
        deviations=_deviations(setting, own, encoders(own)),
        beside=_beside(best, rates, optimum, material.J, own.epochs, comparable),
        notes=_notes(own),
    )


def _caption(best: Sequence[Sequence[Trial]], comparable: bool) -> str:
    """How to read the panels."""
    several = any(len(kind) > 1 for kind in best)
    return (
        "Left: the ELBO on the training set, on the scale of the grey levels, each encoder at the learning rate that "
        "ended best; right: how far it lies below the optimum of the linear VAE on the same rows, which no encoder "
        "exceeds. A point is the mean over the batches of an epoch, each before it is learned from; the finals, dots, "
        "are of all rows after the last step. What falls below the left frame is seen in the right one. "
        + ("Lines are means over the trials, bands their standard deviation. " if several else "")
        + (SQUARES if comparable else "")
    ).strip()


def _deviations(setting: Setting, own: Sizes, which: Sequence[tuple[int, ...]]) -> list[str]:
    """In what it is not the paper's experiment, which had 200 latents and as many epochs as the deep VAEs."""
    said = setting.other_data(DATASET) + setting.other_sizes(DATASET, own, ["k", "epochs", "learning_rates"])
    widths = max(map(max, filter(None, which)))
    return said + ([f"hidden layers of at most {widths} units"] if setting.preset != "paper" else [])


def _notes(own: Sizes) -> list[str]:
    """What the paper leaves open."""
    hidden = ", ".join(str(width) for width in encoders(own)[-1])
    return [
        "the paper's text does not name the encoders; that they have no, one, two and three hidden layers, and are "
        f"printed in this order, is a reading. Here the deepest has {hidden} ReLU units, and none a layer of fewer "
        "than twice k, so that each contains every linear encoder",
        "trained on the analytic ELBO (Appendix C.1), in batches: the paper does not say which it took, but its best "
        "final is the linear optimum of MNIST almost to the last digit, and in its Figure 3 a stochastic gradient ends "
        "11.4 nats below the analytic one",
        f"the noise starts at {INIT_SIGMA2:g}, and a batch has {own.batch} rows, of which the paper says nothing",
    ]


def _panels(
    best: Sequence[Sequence[Trial]], optimum: float | None, J: float, epochs: int, comparable: bool
) -> list[Document]:
    """The ELBO on the scale of the raw values, and its distance from the linear optimum, over epochs."""
    climbs, distances = [], []
    for group, (name, kind) in enumerate(zip(NAMES, best, strict=True)):
        if not kind:
            continue
        mean, spread = together([one.y for one in kind])
        raised = [None if v is None else v + J for v in mean]
        climbs.append(line(name, "trained", kind[0].x, raised, group, spread))
        if optimum is not None:
            apart = [None if v is None or v >= optimum else optimum - v for v in mean]
            distances.append(line(name, "trained", kind[0].x, apart, group, spread))
    limits = None if optimum is None else _top(distances, optimum + J, epochs)
    ends, apart_at_end = _finals(best, optimum, J, epochs)
    climbs += ends
    distances += apart_at_end
    if optimum is not None:
        climbs.append(line("linear optimum", "linear", [0, epochs], [optimum + J] * 2, len(NAMES)))
        if comparable:
            at, off = [epochs] * len(PRINTED), [optimum + J - v for v in PRINTED]
            climbs.append(line("printed finals", "printed", at, PRINTED, len(NAMES) + 1))
            shown = [v if v > ROUNDED else None for v in off]
            distances.append(line("printed finals", "printed", at, shown, len(NAMES) + 1))
    panels = [panel("", "epoch", "ELBO, nats per datum", climbs, ylim=limits)] if climbs else []
    return panels + ([panel("", "epoch", "nats below the optimum", distances, yscale="log")] if distances else [])


def _finals(
    best: Sequence[Sequence[Trial]], optimum: float | None, J: float, epochs: int
) -> tuple[list[Document], list[Document]]:
    """Dots for where each encoder ended: on the scale of the raw values, and below the optimum, if it is."""
    ends, apart = [], []
    for group, (name, kind) in enumerate(zip(NAMES, best, strict=True)):
        final, spread = mean_and_spread(one.final for one in kind)
        if final is not None:
            ends.append(line(name, "final", [epochs], [final + J], group, [spread]))
            if optimum is not None and final < optimum:
                apart.append(line(name, "final", [epochs], [optimum - final], group, [spread]))
    return ends, apart


def _top(below: Sequence[Document], level: float, epochs: int) -> list[float] | None:
    """What is worth showing of the ELBO: as far below the optimum as most curves are after a twentieth of the epochs.

    The distances are drawn whole beside it: a training may for a while be a million nats off.
    """
    starts = [
        next((y for x, y in zip(one["x"], one["y"], strict=True) if y is not None and x > epochs / 20), None)
        for one in below
    ]
    found = [v for v in starts if v is not None]
    return [level - 1.3 * median(found), level + 0.08 * median(found)] if found else None


def _beside(
    best: Sequence[Sequence[Trial]],
    rates: Sequence[float | None],
    optimum: float | None,
    J: float,
    epochs: int,
    comparable: bool,
) -> list[Document]:
    """Each printed final with ours, and the best of them with the optimum."""
    rows = []
    for name, kind, rate, printed in zip(NAMES, best, rates, PRINTED, strict=True):
        ours, spread = mean_and_spread(one.final for one in kind)
        ours = None if ours is None else ours + J
        said = "nothing to compare: every model diverged" if ours is None else "other data or sizes: not to be compared"
        if ours is not None and comparable:
            said = f"ours is {number(abs(ours - printed), 3)} {'higher' if ours > printed else 'lower'}"
            said += f", after {epochs} epochs at learning rate {rate:g}"
        rows.append(beside_print(f"final ELBO, {name}", ours, spread, printed, said))
    attained, said = None, "other data or sizes: not to be compared"
    if optimum is not None:
        attained = optimum + J
        if comparable:
            low = attained - max(PRINTED)
            said = f"the best that is printed lies {number(abs(low), 2)} {'below' if low > 0 else 'above'} the optimum"
            said += ", which is the same to the digits printed" if abs(low) <= ROUNDED else ""
    return [*rows, beside_print("linear optimum, beside the best printed", attained, None, max(PRINTED), said)]
