"""Verdicts on stationary points, and the noise at which latents collapse.

Notation   lam (n,) descending; index: positive eigenvalues of the Hessian (L for ppca, profile ELBO for elbo points),
           jointly in W and sigma2 when the noise is learned; gauge: zeros that symmetry forces.
Main       verdict -> Verdict, noise_table, noise_grid, recommended_noise, collapse_curvature.
Reference  theory 1.3-1.6, 2, 3.5-3.8, 3.10.

Why index 0 means a global maximum: at fixed noise the only points of index 0 retain the largest eigenvalues
(theory 1.5), up to ties; a tie with sigma2 is flat to second order and falls at fourth. With learned noise index 0
needs in addition that all discarded eigenvalues are equal where fewer than k are retained, and then C is optimal.
Non-orthogonal points of the ELBO always have a rotation that rises (theory 3.7).
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from verify.arrays import Array
from verify.eigenvalues import Eigenvalues
from verify.landscape.points import Point, block_constant, block_scales, constant_diagonal_rotation
from verify.landscape.spectrum import Part, noise_adds_positive, spectrum
from verify.models.ppca import mean_of_discarded


@dataclass(frozen=True)
class Escape:
    """The steepest way up: `rate`, the largest eigenvalue of the Hessian in W, and the direction it belongs to."""

    rate: float
    kind: str
    columns: tuple[int, ...]
    eigen: tuple[int, ...]
    theta_curvature: float | None = None


@dataclass(frozen=True)
class Verdict:
    """What a stationary point is. `strict`: no flat direction beyond the gauge; `is_global`: a global maximum."""

    index: int
    nullity: int
    gauge: int
    kind: str
    strict: bool
    is_global: bool
    escape: Escape | None


def steepest_rotation(point: Point, lam: Array, within: tuple[int, ...] | None = None) -> tuple[float, tuple[int, int]]:
    """The largest d^2P/dtheta^2 = 4 M_ij^2/m_b^2 over two columns of one block (theory 3.7), and that pair."""
    best, pair = 0.0, (0, 0)
    for block, columns in zip(point.blocks, point.column_ranges(), strict=True):
        if block.columns == 1 or (within is not None and columns[0] not in within):
            continue
        held = lam[list(block.eigen)]
        scales = np.append(block_scales(held, block.columns, point.sigma2), np.full(block.zeros, point.sigma2))
        Q = constant_diagonal_rotation(scales)
        off = np.abs(np.triu((Q.T * scales) @ Q, 1))
        i, j = np.unravel_index(int(off.argmax()), off.shape)
        curvature = 4 * float(off[i, j] / block_constant(held, block.columns, point.sigma2)) ** 2
        if curvature > best:
            best, pair = curvature, (columns[int(i)], columns[int(j)])
    return best, pair


def _escape(point: Point, lam: Array, rate: float, part: Part, where: int) -> Escape:
    eigen = tuple(int(i) for i in part.eigen[where])
    columns = tuple(int(c) for c in part.columns[where])
    if part.kind == "inside a block":
        curvature, pair = steepest_rotation(point, lam, within=columns)
        return Escape(rate, "rotation", pair, eigen, curvature)
    return Escape(rate, "dense" if part.kind == "between two blocks" else "column", columns, eigen)


def verdict(point: Point, lam: Array, learned_noise: bool = False) -> Verdict:
    """Index, nullity, kind and escape of a stationary point (theory 1.3-1.5, 2, 3.5-3.7).  lam (n,)."""
    found = spectrum(point, lam)
    of_elbo = point.objective == "elbo"
    index = found.index + int(learned_noise and of_elbo and noise_adds_positive(point, lam))
    rate, part, where = found.steepest()
    # The encoder, or the noise, always adds a negative direction: only L at fixed noise can have a local minimum.
    if index == 0:
        kind = "maximum"
    elif index == len(lam) * point.k and not of_elbo and not learned_noise:
        kind = "minimum"
    else:
        kind = "saddle"
    return Verdict(
        index=index,
        nullity=found.nullity,
        gauge=found.gauge,
        kind=kind,
        strict=found.nullity == found.gauge,
        is_global=index == 0,
        escape=_escape(point, lam, rate, part, where) if rate > 0 else None,
    )


@dataclass(frozen=True)
class NoiseRow:
    """The optimum at one noise: how many latents it retains, L there, and the distance to the nearest threshold.

    retained_at_most: more than `retained` where rounding cannot tell some eigenvalues from the noise; `undecided` are
    their indices, from 0.
    """

    sigma2: float
    retained: int
    collapsed: int
    value: float
    margin: float
    retained_at_most: int
    undecided: tuple[int, ...]


def noise_table(spectrum: Eigenvalues | Array, k: int, noises: Iterable[float]) -> list[NoiseRow]:
    """The global optimum of L (equally of the ELBO) at each noise (theory 1.5).  lam (n,), noises (m,) -> m rows."""
    rows = []
    known = Eigenvalues.of(spectrum)
    lam = known.values
    thresholds = lam[: min(k, known.rank)]
    for sigma2 in (float(s) for s in noises):
        place = known.position(sigma2)
        q, most = place.retained(k)
        undecided = tuple(range(place.above, place.above + place.level)) if place.undecided else ()
        constant = len(lam) * np.log(2 * np.pi)
        logs = float(np.log(lam[:q]).sum()) + (len(lam) - q) * np.log(sigma2)
        value = -0.5 * (constant + logs + q + float(lam[q:].sum()) / sigma2)
        margin = float(np.abs(thresholds - sigma2).min())
        rows.append(NoiseRow(sigma2, q, k - q, float(value), margin, most, undecided))
    return rows


def noise_grid(lam: Array, points: int = 25) -> Array:
    """Noises from below the least positive eigenvalue (at most six decades down) to above the largest, log-spaced."""
    positive = lam[lam > 0]
    low = max(float(positive[-1]), float(lam[0]) * 1e-6)
    return np.geomspace(low / 2, float(lam[0]) * 1.5, points)


def recommended_noise(lam: Array, k: int) -> float | None:
    """A noise to start from that keeps all k latents, or None if the data have fewer than k directions.

    Every sigma2 < lam_k keeps them (theory 1.5). sigma2_MLE is below lam_k unless the discarded eigenvalues equal it;
    starting there, the optimum at fixed noise is the maximum-likelihood solution itself. Where it does not exist, or
    is lam_k, half of lam_k is returned.
    """
    smallest = float(lam[k - 1])
    if smallest <= 0:
        return None
    rank = int((lam > 0).sum())
    unbounded = rank <= k and rank < len(lam)
    mle = smallest if unbounded else mean_of_discarded(lam, k)
    return mle if mle < smallest else smallest / 2


def collapse_curvature(lam: Array, noises: Array) -> Array:
    """(lam_j - sigma2)/sigma2^2, the rate at which a zero column leaves towards u_j (theory 3.10).  -> (m, n)."""
    s = np.asarray(noises, dtype=float)[:, None]
    return (np.asarray(lam)[None, :] - s) / s / s
