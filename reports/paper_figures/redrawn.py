"""Trained models on the same data, dequantised with noise of another draw: how much the measure depends on that.

Main       redrawn_curve.
Reference  Lucas et al. 2019, Sec. 6.2: the measure is "(moderately) robust to stochasticity in data preprocessing".
"""

from collections.abc import Iterator

from gpu.vae.evaluation import DELTA, EPSILONS
from gpu.vae.model import Ensemble
from gpu.vae.rows import TrainingRows
from reports.training.document import ENCODED
from reports.training.experiment import Performed
from verify.arrays import Array
from verify.errors import InputError
from verify.landscape.collapse import CollapseCounts, kl

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
