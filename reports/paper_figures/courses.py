"""Trainings as curves over time: thinned for a picture, with where each ended and how surely that is told.

Notation   final: the ELBO after the last step, in closed form (the decoders here are linear), never by a draw of z;
           optimum: of the linear VAE on the same rows with a noise of its own, which none of them can exceed (Lemma 1).
Main       Trial; best_rate; compare, whether one ended above another; thinned, together.
Reference  Lucas et al. 2019, Lemma 1, Figures 3 and 4; theory 5.1, 6.3; reports/training/signs.py.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, hypot, isfinite
from statistics import fmean, stdev

import numpy as np

from gpu.vae.plan import Outcome
from reports.training.chance import student
from reports.training.experiment import Performed
from reports.training.signs import NATS, last_tenth, signs

# So many points are as many as a picture of this width can show.
POINTS = 300

# Standard errors of a trend; and the part of what a course lacks that it may gain and yet be at its end.
SURE_OF_TREND, LACKED = 3.0, 0.1


@dataclass(frozen=True)
class Trial:
    """One training.  final, optimum: see above, None where it diverged or there is no optimum; x, y: its course.

    x (m,) epochs, y (m,) the ELBO, as it was trained on, meant over a window around each; scatter: of y about its own
    trend at the end.
    """

    seed: int
    rate: float
    final: float | None
    optimum: float | None
    x: list[float]
    y: list[float]

    @classmethod
    def of(cls, performed: Performed, outcome: Outcome) -> "Trial":
        """As the bench gives it."""
        plan, data = performed.plan, performed.material
        told = signs(outcome, plan, data.eigenvalues, data.rows.shape[0]) or {}
        x, y = thinned(outcome.elbos(plan.architecture.n))
        run = outcome.run
        return cls(run.seed, run.learning_rate, told.get("objective"), told.get("linear_optimum"), x, y)

    @property
    def below(self) -> float | None:
        """How far it ended below the optimum."""
        return None if self.final is None or self.optimum is None else self.optimum - self.final

    @property
    def rising(self) -> bool | None:
        """Whether it still rose over the last tenth; None where that cannot be seen.

        It no longer rises where it gains at most a tenth of what it lacks from the optimum, jitter allowed for.
        """
        rise, error = last_tenth(self.y)
        if rise is None or error is None:
            return None
        if rise > max(NATS, SURE_OF_TREND * error):
            return True
        return False if rise + SURE_OF_TREND * error <= max(NATS, LACKED * (self.below or 0.0)) else None

    @property
    def scatter(self) -> float | None:
        """The standard deviation of neighbouring points of the last tenth, of which a trend is no part."""
        last = np.array(self.y[-max(ceil(len(self.y) / 10), 4) :])
        if len(last) < 4 or not np.isfinite(last).all():
            return None
        return float(np.sqrt((np.diff(last) ** 2).mean() / 2))


def trials(performed: Performed) -> list[Trial]:
    """All models of an experiment."""
    return [Trial.of(performed, outcome) for outcome in performed.outcomes]


def best_rate(found: Sequence[Trial]) -> float | None:
    """The learning rate with the best mean of the finals; one at which fewer diverged always wins.  None: all did."""
    candidates = []
    for rate in dict.fromkeys(one.rate for one in found):
        ended = [one.final for one in found if one.rate == rate]
        alive = [final for final in ended if final is not None]
        if alive:
            candidates.append((len(ended) - len(alive), -fmean(alive), rate))
    return min(candidates)[2] if candidates else None


def compare(a: Sequence[Trial], b: Sequence[Trial]) -> int | None:
    """1 where a ended above b, -1 below, 0 alike, None where that cannot be told; a, b: trials of one kind each.

    What chance does is what the trials of a kind differ by, or what a single one does from point to point at its end.
    """
    means, errors, freedom = [], [], 0
    for kind in (a, b):
        finals = [one.final for one in kind if one.final is not None]
        if not finals or len(finals) < len(kind):
            return None
        apart = stdev(finals) / len(finals) ** 0.5 if len(finals) > 1 else kind[0].scatter
        if apart is None:
            return None
        means.append(fmean(finals))
        errors.append(apart)
        freedom += len(finals) - 1 if len(finals) > 1 else max(2, len(kind[0].y) // 10)
    gap, chance = means[0] - means[1], student(freedom) * hypot(*errors)
    if abs(gap) > max(NATS, chance):
        return 1 if gap > 0 else -1
    return 0 if chance <= NATS else None


def thinned(course: Sequence[float], points: int = POINTS) -> tuple[list[float], list[float]]:
    """At most so many means over windows of equal length, each at the middle of its window; epochs count from 1."""
    size = max(1, ceil(len(course) / points))
    parts = [(start, course[start : start + size]) for start in range(0, len(course), size)]
    return [start + (len(part) + 1) / 2 for start, part in parts], [fmean(part) for _, part in parts]


def together(curves: Sequence[Sequence[float]]) -> tuple[list[float | None], list[float | None] | None]:
    """Mean and standard deviation of curves, None where one is no number; no deviation of a single curve."""
    columns = list(zip(*curves, strict=True))
    fine = [all(isfinite(v) for v in column) for column in columns]
    means = [fmean(column) if good else None for column, good in zip(columns, fine, strict=True)]
    if len(curves) < 2:
        return means, None
    return means, [stdev(column) if good else None for column, good in zip(columns, fine, strict=True)]


def mean_and_spread(values: Iterable[float | None]) -> tuple[float | None, float | None]:
    """Of those that there are."""
    found = [v for v in values if v is not None]
    return (fmean(found) if found else None), (stdev(found) if len(found) > 1 else None)
