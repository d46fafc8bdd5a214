"""Batches of problems as the kernels take them: contiguous, float64, one leading axis, shapes checked.

Notation   W (..., n, k); sigma2 a number or (...); S (n, n) shared by all, or (..., n, n).
Main       Batch, problems, contiguous, SHARED_LIMIT.

A kernel believes the sizes that it is told, so that a wrong shape would read somebody else's memory: they are checked
here, once.
"""

from math import prod
from typing import Any, NamedTuple

from verify.arrays import Array, namespace
from verify.errors import InputError

# Bytes of shared memory that a block may use without asking the driver for more.
SHARED_LIMIT = 48 * 1024


class Batch(NamedTuple):
    """W (B, n, k), sigma2 (B,), S (B, n, n) or (1, n, n) if shared; `lead` are the leading axes that became B."""

    W: Array
    sigma2: Array
    S: Array
    lead: tuple[int, ...]

    @property
    def covariance_stride(self) -> int:
        """How many entries lie between the covariances of neighbouring problems; 0 where they share one."""
        n = self.W.shape[1]
        return 0 if len(self.S) == 1 else n * n


def contiguous(xp: Any, a: Array, shape: tuple[int, ...], name: str) -> Array:
    """`a` as a contiguous float64 array of this shape.  Raises InputError for another shape."""
    a = xp.asarray(a, dtype=xp.float64)
    if tuple(a.shape) != shape:
        raise InputError(f"{name} has the shape {tuple(a.shape)}, not {shape}: give one per problem of the batch")
    return xp.ascontiguousarray(a)


def problems(W: Array, sigma2: Array, S: Array) -> Batch:
    """A batch of B = prod(...) problems, B = 0 included.  W (..., n, k), sigma2, S as above.  Raises InputError."""
    xp = namespace(W, sigma2, S)
    if W.ndim < 2 or 0 in W.shape[-2:]:
        raise InputError(f"W has the shape {tuple(W.shape)}: give matrices (..., n, k) with n and k at least 1")
    *lead, n, k = W.shape
    count = prod(lead)
    noise = xp.asarray(sigma2, dtype=xp.float64)
    if noise.ndim:
        noise = contiguous(xp, noise, tuple(lead), "sigma2")
    noise = xp.ascontiguousarray(xp.broadcast_to(noise.reshape(-1), (count,)))
    shared = S.ndim == 2
    covariance = contiguous(xp, S, (n, n) if shared else (*lead, n, n), "S")
    W = contiguous(xp, W, (*lead, n, k), "W").reshape(count, n, k)
    return Batch(W, noise, covariance.reshape(1 if shared else count, n, n), tuple(lead))
