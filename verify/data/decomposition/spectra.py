"""From the sums over rows to eigenvalues, each with an error of its own.

Notation   S (n, n) in the units of a Scatter, S_ii in [1/4, 1) as if it were a correlation; w (n,) what a unit of each
           column is in common units; the covariance is diag(w) S diag(w); R (n, n) with S = R^T R;
           sigma_j = lam_j^{1/2} the singular values of R diag(w); eps = 2^-52, u = eps/2.
Main       Spectrum, direct, of_correlations, Factor, of_factor, better.
Reference  docs/mathematics.md, "Eigenvalues of data"; [DV92] Demmel & Veselic, SIAM J. Matrix Anal. 13 (1992), 2.3;
           [DV08] Drmac & Veselic, SIAM J. Matrix Anal. 29 (2008): one-sided Jacobi (LAPACK's dgejsv).

A perturbation of S of norm e moves every eigenvalue by at most e (Weyl), which is much for the small ones; but if it is
small beside the smallest eigenvalue mu of S in its own units, it moves lam_j by at most (e/mu) lam_j however far the
columns lie apart [DV92]. Likewise R, with sigma_min(R). Both bounds hold; the smaller one is used for each eigenvalue.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from verify.arrays import Array
from verify.data.decomposition.bases import Basis, FactorBasis, MatrixBasis
from verify.data.decomposition.lapack import jacobi_values, singular_values
from verify.data.decomposition.scatter import EPS, UNIT_ROUNDOFF, Scatter

_JACOBI_IS_CHEAP = 64  # columns
_HEADROOM = 450


@dataclass(frozen=True, eq=False)
class Spectrum:
    """values (n,), descending, in units of 4^exponent, each within its error; at least `positive` are surely > 0."""

    values: Array
    errors: Array
    exponent: int
    positive: int
    basis: Basis


# Which of the n eigenvalues the errors leave something to be asked about.
Doubts = Callable[[Spectrum], Array]


def solver_error(n: int) -> float:
    """What LAPACK's eigenvalues and singular values of n x n matrices may be wrong by, beside the norm.

    Its backward error grows like sqrt(n) eps in practice; docs/mathematics.md says how far below this it was found.
    """
    return (n + 10) * EPS


def direct(scatter: Scatter) -> Spectrum:
    """The eigenvalues of the covariance itself, with one bound for all of them."""
    w, exponent = common_units(scatter.unit)
    A = scatter.S * w[:, None] * w
    values = np.linalg.eigvalsh(A)[::-1]
    data = scatter.error * float(np.sum(scatter.spread * w * w))
    error = data + solver_error(len(w)) * float(np.abs(values).max())
    return Spectrum(values, np.full(len(w), error), exponent, 0, MatrixBasis(A))


def of_correlations(scatter: Scatter, doubts: Doubts) -> Spectrum | None:
    """The eigenvalues through a Cholesky factor of S in its own units; None where S may be singular there."""
    n = len(scatter.unit)
    own = np.linalg.eigvalsh(scatter.S)
    # Cholesky's backward error is at most (n + 2) u |R^T||R|, of norm at most (n + 2) u tr S.
    moved = scatter.error * float(scatter.spread.sum()) + (n + 2) * UNIT_ROUNDOFF * float(scatter.S.trace())
    smallest = float(own[0]) - solver_error(n) * float(own[-1]) - moved
    if smallest <= 2 * moved:
        return None
    R = np.linalg.cholesky(scatter.S).T
    return of_factor(Factor(R, scatter.unit, np.inf, moved / smallest, np.sqrt(smallest), n), doubts)


@dataclass(frozen=True, eq=False)
class Factor:
    """R (n, n) upper triangular with columns of norm about 1: the covariance is diag(2^unit) R^T R diag(2^unit).

    It is wrong by so little that each sigma, in common units, moves by at most `absolute`, and each lam by `relative`
    of itself. sigma_min(R) is at least `smallest` (0: unknown); at least `positive` singular values are surely > 0.
    """

    R: Array
    unit: Array
    absolute: float
    relative: float
    smallest: float
    positive: int

    def error(self, sigma: Array) -> Array:
        """What this adds to the error of lam = sigma^2 (n,)."""
        absolute = squared(sigma, self.absolute)
        return np.minimum(absolute, self.relative * sigma * sigma) if np.isfinite(self.relative) else absolute

    def jacobi(self) -> float:
        """The relative error of each sigma by one-sided Jacobi [DV08].

        As if every column of R had been changed by a small multiple of n eps of its length.
        """
        return 2 * solver_error(len(self.R)) * float(np.linalg.norm(self.R)) / self.smallest


def of_factor(factor: Factor, doubts: Doubts) -> Spectrum:
    """The squared singular values of R diag(2^unit) with LAPACK's usual solver; where that settles less, Jacobi's."""
    n = len(factor.unit)
    w, exponent = common_units(factor.unit)
    A = np.asfortranarray(factor.R * w)
    sigma = singular_values(A)
    errors = factor.error(sigma) + squared(sigma, solver_error(n) * float(sigma[0]))
    usual = Spectrum(sigma * sigma, errors, exponent, factor.positive, FactorBasis(A))
    if not factor.smallest > 0:
        return usual
    moved = factor.jacobi()
    relative = factor.error(sigma) + 2.2 * moved * sigma * sigma
    # On many columns it takes long: only where it says more of what is in doubt.
    if moved > 0.1 or (n > _JACOBI_IS_CHEAP and not np.any(doubts(usual) & (relative < errors / 2))):
        return usual
    accurate = jacobi_values(A)
    if accurate is None:
        return usual
    sigma = accurate
    # What has vanished on the way has no relative error.
    errors = np.where(sigma * sigma > 0, factor.error(sigma) + 2.2 * moved * sigma * sigma, np.inf)
    return better(usual, Spectrum(sigma * sigma, errors, exponent, factor.positive, usual.basis))


def squared(sigma: Array, error: float) -> Array:
    """The error of sigma^2 if that of sigma is `error`."""
    return error * (2 * sigma + error)


def better(a: Spectrum, b: Spectrum) -> Spectrum:
    """Of two spectra in the same units, each eigenvalue with the smaller error; the basis of b."""
    take = b.errors < a.errors
    return replace(
        b,
        values=np.where(take, b.values, a.values),
        errors=np.where(take, b.errors, a.errors),
        positive=max(a.positive, b.positive),
    )


def common_units(unit: Array) -> tuple[Array, int]:
    """w (n,) and e with 2^unit = 2^e w."""
    # At the upper end of what can be squared: columns may lie 300 decades apart.
    e = int(unit.max()) - _HEADROOM
    return np.ldexp(1.0, np.maximum(unit - e, -1074)), e
