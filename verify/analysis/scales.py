"""Which numbers can be worked with, and what every document says of its data.

Notation   lam (n,) descending eigenvalues; sigma2 a noise; beta the weight of the KL.
Main       workable, compared, latents_of, known_of.
"""

from collections.abc import Iterable
from typing import Any

from verify.arrays import Array
from verify.checks import latent_dimension, positive_noise
from verify.data.covariance import Covariance
from verify.errors import InputError
from verify.landscape.weighted import LARGEST, PLAIN, SMALLEST, effective_noise, usable_weight

Document = dict[str, Any]


def workable(lam: Array, sigma2s: Iterable[float] = (), beta: float = PLAIN) -> None:
    """Raises InputError unless all positive eigenvalues and noises lie where the closed forms are exact to rounding."""
    _within([("an eigenvalue", float(x)) for x in (lam[0], lam[lam > 0][-1])])
    compared(sigma2s, beta)


def compared(sigma2s: Iterable[float] | None, beta: float = PLAIN) -> list[float]:
    """beta sigma2 of each, which eigenvalues are compared with.  Raises InputError: weight, noises, out of scale."""
    beta, noises = usable_weight(beta), [positive_noise(s) for s in sigma2s or ()]
    _within([("sigma2", s) for s in noises])
    found = [effective_noise(s, beta) for s in noises]
    _within([("beta sigma2", s) for s in found])
    return found


def _within(named: Iterable[tuple[str, float]]) -> None:
    for name, value in named:
        if not SMALLEST <= value <= LARGEST:
            raise InputError(
                f"{name} = {value:.3g} lies outside {SMALLEST:g} to {LARGEST:g}, where the closed forms can be "
                "evaluated; multiply the data by a constant"
            )


def latents_of(covariance: Covariance, k: Any) -> int:
    """k as an int, if data of so many columns can have so many latents.  Raises InputError."""
    return latent_dimension(k, covariance.n, "" if covariance.N is None else " (the columns of the data)")


def known_of(covariance: Covariance) -> Document:
    """What a document says of the data it comes from: how they were read, notes, and the error bounds of the
    eigenvalues, None: typed."""
    errors = covariance.resolution
    notes = [str(note) for note in covariance.provenance.get("notes", [])]
    read = covariance.provenance.get("read")
    return {"read": read, "notes": notes, "resolution": None if errors is None else [float(e) for e in errors]}
