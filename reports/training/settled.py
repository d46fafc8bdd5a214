"""Whether a trained model has come near enough to its end for collapse to be told of it: yes or no.

Notation   what moves is a line through the last tenth of the epochs: from its beginning to its end.
Main       unsettled; worsened, of trainings that blew up.
Reference  theory 5.1: a learned noise ends at the tuned one; Lucas et al. 2019, App. E: learning rates are fixed.

The end of a training at a fixed learning rate, which all of the paper's are, is where nothing moves on any more: near a
stationary point, but not at one, since its steps do not become smaller. So this does not ask for what holds at
stationary points alone (mean mu^2 + variance = 1, theory 6.4), as signs.py does for people who want to get there.

The limits are coarse, and the same for everything that moves: a tenth over the last tenth of the epochs; of the ELBO a
tenth of the KL. A model that has not settled speaks neither for a finding nor against it.
"""

from math import exp, isfinite, log

import numpy as np

from gpu.vae.plan import Outcome
from reports.training.signs import NATS, last_tenth
from verify.words.wording import number

FACTOR = 2.0
# How much the noise, the squared error, the KL, and the ELBO against it, may change over the last tenth of the epochs.
MOVED = 1.1
# Of fewer epochs there is no last tenth.
LEAST = 10


def unsettled(one: Outcome) -> str:
    """Why nothing can be told of this model yet, or nothing."""
    evaluation = one.evaluation
    if evaluation is None:
        return ""
    if len(one.history) < LEAST:
        return f"of {len(one.history)} epochs no end can be seen"
    if one.run.learned and evaluation.tuned_sigma2 > 0:
        ratio = evaluation.sigma2 / evaluation.tuned_sigma2
        if abs(log(ratio)) > log(FACTOR):
            return f"the noise is {number(ratio, 2)} times that at which it ends"
    return _moving(one)


def _moving(one: Outcome) -> str:
    """What still moves by more than a tenth, in either direction and beyond its jitter."""
    error, divergence, noise = np.array(one.history).T
    if one.run.learned and (moved := _moved(np.log(noise), log(MOVED))):
        return f"the noise is {number(exp(moved), 3)} times what it was a tenth of the epochs before"
    if moved := _moved(np.log(np.maximum(error, np.finfo(float).tiny)), log(MOVED)):
        return f"the squared error is {number(exp(moved), 3)} times what it was a tenth of the epochs before"
    limit = max(NATS, (1 - 1 / MOVED) * abs(float(divergence[-1])))
    if moved := _moved(divergence, limit):
        return f"the KL {_by(moved)} nats to {number(divergence[-1], 3)} over the last tenth of the epochs"
    # All that collapse can win or lose is of the size of the KL. The tuned noise is the error by dimensions.
    e = one.evaluation
    n = round(e.error / e.tuned_sigma2) if e is not None and e.tuned_sigma2 > 0 else 1
    if moved := _moved(np.array(one.elbos(n)), limit):
        return f"the ELBO {_by(moved)} nats over the last tenth of the epochs, with a KL of {number(divergence[-1], 3)}"
    return ""


def _by(moved: float) -> str:
    return f"{'rose' if moved > 0 else 'fell'} by {number(abs(moved), 3)}"


def _moved(curve: np.ndarray, limit: float) -> float:
    """How much it moved, where that is more than the limit and than chance; else 0."""
    rise, error = last_tenth([float(v) for v in curve])
    if rise is None or error is None or not isfinite(rise):
        return 0.0
    return rise if abs(rise) > max(limit, 3 * error) else 0.0


def worsened(outcome: Outcome, n: int) -> bool:
    """Whether a model ends with a lower ELBO than that of its first epoch: its training blew up, if with numbers."""
    elbos = outcome.elbos(n)
    return outcome.evaluation is not None and bool(elbos) and not outcome.evaluation.elbo >= elbos[0]
