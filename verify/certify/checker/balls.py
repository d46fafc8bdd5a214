"""Ball arithmetic: a number known up to a radius, every rounding counted.

Main       flint, precision, ball.
Reference  docs/mathematics.md, section 13; Johansson, Arb (IEEE Trans. Comput. 66, 2017); FLINT 3.

A comparison of balls is True only where it holds of all their numbers. False decides nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

from verify.errors import InputError

Ball = Any  # python-flint ships no types for its arb and arb_mat


def flint() -> Any:
    """The module python-flint.  Raises InputError where it is missing, or is another package of that name."""
    try:
        import flint as found
    except ImportError:
        found = None
    if not hasattr(found, "arb_mat"):
        raise InputError("certificates of this kind need python-flint: pip install python-flint")
    return found


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Balls of so many bits, inside `with`."""
    context = flint().ctx
    before, context.prec = context.prec, bits
    try:
        yield
    finally:
        context.prec = before


def ball(x: Fraction | float) -> Ball:
    """The ball of an exact number: a double exactly, a fraction within the rounding of a division."""
    x = Fraction(x)
    return flint().arb(x.numerator) / x.denominator
