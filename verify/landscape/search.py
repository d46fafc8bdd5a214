"""Index sets in the order of their value: the best come first, without enumerating the rest.

Notation   candidates 0 .. m-1, ordered so that moving one element of a set to the next free candidate (i -> i + 1)
           never raises the value, and never makes an invalid set valid; the first q+1 are worth at least the first q.
Main       best_first.

Both likelihoods have this structure. At fixed noise the value is additive with gains that fall with lam. With
learned noise it is not additive, but among valid sets (every retained lam_a above the mean s/p of the p discarded
eigenvalues) exchanging a retained lam_a for a larger discarded lam_j keeps the set valid, because
p lam_a > s implies p lam_j > s >= s - lam_j + lam_a, and raises the value, because x -> log x - p log(s - lam_j + x),
x the exchanged eigenvalue that is left discarded, falls wherever p x exceeds the new sum of the discarded. So every
valid set hangs below the set of the q largest eigenvalues on a chain of valid sets of falling value, and a heap that
starts there and steps downwards meets the valid sets best first and may stop at any time.
"""

import heapq
from collections.abc import Callable, Iterator

IndexSet = tuple[int, ...]


def _moved_down(chosen: IndexSet, candidates: int) -> Iterator[IndexSet]:
    """The sets in which one element has moved to the next free candidate."""
    last = len(chosen) - 1
    for p, i in enumerate(chosen):
        if i + 1 < candidates and (p == last or chosen[p + 1] != i + 1):
            yield (*chosen[:p], i + 1, *chosen[p + 1 :])


def best_first(
    candidates: int, largest: int, value: Callable[[IndexSet], float | None]
) -> Iterator[tuple[float, IndexSet]]:
    """Yield (value, set) of all valid sets of 0 .. largest elements, best first; `value` is None for an invalid set.

    Ties are broken by the set itself, so the order is reproducible: as words, but the longer of two that begin alike
    first, since retaining one more is never worse. Memory grows with what has been yielded.
    """
    heap: list[tuple[float, IndexSet]] = []
    seen: set[IndexSet] = set()

    def offer(chosen: IndexSet) -> None:
        if chosen not in seen:
            seen.add(chosen)
            worth = value(chosen)
            if worth is not None:
                heapq.heappush(heap, (-worth, (*chosen, candidates)))

    for q in reversed(range(min(largest, candidates) + 1)):
        offer(tuple(range(q)))
        if heap:
            break  # the smaller sizes wait until their better has been yielded
    while heap:
        negative, word = heapq.heappop(heap)
        chosen = word[:-1]
        yield -negative, chosen
        if chosen and chosen[-1] == len(chosen) - 1:
            offer(tuple(range(len(chosen) - 1)))
        for lower in _moved_down(chosen, candidates):
            offer(lower)
