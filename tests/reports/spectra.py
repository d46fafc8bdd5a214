"""Covariances whose eigenvalues are known in advance, with errors and sampling errors as data have them.

Main       measured.
"""

import numpy as np

from verify.data.covariance import Covariance
from verify.eigenvalues import Eigenvalues


def measured(*values: float, error: float = 1e-14, N: int = 100_000, sampling: float | None = 1e-3) -> Covariance:
    """As of N data: each eigenvalue within `error`, with the sampling error `sampling` (None: not known)."""
    lam = np.array(values)
    spectrum = Eigenvalues.measured(lam, np.full(lam.size, error))
    spread = np.nan if sampling is None else sampling
    facts = {"name": "made up", "notes": ["a note of the data"]}
    n = lam.size
    return Covariance(np.zeros(n), spectrum, np.eye(n), N, facts, lambda m: np.full(m, spread))
