"""What the paper says of annealing, and whether it shows in trained models.

Notation   a pair is what is compared at one noise: (sigma2, values of annealed models, values of the others), one value
           a trial. How far means lie apart by chance comes from the trials of all pairs, for as many comparisons as
           there are pairs.
Main       lower, whether annealed models have less; recovered; standard_stays_collapsed; much_smaller; twice;
           of_enough.
Reference  Lucas et al. 2019, App. E.1.1; reports/training/chance.py.

Of single trials nothing is told; nor where chance may hide a difference that matters.
"""

from collections.abc import Callable, Sequence
from math import log
from statistics import fmean, stdev
from typing import Any

from reports.paper_figures.collapse import Trials, percent
from reports.paper_figures.collapse_findings import NONE_LEFT, VERDICTS, at_epsilon
from reports.paper_figures.document import finding
from reports.paper_figures.points import by_chance, contrary
from reports.training.chance import pooled
from verify.words.wording import number

Document = dict[str, Any]
Pair = tuple[float, Sequence[float], Sequence[float]]
# (sigma2, mean, other mean, by how much the first is less, how far that may be chance: None of single trials)
Compared = tuple[float, float, float, float, float | None]
# In points: what counts as fallen back, and as no less.
RECOVERED = 5.0
# In percent: what counts as "a large degree" of collapse.
MUCH = 25.0
# What counts as "much smaller", and as no smaller.
HALF, ALIKE = 0.5, 0.9
SLACK = 1e-9
SINGLE = "; with one trial each, luck cannot be told from annealing"


def _same(value: float) -> float:
    return value


def _compared(pairs: Sequence[Pair], scale: Callable[[float], float] = _same) -> list[Compared]:
    """Where there are both.  scale: on which means are told apart."""
    both = [(s, a, b) for s, a, b in pairs if a and b]
    spread = pooled([[scale(value) for value in group] for _, *groups in both for group in groups])
    found = []
    for s, a, b in both:
        margin = None if spread is None else spread.margin(len(a), len(b), comparisons=len(both))
        less = fmean(map(scale, b)) - fmean(map(scale, a))
        found.append((s, fmean(a), fmean(b), less, margin))
    return found


def _said(pairs: Sequence[Pair], unit: str) -> str:
    """Means, and of percentages their standard deviation where several trials differ."""
    both = [(s, a, b) for s, a, b in pairs if a and b]
    told = ", ".join(f"{_mean(a, unit)} against {_mean(b, unit)} at {s:g}" for s, a, b in both)
    counts = {len(group) for _, *groups in both for group in groups}
    if "±" not in told:
        return told
    trials = f" of {min(counts)} trials each" if len(counts) == 1 else " over trials"
    return f"{told} (± standard deviation{trials})"


def _mean(values: Sequence[float], unit: str) -> str:
    apart = stdev(values) if unit and len(values) > 1 else 0.0
    return f"{number(fmean(values), 3)}{f'±{number(apart, 2)}' if apart else ''}{unit}"


def of_enough(found: Document, told: int, planned: int) -> Document:
    """Nothing is told of fewer than half of the noises, or starts, that were trained for it."""
    if 2 * told >= planned:
        return found
    why = f"only {told} of {planned} noises can be looked at, too few to tell: "
    return finding(found["finding"], None, why + found["evidence"])


def twice(found: Document, near: Document) -> Document:
    """A finding by the mean over the thresholds, with what the paper's one threshold says beside it."""
    beside = f". At epsilon = 0.01 alone {VERDICTS[near['holds']]}: {near['evidence']}"
    return finding(
        found["finding"], found["holds"], contrary(found["holds"], near["holds"]) + found["evidence"] + beside
    )


def lower(said: str, pairs: Sequence[Pair], unit: str = "") -> Document:
    """Holds if annealed models have less at one noise at least, and more at none; unit: "%" or, of noises, ""."""
    noises = not unit
    compared = _compared(pairs, log if noises else _same)
    if not compared:
        return finding(said, None, NONE_LEFT)
    if not noises and {value for _, a, b in pairs for value in (*a, *b)} in ({0.0}, {100.0}):
        return finding(said, None, f"{_said(pairs, unit)}: all are alike")
    margins = [margin for *_, margin in compared if margin is not None]
    if not margins:
        return finding(said, None, _said(pairs, unit) + SINGLE)
    less = [gap > margin + SLACK for (*_, gap, _), margin in zip(compared, margins, strict=True)]
    more = [-gap > margin + SLACK for (*_, gap, _), margin in zip(compared, margins, strict=True)]
    # So little less could be there unseen.
    hidden = [gap + margin for (*_, gap, _), margin in zip(compared, margins, strict=True)]
    none = max(hidden) < (-log(ALIKE) if noises else RECOVERED)
    counted = f"less at {sum(less)} of {len(compared)} noises, more at {sum(more)}, else within what trials differ by"
    holds = False if any(more) else True if any(less) else False if none else None
    return finding(said, holds, f"{_said(pairs, unit)}: {counted}")


def recovered(pairs: Sequence[Pair], more: str = "") -> Document:
    """Holds if final annealed models collapse as much as final standard ones; open if those collapse nothing."""
    said = (
        f"in the end the collapsed solution is recovered (taken as: within {RECOVERED:g} points of standard training, "
        "percentage averaged over the thresholds)"
    )
    compared = _compared(pairs)
    if not any(b for _, _, b, *_ in compared):
        return finding(said, None, "without annealing nothing collapses either" if compared else NONE_LEFT)
    margins = [margin for *_, margin in compared if margin is not None]
    if not margins:
        return finding(said, None, _said(pairs, "%") + SINGLE + more)
    # Within, where chance does not hide more; beyond, where it is not chance.
    near = [abs(gap) <= RECOVERED and m <= RECOVERED for (*_, gap, _), m in zip(compared, margins, strict=True)]
    far = [abs(gap) > max(RECOVERED, m) for (*_, gap, _), m in zip(compared, margins, strict=True)]
    chance = by_chance(max(margins), "chance makes {}")
    evidence = f"{_said(pairs, '%')}: so at {sum(near)} of {len(near)} noises, not so at {sum(far)}; {chance}{more}"
    return finding(said, False if any(far) else True if all(near) else None, evidence)


def standard_stays_collapsed(standard: Sequence[Trials]) -> Document:
    """Of the starts from which standard training lowers the noise: how much is collapsed at epsilon = 0.01."""
    said = (
        f"standard training lowers sigma2, but much collapse remains (taken as: more than {MUCH:g}% of the latents at "
        "epsilon = 0.01, in every trial)"
    )
    found = [
        (one.sigma2, end, [at_epsilon(e) for e in one.evaluations])
        for one in standard
        if (end := one.final_sigma2) is not None
    ]
    fallen = [(start, end, values) for start, end, values in found if end < start]
    if not fallen:
        why = "from no start does sigma2 fall" if found else NONE_LEFT
        return finding(said, False if found else None, why)
    shown = "; ".join(
        f"from {start:g} to {number(end, 3)}, {' and '.join(map(percent, values))} collapsed"
        for start, end, values in fallen
    )
    much = [[c > MUCH for c in values] for _, _, values in fallen]
    holds = True if all(map(all, much)) else False if not all(map(any, much)) else None
    return finding(said, holds, f"sigma2 {shown}")


def much_smaller(pairs: Sequence[Pair]) -> Document:
    """Whether annealing brings the noise to half of what standard training does, from one start at least."""
    said = f"annealing learns a much smaller sigma2 (taken as: {HALF:g} of the other or less, from one start at least)"
    compared = _compared(pairs, log)
    if not compared:
        return finding(said, None, NONE_LEFT)
    shown = ", ".join(f"{number(a / b, 3)} of it from {s:g}" for s, a, b, *_ in compared)
    margins = [margin for *_, margin in compared if margin is not None]
    if not margins:
        return finding(said, None, shown + SINGLE)
    half = -log(HALF)
    much = [gap >= half and gap > m for (*_, gap, _), m in zip(compared, margins, strict=True)]
    # No start from which it might be half but for chance.
    none = all(gap + m < half for (*_, gap, _), m in zip(compared, margins, strict=True))
    return finding(said, True if any(much) else False if none else None, shown)
