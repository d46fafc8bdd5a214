"""What Figure 3 shows, finding by finding, from trained models.

Notation   found: the trials of each kind, "analytic" and "stochastic", at all learning rates and subsets, in one
           order; rates: the learning rate of each kind that ended best; maximum, below: see courses.py.
Main       findings; beside, the printed finals with ours.
Reference  Lucas et al. 2019, Secs. 6.1 and E, Lemma 1.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from reports.paper_figures.courses import Trial, compare, mean_and_spread
from reports.paper_figures.document import beside_print, finding
from verify.words.wording import number

Document = dict[str, Any]
PRINTED = {"analytic": 950.7, "stochastic": 939.3}
# A course has arrived when it has come so much of the way from its first point to the maximum.
ARRIVED = 0.99
# Of the best learning rate, where everything else is as in the paper.
PRINTED_RATE = 1e-3
# "Essentially indistinguishable" (Sec. 6.1): less than a tenth of what lies between the two printed finals.
CLOSE = 1.0


def findings(
    found: Mapping[str, Sequence[Trial]],
    rates: Mapping[str, float | None],
    grid: Sequence[float],
    as_in_the_paper: bool,
) -> list[Document]:
    """Ends higher; converges faster; the best learning rate; the analytic one reaches the maximum."""
    best = {kind: [one for one in found[kind] if one.rate == rates[kind]] for kind in found}
    return [
        _higher(best, rates),
        _faster(list(zip(found["analytic"], found["stochastic"], strict=True))),
        _rate(found, rates, grid, as_in_the_paper),
        _reaches(best["analytic"]),
    ]


def _higher(best: Mapping[str, Sequence[Trial]], rates: Mapping[str, float | None]) -> Document:
    """In every subset, each kind at its own best rate."""
    text = "the analytic ELBO ends higher than the stochastic one, each at its best learning rate"
    pairs = list(zip(best["analytic"], best["stochastic"], strict=False))
    if not pairs:
        return finding(text, None, "no learning rate of one kind ended")
    told = [compare([a], [b]) for a, b in pairs]
    holds = None if None in told and -1 not in told and 0 not in told else all(one == 1 for one in told)
    gaps = [_gap(a, b) for a, b in pairs]
    ends = [f"{number(mean_and_spread(one.final for one in best[kind])[0], 6)} {kind}" for kind in best]
    at = " and ".join(f"{rates[kind]:g}" for kind in best)
    return finding(
        text,
        holds,
        f"{ends[0]}, {ends[1]} on average over {_trials(len(pairs))}, at learning rates {at}; trial by trial the "
        f"analytic one is higher by {', '.join(gaps)} nats per datum",
    )


def _gap(a: Trial, b: Trial) -> str:
    return "–" if a.final is None or b.final is None else number(a.final - b.final, 3)


def _faster(pairs: Sequence[tuple[Trial, Trial]]) -> Document:
    """At every learning rate at which something arrives, in all trials; where trials differ it cannot be told."""
    text = "the analytic ELBO converges faster than the stochastic one at the same learning rate"
    way = f"{100 * ARRIVED:.0f}% of the way from the first step to the maximum"
    told: list[int] = []
    at_rates: list[bool | None] = []
    for rate in dict.fromkeys(a.rate for a, _ in pairs):
        at_rate = [who for a, b in pairs if a.rate == rate and (who := _sooner(a, b)) is not None]
        told += at_rate
        if at_rate:
            at_rates.append({1: True, -1: False}.get(at_rate[0]) if len({*at_rate}) == 1 else None)
    if not told:
        return finding(text, None, f"no course comes {way}")
    by_rate = [_arrivals(rate, pairs) for rate in dict.fromkeys(a.rate for a, _ in pairs)]
    return finding(
        text,
        False if False in at_rates else None if None in at_rates else True,
        f"of the trials at all learning rates, one of the two comes {way} in {len(told)}: the analytic one is there "
        f"first in {told.count(1)}, the stochastic one in {told.count(-1)}, and in {told.count(0)} they differ by no "
        f"more than a point is averaged over. The analytic one is first in all trials at {at_rates.count(True)} of "
        f"{len(at_rates)} learning rates, the stochastic one at {at_rates.count(False)}. Steps, analytic against "
        f"stochastic, on average: {'; '.join(by_rate)}",
    )


def _sooner(a: Trial, b: Trial) -> int | None:
    """1 where a arrives before b, -1 after, 0 in the same or the next window; None where neither does."""
    first, second = arrival(a), arrival(b)
    if first is None or second is None:
        return None if first is second else 1 if second is None else -1
    window = a.x[1] - a.x[0]
    return 0 if abs(first - second) <= window else 1 if first < second else -1


def _arrivals(rate: float, pairs: Sequence[tuple[Trial, Trial]]) -> str:
    """Mean steps of both kinds at one learning rate."""
    said = []
    for kind in (0, 1):
        steps = [arrival(pair[kind]) for pair in pairs if pair[0].rate == rate]
        mean = mean_and_spread(steps)[0] if None not in steps else None
        said.append("not in all trials" if mean is None else f"{mean:.0f}")
    never = all(arrival(one) is None for pair in pairs if pair[0].rate == rate for one in pair)
    return f"in no trial of either at {rate:g}" if never else f"{said[0]} against {said[1]} at {rate:g}"


def arrival(one: Trial) -> float | None:
    """At which step a course has come 99% of its way; None where it does not."""
    if one.optimum is None or one.final is None or not one.y[0] < one.optimum:
        return None
    level = one.y[0] + ARRIVED * (one.optimum - one.y[0])
    return next((x for x, y in zip(one.x, one.y, strict=True) if y >= level), None)


def _rate(
    found: Mapping[str, Sequence[Trial]],
    rates: Mapping[str, float | None],
    grid: Sequence[float],
    as_in_the_paper: bool,
) -> Document:
    """0.001 where everything else is the paper's, else that it is the same; rates that chance may have put first."""
    text = "0.001 is the best learning rate for both" if as_in_the_paper else "one learning rate is the best for both"
    told = ", ".join(f"{kind} {'none' if rate is None else f'{rate:g}'}" for kind, rate in rates.items())
    if len(set(grid)) < 2 or None in set(rates.values()):
        return finding(text, None, f"there is no choice to compare: {told}")
    possible = [_as_good(found[kind], rates[kind]) for kind in rates]
    shared = set.intersection(*possible) & ({PRINTED_RATE} if as_in_the_paper else set(grid))
    alone = all(len(one) == 1 for one in possible)
    also = "; ".join(
        f"{kind} {' '.join(f'{rate:g}' for rate in sorted(one))}" for kind, one in zip(rates, possible, strict=True)
    )
    return finding(
        text,
        False if not shared else True if alone else None,
        f"best mean of the final ELBO over the trials: {told}, of {len(set(grid))} rates; as far as chance lets it be "
        f"told, the best may be any of {also}",
    )


def _as_good(trials: Sequence[Trial], best: float | None) -> set[float]:
    """The rates that are not below the best one in every trial."""
    at: dict[float, list[Trial]] = {}
    for one in trials:
        at.setdefault(one.rate, []).append(one)
    top = at.get(best, []) if best is not None else []
    return {
        rate
        for rate, those in at.items()
        if rate == best or not all(b.final is None or compare([a], [b]) == 1 for a, b in zip(top, those, strict=False))
    }


def _reaches(best: Sequence[Trial]) -> Document:
    """Sec. 6.1 of models of all k: indistinguishable from the maximum likelihood, as Lemma 1 has it."""
    text = "trained on the analytic ELBO the model reaches the maximum likelihood of pPCA (Sec. 6.1, Lemma 1)"
    below = [one.below for one in best if one.below is not None]
    if not below or len(below) < len(best):
        return finding(text, None, "no model ended, or the likelihood has no maximum")
    rising = any(one.rising in (True, None) for one in best)
    holds = True if max(below) <= CLOSE else None if rising else False
    each = ", ".join(number(v, 3) for v in below)
    more = "; it was still rising" if rising and not holds else ""
    return finding(text, holds, f"it ends {each} nats per datum below the maximum of its own rows{more}")


def _trials(count: int) -> str:
    return f"{count} trial{'s' * (count != 1)}"


def beside(found: Mapping[str, Sequence[Trial]], rates: Mapping[str, float | None], comparable: bool) -> list[Document]:
    """The two finals that are printed, and what lies between them, which depends less on the subset."""
    best = {kind: [one for one in found[kind] if one.rate == rates[kind]] for kind in PRINTED}
    maxima = [one.optimum for one in best["analytic"] if one.optimum is not None]
    rows = []
    for kind in PRINTED:
        ours, spread = mean_and_spread(one.final for one in best[kind])
        rows.append(
            beside_print(
                f"final ELBO, {kind}", ours, spread, PRINTED[kind],
                _difference(ours, PRINTED[kind], maxima, [one.below for one in best[kind]], comparable),
            )
        )  # fmt: skip
    gaps = [
        a.final - b.final for a, b in zip(*best.values(), strict=False) if a.final is not None and b.final is not None
    ]
    ours, spread = mean_and_spread(gaps)
    printed = round(PRINTED["analytic"] - PRINTED["stochastic"], 1)
    said = "other data or sizes: not to be compared"
    if ours is None:
        said = "nothing to compare: no trial ended for both"
    elif comparable:
        said = f"{number(abs(ours - printed), 3)} {'more' if ours > printed else 'less'} than printed"
    return [*rows, beside_print("analytic less stochastic", ours, spread, printed, said)]


def _difference(
    ours: float | None, printed: float, maxima: Sequence[float], below: Sequence[float | None], comparable: bool
) -> str:
    """Where the printed final lies, among the maxima of our subsets."""
    if ours is None:
        return "nothing to compare: no trial ended"
    if not comparable:
        return "other data or sizes: not to be compared"
    apart = abs(ours - printed)
    said = f"ours is {number(apart, 3)} {'higher' if ours > printed else 'lower'}"
    if len(maxima) > 1:
        low, high = min(maxima), max(maxima)
        side = "no more" if apart <= high - low else "more"
        said += f", {side} than the maxima of our subsets differ by ({number(low, 5)} to {number(high, 5)})"
    ends = ", ".join(number(v, 3) for v in below if v is not None)
    return f"{said}; ours end {ends} below the maximum of their own subset" if ends else said
