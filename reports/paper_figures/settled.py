"""Whether trained models have come near enough to their end for collapse to be told of them.

Notation   m_i = mean_x[mu_i^2 + s_i^2], 1 in every latent where training ends; a learned noise ends at the tuned one.
Main       unsettled.
Reference  theory 5.1, 6.4; reports/training/signs.py has stricter limits, for numbers. These are for yes or no.
"""

from math import log

from gpu.vae.evaluation import Evaluation
from reports.paper_figures.collapse import Trials
from reports.words.wording import number

MOMENT = 0.5
FACTOR = 2.0


def unsettled(*several: Trials) -> str:
    """Why nothing can be told of these models, or nothing."""
    for trials in several:
        for one in trials.evaluations:
            if said := _why(one, trials.learned):
                return f"; training is unfinished: at sigma2 = {trials.sigma2:g}, {said}"
    return ""


def _why(one: Evaluation, learned: bool) -> str:
    if learned and one.tuned_sigma2 > 0:
        ratio = one.sigma2 / one.tuned_sigma2
        if abs(log(ratio)) > log(FACTOR):
            return f"the noise is {number(ratio, 2)} times that at which it ends"
    far = max(one.second_moment, key=lambda m: abs(m - 1), default=1.0)
    if not learned and abs(far - 1) > MOMENT:
        return f"mean mu^2 + variance of a latent is {number(far, 2)} and ends at 1"
    return ""
