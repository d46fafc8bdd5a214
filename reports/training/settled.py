"""Whether a trained model has come near enough to its end for collapse to be told of it: yes or no.

Notation   m_i = mean_x[mu_i^2 + s_i^2], 1 in every latent where training ends; a learned noise ends at the tuned one.
Main       unsettled.
Reference  theory 5.1, 6.4; signs.py has stricter limits, for numbers.
"""

from math import log

from gpu.vae.evaluation import Evaluation
from reports.words.wording import number

MOMENT = 0.5
FACTOR = 2.0


def unsettled(one: Evaluation, learned: bool) -> str:
    """Why nothing can be told of this model yet, or nothing."""
    if learned and one.tuned_sigma2 > 0:
        ratio = one.sigma2 / one.tuned_sigma2
        if abs(log(ratio)) > log(FACTOR):
            return f"the noise is {number(ratio, 2)} times that at which it ends"
    far = max(one.second_moment, key=lambda m: abs(m - 1), default=1.0)
    if not learned and abs(far - 1) > MOMENT:
        return f"mean mu^2 + variance of a latent is {number(far, 2)} and ends at 1"
    return ""
