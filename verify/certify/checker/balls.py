"""Ball arithmetic: a number known up to a radius, every rounding counted; and the signs of eigenvalues from it.

Notation   a ball holds a real number, a ball matrix a real matrix; what is decided holds for everything in it.
           H (N, N) a ball matrix that holds a symmetric matrix; Z (N, g) holds vectors that this matrix sends to 0.
Main       flint, precision, ball, balls, diagonal; regular, inertia.
Reference  docs/mathematics.md, section 13; Johansson, Arb (IEEE Trans. Comput. 66, 2017); FLINT 3.

A comparison of balls is True only where it holds of all their numbers. False decides nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

from verify.arrays import Array
from verify.errors import InputError

Ball = Any  # python-flint ships no types for its arb and arb_mat


def flint() -> Any:
    """The module python-flint.  Raises InputError where it is missing, or is another package of that name."""
    try:
        import flint as found
    except ImportError:
        found = None
    if not hasattr(found, "arb_mat"):
        raise InputError("certificates of this kind need python-flint: pip install python-flint")
    return found


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Balls of so many bits, inside `with`."""
    context = flint().ctx
    before, context.prec = context.prec, bits
    try:
        yield
    finally:
        context.prec = before


def ball(x: Fraction | float) -> Ball:
    """The ball of an exact number: a double exactly, a fraction within the rounding of a division."""
    x = Fraction(x)
    return flint().arb(x.numerator) / x.denominator


def balls(values: Array, radius: Fraction | float = 0) -> Ball:
    """The ball matrix (n, m) of finite doubles (n, m), each within the radius or farther."""
    spread = ball(radius) * flint().arb(0, 1)
    return flint().arb_mat([[ball(x) + spread for x in row] for row in values.tolist()])


def diagonal(entries: list[Ball]) -> Ball:
    """diag(entries).  -> (n, n)."""
    return flint().arb_mat([[x if i == j else 0 for j in range(len(entries))] for i, x in enumerate(entries)])


def inertia(H: Ball, Z: Ball, V: Ball) -> tuple[int, int, int]:
    """At least so many eigenvalues of the matrix in H are positive, negative and 0.  V (N, m), any vectors.

    V^T H V is definite on those columns of V where its diagonal is positive, and where it is negative, if Gershgorin's
    discs of these parts leave out 0; and definite there, H has as many eigenvalues of that sign (Courant, Fischer).
    Three counts whose sum is N are exact.
    """
    A = V.transpose() * H * V
    signs = {s: [i for i in range(V.ncols()) if s * A[i, i].mid() > 0] for s in (1, -1)}
    up, down = (len(part) if _dominated(A, part, s) else 0 for s, part in signs.items())
    return up, down, Z.ncols() if regular(Z.transpose() * Z) else 0


def _dominated(A: Ball, part: list[int], sign: int) -> bool:
    """Whether sign A_ii d_i > sum of |A_ij| d_j over the others, for all i of the part: sign A is definite there.

    Any d > 0 serves, as the discs of d^-1 A d; here exact numbers near |A_ii|^(-1/2).
    """
    d = {i: abs(A[i, i].mid()).rsqrt().mid() for i in part}
    others = {i: sum((abs(A[i, j]) * d[j] for j in part if j != i), flint().arb(0)) for i in part}
    return all(d[i] > 0 and sign * A[i, i] * d[i] > others[i] for i in part)


def regular(A: Ball) -> bool:
    """Whether the matrix in A (g, g) surely has no null vector."""
    return bool(A.det() != 0)
