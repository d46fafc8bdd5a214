"""The problems that all contenders solve: made here from a seed, so that every process has the same bits.

Notation   S (n, n) with the eigenvalues lam (n,), descending, and eigenvectors U (n, n); W (n, k); sigma2.
Main       stationary_problem, anywhere_problem, spectrum_of.
"""

from typing import Any, NamedTuple

import numpy as np

from verify.landscape.points import Block, Point, ordered, weights

# Latents that a stationary point leaves unused unless told otherwise, so that its spectrum has every part there is.
UNUSED = 3


class Problem(NamedTuple):
    """A covariance and a place to look at."""

    S: Any
    lam: Any
    U: Any
    sigma2: float
    W: Any
    point: Point | None


def _covariance(n: int, seed: int) -> tuple[Any, Any, Any]:
    """S of 2n data whose directions differ in scale, as images do."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((2 * n, n)) * rng.exponential(size=n)
    S = X.T @ X / len(X)
    S = 0.5 * (S + S.T)
    lam, U = np.linalg.eigh(S)
    return S, lam[::-1].copy(), np.ascontiguousarray(U[:, ::-1])


def stationary_problem(setup: dict[str, Any]) -> Problem:
    """A stationary point of L: the leading k - unused eigenvectors retained, the noise below lam_k."""
    n, k, unused = setup["n"], setup["k"], setup.get("unused", UNUSED)
    S, lam, U = _covariance(n, setup.get("seed", 0))
    sigma2 = float(0.5 * (lam[k] + lam[k + 1]))
    point = Point("ppca", ordered([Block((i,)) for i in range(k - unused)], k), sigma2, 0.0)
    return Problem(S, lam, U, sigma2, weights(point, lam, U), point)


def anywhere_problem(setup: dict[str, Any]) -> Problem:
    """Any W, where nothing is diagonal."""
    n, k = setup["n"], setup["k"]
    S, lam, U = _covariance(n, setup.get("seed", 0))
    W = np.random.default_rng(setup.get("seed", 0) + 1).standard_normal((n, k))
    return Problem(S, lam, U, float(lam[k]), W, None)


def spectrum_of(setup: dict[str, Any]) -> Any:
    """Eigenvalues (n,), descending, of a bare spectrum."""
    return np.sort(np.random.default_rng(setup.get("seed", 0)).exponential(size=setup["n"]))[::-1].copy()


def relative_error(ours: Any, theirs: Any) -> float:
    """The largest deviation as a share of the largest entry; infinite where shapes or NaN differ."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    if ours.shape != theirs.shape or not np.isfinite(theirs).all():
        return float("inf")
    return float(np.abs(ours - theirs).max() / np.abs(ours).max())
