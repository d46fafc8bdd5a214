"""Where text goes in a picture: found by measuring, once the frame is laid out.

Notation   boxes are in pixels of the figure; pads and offsets in points.
Main       beside, a name near a point; inside, a name within a region; row, names above the frame.

A text stands where its box touches no line, no marker and no other text, or it is not there at all: `beside` and
`inside` say whether they found room.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cbook import STEP_LOOKUP_MAP
from matplotlib.path import Path
from matplotlib.text import Annotation
from matplotlib.transforms import Bbox

from verify.arrays import Array

SIZE = 9.0
# From a point to its name: first beside it, then farther off.
NEAR = [(x, y) for far in (7, 14, 24) for x, y in ((far, far), (far, -far), (-far, -far), (-far, far))]
# Places along one side of the frame that are tried, and the room wanted around a text in a region: the most first.
_STEPS, _ROOM = 36, (14.0, 9.0, 6.0, 4.0)


class Taken:
    """What no text may touch: lines as they run, markers and texts.  Those of `axes` at this time."""

    def __init__(self, axes: Axes, more: Sequence[Path] = ()):
        self.paths = [*(_course(line) for line in axes.lines), *more]
        self.boxes = [box for found in axes.collections for box in _markers(found)]
        self.boxes += [text.get_window_extent() for text in axes.texts if text.get_text().strip()]
        self.boxes += [_square(x, y, float(line.get_markersize())) for line in axes.lines for x, y in _points(line)]

    def touches(self, box: Bbox) -> bool:
        """Whether any of it lies in the box."""
        return any(box.overlaps(other) for other in self.boxes) or any(
            path.intersects_bbox(box, filled=False) for path in self.paths
        )


def _course(line: Any) -> Path:
    """A line in pixels, steps as they are drawn."""
    if line.get_drawstyle() == "default":
        return line.get_transform().transform_path(line.get_path())  # type: ignore[no-any-return]
    steps = STEP_LOOKUP_MAP[line.get_drawstyle()](*line.get_data())
    return Path(line.get_transform().transform(np.column_stack(steps)))


def _points(line: Any) -> Array:
    """The markers of a line (m, 2), in pixels."""
    marked = line.get_marker() not in ("", "None", None, " ")
    return np.asarray(line.get_transform().transform(line.get_xydata())) if marked else np.empty((0, 2))


def _markers(found: Any) -> Iterator[Bbox]:
    """Boxes around the points of a scatter plot; bands and fills have none."""
    sizes = found.get_sizes() if hasattr(found, "get_sizes") else []
    if len(sizes):
        for x, y in found.get_offset_transform().transform(found.get_offsets()):
            yield _square(x, y, found.figure.dpi / 72 * float(np.sqrt(sizes[0])) + 2)


def _square(x: float, y: float, side: float) -> Bbox:
    return Bbox.from_extents(x - side / 2, y - side / 2, x + side / 2, y + side / 2)


def beside(
    axes: Axes,
    text: str,
    at: tuple[Any, Any],
    color: str,
    offsets: Sequence[tuple[float, float]] = NEAR,
    xycoords: Any = "data",
) -> bool:
    """Put a name at the first of the offsets from a point, in points, where there is room; False: nowhere."""
    taken, frame, pad = Taken(axes), axes.get_window_extent(), 0.02 * axes.figure.dpi
    note = axes.annotate(text, at, (0, 0), xycoords, "offset points", color=color, fontsize=SIZE, zorder=6)
    for x, y in offsets:
        _move(note, x, y)
        box = note.get_window_extent().padded(pad)
        if _within(box, frame) and not taken.touches(box):
            return True
    note.remove()
    return False


def _move(note: Annotation, x: float, y: float) -> None:
    note.set_position((x, y))
    note.set_horizontalalignment("left" if x > 0 else "right" if x < 0 else "center")
    note.set_verticalalignment("bottom" if y > 0 else "top" if y < 0 else "center")


def _within(box: Bbox, frame: Bbox) -> bool:
    return bool(box.x0 >= frame.x0 and box.x1 <= frame.x1 and box.y0 >= frame.y0 and box.y1 <= frame.y1)


def inside(axes: Axes, texts: Sequence[str], outline: Array) -> bool:
    """Put the first of these texts that fits wholly into a region, where it has the most room; False: none fits.

    outline (m, 2): the corners of the region, in data.
    """
    pixels = axes.transData.transform(outline)
    region = Path(np.vstack([pixels, pixels[:1]]))
    taken, frame = Taken(axes, [region]), axes.get_window_extent()
    bounds = Bbox.intersection(region.get_extents(), frame)
    for text in texts:
        note = axes.text(0, 0, text, ha="center", va="center", zorder=6)
        size = note.get_window_extent()
        place = bounds and _roomiest(
            bounds, (size.width, size.height), axes.figure.dpi / 72,
            lambda box: _within(box, frame) and _center_in(region, box) and not taken.touches(box),
        )  # fmt: skip
        if place is not None:
            note.set_transform(axes.transAxes)
            x, y = axes.transAxes.inverted().transform(place)
            note.set_position((float(x), float(y)))
            return True
        note.remove()
    return False


def _center_in(region: Path, box: Bbox) -> bool:
    return bool(region.contains_point(((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)))


def _roomiest(
    bounds: Bbox, size: tuple[float, float], point: float, free: Callable[[Bbox], bool]
) -> tuple[float, float] | None:
    """The middle of a free box with the most room around it, the most central of several; None: there is none."""
    xs, ys = (np.linspace(a, b, _STEPS) for a, b in ((bounds.x0, bounds.x1), (bounds.y0, bounds.y1)))
    for room in _ROOM:
        width, height = (side / 2 + room * point for side in size)
        if 2 * width > bounds.width or 2 * height > bounds.height:
            continue
        found = np.array([
            (x, y) for x in xs for y in ys if free(Bbox.from_extents(x - width, y - height, x + width, y + height))
        ])  # fmt: skip
        if found.size:
            off = np.abs(found - found.mean(axis=0)).sum(axis=1)
            x, y = found[off.argmin()]
            return float(x), float(y)
    return None


def row(axes: Axes, names: Sequence[tuple[float, str, str]]) -> None:
    """Names above the frame, (x in data, text, colour), each over its place and none over another or off the figure."""
    figure, frame = axes.figure, axes.get_window_extent()
    placed: list[tuple[Annotation, float, float]] = []
    for x, text, colour in sorted(names):
        middle = axes.transAxes.inverted().transform(axes.transData.transform((x, 1.0)))[0]
        note = axes.annotate(
            text, (middle, 1.0), (0, 4), "axes fraction", "offset points",
            color=colour, fontsize=SIZE, ha="center", va="bottom", annotation_clip=False,
        )  # fmt: skip
        placed.append((note, middle * frame.width + frame.x0, note.get_window_extent().width))
    gap, right = 7 * figure.dpi / 72, figure.bbox.width - 2
    left = 2.0
    starts = []
    for _, middle, width in placed:
        starts.append(max(left, middle - width / 2))
        left = starts[-1] + width + gap
    # Two that met are centred on what they name together.
    for i in range(len(starts) - 1):
        (_, a, first), (_, b, second) = placed[i : i + 2]
        if starts[i] + first + gap >= starts[i + 1] > b - second / 2:
            starts[i] = max(2.0, (a + b) / 2 - (first + gap + second) / 2)
            starts[i + 1] = starts[i] + first + gap
    end = right
    for i in reversed(range(len(starts))):
        note, _, width = placed[i]
        starts[i] = min(starts[i], end - width)
        end = starts[i] - gap
        note.xy = ((starts[i] + width / 2 - frame.x0) / frame.width, 1.0)
