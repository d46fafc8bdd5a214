"""What floating point can prove: matrix products with a bound on their rounding, and definiteness from a residual.

Notation   u = 2^-53; gamma_n = n u/(1 - n u); |A|_F the Frobenius norm, never below the spectral norm |A|_2.
Main       product, positive_definite; norm.
Reference  docs/mathematics.md, 13.1; [R06] Rump, BIT 46 (2006), verification of positive definiteness.

Trusted: the operations of IEEE double precision round to nearest, and whoever multiplies matrices sums every entry's n
products, in any order, fused or not: |fl(A B) - A B| <= gamma_n |A||B| + n 2^-1022 entry by entry. Bounds are sums of
products of numbers >= 0; SAFE pays for all their own roundings. NaN and infinity make every bound fail to be smaller.
"""

import math

import numpy as np

from verify.arrays import Array
from verify.certify import aids
from verify.certify.checker.outcome import Outcome, proved, undecided

U = 2.0**-53
SAFE = 1 + 2.0**-20
TINY = 2.0**-500


def norm(A: Array) -> float:
    """At least |A|_F, and that by 2^-22 of it: so much the sum of fewer than 2^30 squares cannot lose."""
    x = A.ravel(order="K")
    return float(np.sqrt(x @ x) * SAFE) + float(x.size * TINY)


def product(A: Array, B: Array) -> tuple[Array, float]:
    """fl(A B), and a bound on |fl(A B) - A B|_F: gamma_n |A|_F |B|_F.  (m, n), (n, p) -> (m, p)."""
    return A @ B, SAFE * A.shape[1] * U * norm(A) * norm(B) + A.size * TINY


@np.errstate(all="ignore")
def positive_definite(A: Array, radius: float = 0.0, R: Array | None = None) -> Outcome:
    """Whether x^T (A + E) x > 0 for all x other than 0 and all |E|_2 <= radius.  A (n, n); R (p, n) from anybody.

    A = R^T R + c I + D, so it holds where |D|_2 + radius < c.  A need not be symmetric: |D + D^T|_2 / 2 <= |D|_F. Its
    entries are of size 1, or not far from it: what underflows is lost in TINY.
    """
    if not len(A):
        return proved("there is no such x")
    R = aids.factor(A.copy(), radius) if R is None else R
    if R is None or (R.shape[1:], R.dtype, A.dtype) != (A.shape[1:], np.float64, np.float64):
        return undecided("no Cholesky factor is known, of its shape and of doubles")
    P, error = product(R.T, R)
    D = np.subtract(A, P, out=P)
    c = float(D[0, 0])
    D.flat[:: len(D) + 1] -= c
    left = SAFE * (norm(D) + 3 * U * abs(c) + error + radius + len(A) * TINY)
    if radius >= 0 and left < c < math.inf:
        return proved(f"it exceeds R^T R by {c:.3g} but for {left:.3g}")
    return undecided(f"it exceeds R^T R by {c:.3g}, but for {left:.3g}")
