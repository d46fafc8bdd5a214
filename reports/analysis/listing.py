"""Which stationary points a command lists: all where that is possible, else the best, and how many there are.

Notation   lam (n,) descending eigenvalues; k latents; sigma2 the noise, None where it is learned.
Main       likelihood_points, elbo_points -> Listing; walk_of, Progress.
Reference  theory 1.2, 2 and 3.6.
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from typing import Any, NamedTuple, Protocol

import numpy as np

from gpu.device import backend as array_module
from gpu.enumeration import WIDEST_TOP, Enumeration, enumerate_learned
from gpu.index_sets import LONGEST, members
from gpu.limbs import fits
from verify.arrays import Array
from verify.eigenvalues import Eigenvalues
from verify.landscape.best_families import best_families
from verify.landscape.families import candidates, every_family
from verify.landscape.points import Point
from verify.landscape.stationary import (
    fixed_noise_count,
    fixed_noise_points,
    fixed_noise_undecided,
    learned_noise_candidates,
    learned_noise_point,
    learned_noise_points,
    learned_noise_search,
)
from verify.landscape.units import UNDECIDED

# Without `top` everything is listed up to LISTED points, else the best BEST.
LISTED, BEST = 1000, 20
# So many structures of families are listed completely, and so many points of learned noise are searched to count them.
COMPLETE, SEARCHED = 20_000, 5_000
# So many index sets are walked one and all, here and on a device: under a second for most spectra, and some six on two
# cores where nearly every set is stationary or n = 64.
WALKED_HERE, WALKED_ON_DEVICE = 10**8, 10**9
# What takes less is walked here, before a device is found, and without a bar.
FEW = 10**6


class Progress(Protocol):
    """What shows progress: console.Session."""

    def track(self, things: Iterable[Any], doing: str, total: int) -> Iterable[Any]:
        """The same things, counted as they are used."""

    def counting(self, doing: str, *, stays: bool) -> AbstractContextManager[Callable[[int, int], object]]:
        """For the time of a block, a function that is told (done, total)."""


class Listing(NamedTuple):
    """The best points, best first; how many there are (None: nobody knows); the walk that counted them, if one did.

    undecided: how many more there may be as far as rounding can tell; where only the best were searched for, of those
    that the search met. known: so many surely exist, where their number is not known.
    """

    points: list[Point]
    count: int | None
    walk: Enumeration | None = None
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
    lam: Array | Eigenvalues,
    k: int,
    sigma2: float | None,
    top: int | None,
    *,
    backend: str = "numpy",
    progress: Progress | None = None,
) -> Listing:
    """The best stationary points of L, and how many there are.

    At learned noise all index sets are walked if they are few enough, and otherwise the best are searched for.
    InputError for a backend that is not there.
    """
    spectrum = Eigenvalues.of(lam)
    if sigma2 is not None:
        count, undecided = (of(spectrum, k, sigma2) for of in (fixed_noise_count, fixed_noise_undecided))
        points = list(islice(fixed_noise_points(spectrum, k, sigma2), _wanted(top, count)))
        return Listing(points, count, undecided=undecided)
    xp = _where_to_walk(spectrum, k, backend)
    return _searched(spectrum, k, top) if xp is None else _walked(spectrum, k, top, xp, progress)


def _where_to_walk(spectrum: Eigenvalues, k: int, backend: str) -> Any:
    """The array module to walk the index sets with, None where they are too many or have too many digits."""
    n, sets = len(spectrum), learned_noise_candidates(len(spectrum), k)
    if n > LONGEST or sets > WALKED_ON_DEVICE or not fits(spectrum):
        return None
    xp = np if backend == "auto" and sets <= FEW else array_module(backend)
    return None if xp is np and sets > WALKED_HERE else xp


def _walked(spectrum: Eigenvalues, k: int, top: int | None, xp: Any, progress: Progress | None) -> Listing:
    """Every index set is looked at, so that the count is exact; of an interrupted walk, what it came to know."""
    kept = min(LISTED if top is None else top, LISTED if xp is np else WIDEST_TOP)
    stays = learned_noise_candidates(len(spectrum), k) > FEW
    showing = nullcontext() if progress is None else progress.counting("walking all index sets", stays=stays)
    with showing as told:
        walk = enumerate_learned(spectrum, k, top=kept, bins=0, progress=told, backend=xp)
    count = walk.valid if walk.complete else None
    wanted = min(_wanted(top, walk.valid), walk.valid)
    if walk.complete and wanted > len(walk.masks):
        points = list(islice(learned_noise_points(spectrum, k), wanted))
        return Listing(points, count, walk, walk.undecided)
    points = _points_of(spectrum, k, [members(m) for m in walk.masks[:wanted]])
    if not walk.complete:  # the optimum, from which deficits are measured, may not have been met yet
        best = next(learned_noise_points(spectrum, k))
        points = [best, *(p for p in points if p.retained != best.retained)]
    return Listing(points, count, walk, walk.undecided, known=walk.valid)


def _points_of(spectrum: Eigenvalues, k: int, sets: Iterable[tuple[int, ...]]) -> list[Point]:
    return [p for p in (learned_noise_point(spectrum, k, chosen) for chosen in sets) if p is not None]


def _searched(spectrum: Eigenvalues, k: int, top: int | None) -> Listing:
    """The best by best-first search, and how many there are if it comes to its end soon."""
    sets, undecided, ended = [], 0, False
    if _fewest_learned(spectrum, k) <= SEARCHED:
        sets, undecided, ended = _met(spectrum, k, SEARCHED)
    wanted = _wanted(top, len(sets) if ended else None)
    # One more than wanted tells whether there are more.
    if not ended and wanted >= len(sets):
        sets, undecided, ended = _met(spectrum, k, wanted + 1)
    count = len(sets) if ended else None
    return Listing(_points_of(spectrum, k, sets[:wanted]), count, undecided=undecided, known=len(sets))


def _met(spectrum: Eigenvalues, k: int, most: int) -> tuple[list[tuple[int, ...]], int, bool]:
    """At most so many stationary sets, how many met on the way are undecided, and whether that is all."""
    sets: list[tuple[int, ...]] = []
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


def walk_of(walk: Enumeration) -> dict[str, Any]:
    """What a document says of a walk: how many index sets there are, how many were walked, and the points by index.

    Beside them what rounding leaves open: whether a set is stationary, or what the whole index of one that is.
    """
    walked = {"candidates": walk.count, "walked": walk.walked, "by_index": walk.index_histogram.tolist()}
    return walked | {"undecided": walk.undecided, "index_undecided": walk.unsure}
