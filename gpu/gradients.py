"""The gradients of the linear VAE's ELBO for batches of problems, on a device or here.

Notation   W (..., n, k), V (..., k, n), D (..., k), sigma2 a number or (...), S (n, n) or (..., n, n), symmetric.
Main       gradients.
Reference  Lucas et al. 2019, Eqs. 21-23 (with W D in Eq. 23); verify/models/linear_vae.py.

On a device one block takes one problem (kernels/gradients.cu); problems too large for its shared memory, where the
matrix products are large enough by themselves, go the way of the NumPy twin.
"""

from typing import Any

import numpy as np

from gpu.batches import SHARED_LIMIT, Batch, contiguous, problems
from gpu.kernels import kernel
from verify.arrays import Array, namespace, transpose
from verify.models.linear_vae import Gradients, diagonal
from verify.models.ppca import trace

# Threads of a block: few for a small problem, so that many are under way.
THREADS, FEW, SMALL = 128, 64, 256


def gradients(W: Array, V: Array, D: Array, sigma2: Array, S: Array) -> Gradients:
    """Eqs. 21-23 and the noise, for every problem of the batch.  -> Gradients in the shapes of W, V, D and (...).

    Raises InputError for shapes that do not belong together.
    """
    xp = namespace(W, V, D, sigma2, S)
    batch = problems(W, sigma2, S)
    count, n, k = batch.W.shape
    V = contiguous(xp, V, (*batch.lead, k, n), "V").reshape(count, k, n)
    D = contiguous(xp, D, (*batch.lead, k), "D").reshape(count, k)
    rows = _staged_rows(n, k)
    found = _on_device(xp, batch, V, D, rows) if xp is not np and rows else _by_products(xp, batch, V, D)
    return Gradients(*(part.reshape(*batch.lead, *part.shape[1:]) for part in found))


def _threads(n: int, k: int) -> int:
    return FEW if n * k <= SMALL else THREADS


def _shared_bytes(n: int, k: int, rows: int) -> int:
    return 8 * (4 * n * k + 2 * k * k + rows * n + _threads(n, k))


def _staged_rows(n: int, k: int) -> int:
    """How many rows of S to stage at a time: enough to keep the threads busy; 0 where not even one fits."""
    rows = min(n, max(1, _threads(n, k) // (2 * k)))
    while rows and _shared_bytes(n, k, rows) > SHARED_LIMIT:
        rows //= 2
    return rows


def _on_device(xp: Any, batch: Batch, V: Array, D: Array, rows: int) -> Gradients:
    W, sigma2, S, _ = batch
    count, n, k = W.shape
    found = Gradients(*(xp.empty(shape) for shape in (W.shape, V.shape, D.shape, (count,))))
    if count:
        sizes = (np.int32(n), np.int32(k), np.int32(rows))
        args = (W, V, D, sigma2, S, np.int64(batch.covariance_stride), *found, *sizes)
        run = kernel("gradients", "elbo_gradients", xp)
        run((count,), (_threads(n, k),), args, shared_mem=_shared_bytes(n, k, rows))
    return found


def _by_products(xp: Any, batch: Batch, V: Array, D: Array) -> Gradients:
    """The twin: W^T and V side by side meet S in one product, a single large one where the problems share S."""
    W, sigma2, S, _ = batch
    count, n, k = W.shape
    noise = sigma2[:, None, None]
    both = xp.concatenate([transpose(W), V], axis=1)
    image = (both.reshape(-1, n) @ S[0]).reshape(count, 2 * k, n) if len(S) == 1 else both @ S
    of_W, of_V = image[:, :k], image[:, k:]
    gram, spread = transpose(W) @ W, of_V @ transpose(V)
    identity = xp.eye(k)
    norms = diagonal(gram)
    dW = (transpose(of_V) - W @ (spread + D[:, :, None] * identity)) / noise
    dV = (of_W - (gram + noise * identity) @ of_V) / noise
    dD = 0.5 * (1.0 / D - 1.0 - norms / sigma2[:, None])
    crossed = xp.sum(transpose(W) * of_V, axis=(1, 2))
    error = trace(S) - 2 * crossed + xp.sum(gram * spread, axis=(1, 2)) + xp.sum(D * norms, axis=1)
    return Gradients(dW, dV, dD, 0.5 * error / sigma2**2 - 0.5 * n / sigma2)
