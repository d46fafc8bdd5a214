"""From data to the subject of a certificate: their hash, and their covariance within a proven bound.

Notation   x (n,) a row, N of them; S their covariance, divided by N.
Main       of_rows, of_source, of_spectrum.
Reference  docs/mathematics.md, sections 11 and 13.
"""

import hashlib
from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from verify.arrays import Array
from verify.certify.checker.subject import Enclosure, Subject
from verify.data.decomposition.scatter import Scatter
from verify.data.decomposition.steps import Source
from verify.data.decomposition.sums import chunk_height, scatter_of
from verify.data.entries import chunks
from verify.data.rows import Rows
from verify.errors import InputError

LARGEST_DIMENSION = 4096
_KEPT = 1 << 24  # numbers, 128 MB
# Columns 2^500 times smaller than the largest one are taken to be as large as that, within the radius.
_SMALLEST_UNIT = -500


def of_rows(rows: Rows) -> Subject:
    """The subject of rows as they are read, before they are divided by the scale: not held where they are many.

    Raises InputError: what the data are refused for, one row, constant data, too many columns.
    """
    return of_source(rows.source(), *rows.shape)


def of_source(source: Source, N: int, n: int) -> Subject:
    """The same of their source, which yields N rows of n values.  Raises InputError as `of_rows` does."""
    if n > LARGEST_DIMENSION:
        raise InputError(f"the data have {n} columns; certificates are made of at most {LARGEST_DIMENSION}")
    if N < 2:
        raise InputError("the data have one row; a covariance needs at least two")
    digest = hashlib.sha256(f"{N} {n} {float(source.divisor).hex()} ".encode())
    held: list[Array] = []

    def read() -> Iterator[Array]:
        for block in source.blocks():
            # A zero has no sign, whatever the file says.
            values = np.asarray(block, dtype=np.float64) + 0.0
            digest.update(np.ascontiguousarray(values, "<f8").tobytes())
            if N * n <= _KEPT:
                held.append(values)
            yield values

    scatter = scatter_of(chunks(read(), chunk_height(n)))
    if (scatter.N, len(scatter.unit)) != (N, n):
        raise InputError(f"the data were {N} x {n} and are {scatter.N} x {len(scatter.unit)}: they changed meanwhile")
    known = enclosure(scatter, source.divisor)
    return Subject(digest.hexdigest(), n, N, known, np.concatenate(held) if held else None, float(source.divisor))


def of_spectrum(numbers: Sequence[Fraction]) -> Subject:
    """The subject of a bare spectrum, numbers >= 0."""
    ordered = tuple(sorted(numbers, reverse=True))
    digest = hashlib.sha256(" ".join(map(str, ordered)).encode())
    return Subject(digest.hexdigest(), len(ordered), spectrum=ordered)


def enclosure(scatter: Scatter, divisor: float) -> Enclosure:
    """S/divisor^2 in one unit for all columns, and a bound on the spectral norm of what rounding left out of it.

    Raises InputError: constant data.
    """
    varying = scatter.spread > 0  # the others are constant, exactly, and their units mean nothing
    if not varying.any():
        raise InputError("the data are constant (all rows equal); there is no variance to certify anything of")
    e = int(scatter.unit[varying].max())
    w = np.where(varying, np.ldexp(1.0, np.clip(scatter.unit - e, _SMALLEST_UNIT, 0)), 0.0)
    mid = scatter.S * w[:, None] * w
    mid = (mid + mid.T) / 2
    # |dS_ij| <= c sqrt(t_i t_j) is a matrix of rank one, of norm c sum t_i; second orders are at most 4 c of it.
    radius = float(scatter.error * (scatter.spread * w * w).sum()) * (1 + 8 * scatter.error + 1e-9)
    radius += len(w) * 2.0 ** (_SMALLEST_UNIT + 10)
    return Enclosure(mid, radius, Fraction(2) ** (2 * e) / Fraction(divisor) ** 2)
