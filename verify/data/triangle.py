"""A second pass over the rows: the triangular factor of their deviations, without squaring anything.

Notation   B (N, n) deviations from the mean, each column in units of a power of two near its own; B = Q R;
           S = R^T R / N in these units; kappa = |R|_F / sigma_min(R); u = 2^-53.
Main       factor_of, columnwise_error.
Reference  docs/mathematics.md, section 12; [HM19] Higham & Mary, SIAM J. Sci. Comput. 41 (2019): rounding errors as
           they add up in practice; [CH23] Connolly & Higham, SIAM J. Matrix Anal. 44 (2023): Householder's.

Householder's factorisation is that of a matrix whose columns differ from those of B by eta times their length at
most. So sigma_j is good to eta kappa of itself however far the columns lie apart; squaring B, as S does, would make it
eta kappa^2.
"""

import math
from collections.abc import Iterator

import numpy as np
from scipy.linalg import lapack, svdvals

from verify.arrays import Array
from verify.data.scatter import UNIT_ROUNDOFF, Scatter
from verify.data.spectra import Factor, common_units, solver_error


def columnwise_error(reflections: int, height: int) -> float:
    """eta of so many Householder reflections of columns of this height, their errors as independent [HM19, CH23].

    docs/mathematics.md says how far below it the errors were found.
    """
    return UNIT_ROUNDOFF * (8 + math.sqrt(reflections) + math.sqrt(height) / 4)


def factor_height(N: int, n: int) -> int:
    """Rows per factorisation: so many that carrying the triangle along costs little."""
    return min(N, max(2 * n, 4096))


def factor_of(rows: Iterator[Array], scatter: Scatter, columns: Array) -> Factor:
    """R/sqrt(N) of the rows, in chunks of at most factor_height(N, n), about the mean that scatter has.

    columns (n,) booleans: those that are not constant. What rounding left of their means is projected out.
    """
    shift, unit = scatter.mean[columns], scatter.unit[columns]
    n, N, step = len(unit), scatter.N, np.ldexp(1.0, np.clip(-unit, -1022, 1023))
    height = factor_height(N, n)
    work = np.zeros((n + 1 + height, n + 1), order="F")
    size = int(lapack.dgeqrf_lwork(*work.shape)[0])
    factorisations = 0
    for X in rows:
        new = work[n + 1 :]
        new[len(X) :] = 0
        # A column of ones first: then the rest of R is that of the deviations from the mean of the rows themselves.
        new[: len(X), 0] = 1
        np.subtract(X if columns.all() else X[:, columns], shift, out=new[: len(X), 1:])
        new[: len(X), 1:] *= step
        lapack.dgeqrf(work, lwork=size, overwrite_a=1)
        work[: n + 1] = np.triu(work[: n + 1])
        factorisations += 1
    R = np.ascontiguousarray(work[1 : n + 1, 1:]) / math.sqrt(N)
    # x - mean is rounded relative to itself, and the mean to a double.
    left = float(np.max(np.abs(work[0, 1:])) / (math.sqrt(N) * np.sqrt(scatter.spread[columns].min())))
    eta = columnwise_error((n + 1) * factorisations, height) * (1 + left) + 2 * UNIT_ROUNDOFF
    return _judged(R, unit, eta)


def _judged(R: Array, unit: Array, eta: float) -> Factor:
    """The Factor of R (n, n), whose columns are wrong by eta of their length."""
    w, _ = common_units(unit)
    sigma = svdvals(R)
    norm = float(np.linalg.norm(R))
    error = eta * norm + solver_error(len(R)) * float(sigma[0])
    positive = int(np.count_nonzero(sigma > error))
    smallest = float(sigma[-1]) - error if positive == len(R) else 0.0
    moved = eta * norm / smallest if smallest > 0 else np.inf
    relative = 2 * moved / (1 - moved) ** 2 if moved < 0.3 else np.inf
    absolute = eta * float(np.linalg.norm(R * w))
    return Factor(R, unit, absolute, relative, smallest, positive)
