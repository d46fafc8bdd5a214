"""A bare spectrum: decimals as they were written, exactly.

Notation   lam (n,) eigenvalues, in any order.
Main       spectrum, exact_decimal.
"""

import re
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

import numpy as np

from verify.checks import LARGEST_VARIANCE, SMALLEST_VARIANCE
from verify.data.remarks import check_variances
from verify.eigenvalues import Eigenvalues, decimal
from verify.errors import InputError

_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_MOST_CHARACTERS = 1000
_FEWEST_DECADES, _MOST_DECADES = -400, 307  # beyond the variances that are taken; still a float, and soon written out
_SCALARS = (int, float, np.integer, np.floating, np.bool_)
_LEAST, _MOST = Fraction(SMALLEST_VARIANCE), Fraction(LARGEST_VARIANCE)


def spectrum(given: Any) -> tuple[Eigenvalues, list[str]]:
    """The eigenvalues (n,) of numbers or decimals as strings, and what to say of them.  Raises InputError."""
    numbers = _numbers(given)
    for i, value in enumerate(numbers, start=1):
        if value < 0:
            shown = f"{float(max(value, -_MOST)):g}"
            raise InputError(f"eigenvalue {i} is {shown}; a covariance has no negative eigenvalue")
    if not any(numbers) or any(value and not _LEAST <= value <= _MOST for value in numbers):
        usual = [float(min(max(value, _LEAST / 100), 100 * _MOST)) if value else 0.0 for value in numbers]
        check_variances(np.array(usual), "the eigenvalues")
    found = Eigenvalues.typed(numbers)
    notes = []
    exact = found.exact or ()
    if list(exact) != numbers:
        notes.append("the eigenvalues were not in descending order and have been sorted")
    twins = [i for i in range(1, len(exact)) if exact[i] != exact[i - 1] and found.values[i] == found.values[i - 1]]
    if twins:
        notes.append(
            f"lam_{twins[0]} and lam_{twins[0] + 1} are different decimals that are the same float64: "
            "they are compared as written, and computed with as one number"
        )
    return found, notes


def exact_decimal(word: str, i: int) -> Fraction:
    """The decimal that the i-th word writes.  Raises InputError: no number, infinite, or far out of range."""
    word = word.strip()
    shown = repr(word[:40])
    if not _DECIMAL.fullmatch(word):
        if word.lower().lstrip("+-") in ("nan", "inf", "infinity"):
            raise InputError(f"eigenvalue {i} is {float(word)}; every eigenvalue must be a finite number")
        raise InputError(f"eigenvalue {i} is {shown}, not a number; write eigenvalues:6,4,2.5")
    if len(word) > _MOST_CHARACTERS:
        raise InputError(f"eigenvalue {i} has {len(word)} characters; {_MOST_CHARACTERS} are the most that are read")
    mantissa = re.split("[eE]", word)[0]
    if not mantissa.strip("+-0."):
        return Fraction(0)
    try:
        written = Decimal(word)
        if _FEWEST_DECADES <= written.adjusted() <= _MOST_DECADES:
            return Fraction(written)
    except InvalidOperation:  # an exponent beyond Decimal's own
        pass
    raise InputError(
        f"eigenvalue {i} is {shown}, outside {SMALLEST_VARIANCE:g} to {LARGEST_VARIANCE:g}; "
        "multiply the data by a constant"
    )


def _numbers(given: Any) -> list[Fraction]:
    # One by one, before anything is rounded to the type that suits all of them.
    if isinstance(given, (list, tuple)) and given:
        words = any(isinstance(value, (Fraction, str)) for value in given)
        if words or all(isinstance(value, _SCALARS) for value in given):
            return [_number(value, i) for i, value in enumerate(given, start=1)]
    try:
        array = np.asarray(given)
    except ValueError:
        raise InputError("the eigenvalues are not a list of numbers; write them side by side") from None
    if array.dtype.kind not in "biuf":
        raise InputError(f"the eigenvalues are of type {array.dtype}, not real numbers")
    if array.ndim != 1 or array.size == 0:
        raise InputError(f"the eigenvalues have shape {array.shape}; give a non-empty list of numbers")
    return [_number(value, i) for i, value in enumerate(array, start=1)]


def _number(value: Any, i: int) -> Fraction:
    if isinstance(value, str):
        return exact_decimal(value, i)
    if isinstance(value, Fraction):
        return value
    if isinstance(value, (int, np.integer, np.bool_)):
        return Fraction(int(value))
    if not isinstance(value, (float, np.floating)):
        raise InputError(f"eigenvalue {i} is of type {type(value).__name__}, not a real number")
    if not np.isfinite(value):
        raise InputError(f"eigenvalue {i} is {value}; every eigenvalue must be a finite number")
    # Of a number in single precision the digits that denote it there.
    return decimal(value) if isinstance(value, float) else Fraction(str(value))
