"""Whether trained models have come near enough to their end for collapse to be told of them.

Main       unsettled.
Reference  reports/training/settled.py.
"""

from reports.paper_figures.collapse import Trials
from reports.training import settled


def unsettled(*several: Trials) -> str:
    """Why nothing can be told of these models, or nothing."""
    for trials in several:
        for one in trials.outcomes:
            if said := settled.unsettled(one):
                return f"; training is unfinished: at sigma2 = {trials.sigma2:g}, {said}"
    return ""
