"""Whether a trained model has come near enough to its end for collapse to be told of it: yes or no.

Notation   m_i = mean_x[mu_i^2 + s_i^2], 1 in every latent where training ends; a learned noise ends at the tuned one.
           What moves is a line through the last tenth of the epochs: from its beginning to its end.
Main       unsettled.
Reference  theory 5.1, 6.4; signs.py has stricter limits, for numbers.

The limits are coarse, and the same for everything that moves: a tenth over the last tenth of the epochs; of the ELBO a
tenth of the KL, and where it jitters by more, no end is seen. A model that has not settled speaks neither for a finding
nor against it.
"""

from math import exp, isfinite, log

import numpy as np

from gpu.vae.plan import Outcome
from reports.training.signs import NATS, last_tenth
from reports.words.wording import number

# How far m_i may be off; and in which part of the latents it may be more, as a few percent of them change no finding.
MOMENT, SHARE = 0.5, 0.1
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
    if said := _moving(one):
        return said
    off = [m for m in evaluation.second_moment if not abs(m - 1) <= MOMENT]
    if len(off) <= SHARE * len(evaluation.second_moment):
        return ""
    far, k = max(off, key=lambda m: abs(m - 1)), len(evaluation.second_moment)
    return f"mean mu^2 + variance ends at 1 in each latent, and is as far off as {far:.2g} in {len(off)} of {k}"


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
    elbos = one.elbos(n)
    if moved := _moved(np.array(elbos), limit):
        return f"the ELBO {_by(moved)} nats over the last tenth of the epochs, with a KL of {number(divergence[-1], 3)}"
    _, jitter = last_tenth(elbos)
    if jitter is None or 3 * jitter > limit:
        return f"the ELBO jitters too much to see an end, with a KL of {number(divergence[-1], 3)}"
    return ""


def _by(moved: float) -> str:
    return f"{'rose' if moved > 0 else 'fell'} by {number(abs(moved), 3)}"


def _moved(curve: np.ndarray, limit: float) -> float:
    """How much it moved, where that is more than the limit and than chance; else 0."""
    rise, error = last_tenth([float(v) for v in curve])
    if rise is None or error is None or not isfinite(rise):
        return 0.0
    return rise if abs(rise) > max(limit, 3 * error) else 0.0
