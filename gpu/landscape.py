"""Planes through the landscape of the likelihood, a million points at a time, on a device or here.

Notation   W, X, Y (n, k); a (G,), b (H,) the coordinates; S (n, n), sigma2 > 0.
Main       plane.
Reference  verify/landscape/slices.py, whose `plane` this is for larger grids; theory 1.6.

L(W + aX + bY) needs M and T = W'^T S W' alone, both quadratic in (a, b); then a Cholesky factor of k x k a point. On a
device that is a thread (kernels/landscape.cu); here it is one NumPy call per entry of the factor for thousands of
points. Beyond k = LARGEST both leave it to LAPACK or cuSOLVER.
"""

from math import log, pi
from typing import Any

import numpy as np

from gpu.batches import contiguous
from gpu.kernels import kernel
from verify.arrays import Array, namespace
from verify.landscape import slices
from verify.models.ppca import trace

LARGEST = 8
THREADS, MOST_BLOCKS = 128, 1 << 16
# Points at a time. Not a power of two: the rows of one length would all fall into the same lines of the cache, which
# costs a factor of ten.
CHUNK = 2000


def plane(W: Array, X: Array, Y: Array, a: Array, b: Array, sigma2: float, S: Array) -> Array:
    """L(W + a X + b Y) on the grid a x b (Eq. 5).  W, X, Y (n, k), a (G,), b (H,), S (n, n) -> (G, H).

    NaN where rounding leaves M indefinite, which takes |W|^2 eps > sigma2.  Raises InputError (shapes).
    """
    xp = namespace(W, X, Y, a, b, S)
    n, k = W.shape
    W, X, Y = (contiguous(xp, A, (n, k), name) for A, name in ((W, "W"), (X, "X"), (Y, "Y")))
    a, b = (contiguous(xp, axis, (len(axis),), name) for axis, name in ((a, "a"), (b, "b")))
    S = contiguous(xp, S, (n, n), "S")
    sigma2 = float(sigma2)
    if k > LARGEST:
        return slices.plane(W, X, Y, a, b, sigma2, S) if len(a) * len(b) else xp.empty((len(a), len(b)))
    constant = -0.5 * (n * log(2 * pi) + (n - k) * log(sigma2))
    coefficients = _coefficients(xp, W, X, Y, sigma2, S)
    fill = _here if xp is np else _on_device
    return fill(xp, coefficients, a, b, k, constant, float(trace(S)), sigma2)


def _coefficients(xp: Any, W: Array, X: Array, Y: Array, sigma2: float, S: Array) -> Array:
    """Of 1, a, b, a^2, ab, b^2 in M and in T, lower triangles row by row.  -> (2, k(k+1)/2, 6)."""
    k = W.shape[1]
    directions = xp.concatenate([W, X, Y], axis=1)
    parts = [slice(p * k, p * k + k) for p in range(3)]
    pairs = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
    weights = xp.asarray([0.5 if p == q else 1.0 for p, q in pairs])
    i, j = np.tril_indices(k)
    triangle = xp.asarray((i * k + j).tolist())
    found = []
    for image in (directions, S @ directions):
        form = directions.T @ image
        terms = xp.concatenate([(form[parts[p], parts[q]] + form[parts[p], parts[q]].T)[None] for p, q in pairs])
        found.append(((terms.reshape(6, k * k) * weights[:, None])[:, triangle].T)[None])
    found[0][0, :, 0] += sigma2 * xp.eye(k).reshape(-1)[triangle]
    return xp.ascontiguousarray(xp.concatenate(found))


def _on_device(
    xp: Any, coefficients: Array, a: Array, b: Array, k: int, constant: float, total: float, sigma2: float
) -> Array:
    out = xp.empty((len(a), len(b)))
    points = len(a) * len(b)
    if points:
        sizes = (np.int64(points), np.int32(len(b)), np.int32(k))
        numbers = (np.float64(constant), np.float64(total), np.float64(sigma2))
        run = kernel("landscape", "plane_values_small" if k <= 4 else "plane_values_large", xp)
        run((min(-(-points // THREADS), MOST_BLOCKS),), (THREADS,), (coefficients, a, b, out, *sizes, *numbers))
    return out


def _here(
    xp: Any, coefficients: Array, a: Array, b: Array, k: int, constant: float, total: float, sigma2: float
) -> Array:
    points = len(a) * len(b)
    out = np.empty(points)
    for start in range(0, points, CHUNK):
        which = np.arange(start, min(start + CHUNK, points))
        u, v = a[which // len(b)], b[which % len(b)]
        powers = np.stack([np.ones_like(u), u, v, u * u, u * v, v * v])
        of_M, of_T = coefficients @ powers
        log_det, explained = _factored(of_M, of_T, k)
        out[start : start + CHUNK] = constant - 0.5 * (log_det + (total - explained) / sigma2)
    return out.reshape(len(a), len(b))


def _factored(F: Array, T: Array, k: int) -> tuple[Array, Array]:
    """log det M and tr(M^-1 T) = <F^-1 T, F^-1>, M = F F^T.  Packed triangles (k(k+1)/2, P) of M and T -> (P,), (P,).

    Every step is one entry of the matrices of all points; M is overwritten by F.
    """

    def at(i: int, j: int) -> int:
        return i * (i + 1) // 2 + j

    with np.errstate(invalid="ignore", divide="ignore"):  # an indefinite M becomes NaN
        log_det = np.zeros(F.shape[1])
        for i in range(k):
            for j in range(i + 1):
                entry = F[at(i, j)]
                for c in range(j):
                    entry -= F[at(i, c)] * F[at(j, c)]
                if i == j:
                    log_det += np.log(entry)
                    np.sqrt(entry, out=entry)
                else:
                    entry /= F[at(j, j)]
        explained = np.zeros_like(log_det)
        inverse = np.empty_like(F)
        for i in range(k):
            pivot = 1.0 / F[at(i, i)]
            inverse[at(i, i)] = pivot
            for j in range(i):
                inverse[at(i, j)] = -pivot * sum(F[at(i, c)] * inverse[at(c, j)] for c in range(j, i))
            for p in range(i + 1):
                sides = 0.5 * T[at(p, p)] * inverse[at(i, p)]
                for q in range(p):
                    sides += T[at(p, q)] * inverse[at(i, q)]
                explained += 2.0 * sides * inverse[at(i, p)]
    return log_det, explained
