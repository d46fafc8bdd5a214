"""Figures 5, 6, 10 and 11: one panel for each noise of the printed table, with the linear theory on the same data.

Notation   that of collapse.py; a Noise is a row of the printed table with what was trained for it.
Main       measure.
Reference  Lucas et al. 2019, Figures 5, 6, 10, 11, Sec. 6.2.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reports.paper import Row
from reports.paper_figures import collapse_findings as findings
from reports.paper_figures.collapse import (
    LATENTS,
    TABLE,
    UNITS,
    Trials,
    at_threshold,
    collapse_panel,
    curve_line,
    learned_curve,
    linear_curves,
    linear_line,
    percent,
    printed,
    printed_line,
    standard,
    standard_experiment,
)
from reports.paper_figures.document import Measured, beside_print
from reports.paper_figures.redrawn import redrawn_curve, robust
from reports.paper_figures.setting import Setting
from reports.paper_tables.document import difference
from reports.paper_tables.presets import Training
from reports.training.experiment import Bench, Performed
from verify.landscape.collapse import EPSILON
from verify.words.wording import number

Document = dict[str, Any]
ACROSS = 5


@dataclass(frozen=True)
class Noise:
    """A panel: the printed row, our trials, and the linear theory's curve at that noise, where there is one."""

    row: Row
    trials: Trials
    linear: list[float] | None

    @property
    def title(self) -> str:
        """What the panel is of."""
        start = f"{self.row.init_sigma2:g}"
        final = self.trials.final_sigma2
        if not self.row.learned or final is None:
            return f"sigma2 = {start}"
        return f"sigma2 from {start} to {number(final, 2)}"

    def panel(self) -> Document:
        """As figures.json has it."""
        lines = [curve_line("deep models", "trained", self.trials.evaluations, 0)]
        if self.linear is not None:
            lines.append(linear_line("linear theory", self.linear))
        return collapse_panel(self.title, [*lines, printed_line(self.row)])


def measure(setting: Setting, bench: Bench, dataset: str, noise: str) -> Measured:
    """Curves, findings and printed numbers of the "fixed" or "learned" noises of a data set.  Raises InputError."""
    training, performed = standard(setting, dataset), bench.perform(standard_experiment(setting, dataset))
    noises, threshold = _noises(performed, dataset, noise)
    told = [
        f"{row.title.removeprefix('sigma2 ')}: {percent(at_threshold(row.trials.evaluations)[0])}" for row in noises
    ]
    return Measured(
        panels=[row.panel() for row in noises],
        findings=_findings(performed, noises, dataset, noise),
        alt=f"{len(noises)} panels, one for each {noise} noise sigma2: {LATENTS}, over the threshold epsilon from 0 to "
        f"2. At epsilon = {EPSILON:g}, sigma2 {'; '.join(told)}.",
        caption=_caption(performed, TABLE[dataset], noise, threshold),
        materials=[performed.material],
        deviations=training.deviations(),
        beside=[_beside(row, training) for row in noises],
        notes=_notes(noises, noise, threshold),
        more={"across": ACROSS},
    )


def _noises(performed: Performed, dataset: str, noise: str) -> tuple[list[Noise], float | None]:
    """The panels, largest noise first; and the noise that the linear theory learns, where there is one."""
    rows, material, k = printed(dataset, noise), performed.material, performed.experiment.k
    curves: list[Any]
    if noise == "fixed":
        threshold, curves = None, linear_curves(material, k, [row.init_sigma2 for row in rows])
    else:
        best = learned_curve(material, k)
        threshold, curve = best if best is not None else (None, None)
        curves = [curve] * len(rows)
    trials = [Trials.of(performed, row.init_sigma2, row.learned) for row in rows]
    return [Noise(*one) for one in zip(rows, trials, curves, strict=True)], threshold


def _findings(performed: Performed, noises: Sequence[Noise], dataset: str, noise: str) -> list[Document]:
    trials = [row.trials for row in noises]
    redrawn = [redrawn_curve(performed, one.places[0]) if one.places else None for one in trials]
    found = []
    if noise == "fixed":
        found.append(findings.large_noise_collapses(trials))
        found.append(findings.no_more_than_linear(trials, [row.linear for row in noises]))
    else:
        fixed = [Trials.of(performed, row.init_sigma2, False) for row in printed(dataset, "fixed")]
        found.append(findings.large_start_collapses(trials))
        found.append(findings.narrower_than_fixed(trials, fixed))
        found.append(findings.start_matters(trials))
    return [*found, robust(trials, redrawn)]


def _caption(performed: Performed, table: int, noise: str, threshold: float | None) -> str:
    k, trials = performed.experiment.k, len({run.seed for run in performed.experiment.runs})
    spread = f"mean of {trials} trials, shaded: their standard deviation" if trials > 1 else "a single trial"
    if noise == "fixed":
        linear = "the optimum of a linear VAE at that noise on the same data, computed exactly"
    else:
        linear = "the optimum of a linear VAE on the same data where its noise is learned too, " + (
            "which has none here" if threshold is None else f"sigma2 = {number(threshold, 3)}, wherever it starts"
        )
    return (
        f"Percentage of the {k} latents whose KL to the prior is below epsilon for 99% of the data. Solid: deep "
        f"models, {spread}. Dotted: {linear}. Square: what the paper prints of its own models, Table {table}. "
        f"{UNITS}"
    )


def _beside(row: Noise, training: Training) -> Document:
    ours, spread = at_threshold(row.trials.evaluations)
    print_ = row.row.collapse_percent
    what = f"sigma2 {'from' if row.row.learned else '='} {row.row.init_sigma2:g}: % collapsed at epsilon = {EPSILON:g}"
    if ours is None:
        return beside_print(what, None, None, print_.value, "all models diverged")
    if training.incomparable():
        return beside_print(what, ours, spread, print_.value, "other data or sizes: not to be compared")
    apart = ours - print_.value
    said = (
        "the same"
        if abs(apart) <= print_.half
        else f"{number(abs(apart), 3)} points {'more' if apart > 0 else 'fewer'}"
    )
    units = difference(ours, spread, print_, None)
    told = f"{number(abs(units), 2)} of our spreads" if units is not None else "no spread to measure it by"
    return beside_print(what, ours, spread, print_.value, f"{said}; {told}")


def _notes(noises: Sequence[Noise], noise: str, threshold: float | None) -> list[str]:
    said = [
        f"at sigma2 = {row.row.init_sigma2:g}, {row.trials.diverged} models diverged and are left out"
        for row in noises
        if row.trials.diverged
    ]
    if noise == "learned" and threshold is None:
        said.append("no linear theory is drawn: with as many latents as directions its ELBO has no upper bound")
    return said
