"""Statements of certificates in words, as people read them: no more than they state, bounds rounded outwards.

Main       sentence; SENTENCES, one function for each kind; shown, at_most, at_least.

Whoever trusts what `certify --check` says trusts these sentences too.
"""

from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from typing import Any

from verify.certify.checker.numbers import exact

Statement = dict[str, Any]
_DIGITS = 9


def sentence(statement: Statement) -> str:
    """What it states.  The statement is one that its check has read."""
    return SENTENCES[statement["kind"]](statement)


def shown(given: str | Fraction) -> str:
    """The number itself: a short decimal where it is one, else as it is written."""
    value = exact(given) if isinstance(given, str) else given
    if abs(value) < 2**1000 and Fraction(repr(float(value))) == value:
        return repr(float(value)).removesuffix(".0")
    return str(given) if len(str(given)) <= 40 else f"about {_rounded(value, ROUND_FLOOR)}"


def at_least(given: str) -> str:
    """A number not above it, in nine digits."""
    return _rounded(exact(given), ROUND_FLOOR)


def at_most(given: str) -> str:
    """A number not below it, in nine digits."""
    return _rounded(exact(given), ROUND_CEILING)


def _rounded(value: Fraction, rounding: str) -> str:
    context = Context(prec=_DIGITS, rounding=rounding)
    return f"{context.divide(Decimal(value.numerator), Decimal(value.denominator)):.{_DIGITS}g}"


SENTENCES: dict[str, Callable[[Statement], str]] = {}
