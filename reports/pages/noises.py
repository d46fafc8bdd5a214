"""The noises that pictures show and mark.

Notation   lam (n,) descending eigenvalues; sigma2 a noise.
Main       marked_noises, window.
"""

from reports.pages.palette import PALETTE
from verify.arrays import Array

# Farther than this from the spectrum sigma2 = 1 says nothing, and showing it would flatten the curve.
_NEAR = 1e3


def marked_noises(lam: Array, recommended: float | None) -> list[tuple[float, str, str]]:
    """The noises that the pictures mark, (sigma2, label, colour): the usual one if it is near, the recommended one."""
    marks = []
    if max(lam[lam > 0][-1], lam[0] * 1e-6) / _NEAR <= 1.0 <= lam[0] * _NEAR:
        marks.append((1.0, "σ² = 1", PALETTE["vermillion"]))
    if recommended is not None:
        marks.append((recommended, "recommended", PALETTE["green"]))
    return marks


def window(lam: Array, recommended: float | None) -> tuple[float, float]:
    """The noises worth showing: the spectrum, six decades of it at most, and the marked ones.  lam (n,)."""
    marked = [s for s, _, _ in marked_noises(lam, recommended)]
    shown = [float(max(lam[lam > 0][-1], lam[0] * 1e-6)), float(lam[0]), *marked]
    return min(shown) / 1.8, max(shown) * 1.8
