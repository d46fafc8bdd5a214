"""A stationary point, or a family of them up to symmetry: which columns hold which eigenvectors.

Notation   lam (n,) descending eigenvalues of S, u_i its eigenvectors; indices count from 0. A block has k_b columns,
           the eigen-indices A_b (q_b of them), z_b = k_b - q_b zero rows and one constant m_b; t_a = sqrt(lam_a m_b);
           M_b = W_b^T W_b + sigma2 I has the diagonal m_b throughout and the eigenvalues t_a, and sigma2 z_b times.
Main       Block, Point, block_constant, block_scales, block_value, block_gap, weights.
Reference  theory 1.2 and 3.6. A block of one column is a scaled principal axis or a zero column (Tipping & Bishop
           1999, App. A); a larger one with unequal t is a stationary point of the ELBO that the likelihood lacks.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import log, pi, sqrt
from typing import Any

import numpy as np

from verify.arrays import Array
from verify.eigenvalues import Eigenvalues
from verify.landscape.noise import EPS, Noise, given


@dataclass(frozen=True, order=True)
class Block:
    """`columns` (k_b) columns of W that hold the eigen-indices `eigen` (A_b, ascending)."""

    eigen: tuple[int, ...]
    columns: int = 1

    @property
    def zeros(self) -> int:
        """z_b, the number of zero rows."""
        return self.columns - len(self.eigen)


ZERO_COLUMN = Block(())


@dataclass(frozen=True)
class Point:
    """A stationary point of `objective` at noise `sigma2`: its blocks in column order, zero columns last."""

    objective: str
    blocks: tuple[Block, ...]
    sigma2: float
    value: float
    bound_gap: float = 0.0
    noise: Noise | None = field(default=None, compare=False, repr=False)

    def located(self, spectrum: Eigenvalues) -> Noise:
        """Where its noise lies in this spectrum; a point made by hand has the decimal `sigma2`."""
        return self.noise if self.noise is not None else given(spectrum, self.sigma2)

    @property
    def retained(self) -> tuple[int, ...]:
        """The retained eigen-indices A, ascending."""
        return tuple(sorted(i for b in self.blocks for i in b.eigen))

    @property
    def orthogonal(self) -> bool:
        """Whether the columns of W are orthogonal: every block has one column."""
        return all(b.columns == 1 for b in self.blocks)

    @property
    def k(self) -> int:
        """The latent dimension."""
        return sum(b.columns for b in self.blocks)

    def column_ranges(self) -> list[range]:
        """The columns of W that each block occupies."""
        ends = np.cumsum([b.columns for b in self.blocks])
        return [range(int(e) - b.columns, int(e)) for e, b in zip(ends, self.blocks, strict=True)]


def ordered(blocks: Iterable[Block], k: int) -> tuple[Block, ...]:
    """The blocks by their smallest eigen-index, then zero columns up to k columns."""
    held = sorted(b for b in blocks if b.eigen)
    return (*held, *[ZERO_COLUMN] * (k - sum(b.columns for b in held)))


def block_constant(lam: Array, columns: int, sigma2: float) -> float:
    """m_b, from sqrt(m_b) = [r + sqrt(r^2 + 4 k_b z_b sigma2)] / (2 k_b), r = sum of sqrt(lam_a) (theory 3.6).

    lam (q_b,) are the block's eigenvalues; a zero column (no eigenvalue) has m_b = sigma2.
    """
    if not len(lam):
        return sigma2
    if len(lam) == columns == 1:
        return float(lam[0])  # sqrt(lam)^2 would miss lam by an ulp, and ties with it
    r = float(np.sqrt(lam).sum())
    return ((r + sqrt(r * r + 4 * columns * (columns - len(lam)) * sigma2)) / (2 * columns)) ** 2


def block_scales(lam: Array, columns: int, sigma2: float) -> Array:
    """t_a = sqrt(lam_a m_b), the eigenvalues of C on the block's eigenvectors.  lam (q_b,) -> (q_b,)."""
    if len(lam) == columns == 1:
        return np.asarray(lam, dtype=float)
    return np.sqrt(np.asarray(lam) * block_constant(lam, columns, sigma2))


def block_value(lam: Array, columns: int, sigma2: float) -> float:
    """What the block adds to the profile ELBO at W = 0: -1/2 [k_b log(m_b/sigma2) + sum lam_a (1/t_a - 1/sigma2)].

    Values add over blocks (theory 3.6); for one column it is 1/2 [lam/sigma2 - 1 - log(lam/sigma2)] (theory 1.2).
    """
    if not len(lam):
        return 0.0
    m = block_constant(lam, columns, sigma2)
    t = block_scales(lam, columns, sigma2)
    return -0.5 * (columns * log(m / sigma2) + float((lam / t - lam / sigma2).sum()))


def block_gap(lam: Array, columns: int, sigma2: float) -> float:
    """The block's share of the gap (Eq. 28): 1/2 [k_b log m_b - sum log t_a - z_b log sigma2] >= 0."""
    if columns == 1:
        return 0.0
    m, t = block_constant(lam, columns, sigma2), block_scales(lam, columns, sigma2)
    return 0.5 * (columns * log(m) - float(np.log(t).sum()) - (columns - len(lam)) * log(sigma2))


def collapsed_value(lam: Array, sigma2: float) -> float:
    """L at W = 0: -1/2 [n log(2 pi sigma2) + tr S / sigma2].  lam (n,) -> number."""
    return -0.5 * (len(lam) * log(2 * pi * sigma2) + float(lam.sum()) / sigma2)


def value_at(blocks: Iterable[Block], lam: Array, sigma2: float) -> float:
    """L (equivalently P) of the point, summed from non-negative parts so that nothing cancels.

    -1/2 [n log 2 pi + sum_b k_b log m_b + (n - k) log sigma2 + sum lam_a / t_a + sum of discarded lam_j / sigma2],
    theory 1.2 and 3.6.
    """
    blocks = list(blocks)
    discarded = np.ones(len(lam), dtype=bool)
    total = len(lam) * log(2 * pi)
    columns = 0
    for b in blocks:
        held = lam[list(b.eigen)]
        total += b.columns * log(block_constant(held, b.columns, sigma2))
        total += float((held / block_scales(held, b.columns, sigma2)).sum())
        discarded[list(b.eigen)] = False
        columns += b.columns
    return -0.5 * (total + (len(lam) - columns) * log(sigma2) + float(lam[discarded].sum()) / sigma2)


def constant_diagonal_rotation(spectrum: Array, eps: float = EPS, root: Callable[[Any], Any] = sqrt) -> Array:
    """An orthogonal Q with constant diag(Q^T diag(spectrum) Q): Schur-Horn by at most m - 1 plane rotations.

    spectrum (m,) -> (m, m). Each rotation brings one diagonal entry to the mean, from one above and one below it.
    In other numbers than doubles (an array of objects) where their eps and their square root are given.
    """
    m = len(spectrum)
    A, Q, mean = np.diag(spectrum), np.eye(m, dtype=spectrum.dtype), spectrum.sum() / m
    open_ = list(range(m))
    while True:
        d = A.diagonal()
        i, j = max(open_, key=lambda p: d[p]), min(open_, key=lambda p: d[p])
        if d[i] - d[j] <= 4 * eps * abs(mean):  # as it is where one is left
            return Q
        # Entries that are still open are not coupled, A_ij = 0: a rotation couples only the one that it closes. So
        # entry i goes to d_i cos^2 + d_j sin^2, and the mean lies between them.
        wide = d[i] - d[j]
        cos, sin = root(max(mean - d[j], 0.0) / wide), root(max(d[i] - mean, 0.0) / wide)
        G = np.array([[cos, -sin], [sin, cos]])
        A[:, [i, j]] = A[:, [i, j]] @ G
        A[[i, j], :] = G.T @ A[[i, j], :]
        Q[:, [i, j]] = Q[:, [i, j]] @ G
        open_.remove(i)


def weights(point: Point, lam: Array | Eigenvalues, eigenvectors: Array) -> Array:
    """W of the point: U_A (t - sigma2)^{1/2} Q_b block by block (theory 1.2, 3.6).  (n,), (n, n) -> (n, k)."""
    spectrum = Eigenvalues.of(lam)
    return block_weights(point, spectrum.values, point.located(spectrum).over(spectrum), eigenvectors)


def block_weights(point: Point, lam: Array, over: Array, eigenvectors: Array) -> Array:
    """As `weights`, with over (n,) = lam - sigma2 given; lam in any order."""
    W = np.zeros((len(lam), point.k))
    for block, columns in zip(point.blocks, point.column_ranges(), strict=True):
        held, q = list(block.eigen), len(block.eigen)
        t = block_scales(lam[held], block.columns, point.sigma2)
        Q = constant_diagonal_rotation(np.concatenate([t, np.full(block.zeros, point.sigma2)]))
        # Where a point exists, t exceeds the noise, if only by less than rounding shows.
        above = over[held] if block.columns == 1 else np.maximum(t - point.sigma2, 0.0)
        W[:, columns] = (eigenvectors[:, held] * np.sqrt(above)) @ Q[:q]
    return W
