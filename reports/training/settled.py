"""Whether a trained model has come near enough to its end for collapse to be told of it: yes or no.

Notation   m_i = mean_x[mu_i^2 + s_i^2], 1 in every latent where training ends; a learned noise ends at the tuned one.
Main       unsettled.
Reference  theory 5.1, 6.4; signs.py has stricter limits, for numbers.
"""

from math import log

from gpu.vae.plan import Outcome
from reports.words.wording import number

MOMENT = 0.5
FACTOR = 2.0
# How much a noise may change over the last tenth of the epochs.
MOVED = 1.1


def unsettled(one: Outcome) -> str:
    """Why nothing can be told of this model yet, or nothing."""
    evaluation = one.evaluation
    if evaluation is None:
        return ""
    if one.run.learned and evaluation.tuned_sigma2 > 0:
        ratio = evaluation.sigma2 / evaluation.tuned_sigma2
        if abs(log(ratio)) > log(FACTOR):
            return f"the noise is {number(ratio, 2)} times that at which it ends"
    if one.run.learned and (moved := _moved(one)) and abs(log(moved)) > log(MOVED):
        return f"the noise is {number(moved, 3)} times what it was a tenth of the epochs before"
    far = max(evaluation.second_moment, key=lambda m: abs(m - 1), default=1.0)
    return f"mean mu^2 + variance of a latent is {number(far, 2)} and ends at 1" if abs(far - 1) > MOMENT else ""


def _moved(one: Outcome) -> float | None:
    """The noise of the last epoch over that of a tenth of all epochs before; from the start where there are too few."""
    course = [one.run.sigma2, *(noise for _, _, noise in one.history)]
    tenth = max(1, len(one.history) // 10)
    return course[-1] / course[-1 - tenth] if len(course) > tenth else None
