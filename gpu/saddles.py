"""Stationary points of the ELBO built from their families by the million, and whether they are saddles.

Notation   lam (n,) descending eigenvalues of S, sigma2 (B,); W (B, n, k) in the eigenbasis of S, M = W^T W + sigma2 I;
           blocks of columns with eigen-indices, zero rows and the constant m as in verify/landscape/points.py.
Main       Families, encode, build, examine -> Examined.
Reference  theory 3.6 and 3.7.

Here the chain of rotations to a constant diagonal carries one entry along: it is made the mean together with an entry
that no rotation has touched, so that each angle has a closed form. verify/landscape/points.py picks its pairs
otherwise: the points agree in W W^T and in diag(M); W itself is one of the family.

A rotation of two columns changes -1/2 sum log M_ii alone, as L and det M stay. `examine` takes any W and knows nothing
of blocks, and so an orthogonal point can fail it.
"""

from math import cos, sin
from typing import Any, NamedTuple

import numpy as np

from gpu.batches import SHARED_LIMIT, contiguous
from gpu.kernels import kernel
from verify.arrays import Array, namespace, transpose
from verify.errors import InputError
from verify.landscape.points import Point
from verify.models.linear_vae import diagonal
from verify.models.ppca import symmetrised

THREADS = 64
# Entries of the diagonal closer than this share of m count as equal (kernels/saddles.cu says the same).
TIE = 1e-15
# Entries of a temporary array of the twins at a time.
CHUNK = 1 << 17
# The angle of the finite rotation, in radians.
THETA = 0.25


class Families(NamedTuple):
    """Which block each column is in, and which eigen-index each slot holds, -1 for a zero row: (B, k); sigma2 (B,).

    The columns of a block are neighbours; slot c belongs to the block of column c; zero rows come last in a block.
    """

    block_of_column: Array
    eigen_of_slot: Array
    sigma2: Array


class Examined(NamedTuple):
    """The norm of dP/dW, the largest d^2P/dtheta^2 over two columns and that pair (B, 2), and the rise of P; (B,).

    At a point of a family the curvature is 4 M_ij^2/m^2. `rise` is that of the best pair, in the worse of the
    directions theta and -theta: positive at a non-orthogonal point and at no orthogonal one.
    """

    residual: Array
    curvature: Array
    pair: Array
    rise: Array


def encode(points: list[Point]) -> Families:
    """The blocks of points with the same number k of columns, as arrays of integers.  Raises InputError."""
    widths = sorted({point.k for point in points})
    if len(widths) > 1:
        raise InputError(f"points with {widths} columns do not go into one batch: encode those of one k at a time")
    shape = (len(points), widths[0] if widths else 0)
    blocks, slots = np.zeros(shape, dtype=np.int32), np.full(shape, -1, dtype=np.int32)
    for row, point in enumerate(points):
        for number, (block, columns) in enumerate(zip(point.blocks, point.column_ranges(), strict=True)):
            blocks[row, columns.start : columns.stop] = number
            slots[row, columns.start : columns.start + len(block.eigen)] = block.eigen
    return Families(blocks, slots, np.array([point.sigma2 for point in points], dtype=float))


def build(families: Families, lam: Array) -> Array:
    """W of every family, in the eigenbasis of S (theory 3.6).  Families (B, k), lam (n,) -> (B, n, k).

    NaN where some t_a < sigma2, as no such point exists.  Raises InputError for arrays that encode no families.
    """
    xp = namespace(*families, lam)
    lam = contiguous(xp, lam, (len(lam),), "lam")
    families = _checked(xp, families, lam)
    count, k = families.eigen_of_slot.shape
    W = xp.zeros((count, len(lam), k))
    if xp is np:
        together = max(1, CHUNK // max(1, k * k))
        for first in range(0, count, together):
            some = Families(*(part[first : first + together] for part in families))
            _points(some, lam, W[first : first + together])
    elif count * k:
        args = (lam, families.sigma2, *families[:2], W, np.int64(count), np.int32(len(lam)), np.int32(k))
        kernel("saddles", "saddle_points", xp)((-(-count * k // THREADS),), (THREADS,), args)
    return W


def examine(W: Array, sigma2: Array, lam: Array, theta: float = THETA) -> Examined:
    """Whether P is stationary at each W, and whether rotating two columns raises it (theory 3.7).

    W (B, n, k) in the eigenbasis of S, sigma2 (B,), lam (n,).  Raises InputError for other shapes.
    """
    xp = namespace(W, sigma2, lam)
    if W.ndim != 3:
        raise InputError(f"W has the shape {tuple(W.shape)}: give one matrix (n, k) per problem")
    count, n, k = W.shape
    W, lam = contiguous(xp, W, (count, n, k), "W"), contiguous(xp, lam, (n,), "lam")
    sigma2 = contiguous(xp, sigma2, (count,), "sigma2")
    found = Examined(xp.zeros(count), xp.zeros(count), xp.zeros((count, 2), dtype=np.int32), xp.zeros(count))
    if not count * n * k:
        return found
    if xp is not np and _shared_bytes(k) <= SHARED_LIMIT:
        args = (W, sigma2, lam, *found, np.int32(n), np.int32(k), np.float64(sin(theta)), np.float64(cos(theta)))
        kernel("saddles", "saddle_examine", xp)((count,), (THREADS,), args, shared_mem=_shared_bytes(k))
        return found
    together = max(1, CHUNK // (max(n, k) * k))
    for first in range(0, count, together):
        some = slice(first, first + together)
        for whole, part in zip(found, _by_products(xp, W[some], sigma2[some], lam, theta), strict=True):
            whole[some] = part
    return found


def _shared_bytes(k: int) -> int:
    return 8 * (3 * k * k + k + 3 * THREADS) + 4 * THREADS


def _integers(xp: Any, a: Array, shape: tuple[int, ...], name: str) -> Array:
    a = xp.asarray(a)
    if a.dtype.kind not in "iu" or tuple(a.shape) != shape:
        raise InputError(f"{name} is {a.dtype} of the shape {tuple(a.shape)}: give integers of the shape {shape}")
    return xp.ascontiguousarray(a.astype(np.int32))


def _checked(xp: Any, families: Families, lam: Array) -> Families:
    """The families, contiguous; a kernel believes every index that it is told.  Raises InputError."""
    if families.block_of_column.ndim != 2:
        raise InputError(f"block_of_column has {families.block_of_column.ndim} axes: give one row per family")
    shape = tuple(families.block_of_column.shape)
    block = _integers(xp, families.block_of_column, shape, "block_of_column")
    eigen = _integers(xp, families.eigen_of_slot, shape, "eigen_of_slot")
    sigma2 = contiguous(xp, families.sigma2, shape[:1], "sigma2")
    n = len(lam)
    if not (bool((eigen >= -1).all()) and bool((eigen < n).all())):
        raise InputError(f"eigen_of_slot: an index beyond the {n} eigenvalues; -1 is a zero row")
    if not bool((block[:, 1:] >= block[:, :-1]).all()):
        raise InputError("block_of_column falls: give the columns of a block side by side")
    together = block[:, 1:] <= block[:, :-1]
    # A zero row counts as the index n, which comes last and as often as it likes.
    indices = xp.where(eigen < 0, n, eigen)
    if bool((together * _repeats_or_falls(indices, n)).any()):
        raise InputError("eigen_of_slot: give the indices of a block ascending, and its zero rows (-1) after them")
    indices.sort(axis=1)
    if bool(_repeats_or_falls(indices, n).any()):
        raise InputError("eigen_of_slot: an index twice in one family; blocks are disjoint")
    if not (bool((sigma2 > 0).all()) and bool((lam >= 0).all()) and bool((lam[1:] <= lam[:-1]).all())):
        raise InputError("lam must fall and be no less than 0, and sigma2 be positive")
    return Families(block, eigen, sigma2)


def _repeats_or_falls(indices: Array, n: int) -> Array:
    """Where an index other than n does not exceed the one before it.  (B, k) -> (B, k - 1)."""
    return (indices[:, 1:] <= indices[:, :-1]) * (indices[:, 1:] < n)


def _points(families: Families, lam: Array, W: Array) -> None:
    """The twin of saddle_points: blocks of one size at a time, whichever families they are of.  Fills W (B, n, k)."""
    block, eigen, sigma2 = families
    count, k = block.shape
    opens = np.ones((count, k), dtype=bool)
    opens[:, 1:] = block[:, 1:] != block[:, :-1]
    first = np.flatnonzero(opens)
    sizes = np.diff(np.append(first, count * k))
    for size in np.unique(sizes):
        chosen = first[sizes == size]
        columns = np.arange(size)
        held = eigen.reshape(-1)[chosen[:, None] + columns]
        rows = _rows(np.where(held >= 0, lam[held], 0.0), held >= 0, sigma2[chosen // k])
        which, slot = np.nonzero(held >= 0)
        places = (chosen // k)[which][:, None], held[which, slot][:, None], (chosen % k)[which][:, None] + columns
        W[places] = rows[which, slot]


def _rows(lam: Array, held: Array, sigma2: Array) -> Array:
    """diag(sqrt(t - sigma2)) Q of G blocks of one size.  lam, held (G, size), sigma2 (G,) -> (G, size, size).

    Step by step what the kernel does, so that ties fall alike.
    """
    count, size = lam.shape
    zeros = size - held.sum(axis=1)
    roots = np.zeros(count)
    for c in range(size):
        roots = roots + np.sqrt(lam[:, c])
    m = ((roots + np.sqrt(roots * roots + 4.0 * size * zeros * sigma2)) / (2.0 * size)) ** 2
    # sqrt(lam)^2 would miss lam by an ulp.
    scales = np.where(held, lam if size == 1 else np.sqrt(lam * m[:, None]), sigma2[:, None])
    with np.errstate(invalid="ignore"):
        rows = np.sqrt(scales - sigma2[:, None])[:, :, None] * np.eye(size)
    each, carry, high, low = np.arange(count), np.zeros(count, int), np.ones(count, int), np.full(count, size - 1)
    d = scales[:, 0]
    for _ in range(1, size):
        above = d >= m
        partner = np.where(above, low, high)
        low, high = low - above, high + ~above
        other, sign = scales[each, partner], np.where(above, 1.0, -1.0)
        gap = sign * (d - other)
        turned = gap > TIE * m
        gap = np.where(turned, gap, 1.0)
        cosine = np.sqrt(np.where(turned, np.clip(sign * (m - other) / gap, 0.0, 1.0), 1.0))[:, None]
        sine = np.sqrt(np.where(turned, np.clip(sign * (d - m) / gap, 0.0, 1.0), 0.0))[:, None]
        x, y = rows[each, :, carry], rows[each, :, partner]
        rows[each, :, carry], rows[each, :, partner] = cosine * x + sine * y, cosine * y - sine * x
        d, carry = (d + other) - m, partner
    return rows


def _by_products(xp: Any, W: Array, sigma2: Array, lam: Array, theta: float) -> Examined:
    """The twin of saddle_examine, from M = W^T W + sigma2 I and X = W^T S W."""
    k = W.shape[2]
    M = transpose(W) @ W + sigma2[:, None, None] * xp.eye(k)
    residual = _residual(xp, W, sigma2, lam, M)
    if k == 1:
        nothing = 0.0 * residual
        return Examined(residual, nothing, xp.zeros((len(W), 2), dtype=np.int32), nothing)
    i, j = (xp.asarray(side) for side in np.triu_indices(k, 1))
    norms, off = diagonal(M), M[:, i, j]
    both, difference = norms[:, i] * norms[:, j], norms[:, j] - norms[:, i]
    curvature = 2.0 * off**2 * (1.0 / norms[:, i] ** 2 + 1.0 / norms[:, j] ** 2) - difference**2 / both
    shift, turn = sin(theta) ** 2 * difference, 2.0 * sin(theta) * cos(theta) * off
    # Rotated, M_ii gains `moved` and M_jj loses it.
    changes = [moved * (difference - moved) / both for moved in (shift - turn, shift + turn)]
    rise = -0.5 * xp.log1p(xp.maximum(*changes).min(axis=1))
    where = curvature.argmax(axis=1)
    pair = xp.concatenate([i[where][:, None], j[where][:, None]], axis=1)
    pair = xp.where((residual >= 0)[:, None], pair, 0).astype(np.int32)  # where W is not a number there is no pair
    return Examined(residual, curvature.max(axis=1), pair, rise)


def _residual(xp: Any, W: Array, sigma2: Array, lam: Array, M: Array) -> Array:
    """||dP/dW||, from dP/dW = C^-1 S P - W diag(M)^-1 and sigma2 C^-1 = I - P W^T, P = W M^-1.  -> (B,)."""
    inverse = symmetrised(xp.linalg.inv(M))
    image = lam[:, None] * W
    explained = inverse @ (transpose(W) @ image) @ inverse
    gradient = (image @ inverse - W @ explained) / sigma2[:, None, None] - W / diagonal(M)[:, None, :]
    return xp.sqrt((gradient**2).sum(axis=(1, 2)))
