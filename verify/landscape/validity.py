"""Whether a block of the ELBO is stationary, and on which side of zero its zero rows lie, decided exactly.

Notation   a block of k_b columns holds the eigenvalues A and z_b = k_b - |A| zero rows; t_a as in points.py.
Main       row_sign, constants_sign, components, block_status, status.
Reference  theory 3.6, 3.6a.

t_a > sigma2 iff sum_{b in A} sqrt(lam_a lam_b) + z_b lam_a > k_b sigma2, because sqrt(m_b) is the positive root of
k_b y^2 - r y - z_b sigma2, r = sum_A sqrt(lam_b), and exceeds y = sigma2/sqrt(lam_a) iff that is negative there. A zero
row has the curvature (lam_j m_b - sigma2^2)/(m_b sigma2^2) towards a discarded u_j, whose sign, by the same token, is
that of the same expression at lam_j.

Square roots of positive rationals with positive coefficients add up to a rational number only if each root is rational
(the roots of different square-free numbers are linearly independent). So a tie is seen by integer roots, and without
them enough digits tell the sides apart. At learned noise beside zero rows sigma2 solves an equation of its own: there
agreement to 40 digits is a tie.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import fsum, gcd, isqrt, sqrt
from typing import Any, NamedTuple

import mpmath
import numpy as np

from verify.eigenvalues import Eigenvalues
from verify.landscape.noise import Noise
from verify.landscape.points import Block, block_constant
from verify.landscape.units import NONE, STATIONARY, UNDECIDED

# More than the rounding of a sum of square roots, and of a noise found by bisection, as a share of it.
SLACK = 64 * 2.0**-52
DIGITS, TIE = 60, mpmath.mpf(10) ** -40


class Sign(NamedTuple):
    """-1, 0 or 1; undecided: 0 because measured numbers cannot tell."""

    sign: int
    undecided: bool = False


def row_sign(spectrum: Eigenvalues, j: int, block: Block, noise: Noise) -> Sign:
    """The sign of sum_{b in A} sqrt(lam_j lam_b) + z_b lam_j - k_b sigma2."""
    if spectrum.exact is None:
        return _measured_sign(spectrum, j, block, noise)
    left, right = _roots_in_doubles(spectrum.listed, j, block), block.columns * noise.sigma2
    if abs(left - right) > SLACK * (left + right):
        return Sign(1 if left > right else -1)
    if noise.exact is None:
        return Sign(_sign_to_many_digits(spectrum.exact, j, block, noise))
    return Sign(_exact_sign(spectrum.exact, j, block, noise.exact))


def _roots_in_doubles(lam: Sequence[float], j: int, block: Block) -> float:
    # Root by root: a product of two may leave the range of doubles. fsum rounds once, however many there are.
    root = sqrt(lam[j])
    return fsum(root * sqrt(lam[b]) for b in block.eigen) + block.zeros * lam[j]


def _measured_sign(spectrum: Eigenvalues, j: int, block: Block, noise: Noise) -> Sign:
    if spectrum.listed[j] == 0:
        return Sign(-1)
    low, high = noise.bounds or (noise.sigma2, noise.sigma2)
    # Both sides rise with every eigenvalue that they hold.
    least, most = spectrum.ends
    if _roots_in_doubles(least, j, block) * (1 - SLACK) > block.columns * high * (1 + SLACK):
        return Sign(1)
    if _roots_in_doubles(most, j, block) * (1 + SLACK) < block.columns * low * (1 - SLACK):
        return Sign(-1)
    return Sign(0, True)


def _exact_sign(exact: Sequence[Fraction], j: int, block: Block, sigma2: Fraction) -> int:
    products = [exact[j] * exact[b] for b in block.eigen]
    roots = [_rational_root(x) for x in products]
    rest = block.zeros * exact[j] - block.columns * sigma2
    rational = rest + sum(r for r in roots if r is not None)
    irrational = [x for x, r in zip(products, roots, strict=True) if r is None]
    if not irrational:
        return (rational > 0) - (rational < 0)
    digits = 40
    while True:  # ends, because the two sides are not equal
        with mpmath.workdps(digits):
            parts = [mpmath.sqrt(_many(x)) for x in irrational]
            found = mpmath.fsum(parts) + _many(rational)
            if abs(found) > mpmath.mpf(10) ** (10 - digits) * mpmath.fsum(parts):
                return 1 if found > 0 else -1
        digits *= 2


def _sign_to_many_digits(exact: Sequence[Fraction], j: int, block: Block, noise: Noise) -> int:
    with mpmath.workdps(DIGITS):
        lam, sigma2 = _to_many_digits(exact, (block, Block((j,))), noise)
        left = mpmath.fsum(mpmath.sqrt(lam[j] * lam[b]) for b in block.eigen) + block.zeros * lam[j]
        found = left - block.columns * sigma2
        return 0 if abs(found) <= TIE * left else 1 if found > 0 else -1


def _many(x: Fraction) -> Any:
    """x to as many digits as are in use."""
    return mpmath.mpf(x.numerator) / x.denominator


def _rational_root(x: Fraction) -> Fraction | None:
    above, below = isqrt(x.numerator), isqrt(x.denominator)
    return Fraction(above, below) if above**2 == x.numerator and below**2 == x.denominator else None


def _constant(lam: dict[int, Any], block: Block, sigma2: Any) -> Any:
    """m_b of a block to as many digits as are in use; lam: its eigenvalues by their indices, numbers of mpmath."""
    r = mpmath.fsum(mpmath.sqrt(lam[a]) for a in block.eigen)
    return ((r + mpmath.sqrt(r * r + 4 * block.columns * block.zeros * sigma2)) / (2 * block.columns)) ** 2


def _to_many_digits(exact: Sequence[Fraction], blocks: Iterable[Block], noise: Noise) -> tuple[dict[int, Any], Any]:
    """The eigenvalues that these blocks hold and the noise, as numbers of mpmath."""
    if noise.exact is not None:
        sigma2 = _many(noise.exact)
    else:
        sigma2 = noise.digits() if noise.digits is not None else mpmath.mpf(noise.sigma2)
    return {a: _many(exact[a]) for b in blocks for a in b.eigen}, sigma2


def constants_sign(spectrum: Eigenvalues, one: Block, other: Block, noise: Noise) -> Sign:
    """The sign of m_b - m_c for two blocks that exist; a zero column has m = sigma2, which is less than any other."""
    if not one.eigen or not other.eigen:
        return Sign(bool(one.eigen) - bool(other.eigen))
    low, high = noise.bounds or (noise.sigma2, noise.sigma2)
    least, most = spectrum.ends
    # m rises with every eigenvalue that it holds, and with the noise.
    for (x, y), sign in (((one, other), 1), ((other, one), -1)):
        below = block_constant(np.array([least[a] for a in x.eigen]), x.columns, low)
        above = block_constant(np.array([most[a] for a in y.eigen]), y.columns, high)
        if below * (1 - SLACK) > above * (1 + SLACK):
            return Sign(sign)
    if spectrum.exact is None:
        same = [spectrum.listed[a] for a in one.eigen] == [spectrum.listed[a] for a in other.eigen]
        return Sign(0, undecided=not (same and one.columns == other.columns))
    with mpmath.workdps(DIGITS):
        lam, sigma2 = _to_many_digits(spectrum.exact, (one, other), noise)
        m, m_other = _constant(lam, one, sigma2), _constant(lam, other, sigma2)
        return Sign(0 if abs(m - m_other) <= TIE * m else 1 if m > m_other else -1)


class Components(NamedTuple):
    """Of how many minimal blocks one is made: `surely` at most so many, `perhaps` so many fewer."""

    surely: int
    perhaps: int = 0


def components(spectrum: Eigenvalues, block: Block, noise: Noise) -> Components:
    """The components of the graph M_ij != 0 of the representative (theory 3.6) of a block that exists.

    Each of its rotations joins two components, until all scales that are open are m: the largest becomes m, and the
    least their sum less m. So what is open, in order, rises with every t - m, and the ends of these bound it. Where
    each eigenvalue, and the zero row, comes a multiple of `times`, there are so many equal blocks.
    """
    known: Sequence[Any] = spectrum.exact if spectrum.exact is not None else spectrum.listed
    times = gcd(*Counter(known[a] for a in block.eigen).values(), block.zeros)
    one = Block(block.eigen[::times], block.columns // times)
    count = _left_open(*_over_the_mean(spectrum, one, noise))
    if count == 1 or spectrum.exact is None:
        return Components(times * count, times * (count - 1))
    with mpmath.workdps(DIGITS):
        lam, sigma2 = _to_many_digits(spectrum.exact, (one,), noise)
        y = mpmath.sqrt(_constant(lam, one, sigma2))
        over = [mpmath.sqrt(lam[a]) - y for a in one.eigen] + [sigma2 / y - y] * one.zeros
        return Components(times * _left_open(over, over, TIE * y))


def _over_the_mean(spectrum: Eigenvalues, block: Block, noise: Noise) -> tuple[list[float], list[float], float]:
    """The least and the most of (t - m)/sqrt(m), the zero rows last, and more than the rounding of their sums."""
    low, high = noise.bounds or (noise.sigma2, noise.sigma2)
    least, most = ([lam[a] for a in block.eigen] for lam in spectrum.ends)
    # m rises with every eigenvalue that it holds, and with the noise.
    below = sqrt(block_constant(np.array(least), block.columns, low))
    above = sqrt(block_constant(np.array(most), block.columns, high))
    lower = [sqrt(x) - above for x in least] + [low / above - above] * block.zeros
    upper = [sqrt(x) - below for x in most] + [high / below - below] * block.zeros
    return lower, upper, SLACK * block.columns * sqrt(max(most))


def _left_open(least: list[Any], most: list[Any], tie: Any) -> int:
    """How many are open when all may be 0, at most.  least, most: of numbers not all 0, whose sum is 0."""
    least, most = sorted(least), sorted(most)
    while len(least) > 1:
        least, most = (sorted([over[0] + over[-1], *over[1:-1]]) for over in (least, most))
        if least[-1] <= tie and most[0] >= -tie:
            break
    return len(least)


def block_status(block: Block, spectrum: Eigenvalues, noise: Noise) -> int:
    """Whether such a stationary block exists (all t_a > sigma2) and is no mere set of orthogonal columns.

    A block of several columns without zero rows and with equal eigenvalues is orthogonal: single columns give it.
    """
    if not block.eigen:
        return STATIONARY
    if block.columns == 1:
        return _single(block.eigen[0], noise)
    known: Sequence[Any] = spectrum.exact if spectrum.exact is not None else spectrum.values
    held = [known[a] for a in block.eigen]
    if not block.zeros and min(held) == max(held):
        return NONE
    least = row_sign(spectrum, block.eigen[-1], block, noise)
    return STATIONARY if least.sign > 0 else UNDECIDED if least.undecided else NONE


def _single(a: int, noise: Noise) -> int:
    at = noise.position
    if a < at.above:
        return STATIONARY
    return UNDECIDED if at.undecided and a < at.above + at.level else NONE


def status(blocks: Iterable[Block], spectrum: Eigenvalues, noise: Noise) -> int:
    """NONE if one of the blocks surely is none, STATIONARY if all surely are."""
    found = {block_status(b, spectrum, noise) for b in blocks}
    return NONE if NONE in found else UNDECIDED if UNDECIDED in found else STATIONARY
