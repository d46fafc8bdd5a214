"""Orthonormal eigenvectors of a covariance, computed when they are asked for and only as many.

Notation   n columns of the data, m vectors asked for; S = U diag(lam) U^T.
Main       Basis; Axes, MatrixBasis, FactorBasis, RowsBasis, Embedded.
Reference  [JQV06] Joffrain, Low, Quintana-Orti, van de Geijn & Van Zee, ACM TOMS 32 (2006): accumulating Householder
           transformations.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from verify.arrays import Array
from verify.data.decomposition.lapack import jacobi_vectors


class Basis(Protocol):
    """The eigenvectors in the order of the descending eigenvalues."""

    def leading(self, m: int) -> Array:
        """The first m of them (n, m), 0 <= m <= n."""


@dataclass(frozen=True, eq=False)
class Axes:
    """The axes themselves: S is diagonal and descending."""

    n: int

    def leading(self, m: int) -> Array:
        """(n, m)."""
        return np.eye(self.n, m)


@dataclass(frozen=True, eq=False)
class MatrixBasis:
    """The eigenvectors of a symmetric matrix (n, n)."""

    matrix: Array

    @cached_property
    def _vectors(self) -> Array:
        return np.ascontiguousarray(np.linalg.eigh(self.matrix)[1][:, ::-1])

    def leading(self, m: int) -> Array:
        """(n, m)."""
        return self._vectors[:, :m]


@dataclass(frozen=True, eq=False)
class FactorBasis:
    """The right singular vectors of a square matrix (n, n)."""

    matrix: Array

    @cached_property
    def _vectors(self) -> Array:
        V = jacobi_vectors(self.matrix)
        return np.asarray(np.linalg.svd(self.matrix)[2].T) if V is None else V

    def leading(self, m: int) -> Array:
        """(n, m)."""
        return self._vectors[:, :m]


@dataclass(frozen=True, eq=False)
class RowsBasis:
    """The left singular vectors of D (n, N), N <= n, from LAPACK's packed D = Q R: Q diag(A, I), R = A diag(s) B^T.

    packed (n, N) holds R and the reflectors I - tau v v^T. Of Q, (n, n), only what is asked for is formed.
    """

    packed: Array
    tau: Array

    def leading(self, m: int) -> Array:
        """(n, m): the product of the reflectors as I - V T V^T, 1/T = triu(V^T V, 1) + diag(1/tau) [JQV06, Sec. 4].

        Two products, where LAPACK passes over the (n, m) result once for every 32 reflectors.
        """
        N = len(self.tau)
        V = np.tril(self.packed, -1)
        V[np.arange(N), np.arange(N)] = 1
        V[:, self.tau == 0] = 0  # no reflection: D was 0 from there on
        inverse = np.triu(V.T @ V, 1) + np.diag(1 / np.where(self.tau == 0, 1, self.tau))
        # Q diag(A, I) = diag(A, I) - V T V^T diag(A, I), its first m columns.
        A = self._within
        weights = np.concatenate([V[:N].T @ A, V[N : max(m, N)].T], axis=1)[:, :m]
        U = V @ np.linalg.solve(inverse, -weights)
        U[:N, :N] += A[:, :m]
        rest = np.arange(N, max(m, N))
        U[rest, rest] += 1
        return np.asarray(U)

    @cached_property
    def _within(self) -> Array:
        return np.linalg.svd(np.triu(self.packed[: len(self.tau)]))[0]


@dataclass(frozen=True, eq=False)
class Embedded:
    """A basis of some columns of the data, and the axes of the others, which are constant, after it."""

    within: Basis
    columns: Array  # (n,) of booleans

    def leading(self, m: int) -> Array:
        """(n, m)."""
        inner = int(np.count_nonzero(self.columns))
        U = np.zeros((len(self.columns), m))
        U[self.columns, : min(m, inner)] = self.within.leading(min(m, inner))
        others = np.flatnonzero(~self.columns)[: max(0, m - inner)]
        U[others, inner + np.arange(len(others))] = 1
        return U


def oriented(vectors: Array) -> Array:
    """Each column with the sign that makes its component of largest magnitude positive."""
    rows = np.argmax(np.abs(vectors), axis=0)
    signs = np.where(vectors[rows, np.arange(vectors.shape[1])] < 0, -1.0, 1.0)
    return np.ascontiguousarray(vectors * signs)
