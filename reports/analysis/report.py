"""From a covariance to the document of `report`, report.json, and the slices of report.npz.

Notation   lam_j eigenvalues of S; k latents; sigma2 the noise; beta the weight of the KL; "told" are the noises
           that the report tells of: those that were named, else the usual one, sigma2 = 1, which most code starts from.
Main       report; compute, its numbers without the data, the ledger and the audit.
Reference  theory 1.3-3.8 and 5.4; Lucas et al. 2019, Figures 1 and 2; reports/schema/report.json.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import verify
from proofs.machinery import ledger as proofs_ledger
from proofs.machinery.reading import read as read_ledger
from reports.analysis.figure_2 import figure_2
from reports.analysis.landscape import landscape
from reports.analysis.portrait import portrait
from reports.analysis.walk import walking
from reports.audit.document import audit_document
from reports.pages.noises import window
from reports.terminal.dates import build_date
from verify.analysis.scales import latents_of
from verify.analysis.stability import USUAL_NOISE, learned_noise, stability
from verify.analysis.stationary import stationary
from verify.arrays import Array
from verify.checks import positive_noise
from verify.data.covariance import Covariance
from verify.errors import InputError
from verify.landscape.slices import Slice
from verify.landscape.stability import recommended_noise
from verify.landscape.weighted import PLAIN, effective_noise, usable_weight
from verify.words.caveats import NO_WEIGHT, NOT_SHOWN, off_scale
from verify.words.lists import interrupted
from verify.words.numerals import as_threshold
from verify.words.wording import told_of

Document = dict[str, Any]
Progress = Callable[[str], None]
TOP = 8
NOISES = 161


def report(
    covariance: Covariance,
    *,
    k: int,
    name: str,
    ledger: Path | None = None,
    seed: int = 0,
    command: str = "",
    progress: Progress | None = None,
    sigma2s: Sequence[float] | None = None,
    beta: float = PLAIN,
    certify: bool = False,
) -> tuple[Document, dict[str, Array]]:
    """The whole document and the arrays of report.npz.  InputError: k, a noise, beta, a ledger that is none.

    sigma2s: the noises that verdict, tables and pictures tell of, in place of the usual one. certify: of its numbers it
    is told which are proved.
    Arrays: a, b, values of the slices, a slice each; named portrait_..., those of the portrait, where there is one.
    """
    say = progress or (lambda stage: None)
    k = latents_of(covariance, k)
    proofs = None if ledger is None else read_ledger(Path(ledger))
    told = list(dict.fromkeys(positive_noise(s) for s in sigma2s or ()))
    document, slices = compute(covariance, k, _printable(name), say, told, usable_weight(beta), certify)
    say("the data")
    document["portrait"], arrays = _portrait(covariance, document)
    arrays |= {name: np.array([getattr(s, name) for s in slices]) for name in ("a", "b", "values")}
    document["ledger"] = proofs
    document["notes"] += [] if proofs is None else proofs["notes"]
    say("the printed tables")
    document["audit"] = audit_document(figures=False)
    document["provenance"] = provenance(covariance.provenance, seed, command)
    return document, arrays


def _portrait(covariance: Covariance, document: Document) -> tuple[Document | None, dict[str, Array]]:
    """What the data look like, at the noises told of and the recommended one; None where no rows can be read again."""
    facts = document["stability"]
    noises, recommended = [row["sigma2"] for row in told_of(document)], facts["recommended_sigma2"]
    noises += [] if recommended is None or recommended in noises else [recommended]
    found = portrait(covariance, document["k"], noises, facts["beta"])
    if found is None:
        return None, {}
    document, arrays = found
    return document, {f"portrait_{name}": array for name, array in arrays.items()}


def compute(
    covariance: Covariance,
    k: int,
    name: str,
    say: Progress = lambda stage: None,
    named: Sequence[float] = (),
    beta: float = PLAIN,
    certify: bool = False,
) -> tuple[Document, list[Slice]]:
    """All numbers of the report, and the slices of Figure 1; named: the noises to tell of, if not of the usual one."""
    told = list(named) or [USUAL_NOISE]
    say("stability")
    facts = stability(covariance, k, told, grid=noises(covariance, k, told, beta), beta=beta, certify=certify)
    rows = [next(row for row in facts["noise"] if row["sigma2"] == s) for s in told]
    at = told if named else [_telling_noise(covariance, k, beta)]
    tables, missing = _stationary_tables(covariance, k, at, beta, say, certify)
    say("landscape slices")
    figure1, slices = _figure1(covariance, k, beta)
    say("likelihood over k")
    missing += [] if beta == PLAIN else [f"{NOT_SHOWN}tables of the likelihood, and Figure 2: {NO_WEIGHT}"]
    document = {
        "schema": 1,
        "name": name,
        **{field: facts[field] for field in ("n", "k", "N", "rank")},
        "beta": beta,
        "usual": rows[0],
        "named": rows if named else [],
        "stability": facts,
        "stationary": tables,
        "notes": list(dict.fromkeys([*off_scale(facts, rows), *facts["notes"], *missing])),
        "read": facts["read"],
        "resolution": facts["resolution"],
        "figure1": figure1,
        "figure2": figure_2(covariance.eigenvalues, k) if beta == PLAIN else None,
    }
    return document, list(slices)


def noises(covariance: Covariance, k: int, told: Sequence[float], beta: float = PLAIN) -> list[float]:
    """What to tabulate: a fine grid over all that the pictures show, the noises told of, the recommended, the best."""
    recommended = recommended_noise(covariance.spectrum, k, beta)
    highest = None if beta == PLAIN else learned_noise(covariance.eigenvalues, k, beta)
    low, high = window(covariance.eigenvalues / beta, recommended, told, highest)
    special = [s for s in (recommended, highest) if s is not None and low <= s <= high]
    return sorted({*np.geomspace(low, high, NOISES).tolist(), *told, *special})


def _stationary_tables(
    covariance: Covariance, k: int, at: Sequence[float], beta: float, say: Progress, certify: bool
) -> tuple[list[Document], list[str]]:
    """The best stationary points of both objectives, at some and at learned noise; and why one is missing.

    With another beta than 1, of the weighted ELBO at fixed noise alone.
    """
    learnable = beta == PLAIN and (k < covariance.rank or covariance.rank == covariance.n)
    tables, notes = [], []
    for objective in ("ppca", "elbo") if beta == PLAIN else ("elbo",):
        for sigma2 in (*at, None) if learnable else at:
            what = f"{objective}, {'learned noise' if sigma2 is None else f'sigma2 = {as_threshold(sigma2)}'}"
            say(f"stationary points, {what}")
            try:
                asked = {"sigma2": sigma2, "objective": objective, "top": TOP, "beta": beta, "certify": certify}
                found, _ = stationary(covariance, k, **asked, walk=walking())
            except InputError as error:  # spectra of too many decades; all else can still be said
                notes.append(f"{NOT_SHOWN}{what}: {error}")
            else:
                if interrupted(found):
                    raise KeyboardInterrupt  # half a walk has no place on a page
                tables.append(found)
    return tables, notes


def _telling_noise(covariance: Covariance, k: int, beta: float) -> float:
    """sigma2 = 1 if anything but W = 0 is stationary there, else a noise at which k latents can be retained."""
    lam = covariance.eigenvalues
    if lam[0] > effective_noise(USUAL_NOISE, beta):
        return USUAL_NOISE
    recommended = recommended_noise(covariance.spectrum, k, beta)
    return float(lam[lam > 0][-1]) / 2 / beta if recommended is None else recommended


def _figure1(covariance: Covariance, k: int, beta: float) -> tuple[Document | None, list[Slice]]:
    """The slices of Figure 1 and what the page must know of them; None where the data have one direction."""
    if covariance.n < 2:
        return None, []
    # All of one size, so that they can be compared.
    largest = max(float(piece.a[-1]) for piece in landscape(covariance, k, grid=3, beta=beta)[1])
    found, slices = landscape(covariance, k, extent=largest, beta=beta)
    panels = [_panel(piece, of, covariance, beta) for piece, of in zip(slices, found["slices"], strict=True)]
    return {"directions": found["directions"], "moved_columns": found["moved_columns"], "panels": panels}, slices


def _panel(piece: Slice, of: Document, covariance: Covariance, beta: float) -> Document:
    """What the page must know of a slice, beside its grid: indices from 1."""
    place = covariance.spectrum.position(effective_noise(piece.sigma2, beta))
    return {
        "sigma2": float(piece.sigma2),
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


def provenance(data: Document, seed: int, command: str) -> Document:
    """Where the numbers come from: the input, versions, seed, device, command and date.  data: a provenance."""
    found = {
        "data": data,
        "environment": proofs_ledger.environment(device="CPU", **{"elbo-verify": verify.__version__}),
        "seed": seed,
        "command": command,
        "date": build_date(),
    }
    return _printable(found)


def _printable(value: Any) -> Any:
    """Text (also within lists and dicts) with what is no text, from a foreign file system say, replaced by "?"."""
    if isinstance(value, dict):
        return {name: _printable(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_printable(inner) for inner in value]
    return value.encode("utf-8", errors="replace").decode() if isinstance(value, str) else value
