"""What Figure 4 shows, finding by finding, from trained models.

Notation   names: of the encoders, from none to most hidden layers; best: the trials of each at its best learning rate;
           optimum, final, below: see courses.py; complete: as many epochs as in the paper.
Main       findings.
Reference  Lucas et al. 2019, Secs. 6.1 and E, Lemma 1; theory 6.3.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from reports.paper_figures.courses import Trial, compare, mean_and_spread
from reports.paper_figures.document import finding
from reports.training.signs import NATS, ROUNDING
from verify.words.wording import number

Document = dict[str, Any]
Kinds = Sequence[Sequence[Trial]]


def findings(names: Sequence[str], best: Kinds, complete: bool) -> list[Document]:
    """Not outperformed; no model above the optimum; deeper ends lower; the linear encoder ends at the optimum."""
    return [
        _not_outperformed(names, best, complete),
        _below_optimum(names, best),
        _in_order(names, best, complete),
        _at_optimum(best[0]),
    ]


def rising(kind: Sequence[Trial]) -> bool:
    """Whether some trial still rose, or that could not be seen."""
    return any(one.rising in (True, None) for one in kind)


def _mean_below(kind: Sequence[Trial]) -> float | None:
    return mean_and_spread(one.below for one in kind)[0]


def _misses(names: Sequence[str], best: Kinds) -> str:
    """How far below the optimum each ended, and which had not ended."""
    each = [number(_mean_below(kind), 3) for kind in best]
    said = f"{', '.join(each)} nats per datum below the linear optimum, from none to three hidden layers"
    unfinished = [name for name, kind in zip(names, best, strict=True) if kind and rising(kind)]
    if not unfinished:
        return f"{said}; all had come to their end"
    who = "all" if len(unfinished) == len(names) else ", ".join(unfinished)
    return f"{said}; still rising, or too short or too unsteady to tell: {who}"


def _not_outperformed(names: Sequence[str], best: Kinds, complete: bool) -> Document:
    """The linear encoder leads, or ends as high as the best of the others; unfinished, it may yet overtake."""
    text = "the linear encoder is not outperformed by a deeper one"
    if not best[0] or not any(best[1:]):
        return finding(text, None, "every model of one kind diverged")
    deeper = [kind for kind in best[1:] if kind]
    told = [compare(best[0], kind) for kind in deeper]
    # At the optimum nobody can overtake it; below, who lies behind and still rises may.
    off = [one.below for one in best[0]]
    there = all(v is not None and v <= NATS for v in off)
    open_ = [way == 1 and rising(kind) and not (there or complete) for way, kind in zip(told, deeper, strict=True)]
    holds: bool | None = True
    if -1 in told:
        holds = None if rising(best[0]) and not complete else False
    elif None in told or any(open_):
        holds = None
    return finding(text, holds, _misses(names, best))


def _below_optimum(names: Sequence[str], best: Kinds) -> Document:
    """Lemma 1, for every model that ended; beyond the rounding of single precision."""
    text = "no encoder takes the ELBO above the optimum of the linear VAE (Lemma 1)"
    ended = [one for kind in best for one in kind if one.below is not None and one.optimum is not None]
    if not ended:
        return finding(text, None, "no model ended, or the likelihood has no maximum")
    top = min(ended, key=lambda one: one.below)
    slack = ROUNDING * max(1.0, abs(top.optimum or 0.0))
    where = next(name for name, kind in zip(names, best, strict=True) if top in kind)
    off = top.below or 0.0
    side = "below" if off >= 0 else "above"
    return finding(text, off >= -slack, f"the highest ended {number(abs(off), 3)} {side} it ({where})")


def _in_order(names: Sequence[str], best: Kinds, complete: bool) -> Document:
    """The printed finals, read in the order of the legend, fall with depth."""
    text = "deeper encoders end lower, in the order of depth, as the printed finals do if the legend is so ordered"
    if not all(best):
        return finding(text, None, "every model of one kind diverged")
    told = []
    for (_, above), (_, below) in pairwise(zip(names, best, strict=True)):
        way = compare(above, below)
        # Whoever lies behind and still rises may come to lead.
        behind = below if way == 1 else above if way == -1 else None
        told.append(None if behind is not None and rising(behind) and not complete else way)
    holds = False if -1 in told or 0 in told else None if None in told else True
    return finding(text, holds, f"{_misses(names, best)}; {_words(names, best, told)}")


def _words(names: Sequence[str], best: Kinds, told: Sequence[int | None]) -> str:
    """Each pair of neighbours, how far the deeper one ended below the other, and whether that counts."""
    said = {
        1: "",
        -1: "",
        0: f", less than the {NATS:g} that counts",
        None: ", not told from chance, or not at its end",
    }
    pairs = []
    for (above, below), way in zip(pairwise(zip(names, best, strict=True)), told, strict=True):
        ends = [mean_and_spread(one.final for one in kind)[0] for _, kind in (above, below)]
        gap = None if None in ends else ends[0] - ends[1]
        far = "no number" if gap is None else f"{number(abs(gap), 3)} {'lower' if gap >= 0 else 'higher'}"
        pairs.append(f"from {above[0]} to {below[0]}: {far}{said[way]}")
    return "; ".join(pairs)


def _at_optimum(linear: Sequence[Trial]) -> Document:
    """To a tenth of a nat, as the best printed final does."""
    text = "with a linear encoder training ends at the linear optimum, as by our computation the best printed final"
    off = [one.below for one in linear if one.below is not None]
    if not off or len(off) < len(linear):
        return finding(text, None, "a model diverged, or the likelihood has no maximum")
    near = max(off) <= NATS
    told = ", ".join(number(v, 3) for v in off)
    ended = "it was still rising, or too unsteady to tell" if rising(linear) else "it no longer rose"
    holds = True if near else None if rising(linear) else False
    return finding(text, holds, f"{told} nats per datum below it at the end; {ended}")
