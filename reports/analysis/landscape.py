"""From a covariance to the document of `landscape`: slices as in Figure 1, and their grids.

Notation   lam (n,) descending eigenvalues; k latents; sigma2 the noise; beta the weight of the KL, s = beta sigma2.
Main       landscape.
Reference  theory 1.6, 3.9; Lucas et al. 2019, Figure 1; reports/schema/landscape.json; indices count from 1.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import sqrt
from typing import Any

import numpy as np

from gpu.landscape import plane
from verify.analysis.scales import known_of, latents_of, workable
from verify.arrays import Array, to_numpy
from verify.checks import positive_noise, whole_number
from verify.data.covariance import Covariance
from verify.errors import InputError
from verify.landscape.slices import Slice, zero_column_slice
from verify.landscape.weighted import PLAIN, effective_noise, noise_at, stretched, usable_weight
from verify.words.caveats import near_noise

Document = dict[str, Any]
LARGEST_GRID = 1001


def landscape(
    covariance: Covariance,
    k: int,
    sigma2s: Sequence[float] | None = None,
    directions: tuple[int, int] | None = None,
    grid: int = 101,
    backend: Any = np,
    extent: float | None = None,
    beta: float = PLAIN,
) -> tuple[Document, list[Slice]]:
    """Slices as in Figure 1: two zero columns moved along two eigenvectors (theory 1.6).  Raises InputError.

    directions count from 1. Defaults: along u_5 and u_7 at s = lam_4, lam_6, lam_8, three retained columns. The grids
    are computed by the array module `backend`. extent: half the side of every plane (default: as suits each).

    With another beta than 1 the planes are those of the ELBO with its KL so weighted, at the best encoder of each W:
    the columns are orthogonal all over a plane, so that a diagonal D is as good as any covariance.
    """
    lam, k, n = covariance.eigenvalues, latents_of(covariance, k), covariance.n
    workable(lam)
    if n < 2:
        raise InputError("a slice needs two directions, and the data have one; use data with n >= 2")
    if not 3 <= whole_number(grid, "grid") <= LARGEST_GRID:
        raise InputError(f"grid = {grid}: choose 3 to {LARGEST_GRID} points a side")
    pair = _default_directions(covariance.rank, n) if directions is None else _checked_directions(directions, n)
    beta = usable_weight(beta)
    if sigma2s is None:
        noises = [noise_at(s, beta) for s in _default_noises(lam, pair)]
    else:
        noises = [positive_noise(s) for s in sigma2s]
    workable(lam, noises, beta)
    retained, columns = max(0, min(3, k - 2, *pair)), min(2, k)

    def on_plane(W: Array, X: Array, Y: Array, a: Array, b: Array, sigma2: float, S: Array) -> Array:
        W, X, Y, a, b, S = (backend.asarray(part) for part in (W, X, Y, a, b, S))
        return to_numpy(plane(W, X, Y, a, b, sigma2, S))

    def at(sigma2: float) -> Slice:
        s = effective_noise(sigma2, beta)
        return _weighted(
            zero_column_slice(covariance.spectrum, s, pair, retained, grid, extent, columns, on_plane), n, sigma2, beta
        )

    slices = [at(sigma2) for sigma2 in noises]
    known = known_of(covariance)
    document = {
        "schema": 1,
        "n": n,
        "k": k,
        "beta": beta,
        "directions": [d + 1 for d in pair],
        "moved_columns": columns,
        "slices": [_plane(piece) for piece in slices],
        "read": known["read"],
        "resolution": known["resolution"],
        "notes": [*known["notes"], *(near_noise(d, s.sigma2, beta) for s in slices for d in s.undecided)],
    }
    return document, slices


def _weighted(piece: Slice, n: int, sigma2: float, beta: float) -> Slice:
    """A slice of L at s as one of the weighted ELBO at sigma2 (theory 3.9)."""
    if beta == PLAIN:
        return piece
    along, across = (beta * c for c in piece.curvatures)
    values = stretched(piece.values, n, sigma2, beta)
    return replace(piece, sigma2=sigma2, values=values, curvatures=(along, across))


def _plane(piece: Slice) -> Document:
    return {
        "sigma2": float(piece.sigma2),
        "retained": [i + 1 for i in piece.retained],
        "curvatures": list(piece.curvatures),
        "unstable": piece.unstable,
        "undecided": [d + 1 for d in piece.undecided],
        "a": piece.a.tolist(),
        "b": piece.b.tolist(),
        "values": piece.values.tolist(),
    }


def _checked_directions(directions: Sequence[int], n: int) -> tuple[int, int]:
    if len(directions) != 2:
        raise InputError(f"directions {list(directions)}: give two, for instance 5 7")
    i, j = (whole_number(d, "direction") for d in directions)
    for d in (i, j):
        if not 1 <= d <= n:
            raise InputError(f"direction {d}: the eigenvectors are numbered 1 to n = {n}")
    if i == j:
        raise InputError(f"directions {i} {j}: a plane needs two different ones")
    return i - 1, j - 1


def _default_directions(rank: int, n: int) -> tuple[int, int]:
    """u_5 and u_7, from 0, with lam_4, lam_6, lam_8 around them; shifted down, then squeezed, where n is smaller."""
    last = max(rank, 2)
    second = min(6, max(last - 2, 3) if last >= 4 else last - 1)
    return max(0, min(second - 2, 4)) if last >= 4 else max(0, second - 1), second


def _default_noises(lam: Array, pair: tuple[int, int]) -> list[float]:
    """s at which both directions are stable, one of them is, neither is; eigenvalues where there are such."""
    i, j = sorted(pair)
    above = float(lam[i - 1]) if i > 0 else 1.5 * float(lam[i])
    between = float(lam[i + 1]) if j > i + 1 else sqrt(float(lam[i])) * sqrt(float(lam[j]))
    below = float(lam[j + 1]) if j + 1 < len(lam) and lam[j + 1] > 0 else float(lam[j] or lam[i]) / 2
    noises = [s for s in dict.fromkeys((above, between, below)) if s > 0]
    if not noises:
        raise InputError(f"the eigenvalues around directions {i + 1} and {j + 1} are 0; give --sigma2")
    return noises
