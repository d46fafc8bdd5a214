"""All families of stationary points of the linear VAE's ELBO, non-orthogonal ones included.

Notation   lam (n,) descending; a family is a set of disjoint blocks (points.py), filled up with zero columns to k.
Main       fixed_noise_families, learned_noise_families (all of them; best_families.py finds the best of many),
           every_family (with how many more there may be), candidates (how many before validity is asked), solve_noise,
           family.
Reference  theory 3.6. Families that differ by the order or the signs of columns, or by the rotation Q_b, are one.

Validity is decided as in validity.py: of typed eigenvalues exactly, of measured ones a family is listed if it surely
exists. At k = n and learned noise, families that hold all n eigenvalues are curves: one point of the curve of maxima is
listed (stationary.py), the curves of saddles are left out.
"""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from functools import partial
from itertools import combinations
from math import comb, fsum, inf
from typing import Any

import mpmath
import numpy as np

from verify.arrays import Array
from verify.eigenvalues import Eigenvalues, Position
from verify.landscape.noise import TRUSTED, Noise, given, mean_of
from verify.landscape.points import Block, Point, block_constant, block_gap, ordered, value_at
from verify.landscape.stationary import curve_end, on_curve
from verify.landscape.units import NONE, STATIONARY
from verify.landscape.validity import DIGITS, TIE, status


def _structures(n: int, k: int, first: int = 0, taken: frozenset[int] = frozenset()) -> Iterator[tuple[Block, ...]]:
    """Every set of disjoint non-empty blocks of at most k columns, each once: ordered by their least index."""
    yield ()
    for a in range(first, n):
        if a in taken:
            continue
        rest = [i for i in range(a + 1, n) if i not in taken]
        for q in range(1, k + 1):
            for others in combinations(rest, q - 1):
                held = (a, *others)
                for columns in range(q, k + 1):
                    for tail in _structures(n, k - columns, a + 1, taken | set(held)):
                        yield (Block(held, columns), *tail)


def candidates(n: int, k: int) -> int:
    """The number of structures for n distinct eigenvalues before any is asked to be valid.

    q indices out of n, set out in j blocks (a Stirling number S(q, j) of ways), and up to k - q zero rows handed out to
    the blocks (C(k - q + j, j) ways).
    """
    total = 0
    stirling = [1]  # S(q, 0), ..., S(q, q)
    for q in range(min(n, k) + 1):
        total += comb(n, q) * sum(ways * comb(k - q + j, j) for j, ways in enumerate(stirling))
        above = [*stirling[1:], 0]
        stirling = [0, *(j * above[j - 1] + before for j, before in enumerate(stirling, start=1))]
    return total


def family(blocks: Iterable[Block], k: int, lam: Array | Eigenvalues, noise: Noise) -> Point:
    """The family as a Point, with its value P and its gap."""
    filled, lam, sigma2 = ordered(blocks, k), Eigenvalues.of(lam).values, noise.sigma2
    gap = fsum(block_gap(lam[list(b.eigen)], b.columns, sigma2) for b in filled)
    return Point("elbo", filled, sigma2, value_at(filled, lam, sigma2), gap, noise)


def best_to_worst(points: Iterable[Point]) -> list[Point]:
    """By falling value; ties by the blocks, so that the order is reproducible: what retains more comes first."""
    return sorted(points, key=lambda p: (-p.value, [((*b.eigen, inf), b.columns) for b in p.blocks]))


def noise_equation(blocks: Iterable[Block], k: int, lam: Array, sigma2: float) -> float:
    """sigma2^2 dP/dsigma2, up to the factor -1/2: (n - k) s + sum_b z_b s^2/m_b - sum of discarded lam (theory 3.6).

    Strictly increasing in sigma2 = s, because s / sqrt(m_b) is. Sums over all blocks, zero columns included.
    """
    filled = ordered(blocks, k)
    total = (len(lam) - k) * sigma2 - fsum(_discarded(filled, lam))
    for b in filled:
        if b.zeros:
            total += b.zeros * sigma2**2 / block_constant(lam[list(b.eigen)], b.columns, sigma2)
    return total


def _discarded(blocks: Iterable[Block], lam: Sequence[Any] | Array) -> list[Any]:
    held = {i for b in blocks for i in b.eigen}
    return [x for i, x in enumerate(lam) if i not in held]


def solve_noise(blocks: tuple[Block, ...], k: int, lam: Array | Eigenvalues) -> Noise | None:
    """The noise at which the family is stationary in sigma2 as well, or None where there is none (theory 3.6).

    Without zero rows in larger blocks it is the mean of the discarded eigenvalues.
    """
    spectrum = Eigenvalues.of(lam)
    held = tuple(sorted(i for b in blocks for i in b.eigen))
    if not any(x > 0 for x in _discarded(blocks, spectrum.listed)):
        return None
    if not any(b.zeros and b.columns > 1 for b in blocks):
        return mean_of(spectrum, held)
    filled = ordered(blocks, k)
    sigma2 = _root(filled, k, spectrum.values)
    if spectrum.exact is not None:
        digits = partial(_digits, filled, k, spectrum.exact, sigma2)
        return Noise(sigma2, _position(spectrum.exact, sigma2, digits), digits=digits)
    # The root rises with every eigenvalue: the equation falls with all of them.
    least, most = (spectrum.values - spectrum.errors).clip(0), spectrum.values + spectrum.errors
    bounds = tuple(_root(filled, k, lam) if sum(_discarded(filled, lam)) > 0 else 0.0 for lam in (least, most))
    low, high = bounds[0] * (1 - TRUSTED), bounds[1] * (1 + TRUSTED)
    above = int(np.count_nonzero(least > high))
    return Noise(sigma2, Position(above, int(np.count_nonzero(most >= low)) - above, True), bounds=(low, high))


def _root(blocks: tuple[Block, ...], k: int, lam: Array) -> float:
    from scipy.optimize import brentq  # a tenth of a second to import, and few need it

    discarded = [float(x) for x in _discarded(blocks, lam)]
    mean = fsum(discarded) / len(discarded)
    low = high = mean
    while noise_equation(blocks, k, lam, low) > 0:
        low /= 2
    while noise_equation(blocks, k, lam, high) < 0:
        high *= 2
    return float(brentq(lambda s: noise_equation(blocks, k, lam, s), low, high, xtol=mean * 1e-15, rtol=1e-15))


def _digits(blocks: tuple[Block, ...], k: int, exact: tuple[Fraction, ...], near: float) -> Any:
    """The root of the noise equation to DIGITS digits, by secants from the double."""
    with mpmath.workdps(DIGITS + 10):
        lam = [mpmath.mpf(x.numerator) / x.denominator for x in exact]
        total = mpmath.fsum(_discarded(blocks, lam))
        rows = [(b.columns, b.zeros, mpmath.fsum(mpmath.sqrt(lam[i]) for i in b.eigen)) for b in blocks if b.zeros]

        def equation(s: Any) -> Any:
            at = (len(lam) - k) * s - total
            for columns, zeros, r in rows:
                at += zeros * (2 * columns * s / (r + mpmath.sqrt(r * r + 4 * columns * zeros * s))) ** 2
            return at

        before, here = 2 * mpmath.mpf(near), mpmath.mpf(near)
        for _ in range(20):  # from a double some six do
            rise = equation(here) - equation(before)
            if not rise:
                break
            before, here = here, here - equation(here) * (here - before) / rise
        return here


def _position(exact: tuple[Fraction, ...], sigma2: float, digits: Any) -> Position:
    """Where the root lies among the decimals: agreement to 40 digits is a tie."""
    above = level = 0
    for x in exact:
        difference: Any = float(x) - sigma2
        if abs(difference) <= TRUSTED * sigma2:
            with mpmath.workdps(DIGITS):
                difference = mpmath.mpf(x.numerator) / x.denominator - digits()
        level += abs(difference) <= TIE * sigma2
        above += difference > TIE * sigma2
    return Position(above, level, False)


def every_family(lam: Array | Eigenvalues, k: int, sigma2: float | None) -> tuple[list[Point], int]:
    """Every family that surely exists, best first, and of how many more it cannot be told; sigma2 None: learned."""
    spectrum = Eigenvalues.of(lam)
    end = None if sigma2 is not None else end_of_curve(spectrum, k)
    at = None if sigma2 is None else given(spectrum, sigma2)
    found, undecided = [], 0
    for blocks in _structures(len(spectrum), k):
        if blocks == end:
            found.append(curve_of_maxima(spectrum))
            continue
        noise = at if sigma2 is not None else solve_noise(blocks, k, spectrum)
        here = NONE if noise is None else status(blocks, spectrum, noise)
        if noise is not None and here == STATIONARY:
            found.append(family(blocks, k, spectrum, noise))
        elif here != NONE:
            undecided += 1
    return best_to_worst(found), undecided


def end_of_curve(spectrum: Eigenvalues, k: int) -> tuple[Block, ...] | None:
    """The single columns in which that curve ends, without the zero columns; None where there is no curve."""
    end = curve_end(spectrum, k)
    return None if end is None else tuple(Block((i,)) for i in end)


def curve_of_maxima(spectrum: Eigenvalues) -> Point:
    """The point that stands for the curve C = S of k = n and learned noise (stationary.py)."""
    n = len(spectrum)
    return family((Block((i,)) for i in range(n)), n, spectrum, on_curve(spectrum))


def fixed_noise_families(lam: Array | Eigenvalues, k: int, sigma2: float) -> list[Point]:
    """Every family at this noise, best first (theory 3.6). lam (n,); for n and k so small that all can be listed."""
    return every_family(lam, k, sigma2)[0]


def learned_noise_families(lam: Array | Eigenvalues, k: int) -> list[Point]:
    """Every family that is stationary in sigma2 as well, best first. For n and k so small that all can be listed."""
    return every_family(lam, k, None)[0]
