"""SciPy's eigsh (ARPACK) for both ends, with the fastest product there is: ours.

Main       deflated, undeflated.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse.linalg import LinearOperator, eigsh

from benchmarks.ends import COUNT, place
from gpu.matrix_free import Gauge, HessianOperator, aligned

Run = Callable[[], dict[str, Any]]

BASIS = 40  # Lanczos vectors: with the usual 20 it takes longer
TOLERANCE = 0.0  # to rounding: with 1e-9 it converges before it has met every copy, and is wrong


def _ends(product: Callable[[Any], Any], size: int) -> dict[str, Any]:
    operator = LinearOperator((size, size), matvec=product, dtype=np.float64)
    start = np.random.default_rng(3).standard_normal(size)
    found = {
        end: eigsh(operator, COUNT, which=which, ncv=BASIS, tol=TOLERANCE, v0=start, return_eigenvectors=False)
        for end, which in (("bottom", "SA"), ("top", "LA"))
    }
    return {end: np.sort(values) for end, values in found.items()}


def deflated(setup: dict[str, Any]) -> Run:
    """The gauge is projected out and put in the middle of the spectrum, where neither end meets it."""
    lam, W, sigma2, _ = place(setup)

    def run() -> dict[str, Any]:
        U, s, _ = aligned(W)
        operator, gauge = HessianOperator(U * s, sigma2, lam, profile=False), Gauge(U, s)
        diagonal = operator.diagonal()
        middle = 0.5 * float(diagonal.max() + diagonal.min())

        def product(x: Any) -> Any:
            X = x.reshape(1, *W.shape)
            rest = gauge.project_out(X)
            return (gauge.project_out(operator(rest)) + middle * (X - rest)).reshape(-1)

        return _ends(product, W.size)

    return run


def undeflated(setup: dict[str, Any]) -> Run:
    """The Hessian as it is: the gauge's zeros are among its eigenvalues."""
    lam, W, sigma2, _ = place(setup)

    def run() -> dict[str, Any]:
        operator = HessianOperator(W, sigma2, lam, profile=False)
        return _ends(lambda x: operator(x.reshape(1, *W.shape)).reshape(-1), W.size)

    return run
