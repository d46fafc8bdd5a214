"""A noise, and on which side of it every eigenvalue lies.

Notation   lam (n,) descending; sigma2 > 0 the noise; a position says how many eigenvalues exceed it and tie with it.
Main       Noise (over), given, mean_of; differences.
Reference  theory 1.2-1.5 and 2; verify/eigenvalues.py.

The double nearest to a noise need not lie where the noise does: the mean of 1, 1 and 0.9999999999999999 lies strictly
between two neighbours. So signs come from the position, and differences of neighbours from exact numbers; the double
serves for values.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np

from verify.arrays import Array
from verify.eigenvalues import Eigenvalues, Position, decimal
from verify.landscape.units import units

EPS = float(np.finfo(float).eps)
# A difference of doubles is trusted down to this share of them: each is off by half an ulp from what it denotes.
TRUSTED = 64 * EPS


@dataclass(frozen=True)
class Noise:
    """sigma2, rounded; where it lies; and what else is known of it.

    exact: the number itself, where it is rational and known. digits: the number to 60 digits, where it solves an
    equation. bounds: between which it surely lies, where it comes of measured eigenvalues.
    """

    sigma2: float
    position: Position
    exact: Fraction | None = None
    digits: Callable[[], Any] | None = None
    bounds: tuple[float, float] | None = None

    def over(self, spectrum: Eigenvalues) -> Array:
        """lam_j - sigma2 (n,), 0 exactly at the ties and otherwise of the right sign."""
        lam, at = spectrum.values, self.position
        found: Array = lam - self.sigma2
        near = np.flatnonzero(np.abs(found) <= TRUSTED * self.sigma2)
        if near.size and spectrum.exact is not None:
            other = self.exact if self.exact is not None else self.digits() if self.digits is not None else None
            if other is not None:
                found[near] = [_less(spectrum.exact[j], other) for j in near]
        # What is left on the wrong side is so by rounding.
        least = 0.5 * EPS * self.sigma2
        found[: at.above][found[: at.above] <= 0] = least
        found[at.above : at.above + at.level] = 0.0
        found[at.above + at.level :][found[at.above + at.level :] >= 0] = -least
        return found


def _less(x: Fraction, other: Any) -> float:
    """x - other, for a rational number or one of mpmath."""
    if isinstance(other, Fraction):
        return float(x - other)
    with other.context.workdps(60):
        return float(other.context.mpf(x.numerator) / x.denominator - other)


def given(spectrum: Eigenvalues, sigma2: float) -> Noise:
    """A noise that was chosen: the decimal that was written."""
    return Noise(sigma2, spectrum.position(sigma2), exact=decimal(sigma2))


def mean_of(spectrum: Eigenvalues, chosen: tuple[int, ...]) -> Noise:
    """sigma2_A, the mean of the discarded eigenvalues (theory 2).  chosen (A) ascending."""
    of = units(spectrum)
    position, exact = of.position(chosen), of.noise(chosen)
    return Noise(of.mean(chosen), position, exact, bounds=None if exact is not None else of.bounds(chosen))


@lru_cache(maxsize=8)
def _crowded(spectrum: Eigenvalues) -> bool:
    """Whether different decimals share a double."""
    exact = spectrum.exact or ()
    return any(a != b and float(a) == float(b) for a, b in pairwise(exact))


def differences(spectrum: Eigenvalues, one: Array, other: Array) -> Array:
    """lam[one] - lam[other], of the right sign where different decimals are the same double.  Broadcasts."""
    lam = spectrum.values
    found: Array = lam[one] - lam[other]
    if _crowded(spectrum):
        exact = spectrum.exact or ()
        one, other = np.broadcast_arrays(one, other)
        for place in zip(*np.nonzero(found == 0), strict=True):
            found[place] = float(exact[one[place]] - exact[other[place]])
    return found
