"""How many eigenvalues of few columns of rows exceed a level, and how many equal it, in whole numbers.

Notation   X (N, n) the rows times a power of two D, whole numbers; S their covariance; A = N X^T X - c c^T, c = X^T 1,
           so that S = A/(N D divisor)^2; level (N D divisor)^2 = num/den, B = den A - num I.
Main       exact_count; NOT_COUNTED.
Reference  docs/mathematics.md, 13.5.

All roots of det(x - B) are real, as B is symmetric; so by Descartes' rule it has exactly as many positive ones as its
coefficients change sign, multiplicities counted, and 0 is a root as often as the last coefficients vanish. This decides
what no bound on rounding can: a noise that equals an eigenvalue, or is one step of doubles beside it.
"""

from fractions import Fraction
from itertools import pairwise

from verify.certify.checker.balls import flint
from verify.certify.checker.subject import Subject

COLUMNS, ENTRIES, BITS, LEVEL_BITS = 64, 1 << 18, 256, 2048  # beyond these it takes more than a few seconds
NOT_COUNTED = f"whole numbers are counted of rows of at most {COLUMNS} columns, {ENTRIES} entries, {BITS} bits each"


def exact_count(subject: Subject, level: Fraction) -> tuple[int, int] | None:
    """So many eigenvalues of S exceed the level, so many equal it; None where that would take long.

    Raises MissingError: python-flint, where sizes do not keep it from deciding.
    """
    rows, n = subject.rows, subject.n
    if rows is None or n > COLUMNS or rows.size > ENTRIES:
        return None
    N, matrix = len(rows), flint().fmpz_mat
    ratios = [x.as_integer_ratio() for x in rows.ravel().tolist()]
    scale = max(below for _, below in ratios)  # all of them are powers of two
    whole = [above * (scale // below) for above, below in ratios]
    bound = level * (N * scale * Fraction(subject.divisor)) ** 2
    if max(map(abs, whole)).bit_length() > BITS or max(map(int.bit_length, bound.as_integer_ratio())) > LEVEL_BITS:
        return None
    X = matrix(N, n, whole)
    c = X.transpose() * matrix(N, 1, [1] * N)
    A = N * (X.transpose() * X) - c * c.transpose()
    B = bound.denominator * A - bound.numerator * matrix(n, n, [int(i == j) for i in range(n) for j in range(n)])
    coefficients = [int(x) for x in B.charpoly().coeffs()]
    signs = [x > 0 for x in coefficients if x]
    return sum(a != b for a, b in pairwise(signs)), next(i for i, x in enumerate(coefficients) if x)
