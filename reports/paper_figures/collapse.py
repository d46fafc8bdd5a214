"""Collapse over its threshold: what Figures 5, 6, 10 and 11 have in common, and 7 to 9 use.

Notation   epsilon the threshold; delta = 0.01; a curve is the percentage of (epsilon, delta)-collapsed latents at each
           of EPSILONS; s = beta sigma2; sigma2 the noise, or where it starts if it is learned.
Main       standard, the models of the printed table; Trials, those of one noise; linear_curves; collapse_panel.
Reference  Lucas et al. 2019, Sec. 6.2, Tables 2, 3; theory 3.11.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from gpu.vae.evaluation import Evaluation
from gpu.vae.plan import Outcome
from reports.paper import Row, printed_tables
from reports.paper_figures.document import line, panel
from reports.paper_figures.setting import Setting
from reports.paper_tables.document import chosen_rate
from reports.paper_tables.presets import Training, trainings
from reports.training.document import Material
from reports.training.experiment import Experiment, Performed
from reports.training.settled import worsened
from verify.landscape.collapse import DELTA, EPSILON, EPSILONS
from verify.landscape.optimal_collapse import optimal_collapse
from verify.models.beta_vae import learned_noise_optimum
from verify.words.wording import number

Document = dict[str, Any]
# The table that prints these very models, all noises of it.
TABLE = {"mnist": 2, "celeba64": 3}
AT = EPSILONS.index(EPSILON)
# Whatever our data are, a printed point is of the paper's.
PRINTED = "printed (the paper's own data and models)"
# Of a noise, in a caption.
UNITS = "sigma2 is in the units of the logit of the data."
LATENTS = "collapsed latents, %"
LIMITS = {"xlim": (0.0, 2.0), "ylim": (-3.0, 103.0)}


def standard(setting: Setting, dataset: str) -> Training:
    """The table's models of that data set, as `elbo-verify tables` trains them."""
    sizes = setting.sizes(dataset)
    [training], _, _ = trainings(
        [TABLE[dataset]],
        setting.preset,
        data=[setting.words[dataset]],
        seeds=setting.trials(sizes.seeds),
        epochs=sizes.epochs,
        learning_rates=sizes.learning_rates,
    )
    return training


def standard_experiment(setting: Setting, dataset: str) -> Experiment:
    """They, to be performed: the same for all figures of that data set."""
    return standard(setting, dataset).experiment(setting.first_seed)


def printed(dataset: str, noise: str) -> list[Row]:
    """Printed rows with "fixed" or "learned" noise, largest first."""
    rows = [row for row in printed_tables() if row.table == TABLE[dataset] and row.data == (dataset, "logit")]
    return sorted((row for row in rows if row.noise == noise), key=lambda row: -row.init_sigma2)


@dataclass(frozen=True)
class Trials:
    """The trials of one noise at the learning rate that won.

    outcomes: of those that count; places: of these in the plan; diverged: how many do not, because they were frozen
    or ended below their first epoch.
    """

    sigma2: float
    learned: bool
    rate: float | None
    outcomes: list[Outcome]
    places: list[int]
    diverged: int

    @classmethod
    def of(cls, performed: Performed, sigma2: float, learned: bool, rate: float | None = None) -> "Trials":
        """Among all models of an experiment; rate: that to take, otherwise the one that the tables would choose."""
        outcomes, n = performed.outcomes, performed.plan.architecture.n
        of_noise = [(at, o) for at, o in enumerate(outcomes) if (o.run.sigma2, o.run.learned) == (sigma2, learned)]
        if rate is None:
            rate, _ = chosen_rate([o for _, o in of_noise])
        at_rate = [(at, o) for at, o in of_noise if rate is None or o.run.learning_rate == rate]
        found = [(at, o) for at, o in at_rate if not diverged(o, n)]
        alive, places = [o for _, o in found], [at for at, _ in found]
        return cls(sigma2, learned, rate, alive, places, len(at_rate) - len(found))

    @property
    def evaluations(self) -> list[Evaluation]:
        """Of the final models that did not diverge."""
        return [o.evaluation for o in self.outcomes if o.evaluation is not None]

    def watched(self, at: int = 0) -> list[Evaluation]:
        """Of the same models on the way."""
        return [e for o in self.outcomes if len(o.watched) > at and (e := o.watched[at]) is not None]

    @property
    def final_sigma2(self) -> float | None:
        """The mean of the noises that were learned."""
        return fmean(e.sigma2 for e in self.evaluations) if self.outcomes else None


def diverged(outcome: Outcome, n: int) -> bool:
    """Whether a model was frozen, or blew up with numbers: one that did says nothing of collapse."""
    return outcome.evaluation is None or worsened(outcome, n)


def curve_of(evaluations: Sequence[Evaluation]) -> tuple[list[float | None], list[float | None] | None]:
    """Mean over trials at each epsilon, and the sample standard deviation; None of none, and of one."""
    curves = list(zip(*(e.collapse_curve for e in evaluations), strict=True))
    if not curves:
        return [None] * len(EPSILONS), None
    return [fmean(values) for values in curves], [stdev(v) for v in curves] if len(evaluations) > 1 else None


def at_threshold(evaluations: Sequence[Evaluation], epsilon: float = EPSILON) -> tuple[float | None, float | None]:
    """Mean and spread of the percentage at one epsilon, that of EPSILONS next to it."""
    mean, spread = curve_of(evaluations)
    at = min(range(len(EPSILONS)), key=lambda i: abs(EPSILONS[i] - epsilon))
    return mean[at], None if spread is None else spread[at]


def linear_curves(material: Material, k: int, noises: Sequence[float]) -> list[list[float]]:
    """Of the linear VAE at its optimum on these data, for each s.  In one pass over them."""
    # The covariance is of the rows as they are, not of those less an offset.
    blocks = material.rows.rows.blocks()
    return [
        [float(value) for value in curve]
        for curve in optimal_collapse(material.covariance, blocks, k, noises, EPSILONS, str(DELTA))
    ]


def learned_curve(material: Material, k: int) -> tuple[float, list[float]] | None:
    """The noise of the linear optimum where it is learned, and its curve; None where the ELBO has no upper bound."""
    best = learned_noise_optimum(material.eigenvalues, k)
    return None if best is None else (best[0], linear_curves(material, k, [best[0]])[0])


def curve_line(name: str, kind: str, evaluations: Sequence[Evaluation], group: int) -> Document:
    """Models as a line with its spread."""
    mean, spread = curve_of(evaluations)
    return line(name, kind, EPSILONS, mean, group, spread)


def linear_line(name: str, curve: Sequence[float], group: int = 4) -> Document:
    """The linear theory as a line."""
    return line(name, "linear", EPSILONS, curve, group)


def printed_line(row: Row, name: str = PRINTED) -> Document:
    """The one point of a curve that the paper prints, of its own k."""
    return line(name, "printed", [EPSILON], [row.collapse_percent.value], 1)


def collapse_panel(title: str, lines: Sequence[Document]) -> Document:
    """Percentage over epsilon, with the limits that all such panels share."""
    return panel(title, "threshold ε, nats", LATENTS, lines, **LIMITS)


def over_thresholds(evaluation: Evaluation) -> float:
    """The percentage, averaged over all thresholds above 0: what a whole curve comes to."""
    return fmean(evaluation.collapse_curve[1:])


def percent(value: float | None) -> str:
    """How a percentage is said."""
    return "none left" if value is None else f"{number(value, 3)}%"
