"""All index sets at learned noise, walked here or on a device, so that stationary points are counted and not searched.

Notation   lam (n,) descending eigenvalues, n <= 64; k latents.
Main       walking, what `verify.analysis.stationary` takes as `walk`; Counting.
Reference  theory 2; gpu/enumeration.py.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

import numpy as np

from gpu.device import backend as array_module
from gpu.enumeration import WIDEST_TOP, enumerate_learned
from gpu.index_sets import LONGEST, members
from gpu.limbs import fits
from verify.analysis.listing import LISTED, Walk, Walked
from verify.eigenvalues import Eigenvalues
from verify.landscape.stationary import learned_noise_candidates

# So many index sets are walked one and all, here and on a device: under a second for most spectra, and some six on two
# cores where nearly every set is stationary or n = 64.
WALKED_HERE, WALKED_ON_DEVICE = 10**8, 10**9
# What takes less is walked here, before a device is found, and without a bar.
FEW = 10**6


class Counting(Protocol):
    """What shows progress: console.Session."""

    def counting(self, doing: str, *, stays: bool) -> AbstractContextManager[Callable[[int, int], object]]:
        """For the time of a block, a function that is told (done, total)."""


def walking(backend: str = "numpy", progress: Counting | None = None) -> Walk:
    """A walk with the arrays of `backend`.  It raises InputError for a backend that is not there."""

    def walk(spectrum: Eigenvalues, k: int, most: int) -> Walked | None:
        xp = _where_to_walk(spectrum, k, backend)
        if xp is None:
            return None
        kept = min(most, LISTED if xp is np else WIDEST_TOP)
        stays = learned_noise_candidates(len(spectrum), k) > FEW
        showing = nullcontext() if progress is None else progress.counting("walking all index sets", stays=stays)
        with showing as told:
            found = enumerate_learned(spectrum, k, top=kept, bins=0, progress=told, backend=xp)
        sets = [members(mask) for mask in found.masks]
        by_index = found.index_histogram.tolist()
        return Walked(found.count, found.walked, by_index, sets, found.undecided, found.unsure)

    return walk


def _where_to_walk(spectrum: Eigenvalues, k: int, backend: str) -> Any:
    """The array module to walk the index sets with, None where they are too many or have too many digits."""
    n, sets = len(spectrum), learned_noise_candidates(len(spectrum), k)
    if n > LONGEST or sets > WALKED_ON_DEVICE or not fits(spectrum):
        return None
    xp = np if backend == "auto" and sets <= FEW else array_module(backend)
    return None if xp is np and sets > WALKED_HERE else xp
