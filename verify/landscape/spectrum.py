"""The whole Hessian spectrum at a stationary point, direction by direction.

Notation   lam (n,), A retained (q of them), k columns, sigma2; blocks as in points.py. A direction moves `columns` of W
           by combinations of the eigenvectors `eigen`. L is the likelihood, P the profile ELBO; both Hessians are in W.
Main       spectrum -> Spectrum (parts, index, nullity, gauge, undecided, steepest), inside_hessian.
Reference  theory 1.3 (L), 3.5 (P at orthogonal columns), 3.6a (P at blocks).

Signs are those of the exact numbers, not of rounded differences (noise.py, validity.py). What measured eigenvalues
leave open is 0 here, and counted as undecided.

Directions towards a discarded eigenvector, inside one block and between two blocks do not mix, because the Hessian
maps each kind into itself. Only inside a block of several columns is the problem dense, and there the number of
eigenvalues of each sign is known: rounding decides none.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import nan

import numpy as np

from verify.arrays import Array
from verify.eigenvalues import Eigenvalues
from verify.landscape.noise import EPS, differences
from verify.landscape.points import Block, Point, block_constant, block_scales, block_weights
from verify.landscape.validity import Components, Sign, components, constants_sign, row_sign


@dataclass(frozen=True)
class Part:
    """Eigenvalues of one kind: values (m,), the columns (m, c) and the eigen-indices (m, e) that they move.

    The directions form a grid of m places; which columns and indices they move is spread over it when it is asked for,
    because most who want the values do not.
    """

    kind: str
    values: Array
    grid: tuple[int, ...]
    moved: tuple[Array, Array]

    @property
    def columns(self) -> Array:
        """The columns of W that each direction moves.  -> (m, c)."""
        return self._spread(self.moved[0])

    @property
    def eigen(self) -> Array:
        """The eigen-indices along which it moves them.  -> (m, e)."""
        return self._spread(self.moved[1])

    def _spread(self, indices: Array) -> Array:
        last = np.shape(indices)[-1]
        return np.broadcast_to(indices, (*self.grid, last)).reshape(self.values.size, last)


@dataclass(frozen=True)
class Spectrum:
    """All nk eigenvalues of the Hessian in W, in parts; `gauge` of the zeros are forced by symmetry.

    Of `undecided` of the zeros rounding cannot tell the sign. No part is empty.
    """

    parts: tuple[Part, ...]
    gauge: int
    undecided: int

    def values(self) -> Array:
        """All eigenvalues, ascending.  -> (nk,)."""
        return np.sort(np.concatenate([p.values for p in self.parts]))

    @property
    def index(self) -> int:
        """The number of positive eigenvalues."""
        return sum(int((p.values > 0).sum()) for p in self.parts)

    @property
    def nullity(self) -> int:
        """The number of zero eigenvalues."""
        return sum(int((p.values == 0).sum()) for p in self.parts)

    def steepest(self) -> tuple[float, Part, int]:
        """The largest eigenvalue, the part that holds it, and where in the part."""
        part = max(self.parts, key=lambda p: p.values.max())
        where = int(part.values.argmax())
        return float(part.values[where]), part, where


def _part(kind: str, values: Array, columns: Array, eigen: Array) -> Part:
    """values (*grid,); columns and eigen, with one more axis, as they broadcast against the grid."""
    values = np.asarray(values, dtype=float)
    return Part(kind, values.reshape(-1), values.shape, (columns, eigen))


def _signed(values: Array, signs: Array) -> Array:
    """The values, where rounding has left them on the wrong side of zero a least one of the right sign."""
    return np.where(np.sign(values) == signs, values, signs * 0.5 * EPS)


class _Layout:
    """Which columns of W are retained singles, zero columns, and larger blocks; over (n,): lam_j - sigma2."""

    def __init__(self, point: Point, spectrum: Eigenvalues):
        self.point, self.spectrum, self.lam = point, spectrum, spectrum.values
        self.noise = point.located(spectrum)
        self.over = self.noise.over(spectrum)
        ranges = list(zip(point.blocks, point.column_ranges(), strict=True))
        singles = [(a, r.start) for b, r in ranges if b.columns == 1 for a in b.eigen]
        self.single_eigen = np.array([a for a, _ in singles], dtype=int)
        self.single_column = np.array([c for _, c in singles], dtype=int)
        self.zero_column = np.array([r.start for b, r in ranges if not b.eigen], dtype=int)
        self.blocks = [(b, np.array(r)) for b, r in ranges if b.columns > 1]
        held = np.zeros(len(spectrum), dtype=bool)
        held[list(point.retained)] = True
        self.discarded = np.flatnonzero(~held)

    def rows(self, block: Block) -> list[Sign]:
        """Of a block with zero rows: their sign towards each discarded u_j (validity.py)."""
        return [row_sign(self.spectrum, int(j), block, self.noise) for j in self.discarded]

    def undecided(self) -> int:
        """The directions of zero columns and zero rows whose sign rounding cannot tell."""
        at = self.noise.position
        tied = np.count_nonzero((self.discarded >= at.above) & (self.discarded < at.above + at.level))
        count = self.zero_column.size * int(tied) if at.undecided else 0
        if self.spectrum.exact is not None:
            return count
        for block, _ in self.blocks:
            count += block.zeros * sum(row.undecided for row in self.rows(block))
            count += self.parts(block).perhaps
        for (first, _), (second, _) in self.pairs():
            if self.order(first, second).undecided:
                known = self.spectrum.values
                count += sum(known[a] != known[d] for a in first.eigen for d in second.eigen)
                count += len(first.eigen) * second.zeros + len(second.eigen) * first.zeros
        return int(count)

    def pairs(self) -> list[tuple[tuple[Block, Array], tuple[Block, Array]]]:
        """Any two blocks, with their columns, of which one has several columns."""
        others = [(Block((int(a),)), np.array([c])) for a, c in zip(self.single_eigen, self.single_column, strict=True)]
        others += [(Block(()), np.array([c])) for c in self.zero_column]
        return [*combinations(self.blocks, 2), *((x, y) for x in self.blocks for y in others)]

    def scales(self, block: Block) -> tuple[float, Array, Array]:
        """m_b, t_a and t_a - sigma2."""
        held, s = self.lam[list(block.eigen)], self.point.sigma2
        t = block_scales(held, block.columns, s)
        above = self.over[list(block.eigen)] if block.columns == 1 else np.maximum(t - s, 0.0)
        return block_constant(held, block.columns, s), t, above

    def order(self, first: Block, second: Block) -> Sign:
        """The sign of m_b - m_c."""
        return constants_sign(self.spectrum, first, second, self.noise)

    def apart(self, first: Block, second: Block) -> float:
        """m_b - m_c, of the right sign."""
        m, other = self.scales(first)[0], self.scales(second)[0]
        sign, found = self.order(first, second).sign, m - other
        return found if np.sign(found) == sign else sign * 0.5 * EPS * m

    def parts(self, block: Block) -> Components:
        """Of how many minimal blocks the representative of this one is made."""
        return components(self.spectrum, block, self.noise)


def _towards_discarded(at: _Layout) -> Iterator[Part]:
    """theory 1.3, rows 1 and 4, and the closed part of 3.6a: q_b + z_b eigenvalues per block and discarded u_j."""
    lam, s, j = at.lam, at.point.sigma2, at.discarded
    a, c = at.single_eigen, at.single_column
    towards = differences(at.spectrum, j, a[:, None]) / lam[a][:, None] / s
    yield _part("retained column towards discarded", towards, c[:, None, None], j[:, None])
    zero = np.repeat((at.over[j] / s / s)[None], at.zero_column.size, axis=0)
    yield _part("zero column towards discarded", zero, at.zero_column[:, None, None], j[:, None])
    for block, columns in at.blocks:
        values = lam[list(block.eigen)]
        t, m = block_scales(values, block.columns, s), block_constant(values, block.columns, s)
        towards = differences(at.spectrum, j, np.array(block.eigen)[:, None]) / t[:, None] / s
        yield _part("block towards discarded", towards, columns, j[:, None])
        if block.zeros:
            row = _signed(lam[j] / s - s / m, np.array([r.sign for r in at.rows(block)])) / s
            zeros = np.repeat(row[None], block.zeros, axis=0)
            yield _part("zero row of a block towards discarded", zeros, columns, j[:, None])


def _single_columns(at: _Layout, of_elbo: bool) -> Iterator[Part]:
    """theory 1.3, rows 2, 3 and 5, and 3.5: inside and between retained single columns and zero columns."""
    lam, s = at.lam, at.point.sigma2
    a, c = at.single_eigen, at.single_column
    held, over = lam[a], at.over[a]
    yield _part("retained column along itself", -2 * over / held / held, c[:, None], a[:, None])
    order = np.arange(a.size)
    both = np.array(np.nonzero(order[:, None] < order))
    pair, eigen, (one, other) = c[both].T, a[both].T, held[both]
    first, second = over[both]
    if of_elbo:
        li, lj = np.sqrt(first), np.sqrt(second)
        # l_a - l_b from the difference of what is under the roots: it vanishes where that does and nowhere else.
        minus = differences(at.spectrum, *a[both]) / (li + lj)
        together, apart = -((li + lj) ** 2) / one / other, -(minus**2) / one / other
    else:
        together, apart = -(first + second) / one / other, np.zeros(len(one))
    yield _part("two retained columns into each other", together, pair, eigen)
    yield _part(
        "two retained columns rotated" if of_elbo else "gauge: two retained columns rotated",
        apart,
        pair,
        eigen,
    )
    into = -over / s / held if of_elbo else np.zeros(a.size)
    into = np.repeat(into[None], at.zero_column.size, axis=0)
    kind = "zero column towards retained" if of_elbo else "gauge: zero column towards retained"
    yield _part(kind, into, at.zero_column[:, None, None], a[:, None])


def _between(at: _Layout, first: Block, second: Block) -> Array:
    """The eigenvalues of the cross directions of two blocks of P (3.6a): two of every pair a, d, and the zero rows'.

    With D = 1/m_c - 1/m_b and K = 1/(m_b t_d) + 1/(m_c t_a), in the directions u_a q_d^T and u_d q_a^T the Hessian is
    -[[D + K l_d^2, K l_a l_d], [K l_a l_d, K l_a^2 - D]], l^2 = t - sigma2. Its trace is negative and its determinant
    D (lam_a - lam_d)/(t_a t_d), so the sign of its larger eigenvalue is exact. A zero row of c has -D towards every
    u_a, a zero row of b has D towards every u_d.
    """
    (m, t, above), (m_other, t_other, above_other) = at.scales(first), at.scales(second)
    d = at.apart(first, second) / m / m_other
    rows = np.array(first.eigen, dtype=int)[:, None], np.array(second.eigen, dtype=int)[None]
    coupling = 1 / m / t_other[None] + 1 / m_other / t[:, None]
    one, other = coupling * above_other[None], coupling * above[:, None]
    falling = -0.5 * (one + other + np.hypot(2 * d + one - other, 2 * np.sqrt(one) * np.sqrt(other)))
    rising = d * (differences(at.spectrum, *rows) / t[:, None] / t_other[None]) / falling
    free = np.repeat([-d, d], [len(first.eigen) * second.zeros, len(second.eigen) * first.zeros])
    return np.concatenate([falling.ravel(), rising.ravel(), free])


def inside_hessian(block: Block, lam: Array, sigma2: float) -> Array:
    """The Hessian of P over the directions inside one block, (q_b k_b, q_b k_b): the block is a problem of its own.

    P'' = 2/m^2 sum_i (w_i.x_i)^2 - 1/m sum_ab dC_ab^2 / t_b with dC = X W^T + W X^T: what has the factor 1/sigma2 in
    the Hessian of L cancels (3.6a), and is left out here.
    """
    held, k, q = lam[list(block.eigen)], block.columns, len(block.eigen)
    alone = Point("elbo", (Block(tuple(range(q)), k),), sigma2, nan)
    W = block_weights(alone, held, np.full(q, nan), np.eye(q))  # lam - sigma2 is asked of single columns only
    m, t = block_constant(held, k, sigma2), block_scales(held, k, sigma2)
    X = np.eye(W.size).reshape(-1, *W.shape)
    half = X @ W.T
    change = ((half + half.transpose(0, 2, 1)) / np.sqrt(m * t)).reshape(W.size, -1)
    along = (X * W).sum(1) / m
    H: Array = 2 * along @ along.T - change @ change.T
    return H


def _inside(at: _Layout, block: Block) -> Array:
    """The eigenvalues inside a block, with the signs of Proposition 9: as many rise, and fall, as it says."""
    H, q = inside_hessian(block, at.lam, at.point.sigma2), len(block.eigen)
    # With sigma2 one ulp below lam_a all of H may be rounded to 0.
    values, least = np.linalg.eigvalsh(H), max(EPS * float(np.abs(H).max()), float(np.finfo(np.float64).tiny))
    parts = at.parts(block).surely
    fall, rise = q * (q + 1) // 2, block.columns - parts
    level = values.size - rise
    return np.concatenate(
        [np.minimum(values[:fall], -least), np.zeros(level - fall), np.maximum(values[level:], least)]
    )


def _around_blocks(at: _Layout) -> Iterator[Part]:
    """Inside every larger block, and between it and every other block (3.6a)."""
    for block, columns in at.blocks:
        yield _part("inside a block", _inside(at, block), columns, np.array(block.eigen))
    for (first, c1), (second, c2) in at.pairs():
        columns, eigen = np.concatenate([c1, c2]), np.array([*first.eigen, *second.eigen])
        yield _part("between two blocks", _between(at, first, second), columns, eigen)


def spectrum(point: Point, lam: Array | Eigenvalues) -> Spectrum:
    """The Hessian spectrum in W of L (ppca points) or of P (elbo points), closed where theory has a closed form.

    lam (n,) -> nk eigenvalues in labelled parts. For L the gauge is the orbit W R: q(q-1)/2 + q(k-q) zeros; the ELBO
    is invariant under signs and orders of columns only, so its gauge is 0.
    """
    at = _Layout(point, Eigenvalues.of(lam))
    of_elbo = point.objective == "elbo"
    parts = [*_towards_discarded(at), *_single_columns(at, of_elbo)]
    if of_elbo:
        parts += _around_blocks(at)
    q = len(point.retained)
    gauge = 0 if of_elbo else q * (q - 1) // 2 + q * (point.k - q)
    return Spectrum(tuple(p for p in parts if p.values.size), gauge, at.undecided())
