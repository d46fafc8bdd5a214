"""Which numbers can be worked with, and what every document says of its data.

Notation   lam (n,) descending eigenvalues.
Main       workable, known_of.
"""

from collections.abc import Iterable
from typing import Any

from verify.arrays import Array
from verify.data.covariance import Covariance
from verify.errors import InputError

Document = dict[str, Any]
# Closed forms hold lam/sigma2^3: within these bounds nothing overflows and nothing vanishes.
SMALLEST, LARGEST = 1e-75, 1e75


def workable(lam: Array, sigma2s: Iterable[float] = ()) -> None:
    """Raises InputError unless all positive eigenvalues and noises lie where the closed forms are exact to rounding."""
    named = [("an eigenvalue", float(x)) for x in (lam[0], lam[lam > 0][-1])] + [("sigma2", s) for s in sigma2s]
    for name, value in named:
        if not SMALLEST <= value <= LARGEST:
            raise InputError(
                f"{name} = {value:.3g} lies outside {SMALLEST:g} to {LARGEST:g}, where the closed forms can be "
                "evaluated; multiply the data by a constant"
            )


def known_of(covariance: Covariance) -> Document:
    """What a document says of the data it comes from: how they were read, notes, and the error bounds of the
    eigenvalues, None: typed."""
    errors = covariance.resolution
    notes = [str(note) for note in covariance.provenance.get("notes", [])]
    read = covariance.provenance.get("read")
    return {"read": read, "notes": notes, "resolution": None if errors is None else [float(e) for e in errors]}
