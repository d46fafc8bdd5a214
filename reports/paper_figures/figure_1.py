"""Figure 1: the landscape around two zero columns of pPCA, as the noise falls past two eigenvalues.

Notation   lam descending eigenvalues; u_j their directions; s the noise; a, b how far the columns are moved.
Main       rises, which looks at a plane twice: at its curvature in closed form, and at the values of its grid.
Reference  Lucas et al. 2019, Figure 1, Secs. 4.1 and E; theory 1.6; claim figure-1.
"""

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from reports.analysis.landscape import landscape
from reports.panels import slices
from reports.paper_figures.document import Measured, finding
from reports.paper_figures.setting import Setting
from reports.training.experiment import Bench, Experiment, divided
from verify.arrays import Array
from verify.errors import InputError
from verify.landscape.slices import Slice
from verify.words.wording import number, sub

Document = dict[str, Any]
TITLE = "Stationary points of pPCA and the noise"
SOURCE = "Figure 1, Secs. 4.1 and E"
PAPER = (
    "On 1000 images of MNIST, two zero columns of W are moved along the fifth and the seventh principal direction: at "
    "sigma2 = lam_4 the noise is too large for either, at lam_6 for one of them, and at lam_8 both are captured. "
    "Nothing is printed in numbers."
)
DATASET = "mnist"
DIRECTIONS, NOISES, RETAINED = (5, 7), (4, 6, 8), 3
WORDS = ("neither direction", "one of the two directions", "both directions")


def experiments(setting: Setting) -> Sequence[Experiment]:
    """Nothing is trained."""
    return ()


def measure(setting: Setting, bench: Bench) -> Measured:
    """Three planes, and in how many directions each rises from its middle.  Raises InputError: too few directions."""
    data = setting.drawn()
    material = bench.material(data, setting.first_seed, **divided(data))
    if material.rank < NOISES[-1] or material.eigenvalues.size <= NOISES[-1]:
        raise InputError(
            f"{data}: Figure 1 needs data of more than {NOISES[-1]} columns that vary in {NOISES[-1]} directions at "
            "least; choose others"
        )
    noises = [float(material.eigenvalues[j - 1]) for j in NOISES]
    # One frame for all, in which the maxima of the last plane have their place.
    widest = float(material.eigenvalues[DIRECTIONS[0] - 1])
    extent = 1.6 * sqrt(max(widest - noises[-1], widest / 4))
    document, planes = landscape(material.covariance, RETAINED + 2, noises, DIRECTIONS, extent=extent)
    findings = [_finding(count, j, piece) for count, (j, piece) in enumerate(zip(NOISES, planes, strict=True))]
    said = "; ".join(f"at sigma2 = lam_{j}, {one['evidence']}" for j, one in zip(NOISES, findings, strict=True))
    return Measured(
        panels=[],
        findings=findings,
        alt=f"The likelihood over two columns that are moved along u_5 and u_7: {said}.",
        caption="The likelihood as two zero columns of W are moved along u_5 and u_7; the circle is the stationary "
        f"point with {RETAINED} columns in use and those two at zero. From left to right the noise is lam_4, lam_6, "
        "lam_8; the colour says how far a point lies below the best of its panel. At sigma2 = lam_4 the point is flat "
        "to second order along u_4, which is not shown, because the noise is that very eigenvalue.",
        materials=[material],
        deviations=setting.other_data(DATASET),
        notes=document["notes"],
        arrays={name: np.stack([getattr(piece, name) for piece in planes]) for name in ("a", "b", "values")},
        more={
            "planes": [{n: v for n, v in one.items() if n not in ("a", "b", "values")} for one in document["slices"]]
        },
    )


def _finding(count: int, j: int, piece: Slice) -> Document:
    """Whether at lam_j the point is unstable in so many directions, those of the largest eigenvalues."""
    found = [rises(piece, axis) for axis in (0, 1)]
    told = []
    for direction, curvature, up in zip(DIRECTIONS, piece.curvatures, found, strict=True):
        how = {True: "rises", False: "falls", None: "rises or falls, which cannot be told,"}[up]
        told.append(f"L {how} along u_{direction} (curvature {number(curvature, 3)})")
    return finding(
        f"at sigma2 = lam_{j} the noise lets {WORDS[count]} be captured",
        None if None in found else found == [axis < count for axis in (0, 1)],
        " and ".join(told),
    )


def rises(piece: Slice, axis: int) -> bool | None:
    """Whether L rises from the middle of a plane along an axis of it; None where curvature and grid do not agree.

    The curvature is a closed form, the grid is L itself: both neighbours of the middle against the middle.  On a
    threshold, where the curvature is 0, the grid alone decides, unless the 0 is one that rounding may have made.
    """
    curvature, values = piece.curvatures[axis], np.moveaxis(np.asarray(piece.values), axis, 0)
    at, across = (size // 2 for size in values.shape)
    before, middle, after = (float(v) for v in values[at - 1 : at + 2, across])
    grid = True if min(before, after) > middle else False if max(before, after) < middle else None
    if curvature == 0:
        return None if piece.directions[axis] in piece.undecided else grid
    return grid if grid is (curvature > 0) else None


def _slices(entry: Document, arrays: Mapping[str, Array]) -> list[Slice]:
    """The planes, from what was written down."""
    first, second = (j - 1 for j in DIRECTIONS)
    return [
        Slice(
            sigma2=one["sigma2"],
            directions=(first, second),
            retained=tuple(i - 1 for i in one["retained"]),
            a=arrays["a"][place],
            b=arrays["b"][place],
            values=arrays["values"][place],
            curvatures=(one["curvatures"][0], one["curvatures"][1]),
        )
        for place, one in enumerate(entry["planes"])
    ]


def draw(entry: Document, arrays: Mapping[str, Array]) -> Figure:
    """The three planes beside each other, with one scale of colours."""
    planes = _slices(entry, arrays)
    figure = slices.side_by_side(planes)
    for axes, j, piece in zip(figure.axes, NOISES, planes, strict=True):
        noise = f"σ² = {sub('λ', j)} = {number(piece.sigma2, 3)}"
        axes.set_title(f"{noise}: unstable in {piece.unstable} of 2")
    return figure


def numbers(entry: Document, arrays: Mapping[str, Array]) -> tuple[list[str], list[list[Any]]]:
    """Every point of every grid."""
    lines = [
        [j, piece.sigma2, a, b, value]
        for j, piece in zip(NOISES, _slices(entry, arrays), strict=True)
        for a, row in zip(piece.a.tolist(), piece.values.tolist(), strict=True)
        for b, value in zip(piece.b.tolist(), row, strict=True)
    ]
    return ["noise is eigenvalue", "sigma2", "along u_5", "along u_7", "log likelihood"], lines
