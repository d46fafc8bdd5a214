"""What a certificate speaks of: the data, exactly, and their covariance within a bound.

Notation   S (n, n) the covariance of the data, in exact arithmetic; S = unit (mid + E), |E|_2 <= radius.
Main       Subject, Enclosure.
"""

from dataclasses import dataclass
from fractions import Fraction

from verify.arrays import Array


@dataclass(frozen=True, eq=False)
class Enclosure:
    """S = unit (mid + E), mid (n, n) exactly symmetric doubles of size about 1 at most, |E|_2 <= radius; unit > 0."""

    mid: Array
    radius: float
    unit: Fraction = Fraction(1)


@dataclass(frozen=True, eq=False)
class Subject:
    """sha256: of the data, exactly. Of rows: N, enclosure, rows (N, n) doubles whose quotients by divisor they are,
    None where they are too many to be held.

    Of a bare spectrum N, enclosure and rows are None, and spectrum holds its numbers, descending.
    """

    sha256: str
    n: int
    N: int | None = None
    enclosure: Enclosure | None = None
    rows: Array | None = None
    divisor: float = 1.0
    spectrum: tuple[Fraction, ...] | None = None
