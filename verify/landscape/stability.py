"""Verdicts on stationary points, and the noise at which latents collapse.

Notation   lam (n,) descending; index: positive eigenvalues of the Hessian (L for ppca, profile ELBO for elbo points),
           jointly in W and sigma2 when the noise is learned; gauge: zeros that symmetry forces.
Main       verdict -> Verdict, noise_table, noise_grid, recommended_noise, collapse_curvature.
Reference  theory 1.3-1.6, 2, 3.5-3.10.

Why index 0 means a global maximum: at fixed noise the only points of index 0 retain the largest eigenvalues
(theory 1.5), up to ties; a tie with sigma2 is flat to second order and falls at fourth. With learned noise index 0
needs in addition that all discarded eigenvalues are equal where fewer than k are retained, and then C is optimal.
Non-orthogonal points of the ELBO always have a rotation that rises (theory 3.7). Where measured eigenvalues cannot be
told from the noise, index 0 means that nothing surely rises, and the verdict is "undecided".
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from verify.arrays import Array
from verify.eigenvalues import Eigenvalues, Written
from verify.landscape.points import Point, block_constant, block_scales, constant_diagonal_rotation
from verify.landscape.spectrum import Part
from verify.landscape.spectrum import spectrum as whole_spectrum
from verify.landscape.weighted import PLAIN, effective_noise, noise_at
from verify.models.beta_vae import optimum_that_keeps
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
    """What a stationary point is. `strict`: no flat direction beyond the gauge; `is_global`: surely a global maximum.

    Of `undecided` of the zero eigenvalues rounding cannot tell the sign; index counts those that are surely positive.
    """

    index: int
    nullity: int
    gauge: int
    kind: str
    strict: bool
    is_global: bool
    escape: Escape | None
    undecided: int


def steepest_rotation(point: Point, lam: Array, within: tuple[int, ...] | None = None) -> tuple[float, tuple[int, int]]:
    """The largest d^2P/dtheta^2 = 4 M_ij^2/m_b^2 over two columns of one block (theory 3.7), and that pair.

    Of a point that has a block of several columns; `within`: only of the block that holds these.
    """
    found: list[tuple[float, tuple[int, int]]] = []
    for block, columns in zip(point.blocks, point.column_ranges(), strict=True):
        if within is None or within == tuple(columns):
            held = lam[list(block.eigen)]
            scales = np.append(block_scales(held, block.columns, point.sigma2), np.full(block.zeros, point.sigma2))
            Q = constant_diagonal_rotation(scales)
            share = (Q.T * scales) @ Q / block_constant(held, block.columns, point.sigma2)
            pairs = combinations(range(block.columns), 2)
            found += [(4 * float(share[i, j]) ** 2, (columns[i], columns[j])) for i, j in pairs]
    return max(found, key=lambda rotation: rotation[0])  # of equal ones the first


def _escape(point: Point, lam: Array, rate: float, part: Part, where: int) -> Escape:
    eigen = tuple(int(i) for i in part.eigen[where])
    columns = tuple(int(c) for c in part.columns[where])
    if part.kind == "inside a block":
        curvature, pair = steepest_rotation(point, lam, within=columns)
        return Escape(rate, "rotation", pair, eigen, curvature)
    return Escape(rate, "dense" if part.kind == "between two blocks" else "column", columns, eigen)


def _kind(index: int, undecided: int, most: int) -> str:
    """most: the index of a minimum, more than any index where there can be none."""
    if undecided and (index == 0 or index + undecided == most):
        return "undecided"
    return "maximum" if index == 0 else "minimum" if index == most else "saddle"


def verdict(point: Point, lam: Array | Eigenvalues, learned_noise: bool = False) -> Verdict:
    """Index, nullity, kind and escape of a stationary point (theory 1.3-1.5, 2, 3.5-3.7).  lam (n,).

    The noise adds no positive direction (theory 2, 3.6a).
    Of the curve that stands for the maximum at k = n and learned noise, the direction along it is one more zero.
    """
    spectrum = Eigenvalues.of(lam)
    found, n = whole_spectrum(point, spectrum), len(spectrum)
    of_elbo = point.objective == "elbo"
    nullity = found.nullity + int(learned_noise and len(point.retained) == n)
    rate, part, where = found.steepest()
    # The encoder, or the noise, always adds a negative direction: only L at fixed noise can have a local minimum.
    kind = _kind(found.index, found.undecided, n * point.k + int(of_elbo or learned_noise))
    return Verdict(
        index=found.index,
        nullity=nullity,
        gauge=found.gauge,
        kind=kind,
        strict=nullity == found.gauge,
        is_global=kind == "maximum",
        escape=_escape(point, spectrum.values, rate, part, where) if rate > 0 else None,
        undecided=found.undecided,
    )


@dataclass(frozen=True)
class NoiseRow:
    """The optimum at one noise: how many latents it retains, surely and at most, and the objective there.

    effective_sigma2: beta sigma2, with which eigenvalues are compared. margin: the distance from sigma2 to the nearest
    noise at which the number retained changes. undecided: the eigen-indices, from 0, that rounding cannot tell from the
    effective noise.
    """

    sigma2: float
    effective_sigma2: float
    retained: int
    collapsed: int
    value: float
    margin: float
    retained_at_most: int
    undecided: tuple[int, ...]


def noise_table(lam: Array | Eigenvalues, k: int, noises: Iterable[float], beta: float = PLAIN) -> list[NoiseRow]:
    """The global optimum of the ELBO with the KL weighted by beta, equally of L where beta = 1, at each noise.

    Theory 1.5, 3.9.  lam (n,), noises (m,) -> m rows.
    """
    spectrum = Eigenvalues.of(lam)
    values, rows = spectrum.values, []
    thresholds = values[: min(k, spectrum.rank)]
    for sigma2 in (s if isinstance(s, Written) else float(s) for s in noises):
        effective = effective_noise(sigma2, beta)
        at = spectrum.position(effective)
        q, most = at.retained(k)
        value = optimum_that_keeps(values, q, sigma2, beta)
        # Divided last, so that it is 0 at a tie.
        margin = float(np.abs(thresholds - effective).min(initial=np.inf)) / beta
        tied = tuple(range(at.above, at.above + at.level)) if at.undecided else ()
        rows.append(NoiseRow(sigma2, effective, q, k - q, value, margin, most, tied))
    return rows


def noise_grid(lam: Array, points: int = 25) -> Array:
    """Noises from below the least positive eigenvalue (at most six decades down) to above the largest, log-spaced."""
    positive = lam[lam > 0]
    low = max(float(positive[-1]), float(lam[0]) * 1e-6)
    return np.geomspace(low / 2, float(lam[0]) * 1.5, points)


def recommended_noise(lam: Array | Eigenvalues, k: int, beta: float = PLAIN) -> float | None:
    """A noise to start from that keeps all k latents, or None if the data have fewer than k directions.

    Every sigma2 < lam_k/beta keeps them (theory 1.5, 3.9). sigma2_MLE is below lam_k unless the discarded eigenvalues
    equal it; starting at sigma2_MLE/beta, the decoder at the optimum is that of the maximum-likelihood solution, and
    with beta = 1 the optimum that solution itself. Where sigma2_MLE does not exist, or is not surely below lam_k, half
    of lam_k/beta is returned, of the least that lam_k may be; of a lam_k that is known to be positive and no more, half
    of its value.
    """
    spectrum = Eigenvalues.of(lam)
    if k > spectrum.rank:
        return None
    if k < spectrum.rank:
        mle = mean_of_discarded(spectrum, k)
        start = float(noise_at(mle, beta))
        # Rounding may take the quotient to either side of a tie.
        if all(spectrum.position(s).above >= k for s in (mle, effective_noise(start, beta))):
            return start
    return float(noise_at(spectrum.half(k - 1), beta))


def collapse_curvature(lam: Array, noises: Array) -> Array:
    """(lam_j - sigma2)/sigma2^2, the rate at which a zero column leaves towards u_j (theory 3.10).  -> (m, n).

    At W = 0, and elsewhere towards a u_j that is not retained: towards a retained one it is 0 (slices.py).
    """
    s = np.asarray(noises, dtype=float)[:, None]
    return (np.asarray(lam)[None, :] - s) / s / s
