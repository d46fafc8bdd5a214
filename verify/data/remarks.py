"""What the reader of a spectrum should know, in sentences; and whether its numbers can be used at all.

Notation   lam (n,) descending eigenvalues, errors (n,) of each.
Main       remarks, check_range.
"""

import math

import numpy as np

from verify.arrays import Array
from verify.checks import LARGEST_VARIANCE, SMALLEST_VARIANCE
from verify.data.decomposition.steps import Found
from verify.eigenvalues import Eigenvalues
from verify.errors import InputError

MANY = 3


def remarks(spectrum: Eigenvalues, without_certificate: bool) -> list[str]:
    """Sentences on what rounding leaves open; none where everything is decided."""
    notes = []
    n, zeros = len(spectrum), spectrum.undecided_zeros
    if zeros:
        most = float(spectrum.errors[spectrum.values == 0].max())
        verb, pronoun = ("counts", "it is") if zeros == 1 else ("count", "they are")
        notes.append(
            f"{zeros} of {n} eigenvalues cannot be told from 0 ({pronoun} at most {most:.2g}) and {verb} as 0"
            + ("; with python-flint installed their exact rank would decide" if without_certificate else "")
        )
    small = spectrum.values[: spectrum.rank] <= spectrum.errors[: spectrum.rank]
    if small.any():
        which = _name(int(np.argmax(small)), spectrum.rank - 1)
        verb = "is" if small.sum() == 1 else "are"
        most = 2 * float(spectrum.errors[: spectrum.rank][small].max())
        notes.append(f"{which} {verb} positive, but no more is known than that {verb} at most {most:.2g}")
    ties = [run for run in runs(spectrum.values[: spectrum.rank]) if run[1] > run[0] and not small[run[0]]]
    notes += [f"{_name(*run)} differ by less than their rounding errors and count as equal" for run in ties[:MANY]]
    if len(ties) > MANY:
        notes.append(f"so do {len(ties) - MANY} more groups of eigenvalues")
    return notes


def runs(lam: Array) -> list[tuple[int, int]]:
    """First and last index of each run of equal values (n,)."""
    starts = np.flatnonzero(np.r_[True, lam[1:] != lam[:-1]]) if len(lam) else np.array([], dtype=int)
    return [(int(a), int(b) - 1) for a, b in zip(starts, [*starts[1:], len(lam)], strict=True)]


def _name(first: int, last: int) -> str:
    if first == last:
        return f"lam_{first + 1}"
    return f"lam_{first + 1} {'and' if last == first + 1 else 'to'} lam_{last + 1}"


def check_range(found: Found, divisor: float) -> None:
    """Raises InputError unless the positive eigenvalues found are usable variances, in the units of the rows."""
    values = found.spectrum.values[found.spectrum.values > found.spectrum.errors]
    check_variances(values, "the variances of the data", 2 * found.spectrum.exponent, 2 * math.log10(divisor))


def check_variances(lam: Array, what: str, exponent: int = 0, divided: float = 0.0) -> None:
    """Raises InputError unless some of 2^exponent lam / 10^divided (n,) are positive and those are usable."""
    positive = lam[lam > 0]
    if positive.size == 0:
        raise InputError(f"{what} are all zero; there is no variance to analyse")
    # By decimal logarithms: 2^exponent lam itself may vanish or overflow, and must not do so unnoticed.
    low, high = (math.log10(value) + exponent * math.log10(2) - divided for value in (positive.min(), positive.max()))
    if low < math.log10(SMALLEST_VARIANCE) or high > math.log10(LARGEST_VARIANCE):
        raise InputError(
            f"{what} run from about 1e{low:.0f} to 1e{high:.0f}, outside {SMALLEST_VARIANCE:g} to "
            f"{LARGEST_VARIANCE:g}; multiply the data by a constant"
        )
