"""Planes through the landscape of the likelihood: W + a X + b Y.

Notation   W, X, Y (n, k); S (n, n); a (G,), b (H,) the coordinates; sigma2 > 0.
Main       plane, zero_column_slice (Figure 1) -> Slice, zero_column_curvature.
Reference  Lucas et al. 2019, Figure 1; theory 1.3, 1.6.

L depends on W through M = W^T W + sigma2 I and T = W^T S W alone, both quadratic in (a, b), so that a grid costs one
k x k factorisation a point, whatever n.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import log, pi

import numpy as np

from verify.arrays import Array, namespace, transpose
from verify.eigenvalues import Eigenvalues
from verify.landscape.noise import Noise, given
from verify.models.ppca import trace

CHUNK = 4096


def _quadratic(form: Array, W: Array, X: Array, Y: Array) -> list[Array]:
    """The coefficients of 1, a, b, a^2, a b, b^2 in (W + aX + bY)^T form (W + aX + bY), each (k, k)."""

    def pair(P: Array, Q: Array) -> Array:
        product = transpose(P) @ form @ Q
        return product + transpose(product)

    return [pair(W, W) / 2, pair(W, X), pair(W, Y), pair(X, X) / 2, pair(X, Y), pair(Y, Y) / 2]


def plane(W: Array, X: Array, Y: Array, a: Array, b: Array, sigma2: float, S: Array) -> Array:
    """L(W + a X + b Y) on the grid a x b (Eq. 5).  W, X, Y (n, k), a (G,), b (H,), S (n, n) -> (G, H)."""
    xp = namespace(W, S)
    n, k = W.shape
    identity = xp.eye(n, dtype=W.dtype)
    of_M, of_T = _quadratic(identity, W, X, Y), _quadratic(S, W, X, Y)
    A, B = (g.ravel()[:, None, None] for g in xp.meshgrid(a, b, indexing="ij"))
    total = trace(S)
    values = []
    for start in range(0, len(A), CHUNK):
        u, v = A[start : start + CHUNK], B[start : start + CHUNK]
        powers = [xp.ones_like(u), u, v, u * u, u * v, v * v]
        M = sum(p * c for p, c in zip(powers, of_M, strict=True)) + sigma2 * xp.eye(k, dtype=W.dtype)
        T = sum(p * c for p, c in zip(powers, of_T, strict=True))
        residual = (total - trace(xp.linalg.solve(M, T))) / sigma2
        values.append(-0.5 * (n * log(2 * pi) + xp.linalg.slogdet(M)[1] + (n - k) * log(sigma2) + residual))
    return xp.concatenate(values).reshape(len(a), len(b))


@dataclass(frozen=True)
class Slice:
    """L around a point with zero columns: values (G, G) over a x b, and the curvature along each direction.

    A curvature is 0 where the point is flat to second order: towards a retained eigenvector (gauge), at a tie with the
    noise, and towards the `undecided` directions, of which rounding cannot tell the sign.
    """

    sigma2: float
    directions: tuple[int, int]
    retained: tuple[int, ...]
    a: Array
    b: Array
    values: Array
    curvatures: tuple[float, float]
    undecided: tuple[int, ...] = ()

    @property
    def unstable(self) -> int:
        """In how many of the two directions the point is surely unstable."""
        return sum(c > 0 for c in self.curvatures)


def zero_column_curvature(spectrum: Eigenvalues, noise: Noise, j: int, retained: tuple[int, ...]) -> float:
    """The second derivative of L as a zero column moves towards u_j (theory 1.3, rows 4 and 5).

    (lam_j - sigma2)/sigma2^2 towards a discarded u_j. Towards a retained one 0, however many columns move: C has the
    eigenvalue lam_j + x^2 there, and -1/2 [log(lam_j + x^2) + lam_j/(lam_j + x^2)] falls as -x^4/(4 lam_j^2).
    """
    return 0.0 if j in retained else float(noise.over(spectrum)[j] / noise.sigma2 / noise.sigma2)


def zero_column_slice(
    lam: Array | Eigenvalues,
    sigma2: float,
    directions: tuple[int, int],
    retained: int,
    grid: int = 101,
    extent: float | None = None,
    columns: int = 2,
    on_plane: Callable[..., Array] = plane,
) -> Slice:
    """Figure 1: W holds the first `retained` principal axes and zero columns; two are moved along two eigenvectors.

    lam (n,) descending; directions are two eigen-indices from 0. With columns = 1 both move the same zero column.
    Works in the eigenbasis with the rows that move; the others add a constant. extent: half-width of the square.
    on_plane: what computes the grid in place of `plane`, with its arguments and its result, all on the host.
    """
    spectrum = Eigenvalues.of(lam)
    noise, lam = given(spectrum, sigma2), spectrum.values
    i, j = directions
    first = list(range(min(retained, noise.position.above)))
    moved = [a for a in first if a in directions]
    rows = [*moved, *(d for d in directions if d not in first)]
    small, held = lam[rows], len(moved)
    W = np.zeros((len(rows), held + columns))
    W[range(held), range(held)] = np.sqrt(noise.over(spectrum)[moved])
    X, Y = np.zeros_like(W), np.zeros_like(W)
    X[rows.index(i), held] = 1.0
    Y[rows.index(j), held + columns - 1] = 1.0
    if extent is None:
        extent = 1.6 * float(np.sqrt(max(lam[i] - sigma2, lam[j] - sigma2, 0.25 * max(lam[i], lam[j]))))
    axis = np.linspace(-extent, extent, grid)
    # A retained axis that nothing moves along adds -1/2 [log(2 pi lam) + 1]; as part of the plane its lam/sigma2
    # would enter and leave again, and take with it the digits of what is smaller.
    still = lam[[a for a in first if a not in directions]]
    rest = np.delete(lam, [*first, *rows])
    constant = -0.5 * (float(np.log(2 * pi * still).sum()) + still.size)
    constant += -0.5 * (rest.size * log(2 * pi * sigma2) + float(rest.sum()) / sigma2)
    values = on_plane(W, X, Y, axis, axis, sigma2, np.diag(small)) + constant
    along, across = (zero_column_curvature(spectrum, noise, d, tuple(first)) for d in directions)
    at = noise.position
    undecided = tuple(d for d in directions if at.undecided and at.above <= d < at.above + at.level)
    return Slice(sigma2, (i, j), tuple(first), axis, axis, values, (along, across), undecided)
