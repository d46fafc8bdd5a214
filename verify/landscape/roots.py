"""Stationary points found blindly: root-finding on a gradient from many starts at once.

Notation   W (B, n, k), a batch of starts; g (B, n, k) and H (B, nk, nk), gradient and Hessian of an objective.
Main       find_roots -> Roots.
Reference  Levenberg (1944), Marquardt (1963), with damping proportional to |g|, which keeps quadratic convergence to
           the manifolds of roots that a gauge makes (Yamashita & Fukushima 2001).

The search knows nothing of the closed forms; it is what they are tested against. A run ends as `converged` (|g| at
rounding), as `diverged` (W has left for infinity, where the gradient vanishes too) or as `stalled`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from verify.arrays import Array

CONVERGED, DIVERGED, STALLED = "converged", "diverged", "stalled"


@dataclass(frozen=True)
class Roots:
    """W (B, n, k) where each run ended, |g| there (B,), and how it ended (B,)."""

    W: Array
    residual: Array
    status: Array

    def count(self, status: str) -> int:
        """How many runs ended so."""
        return int((self.status == status).sum())


def _norms(g: Array) -> Array:
    return np.sqrt((g * g).sum(axis=(-2, -1)))


def _steps(g: Array, H: Array, damping: Array, longest: Array) -> Array:
    """-(H^2 + damping I)^-1 H g, the damped Gauss-Newton step for |g|^2 / 2, shortened to `longest` (B,).

    Long steps would throw most starts towards infinity.
    """
    flat = g.reshape(*H.shape[:2], 1)
    normal = H @ H
    # At least a few eps of its trace, or the gauge would leave the matrix singular.
    damping = np.maximum(damping, 1e-15 * np.einsum("bii->b", normal))
    steps = -np.linalg.solve(normal + damping[:, None, None] * np.eye(flat.shape[1]), H @ flat).reshape(g.shape)
    length = _norms(steps)
    return steps * (longest / np.maximum(length, longest))[:, None, None]


def find_roots(
    gradient: Callable[[Array], Array],
    hessian: Callable[[Array], Array],
    W: Array,
    *,
    tolerance: float = 1e-11,
    horizon: float = 1e3,
    iterations: int = 400,
) -> Roots:
    """Levenberg-Marquardt on |g|^2 / 2 from every start at once.  W (B, n, k) -> Roots.

    The problem should be scaled to order one: tolerance bounds |g|, horizon bounds |W|.
    """
    W = W.copy()
    g = gradient(W)
    damping = np.ones(len(W))
    active = np.arange(len(W))
    for _ in range(iterations):
        size = _norms(g[active])
        active = active[(size > tolerance) & (_norms(W[active]) < horizon)]
        if not active.size:
            break
        here, at = g[active], W[active]
        size = _norms(here)
        longest = 0.5 * np.maximum(_norms(at), 1.0)
        trial = at + _steps(here, hessian(at), damping[active] * np.minimum(size, 1.0), longest)
        there = gradient(trial)
        better = _norms(there) < size
        W[active[better]], g[active[better]] = trial[better], there[better]
        damping[active] = np.clip(np.where(better, damping[active] / 4, damping[active] * 4), 1e-14, 1e14)
    residual = _norms(g)
    status = np.where(_norms(W) >= horizon, DIVERGED, np.where(residual <= tolerance, CONVERGED, STALLED))
    return Roots(W, residual, status)
