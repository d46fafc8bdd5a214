"""The sample covariance: eigenvalues with what is known of them, eigenvectors when they are asked for.

Notation   X (N, n) rows; mean (n,); S (n, n) = (1/N) sum (x - mean)(x - mean)^T;
           S = U diag(lam) U^T, lam_1 >= ... >= lam_n >= 0.
Main       Covariance, covariance, from_eigenvalues.
Reference  docs/mathematics.md, section 0 and "Eigenvalues of data"; [TB99] Tipping & Bishop, JRSS-B 61 (1999), Eq. 5.

S is divided by N: with N - 1 the ELBO of a trained model can exceed the "maximum" likelihood.

Eigenvalues computed from data carry an error each, a bound against exact arithmetic on the same rows.  What may be 0
within it is made exactly 0, and neighbours that may be equal exactly equal, once and here; verify.eigenvalues says how.
A bare spectrum is taken at its word.  Of no more rows than columns S is never formed.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from verify.arrays import Array
from verify.data import sampling, spectrum_from_words
from verify.data.decomposition.bases import Axes, Basis, oriented
from verify.data.decomposition.steps import LARGEST_DIMENSION, Found, Source, eigenvalues, of_source
from verify.data.entries import is_matrix
from verify.data.remarks import check_range, remarks
from verify.eigenvalues import Eigenvalues
from verify.errors import InputError


@dataclass(frozen=True, eq=False)
class Covariance:
    """S = U diag(eigenvalues) U^T with eigenvalues (n,) descending; U is computed when it is asked for.

    mean (n,) and N are None for a bare spectrum.  provenance is plain JSON: name, kind, shape, sha256, rows,
    preprocessing, log_scale_jacobian, mean_log_jacobian, seed, path (how the eigenvalues were computed), notes
    (sentences for the reader), image (height, width and channels of a row that is one, in the order of its values
    unless image_order says "channels first"), read (how, in words), columns (their names), column_numbers (where others
    were left out), missing (values and rows, and what was done), as far as they apply.  source: the rows, where they
    can be read again. places: of each row its place (from 0) where it comes from; None where none was left out.
    """

    mean: Array | None
    spectrum: Eigenvalues
    basis: Basis
    N: int | None
    provenance: dict[str, Any] = field(default_factory=dict)
    source: Source | None = None
    places: Array | None = None

    def __repr__(self) -> str:
        name, N = self.provenance.get("name"), "" if self.N is None else f"N={self.N}, "
        lam = ", ".join(f"{value:.6g}" for value in self.eigenvalues[:3]) + (", ..." if self.n > 3 else "")
        return f"<Covariance of {name}: {N}n={self.n}, rank={self.rank}, eigenvalues={lam}>"

    @property
    def n(self) -> int:
        """The dimension of the data."""
        return len(self.spectrum)

    @property
    def eigenvalues(self) -> Array:
        """lam (n,), descending, ties and zeros settled."""
        return self.spectrum.values

    @property
    def rank(self) -> int:
        """The number of eigenvalues that are surely positive."""
        return self.spectrum.rank

    @property
    def resolution(self) -> Array | None:
        """An error bound for each eigenvalue (n,), against exact arithmetic on the same rows; None: a bare spectrum."""
        return None if self.mean is None else self.spectrum.errors

    def leading(self, m: int) -> Array:
        """The first m eigenvectors (n, m), orthonormal, 0 <= m <= n; each with its largest component positive."""
        return oriented(self.basis.leading(m))

    @cached_property
    def eigenvectors(self) -> Array:
        """All of U (n, n), columns u_i.  Raises InputError where that is too large; `leading` gives a part of it."""
        self._check_square()
        return self.leading(self.n)

    def matrix(self) -> Array:
        """S = U diag(lam) U^T (n, n), exactly symmetric.  Raises InputError where that is too large."""
        self._check_square()
        # U sqrt(lam) keeps the product symmetric to the last bit and lam = 1e300 from overflowing on the way.
        half = self.leading(self.rank) * np.sqrt(self.eigenvalues[: self.rank])
        S = half @ half.T
        return (S + S.T) / 2

    def standard_errors(self, m: int) -> Array:
        """The sampling errors of the first m eigenvalues (m,), by another pass over the rows (theory section 8).

        NaN where there is none to speak of: a bare spectrum, rows that could be read only once, eigenvalues that are
        equal to a neighbour or 0.
        """
        if self.source is None or self.mean is None or self.N is None:
            return np.full(m, np.nan)
        lam = self.eigenvalues
        distinct = sampling.simple(lam)[:m]
        C = self.source.divisor
        standardized = lam[:m] if self.provenance.get("preprocessing", {}).get("standardized") else None
        spread = sampling.standard_errors(
            self.source.blocks_again(), self.N, self.mean * C, self.leading(m), standardized
        )
        return np.where(distinct, spread / C / C, np.nan)

    def _check_square(self) -> None:
        if self.n > LARGEST_DIMENSION:
            size = 8 * self.n**2 / 1e9
            raise InputError(
                f"a matrix of {self.n} x {self.n} numbers is needed here, {size:.0f} GB; "
                f"the largest that is formed is {LARGEST_DIMENSION} x {LARGEST_DIMENSION}: leave columns out"
            )


def covariance(
    rows: Array | Iterable[Array], *, provenance: dict[str, Any] | None = None, noises: Iterable[float] = ()
) -> Covariance:
    """The sample covariance (TB99 Eq. 5) of rows (N, n), or of an iterable of blocks (b, n) read once.

    noises: those that will be asked about, so that the eigenvalues are computed accurately enough to tell which of
    them exceed each.  Rows that can be read only once have what one pass over them gives.  Memory O(n^2 + b n), and
    O(N n) if N <= n.  Raises InputError: not numbers, wrong rank, empty, one row, NaN or infinity, constant data,
    blocks of different widths, entries beyond 1e150, variances outside 1e-305 to 1e305, min(N, n) > 32768.
    """
    again = is_matrix(rows)
    return of_rows(Source(lambda: rows, again), dict(provenance or {}), noises)


def of_rows(source: Source, facts: dict[str, Any], noises: Iterable[float]) -> Covariance:
    """The covariance of a source of rows.  Raises InputError as `covariance` does."""
    found: Found = of_source(source, noises)
    check_range(found, source.divisor)
    spectrum = eigenvalues(found.spectrum, source.divisor)
    notes = list(facts.get("notes", [])) + remarks(spectrum, found.without_certificate)
    facts = {**facts, "shape": [found.N, len(spectrum)], "path": found.path, "notes": notes}
    kept = source if source.again else None
    return Covariance(found.mean / source.divisor, spectrum, found.spectrum.basis, found.N, facts, kept)


def from_eigenvalues(eigenvalues: Any, *, provenance: dict[str, Any] | None = None) -> Covariance:
    """A bare spectrum (n,) in any order: S diagonal, no mean, no N, nothing uncertain.

    Numbers are floats, integers, Fractions, or decimals as strings, and stand for exactly the decimal that was written
    (a float: the shortest one that denotes it, in single precision if it is of that).  Raises InputError: not numbers,
    wrong rank, empty, NaN or infinity, negative, all zero, or outside 1e-305 to 1e305.
    """
    spectrum, said = spectrum_from_words.spectrum(eigenvalues)
    facts = {"name": "spectrum", "kind": "eigenvalues", **(provenance or {})}
    notes = [*facts.get("notes", []), *said]
    return Covariance(None, spectrum, Axes(len(spectrum)), None, {**facts, "notes": notes})
