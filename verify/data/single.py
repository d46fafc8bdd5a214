"""float64 rows in single precision: what is taken away before, and what is lost all the same.

Notation   y (N, n) rows as the model sees them; offset (n,); what is rounded is y - offset; u = 2^-24, to which single
           precision rounds, relatively. A column's bulk is the middle half of its values.
Main       Survey (of), single.
Reference  theory 5: biases make the ELBO of y - offset that of y, whatever the offset.

A column far from 0 beside its own spread keeps little of that spread in single precision: of 1e8 +- 1 nothing. Its
median is taken away in float64 first; the median, not the mean, so that an outlier takes nothing from the rest.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from math import sqrt

import numpy as np

from verify.arrays import Array
from verify.data.moments import Moments
from verify.data.selected import HERE, Places
from verify.errors import InputError

# So many spreads from 0 rounding costs (1000 u)^2/3 = 1e-9 of the variance: nearer, rows stay as they are, to the bit.
FAR = 1000.0
# More than this share of a column's variance in rounding is said; more than half in every column is refused.
LOST = 1e-6
# Squares of a column so much smaller than those of another one vanish where single precision adds the two.
APART = 4096.0
NORMAL_QUARTILES = 1.349  # standard deviations between the quartiles of a normal distribution


@dataclass(frozen=True, eq=False)
class Survey:
    """Of each column: mean, variance, lowest, highest; and some rows, evenly spaced (m, n)."""

    mean: Array
    variance: Array
    low: Array
    high: Array
    sample: Array

    @classmethod
    def of(cls, blocks: Iterable[Array], N: int, n: int) -> "Survey":
        """One pass over blocks (b, n) of N rows."""
        moments = Moments(N, n)
        for y in blocks:
            moments.add(y)
        return cls(moments.mean, moments.variance, moments.low, moments.high, moments.sample)

    @cached_property
    def _quartiles(self) -> Array:
        return np.quantile(self.sample, (0.25, 0.5, 0.75), axis=0)

    @cached_property
    def bulk(self) -> Array:
        """The standard deviation that a column would have if it were normal around its middle half; 0 where that is one
        value.  -> (n,)."""
        return (self._quartiles[2] - self._quartiles[0]) / NORMAL_QUARTILES

    @cached_property
    def offset(self) -> Array | None:
        """What to take away (n,): medians of columns that are far from 0, 0 of the others; None where it is all 0."""
        middle, overall = self._quartiles[1], sqrt(self.variance.mean())
        spread = np.where(self.bulk > 0, self.bulk, np.where(self.variance > 0, np.sqrt(self.variance), overall))
        far = np.abs(middle) > FAR * spread
        return np.where(far, middle, 0.0) if far.any() else None

    @cached_property
    def rounding(self) -> Array:
        """The variance that rounding adds to each column, offset taken away.  -> (n,)."""
        kept = self.sample if self.offset is None else self.sample - self.offset
        return ((_single(kept) - kept) ** 2).mean(axis=0)

    @property
    def rms(self) -> float:
        """The root mean square of what is trained on."""
        return sqrt((self.variance + (self.mean - self._taken) ** 2).mean())

    @property
    def typical(self) -> float:
        """The same, were it not for the quarters at both ends of each column: outliers do not count.

        Where half of the values of a column are the same, as in sparse data, its variance counts.
        """
        middle = self._quartiles[1] - self._taken
        return sqrt((np.where(self.bulk > 0, self.bulk**2, self.variance) + middle**2).mean())

    @property
    def largest(self) -> float:
        """The largest absolute value of what is trained on."""
        return float(np.maximum(np.abs(self.low - self._taken), np.abs(self.high - self._taken)).max())

    @property
    def _taken(self) -> Array | float:
        return 0.0 if self.offset is None else self.offset

    def notes(self, places: Places = HERE) -> list[str]:
        """What was taken away, what is lost, columns of very different sizes.  InputError where nothing is left."""
        found = []
        if self.offset is not None:
            which = np.flatnonzero(self.offset)
            found.append(
                f"{places.columns(which, self.offset.size)} far from 0 beside the spread of the values: the median is "
                "taken away before they are rounded to single precision. The ELBO is that of the data as they are; "
                "what a model reconstructs is the data less data.offset"
            )
        varies = self.variance > 0
        lost = np.flatnonzero(varies & (self.rounding > LOST * self.variance))
        if lost.size and (self.rounding > 0.5 * self.variance)[varies].all():
            raise InputError(
                "single precision, in which models are trained, holds nothing of how the data vary; bring every "
                "column to a size near 1"
            )
        if lost.size:
            found.append(
                f"{places.columns(lost, self.mean.size)} not held by single precision, in which models are trained: "
                f"rounding takes up to {100 * (self.rounding[lost] / self.variance[lost]).max():.2g}% of the variance; "
                "bring every column to a size near 1"
            )
        return found + self._sizes(places)

    def _sizes(self, places: Places) -> list[str]:
        """Columns whose bulks differ by so much that some of them hardly count."""
        varies = np.flatnonzero(self.bulk > 0)
        if varies.size < 2:
            return []
        small, large = (int(varies[f(self.bulk[varies])]) for f in (np.argmin, np.argmax))
        if self.bulk[large] <= APART * self.bulk[small]:
            return []
        return [
            f"the columns vary from {self.bulk[small]:.2g} ({places.column(small)}) to {self.bulk[large]:.2g} "
            f"({places.column(large)}): one noise serves them all, so that the small ones hardly count; "
            "--standardize divides each by its standard deviation, if they should"
        ]


def _single(y: Array) -> Array:
    """Rounded to single precision, as float64; what it cannot hold overflows or vanishes."""
    with np.errstate(over="ignore", under="ignore"):
        return y.astype(np.float32).astype(np.float64)


def single(y: Array) -> Array:
    """y (N, n) float64 as float32.  InputError where rounding costs a column more than 1e-6 of its variance."""
    varies = y.min(axis=0) != y.max(axis=0)
    variance = np.where(varies, y.var(axis=0), 0.0)
    rounding = ((_single(y) - y) ** 2).mean(axis=0)
    lost = np.flatnonzero(varies & ~(rounding <= LOST * variance))
    if lost.size:
        raise InputError(
            f"{HERE.columns(lost, y.shape[1])} not held by single precision; take the mean of each column away "
            "first, and bring it to a size near 1"
        )
    return y.astype(np.float32)
