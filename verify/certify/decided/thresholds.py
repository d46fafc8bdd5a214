"""All eigenvalues of the covariance of rows, each with a radius that is proved.

Notation   S = unit (A + E), |E|_2 <= radius, the enclosure of a subject; lam_j the eigenvalues of S, descending.
Main       thresholds -> Thresholds.
Reference  docs/mathematics.md, 13.1. The eigenvectors are LAPACK's, and what they prove the checker says.
"""

from dataclasses import dataclass

import numpy as np

from verify.arrays import Array
from verify.certify.checker.counts import leading
from verify.certify.checker.rounding import SAFE
from verify.certify.checker.subject import Subject
from verify.certify.propose.counts import decomposed


@dataclass(frozen=True, eq=False)
class Thresholds:
    """values (n,), descending, radii (n,): lam_j of S lies within radii_j of values_j, in exact arithmetic."""

    values: Array
    radii: Array


def thresholds(subject: Subject) -> Thresholds:
    """Those of rows.  Radii are infinite where nothing is known."""
    enclosure = subject.enclosure
    assert enclosure is not None
    found = leading(enclosure.mid, decomposed(subject)[1], -np.inf)
    theta, radii = found or (np.zeros(subject.n), np.full(subject.n, np.inf))
    unit = float(enclosure.unit)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        values = theta * unit
        # Rounding the unit, the product and this sum takes less than 4 u of the value.
        radii = ((radii + enclosure.radius) * unit + np.abs(values) * 2.0**-51) * SAFE + 2e-323
    good = np.isfinite(values) & np.isfinite(radii) & (2.0**-1000 < unit < 2.0**1000)
    return Thresholds(np.where(good, values, 0.0), np.where(good, radii, np.inf))
