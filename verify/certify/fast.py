"""Definiteness from one Cholesky decomposition and no check of it: the fastest way, and one that trusts LAPACK.

Notation   u = 2^-53; gamma_n = n u/(1 - n u); c a shift.
Main       positive_definite.
Reference  docs/mathematics.md, 13.1; [R06] Rump, BIT 46 (2006), 433-452; [H02] Higham, Accuracy and Stability of
           Numerical Algorithms, Theorem 10.3.

If Cholesky of B = fl(A - c I) runs to its end, B > -gamma_(n+2)/(1 - gamma_(n+2)) tr B. Trusted beside IEEE arithmetic:
every entry of R comes from the usual recurrence, its sum in any order, fused or not, divided by its diagonal entry or
multiplied by the rounded reciprocal of that. A library that inverts whole triangular blocks, or multiplies as Strassen
does, breaks this: `checker.rounding.positive_definite` does not care, for it looks at the residual of what it is given.
"""

import math

import numpy as np
from scipy.linalg.lapack import dpotrf

from verify.arrays import Array
from verify.certify.checker.outcome import Outcome, proved, undecided
from verify.certify.checker.rounding import SAFE, TINY, U


@np.errstate(all="ignore")
def positive_definite(A: Array, radius: float = 0.0) -> Outcome:
    """Whether A + E > 0 for all |E|_2 <= radius.  A (n, n) symmetric: what is below its diagonal is not looked at."""
    diagonal, n = A.diagonal(), len(A)
    if not n:
        return proved("there is no such x")
    top = float(diagonal.max())
    if not (diagonal.min() > 0 and top < math.inf and radius >= 0):
        return undecided("an entry of the diagonal is not positive, or no number")
    half = math.frexp(top)[1] // 2
    if abs(half) > 100:
        A, radius = np.ldexp(A, -2 * half), float(np.ldexp(radius, -2 * half))
        top = math.ldexp(top, -2 * half)
    trace = float(A.diagonal().sum())
    shift = SAFE * ((n + 2) * U * trace + 2 * U * top + radius + n * TINY)
    B = A.copy().T  # columns of B are rows of A, as LAPACK wants them
    B.flat[:: n + 1] = A.diagonal() - shift
    R, info = dpotrf(B, lower=1, clean=0, overwrite_a=1)
    # NaN anywhere is NaN on the diagonal.
    if info == 0 and R.diagonal().min() > 0 and shift < math.inf:
        return proved(f"Cholesky of A less {shift:.3g} runs to its end")
    return undecided(f"Cholesky of A less {shift:.3g} does not run to its end")
