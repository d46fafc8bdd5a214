"""LAPACK's routines that NumPy does not offer: one-sided Jacobi, and triangular factors in place.

Main       jacobi_values, jacobi_vectors, with_rows, upon, packed_factor, on_one_thread.
Reference  Drmac & Veselic, SIAM J. Matrix Anal. 29 (2008): dgejsv; LAPACK Users' Guide: dtpqrt, dgeqrf.

scipy.linalg takes a tenth of a second to import, and most data need none of this: it is imported where it is used.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from verify.arrays import Array
from verify.threads import one_thread

_PANEL = 32  # columns: with a few hundred rows more, what is fastest


def singular_values(A: Array) -> Array:
    """The singular values of A (m, n), descending.  -> (min(m, n),)."""
    return np.asarray(np.linalg.svd(A, compute_uv=False))


def jacobi_values(A: Array) -> Array | None:
    """The singular values of A (n, n), each relatively accurate, descending (n,); None where it did not converge."""
    sva, _, _, work, _, info = _lapack().dgejsv(A, joba=0, jobu=3, jobv=3, jobr=0, jobt=1, jobp=1)
    return None if info != 0 else np.sort(sva * (work[0] / work[1]))[::-1]


def jacobi_vectors(A: Array) -> Array | None:
    """The right singular vectors of A (n, n), as columns; None where it did not converge."""
    _, _, V, _, _, info = _lapack().dgejsv(A, joba=0, jobu=2, jobv=0, jobr=0, jobt=1, jobp=1)
    return None if info != 0 else np.asarray(V)


def with_rows(R: Array, D: Array) -> Array:
    """The triangular factor of R (n, n), upper triangular and Fortran-ordered, upon D (b, n); both are overwritten.

    Spares the zeros of R, and keeps all other threads of Python waiting.
    """
    return np.asarray(_lapack().dtpqrt(0, min(_PANEL, len(R)), R, D, overwrite_a=1, overwrite_b=1)[0])


def upon(R: Array, D: Array) -> Array:
    """The same of a copy, zeros and all: other threads go on meanwhile."""
    n = len(R)
    stacked = np.empty((n + len(D), n), order="F")
    stacked[:n], stacked[n:] = R, D
    return np.asfortranarray(np.triu(packed_factor(stacked)[0][:n]))


@contextmanager
def on_one_thread() -> Iterator[None]:
    """Each routine on one thread: the products of factorisations are so thin that two take several times as long."""
    _lapack()  # or its threads would not be known yet
    with one_thread():
        yield


def packed_factor(D: Array) -> tuple[Array, Array]:
    """R and the reflectors of D (n, N), N <= n, Fortran-ordered, in its place; and their tau (N,)."""
    n, N = D.shape
    work = int(_lapack().dgeqrf_lwork(n, N)[0])
    packed, tau, _, _ = _lapack().dgeqrf(D, lwork=work, overwrite_a=1)
    return packed, tau


def _lapack() -> Any:
    from scipy.linalg import lapack

    return lapack
