"""How many eigenvalues of few columns of rows exceed a level, and how many equal it, in whole numbers.

Notation   X (N, n) the rows times a power of two D, whole numbers; S their covariance; A = N X^T X - c c^T, c = X^T 1,
           so that S = A/(N D divisor)^2; level = num/den (N D divisor)^-2, B = den A - num I.
Main       exact_count; lacks_flint.
Reference  docs/mathematics.md, 13.5.

All roots of det(x - B) are real, as B is symmetric; so by Descartes' rule it has exactly as many positive ones as its
coefficients change sign, multiplicities counted, and 0 is a root as often as the last coefficients vanish. This decides
what no bound on rounding can: a noise that equals an eigenvalue, or is one step of doubles beside it.
"""

from fractions import Fraction
from itertools import pairwise

from verify.arrays import Array
from verify.certify.checker.balls import flint
from verify.errors import InputError

# Beyond that it takes more than a second.
COLUMNS, ENTRIES, BITS = 64, 1 << 18, 256


def exact_count(rows: Array, divisor: float, level: Fraction) -> tuple[int, int] | None:
    """So many eigenvalues of S exceed the level, so many equal it.  rows (N, n), to be divided by the divisor.

    None where that would take long, or python-flint is missing.
    """
    N, n = rows.shape
    if n > COLUMNS or rows.size > ENTRIES or lacks_flint(rows):
        return None
    matrix = flint().fmpz_mat
    ratios = [x.as_integer_ratio() for x in rows.ravel().tolist()]
    scale = max(below for _, below in ratios)
    whole = [above * (scale // below) for above, below in ratios]
    if max(map(abs, whole)).bit_length() > BITS:
        return None
    X = matrix(N, n, whole)
    c = X.transpose() * matrix(N, 1, [1] * N)
    A = N * (X.transpose() * X) - c * c.transpose()
    bound = level * (N * scale * Fraction(divisor)) ** 2
    B = bound.denominator * A - bound.numerator * matrix(n, n, [int(i == j) for i in range(n) for j in range(n)])
    coefficients = [int(x) for x in B.charpoly().coeffs()]
    signs = [x > 0 for x in coefficients if x]
    return sum(a != b for a, b in pairwise(signs)), next(i for i, x in enumerate(coefficients) if x)


def lacks_flint(rows: Array) -> bool:
    """Whether these rows are not counted because python-flint is missing, and for no other reason."""
    if rows.shape[1] > COLUMNS or rows.size > ENTRIES:
        return False
    try:
        flint()
    except InputError:
        return True
    return False
