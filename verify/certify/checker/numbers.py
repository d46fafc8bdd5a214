"""Exact numbers as certificates hold them, and back.

Notation   a number is "3/7", "-12", "0.1" (the decimal) or "0x1.8p+1" (hexadecimal, times a power of two); a matrix is
           {"shape": [n, m], "exponent": e, "integers": [row by row]}, entries integer 2^e with |integer| <= 2^53, or a
           list of lists of numbers.
Main       exact, double, interval, matrix; written, written_matrix.

What is read is what is written: no digit is rounded away, and nothing that other readers may take for another number
(blanks, underscores, digits of other scripts, exponents of ten) is a number here.
"""

import math
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from verify.arrays import Array
from verify.errors import InputError

LONGEST = 400  # characters of a number
_WHOLE = 2**53
_FARTHEST = 900  # exponents of a matrix: its entries are then normal doubles
_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+|/[0-9]+)?")
_HEXADECIMAL = re.compile(r"(-?)0x([0-9a-f]+)(?:\.([0-9a-f]+))?p([+-][0-9]{1,4})")


def exact(given: Any) -> Fraction:
    """The number.  Raises InputError: anything else."""
    if isinstance(given, str) and len(given) <= LONGEST:
        if _DECIMAL.fullmatch(given) and not re.search(r"/0+$", given):
            return Fraction(given)
        if found := _HEXADECIMAL.fullmatch(given):
            sign, whole, part, power = found.groups(default="")
            return Fraction(int(sign + whole + part, 16)) * Fraction(2) ** (int(power) - 4 * len(part))
    raise InputError(f"{str(given)[:40]!r} is no exact number: write a fraction, a decimal or a hexadecimal double")


def double(given: Any) -> float:
    """The number, where it is a double.  Raises InputError."""
    value = exact(given)
    try:
        near = float(value)
    except OverflowError:
        near = math.nan
    if not math.isfinite(near) or Fraction(near) != value:
        raise InputError(f"{str(given)[:40]!r} is no double: write it as a hexadecimal double")
    return near


def interval(given: Any) -> tuple[Fraction, Fraction]:
    """[least, most], two exact numbers.  Raises InputError: "12" is no such pair, nor is an object of two names."""
    if not isinstance(given, list | tuple) or len(given) != 2:
        raise InputError(f"{str(given)[:40]!r} are no ends: write two numbers, [least, most]")
    return exact(given[0]), exact(given[1])


def matrix(given: Any, entry: Callable[[Any], Any] = double) -> Array:
    """A matrix (n, m) of finite doubles; with entry = exact rows may hold fractions as well.  Raises InputError."""
    if isinstance(given, list):
        rows = [[entry(x) for x in row] if isinstance(row, list) else [] for row in given]
        if not rows or not rows[0] or any(len(row) != len(rows[0]) for row in rows):
            raise InputError("a matrix is a list of rows of the same length, none of them empty")
        return np.array(rows)
    try:
        (n, m), exponent, integers = given["shape"], given["exponent"], given["integers"]
        whole = all(type(x) is int for x in (n, m, exponent, *integers))
    except (TypeError, KeyError, ValueError):
        raise InputError("a matrix has a shape [n, m], an exponent and integers") from None
    if not whole or n < 1 or m < 1 or len(integers) != n * m or abs(exponent) > _FARTHEST:
        raise InputError("a matrix of shape [n, m] holds n m integers, and its exponent lies between -900 and 900")
    if max(max(integers), -min(integers)) > _WHOLE:
        raise InputError("the integers of a matrix are at most 2^53")
    return np.ldexp(np.array(integers, dtype=np.float64).reshape(n, m), exponent)


def written(value: float | Fraction) -> str:
    """A double in hexadecimal, a fraction as one."""
    return str(value) if isinstance(value, Fraction) else float(value).hex()


def written_matrix(values: Array, bits: int = 53) -> dict[str, Any]:
    """A matrix (n, m) of finite doubles, rounded to multiples of 2^e so that its largest entry has so many bits."""
    values = np.asarray(values, dtype=np.float64)
    largest = float(np.abs(values).max())
    if not math.isfinite(largest):
        raise InputError("a matrix that is not finite cannot be written")
    exponent = max((math.frexp(largest)[1] if largest else 0) - bits, -_FARTHEST)
    integers = np.rint(np.ldexp(values, -exponent)).astype(np.int64).ravel().tolist()
    return {"shape": list(values.shape), "exponent": exponent, "integers": integers}
