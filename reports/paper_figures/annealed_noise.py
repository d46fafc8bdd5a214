"""Figures 8 and 9: annealed and standard training where the noise is learned; collapse, and the course of the noise.

Notation   a start is a value of sigma2 to begin with; all else: collapse.py.
Main       measure.
Reference  Lucas et al. 2019, Figures 8, 9, App. E.1.1; theory 7.6.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log10
from statistics import geometric_mean
from typing import Any

from gpu.vae.evaluation import Evaluation
from reports.paper import Row
from reports.paper_figures import annealing_findings as findings
from reports.paper_figures.annealing import STARTS, annealed
from reports.paper_figures.collapse import (
    PRINTED,
    TABLE,
    UNITS,
    Trials,
    at_threshold,
    collapse_panel,
    curve_line,
    learned_curve,
    linear_line,
    over_thresholds,
    percent,
    printed,
    printed_line,
    standard,
    standard_experiment,
)
from reports.paper_figures.collapse_findings import at_epsilon
from reports.paper_figures.document import Measured, finding, line, panel
from reports.paper_figures.setting import Setting
from reports.paper_figures.settled import alive, settled
from reports.training.experiment import Bench
from verify.words.wording import number

Document = dict[str, Any]


@dataclass(frozen=True)
class Start:
    """Annealed and standard models from one start, and what is printed of standard ones."""

    row: Row
    annealed: Trials
    standard: Trials

    @property
    def sigma2(self) -> float:
        """The start itself."""
        return self.row.init_sigma2

    def collapse(self, linear: Sequence[float] | None) -> Document:
        """The panel above."""
        lines = [
            curve_line("annealed", "trained", self.annealed.evaluations, 0),
            curve_line("standard", "trained", self.standard.evaluations, 1),
        ]
        lines += [] if linear is None else [linear_line("linear theory", linear)]
        return collapse_panel(f"sigma2 from {self.sigma2:g}", [*lines, printed_line(self.row)])

    def course(self, epochs: int, linear: float | None, ylim: Sequence[float], comparable: bool) -> Document:
        """The panel below: the noise over epochs, geometric mean over trials; what is printed, of the same data."""
        lines = [
            line(name, "trained", range(epochs + 1), _course(trials, epochs), group)
            for group, (name, trials) in enumerate((("annealed", self.annealed), ("standard", self.standard)))
        ]
        if linear is not None:
            lines.append(line("linear theory", "linear", [0, epochs], [linear, linear], 4))
        if comparable:
            lines.append(line(PRINTED, "printed", [epochs], [_printed_noise(self.row)], 1))
        limits = {"xlim": (0, epochs), "ylim": ylim, "yscale": "log"}
        return panel(f"sigma2 from {self.sigma2:g}", "epoch", "noise sigma2", lines, **limits)


def _course(trials: Trials, epochs: int) -> list[float | None]:
    """The noise at the start, and its mean over each epoch."""
    courses = [[noise for _, _, noise in one.history] for one in trials.outcomes]
    if not courses:
        return [None] * (epochs + 1)
    return [trials.sigma2, *(geometric_mean(values) for values in zip(*courses, strict=True))]


def _printed_noise(row: Row) -> float | None:
    return None if row.final_sigma2 is None else row.final_sigma2.value


def measure(setting: Setting, bench: Bench, dataset: str) -> Measured:
    """Both kinds of training from a few starts.  Raises InputError."""
    training = standard(setting, dataset)
    usual, ours = bench.perform(standard_experiment(setting, dataset)), bench.perform(annealed(setting, dataset))
    rows = [row for row in printed(dataset, "learned") if row.init_sigma2 in STARTS[dataset]]
    starts = [Start(row, *(Trials.of(one, row.init_sigma2, True) for one in (ours, usual))) for row in rows]
    best = learned_curve(usual.material, training.sizes.k)
    threshold, curve = best if best is not None else (None, None)
    epochs, over = training.sizes.epochs, setting.annealed(training.sizes.epochs)
    comparable = not setting.other_data(dataset)
    limits = _limits(starts, threshold, comparable)
    courses = [one.course(epochs, threshold, limits, comparable) for one in starts]
    return Measured(
        panels=[*(one.collapse(curve) for one in starts), *courses],
        findings=_findings(starts),
        alt=_alt(starts),
        caption=_caption(over, threshold, TABLE[dataset], comparable),
        materials=[usual.material],
        deviations=[*training.deviations(), *other_schedule(setting, epochs)],
        notes=_notes(starts, threshold),
    )


def other_schedule(setting: Setting, epochs: int) -> list[str]:
    """In what the annealing is not the paper's."""
    over = setting.annealed(epochs)
    return [] if epochs == 1000 else [f"beta rises over the first {over} of {epochs} epochs, not 100 of 1000"]


def _limits(starts: Sequence[Start], threshold: float | None, comparable: bool) -> tuple[float, float]:
    """All that is drawn of the noise, in whole halves of decades."""
    ends = [e.sigma2 for one in starts for trials in (one.annealed, one.standard) for e in trials.evaluations]
    passed = [c[2] for one in starts for t in (one.annealed, one.standard) for o in t.outcomes for c in o.history]
    printed_ = [_printed_noise(one.row) for one in starts] if comparable else []
    known = [v for v in (threshold, *printed_) if v is not None]
    values = [log10(v) for v in (*ends, *passed, *known, *(one.sigma2 for one in starts)) if v > 0]
    return 10 ** (min(values) - 0.15), 10 ** (max(values) + 0.15)


def _findings(starts: Sequence[Start]) -> list[Document]:
    """Of starts from which the training has come near its end; of standard ones alone where only these are told of."""
    [usual], alone = settled([one.standard for one in starts])
    ready, without = settled([one.annealed for one in starts], [one.standard for one in starts])

    def pairs(measure: Callable[[Evaluation], float]) -> list[findings.Pair]:
        return [
            (a.sigma2, [measure(e) for e in a.evaluations], [measure(e) for e in b.evaluations])
            for a, b in zip(*ready, strict=True)
        ]

    noises = pairs(lambda e: e.sigma2)
    less = "annealing reduces collapse (percentage averaged over the thresholds)"
    of_pairs = [
        findings.lower("annealing learns a smaller sigma2 than standard training", noises),
        findings.much_smaller(noises),
        findings.twice(*(findings.lower(less, pairs(measure), "%") for measure in (over_thresholds, at_epsilon))),
    ]
    told = [
        (findings.of_enough(findings.standard_stays_collapsed(usual), alive(usual), len(starts)), alone),
        *((findings.of_enough(one, alive(*ready), len(starts)), without) for one in of_pairs),
    ]
    return [finding(one["finding"], one["holds"], one["evidence"] + more) for one, more in told]


def _alt(starts: Sequence[Start]) -> str:
    told = [
        f"from {one.sigma2:g}, annealed {percent(at_threshold(one.annealed.evaluations)[0])} and sigma2 = "
        f"{number(one.annealed.final_sigma2, 3)}, standard {percent(at_threshold(one.standard.evaluations)[0])} and "
        f"{number(one.standard.final_sigma2, 3)}"
        for one in starts
    ]
    return (
        f"Above, collapsed latents over the threshold from {len(starts)} starts of the noise; below, the noise over "
        f"epochs. Collapse at epsilon = 0.01 and final noise: {'; '.join(told)}."
    )


def _caption(over: int, threshold: float | None, table: int, comparable: bool) -> str:
    linear = ""
    if threshold is not None:
        linear = (
            f" Dotted: a linear VAE on the same data at its optimum: sigma2 = {number(threshold, 3)}, from any start."
        )
    below = "" if comparable else ", of collapse alone, as a noise is that of its data"
    return (
        f"Blue: beta rises from 0 to 1 over the first {over} epochs; orange: beta = 1 throughout. Above: percentage of "
        f"collapsed latents, mean over trials, shaded: their standard deviation. Below: sigma2 over epochs.{linear} "
        f"Squares: what the paper prints of its own standard models, Table {table}{below}. {UNITS}"
    )


def _notes(starts: Sequence[Start], threshold: float | None) -> list[str]:
    said = ["the paper does not say from which noises its models start; these are starts of its tables"]
    for one in starts:
        for name, trials in (("annealed", one.annealed), ("standard", one.standard)):
            if trials.diverged:
                said.append(f"from sigma2 = {one.sigma2:g}, {trials.diverged} {name} models diverged and are left out")
    if threshold is None:
        said.append("no linear theory is drawn: with as many latents as directions its ELBO has no upper bound")
    return said
