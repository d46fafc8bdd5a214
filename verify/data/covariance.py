"""The sample covariance and its eigendecomposition.

Notation   X (N, n) rows; mean (n,); S (n, n) = (1/N) sum (x - mean)(x - mean)^T;
           S = U diag(lam) U^T, lam_1 >= ... >= lam_n >= 0; eps = 2^-52.
Main       Covariance, covariance, from_eigenvalues, settle.
Reference  docs/mathematics.md, section 0; [TB99] Tipping & Bishop, JRSS-B 61 (1999), Eq. 5; [JQV06] Joffrain, Low,
           Quintana-Orti, van de Geijn & Van Zee, ACM TOMS 32 (2006): accumulating Householder transformations.

S is divided by N: with N - 1 the ELBO of a trained model can exceed the "maximum" likelihood.

Eigenvalues computed from data carry a rounding error.  Below `resolution` = max(n, N) eps lam_1 they are
made exactly 0, and those closer to each other than that exactly equal, once and here, so that everything
downstream can count ranks and ties by exact comparison.  A bare spectrum is taken at its word (resolution 0).

Of few rows, N <= n/2, S is never formed: with (X - mean)^T = Q R and R/sqrt(N) = A diag(s) B^T, Q complete, it has
the eigenvectors Q diag(A, I) and the eigenvalues s^2 and n - N zeros. At n = 12288 that is minutes saved.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import reduce
from itertools import chain
from typing import Any

import numpy as np

from verify.arrays import Array
from verify.checks import LARGEST_VARIANCE, SMALLEST_VARIANCE
from verify.data.moments import Moments, centred, merge, moments
from verify.eigenvalues import Eigenvalues
from verify.errors import InputError

# S, its eigenvectors and the work space of the eigensolver: about 25 GB at this size.
LARGEST_DIMENSION = 32768
LARGEST_ENTRY = 1e150


@dataclass(frozen=True, eq=False)
class Covariance:
    """S = U diag(eigenvalues) U^T with eigenvalues (n,) descending, U = eigenvectors (n, n), columns u_i.

    mean (n,) and N are None for a bare spectrum.  provenance is plain JSON: name, kind, shape, sha256, rows,
    preprocessing, log_scale_jacobian, mean_log_jacobian, seed, notes (sentences for the reader), as far as they apply.
    standard_errors(m) -> (m,): sampling errors of the leading eigenvalues, NaN where unknown; None: a bare spectrum.
    """

    mean: Array | None
    spectrum: Eigenvalues
    eigenvectors: Array
    N: int | None
    provenance: dict[str, Any] = field(default_factory=dict)
    standard_errors: Callable[[int], Array] | None = None

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

    def matrix(self) -> Array:
        """S = U diag(lam) U^T (n, n), exactly symmetric."""
        # U sqrt(lam) keeps the product symmetric to the last bit and lam = 1e300 from overflowing on the way.
        half = self.eigenvectors * np.sqrt(self.eigenvalues)
        S = half @ half.T
        return (S + S.T) / 2


def covariance(rows: Array | Iterable[Array], *, provenance: dict[str, Any] | None = None) -> Covariance:
    """The sample covariance (TB99 Eq. 5) of rows (N, n), or of an iterable of blocks (b, n) read once.

    Memory O(n^2 + b n).  Raises InputError: not numbers, wrong rank, empty, one row, NaN or infinity,
    constant data, blocks of different widths, entries beyond 1e150, variances outside 1e-305 to 1e305.
    """
    found = _rows_or_moments(_checked_blocks(rows))
    decomposed = _decomposed if isinstance(found, Moments) else _decomposed_rows
    return decomposed(found, dict(provenance or {}))


def from_eigenvalues(eigenvalues: Any, *, provenance: dict[str, Any] | None = None) -> Covariance:
    """A bare spectrum (n,) in any order: S diagonal, no mean, no N, resolution 0.

    Raises InputError: not numbers, wrong rank, empty, NaN or infinity, negative, all zero, or outside 1e-305
    to 1e305.
    """
    try:
        given = np.asarray(eigenvalues)
    except ValueError:
        raise InputError("the eigenvalues are not a list of numbers; write them side by side") from None
    if given.dtype.kind not in "biuf":
        raise InputError(f"the eigenvalues are of type {given.dtype}, not real numbers")
    if given.ndim != 1 or given.size == 0:
        raise InputError(f"the eigenvalues have shape {given.shape}; give a non-empty list of numbers")
    for i, value in enumerate(map(float, given), start=1):
        if not math.isfinite(value):
            raise InputError(f"eigenvalue {i} is {value}; every eigenvalue must be a finite number")
        if value < 0:
            raise InputError(f"eigenvalue {i} is {value:g}; a covariance has no negative eigenvalue")
    facts = {"name": "spectrum", "kind": "eigenvalues", **(provenance or {})}
    notes = list(facts.get("notes", []))
    lam = np.sort(given.astype(np.float64))[::-1] + 0.0  # + 0.0 turns -0.0 into 0.0
    _check_range(lam, "the eigenvalues")
    if not np.array_equal(lam, given):
        notes.append("the eigenvalues were not in descending order and have been sorted")
    return Covariance(None, Eigenvalues.of(lam), np.eye(lam.size), None, {**facts, "notes": notes})


def settle(eigenvalues: Array, resolution: float) -> Array:
    """Descending eigenvalues (n,) with zeros and ties made exact.

    Values at or below `resolution` become 0; each run of values with steps of at most `resolution` becomes
    its mean.  Different values of the result differ by more than `resolution`.
    """
    lam = np.sort(np.asarray(eigenvalues, dtype=np.float64))[::-1].copy()
    lam[lam <= resolution] = 0.0
    ends = np.flatnonzero(lam[:-1] - lam[1:] > resolution) + 1
    for run in np.split(lam, ends):
        # Around its first value: the mean of equal values is then that value, to the bit.
        run[:] = run[0] + np.mean(run - run[0])
    return lam


def _rows_or_moments(blocks: Iterator[Array]) -> Array | Moments:
    """All the rows (N, n) if N <= n/2, else their moments.  Raises InputError for a single row."""
    held: list[Array] = []
    count = 0
    for X in blocks:
        count += len(X)
        if 2 * count > X.shape[1]:
            total = reduce(merge, map(moments, chain(held, [X], blocks)))
            if total.count < 2:
                break
            return total
        held.append(X.copy())  # whoever yields blocks may write the next one to the same place
    if count < 2:
        raise InputError("the data have one row; a covariance needs at least two")
    return np.concatenate(held)


def _decomposed(total: Moments, facts: dict[str, Any]) -> Covariance:
    """The covariance of these moments."""
    values, vectors = np.linalg.eigh(total.scatter / total.count)
    return _settled(values[::-1], vectors[:, ::-1], total.count, total.mean, total.exponent, facts)


def _decomposed_rows(X: Array, facts: dict[str, Any]) -> Covariance:
    """The covariance of these rows (N, n), N < n, through their singular values."""
    N, n = X.shape
    c = centred(X)
    Q, R = _complete_qr(c.deviations.T)
    A, s, _ = np.linalg.svd(R / math.sqrt(N))
    Q[:, :N] = Q[:, :N] @ A
    return _settled(np.concatenate([s * s, np.zeros(n - N)]), Q, N, c.mean, c.exponent, facts)


def _complete_qr(D: Array) -> tuple[Array, Array]:
    """D (n, N) = Q[:, :N] R with all of Q (n, n) orthogonal.

    The product of the reflectors I - tau v v^T as I - V T V^T, 1/T = triu(V^T V, 1) + diag(1/tau) [JQV06, Sec. 4]: two
    products, where LAPACK's own passes over (n, n) once for every 32 reflectors.
    """
    n, N = D.shape
    packed, tau = np.linalg.qr(D, mode="raw")
    V = np.tril(packed.T, -1)
    V[np.arange(N), np.arange(N)] = 1
    V[:, tau == 0] = 0  # no reflection: D was 0 from there on
    inverse = np.triu(V.T @ V, 1) + np.diag(1 / np.where(tau == 0, 1, tau))
    Q = V @ np.linalg.solve(inverse, -V.T)
    Q[np.arange(n), np.arange(n)] += 1
    return Q, np.triu(packed.T[:N])


def _settled(values: Array, vectors: Array, N: int, mean: Array, exponent: int, facts: dict[str, Any]) -> Covariance:
    """The covariance with these eigenvalues, descending, in units of 4^exponent: settled, then scaled back."""
    n = len(values)
    if not values[0] > 0:
        raise InputError("the data are constant (all rows equal); there is no variance to analyse")
    resolution = max(n, N) * np.finfo(np.float64).eps * values[0]
    lam = settle(values, resolution)
    _check_range(lam, "the variances of the data", 2 * exponent)
    unit = math.ldexp(1.0, 2 * exponent)
    lam = lam * unit
    notes = list(facts.get("notes", []))
    if lam[-1] == 0:
        zeros = int(np.count_nonzero(lam == 0))
        notes.append(f"{zeros} of {n} eigenvalues lie within the rounding error {resolution * unit:.2g} and count as 0")
    facts = {**facts, "shape": [N, n], "notes": notes}
    # So far one bound for all: to become one of each eigenvalue's own.
    spectrum = Eigenvalues(lam, np.full(n, resolution * unit), None)
    return Covariance(mean, spectrum, _oriented(vectors), N, facts)


def _oriented(vectors: Array) -> Array:
    """Each column with the sign that makes its component of largest magnitude positive."""
    rows = np.argmax(np.abs(vectors), axis=0)
    signs = np.where(vectors[rows, np.arange(vectors.shape[1])] < 0, -1.0, 1.0)
    return np.ascontiguousarray(vectors * signs)


def _check_range(lam: Array, what: str, exponent: int = 0) -> None:
    """Raises InputError unless some of 2^exponent lam (n,) are positive and those are usable variances."""
    positive = lam[lam > 0]
    if positive.size == 0:
        raise InputError(f"{what} are all zero; there is no variance to analyse")
    # By decimal logarithms: 2^exponent lam itself may vanish or overflow, and must not do so unnoticed.
    low, high = (math.log10(value) + exponent * math.log10(2) for value in (positive.min(), positive.max()))
    if low < math.log10(SMALLEST_VARIANCE) or high > math.log10(LARGEST_VARIANCE):
        raise InputError(
            f"{what} run from about 1e{low:.0f} to 1e{high:.0f}, outside {SMALLEST_VARIANCE:g} to "
            f"{LARGEST_VARIANCE:g}; multiply the data by a constant"
        )


def _checked_blocks(rows: Array | Iterable[Array]) -> Iterator[Array]:
    """Non-empty finite float64 blocks (b, n), all of one width.  Raises InputError."""
    start, width = 0, None
    for block in [rows] if hasattr(rows, "dtype") or _is_nested_list(rows) else rows:
        X = real_matrix(block)
        if width is not None and X.shape[1] != width:
            raise InputError(f"row {start + 1} has {X.shape[1]} columns, the rows before it {width}")
        width = X.shape[1]
        if len(X):
            X = X.astype(np.float64, copy=False)
            check_entries(X, start)
            yield X
        start += len(X)
    if start == 0:
        raise InputError("the data are empty; give at least two rows")


def real_matrix(rows: Any, what: str = "the data") -> Array:
    """`rows` as a real matrix (N, n) with n >= 1, nothing converted yet.  Raises InputError."""
    try:
        X = rows if hasattr(rows, "dtype") else np.asarray(rows)
    except ValueError:
        raise InputError(f"{what} are not a table of numbers: its rows have different lengths") from None
    if X.dtype.kind not in "biuf":
        raise InputError(f"{what} are of type {X.dtype}, not real numbers; save them as float64")
    if X.size == 0 and X.shape[1:] != X.shape[-1:]:
        raise InputError(f"{what} are empty (shape {X.shape}); give a matrix with one row per datum")
    if X.ndim != 2:
        raise InputError(f"{what} have shape {X.shape}; give a matrix with one row per datum (reshape(N, -1))")
    if X.shape[1] == 0:
        raise InputError(f"{what} are empty (shape {X.shape}); give at least one column")
    if X.shape[1] > LARGEST_DIMENSION:
        raise InputError(
            f"{what} have {X.shape[1]} columns, more than {LARGEST_DIMENSION}; are rows and columns exchanged?"
        )
    return X


def check_entries(X: Array, start: int = 0) -> None:
    """Raises InputError, with row (`start` rows came before) and column, unless all of X (b, n) is usable."""
    low, high = X.min(), X.max()  # NaN propagates through both
    if low >= -LARGEST_ENTRY and high <= LARGEST_ENTRY:
        return
    row, column = np.argwhere(~(np.abs(X) <= LARGEST_ENTRY))[0]
    value, place = X[row, column], f"at row {start + row + 1}, column {column + 1}"
    if np.isnan(value):
        raise InputError(f"NaN {place}; remove or fill in missing values first")
    if np.isinf(value):
        raise InputError(f"infinity {place}; every entry must be finite")
    raise InputError(f"{value:.3g} {place} is beyond {LARGEST_ENTRY:g}; divide the data by a constant")


def _is_nested_list(rows: Any) -> bool:
    """Whether rows is a plain list of lists of numbers, one matrix, rather than a list of blocks."""
    return isinstance(rows, (list, tuple)) and not any(np.ndim(row) == 2 for row in rows)
