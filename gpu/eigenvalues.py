"""All eigenvalues of batches of symmetric matrices, on a device or here.

Notation   A (..., m, m), of which the lower triangle is read; eigenvalues ascending.
Main       eigenvalues.

On a device matrices up to LARGEST are diagonalised by Jacobi rotations in shared memory, one block each
(kernels/eigenvalues.cu); larger ones go to cuSOLVER.  The NumPy twin is numpy.linalg.eigvalsh.
"""

from math import prod
from typing import Any

import numpy as np

from gpu.batches import contiguous
from gpu.kernels import kernel
from verify.arrays import Array, namespace
from verify.errors import InputError

LARGEST = 96
# Convergence is quadratic: 6 to 10 sweeps are what it takes.
MOST_SWEEPS = 30


def eigenvalues(A: Array) -> Array:
    """The eigenvalues of each symmetric A, ascending.  (..., m, m) -> (..., m), m = 0 and empty batches included.

    Errors are a few eps ||A||.  Raises InputError for a matrix that is not square.
    """
    xp = namespace(A)
    if A.ndim < 2 or A.shape[-1] != A.shape[-2]:
        raise InputError(f"A has the shape {tuple(A.shape)}: give square matrices (..., m, m)")
    if 0 in A.shape:
        return xp.empty(A.shape[:-1])
    if xp is not np and A.shape[-1] <= LARGEST:
        return _by_rotations(xp, A)
    return xp.linalg.eigvalsh(A)


def _threads(m: int) -> int:
    """A power of two near the number of 2 x 2 blocks that a round of rotations touches."""
    return 32 if m <= 16 else 128 if m <= 32 else 256


def _shared_bytes(m: int) -> int:
    size = m + m % 2
    pairs = size // 2
    return 8 * (size * (size + 1) // 2 + 2 * pairs + _threads(m)) + 4 * (2 * pairs + pairs * (pairs - 1) // 2)


def _by_rotations(xp: Any, A: Array) -> Array:
    *lead, m, _ = A.shape
    A = contiguous(xp, A, tuple(A.shape), "A")
    values = xp.empty((*lead, m))
    args = (A, values, np.int32(m), np.int32(MOST_SWEEPS))
    run = kernel("eigenvalues", "symmetric_eigenvalues", xp)
    run((prod(lead),), (_threads(m),), args, shared_mem=_shared_bytes(m))
    return values
