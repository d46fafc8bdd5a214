"""python-flint: definiteness by congruence in ball arithmetic.

Main       congruence.
"""

from collections.abc import Callable
from typing import Any

import flint
import numpy as np

from benchmarks.certificates import definite


def congruence(setup: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    """V^T A V in balls, V the float eigenvectors; the least of what Gershgorin's discs leave, precision 53."""
    A = definite(setup)
    n = len(A)

    def run() -> dict[str, Any]:
        V = np.linalg.eigh(A)[1]
        M, U = flint.arb_mat(n, n, A.ravel().tolist()), flint.arb_mat(n, n, V.ravel().tolist())
        C = U.transpose() * M * U
        rows = C.entries()
        discs = []
        for i in range(n):
            row = rows[i * n : (i + 1) * n]
            own = row.pop(i)
            discs.append(own - sum((abs(x) for x in row), flint.arb(0)))
        return {"definite": np.array([all((disc > 0) is True for disc in discs)])}

    return run
