"""What a number from outside must satisfy before the mathematics sees it.

Notation   sigma2 > 0 observation noise; k latent and n data dimensions, 1 <= k <= n.
Main       positive_noise, latent_dimension, random_seed, number, whole_number.

Variances between 1e-305 and 1e305 are taken: there the reciprocal is still a normal double, and data with
entries from 1e-150 to 1e150 fit in.
"""

import math
import numbers
from typing import Any

from verify.eigenvalues import Written
from verify.errors import InputError

SMALLEST_VARIANCE = 1e-305
LARGEST_VARIANCE = 1e305


def positive_noise(sigma2: Any) -> float:
    """sigma2 as a float, if it is a usable variance.  Raises InputError."""
    value = number(sigma2, "sigma2")
    if not (math.isfinite(value) and value > 0):
        raise InputError(f"sigma2 = {value:g}: the noise variance must be positive and finite")
    if not SMALLEST_VARIANCE <= value <= LARGEST_VARIANCE:
        raise InputError(
            f"sigma2 = {value:g}: outside {SMALLEST_VARIANCE:g} to {LARGEST_VARIANCE:g}; rescale the data and the noise"
        )
    return value


def latent_dimension(k: Any, n: int, which: str = "") -> int:
    """k as an int, if 1 <= k <= n; which: what there are n of, for the message.  Raises InputError."""
    value = whole_number(k, "k")
    if not 1 <= value <= n:
        raise InputError(f"k = {value}: the latent dimension must lie between 1 and n = {n}{which}")
    return value


def random_seed(seed: Any) -> int:
    """The seed as an int, if it is a whole number >= 0.  Raises InputError."""
    value = whole_number(seed, "seed")
    if value < 0:
        raise InputError(f"seed = {value}: a seed must be 0 or larger")
    return value


def number(value: Any, name: str) -> float:
    """`value` as a float, if it is a real scalar (NaN and infinity included).  Raises InputError."""
    # A bool is a number to Python, but `sigma2=True` is a mistake.
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise InputError(f"{name} = {_shown(value)}: not a number; give one real number")
    try:
        return value if isinstance(value, Written) else float(value)
    except OverflowError:
        raise InputError(f"{name} is too large for a double; rescale the data") from None


def whole_number(value: Any, name: str) -> int:
    """`value` as an int, if it is an integer scalar.  Raises InputError."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise InputError(f"{name} = {_shown(value)}: not a whole number; give one integer")
    return int(value)


def _shown(value: Any) -> str:
    """repr of a stranger, on one line and short."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else text[:57] + "..."
