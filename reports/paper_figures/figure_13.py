"""Figure 13: between three images, in the latent space of the KL-annealed CelebA model.

Notation   a, b, c the means of q(z|x) of three images; a grid of z = a + s (b - a) + t (c - a), s along the columns
           and t down the rows, from 0 to 1: b + c - a, at the bottom right, is no image's.
Reference  Lucas et al. 2019, Figure 13, Sec. E.1.3.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from reports.panels.images import gallery, mark
from reports.paper_figures import pictures
from reports.paper_figures.document import LeftOut, Measured, finding
from reports.paper_figures.pictures import rms
from reports.paper_figures.setting import Setting
from reports.training.experiment import Bench
from reports.training.images import through
from verify.arrays import Array
from verify.pictures.drawing import blank
from verify.pictures.palette import PALETTE
from verify.words.wording import number, symbols

Document = dict[str, Any]
TITLE = "Between three images, in the latent space"
SOURCE = "Figure 13, Sec. E.1.3"
PAPER = (
    "The means of q(z|x) of three images of CelebA (top left, top right, bottom left), decoded along the plane through "
    "them; the fourth corner (bottom right) is extrapolated. No number is printed, nor which images these are."
)
DATASET = "celeba64"
dataset, experiments = pictures.dataset, pictures.experiments
SIDE = 8
# No step of a smooth path is a larger part of the way from its beginning to its end. Even steps are 1/(SIDE - 1).
STEP = 0.5
CORNERS = {"a": (0, 0), "b": (0, -1), "c": (-1, 0)}


def measure(setting: Setting, bench: Bench) -> Measured:
    """The grid, and how it goes from image to image.  Raises LeftOut, InputError."""
    of = pictures.shown(setting, bench)
    which = of.images.drawn(len(CORNERS), setting.first_seed, 13)
    if len(which) < len(CORNERS):
        raise LeftOut(f"{of.material.name} holds {len(which)} images, and this figure goes between three; name more")
    mean, _, y = through(of.ensemble, of.images.seen(which))
    z = plane(*mean.astype(np.float64)).astype(mean.dtype)
    decoded = of.ensemble.decode(z.reshape(1, SIDE**2, -1))[0]
    again, grid = of.images.shown(y), of.images.shown(decoded)
    grid = grid.reshape(SIDE, SIDE, *grid.shape[1:])
    rows = ", ".join(map(str, of.images.numbers(which)))
    found = findings(grid, again, of.unfinished)
    return Measured(
        panels=[],
        findings=found,
        alt=symbols(f"{SIDE} by {SIDE} decoded images between rows {rows}. {found[0]['evidence']}"),
        caption=f"Left: three images, rows {rows}, and their reconstructions. Right: their latents at three corners of "
        f"a plane (blue), decoded over it; the fourth corner, b + c - a, is extrapolated (orange). The three corners "
        f"are the reconstructions {_near(corners_off(grid, again))}. {of.words}.",
        materials=[of.material],
        deviations=pictures.deviations(setting),
        notes=of.notes,
        arrays={"originals": of.images.originals(which), "reconstructions": again, "grid": grid},
        more={"model": of.facts},
    )


def plane(a: Array, b: Array, c: Array) -> Array:
    """z = (1 - s - t) a + s b + t c, of a, b, c (k,).  -> (rows t, columns s, k), at three corners exactly those."""
    s, t = np.meshgrid(along(), along())
    return np.asarray((1 - s - t)[..., None] * a + s[..., None] * b + t[..., None] * c)


def along() -> Array:
    """The coordinates of the grid, (SIDE,)."""
    return np.linspace(0, 1, SIDE)


def paths(grid: Array) -> dict[str, Array]:
    """The pictures between each two of the three corners; from b to c along the diagonal."""
    places = np.arange(SIDE)
    return {"first to second": grid[0], "first to third": grid[:, 0], "second to third": grid[places, places[::-1]]}


def corners_off(grid: Array, again: Array) -> int:
    """By how many grey levels the corners differ from the reconstructions (3, ...): by what arithmetic rounds."""
    return max(_off(grid[at], one) for at, one in zip(CORNERS.values(), again, strict=True))


def _near(off: int) -> str:
    return f"to within {off} grey level{'s' * (off != 1)}" if off else "themselves"


def findings(grid: Array, again: Array, unfinished: str = "") -> list[Document]:
    """grid (SIDE, SIDE, height, width, channels), again (3, ...) the reconstructions of the three images.

    unfinished: why the model is not yet what it would become, and so nothing can be told of it.
    """
    largest = {}
    for name, path in paths(grid).items():
        whole = float(rms(path[0], path[-1]))
        # Of images that are the same up to a grey level nothing can be said.
        if whole >= 1:
            largest[name] = float(rms(path[1:], path[:-1]).max()) / whole, whole
    said = ", ".join(
        f"{name} image {number(part, 2)} of {number(whole, 3)} grey levels" for name, (part, whole) in largest.items()
    )
    even = f"even steps are {number(1 / (SIDE - 1), 2)}"
    evidence = f"largest step between neighbours, as a part of the distance from end to end: {said}; {even}"
    if alike := [name for name in paths(grid) if name not in largest]:
        evidence = "the three reconstructions are not three images: to within a grey level there is no way from " + (
            f"{' image, nor from '.join(alike)} image"
        )
    holds = None if alike else all(v <= STEP for v, _ in largest.values())
    return [
        finding(
            f"the way from image to image is smooth: no step is more than {number(STEP)} of it (a test of ours)",
            pictures.told(holds, unfinished),
            pictures.because(unfinished) + evidence,
        )
    ]


def _off(a: Array, b: Array) -> int:
    return int(np.abs(a.astype(int) - b.astype(int)).max())


def draw(entry: Document, arrays: Mapping[str, Array]) -> Figure:
    """The three images with their reconstructions, and the grid."""
    grid = arrays["grid"]
    figure = blank(8.4, 0.6 + 6.1 * grid.shape[2] / grid.shape[3])
    beside, whole = figure.subplots(1, 2, width_ratios=[2, SIDE])
    pairs = np.stack([arrays["originals"], arrays["reconstructions"]], axis=1)
    gallery(beside, pairs, list(CORNERS), ["image", "reconstructed"])
    beside.set_anchor("NW")
    gallery(whole, grid)
    for name, (row, column) in {**CORNERS, "b + c − a": (-1, -1)}.items():
        colour = PALETTE["blue" if name in CORNERS else "vermillion"]
        mark(whole, grid, row % SIDE, column % SIDE, colour, name)
    return figure


def numbers(entry: Document, arrays: Mapping[str, Array]) -> tuple[list[str], list[list[Any]]]:
    """One line a picture of the grid: its place, and mean squared differences in squared grey levels."""
    grid, at = arrays["grid"], along()
    corners = {(row % SIDE, column % SIDE): i for i, (row, column) in enumerate(CORNERS.values())}
    lines: list[list[Any]] = []
    for i in range(SIDE):
        for j in range(SIDE):
            right = float(rms(grid[i, j], grid[i, j + 1])) ** 2 if j + 1 < SIDE else None
            below = float(rms(grid[i, j], grid[i + 1, j])) ** 2 if i + 1 < SIDE else None
            corner = corners.get((i, j))
            own = None if corner is None else float(rms(grid[i, j], arrays["reconstructions"][corner])) ** 2
            lines.append([i + 1, j + 1, float(at[j]), float(at[i]), right, below, own])
    return ["row", "column", "s", "t", "to_the_right", "to_the_one_below", "to_its_reconstruction"], lines
