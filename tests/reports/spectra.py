"""Covariances whose eigenvalues are known in advance, with errors and sampling errors as data have them.

Main       measured.
"""

from dataclasses import dataclass

import numpy as np

from verify.data.covariance import Covariance
from verify.data.decomposition.bases import Axes
from verify.eigenvalues import Eigenvalues


@dataclass(frozen=True, eq=False)
class _Measured(Covariance):
    """As if its rows had been read again for their sampling errors."""

    sampling: float = np.nan

    def standard_errors(self, m):
        return np.full(m, self.sampling)


def measured(*values: float, error: float = 1e-14, N: int = 100_000, sampling: float | None = 1e-3) -> Covariance:
    """As of N data: each eigenvalue within `error`, with the sampling error `sampling` (None: not known)."""
    lam = np.array(values)
    spectrum = Eigenvalues.measured(lam, np.full(lam.size, error))
    spread = np.nan if sampling is None else sampling
    facts = {"name": "made up", "notes": ["a note of the data"]}
    return _Measured(np.zeros(lam.size), spectrum, Axes(lam.size), N, facts, sampling=spread)
