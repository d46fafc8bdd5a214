"""What the paper says of collapse over its threshold, and whether it shows in trained models.

Notation   trials of each noise, largest noise first; c percent of latents collapsed, averaged over the thresholds
           epsilon of a curve and over trials.
Main       large_noise_collapses, no_more_than_linear of fixed noises; large_start_collapses, narrower_than_fixed,
           start_matters of learned ones; robust of both.
Reference  Lucas et al. 2019, Sec. 6.2.

None of what was measured can be told where no model is left, or where all collapse everywhere.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import hypot
from statistics import fmean, stdev
from typing import Any

from gpu.vae.evaluation import EPSILON, EPSILONS
from reports.paper_figures.collapse import AT, Trials, at_threshold, curve_of, over_thresholds, percent
from reports.paper_figures.document import finding
from reports.paper_figures.settled import unsettled
from reports.words.wording import number

Document = dict[str, Any]
Measured = tuple[Trials, float]
# What "moderately" is taken for, in points.
MODERATE = 10.0
# Means that differ by less than rounding are equal.
SLACK = 1e-9


def _whole(one: Trials) -> tuple[float | None, float | None]:
    """Mean and spread over trials of the percentage that is averaged over thresholds."""
    values = [over_thresholds(e) for e in one.evaluations]
    return (fmean(values) if values else None, stdev(values) if len(values) > 1 else None)


def _left(trials: Sequence[Trials]) -> list[Measured]:
    """Noises of which models are left, with c."""
    return [(one, c) for one in trials if (c := _whole(one)[0]) is not None]


def _said(left: Sequence[Measured]) -> str:
    return ", ".join(f"{percent(c)} at {one.sigma2:g}" for one, c in left)


def _ends(trials: Sequence[Trials]) -> tuple[list[Measured], bool]:
    """Noises with c, and whether the largest can be compared with the smallest."""
    left = _left(trials)
    comparable = len(left) > 1 and any(0 < value < 100 for one, _ in left for value in _mean(one)[1:])
    return left, comparable


def _mean(one: Trials) -> list[float]:
    """The percentage at each epsilon, of models that there are."""
    return [value for value in curve_of(one.evaluations)[0] if value is not None]


def _both(large: Measured, small: Measured) -> str:
    """Two noises in numbers: whole curves, and at epsilon = 0.01."""
    (one, most), (other, least) = large, small
    near = [percent(at_threshold(trials.evaluations)[0]) for trials in (one, other)]
    return (
        f"averaged over the thresholds, {percent(most)} at sigma2 = {one.sigma2:g} against {percent(least)} at "
        f"{other.sigma2:g}; at epsilon = {EPSILON:g}, {near[0]} against {near[1]}"
    )


def large_noise_collapses(trials: Sequence[Trials]) -> Document:
    """The largest fixed noise against the smallest, over the whole curve."""
    said = "large fixed noise collapses latents that small noise keeps, at whatever threshold"
    left, comparable = _ends(trials)
    if not comparable:
        return finding(said, None, _said(left) or "no model is left")
    (large, most), (small, least) = left[0], left[-1]
    above = [a >= b for a, b in zip(_mean(large), _mean(small), strict=True)][1:]
    ordered = sum(a >= b - SLACK for (_, a), (_, b) in pairwise(left))
    holds = most > least + SLACK and all(above)
    # What is unfinished may still collapse.
    why = "" if holds else unsettled(large)
    return finding(
        said,
        None if why else holds,
        f"{_both(left[0], left[-1])}; no fewer at {sum(above)} of {len(above)} thresholds. Of {len(left) - 1} pairs of "
        f"neighbouring noises the larger collapses no fewer in {ordered}{why}",
    )


def no_more_than_linear(trials: Sequence[Trials], linear: Sequence[Sequence[float] | None]) -> Document:
    """At least as many collapsed as in the linear optimum at the same noise, measured alike."""
    said = "deep models keep no more latents than the linear theory at the same fixed noise"
    pairs = [
        (one, c, line[AT])
        for one, line in zip(trials, linear, strict=True)
        if line is not None and (c := at_threshold(one.evaluations)[0]) is not None
    ]
    shown = "; ".join(f"{percent(c)} against {percent(line)} at {one.sigma2:g}" for one, c, line in pairs)
    if not pairs or all(c == 100 for _, c, _ in pairs):
        return finding(said, None, f"all latents collapse: {shown}" if pairs else "no model is left")
    tested = [(one, c >= line - SLACK) for one, c, line in pairs if line > 0]
    shown = f"collapsed at epsilon = {EPSILON:g}, deep against linear: {shown}"
    if not tested:
        return finding(said, None, f"{shown}. The linear theory keeps all latents, and no model can keep more")
    within = sum(holds for _, holds in tested)
    evidence = f"{shown}. So at {within} of the {len(tested)} noises at which the linear theory collapses any"
    # What is unfinished may still collapse.
    why = [unsettled(one) for one, holds in tested if not holds]
    return finding(said, None if why and all(why) else not why, evidence + (why[0] if why else ""))


def _settled(trials: Sequence[Trials]) -> tuple[list[Trials], str]:
    """Starts of which the training has come near its end, and which are left out because it has not."""
    ready = [one for one in trials if not unsettled(one)]
    without = [one for one in trials if unsettled(one)]
    names = ", ".join(f"{one.sigma2:g}" for one in without)
    return ready, f". Left out, from {names}{unsettled(*without)}" if without else ""


def large_start_collapses(trials: Sequence[Trials]) -> Document:
    """The largest start of a learned noise against the smallest."""
    said = "from a large start more latents match the prior than from a small one, although the noise is learned"
    ready, without = _settled(trials)
    left, comparable = _ends(ready)
    if not comparable:
        return finding(said, None, (_said(left) or "no model is left") + without)
    (_, most), (_, least) = left[0], left[-1]
    evidence = f"{_both(left[0], left[-1])}. All starts, averaged: {_said(left)}"
    return finding(said, most > least + SLACK, evidence + without)


def _range(left: Sequence[Measured]) -> float:
    values = [c for _, c in left]
    return max(values) - min(values)


def _uncertain(left: Sequence[Measured]) -> float:
    """The spread over trials of that range."""
    ends = min(left, key=lambda pair: pair[1]), max(left, key=lambda pair: pair[1])
    return hypot(*(_whole(one)[1] or 0.0 for one, _ in ends))


def _near(trials: Sequence[Trials]) -> str:
    """The same range at epsilon = 0.01, with the spread of its ends."""
    ends = [(c, spread or 0.0) for one in trials for c, spread in [at_threshold(one.evaluations)] if c is not None]
    (least, a), (most, b) = min(ends), max(ends)
    return f"{number(most - least, 3)} (trials spread by {number(hypot(a, b), 2)})"


def narrower_than_fixed(learned: Sequence[Trials], fixed: Sequence[Trials]) -> Document:
    """How far the percentages of all starts lie apart, against those of all fixed noises; open within the spread."""
    said = "the starts of a learned noise differ less in collapse than fixed noises do (the paper says it of the ELBO)"
    learned, without = _settled(learned)
    # The same noises on both sides.
    fixed = [one for one in fixed if one.sigma2 in {start.sigma2 for start in learned}]
    (ours, some), (others, more) = _ends(learned), _ends(fixed)
    if not (some or more) or len(ours) < 2 or len(others) < 2:
        return finding(said, None, f"too few models are left, or all are alike{without}")
    apart, margin = _range(others) - _range(ours), hypot(_uncertain(ours), _uncertain(others))
    evidence = (
        f"averaged over the thresholds they lie {number(_range(ours), 3)} points apart where the noise is learned, "
        f"{number(_range(others), 3)} where it is fixed; at epsilon = {EPSILON:g}, {_near(learned)} and {_near(fixed)}"
    )
    if margin and abs(apart) <= margin:
        return finding(said, None, f"{evidence}; trials spread by as much{without}")
    return finding(said, apart > SLACK, evidence + without)


def start_matters(trials: Sequence[Trials]) -> Document:
    """Whether the starts differ by more than trials of one start do; the linear theory has one optimum for all."""
    said = "collapse depends on where the noise starts although it is learned, which the linear theory does not predict"
    ready, without = _settled(trials)
    left, comparable = _ends(ready)
    spreads = [spread for one, _ in left if (spread := _whole(one)[1]) is not None]
    if not comparable:
        return finding(said, None, (_said(left) or "no model is left") + without)
    if not spreads:
        apart = f"the starts lie {number(_range(left), 3)} points apart"
        return finding(said, None, f"{apart}; with one trial each, luck cannot be told from the start{without}")
    typical = fmean(s * s for s in spreads) ** 0.5
    # Of ten means of as many trials the largest and smallest lie some three standard errors apart by luck alone.
    luck = 3 * typical / min(len(one.evaluations) for one, _ in left) ** 0.5
    return finding(
        said,
        _range(left) > luck,
        f"averaged over the thresholds the starts lie {number(_range(left), 3)} points apart; the spread over trials "
        f"of one start is {number(typical, 3)}, which would set them about {number(luck, 3)} apart{without}",
    )


def robust(trials: Sequence[Trials], redrawn: Sequence[Sequence[float] | None]) -> Document:
    """How much another draw of the noise that dequantises the data changes each curve; redrawn: of the first trial."""
    said = (
        "over a range of thresholds the measure is moderately robust to the noise that dequantises the data: it "
        f"changes by {MODERATE:g} points at most"
    )
    changes = [
        (abs(a - b), epsilon, one.sigma2)
        for one, again in zip(trials, redrawn, strict=True)
        if again is not None
        for a, b, epsilon in zip(one.evaluations[0].collapse_curve, again, EPSILONS, strict=True)
    ]
    between = any(0 < value < 100 for one in trials for e in one.evaluations for value in e.collapse_curve[1:])
    if not changes or not between:
        return finding(said, None, "no model is kept that could be evaluated again" if between else "all are alike")
    most, epsilon, sigma2 = max(changes)
    return finding(
        said,
        most <= MODERATE,
        f"with another draw a curve changes by {number(fmean(c for c, _, _ in changes), 2)} points on average, by "
        f"{number(most, 3)} at most (sigma2 = {sigma2:g}, epsilon = {number(epsilon, 2)}). {_sensitivity(trials)}",
    )


def _sensitivity(trials: Sequence[Trials]) -> str:
    """How much the choice of epsilon matters, and trials."""
    steps = []
    for epsilon in (0.1, 0.5):
        apart = [b - a for one, _ in _left(trials) for a, b in [_at(one, EPSILON, epsilon)]]
        steps.append(f"{number(fmean(apart), 2)} points on average at epsilon = {epsilon:g}")
    spreads = [spread for one in trials if (spread := at_threshold(one.evaluations)[1]) is not None]
    more = f"Against epsilon = {EPSILON:g} there are {' and '.join(steps)} more"
    return f"{more}; trials spread by {number(max(spreads), 2)} points at most" if spreads else more


def _at(one: Trials, *epsilons: float) -> list[float]:
    return [value for epsilon in epsilons if (value := at_threshold(one.evaluations, epsilon)[0]) is not None]
