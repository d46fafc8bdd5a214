"""What the checker asks for and does not believe: whatever comes back from here is multiplied out and looked at.

Main       factor.
"""

from scipy.linalg.lapack import dpotrf

from verify.arrays import Array

_U = 2.0**-53


def factor(A: Array, radius: float = 0.0) -> Array | None:
    """R (n, n), A - R^T R about (radius + rounding) I: LAPACK's Cholesky factor, or None.  A (n, n) is written over."""
    B = A.T  # LAPACK's columns are rows of A
    B.flat[:: len(A) + 1] -= 2 * (len(A) + 4) * _U * float(A.trace()) + 1.00001 * radius
    R, info = dpotrf(B, lower=1, clean=1, overwrite_a=1)
    return R.T if info == 0 else None
