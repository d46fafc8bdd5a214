"""A second pass over the rows: the triangular factor of their deviations, without squaring anything.

Notation   B (N, n) deviations from the mean, each column in units of a power of two near its own; B = Q R;
           S = R^T R / N in these units; kappa = |R|_F / sigma_min(R); u = 2^-53.
Main       factor_of, columnwise_error.
Reference  docs/mathematics.md, "Eigenvalues of data"; roundings as they add up in practice: [HM19] Higham & Mary,
           SIAM J. Sci. Comput. 41 (2019); Householder's: [CH23] Connolly & Higham, SIAM J. Matrix Anal. 44 (2023).

Householder's factorisation is that of a matrix whose columns differ from those of B by eta times their length at
most. So sigma_j is good to eta kappa of itself however far the columns lie apart; squaring B, as S does, would make it
eta kappa^2.
"""

import math
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from verify.arrays import Array
from verify.data.decomposition.lapack import on_one_thread, singular_values, upon, with_rows
from verify.data.decomposition.scatter import UNIT_ROUNDOFF, Scatter
from verify.data.decomposition.spectra import Factor, common_units, solver_error

PARTS = 4  # of the rows, factorised side by side
_SHARED = 2048  # columns up to which there are parts: each takes some n^2 numbers, and its steps some zeros
_TURNED = 64  # columns transposed at a time, which stay in the cache
_EXTREME = 200  # squares in units 2^200 are still far from the ends of float64


def columnwise_error(reflections: int, height: int) -> float:
    """eta of so many Householder reflections of columns of this height, their errors as independent [HM19, CH23].

    docs/mathematics.md says how far below it the errors were found.
    """
    return UNIT_ROUNDOFF * (8 + math.sqrt(reflections) + math.sqrt(height) / 4)


def factor_height(n: int) -> int:
    """How many rows of n columns to take at a time."""
    return 4096 if n < _SHARED else 1024


def factor_of(rows: Iterator[Array], scatter: Scatter, columns: Array) -> Factor:
    """R/sqrt(N) of the rows, in chunks of factor_height(n), about the mean that scatter has.

    columns (n,) booleans: those that are not constant. What rounding left of their means is projected out.
    """
    shift, unit = scatter.mean[columns], scatter.unit[columns]
    n, step = len(unit), np.ldexp(1.0, np.clip(-unit, -1022, 1023))
    extreme = bool(np.abs(unit).max() > _EXTREME)  # elsewhere the units of R are enough

    def augmented() -> Iterator[Array]:
        for X in rows:
            D = _augmented(X if columns.all() else X[:, columns], shift)
            if extreme:
                D[1:] *= step[:, None]
            yield D

    R, factorisations = _triangle_of(augmented(), n + 1)
    if not extreme:
        R[:, 1:] *= step
    R /= math.sqrt(scatter.N)
    # x - mean is rounded relative to itself, and the mean to a double: what is left of it, in deviations.
    left = 2 * float(np.max(np.abs(R[0, 1:])))
    eta = columnwise_error((n + 1) * factorisations, factor_height(n) + n + 1) + 2 * UNIT_ROUNDOFF * (1 + left)
    return _judged(np.ascontiguousarray(R[1:, 1:]), unit, eta)


def _triangle_of(chunks: Iterator[Array], n: int) -> tuple[Array, int]:
    """The triangular factor (n, n) of all rows in chunks D^T, D (n, b), overwritten; and how many steps it took.

    In a fixed number of parts, each a chain of its own, so that the result does not depend on the number of cores.
    """
    add = upon if n <= _SHARED else with_rows
    factors: list[Future[Array] | None] = [None] * (PARTS if n <= _SHARED else 1)
    steps = 0
    with on_one_thread(), ThreadPoolExecutor(len(factors), thread_name_prefix="factor") as pool:
        for D in chunks:
            part = steps % len(factors)
            before = factors[part]
            # A part that has not done with its last chunk keeps the reader waiting: no more lie about than parts.
            R = np.zeros((n, n), order="F") if before is None else before.result()
            factors[part] = pool.submit(add, R, D.T)
            steps += 1
        found = [factor.result() for factor in factors if factor is not None]
        whole = found[0]
        for other in found[1:]:
            whole = add(whole, other)
    return whole, steps + len(found)


def _augmented(X: Array, shift: Array) -> Array:
    """(n + 1, b): ones, which make the rest of R that of the deviations from the rows' own mean, and (X - shift)^T."""
    D = np.empty((len(shift) + 1, len(X)))
    D[0] = 1
    for j in range(0, len(shift), _TURNED):
        part = slice(j, j + _TURNED)
        np.subtract(X[:, part].T, shift[part, None], out=D[1:][part])
    return D


def _judged(R: Array, unit: Array, eta: float) -> Factor:
    """The Factor of R (n, n), whose columns are wrong by eta of their length."""
    w, _ = common_units(unit)
    sigma = singular_values(R)
    norm = float(np.linalg.norm(R))
    error = eta * norm + solver_error(len(R)) * float(sigma[0])
    positive = int(np.count_nonzero(sigma > error))
    smallest = float(sigma[-1]) - error if positive == len(R) else 0.0
    moved = eta * norm / smallest if smallest > 0 else np.inf
    relative = 2 * moved / (1 - moved) ** 2 if moved < 0.3 else np.inf
    absolute = eta * float(np.linalg.norm(R * w))
    return Factor(R, unit, absolute, relative, smallest, positive)
