"""From a covariance to documents: what each command computes, as plain JSON (design: public face).

Notation   lam (n,) descending eigenvalues; k latents; sigma2 the noise, None where it is learned.
Main       stationary, stability, landscape; save_points; known_of, what they all say of their data.
           (collapse is in collapse.py.)
Reference  theory 1.2-3.8; every document has "schema": 1 and a JSON Schema in reports/schema/; indices count from 1.
"""

from collections.abc import Iterable, Sequence
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np

from gpu.landscape import plane
from reports import ties
from reports.caveats import caveats, near_noise
from reports.files import write_npz
from reports.listing import Progress, elbo_points, how_found, likelihood_points, walk_of
from verify.arrays import Array, to_numpy
from verify.checks import latent_dimension, positive_noise, whole_number
from verify.data.covariance import Covariance
from verify.data.sampling import beyond_noise, marchenko_pastur_edge, suggested_latents
from verify.eigenvalues import Eigenvalues
from verify.errors import InputError
from verify.landscape.points import Block, Point, block_constant, weights
from verify.landscape.slices import Slice, zero_column_slice
from verify.landscape.stability import NoiseRow, noise_table, recommended_noise, verdict
from verify.models.linear_vae import optimal_encoder
from verify.models.ppca import mean_of_discarded

Document = dict[str, Any]

# Closed forms hold lam/sigma2^3: within these bounds nothing overflows and nothing vanishes.
SMALLEST, LARGEST = 1e-75, 1e75
# The Hessians inside blocks are dense: their signs are known (theory 3.6a), but of values that lie farther below the
# largest entry than this, and of the rotation Q_b at such scales, rounding leaves no digit.
WIDEST = 1e12
MOST_BYTES = 2 << 30
# With fewer than so many data a dimension, noise alone shows eigenvalues half as large again as its variance, and more:
# (1 + sqrt(1/20))^2 = 1.497.
FEW_DATA = 20
LARGEST_GRID = 1001
# So many noises are tabulated where none is named.
GRID = 25


def workable(lam: Array, sigma2s: Iterable[float] = ()) -> None:
    """Raises InputError unless all positive eigenvalues and noises lie where the closed forms are exact to rounding."""
    named = [("an eigenvalue", float(x)) for x in (lam[0], lam[lam > 0][-1])] + [("sigma2", s) for s in sigma2s]
    for name, value in named:
        if not SMALLEST <= value <= LARGEST:
            raise InputError(
                f"{name} = {value:.3g} lies outside {SMALLEST:g} to {LARGEST:g}, where the closed forms can be "
                "evaluated; multiply the data by a constant"
            )


def stationary(
    covariance: Covariance,
    k: int,
    *,
    sigma2: float | None,
    objective: str = "ppca",
    top: int | None = None,
    backend: str = "numpy",
    progress: Progress | None = None,
) -> tuple[Document, list[Point]]:
    """The stationary points of `objective` ("ppca" or "elbo"), best first; sigma2 None: learned (theory 1.2, 2, 3.6).

    Without `top`, all of them up to a limit, else the best (listing.py). "walk" is there where all index sets were
    walked; an interruption ends that walk, and the document holds what it came to know. InputError: k, sigma2, scales,
    unbounded, no such backend.
    """
    spectrum, lam, k = covariance.spectrum, covariance.eigenvalues, latent_dimension(k, covariance.n)
    if objective not in ("ppca", "elbo"):
        raise InputError(f"objective {objective!r}: neither ppca nor elbo")
    if top is not None and whole_number(top, "top") < 1:
        raise InputError(f"top = {top}: list at least one point")
    if sigma2 is None:
        workable(lam)
        mean_of_discarded(spectrum, k)  # refuses an unbounded likelihood
    else:
        sigma2 = positive_noise(sigma2)
        workable(lam, [sigma2])
    if objective == "ppca":
        found = likelihood_points(spectrum, k, sigma2, top, backend=backend, progress=progress)
    else:
        found = elbo_points(spectrum, k, sigma2, top)
    # The search orders by gains; a difference of an ulp in the values must not show as disorder.
    points = sorted(found.points, key=lambda point: -point.value)
    _resolvable(points, lam)
    tracked = points if progress is None else progress.track(points, "classifying", len(points))
    described = [_described(point, spectrum, points[0].value, sigma2 is None) for point in tracked]
    document: Document = {
        "schema": 1,
        "n": covariance.n,
        "k": k,
        "sigma2": sigma2,
        "objective": objective,
        "count": found.count,
        "truncated": found.count is None or len(points) < found.count,
        "points": described,
        "tied": ties.tied(spectrum, sigma2),
        "undecided": found.undecided,
        "continuum": ties.continuum(spectrum, k, sigma2),
        **known_of(covariance),
    }
    if found.walk is not None:
        document["walk"] = walk_of(found.walk)
    unsure = sum(p["undecided"] > 0 for p in described) if found.walk is None else found.walk.unsure
    document["notes"] += ties.notes(document, spectrum, 0 if sigma2 is not None else unsure)
    if (said := how_found(document)) is not None:
        document["notes"].append(said)
    return document, points


def _resolvable(points: Iterable[Point], lam: Array) -> None:
    """Raises InputError where a non-orthogonal point spans more scales than its W and its Hessian hold in doubles."""
    span = max((float(lam[0]) / point.sigma2 for point in points if not point.orthogonal), default=1.0)
    if span > WIDEST:
        raise InputError(
            f"the largest eigenvalue is {span:.1g} times the noise, and non-orthogonal points can be computed up to "
            f"{WIDEST:g}: choose a larger sigma2, write 0 for negligible eigenvalues, or take --objective ppca"
        )


def _described(point: Point, spectrum: Eigenvalues, best: float, learned: bool) -> Document:
    """One entry of "points"."""
    of, lam = verdict(point, spectrum, learned), spectrum.values
    described: Document = {"retained": [i + 1 for i in point.retained]}
    if point.objective == "elbo":
        ranges = zip(point.blocks, point.column_ranges(), strict=True)
        described["blocks"] = [_block(b, r, lam, point.sigma2) for b, r in ranges]
    return described | {
        "sigma2": float(point.sigma2),
        "value": float(point.value),
        "bound_gap": max(float(point.bound_gap), 0.0),
        "deficit": max(float(best - point.value), 0.0),
        "index": of.index,
        "nullity": of.nullity,
        "gauge": of.gauge,
        "undecided": of.undecided,
        "kind": of.kind,
        "strict": bool(of.strict),
        "global": bool(of.is_global),
        "orthogonal": point.orthogonal,
        "escape": None if of.escape is None else _escape(of.escape),
    }


def _block(block: Block, columns: range, lam: Array, sigma2: float) -> Document:
    return {
        "columns": [c + 1 for c in columns],
        "eigen": [i + 1 for i in block.eigen],
        "m": float(block_constant(lam[list(block.eigen)], block.columns, sigma2)),
    }


def _escape(escape: Any) -> Document:
    direction = {
        "type": escape.kind,
        "columns": [c + 1 for c in escape.columns],
        "eigen": [i + 1 for i in escape.eigen],
    }
    described = {"rate": float(escape.rate), "direction": direction}
    return (
        described if escape.theta_curvature is None else described | {"theta_curvature": float(escape.theta_curvature)}
    )


def save_points(path: Path, points: Sequence[Point], covariance: Covariance) -> None:
    """W (P, n, k), V (P, k, n), D (P, k), sigma2 (P,), eigenvectors (n, n) as .npz.  Raises InputError.

    In the order of the points and the coordinates of the data; of a bare spectrum S is diagonal.
    """
    P, n, k = len(points), covariance.n, points[0].k
    size = 16 * P * n * k
    if size > MOST_BYTES:
        raise InputError(
            f"{path}: {P} points with n = {n}, k = {k} take {size / 2**30:.1f} GiB, more than {MOST_BYTES >> 30}; "
            "list fewer with --top"
        )
    W = np.stack([weights(point, covariance.spectrum, covariance.eigenvectors) for point in points])
    sigma2 = np.array([point.sigma2 for point in points])
    V, D = optimal_encoder(W, sigma2)
    write_npz(path, W=W, V=V, D=D, sigma2=sigma2, eigenvectors=covariance.eigenvectors)


def stability(
    covariance: Covariance,
    k: int,
    sigma2s: Iterable[float] | None = None,
    certify: bool = False,
    grid: Iterable[float] | None = None,
) -> Document:
    """The optimum at each noise and the noises at which latents collapse (theory 1.5).  Raises InputError.

    Thresholds are lam_1 ... lam_min(k, rank): as sigma2 rises past lam_j, latent j collapses. `grid`: further noises to
    tabulate in ascending order with those asked about, of which the notes need not speak one by one.
    """
    lam, k = covariance.eigenvalues, latent_dimension(k, covariance.n)
    if certify:
        raise InputError("certified thresholds come with a later version; leave out --certify")
    workable(lam)
    asked = [positive_noise(s) for s in sigma2s or ()]
    if sigma2s is None and grid is None:
        grid = _readable_grid(covariance, k)
    noises = asked if grid is None else sorted({*asked, *(positive_noise(s) for s in grid)})
    workable(lam, noises)
    known, rank = known_of(covariance), covariance.rank
    mle = mean_of_discarded(covariance.spectrum, k) if rank == covariance.n or k < rank else None
    errors = _standard_errors(covariance, min(k, rank))
    document = {
        "schema": 1,
        "n": covariance.n,
        "k": k,
        "N": covariance.N,
        "rank": rank,
        "eigenvalues": lam.tolist(),
        **known,
        "sigma2_mle": mle,
        "recommended_sigma2": recommended_noise(covariance.spectrum, k),
        "noise": [_noise_row(row, covariance, errors) for row in noise_table(covariance.spectrum, k, noises)],
        "thresholds": [
            {"eigenvalue": float(x), "radius": None, "standard_error": e}
            for x, e in zip(lam[: min(k, rank)], errors, strict=True)
        ],
        "marchenko_pastur_edge": _edge(covariance, k, mle),
        "suggested_k": None if covariance.N is None else suggested_latents(lam, covariance.N),
    }
    return document | {"notes": [*known["notes"], *caveats(document, asked)]}


def known_of(covariance: Covariance) -> Document:
    """What a document says of the data it comes from: notes, and the error bounds of the eigenvalues, None: typed."""
    errors = covariance.resolution
    notes = [str(note) for note in covariance.provenance.get("notes", [])]
    return {"notes": notes, "resolution": None if errors is None else [float(e) for e in errors]}


def _readable_grid(covariance: Covariance, k: int) -> list[float]:
    """From below the recommended noise to above lam_1, in four digits: what is printed is what was computed with.

    Where no noise keeps all k latents, from below the least positive eigenvalue.
    """
    lam, start = covariance.eigenvalues, recommended_noise(covariance.spectrum, k)
    low, high = max((lam[lam > 0][-1] if start is None else start) / 2, SMALLEST), 1.5 * lam[0]
    return [float(f"{s:.4g}") for s in np.geomspace(low, high, GRID)]


def _standard_errors(covariance: Covariance, m: int) -> list[float | None]:
    """The sampling errors of the leading m eigenvalues, None where they are not known (theory 8)."""
    return [float(e) if np.isfinite(e) else None for e in covariance.standard_errors(m)]


def _noise_row(row: NoiseRow, covariance: Covariance, errors: Sequence[float | None]) -> Document:
    """One entry of "noise", indices from 1; errors: the sampling errors of the thresholds."""
    place = covariance.spectrum.position(row.sigma2)
    level = [] if place.undecided else list(range(place.above + 1, place.above + place.level + 1))
    return {
        **vars(row),
        "undecided": [i + 1 for i in row.undecided],
        "tied": level,
        "sampling_range": _sampling_range(row, covariance.eigenvalues, errors),
        "certified": "not requested",
    }


def _sampling_range(row: NoiseRow, lam: Array, errors: Sequence[float | None]) -> list[int] | None:
    """How many latents other data of the same kind may retain: thresholds within two standard errors count for both."""
    if any(e is None for e in errors):
        return None
    near = [abs(x - row.sigma2) < 2 * e for x, e in zip(lam.tolist(), errors, strict=False) if e is not None]
    least = sum(not n for n in near[: row.retained])
    return [least, row.retained_at_most + sum(near[row.retained_at_most :])]


def _edge(covariance: Covariance, k: int, noise: float | None) -> Document | None:
    """What noise alone would show, where N is small enough to matter; None where it is not, or nothing is discarded."""
    n, N, lam = covariance.n, covariance.N, covariance.eigenvalues
    if noise is None or N is None or k == n or FEW_DATA * n <= N:
        return None
    edge = marchenko_pastur_edge(noise, n, N)
    steps = dict(zip(("beyond", "noise", "edge"), beyond_noise(lam, N, k), strict=True))
    return {"edge": edge, "noise": noise, "beyond": int((lam > edge).sum()), "stepwise": steps}


def landscape(
    covariance: Covariance,
    k: int,
    sigma2s: Sequence[float] | None = None,
    directions: tuple[int, int] | None = None,
    grid: int = 101,
    backend: Any = np,
) -> tuple[Document, list[Slice]]:
    """Slices as in Figure 1: two zero columns moved along two eigenvectors (theory 1.6).  Raises InputError.

    directions count from 1. Defaults: along u_5 and u_7 at sigma2 = lam_4, lam_6, lam_8, three retained columns. The
    grids are computed by the array module `backend`.
    """
    lam, k, n = covariance.eigenvalues, latent_dimension(k, covariance.n), covariance.n
    workable(lam)
    if n < 2:
        raise InputError("a slice needs two directions, and the data have one; use data with n >= 2")
    if not 3 <= whole_number(grid, "grid") <= LARGEST_GRID:
        raise InputError(f"grid = {grid}: choose 3 to {LARGEST_GRID} points a side")
    pair = _default_directions(covariance.rank, n) if directions is None else _checked_directions(directions, n)
    noises = _default_noises(lam, pair) if sigma2s is None else [positive_noise(s) for s in sigma2s]
    workable(lam, noises)
    retained, columns = max(0, min(3, k - 2, *pair)), min(2, k)

    def on_plane(W: Array, X: Array, Y: Array, a: Array, b: Array, sigma2: float, S: Array) -> Array:
        W, X, Y, a, b, S = (backend.asarray(part) for part in (W, X, Y, a, b, S))
        return to_numpy(plane(W, X, Y, a, b, sigma2, S))

    slices = [
        zero_column_slice(covariance.spectrum, s, pair, retained, grid, columns=columns, on_plane=on_plane)
        for s in noises
    ]
    known = known_of(covariance)
    document = {
        "schema": 1,
        "n": n,
        "k": k,
        "directions": [d + 1 for d in pair],
        "moved_columns": columns,
        "slices": [_plane(piece) for piece in slices],
        "resolution": known["resolution"],
        "notes": [*known["notes"], *(near_noise(d, s.sigma2) for s in slices for d in s.undecided)],
    }
    return document, slices


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
    """Noises at which both directions are stable, one of them is, neither is; eigenvalues where there are such."""
    i, j = sorted(pair)
    above = float(lam[i - 1]) if i > 0 else 1.5 * float(lam[i])
    between = float(lam[i + 1]) if j > i + 1 else sqrt(float(lam[i])) * sqrt(float(lam[j]))
    below = float(lam[j + 1]) if j + 1 < len(lam) and lam[j + 1] > 0 else float(lam[j] or lam[i]) / 2
    noises = [s for s in dict.fromkeys((above, between, below)) if s > 0]
    if not noises:
        raise InputError(f"the eigenvalues around directions {i + 1} and {j + 1} are 0; give --sigma2")
    return noises
