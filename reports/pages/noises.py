"""The noises that pictures show and mark.

Notation   lam (n,) descending thresholds, the eigenvalues over beta; sigma2 a noise.
Main       marked_noises, window.
"""

from collections.abc import Sequence

from verify.arrays import Array
from verify.pictures.palette import PALETTE
from verify.words.wording import number

# Farther than this from the spectrum a noise says nothing, and showing it would flatten the curve.
_NEAR = 1e3


def marked_noises(lam: Array, recommended: float | None, told: Sequence[float]) -> list[tuple[float, str, str]]:
    """The noises that the pictures mark, (sigma2, label, colour): those that are told of, if near; the recommended."""
    low, high = max(lam[lam > 0][-1], lam[0] * 1e-6) / _NEAR, lam[0] * _NEAR
    marks = [(s, f"σ² = {number(s)}", PALETTE["vermillion"]) for s in told if low <= s <= high]
    if recommended is not None:
        marks.append((recommended, "recommended", PALETTE["green"]))
    return marks


def window(
    lam: Array, recommended: float | None, told: Sequence[float], highest: float | None = None
) -> tuple[float, float]:
    """The noises worth showing: the thresholds, six decades of them at most, the marked ones, and the one where the
    objective is highest, if near.  lam (n,)."""
    marked = [s for s, _, _ in marked_noises(lam, recommended, told if highest is None else [*told, highest])]
    shown = [float(max(lam[lam > 0][-1], lam[0] * 1e-6)), float(lam[0]), *marked]
    return min(shown) / 1.8, max(shown) * 1.8
