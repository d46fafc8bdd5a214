"""What the paper says of collapse over its threshold, and whether it shows in trained models.

Notation   trials of each noise, largest noise first; a measure makes a percentage of one model: that at epsilon = 0.01,
           which is the paper's, or the mean over the thresholds of its curve, of which its figures show the whole.
Main       large_noise_collapses, no_more_than_linear of fixed noises; large_start_collapses, narrower_than_fixed,
           start_matters of learned ones.
Reference  Lucas et al. 2019, Sec. 6.2; reports/training/chance.py.

What is unfinished is left out, neither for nor against; of what differs by no more than chance nothing is told, unless
a difference that matters would have shown. Judged by the mean over the thresholds; what epsilon = 0.01 says is beside.
"""

from collections.abc import Callable, Sequence
from math import comb, log
from statistics import fmean
from typing import Any

from gpu.vae.evaluation import Evaluation
from reports.paper_figures.collapse import AT, Trials, curve_of, over_thresholds, percent
from reports.paper_figures.document import finding
from reports.paper_figures.points import ALL, by_chance, contrary, points
from reports.paper_figures.settled import settled
from reports.training.chance import Spread, pooled, trend
from verify.landscape.collapse import EPSILON
from verify.words.wording import number

Document = dict[str, Any]
Measure = Callable[[Evaluation], float]
# Whether it shows, and by which numbers.
Told = tuple[bool | None, str]
# In points: a difference that would matter.
MODERATE = 10.0
# Means that differ by less than rounding are equal.
SLACK = 1e-9
NONE_LEFT = "no model has come to its end"
AVERAGED = "(percentage averaged over the thresholds)"
VERDICTS = {True: "it shows", False: "it does not show", None: "it cannot be told"}


def at_epsilon(evaluation: Evaluation) -> float:
    """The percentage at epsilon = 0.01."""
    return evaluation.collapse_curve[AT]


def twice(said: str, judge: Callable[[Measure], Told], more: str = "") -> Document:
    """A finding by the mean over the thresholds, with what the paper's one threshold says beside it."""
    (holds, evidence), (near, numbers) = judge(over_thresholds), judge(at_epsilon)
    beside = f"At epsilon = {EPSILON:g} alone {VERDICTS[near]}: {numbers}"
    return finding(said, holds, f"{contrary(holds, near)}{evidence}. {beside}{more}")


def _values(one: Trials, measure: Measure) -> list[float]:
    return [measure(e) for e in one.evaluations]


def _left(trials: Sequence[Trials]) -> list[Trials]:
    """Noises of which models are left."""
    return [one for one in trials if one.evaluations]


def _said(left: Sequence[Trials], measure: Measure) -> str:
    told = ", ".join(f"{percent(fmean(_values(one, measure)))} at {one.sigma2:g}" for one in left)
    return told or NONE_LEFT


def _alike(left: Sequence[Trials]) -> bool:
    """Whether nothing can be compared: one noise, or nowhere anything between none and all."""
    return len(left) < 2 or not any(0 < v < 100 for one in left for e in one.evaluations for v in e.collapse_curve[1:])


def _mean(one: Trials) -> list[float]:
    """The percentage at each epsilon, of models that there are."""
    return [value for value in curve_of(one.evaluations)[0] if value is not None]


def _line(left: Sequence[Trials], measure: Measure, comparisons: int = 1) -> tuple[float, float] | None:
    """By how much the percentage rises with the logarithm of the noise, through all trials, and what chance makes."""
    points = [(log(one.sigma2), value) for one in left for value in _values(one, measure)]
    return trend(points, comparisons)


def _rises(left: Sequence[Trials], measure: Measure) -> Told:
    """Whether the percentage rises with the noise."""
    if _alike(left):
        return None, _said(left, measure)
    if (found := _line(left, measure)) is None:
        return None, f"{_said(left, measure)}; too few models to tell that from chance"
    rise, margin = found
    ends = f"from sigma2 = {left[-1].sigma2:g} to {left[0].sigma2:g}"
    told = f"{_said(left, measure)}; a line through all of them {_way(rise)} {ends}"
    return _beyond(rise, margin), f"{told}; {by_chance(margin, 'by chance it may by {}')}"


def _way(rise: float) -> str:
    """Up or down, and by how much."""
    return f"{'falls' if rise < 0 else 'rises'} by {points(abs(rise))}"


def _beyond(difference: float, margin: float) -> bool | None:
    """True beyond chance; False where no more than a small difference is compatible with it; else not to be told."""
    if difference > margin + SLACK:
        return True
    return False if difference + margin < MODERATE or difference < -margin - SLACK else None


def large_noise_collapses(trials: Sequence[Trials]) -> Document:
    """Over all fixed noises, and the largest against the smallest at each threshold."""
    said = f"large fixed noise collapses latents that small noise keeps, at whatever threshold {AVERAGED}"
    [ready], without = settled(trials)
    left = _left(ready)
    above: list[bool] = []
    if not _alike(left):
        ends = zip(_mean(left[0]), _mean(left[-1]), strict=True)
        above = [a >= b - MODERATE for a, b in ends][1:]
        without = (
            f". The largest noise collapses fewer than the smallest, by more than {MODERATE:g} points, at "
            f"{above.count(False)} of {len(above)} thresholds{without}"
        )

    def judge(measure: Measure) -> Told:
        holds, told = _rises(left, measure)
        whole = measure is over_thresholds
        return (False if holds and whole and not all(above) else holds), told

    return twice(said, judge, without)


def no_more_than_linear(trials: Sequence[Trials], linear: Sequence[Sequence[float] | None]) -> Document:
    """At least as many collapsed as in the linear optimum at the same noise, measured alike, in every trial."""
    said = (
        "deep models keep no more latents than the linear theory at the same fixed noise, at epsilon = "
        f"{EPSILON:g} (a comparison of ours, which the paper does not make)"
    )
    [ready], without = settled(trials)
    kept = {one.sigma2 for one in ready}
    pairs = [
        (one, _values(one, at_epsilon), line[AT])
        for one, line in zip(trials, linear, strict=True)
        if line is not None and one.evaluations and one.sigma2 in kept
    ]
    shown = "; ".join(f"{percent(fmean(c))} against {percent(line)} at {one.sigma2:g}" for one, c, line in pairs)
    if not pairs or all(c == 100 for _, values, _ in pairs for c in values):
        return finding(said, None, (f"all latents collapse: {shown}" if pairs else NONE_LEFT) + without)
    tested = [[c >= line - SLACK for c in values] for _, values, line in pairs if line > 0]
    shown = f"collapsed at epsilon = {EPSILON:g}, deep against linear: {shown}"
    if not tested:
        return finding(said, None, f"{shown}. The linear theory keeps all latents, and no model can keep more{without}")
    told = [True if all(each) else None if any(each) else False for each in tested]
    evidence = f"{shown}. So in all trials at {told.count(True)}, in none at {told.count(False)} of the {len(told)} "
    return finding(
        said,
        False if False in told else None if None in told else True,
        f"{evidence}noises at which the linear theory collapses any{without}",
    )


def large_start_collapses(trials: Sequence[Trials]) -> Document:
    """Over all starts of a learned noise."""
    said = (
        "from a large start more latents match the prior than from a small one, although the noise is learned "
        f"{AVERAGED}"
    )
    [ready], without = settled(trials)
    return twice(said, lambda measure: _rises(_left(ready), measure), without)


def _range(left: Sequence[Trials], measure: Measure) -> float:
    means = [fmean(_values(one, measure)) for one in left]
    return max(means) - min(means)


def _ends(left: Sequence[Trials], measure: Measure) -> list[int]:
    """How many trials there are of those that collapse least and most."""
    ordered = sorted(left, key=lambda one: fmean(_values(one, measure)))
    return [len(one.evaluations) for one in (ordered[0], ordered[-1])]


def _spread(left: Sequence[Trials], measure: Measure) -> Spread | None:
    return pooled([_values(one, measure) for one in left])


def narrower_than_fixed(learned: Sequence[Trials], fixed: Sequence[Trials]) -> Document:
    """How far the percentages of all starts lie apart, against those of all fixed noises; open within the spread."""
    said = (
        "the starts of a learned noise differ less in collapse than fixed noises do (the paper says it of the ELBO) "
        f"{AVERAGED}"
    )
    # The same noises on both sides.
    places = {one.sigma2: one for one in fixed}
    learned = [one for one in learned if one.sigma2 in places]
    (ours, others), without = settled(learned, [places[one.sigma2] for one in learned])
    both = [(a, b) for a, b in zip(ours, others, strict=True) if a.evaluations and b.evaluations]
    ours, others = [a for a, _ in both], [b for _, b in both]

    def judge(measure: Measure) -> Told:
        if len(both) < 2 or (_alike(ours) and _alike(others)):
            return None, "too few models have come to their end, or all are alike"
        apart = _range(others, measure) - _range(ours, measure)
        told = (
            f"they lie {number(_range(ours, measure), 3)} points apart where the noise is learned, "
            f"{number(_range(others, measure), 3)} where it is fixed"
        )
        if (spread := _spread([*ours, *others], measure)) is None:
            return None, f"{told}; with one trial each, luck cannot be told from the noise"
        margin = spread.margin(*_ends(ours, measure), *_ends(others, measure))
        told += f"; {by_chance(margin, 'by chance these two differ by as much as {}')}"
        return (None if abs(apart) <= margin + SLACK else apart > 0), told

    return twice(said, judge, without)


def start_matters(trials: Sequence[Trials]) -> Document:
    """Whether the starts differ by more than trials of one start do; the linear theory has one optimum for all."""
    said = (
        "collapse depends on where the noise starts although it is learned, which the linear theory does not predict "
        f"(the paper says so of collapse on CelebA, and of the ELBO on MNIST) {AVERAGED}"
    )
    [ready], without = settled(trials)
    left = _left(ready)

    def judge(measure: Measure) -> Told:
        if _alike(left):
            return None, _said(left, measure)
        told = f"the starts lie {number(_range(left, measure), 3)} points apart"
        # Two ways to differ: along a line, or any two of them.
        line, ways = _line(left, measure, comparisons=2), []
        if line is not None:
            told += f"; a line through them {_way(line[0])}, {by_chance(line[1], 'and by chance it may by {}')}"
            ways.append((abs(line[0]), line[1]))
        if (spread := _spread(left, measure)) is not None:
            fewest = min(len(one.evaluations) for one in left)
            margin = spread.margin(fewest, fewest, comparisons=2 * comb(len(left), 2))
            told += f"; trials of one start spread by {points(spread.deviation)}, "
            far = "too much for so few trials to tell any two starts apart"
            told += f"which may set any two starts {points(margin)} apart" if margin <= ALL else far
            ways.append((_range(left, measure), margin))
        if any(apart > margin + SLACK for apart, margin in ways):
            return True, told
        if spread is None:
            return None, f"{told}; with one trial each, luck cannot be told from the start"
        return (False if ways[-1][1] < MODERATE else None), told

    return twice(said, judge, without)
