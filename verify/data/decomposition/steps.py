"""How far to go for the eigenvalues of rows: one pass, its correlations, an exact rank, a second pass.

Main       Source, Found, of_source.
Reference  docs/mathematics.md, "Eigenvalues of data".

One pass is enough where its errors leave no eigenvalue near zero, near its neighbour, or near a noise that was asked
about. Where they do, the next step is taken; which was the last one is said (`path`).
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from verify.arrays import Array
from verify.data.decomposition import few_rows
from verify.data.decomposition.bases import Basis, Embedded
from verify.data.decomposition.scatter import EPS, Scatter
from verify.data.decomposition.spectra import Spectrum, better, direct, of_correlations, of_factor
from verify.data.decomposition.sums import chunk_height, scatter_of
from verify.data.decomposition.triangle import factor_height, factor_of
from verify.data.decomposition.whole_numbers import certificate_available, rank_of_whole
from verify.data.entries import checked_blocks, chunks, is_matrix
from verify.eigenvalues import Eigenvalues
from verify.errors import InputError

# S and the work space of its eigensolver: about 25 GB at this size.
LARGEST_DIMENSION = 32768


@dataclass(frozen=True, eq=False)
class Source:
    """Rows in blocks (b, n), each read by `read`, divided by `divisor`; again: they can be read more than once."""

    read: Callable[[], Iterable[Array] | Array]
    again: bool
    divisor: float = 1.0

    def blocks(self) -> Iterator[Array]:
        """Checked blocks, not yet divided.  Raises InputError."""
        return checked_blocks(self.read())

    def blocks_again(self) -> Iterable[Array]:
        """The blocks, once they have been found to be good."""
        rows = self.read()
        return [np.asarray(rows)] if is_matrix(rows) else rows


@dataclass(frozen=True, eq=False)
class Found:
    """What rows have: eigenvalues (n,) with errors, a basis, their mean (n,), N, and how they were computed.

    without_certificate: python-flint would have told which eigenvalues are 0.
    """

    spectrum: Spectrum
    mean: Array
    N: int
    path: str
    without_certificate: bool = False


def of_source(source: Source, noises: Iterable[float]) -> Found:
    """The eigenvalues of the source's rows, so accurately as the noises (in the model's units) need.

    Raises InputError: whatever a block is refused for, one row, constant data, or too many columns.
    """
    asked = tuple(float(noise) for noise in noises)
    blocks = source.blocks()
    held: list[Array] = []
    count = 0
    for X in blocks:
        n = X.shape[1]
        count += len(X)
        if min(count, n) > LARGEST_DIMENSION:
            raise InputError(
                f"the data have {n} columns, more than {LARGEST_DIMENSION}, and more rows than that; "
                "are there columns to leave out?"
            )
        if count > n:
            rows = chunks(chain(held, [X], blocks), chunk_height(n))
            return _many_rows(scatter_of(rows), source, asked)
        # Whoever yields blocks may write the next one to the same place.
        held.append(np.array(X, dtype=np.float64))
    if count < 2:
        raise InputError("the data have one row; a covariance needs at least two")
    return _few_rows(_stacked(held), source, asked)


def _stacked(held: list[Array]) -> Array:
    """The blocks one upon the other, each let go as it is copied."""
    if len(held) == 1:
        return held[0]
    whole = np.empty((sum(map(len, held)), held[0].shape[1]))
    start = 0
    while held:
        part = held.pop(0)
        whole[start : start + len(part)] = part
        start += len(part)
    return whole


def _many_rows(scatter: Scatter, source: Source, noises: tuple[float, ...]) -> Found:
    """More rows than columns."""
    columns = scatter.spread > 0  # the others are constant, exactly
    if not columns.any():
        raise InputError("the data are constant (all rows equal); there is no variance to analyse")
    part = _columns(scatter, columns)
    rank: int | None = None
    missing = False

    def doubts(spectrum: Spectrum) -> Array:
        return _doubts(_of_rank(spectrum, rank), source.divisor, noises)

    found, path = direct(part), "one pass" if part.whole is None else "one pass, exact"
    if doubts(found).any() and part.whole is not None and _zeros(found):
        rank = rank_of_whole(part.whole)
        missing = rank is None and not certificate_available()
    if doubts(found).any():
        finer = of_correlations(part, doubts)
        if finer is not None:
            found, path = better(found, finer), "correlations"
    if doubts(found).any() and source.again:
        rows = chunks(source.blocks_again(), factor_height(len(part.unit)))
        finer = of_factor(factor_of(rows, scatter, columns), doubts)
        found, path = better(found, finer), "two passes"
    found = _of_rank(found, rank)
    return Found(_embedded(found, columns), scatter.mean, scatter.N, path, missing and bool(_zeros(found)))


def _few_rows(X: Array, source: Source, noises: tuple[float, ...]) -> Found:
    """No more rows than columns."""
    N = len(X)
    gram = few_rows.gram_of_whole(X)
    found, mean = few_rows.of_rows(X)
    if not found.values[0] > 0:
        raise InputError("the data are constant (all rows equal); there is no variance to analyse")
    missing = False
    if _zeros(found):
        if gram is not None:
            rank = rank_of_whole(gram)
            missing = rank is None and not certificate_available()
            found = _of_rank(found, rank)
        if source.again and _zeros(found):
            own = few_rows.own_rank(_stacked([np.array(block, dtype=np.float64) for block in source.blocks_again()]))
            found = replace(found, positive=max(found.positive, own))
    return Found(found, mean, N, "few rows", missing)


def _columns(scatter: Scatter, columns: Array) -> Scatter:
    """The Scatter of some of the columns (n,) booleans."""
    if columns.all():
        return scatter
    both = np.ix_(columns, columns)
    return replace(
        scatter,
        S=scatter.S[both],
        unit=scatter.unit[columns],
        spread=scatter.spread[columns],
        shift=scatter.shift[columns],
        offset=scatter.offset[columns],
        whole=None if scatter.whole is None else scatter.whole[both],
    )


def _embedded(found: Spectrum, columns: Array) -> Spectrum:
    """The spectrum of all columns, from that of those that are not constant: zeros without error after it."""
    zeros = np.zeros(int(np.count_nonzero(~columns)))
    basis: Basis = found.basis if columns.all() else Embedded(found.basis, columns)
    values, errors = np.concatenate([found.values, zeros]), np.concatenate([found.errors, zeros])
    return replace(found, values=values, errors=errors, basis=basis)


def _of_rank(found: Spectrum, rank: int | None) -> Spectrum:
    """The spectrum, its rank being known: zeros without error from there on."""
    if rank is None:
        return found
    below = np.arange(len(found.values)) < rank
    values, errors = np.where(below, found.values, 0.0), np.where(below, found.errors, 0.0)
    return replace(found, values=values, errors=errors, positive=rank)


def _zeros(found: Spectrum) -> int:
    """How many eigenvalues cannot be told from 0."""
    return Eigenvalues.measured(found.values, found.errors, found.positive).undecided_zeros


def _doubts(found: Spectrum, divisor: float, noises: tuple[float, ...]) -> Array:
    """Which eigenvalues may be 0, or equal to a neighbour, or equal to a noise: booleans (n,)."""
    spectrum = eigenvalues(found, divisor)
    lam, errors = spectrum.values, spectrum.errors
    doubtful = (lam <= errors) & (errors > 0)
    ties = (lam[1:] == lam[:-1]) & (lam[1:] > 0)
    doubtful[1:] |= ties
    doubtful[:-1] |= ties
    for noise in noises:
        doubtful |= np.abs(lam - noise) <= errors
    return np.asarray(doubtful)


def eigenvalues(found: Spectrum, divisor: float) -> Eigenvalues:
    """The spectrum in the units of the rows divided by `divisor`, zeros and ties settled."""
    fraction, power = math.frexp(divisor)
    # Dividing by the fraction twice rounds twice.
    rounding = 0.0 if fraction == 0.5 else 2 * EPS
    errors = found.errors * (1 + 2 * rounding) + np.abs(found.values) * rounding
    unit = 2 * (found.exponent - power)
    # Only what is out of range anyway vanishes or overflows.
    with np.errstate(over="ignore", under="ignore"):
        values, errors = (np.ldexp(x / fraction / fraction, unit) for x in (found.values, errors))
    return Eigenvalues.measured(values, errors, found.positive)
