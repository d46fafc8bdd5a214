"""Which stationary points are listed: all where that is possible, else the best, and how many there are.

Notation   lam (n,) descending eigenvalues; k latents; sigma2 the noise, None where it is learned.
Main       likelihood_points, elbo_points -> Listing; Walk, Walked: all index sets one by one, handed in; walk_of.
Reference  theory 1.2, 2 and 3.6.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from verify.arrays import Array
from verify.eigenvalues import Eigenvalues
from verify.landscape.best_families import best_families
from verify.landscape.families import candidates, every_family
from verify.landscape.points import Point
from verify.landscape.search import IndexSet
from verify.landscape.stationary import (
    fixed_noise_count,
    fixed_noise_points,
    fixed_noise_undecided,
    learned_noise_point,
    learned_noise_points,
    learned_noise_search,
)
from verify.landscape.units import UNDECIDED

# Without `top` everything is listed up to LISTED points, else the best BEST.
LISTED, BEST = 1000, 20
# So many structures of families are listed completely, and so many points of learned noise are searched to count them.
COMPLETE, SEARCHED = 20_000, 5_000


@dataclass(frozen=True)
class Walked:
    """`count` index sets at learned noise, of which `walked` were looked at; by_index[i]: stationary points of index i.

    sets: the best of these, best first, as many as were wanted or could be kept. Rounding cannot tell of `undecided`
    others whether they are stationary, and of `unsure` of those that are the whole index.
    """

    count: int
    walked: int
    by_index: list[int]
    sets: list[IndexSet]
    undecided: int = 0
    unsure: int = 0

    @property
    def valid(self) -> int:
        """How many stationary points were met."""
        return sum(self.by_index)

    @property
    def complete(self) -> bool:
        """Whether the walk came to its end."""
        return self.walked == self.count


# (spectrum, k, how many of the best to keep) -> the walk, None where the index sets are too many for one.
Walk = Callable[[Eigenvalues, int, int], Walked | None]


@dataclass(frozen=True)
class Listing:
    """The best points, best first; how many there are (None: nobody knows); the walk that counted them, if one did.

    undecided: how many more there may be as far as rounding can tell; where only the best were searched for, of those
    that the search met. known: so many surely exist, where their number is not known.
    """

    points: list[Point]
    count: int | None
    walk: Walked | None = None
    undecided: int = 0
    known: int = 0

    @property
    def truncated(self) -> bool | None:
        """Whether fewer are listed than there are; None: nobody knows."""
        if self.count is not None:
            return len(self.points) < self.count
        return True if len(self.points) < self.known else None


def _wanted(top: int | None, count: int | None) -> int:
    """How many points to list."""
    if top is not None:
        return top
    return count if count is not None and count <= LISTED else BEST


def likelihood_points(
    lam: Array | Eigenvalues, k: int, sigma2: float | None, top: int | None, walk: Walk | None = None
) -> Listing:
    """The best stationary points of L, and how many there are.

    At learned noise all index sets are walked by `walk`, if it is given and they are few enough for it; otherwise the
    best are searched for.
    """
    spectrum = Eigenvalues.of(lam)
    if sigma2 is not None:
        count, undecided = (of(spectrum, k, sigma2) for of in (fixed_noise_count, fixed_noise_undecided))
        points = list(islice(fixed_noise_points(spectrum, k, sigma2), _wanted(top, count)))
        return Listing(points, count, undecided=undecided)
    walked = None if walk is None else walk(spectrum, k, LISTED if top is None else top)
    return _searched(spectrum, k, top) if walked is None else _of_walk(spectrum, k, top, walked)


def _of_walk(spectrum: Eigenvalues, k: int, top: int | None, walk: Walked) -> Listing:
    """Every index set was looked at, so that the count is exact; of an interrupted walk, what it came to know."""
    count = walk.valid if walk.complete else None
    wanted = min(_wanted(top, walk.valid), walk.valid)
    if walk.complete and wanted > len(walk.sets):
        points = list(islice(learned_noise_points(spectrum, k), wanted))
        return Listing(points, count, walk, walk.undecided)
    points = _points_of(spectrum, k, walk.sets[:wanted])
    if not walk.complete:  # the optimum, from which deficits are measured, may not have been met yet
        best = next(learned_noise_points(spectrum, k))
        points = [best, *(p for p in points if p.retained != best.retained)]
    return Listing(points, count, walk, walk.undecided, known=walk.valid)


def _points_of(spectrum: Eigenvalues, k: int, sets: Iterable[IndexSet]) -> list[Point]:
    return [p for p in (learned_noise_point(spectrum, k, chosen) for chosen in sets) if p is not None]


def _searched(spectrum: Eigenvalues, k: int, top: int | None) -> Listing:
    """The best by best-first search, and how many there are if it comes to its end soon."""
    sets: list[IndexSet] = []
    undecided, ended = 0, False
    if _fewest_learned(spectrum, k) <= SEARCHED:
        sets, undecided, ended = _met(spectrum, k, SEARCHED)
    wanted = _wanted(top, len(sets) if ended else None)
    # One more than wanted tells whether there are more.
    if not ended and wanted >= len(sets):
        sets, undecided, ended = _met(spectrum, k, wanted + 1)
    count = len(sets) if ended else None
    return Listing(_points_of(spectrum, k, sets[:wanted]), count, undecided=undecided, known=len(sets))


def _met(spectrum: Eigenvalues, k: int, most: int) -> tuple[list[IndexSet], int, bool]:
    """At most so many stationary sets, how many met on the way are undecided, and whether that is all."""
    sets: list[IndexSet] = []
    undecided = 0
    for chosen, status in learned_noise_search(spectrum, k):
        if len(sets) == most or undecided > SEARCHED:
            return sets, undecided, False
        if status == UNDECIDED:
            undecided += 1
        else:
            sets.append(chosen)
    return sets, undecided, True


def _fewest_learned(spectrum: Eigenvalues, k: int) -> int:
    """A lower bound on the number of points at learned noise.

    No sigma2_A exceeds tr S / (n - q), q <= k, so every set of eigenvalues above the largest of these is valid.
    """
    n = len(spectrum)
    return fixed_noise_count(spectrum, k, float(spectrum.values.sum()) / max(n - k, 1))


def elbo_points(lam: Array | Eigenvalues, k: int, sigma2: float | None, top: int | None) -> Listing:
    """The best families of the ELBO, and how many there are (None: too many to enumerate)."""
    spectrum = Eigenvalues.of(lam)
    if candidates(len(spectrum), k) <= COMPLETE:
        every, undecided = every_family(spectrum, k, sigma2)
        return Listing(every[: _wanted(top, len(every))], len(every), undecided=undecided)
    wanted = _wanted(top, None)
    # One more than wanted tells whether there are more; with learned noise the search leaves some out.
    found = best_families(spectrum, k, sigma2, wanted + 1)
    exhausted = sigma2 is not None and len(found) <= wanted
    return Listing(found[:wanted], len(found) if exhausted else None, known=len(found))


def walk_of(walk: Walked) -> dict[str, Any]:
    """What a document says of a walk: how many index sets there are, how many were walked, and the points by index.

    Beside them what rounding leaves open: whether a set is stationary, or what the whole index of one that is.
    """
    walked = {"candidates": walk.count, "walked": walk.walked, "by_index": walk.by_index}
    return walked | {"undecided": walk.undecided, "index_undecided": walk.unsure}
