"""All eigenvalues of the Hessians in W of many problems, a batch at a time as memory allows, on a device or here.

Notation   W (B, n, k), sigma2 (B,), S (B, n, n) or (n, n), as in hessian.py.
Main       hessian_eigenvalues.

A Hessian takes (nk)^2 numbers and leaves nk: only those are kept.
"""

from typing import Any

from gpu.batches import problems
from gpu.device import in_batches, memory_budget
from gpu.eigenvalues import eigenvalues
from gpu.hessian import hessian, profile_hessian
from verify.arrays import Array, namespace

# The Hessian, and the copies that are made of it on the way: the ingredients are small beside it.
COPIES = 3


def hessian_eigenvalues(W: Array, sigma2: Array, S: Array, *, profile: bool = False) -> Array:
    """The spectra of D^2 L, or of the profile ELBO, ascending.  W (..., n, k), sigma2, S as above -> (..., nk).

    Raises InputError: shapes, or a single Hessian that does not fit into memory.
    """
    xp: Any = namespace(W, sigma2, S)
    batch = problems(W, sigma2, S)
    count, n, k = batch.W.shape
    of = profile_hessian if profile else hessian

    def some(part: slice) -> Array:
        shared = len(batch.S) == 1
        return eigenvalues(of(batch.W[part], batch.sigma2[part], batch.S[0] if shared else batch.S[part]))

    together = memory_budget(xp) // (8 * COPIES * (n * k) ** 2)
    parts = in_batches(xp, some, count, together, "Hessian")
    return (xp.concatenate(parts) if parts else xp.empty((0, n * k))).reshape(*batch.lead, n * k)
