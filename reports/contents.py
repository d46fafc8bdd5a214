"""What stands in a report: the numbers of report.json and the slices of report.npz.

Notation   lam_j eigenvalues of S; k latents; sigma2 the noise; "usual" is sigma2 = 1, which most code starts from.
Main       compute.
Reference  theory 1.3-3.8 and 5.4; Lucas et al. 2019, Figures 1 and 2.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from reports import analysis, panels
from reports.caveats import NOT_SHOWN, off_scale
from reports.listing import interrupted
from reports.numerals import as_threshold
from verify.arrays import Array
from verify.data.covariance import Covariance
from verify.errors import InputError
from verify.landscape import likelihood_curves as curves
from verify.landscape.slices import Slice
from verify.landscape.stability import recommended_noise

Document = dict[str, Any]
Progress = Callable[[str], None]

USUAL_NOISE = 1.0
# The latent dimension whose noise judges all others in Figure 2, and the last one that it shows.
REFERENCE_K, LARGEST_K = 50, 300
# Up to so many k each is drawn, beyond it so many of them.
EVERY_K, CURVE_POINTS = 64, 48
TOP = 8
NOISES = 161


def compute(
    covariance: Covariance, k: int, name: str, say: Progress = lambda stage: None
) -> tuple[Document, list[Slice]]:
    """All numbers of the report, and the slices of Figure 1."""
    lam = covariance.eigenvalues
    say("stability")
    stability = analysis.stability(covariance, k, sigma2s=[USUAL_NOISE], grid=noises(covariance, k))
    usual = next(row for row in stability["noise"] if row["sigma2"] == USUAL_NOISE)
    tables, missing = _stationary_tables(covariance, k, say)
    say("landscape slices")
    figure1, slices = _figure1(covariance, k)
    say("likelihood over k")
    document = {
        "schema": 1,
        "name": name,
        **{field: stability[field] for field in ("n", "k", "N", "rank")},
        "usual": usual,
        "stability": stability,
        "stationary": tables,
        "notes": [*off_scale(stability), *stability["notes"], *missing],
        "resolution": stability["resolution"],
        "figure1": figure1,
        "figure2": _figure2(lam, k),
    }
    return document, list(slices)


def noises(covariance: Covariance, k: int) -> list[float]:
    """The noises to tabulate: a fine grid over all that the pictures show, the usual one and the recommended one."""
    lam, recommended = covariance.eigenvalues, recommended_noise(covariance.spectrum, k)
    low, high = panels.window(lam, recommended)
    special = {USUAL_NOISE} if recommended is None else {USUAL_NOISE, recommended}
    return sorted({*np.geomspace(low, high, NOISES).tolist(), *special})


def _stationary_tables(covariance: Covariance, k: int, say: Progress) -> tuple[list[Document], list[str]]:
    """The best stationary points of both objectives, at a telling and at learned noise; and why one is missing."""
    fixed = _telling_noise(covariance, k)
    learnable = k < covariance.rank or covariance.rank == covariance.n
    tables, notes = [], []
    for objective in ("ppca", "elbo"):
        for sigma2 in (fixed, None) if learnable else (fixed,):
            at = f"{objective}, {'learned noise' if sigma2 is None else f'sigma2 = {as_threshold(sigma2)}'}"
            say(f"stationary points, {at}")
            try:
                found, _ = analysis.stationary(covariance, k, sigma2=sigma2, objective=objective, top=TOP)
            except InputError as error:  # spectra of too many decades; all else can still be said
                notes.append(f"{NOT_SHOWN}{at}: {error}")
            else:
                if interrupted(found):
                    raise KeyboardInterrupt  # half a walk has no place on a page
                tables.append(found)
    return tables, notes


def _telling_noise(covariance: Covariance, k: int) -> float:
    """sigma2 = 1 if anything but W = 0 is stationary there, else a noise at which k latents can be retained."""
    lam = covariance.eigenvalues
    if lam[0] > USUAL_NOISE:
        return USUAL_NOISE
    recommended = recommended_noise(covariance.spectrum, k)
    return float(lam[lam > 0][-1]) / 2 if recommended is None else recommended


def _figure1(covariance: Covariance, k: int) -> tuple[Document | None, list[Slice]]:
    """The slices of Figure 1 and what the page must know of them; None where the data have one direction."""
    if covariance.n < 2:
        return None, []
    found, slices = analysis.landscape(covariance, k)
    panels = [_panel(piece, of, covariance) for piece, of in zip(slices, found["slices"], strict=True)]
    return {"directions": found["directions"], "moved_columns": found["moved_columns"], "panels": panels}, slices


def _panel(piece: Slice, of: Document, covariance: Covariance) -> Document:
    """What the page must know of a slice, beside its grid: indices from 1."""
    place = covariance.spectrum.position(piece.sigma2)
    return {
        "sigma2": piece.sigma2,
        "eigenvalue": place.above + 1 if place.level else None,
        "undecided": of["undecided"],
        "directions": [d + 1 for d in piece.directions],
        "retained": [i + 1 for i in piece.retained],
        "curvatures": list(piece.curvatures),
        "low": float(piece.values.min()),
        "high": float(piece.values.max()),
        "at_point": _at_centre(piece),
    }


def _at_centre(piece: Slice) -> float:
    grid = np.asarray(piece.values)
    return float(grid[grid.shape[0] // 2, grid.shape[1] // 2])


def latent_dimensions(rank: int, k: int) -> list[int]:
    """The k of Figure 2: 1 to min(300, rank - 1), some 50 of them, the user's and the round ones included."""
    last = min(LARGEST_K, rank - 1)
    if last <= EVERY_K:
        return list(range(1, last + 1))
    spread = np.unique(np.linspace(1, last, CURVE_POINTS).round().astype(int)).tolist()
    return sorted(x for x in {*spread, k, REFERENCE_K, 100, 200, 250} if 1 <= x <= last)


def _figure2(lam: Array, k: int) -> Document | None:
    """The curves of Figure 2 and the one that it lacks; None if no k < rank leaves two of them to compare."""
    ks = latent_dimensions(int((lam > 0).sum()), k)
    if len(ks) < 2:
        return None
    reference = REFERENCE_K if ks[-1] > REFERENCE_K else min(k, ks[-1])
    noise = float(curves.maximum_likelihood_noises(lam, [reference])[0])
    return {
        "k": ks,
        "reference_k": reference,
        "reference_sigma2": noise,
        "sigma2": curves.maximum_likelihood_noises(lam, ks).tolist(),
        "maximum_likelihood": curves.maximum_likelihood_curve(lam, ks).tolist(),
        "optimal_elbo": curves.optimal_elbo_curve(lam, ks).tolist(),
        "weights_at_reference": curves.weights_at_noise_curve(lam, ks, noise).tolist(),
        "fixed_noise": curves.fixed_noise_curve(lam, ks, noise).tolist(),
    }
