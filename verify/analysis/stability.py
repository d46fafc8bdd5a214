"""From a covariance to the document of `stability`: what the optimum retains at each noise, and the thresholds.

Notation   lam (n,) descending eigenvalues; k latents; sigma2 the noise; beta the weight of the KL, s = beta sigma2.
Main       stability; learned_noise; USUAL_NOISE.
Reference  theory 1.5, 3.9, 8; reports/schema/stability.json; indices count from 1.
"""

from collections.abc import Iterable, Sequence
from math import sqrt
from typing import Any

import numpy as np

from verify.analysis.certified import certified
from verify.analysis.enclosed import enclosed
from verify.analysis.scales import known_of, latents_of, workable
from verify.arrays import Array
from verify.checks import positive_noise
from verify.data.covariance import Covariance
from verify.data.sampling import beyond_noise, marchenko_pastur_edge, suggested_latents
from verify.landscape.stability import NoiseRow, noise_table, recommended_noise
from verify.landscape.weighted import PLAIN, SMALLEST, noise_at, usable_weight
from verify.models.beta_vae import learned_noise_optimum
from verify.models.ppca import mean_of_discarded
from verify.words.caveats import FEW_DATA, caveats, off_scale
from verify.words.numerals import below

Document = dict[str, Any]
# So many noises are tabulated where none is named.
GRID = 25
# Which most code starts from.
USUAL_NOISE = 1.0


def stability(
    covariance: Covariance,
    k: int,
    sigma2s: Iterable[float] | None = None,
    grid: Iterable[float] | None = None,
    beta: float = PLAIN,
    certify: bool = False,
) -> Document:
    """The optimum at each noise and the noises at which latents collapse (theory 1.5, 3.9).  Raises InputError.

    Thresholds are lam_1 ... lam_min(k, rank): as beta sigma2 rises past lam_j, latent j collapses. `grid`: further
    noises to tabulate in ascending order with those asked about, of which the notes need not speak one by one.
    `certify`: tell of each number whether it is proved (certified.py).
    """
    lam, k = covariance.eigenvalues, latents_of(covariance, k)
    workable(lam)
    beta, asked = usable_weight(beta), [positive_noise(s) for s in sigma2s or ()]
    if sigma2s is None and grid is None:
        grid = _readable_grid(covariance, k, beta)
    noises = asked if grid is None else sorted({*asked, *(positive_noise(s) for s in grid)})
    workable(lam, noises, beta)
    known, rank = known_of(covariance), covariance.rank
    mle = mean_of_discarded(covariance.spectrum, k) if rank == covariance.n or k < rank else None
    errors = _standard_errors(covariance, min(k, rank))
    document = {
        "schema": 1,
        "n": covariance.n,
        "k": k,
        "N": covariance.N,
        "rank": rank,
        "beta": beta,
        "eigenvalues": lam.tolist(),
        **known,
        "sigma2_mle": mle,
        "sigma2_learned": mle if beta == PLAIN else learned_noise(lam, k, beta),
        "recommended_sigma2": recommended_noise(covariance.spectrum, k, beta),
        "noise": [_noise_row(row, covariance, errors) for row in noise_table(covariance.spectrum, k, noises, beta)],
        "thresholds": [
            {"eigenvalue": float(x), "sigma2": float(noise_at(x, beta)), "radius": None, "standard_error": e}
            for x, e in zip(lam[: min(k, rank)], errors, strict=True)
        ],
        "marchenko_pastur_edge": _edge(covariance, k, mle),
        "suggested_k": None if covariance.N is None else suggested_latents(lam, covariance.N),
    }
    more: list[str] = []
    if certify:
        document, more = certified(document, enclosed(covariance))
    told = [row for row in document["noise"] if row["sigma2"] in asked]
    return document | {"notes": [*known["notes"], *off_scale(document, told), *caveats(document, asked), *more]}


def learned_noise(lam: Array, k: int, beta: float) -> float | None:
    """Where the noise of the beta-ELBO goes if it is learned; None: to 0."""
    best = learned_noise_optimum(lam, k, beta)
    return None if best is None else best[0]


def _readable_grid(covariance: Covariance, k: int, beta: float) -> list[float]:
    """From below the recommended noise to above lam_1/beta, in four digits: what is printed is what was computed with.

    Where no noise keeps all k latents, from below the least threshold. With the usual noise, and the recommended one.
    """
    lam, start = covariance.eigenvalues, recommended_noise(covariance.spectrum, k, beta)
    least = float(lam[lam > 0][-1]) / beta if start is None else start
    low, high = max(least / 2, SMALLEST), 1.5 * float(lam[0]) / beta
    special = [USUAL_NOISE]
    if start is not None:
        limit = covariance.spectrum.values[k - 1] - (
            0 if covariance.resolution is None else covariance.resolution[k - 1]
        )
        special.append(float(below(start, noise_at(float(limit), beta))))
    return [*(float(f"{s:.4g}") for s in np.geomspace(low, high, GRID)), *special]


def _standard_errors(covariance: Covariance, m: int) -> list[float | None]:
    """The sampling errors of the leading m eigenvalues, None where they are not known (theory 8)."""
    return [float(e) if np.isfinite(e) else None for e in covariance.standard_errors(m)]


def _noise_row(row: NoiseRow, covariance: Covariance, errors: Sequence[float | None]) -> Document:
    """One entry of "noise", indices from 1; errors: the sampling errors of the thresholds."""
    place = covariance.spectrum.position(row.effective_sigma2)
    level = [] if place.undecided else list(range(place.above + 1, place.above + place.level + 1))
    return {
        **vars(row),
        "undecided": [i + 1 for i in row.undecided],
        "tied": level,
        "sampling_range": _sampling_range(row, covariance.eigenvalues, errors, covariance.N),
        "certified": "not requested",
    }


def _sampling_range(row: NoiseRow, lam: Array, errors: Sequence[float | None], N: int | None) -> list[int] | None:
    """How many latents other data of the same kind may retain: thresholds within two standard errors count for both.

    Where a direction falls, the next one takes its place: those beyond the k-th, whose errors are taken to be those of
    Gaussian data, count for the least.
    """
    if N is None or any(e is None for e in errors):
        return None
    thresholds, s = lam.tolist(), row.effective_sigma2
    near = [abs(x - s) < 2 * e for x, e in zip(thresholds, errors, strict=False) if e is not None]
    gaussian = sqrt(2 / N)
    sure = sum(not n for n in near[: row.retained]) + sum(x * (1 - 2 * gaussian) > s for x in thresholds[len(near) :])
    return [min(row.retained, sure), row.retained_at_most + sum(near[row.retained_at_most :])]


def _edge(covariance: Covariance, k: int, noise: float | None) -> Document | None:
    """What noise alone would show, where data are few or one of the k directions does not exceed it; else None.

    None too where nothing is discarded.
    """
    n, N, lam = covariance.n, covariance.N, covariance.eigenvalues
    if noise is None or N is None or k == n:
        return None
    edge = marchenko_pastur_edge(noise, n, N)
    steps = dict(zip(("beyond", "noise", "edge"), beyond_noise(lam, N, k), strict=True))
    if FEW_DATA * n <= N and steps["beyond"] == k:
        return None
    return {"edge": edge, "noise": noise, "beyond": int((lam > edge).sum()), "stepwise": steps}
