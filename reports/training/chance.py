"""Whether trained models differ by more than chance: what trials of one kind differ by is the measure of chance.

Notation   a group is what was measured in the trials of one kind, one value a trial; t the quantile of Student's
           distribution; m comparisons are made at once, each at the level 0.05/m (Bonferroni).
Main       student; pooled, the spread within groups; margin, how far apart two means are by chance; trend.
Reference  any text on the analysis of variance.

Of one trial of each kind no spread is known, and nothing is told: None, never 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean

import numpy as np
from scipy.special import stdtrit

# So rarely may chance alone make a difference.
LEVEL = 0.05
# Percentages at these ends cannot spread to one side.
ENDS = ((0.0,), (100.0,))


def student(freedom: int, level: float = LEVEL) -> float:
    """t that is exceeded, to either side, with probability `level`.  freedom: degrees of it, from 1."""
    return float(stdtrit(freedom, 1 - level / 2))


@dataclass(frozen=True)
class Spread:
    """A standard deviation within groups, and on how many degrees of freedom it rests."""

    deviation: float
    freedom: int

    def margin(self, *sizes: int, comparisons: int = 1) -> float:
        """Within which a sum or difference of means over so many trials each is 0 by chance."""
        return student(self.freedom, LEVEL / comparisons) * self.deviation * sqrt(sum(1 / size for size in sizes))


def pooled(groups: Sequence[Sequence[float]]) -> Spread | None:
    """The spread that all groups have in common; None where no group has two trials.

    Groups that lie altogether at 0% or at 100% count only where there are no others.
    """
    several = [group for group in groups if len(group) > 1]
    inner = [group for group in several if tuple(dict.fromkeys(group)) not in ENDS] or several
    if not inner:
        return None
    freedom = sum(len(group) - 1 for group in inner)
    squares = sum((value - fmean(group)) ** 2 for group in inner for value in group)
    return Spread(sqrt(squares / freedom), freedom)


def trend(points: Sequence[tuple[float, float]], comparisons: int = 1) -> tuple[float, float] | None:
    """By how much a line through the points rises over their range, and within which margin that is 0 by chance.

    Tells chance from single trials too, if there are three points and two places at least; else None.  Where the
    points follow a curve, what it departs from the line is taken for chance: the margin is too large, not too small.
    """
    x, values = np.asarray(points, dtype=float).reshape(-1, 2).T
    if len(x) < 3 or not np.ptp(x) > 0:
        return None
    across = x - x.mean()
    square = float(across @ across)
    slope = float(across @ values) / square
    rest = values - values.mean() - slope * across
    error = sqrt(float(rest @ rest) / (len(across) - 2) / square)
    width = float(np.ptp(across))
    return slope * width, student(len(across) - 2, LEVEL / comparisons) * error * width
