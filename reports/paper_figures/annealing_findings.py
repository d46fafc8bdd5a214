"""What the paper says of annealing, and whether it shows in trained models.

Notation   a pair is what is compared at one noise: (sigma2, values of annealed models, values of the others), one value
           a trial; two means differ where they are farther apart than the root of both variances over trials.
Main       lower, whether annealed models have less; recovered; standard_stays_collapsed; much_smaller; open_if.
Reference  Lucas et al. 2019, App. E.1.1.
"""

from collections.abc import Sequence
from math import hypot
from statistics import fmean, stdev
from typing import Any

from reports.paper_figures.collapse import Trials, at_threshold, percent
from reports.paper_figures.document import finding
from reports.words.wording import number

Document = dict[str, Any]
Pair = tuple[float, Sequence[float], Sequence[float]]
# In points: what counts as fallen back.
RECOVERED = 5.0
# In percent: what counts as "a large degree" of collapse.
MUCH = 25.0
# What counts as "much smaller".
HALF = 0.5
SLACK = 1e-9


def _margin(a: Sequence[float], b: Sequence[float]) -> float:
    """Within which two means are not different."""
    return hypot(*(stdev(values) for values in (a, b) if len(values) > 1)) + SLACK


def _compared(pairs: Sequence[Pair]) -> list[tuple[float, float, float, float]]:
    """(sigma2, mean, other mean, margin) where there are both."""
    return [(s, fmean(a), fmean(b), _margin(a, b)) for s, a, b in pairs if a and b]


def _said(compared: Sequence[tuple[float, float, float, float]], unit: str) -> str:
    return ", ".join(f"{number(a, 3)}{unit} against {number(b, 3)}{unit} at {s:g}" for s, a, b, _ in compared)


def open_if(why: str, found: Document) -> Document:
    """The finding, but that nothing can be told where there is a reason."""
    return finding(found["finding"], None, found["evidence"] + why) if why else found


def lower(said: str, pairs: Sequence[Pair], unit: str, more: str = "") -> Document:
    """Holds if annealed models have less at one noise at least, and more at none; open if nobody has anything."""
    compared = _compared(pairs)
    if not any(a or b for _, a, b, _ in compared):
        return finding(said, None, "none of the models collapses any latent" if compared else "no model is left")
    less = [b - a > margin for _, a, b, margin in compared]
    worse = [a - b > margin for _, a, b, margin in compared]
    counted = f"less at {sum(less)} of {len(compared)} noises, more at {sum(worse)}, else within the spread over trials"
    evidence = f"{_said(compared, unit)}: {counted}{more}"
    return finding(said, any(less) and not any(worse), evidence)


def recovered(pairs: Sequence[Pair], more: str = "") -> Document:
    """Holds if final annealed models collapse as much as final standard ones; open if those collapse nothing."""
    said = f"in the end the collapsed solution is recovered: within {RECOVERED:g} points of standard training"
    compared = _compared(pairs)
    if not any(b for _, _, b, _ in compared):
        return finding(said, None, "without annealing nothing collapses either" if compared else "no model is left")
    near = [abs(a - b) <= max(RECOVERED, margin) for _, a, b, margin in compared]
    evidence = f"{_said(compared, '%')}: so at {sum(near)} of {len(near)} noises{more}"
    return finding(said, all(near), evidence)


def standard_stays_collapsed(standard: Sequence[Trials]) -> Document:
    """Of the starts from which standard training lowers the noise: how much is collapsed at epsilon = 0.01."""
    said = f"standard training lowers sigma2, but much collapse remains (more than {MUCH:g}% of the latents)"
    found = [
        (one.sigma2, end, c)
        for one in standard
        if (end := one.final_sigma2) is not None and (c := at_threshold(one.evaluations)[0]) is not None
    ]
    fallen = [(start, end, c) for start, end, c in found if end < start]
    shown = "; ".join(f"from {start:g} to {number(end, 3)}, {percent(c)} collapsed" for start, end, c in fallen)
    if not fallen:
        return finding(
            said, False if found else None, "from no start does sigma2 fall" if found else "no model is left"
        )
    return finding(said, all(c > MUCH for _, _, c in fallen), f"sigma2 {shown}")


def much_smaller(pairs: Sequence[Pair]) -> Document:
    """Whether annealing brings the noise to half of what standard training does, from one start at least."""
    said = "much smaller: half of it or less, from one start at least"
    ratios = [(s, a / b) for s, a, b, _ in _compared(pairs)]
    if not ratios:
        return finding(said, None, "no model is left")
    shown = ", ".join(f"{number(ratio, 3)} of it from {s:g}" for s, ratio in ratios)
    return finding(said, min(ratio for _, ratio in ratios) <= HALF, shown)
