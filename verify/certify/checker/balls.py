"""Ball arithmetic: a number known up to a radius, every rounding counted; and the signs of eigenvalues from it.

Notation   a ball holds a real number, a ball matrix a real matrix; what is decided holds for everything in it.
           H (N, N) a ball matrix that holds a symmetric matrix; Z (N, g) holds vectors that this matrix sends to 0.
Main       flint, precision, ball, balls, diagonal; regular, inertia.
Reference  docs/mathematics.md, 13.2; Johansson, Arb (IEEE Trans. Comput. 66, 2017); FLINT 3.

A comparison of balls is True only where it holds of all their numbers. False decides nothing.
"""

from contextlib import suppress
from fractions import Fraction
from typing import Any

from verify.arrays import Array
from verify.errors import MissingError

Ball = Any  # python-flint ships no types for its arb and arb_mat


def flint() -> Any:
    """The module python-flint.  Raises MissingError where it is missing, or is another package of that name."""
    with suppress(ImportError):
        import flint as found

        if hasattr(found, "arb_mat"):
            return found
    raise MissingError("certificates of this kind need python-flint: pip install python-flint")


def precision(bits: int) -> Any:
    """Balls of so many bits inside `with`, and what there was before behind it."""
    return flint().ctx.workprec(bits)


def ball(x: Fraction | float) -> Ball:
    """The ball of an exact number: a double exactly, a fraction within the rounding of a division."""
    return flint().arb(Fraction(x).numerator) / Fraction(x).denominator


def balls(values: Array, radius: Fraction | float = 0) -> Ball:
    """The ball matrix (n, m) of exact numbers (n, m), each within the radius or farther."""
    spread = ball(radius) * flint().arb(0, 1)
    return flint().arb_mat([[ball(x) + spread for x in row] for row in values.tolist()])


def diagonal(entries: list[Ball]) -> Ball:
    """diag(entries).  -> (n, n)."""
    return flint().arb_mat([[x if i == j else 0 for j in range(len(entries))] for i, x in enumerate(entries)])


def inertia(H: Ball, Z: Ball, V: Ball) -> list[int]:
    """At least so many eigenvalues of the matrix in H are positive, negative and 0.  V (N, m), any vectors.

    V^T H V is definite on the columns of V where its diagonal is positive, and where it is negative, if Gershgorin's
    discs of that part leave out 0; then H has as many eigenvalues of that sign (Courant, Fischer). Counts whose sum is
    N are exact.
    """
    A, counts = V.transpose() * H * V, []
    for B in (A, -A):
        part = [i for i in range(B.nrows()) if B[i, i].mid() > 0]
        d = {i: B[i, i].mid().rsqrt().mid() for i in part}  # any d > 0 serves: the discs are those of B_ij d_j / d_i
        rest = {i: sum((abs(B[i, j]) * d[j] for j in part if j != i), flint().arb(0)) for i in part}
        counts.append(len(part) if all(d[i] > 0 and B[i, i] * d[i] > rest[i] for i in part) else 0)
    return [*counts, Z.ncols() if regular(Z.transpose() * Z) else 0]


def regular(A: Ball) -> bool:
    """Whether the matrix in A (g, g) surely has no null vector."""
    return bool(A.det().is_finite() and A.det() != 0)
