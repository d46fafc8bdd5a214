"""Trained models on the same data, dequantised with noise of another draw: how much the measure depends on that.

Main       redrawn_curve; robust, the finding.
Reference  Lucas et al. 2019, Sec. 6.2: the measure is "(moderately) robust to stochasticity in data preprocessing".
"""

from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import Any

from gpu.vae.model import Ensemble
from gpu.vae.rows import TrainingRows
from reports.paper_figures.collapse import Trials, at_threshold
from reports.paper_figures.document import finding
from reports.training.document import ENCODED
from reports.training.experiment import Performed
from verify.arrays import Array
from verify.errors import InputError
from verify.landscape.collapse import DELTA, EPSILON, EPSILONS, CollapseCounts, kl
from verify.words.wording import number

Document = dict[str, Any]
# In points: what "moderately" is taken for.
MODERATE = 10.0
# Epoch 0 has the noise that was trained on; any other draw will do.
DRAW = 1


def redrawn_curve(performed: Performed, place: int) -> list[float] | None:
    """The curve of the model at that place of the plan; None without its checkpoint, or where no noise is added."""
    rows = performed.material.rows
    if not rows.rows.preprocessing.dequantised:
        return None
    try:
        ensemble = performed.ensemble(place)
    except InputError:
        return None
    counts = CollapseCounts(EPSILONS, performed.experiment.k)
    for divergence in _divergences(ensemble, rows):
        counts.add(divergence)
    return [float(value) for value in counts.curve(str(DELTA))]


def _divergences(ensemble: Ensemble, rows: TrainingRows) -> Iterator[Array]:
    """KL (b, k) of all data, by blocks."""
    for block, _ in rows.rows.blocks_with_jacobian(noise_seed=DRAW):
        seen = block if rows.offset is None else block - rows.offset
        X = seen.astype(ensemble.parameters.dtype)
        for start in range(0, len(X), ENCODED):
            mean, log_variance = ensemble.encode(X[None, start : start + ENCODED])
            yield kl(mean[0].astype("float64"), log_variance[0].astype("float64"))


def robust(trials: Sequence[Trials], redrawn: Sequence[Sequence[float] | None]) -> Document:
    """How much another draw of the noise that dequantises the data changes each curve; redrawn: of the first trial."""
    said = (
        "over a range of thresholds the measure is moderately robust to the noise that dequantises the data (taken as: "
        f"of a model as it is, it changes by {MODERATE:g} points at most; the paper gives no number)"
    )
    changes = [
        (abs(a - b), epsilon, one.sigma2)
        for one, again in zip(trials, redrawn, strict=True)
        if again is not None
        for a, b, epsilon in zip(one.evaluations[0].collapse_curve, again, EPSILONS, strict=True)
    ]
    between = any(0 < value < 100 for one in trials for e in one.evaluations for value in e.collapse_curve[1:])
    if not changes or not between:
        return finding(said, None, "no model is kept that could be evaluated again" if between else "all are alike")
    most, epsilon, sigma2 = max(changes)
    return finding(
        said,
        most <= MODERATE,
        f"with another draw, of the first trial at each noise, a curve changes by "
        f"{number(fmean(c for c, _, _ in changes), 2)} points on average, by {number(most, 3)} at most (sigma2 = "
        f"{sigma2:g}, epsilon = {number(epsilon, 2)}). {_sensitivity(trials)}",
    )


def _sensitivity(trials: Sequence[Trials]) -> str:
    """How much the choice of epsilon matters, and trials."""
    steps = []
    for epsilon in (0.1, 0.5):
        apart = [b - a for one in trials if one.evaluations for a, b in [_at(one, EPSILON, epsilon)]]
        steps.append(f"{number(fmean(apart), 2)} points on average at epsilon = {epsilon:g}")
    spreads = [spread for one in trials if (spread := at_threshold(one.evaluations)[1]) is not None]
    more = f"Against epsilon = {EPSILON:g} there are {' and '.join(steps)} more"
    spread = f"{number(max(spreads), 2)} points at most at epsilon = {EPSILON:g}" if spreads else ""
    return f"{more}; trials spread by {spread}" if spreads else more


def _at(one: Trials, *epsilons: float) -> list[float]:
    return [value for epsilon in epsilons if (value := at_threshold(one.evaluations, epsilon)[0]) is not None]
