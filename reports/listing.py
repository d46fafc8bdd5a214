"""Which stationary points a command lists: all where that is possible, else the best, and how many there are.

Notation   lam (n,) descending eigenvalues; k latents; sigma2 the noise, None where it is learned.
Main       likelihood_points, elbo_points, how_found.
Reference  theory 1.2, 2 and 3.6.
"""

from decimal import Decimal
from itertools import islice
from typing import Any

from verify.arrays import Array
from verify.landscape.best_families import best_families
from verify.landscape.families import candidates, fixed_noise_families, learned_noise_families
from verify.landscape.points import Point
from verify.landscape.stationary import (
    fixed_noise_count,
    fixed_noise_points,
    learned_noise_candidates,
    learned_noise_points,
)

# Without `top` everything is listed up to LISTED points, else the best BEST.
LISTED, BEST = 1000, 20
# So many structures of families are listed completely, and so many points of learned noise are walked to count them.
COMPLETE, WALKED = 20_000, 5_000


def _wanted(top: int | None, count: int | None) -> int:
    """How many points to list."""
    if top is not None:
        return top
    return count if count is not None and count <= LISTED else BEST


def likelihood_points(lam: Array, k: int, sigma2: float | None, top: int | None) -> tuple[list[Point], int | None]:
    """The best stationary points of L, and how many there are (None: more than it pays to walk)."""
    if sigma2 is not None:
        count: int | None = fixed_noise_count(lam, k, sigma2)
        return list(islice(fixed_noise_points(lam, k, sigma2), _wanted(top, count))), count
    walked, count = [], None
    if _fewest_learned(lam, k) <= WALKED:
        walked = list(islice(learned_noise_points(lam, k), WALKED + 1))
        count = len(walked) if len(walked) <= WALKED else None
    wanted = _wanted(top, count)
    if count is None and wanted > len(walked):
        walked = list(islice(learned_noise_points(lam, k), wanted))
    return walked[:wanted], count


def _fewest_learned(lam: Array, k: int) -> int:
    """A lower bound on the number of points at learned noise.

    No sigma2_A exceeds tr S / (n - q), q <= k, so every set of eigenvalues above the largest of these is valid.
    """
    n = len(lam)
    return fixed_noise_count(lam, k, float(lam.sum()) / max(n - k, 1))


def elbo_points(lam: Array, k: int, sigma2: float | None, top: int | None) -> tuple[list[Point], int | None]:
    """The best families of the ELBO, and how many there are (None: too many to enumerate)."""
    if candidates(len(lam), k) <= COMPLETE:
        every = learned_noise_families(lam, k) if sigma2 is None else fixed_noise_families(lam, k, sigma2)
        return every[: _wanted(top, len(every))], len(every)
    wanted = _wanted(top, None)
    # One more than wanted tells whether there are more; with learned noise the search leaves some out.
    found = best_families(lam, k, sigma2, wanted + 1)
    exhausted = sigma2 is not None and len(found) <= wanted
    return found[:wanted], len(found) if exhausted else None


def how_found(document: dict[str, Any]) -> str | None:
    """What to say of a list that is not complete: how many compete, and how the best were found; None if it is."""
    if not document["truncated"]:
        return None
    n, k, shown = document["n"], document["k"], len(document["points"])
    if document["count"] is not None:
        return f"{readable(document['count'])} points in all; shown are the best {shown}"
    if document["objective"] == "ppca":
        total = readable(learned_noise_candidates(n, k))
        return f"{total} index sets compete, too many to try; shown are the best {shown}, found by best-first search"
    total = readable(candidates(n, k))
    text = f"{total} candidate families, too many to enumerate; shown are the best {shown}, found by branch and bound"
    if document["sigma2"] is None:
        text += "; left out are blocks with zero rows and blocks that hold an eigenvalue at or below the noise"
    return text


def readable(count: int) -> str:
    """1234 or 1.2e+30: exact while that can be read.  No float: the count may exceed what a double holds."""
    return str(count) if count < 10**9 else f"{Decimal(count):.1e}"
