"""From data to the subject of a certificate: their hash, and their covariance within a proven bound.

Notation   x (n,) a row, N of them; S their covariance, divided by N.
Main       of_rows, of_spectrum.
Reference  docs/mathematics.md, sections 11 and 13.
"""

import hashlib
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from verify.certify.checker.subject import Enclosure, Subject
from verify.data.decomposition.scatter import Scatter
from verify.data.decomposition.steps import Source
from verify.data.decomposition.sums import chunk_height, scatter_of
from verify.data.entries import chunks
from verify.data.rows import Rows


def of_rows(rows: Rows) -> Subject:
    """The subject of rows as they are read, before they are divided by the scale.  Raises InputError."""
    return of_source(rows.source())


def of_source(source: Source) -> Subject:
    """The same of their source."""
    whole = np.concatenate([np.asarray(block, dtype=np.float64) for block in source.blocks()])
    N, n = whole.shape
    digest = hashlib.sha256(
        f"{N} {n} {float(source.divisor).hex()} ".encode() + np.ascontiguousarray(whole, "<f8").tobytes()
    )
    scatter = scatter_of(chunks(iter([whole]), chunk_height(n)))
    return Subject(digest.hexdigest(), n, N, enclosure(scatter, source.divisor), whole, source.divisor)


def of_spectrum(numbers: Sequence[Fraction]) -> Subject:
    """The subject of a bare spectrum."""
    ordered = tuple(sorted(numbers, reverse=True))
    digest = hashlib.sha256(" ".join(map(str, ordered)).encode())
    return Subject(digest.hexdigest(), len(ordered), spectrum=ordered)


def enclosure(scatter: Scatter, divisor: float) -> Enclosure:
    """S/divisor^2 in one unit for all columns, and a bound on the spectral norm of what rounding left out of it."""
    # Bounds |dS_ij| <= c sqrt(t_i t_j) are those of a matrix of rank one, whose norm is c sum t_i.
    e = int(scatter.unit.max())
    w = np.ldexp(1.0, np.maximum(scatter.unit - e, -500))
    mid = scatter.S * w[:, None] * w
    mid = (mid + mid.T) / 2
    radius = float(scatter.error * (scatter.spread * w * w).sum()) * (1 + 1e-9) + len(w) * 2.0**-490
    return Enclosure(mid, radius, Fraction(2) ** (2 * e) / Fraction(divisor) ** 2)
