"""First lines of numbers that may name the columns: years, wavelengths, counts.

Main       numbered_header.
"""

import itertools
import math
import re
from collections.abc import Sequence
from enum import Enum

from verify.data.files.text.words import number

_WHOLE = re.compile(r"[0-9]+")
_ROWS = 50  # rows that are compared
_YEARS = range(1500, 2101)
_MANY = 10  # columns: nobody's first row counts that far by chance
_FEW = 5  # columns from which on equal steps are no chance


class Guess(Enum):
    """What a line of numbers is."""

    HEADER = "a header beyond doubt"
    MAYBE = "perhaps a header"
    ROW = "a row"


def numbered_header(first: Sequence[str], body: Sequence[Sequence[str]], mark: str) -> Guess:
    """Whether the numbers `first` name the columns of the rows below, `body`, of the same columns.

    A header counts or rises in equal steps, or holds years, and the rows do not; nor do its numbers lie among theirs.
    """
    values = [number(word, mark) for word in first]
    rows = [[number(word, mark) for word in fields] for fields in body[:_ROWS]]
    n = len(first)
    if n < 2 or not rows or any(value is None or not math.isfinite(value) for value in values):
        return Guess.ROW
    numbers = [value for value in values if value is not None]
    step = _step(numbers)
    rising = all(_rising(row) for row in rows)
    whole = all(map(_WHOLE.fullmatch, first))
    below = [word.strip() for fields in body[:_ROWS] for word in fields]
    broken = 5 * sum(bool(_WHOLE.fullmatch(word)) for word in below) < len(below)  # digits and no more above fractions
    outside = all(_outside(numbers[j], [row[j] for row in rows]) for j in range(n))
    years = whole and _rising(numbers) and all(value in _YEARS for value in numbers)
    if years and (broken or outside) and not any(value in _YEARS for row in rows for value in row):
        return Guess.MAYBE
    steps = [_step(row) for row in rows]
    if 5 * sum(step == other if n == 2 else bool(other) for other in steps) > len(rows):
        return Guess.ROW  # the rows go on like that
    if whole and numbers[0] in (0, 1) and step == 1:
        return Guess.HEADER if broken or n >= _MANY else Guess.MAYBE if n > 2 and not rising else Guess.ROW
    unlike = broken or (outside and not rising)
    if (step and n >= _FEW) or (whole and step and n > 2 and unlike) or (whole and step == 1 and broken):
        return Guess.MAYBE
    return Guess.ROW


def _step(row: Sequence[float | None]) -> float:
    """The step of an arithmetic progression; 0 for another row, or a constant one."""
    numbers = [value for value in row if value is not None and math.isfinite(value)]
    if len(numbers) < max(2, len(row)):
        return 0.0
    step = (numbers[-1] - numbers[0]) / (len(numbers) - 1)
    error = 1e-6 * abs(step)
    return step if all(abs(b - a - step) <= error for a, b in itertools.pairwise(numbers)) else 0.0


def _rising(row: Sequence[float | None]) -> bool:
    numbers = [value for value in row if value is not None]
    return all(a < b for a, b in itertools.pairwise(numbers))


def _outside(value: float, column: Sequence[float | None]) -> bool:
    numbers = [entry for entry in column if entry is not None and not math.isnan(entry)]
    return bool(numbers) and not min(numbers) <= value <= max(numbers)
