"""From a covariance to the document of `stationary`: stationary points, best first.

Notation   lam (n,) descending eigenvalues; k latents; sigma2 the noise, None where it is learned; beta the weight of
           the KL, s = beta sigma2.
Main       stationary; saved, save_points.
Reference  theory 1.2-3.8; reports/schema/stationary.json; indices count from 1.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from verify.analysis import ties
from verify.analysis.certified_points import certified
from verify.analysis.enclosed import enclosed
from verify.analysis.listing import Walk, elbo_points, likelihood_points, walk_of
from verify.analysis.scales import compared, known_of, latents_of, workable
from verify.arrays import Array
from verify.checks import positive_noise, whole_number
from verify.data.covariance import Covariance
from verify.data.writing import write_npz
from verify.eigenvalues import Eigenvalues, decimal
from verify.errors import InputError, about
from verify.landscape.points import Block, Point, block_constant, weights
from verify.landscape.stability import verdict
from verify.landscape.weighted import PLAIN, noise_at, point_value, usable_weight
from verify.models.linear_vae import optimal_encoder
from verify.models.ppca import mean_of_discarded
from verify.words.certified import said_of_points
from verify.words.lists import how_found
from verify.words.numerals import typed

Document = dict[str, Any]
# The same things, counted as they are used; what is done with them, and how many there are.
Track = Callable[[Iterable[Any], str, int], Iterable[Any]]

# The Hessians inside blocks are dense: their signs are known (theory 3.6a), but of values that lie farther below the
# largest entry than this, and of the rotation Q_b at such scales, rounding leaves no digit.
WIDEST = 1e12
MOST_BYTES = 2 << 30


def stationary(
    covariance: Covariance,
    k: int,
    *,
    sigma2: float | None,
    objective: str = "ppca",
    top: int | None = None,
    beta: float = PLAIN,
    walk: Walk | None = None,
    certify: bool = False,
    track: Track = lambda things, doing, total: things,
) -> tuple[Document, list[Point]]:
    """The stationary points of `objective` ("ppca" or "elbo"), best first; sigma2 None: learned (theory 1.2, 2, 3.6).

    With another beta than 1, those of the ELBO with the KL weighted by it, at a fixed noise: the document speaks of
    that objective, and the points are those of the VAE at s, which have the same columns (theory 3.9).
    Without `top`, all of them up to a limit, else the best (listing.py). walk: what walks all index sets at learned
    noise, where they are to be counted; "walk" is in the document where it did, and of one that was interrupted what it
    came to know. certify: tell of each point whether it is proved what it is (certified_points.py). track: shows
    progress. InputError: k, sigma2, beta, scales, unbounded; beta where the objective has no KL, or where the noise is
    learned.
    """
    spectrum, lam, k = covariance.spectrum, covariance.eigenvalues, latents_of(covariance, k)
    if objective not in ("ppca", "elbo"):
        raise InputError(f"objective {objective!r}: neither ppca nor elbo")
    if top is not None and whole_number(top, "top") < 1:
        raise InputError(f"top = {top}: list at least one point")
    beta = usable_weight(beta)
    refuse_weight(beta, objective, sigma2)
    workable(lam)
    if sigma2 is None:
        mean_of_discarded(spectrum, k)  # refuses an unbounded likelihood
        noise = None
    else:
        sigma2 = positive_noise(sigma2)
        noise = compared([sigma2], beta)[0]
    if objective == "ppca":
        found = likelihood_points(spectrum, k, noise, top, walk)
    else:
        found = elbo_points(spectrum, k, noise, top)
    # The search orders by gains; a difference of an ulp in the values must not show as disorder.
    valued = [(point_value(p, lam, p.sigma2 if sigma2 is None else sigma2, beta), p) for p in found.points]
    valued.sort(key=lambda pair: -pair[0])
    points, best = [point for _, point in valued], valued[0][0]
    _resolvable(points, lam, beta)
    tracked = track(valued, "classifying", len(points))
    described = [_described(point, spectrum, value, best, sigma2, beta) for value, point in tracked]
    certificate: Document = {}
    if certify:
        found_of = enclosed(covariance)
        certified(described, points, found_of, None if noise is None else decimal(noise))
        certificate = {"subject": found_of.sha256}
    document: Document = {
        "schema": 1,
        "n": covariance.n,
        "k": k,
        "sigma2": sigma2,
        "beta": beta,
        "objective": objective,
        "count": found.count,
        "truncated": found.truncated,
        "points": described,
        "tied": ties.tied(spectrum, noise),
        "undecided": found.undecided,
        "continuum": ties.continuum(spectrum, k, sigma2),
        **known_of(covariance),
        **certificate,
    }
    if found.walk is not None:
        document["walk"] = walk_of(found.walk)
    unsure = sum(p["undecided"] > 0 for p in described) if found.walk is None else found.walk.unsure
    document["notes"] += ties.notes(document, spectrum, 0 if sigma2 is not None else unsure)
    if (said := how_found(document)) is not None:
        document["notes"].append(said)
    document["notes"] += said_of_points(described)
    return document, points


def _resolvable(points: Iterable[Point], lam: Array, beta: float) -> None:
    """Raises InputError where a non-orthogonal point spans more scales than its W and its Hessian hold in doubles."""
    span = max((float(lam[0]) / point.sigma2 for point in points if not point.orthogonal), default=1.0)
    if span > WIDEST:
        noise, other = ("the noise", ", or take --objective ppca") if beta == PLAIN else ("beta sigma2", "")
        raise InputError(
            f"the largest eigenvalue is {span:.1g} times {noise}, and non-orthogonal points can be computed up to "
            f"{WIDEST:g}: choose a larger sigma2, write 0 for negligible eigenvalues{other}"
        )


def refuse_weight(beta: float, objective: str, sigma2: float | None) -> None:
    """Raises InputError where a beta other than 1 has no meaning, or none that is proved."""
    if beta == PLAIN:
        return
    if objective == "ppca":
        raise InputError(
            f"beta = {typed(beta)}: the likelihood of pPCA has no KL that could be weighed; take --objective elbo"
        )
    if sigma2 is None:
        raise InputError(
            f"beta = {typed(beta)}: with learned noise the points are known for beta = 1 alone; fix it with --sigma2 "
            "(where a learned noise goes, elbo-verify stability --beta tells)"
        )


def _described(
    point: Point, spectrum: Eigenvalues, value: float, best: float, sigma2: float | None, beta: float
) -> Document:
    """One entry of "points"; point is that of the VAE at s, value and best are those of beta."""
    of, lam = verdict(point, spectrum, sigma2 is None), spectrum.values
    described: Document = {"retained": [i + 1 for i in point.retained]}
    if point.objective == "elbo":
        ranges = zip(point.blocks, point.column_ranges(), strict=True)
        described["blocks"] = [_block(b, r, lam, point.sigma2) for b, r in ranges]
    return described | {
        "sigma2": float(point.sigma2 if sigma2 is None else sigma2),
        "value": float(value),
        "bound_gap": max(float(beta * point.bound_gap), 0.0),
        "deficit": max(float(best - value), 0.0),
        "index": of.index,
        "nullity": of.nullity,
        "gauge": of.gauge,
        "undecided": of.undecided,
        "kind": of.kind,
        "strict": bool(of.strict),
        "global": bool(of.is_global),
        "orthogonal": point.orthogonal,
        "escape": None if of.escape is None else _escape(of.escape, beta),
    }


def _block(block: Block, columns: range, lam: Array, sigma2: float) -> Document:
    return {
        "columns": [c + 1 for c in columns],
        "eigen": [i + 1 for i in block.eigen],
        "m": float(block_constant(lam[list(block.eigen)], block.columns, sigma2)),
    }


def _escape(escape: Any, beta: float) -> Document:
    direction = {
        "type": escape.kind,
        "columns": [c + 1 for c in escape.columns],
        "eigen": [i + 1 for i in escape.eigen],
    }
    described = {"rate": float(beta * escape.rate), "direction": direction}
    if escape.theta_curvature is None:
        return described
    return described | {"theta_curvature": float(beta * escape.theta_curvature)}


def saved(points: Sequence[Point], covariance: Covariance, beta: float = PLAIN) -> dict[str, Array]:
    """W (P, n, k), V (P, k, n), D (P, k), sigma2 (P,), beta (), eigenvectors (n, n).  Raises InputError: too many.

    points: those of the VAE at s = beta sigma2, as `stationary` returns them; sigma2 is the noise of the model.
    In the order of the points and the coordinates of the data; of a bare spectrum S is diagonal.
    """
    P, n, k = len(points), covariance.n, points[0].k
    size = 16 * P * n * k
    if size > MOST_BYTES:
        raise InputError(
            f"{P} points with n = {n}, k = {k} take {size / 2**30:.1f} GiB, more than {MOST_BYTES >> 30}; list fewer "
            "with --top"
        )
    W = np.stack([weights(point, covariance.spectrum, covariance.eigenvectors) for point in points])
    V, D = optimal_encoder(W, np.array([point.sigma2 for point in points]))
    sigma2 = np.array([noise_at(point.sigma2, beta) for point in points])
    return {
        "W": W,
        "V": V,
        "D": D,
        "sigma2": sigma2,
        "beta": np.array(float(beta)),
        "eigenvectors": covariance.eigenvectors,
    }


def save_points(path: Path, points: Sequence[Point], covariance: Covariance, beta: float = PLAIN) -> None:
    """The arrays of `saved` as .npz.  Raises InputError."""
    try:
        arrays = saved(points, covariance, beta)
    except InputError as error:
        raise about(str(path), error) from None
    write_npz(path, **arrays)
