"""Dense Hessians in W of the likelihood and of the profile ELBO, for batches of problems, entry by entry.

Notation   W (..., n, k), sigma2 a number or (...), S (n, n) or (..., n, n), symmetric; coordinates W.reshape(-1);
           M = W^T W + sigma2 I, P = C^-1 W, G = dL/dW, T = P^T S P, K = C^-1 S C^-1, E = diag(M), Z = W E^-1.
Main       hessian, profile_hessian; ingredients, assembled.
Reference  verify/models: the operators X -> D^2 L [X], D^2 P [X] that are rewritten here.

In D^2 L [X] = C^-1 (S dP - X - X P^T R - W X^T G) with dP = (X - P (X^T W + W^T X)) M^-1 insert
C^-1 S (I - P W^T) = sigma2 K, C^-1 S P = G + P and I + P^T R = T + sigma2 M^-1; every term is then X or X^T between
two matrices:

    D^2 L [X] = sigma2 (K - C^-1) X M^-1 - C^-1 X T - G X^T P - P X^T G - P X^T P.

The gap subtracts X (E^-1 - M^-1) + P X^T P + P W^T X M^-1 - W diag(2 W^T X) E^-2, with P W^T = I - sigma2 C^-1. A X B
has the entries A_ij B_ab at (ia, jb), and A X^T B those of A_ib B_ja. So an entry costs a few products, whatever n,
and writing the result down is what takes the time.
"""

from typing import Any, NamedTuple

import numpy as np

from gpu.batches import SHARED_LIMIT, Batch, problems
from gpu.kernels import kernel
from verify.arrays import Array, namespace, transpose
from verify.models.linear_vae import diagonal
from verify.models.ppca import symmetrised

# Threads of a block, and how many i each thread goes through (kernels/hessian.cu).
THREADS, ROWS = 256, 8
INGREDIENT_THREADS = 128
# Of one problem in one kernel: a warp for so many columns, and few of them, so that many problems are under way.
COLUMNS, MOST_WARPS = 64, 4
# Blocks that keep a device busy: where there are fewer problems, several blocks share out the rows of one.
BLOCKS = 1024
# Entries of H that are filled at a time: with two temporary arrays of this size they stay in a core's cache.
CHUNK = 1 << 15


class Ingredients(NamedTuple):
    """What an entry of H is made of.  A, precision (B, n, n); inverse, T (B, k, k); U, P, Z (B, n, k); scale (B, k)."""

    A: Array
    precision: Array
    inverse: Array
    T: Array
    U: Array
    P: Array
    Z: Array
    scale: Array


def hessian(W: Array, sigma2: Array, S: Array) -> Array:
    """The dense Hessians of L in W.  W (..., n, k), S (..., n, n) or (n, n) -> (..., nk, nk).  Raises InputError."""
    return _dense(W, sigma2, S, profile=False)


def profile_hessian(W: Array, sigma2: Array, S: Array) -> Array:
    """The dense Hessians of the profile ELBO in W.  W (..., n, k) -> (..., nk, nk).  Raises InputError."""
    return _dense(W, sigma2, S, profile=True)


def _dense(W: Array, sigma2: Array, S: Array, *, profile: bool) -> Array:
    xp = namespace(W, sigma2, S)
    batch = problems(W, sigma2, S)
    n, k = batch.W.shape[1:]
    if xp is np:
        H = assembled(ingredients(batch, profile=profile), profile=profile)
    elif _small_bytes(n, k) <= SHARED_LIMIT:
        H = _small_on_device(batch, profile=profile)
    else:
        small = _shared_bytes(n, k) <= SHARED_LIMIT
        parts = (_ingredients_on_device if small else ingredients)(batch, profile=profile)
        H = _assembled_on_device(xp, parts, profile=profile)
    return H.reshape(*batch.lead, n * k, n * k)


def ingredients(batch: Batch, *, profile: bool) -> Ingredients:
    """A = sigma2 (K - C^-1), U = G + P/2 for L; A = sigma2 K, U = G + P for the profile.  By matrix products."""
    W, sigma2, S, _ = batch
    xp = namespace(W)
    noise = sigma2[:, None, None]
    M = transpose(W) @ W + noise * xp.eye(W.shape[2])
    inverse = symmetrised(xp.linalg.inv(M))
    image, P = S @ W, W @ inverse
    of_P = image @ inverse
    R = of_P - W
    G = (R - P @ (transpose(W) @ R)) / noise
    # K = (S - P N^T - N P^T)/sigma2^2, whose terms are no larger than S.
    N = image - 0.5 * P @ symmetrised(transpose(W) @ image)
    precision = symmetrised(xp.eye(W.shape[1]) - P @ transpose(W)) / noise
    A = symmetrised(S - 2.0 * P @ transpose(N)) / noise
    T = symmetrised(transpose(P) @ of_P)
    scale = 1.0 / diagonal(M)
    if profile:
        return Ingredients(A, precision, inverse, T, G + P, P, W * scale[:, None, :], scale)
    return Ingredients(A - noise * precision, precision, inverse, T, G + 0.5 * P, P, W * scale[:, None, :], scale)


def assembled(parts: Ingredients, *, profile: bool) -> Array:
    """H_ia,jb = A_ij (M^-1)_ab - (C^-1)_ij T_ab - U_ib P_ja - P_ib U_ja, and for the profile, where a = b,
    + 2 Z_ia Z_ja - d_ij/E_a.  NumPy arrays -> (B, nk, nk).

    Problems (or, of a large one, rows i) are taken CHUNK entries at a time, along rows of length nk.
    """
    count, n, k = parts.P.shape
    H = np.empty((count, n, k, n * k))
    together = max(1, CHUNK // (n * k) ** 2)
    rows = min(n, max(1, CHUNK // (n * k * k)))
    spare = np.empty((2, min(together, count), rows, k, n * k))
    for start in range(0, count, together):
        some = Ingredients(*(part[start : start + together] for part in parts))
        # What depends on (a, j, b), written out along jb once for all i.
        of_a = [np.tile(m, n) for m in (some.inverse, some.T)]
        of_a += [np.repeat(transpose(m), k, axis=2) for m in (some.P, some.U)]
        for first in range(0, n, rows):
            block = H[start : start + together, first : first + rows]
            _fill(block, spare[:, : block.shape[0], : block.shape[1]], some, of_a, first)
            if profile:
                _add_diagonal(block, some, first)
    return H.reshape(count, n * k, n * k)


def _fill(block: Array, spare: Array, some: Ingredients, of_a: list[Array], first: int) -> None:
    """The rows i = first, ... of some problems' H, block (b, r, k, nk): four products of an i and an a part."""
    rows = slice(first, first + block.shape[1])
    n, k = some.P.shape[1:]
    of_i = [np.repeat(m[:, rows], k, axis=2) for m in (some.A, some.precision)]
    of_i += [np.tile(m[:, rows], n) for m in (some.U, some.P)]

    def multiply(term: int, out: Array) -> None:
        np.multiply(of_i[term][:, :, None, :], of_a[term][:, None, :, :], out=out)

    one, two = spare
    multiply(0, block)
    multiply(1, one)
    block -= one
    # U_ib P_ja and P_ib U_ja change places under transposition: their sum first, and H is symmetric to the last bit.
    multiply(2, one)
    multiply(3, two)
    one += two
    block -= one


def _add_diagonal(block: Array, some: Ingredients, first: int) -> None:
    """The profile's terms where a = b: 2 Z_ia Z_ja - d_ij/E_a."""
    n, k = some.P.shape[1:]
    here = np.arange(block.shape[1])
    same = np.einsum("birjr->bijr", block.reshape(*block.shape[:3], n, k))  # a view
    same += 2.0 * some.Z[:, first + here, None, :] * some.Z[:, None, :, :]
    same[:, here, first + here] -= some.scale[:, None, :]


def _shared_bytes(n: int, k: int) -> int:
    return 8 * (5 * n * k + 3 * k * k + k)


def _small_bytes(n: int, k: int) -> int:
    return _shared_bytes(n, k) + 16 * n * n


def _small_on_device(batch: Batch, *, profile: bool) -> Array:
    W, sigma2, S, _ = batch
    xp = namespace(W)
    count, n, k = W.shape
    H = xp.empty((count, n * k, n * k))
    if count:
        rows = -(-n // min(n, -(-BLOCKS // count)))
        sizes = (np.int32(n), np.int32(k), np.int32(rows), np.int32(profile))
        args = (W, sigma2, S, np.int64(batch.covariance_stride), H, *sizes)
        threads = 32 * min(MOST_WARPS, -(-n * k // COLUMNS))
        run = kernel("hessian", "hessian_of_small", xp)
        run((count, -(-n // rows)), (threads,), args, shared_mem=_small_bytes(n, k))
    return H


def _ingredients_on_device(batch: Batch, *, profile: bool) -> Ingredients:
    W, sigma2, S, _ = batch
    xp = namespace(W)
    count, n, k = W.shape
    shapes = [(n, n), (n, n), (k, k), (k, k), (n, k), (n, k), (n, k), (k,)]
    parts = Ingredients(*(xp.empty((count, *shape)) for shape in shapes))
    if count:
        sizes = (np.int32(n), np.int32(k), np.int32(profile))
        args = (W, sigma2, S, np.int64(batch.covariance_stride), *parts, *sizes)
        run = kernel("hessian", "hessian_ingredients", xp)
        run((count,), (INGREDIENT_THREADS,), args, shared_mem=_shared_bytes(n, k))
    return parts


def _assembled_on_device(xp: Any, parts: Ingredients, *, profile: bool) -> Array:
    count, n, k = parts.P.shape
    H = xp.empty((count, n * k, n * k))
    if count:
        grid = (-(-count * n * k // THREADS), -(-n // ROWS))
        sizes = (np.int64(count), np.int32(n), np.int32(k), np.int32(ROWS), np.int32(profile))
        args = (*(xp.ascontiguousarray(part) for part in parts), H, *sizes)
        kernel("hessian", "hessian_assemble", xp)(grid, (THREADS,), args)
    return H
