"""Missing values: counted and asked about, left out with their rows, or filled in.

Main       Missing (ask), CHOICES.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from verify.arrays import Array
from verify.data.moments import Moments
from verify.data.selected import Places
from verify.errors import InputError

CHOICES = ("drop", "mean")
_SHOWN = 3


@dataclass(frozen=True, eq=False)
class Missing:
    """Which rows of N lack a value (places from 0), how many values each column lacks (n,), and the first place."""

    N: int
    rows: Array
    of_column: Array
    first: tuple[int, int]

    @classmethod
    def counted(cls, moments: Moments, lacking: Iterable[Array], first: tuple[int, int]) -> "Missing":
        """Of moments of all rows, and the rows found lacking in each block."""
        return cls(moments.N, np.concatenate(list(lacking)), (moments.N - moments.count).astype(int), first)

    @property
    def values(self) -> int:
        """How many are missing."""
        return int(self.of_column.sum())

    def words(self) -> str:
        """ "5 values are missing, in 4 of 178 rows"."""
        verb = "is" if self.values == 1 else "are"
        return f"{_values(self.values)} {verb} missing, in {len(self.rows)} of {self.N} rows"

    def question(self, places: Places) -> InputError:
        """What to ask where nobody said what to do with them."""
        worst = [int(j) for j in np.argsort(-self.of_column, kind="stable") if self.of_column[j]]
        shown = [f"{places.column(j)}: {self.of_column[j]}" for j in worst[:_SHOWN]]
        more = f", {len(worst) - _SHOWN} more" if len(worst) > _SHOWN else ""
        many = "; or leave columns out with --drop" if len(self.rows) > self.N // 2 else ""
        return InputError(
            f"{self.words()} ({', '.join(shown)}{more}; the first {places.entry(*self.first)}); say --missing drop to "
            f"leave those rows out, or --missing mean to put the mean of its column in for each{many}"
        )

    def kept(self, places: Places) -> Array:
        """The rows (from 0) that lack nothing.  Raises InputError where fewer than two are left."""
        left = np.setdiff1d(np.arange(self.N), self.rows, assume_unique=True)
        if len(left) < 2:
            worst = int(np.argmax(self.of_column))
            raise InputError(
                f"--missing drop leaves {len(left)} of {self.N} rows; leave out columns instead "
                f"({places.column(worst)} lacks {_values(int(self.of_column[worst]))}), or say --missing mean"
            )
        return left

    def check_fillable(self, places: Places) -> None:
        """Raises InputError where a column has no value whose mean could be put in."""
        empty = np.flatnonzero(self.of_column == self.N)
        if empty.size:
            raise InputError(
                f"{places.columns(empty, len(self.of_column))} without any value; leave it out with --drop"
            )


def _values(number: int) -> str:
    return f"{number} value{'' if number == 1 else 's'}"
