"""Tables 1-5, trained again: each number beside the printed one, and what the linear theory predicts.

Notation   a trial is a model of one seed; spread the sample standard deviation over trials; J takes an ELBO from the
           model's space to the 0..255 scale (theory 5.2); lam (n,) eigenvalues of the data that are trained on.
Main       chosen_rate, cell, difference, row_document, training_document, pattern, CELLS.
Reference  Lucas et al. 2019, Tables 1-5, App. E; theory 5; reports/schema/tables.json.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import hypot, sqrt
from statistics import fmean, median, stdev
from typing import Any

from gpu.vae.evaluation import Evaluation
from gpu.vae.plan import Outcome
from reports.audit.bounds import likelihood_constant
from reports.paper import Printed, Row
from reports.paper_tables.pattern import findings
from reports.paper_tables.presets import Training, open_choices, other_photographs
from reports.training.document import Material
from reports.training.settled import unsettled, worsened
from verify.landscape.stationary import retained_count

Document = dict[str, Any]
# Measured numbers of a row, in the order of print; the noise that was learned only where it was.
CELLS = ("final_sigma2", "elbo", "tuned_elbo", "tuned_sigma2", "collapse_percent", "kl")


@dataclass(frozen=True)
class Trained:
    """A training that has been done."""

    training: Training
    material: Material
    outcomes: list[Outcome]
    precision: str = "float32"  # of the products
    diagnosed: Mapping[int, Document] = field(default_factory=dict)  # by place from 0; see `best_trials`
    unsaid: Sequence[str] = ()  # why others were not

    def deviations(self) -> list[str]:
        """In what it is not the paper's experiment."""
        return [*self.training.deviations(), *self.other_photographs()]

    def incomparable(self) -> list[str]:
        """Why its numbers are not the paper's, whatever their spread."""
        return [*self.training.incomparable(), *self.other_photographs()]

    def other_photographs(self) -> list[str]:
        """Any folder may be called CelebA."""
        named = self.training.data.startswith("celeba:")
        return other_photographs(self.material.rows.shape[0]) if named else []

    def of(self, noise: str, init_sigma2: float) -> list[Outcome]:
        """All models of one row: every learning rate, every trial."""
        return [o for o in self.outcomes if o.run.learned == (noise == "learned") and o.run.sigma2 == init_sigma2]

    def chosen(self, noise: str, init_sigma2: float) -> tuple[float | None, list[Evaluation], list[Document]]:
        """The learning rate that wins, its trials, and all candidates."""
        outcomes = self.of(noise, init_sigma2)
        rate, candidates = chosen_rate(outcomes)
        return rate, [o.evaluation for o in outcomes if o.run.learning_rate == rate and o.evaluation], candidates

    def best_trial(self, noise: str, init_sigma2: float) -> int | None:
        """The place, from 0, of the best trial at the learning rate that wins; None if all diverged."""
        rate, _ = chosen_rate(self.of(noise, init_sigma2))
        row = (noise == "learned", init_sigma2, rate)
        elbos = {
            place: o.evaluation.elbo
            for place, o in enumerate(self.outcomes)
            if o.evaluation and (o.run.learned, o.run.sigma2, o.run.learning_rate) == row
        }
        return max(elbos, key=elbos.__getitem__, default=None)

    def best_trials(self) -> list[int]:
        """Those of all rows, each once: the models that are diagnosed."""
        found = (self.best_trial(noise, init) for noise, init in self.training.noises)
        return [place for place in found if place is not None]

    def verdict(self, noise: str, init_sigma2: float) -> Document | None:
        """What the diagnosis of a row's best trial found; None where there is none."""
        place = self.best_trial(noise, init_sigma2)
        return None if place is None else self.diagnosed.get(place)


def chosen_rate(outcomes: Sequence[Outcome]) -> tuple[float | None, list[Document]]:
    """The learning rate with the best mean of the final ELBO; one at which fewer models diverged always wins.

    -> it (None if every model diverged) and [{"learning_rate", "elbo" (mean, None without trials), "frozen"}].
    """
    candidates = []
    for rate in dict.fromkeys(o.run.learning_rate for o in outcomes):
        ended = [o.evaluation for o in outcomes if o.run.learning_rate == rate]
        alive = [e.elbo for e in ended if e is not None]
        mean = fmean(alive) if alive else None
        candidates.append({"learning_rate": rate, "elbo": mean, "frozen": len(ended) - len(alive)})
    possible = [c for c in candidates if c["elbo"] is not None]
    best = min(possible, key=lambda c: (c["frozen"], -c["elbo"]), default=None)
    return (None if best is None else best["learning_rate"]), candidates


def summary(values: Sequence[float]) -> Document:
    """Mean and sample standard deviation; None where there are too few."""
    return {"ours": fmean(values) if values else None, "spread": stdev(values) if len(values) > 1 else None}


def difference(ours: float, spread: float | None, printed: Printed, printed_spread: float | None) -> float | None:
    """(ours - printed) in units of the root of the sum of squares of both spreads and of the printed rounding.

    None where both spreads together are less than that rounding, unless the difference lies within it (0): then there
    is nothing to measure by.
    """
    apart = ours - printed.value
    if hypot(spread or 0.0, printed_spread or 0.0) < printed.half:
        return 0.0 if abs(apart) <= printed.half else None
    # What was rounded lies anywhere within half a digit: a standard deviation of half / sqrt(3).
    return apart / hypot(spread or 0.0, printed_spread or 0.0, printed.half / sqrt(3))


def cell(values: Sequence[float], printed: Printed, printed_err: Printed | None, comparable: bool = True) -> Document:
    """Ours beside the printed number, and the difference in units of the combined spread where they are comparable."""
    told, printed_spread = summary(values), None if printed_err is None else printed_err.value
    measured = comparable and told["ours"] is not None
    apart = difference(told["ours"], told["spread"], printed, printed_spread) if measured else None
    return told | {"printed": printed.value, "printed_spread": printed_spread, "difference": apart}


def _measured(J: float) -> dict[str, Callable[[Evaluation], float]]:
    """How each cell is read off a trained model; ELBOs on the 0..255 scale."""
    return {
        "final_sigma2": lambda e: e.sigma2,
        "elbo": lambda e: e.elbo + J,
        "tuned_elbo": lambda e: e.tuned_elbo + J,
        "tuned_sigma2": lambda e: e.tuned_sigma2,
        "collapse_percent": lambda e: e.collapse_percent,
        "kl": lambda e: e.kl,
    }


def row_document(row: Row, number: int, trained: Trained) -> Document:
    """One printed row and what was trained for it; number: of the training, from 1."""
    rate, trials, candidates = trained.chosen(row.noise, row.init_sigma2)
    printed = row.measured()
    read, comparable = _measured(trained.material.J), not trained.incomparable()
    cells = {
        name: cell([read[name](e) for e in trials], printed[name], printed.get(f"{name}_err"), comparable)
        for name in CELLS
        if name in printed
    }
    frozen = next((c["frozen"] for c in candidates if c["learning_rate"] == rate), len(trained.training.seeds))
    return {
        "table": row.table,
        "dataset": row.dataset,
        "preprocessing": row.preprocessing,
        "training": number,
        "noise": row.noise,
        "init_sigma2": row.init_sigma2,
        "learning_rate": rate,
        "candidates": candidates,
        "trials": len(trials),
        "frozen": frozen,
        "cells": cells,
        "model_space": {name: summary([getattr(e, name) for e in trials]) for name in ("elbo", "tuned_elbo")},
        "retained": _retained(row, trials, trained),
        "diagnosis": trained.verdict(row.noise, row.init_sigma2),
    }


def _retained(row: Row, trials: Sequence[Evaluation], trained: Trained) -> Document:
    """Latents kept: by the deep models, by the linear theory at the same noise, by the printed models."""
    k = trained.training.sizes.k
    at: float | None = row.init_sigma2
    if row.learned:
        at = fmean(e.sigma2 for e in trials) if trials else None
    return {
        **summary([k * (1 - e.collapse_percent / 100) for e in trials]),
        "of": k,
        "linear": None if at is None else retained_count(trained.material.lam, k, at),
        "linear_sigma2": at,
        "printed": row.k * (1 - row.collapse_percent.value / 100),
        "printed_of": row.k,
    }


def training_document(trained: Trained, rows: Sequence[Row]) -> Document:
    """One training: data, sizes, scale, what is open, and whether the paper's pattern shows."""
    training, lam = trained.training, trained.material.eigenvalues
    sizes = {name: value for name, value in asdict(training.sizes).items() if name != "seeds"}
    return {
        "dataset": training.dataset,
        "preprocessing": training.preprocessing,
        "data": trained.material.facts(),
        **sizes,
        "seeds": list(training.seeds),
        "models": len(trained.outcomes),
        "frozen": sum(o.evaluation is None for o in trained.outcomes),
        "precision": trained.precision,
        "worsened": sum(worsened(o, trained.material.rows.shape[1]) for o in trained.outcomes),
        "unfinished": sum(bool(unsettled(outcome)) for outcome in trained.outcomes),
        "deviations": trained.deviations(),
        "incomparable": trained.incomparable(),
        "scale": _scale(trained, [row for row in rows if row.data == (training.dataset, training.preprocessing)]),
        "sigma2_mle": float(lam[training.sizes.k :].mean()) if training.sizes.k < len(lam) else None,
        "open": open_choices(training),
        "pattern": pattern(trained),
    }


def _scale(trained: Trained, rows: Sequence[Row]) -> Document | None:
    """On which scale the printed ELBOs are: which of the constants of these data their rows imply (theory 5.2)."""
    if not trained.training.same_data or trained.other_photographs():
        return None
    implied = median((b.low + b.high) / 2 for b in (likelihood_constant(row) for row in rows))
    known = {"model": 0.0, "0..1": trained.material.rows.mean_log_jacobian, "0..255": trained.material.J}
    nearest = min(known, key=lambda name: abs(known[name] - implied))
    return {"printed_constant": implied, "constants": known, "nearest": nearest}


def pattern(trained: Trained) -> list[Document]:
    """The paper's findings, looked for in what was trained: [{"finding", "holds", "evidence"}].

    holds: None where the trainings cannot tell. Models that ended below their first epoch are left out, and counted in
    the evidence: one that blew up says nothing of noise, and would settle every comparison of ELBOs.
    """
    means, blown = {}, 0
    for noise, init in trained.training.noises:
        rate, _, _ = trained.chosen(noise, init)
        outcomes = [o for o in trained.of(noise, init) if o.run.learning_rate == rate and o.evaluation]
        left = [o for o in outcomes if not worsened(o, trained.material.rows.shape[1])]
        trials = [o.evaluation for o in left if o.evaluation]
        blown += len(outcomes) - len(left)
        if trials:
            mean = {name: fmean(read(e) for e in trials) for name, read in _measured(0.0).items()}
            why = next(filter(None, (unsettled(o) for o in left)), "")
            means[noise, init] = mean | {
                "unsettled": f"at sigma2 = {init:g}, {why}" if why else "",
                "collapse_trials": [e.collapse_percent for e in trials],
            }
    fixed = {init: m for (noise, init), m in sorted(means.items()) if noise == "fixed"}
    learned = {init: m for (noise, init), m in sorted(means.items()) if noise == "learned"}
    k = trained.training.sizes.k
    found = findings(fixed, learned, {s: retained_count(trained.material.lam, k, s) for s in fixed}, k)
    without = f"; without {blown} model{'s' * (blown > 1)} that blew up" if blown else ""
    return [one | {"evidence": one["evidence"] + without} for one in found]
