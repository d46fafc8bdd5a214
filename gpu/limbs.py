"""A spectrum in whole numbers of fixed width, for walks over millions of index sets.

Notation   lam (n,) descending eigenvalues, n <= 64; lam_j lies between least_j and most_j units (units.py).
Main       limbs -> Limbs; Wide, carried, exceeds.
Reference  verify/landscape/units.py says the same one set at a time, with integers of any size.

A whole number below 2^112 is two limbs, high 2^56 + low: sums of 64 of them, and 64-fold ones, stay within 64 bits limb
by limb, and one carry makes them comparable. The walk on the host first compares one limb only, `narrow`, which has the
leading 60 bits of a sum; what that leaves open is looked at in full. Where narrow is exact nothing is left open.
"""

from typing import NamedTuple

import numpy as np

from verify.arrays import Array
from verify.eigenvalues import Eigenvalues
from verify.errors import InputError
from verify.landscape.units import units

LIMB = 56
LOW = np.int64((1 << LIMB) - 1)
NARROW = 60  # bits of a sum of one limb, so that twice it fits as well


class Wide(NamedTuple):
    """high 2^56 + low, arrays of int64; low < 2^56 once carried."""

    high: Array
    low: Array


class Limbs(NamedTuple):
    """wide (4, n): high and low limb of least, then of most; runs (2, n): where the equals of lam_j start and end.

    narrow (3, n): least and most rounded down, most rounded up, in units 2^shift times as large. slack bounds what
    narrow sums leave open: 0 where they are exact. sharp: least = most.
    """

    lam: Array
    runs: Array
    wide: Array
    narrow: Array
    slack: int
    sharp: bool
    rank: int

    @property
    def ties(self) -> Array:
        """Of each lam_j the mask of all that equal it, (n,)."""
        return np.array([(1 << int(end)) - (1 << int(start)) for start, end in self.runs.T], dtype=np.uint64)

    @property
    def least(self) -> Wide:
        """(n,) each."""
        return Wide(self.wide[0], self.wide[1])

    @property
    def most(self) -> Wide:
        """(n,) each."""
        return Wide(self.wide[2], self.wide[3])


def carried(x: Wide) -> Wide:
    """The same number with its low limb below 2^56."""
    return Wide(x.high + (x.low >> LIMB), x.low & LOW)


def exceeds(x: Wide, y: Wide) -> Array:
    """x > y, both carried."""
    return (x.high > y.high) | ((x.high == y.high) & (x.low > y.low))


def fits(spectrum: Eigenvalues) -> bool:
    """Whether the spectrum can be walked: at most 112 bits."""
    return max(units(spectrum).most) < 1 << 2 * LIMB


def limbs(spectrum: Eigenvalues) -> Limbs:
    """The spectrum in limbs.  Raises InputError for more digits than two hold."""
    if not fits(spectrum):
        raise InputError(
            f"enumeration: the eigenvalues span more than {2 * LIMB} bits; search for the best instead, or round them"
        )
    of = units(spectrum)
    wide = np.array([[x >> LIMB, x & int(LOW)] for x in (*of.least, *of.most)], dtype=np.int64)
    wide = wide.reshape(2, len(spectrum), 2).transpose(0, 2, 1).reshape(4, -1)
    shift = max((len(spectrum) * max(of.most)).bit_length() - NARROW, 0)
    rounded = [[x >> shift for x in of.least], [x >> shift for x in of.most], [-(-x >> shift) for x in of.most]]
    narrow = np.array(rounded, dtype=np.int64)
    spread = narrow[2] - narrow[0]
    # p most_a and (p - 1) most_j exceed their counterparts by at most p times the largest spread; a sum of `most` that
    # of `least` by at most all of them.
    slack = int(spread.sum()) + len(spectrum) * int(spread.max())
    return Limbs(
        spectrum.values, np.array(of.runs).T, np.ascontiguousarray(wide), narrow, slack, of.exact, spectrum.rank
    )
