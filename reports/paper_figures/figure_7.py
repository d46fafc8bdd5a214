"""Figure 7: collapse with an annealed KL at fixed noise, early and in the end, beside standard training.

Notation   beta rises from 0 to 1 over the first tenth of the epochs and is looked at at 0.8 of that; s = beta sigma2.
Reference  Lucas et al. 2019, Figure 7, App. E.1.1; theory 3.9, 7.6.

That few latents are collapsed early may be the early hour: standard models are looked at after as many epochs as well.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

from gpu.vae.evaluation import Evaluation
from reports.paper import Row
from reports.paper_figures import annealing_findings as findings
from reports.paper_figures.annealed_noise import other_schedule
from reports.paper_figures.annealing import FIXED, annealed
from reports.paper_figures.collapse import (
    UNITS,
    Trials,
    at_threshold,
    collapse_panel,
    curve_line,
    linear_curves,
    linear_line,
    over_thresholds,
    percent,
    printed,
    printed_line,
    standard,
    standard_experiment,
)
from reports.paper_figures.collapse_findings import at_epsilon
from reports.paper_figures.document import Measured, finding
from reports.paper_figures.setting import Setting
from reports.paper_figures.settled import alive, settled, unsettled
from reports.training.experiment import Bench, Experiment
from verify.words.wording import number

Document = dict[str, Any]
TITLE = "Collapse with an annealed KL, MNIST, fixed noise"
SOURCE = "Figure 7, Sec. E.1.1"
PAPER = (
    "Beta rises from 0 to 1 over the first 100 of 1000 epochs, at several fixed noises; curves after 80 epochs "
    "(dashed) and of the final models (solid). Annealing reduces collapse early, but the collapsed solution is "
    "recovered. Nothing is printed in numbers."
)
DATASET = "mnist"


@dataclass(frozen=True)
class Noise:
    """One panel: models at a fixed noise, and the linear theory at beta = 1 and at the weight of the early look."""

    row: Row
    annealed: Trials
    standard: Trials
    young: list[Evaluation]  # standard models, stopped early
    linear: tuple[list[float], list[float]]

    def panel(self, seen: int, weight: float) -> Document:
        """As figures.json has it."""
        early, share = f"after {seen} epochs", number(weight, 2)
        return collapse_panel(
            f"sigma2 = {self.row.init_sigma2:g}",
            [
                curve_line("annealed", "trained", self.annealed.evaluations, 0),
                curve_line(f"annealed, {early}", "on the way", self.annealed.watched(), 0),
                curve_line("standard", "trained", self.standard.evaluations, 1),
                curve_line(f"standard, {early}", "on the way", self.young, 1),
                linear_line("linear theory", self.linear[0]),
                linear_line(f"linear theory at β = {share}", self.linear[1], 2),
                printed_line(self.row),
            ],
        )


def young(setting: Setting) -> Experiment:
    """Standard models at the same noises up to the early look: to the bit what the final ones were then."""
    whole = standard_experiment(setting, DATASET)
    runs = tuple(run for run in whole.runs if not run.learned and run.sigma2 in FIXED[DATASET])
    return replace(whole, name=f"{DATASET}, logit, early", runs=runs, epochs=setting.seen(whole.epochs))


def experiments(setting: Setting) -> Sequence[Experiment]:
    """Standard models, final and early; annealed ones."""
    return [standard_experiment(setting, DATASET), young(setting), annealed(setting, DATASET)]


def measure(setting: Setting, bench: Bench) -> Measured:
    """The curves at each noise.  Raises InputError."""
    training = standard(setting, DATASET)
    usual, early, ours = (bench.perform(one) for one in experiments(setting))
    epochs = training.sizes.epochs
    seen, over = setting.seen(epochs), setting.annealed(epochs)
    weight = ours.experiment.runs[0].weight(seen)
    rows = [row for row in printed(DATASET, "fixed") if row.init_sigma2 in FIXED[DATASET]]
    at = [row.init_sigma2 for row in rows]
    curves = linear_curves(usual.material, training.sizes.k, [*at, *(weight * s for s in at)])
    noises = []
    for row, linear in zip(rows, zip(curves, curves[len(at) :], strict=False), strict=True):
        kept = Trials.of(usual, row.init_sigma2, False)
        before = Trials.of(early, row.init_sigma2, False, kept.rate).evaluations
        noises.append(Noise(row, Trials.of(ours, row.init_sigma2, False), kept, before, linear))
    schedule = other_schedule(setting, epochs)
    if (seen, epochs) != (80, 1000):
        schedule.append(f"looked at after {seen}, not 80")
    return Measured(
        panels=[one.panel(seen, weight) for one in noises],
        findings=_findings(noises, seen),
        alt=_alt(noises, seen),
        caption=_caption(over, seen, weight),
        materials=[usual.material],
        deviations=[*training.deviations(), *schedule],
        notes=_notes(noises),
        more={"across": 4},
    )


def _findings(noises: Sequence[Noise], seen: int) -> list[Document]:
    """By curves as a whole, with what epsilon = 0.01 says beside it."""
    early = f"after {seen} epochs annealed models have fewer collapsed latents than"
    measure = "(percentage averaged over the thresholds)"
    # Early models are on their way by nature; final ones should have arrived.
    _, finals = settled([one.annealed for one in noises])
    _, both = settled([one.annealed for one in noises], [one.standard for one in noises])
    ended = [one for one in noises if not unsettled(one.annealed)]
    ready = [one for one in ended if not unsettled(one.standard)]

    def fewer(said: str, among: Sequence[Noise], others: str, without: str = "") -> Document:
        told = [findings.lower(said, _pairs(among, "early", others, of), "%") for of in (over_thresholds, at_epsilon)]
        return _more(findings.twice(*told), without)

    again = [
        findings.recovered(_pairs(ready, "final", "standard", of), more)
        for of, more in ((over_thresholds, f". {_linear(ready)}" if ready else ""), (at_epsilon, ""))
    ]
    return [
        findings.of_enough(
            fewer(f"{early} in the end {measure}", ended, "final", finals),
            alive([one.annealed for one in ended]),
            len(noises),
        ),
        fewer(f"{early} standard models after as many epochs {measure} (a control of ours)", noises, "young"),
        findings.of_enough(
            _more(findings.twice(*again), both),
            alive(*([getattr(one, kind) for one in ready] for kind in ("annealed", "standard"))),
            len(noises),
        ),
    ]


def _pairs(
    noises: Sequence[Noise], ours: str, others: str, measure: Callable[[Evaluation], float]
) -> list[findings.Pair]:
    return [
        (one.row.init_sigma2, *([measure(e) for e in _models(one)[which]] for which in (ours, others)))
        for one in noises
    ]


def _more(found: Document, said: str) -> Document:
    return finding(found["finding"], found["holds"], found["evidence"] + said)


def _linear(noises: Sequence[Noise]) -> str:
    """To whom the linear optimum is nearer."""
    told = ", ".join(f"{number(fmean(one.linear[0][1:]), 3)}% at {one.row.init_sigma2:g}" for one in noises)
    return f"The linear optimum has {told}, averaged over the thresholds, whatever the schedule"


def _models(one: Noise) -> dict[str, list[Evaluation]]:
    return {
        "early": one.annealed.watched(),
        "final": one.annealed.evaluations,
        "young": one.young,
        "standard": one.standard.evaluations,
    }


def _alt(noises: Sequence[Noise], seen: int) -> str:
    told = []
    for one in noises:
        early, final, before, standard_ = (percent(at_threshold(models)[0]) for models in _models(one).values())
        told.append(f"sigma2 = {one.row.init_sigma2:g}: {early}, {final}; {before}, {standard_}")
    return (
        f"{len(noises)} panels, one for each fixed noise: collapsed latents over the threshold. At epsilon = 0.01, "
        f"annealed models after {seen} epochs and in the end; standard ones likewise: {'. '.join(told)}."
    )


def _caption(over: int, seen: int, weight: float) -> str:
    return (
        f"Percentage of collapsed latents, mean over trials, shaded: their standard deviation. Blue: beta rises from 0 "
        f"to 1 over the first {over} epochs; orange: beta = 1 throughout. Solid: final models; dashed: the same after "
        f"{seen} epochs, where beta has come to {number(weight, 2)}. Dotted: the optimum of a linear VAE on the same "
        "data, with beta = 1 (black; at fixed noise it does not depend on the schedule) and with the beta of the "
        f"dashed models (green). Square: what the paper prints of its own standard models, Table 2. {UNITS}"
    )


def _notes(noises: Sequence[Noise]) -> list[str]:
    said = [
        "the paper does not say which noises its Figure 7 has; these are noises of Table 2 with partial collapse",
        "the paper's caption names annealed models only; standard training is drawn because what is recovered has to "
        "be compared with something",
    ]
    for one in noises:
        for name, trials in (("annealed", one.annealed), ("standard", one.standard)):
            if trials.diverged:
                at = f"at sigma2 = {one.row.init_sigma2:g}"
                said.append(f"{at}, {trials.diverged} {name} models diverged and are left out")
    return said
