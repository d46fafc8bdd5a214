"""Whether trained models have come near enough to their end for collapse to be told of them.

Main       unsettled; settled, which leaves out what has not; alive.
Reference  reports/training/settled.py.

What is unfinished speaks neither for a finding nor against it: it is left out, and named.
"""

from collections.abc import Sequence

from reports.paper_figures.collapse import Trials, at_threshold
from reports.training import settled as model
from verify.words.wording import number


def unsettled(*several: Trials) -> str:
    """Why nothing can be told of these models, or nothing."""
    for trials in several:
        for one in trials.outcomes:
            if said := model.unsettled(one):
                return f"; training is unfinished: at sigma2 = {trials.sigma2:g}, {said}"
    return ""


def settled(*kinds: Sequence[Trials]) -> tuple[list[list[Trials]], str]:
    """The noises at which every kind has come near its end, in each kind; and which are left out, in words.

    kinds: trials of the same noises in one order.
    """
    columns = list(zip(*kinds, strict=True))
    without = [column for column in columns if unsettled(*column)]
    ready = [[one for one, column in zip(kind, columns, strict=True) if column not in without] for kind in kinds]
    names = ", ".join(f"{column[0].sigma2:g} ({' against '.join(map(_at, column))})" for column in without)
    why = unsettled(*without[0]) if without else ""
    return ready, f". Left out, with % collapsed at epsilon = 0.01: {names}{why}" if without else ""


def alive(*kinds: Sequence[Trials]) -> int:
    """At how many noises some model of every kind is left; kinds as in `settled`."""
    return sum(all(one.evaluations for one in column) for column in zip(*kinds, strict=True))


def _at(one: Trials) -> str:
    return number(at_threshold(one.evaluations)[0], 3) if one.evaluations else "none left"
