"""Where the nodes of a blueprint stand: from left to right, each right of all that it rests on, with few crossings.

Notation   A layer holds the nodes of one level and the bends of the lines that pass it; a spot is one of either, and
           has a height y; sizes, places and paths are in units of the picture.
Main       placed.
Reference  Sugiyama, Tagawa & Toda, IEEE Trans. Syst. Man Cybern. 11 (1981): layers, then order, then places.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from reports.ledger_page.claims import Arrows, levels

Spot = tuple[str, ...]  # (node,), or (below, above, level) for a bend
Layers = list[list[Spot]]
Size = tuple[float, float]

SWEEPS, STARTS = 24, 16
APART, BEND = 7.0, 8.0  # room between two nodes of a layer, and for a line between two of them
GAP = 27.0  # between two layers, for the lines


@dataclass(frozen=True)
class Box:
    """A node: its level, the left upper corner, width and height."""

    level: int
    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


@dataclass(frozen=True)
class Placed:
    """Nodes by name; by (below, above) the path of each line, as SVG has it; the size of the whole."""

    nodes: dict[str, Box]
    lines: dict[tuple[str, str], str]
    width: float
    height: float


def placed(lines: Arrows, size: Mapping[str, Size]) -> Placed:
    """Lay out the nodes of `size`, width and height by name; `lines`, without circles: what each rests on."""
    level = _near(lines)
    layers, joints = _layers(lines, level)
    layers = _ordered(layers, joints)
    room = {spot: size[spot[0]][1] + APART if len(spot) == 1 else BEND for layer in layers for spot in layer}
    y = _heights(layers, joints, room)
    widths = [max(size[spot[0]][0] for spot in layer if len(spot) == 1) for layer in layers]
    left = [sum(widths[:at]) + GAP * at for at in range(len(layers))]
    nodes = {
        name: Box(at, left[at] + (widths[at] - size[name][0]) / 2, y[name,] - size[name][1] / 2, *size[name])
        for name, at in level.items()
    }
    ends = [0.0, *(left[at] + widths[at] for at in range(len(layers)))]
    return Placed(
        nodes=nodes,
        lines={
            (one, name): _path(_bends(one, name, level), nodes, left, widths, y)
            for name, on in lines.items()
            for one in on
        },
        width=ends[-1],
        height=max((y[spot] + room[spot] / 2 for spot in y), default=0.0),
    )


def _near(lines: Arrows) -> dict[str, int]:
    """The level of each node; what rests on nothing stands as near as it can to what rests on it."""
    level = levels(lines)
    above: Arrows = {name: [] for name in lines}
    for name, on in lines.items():
        for one in on:
            above[one].append(name)
    return {
        name: at if lines[name] or not above[name] else min(level[other] for other in above[name]) - 1
        for name, at in level.items()
    }


def _bends(one: str, name: str, level: Mapping[str, int]) -> list[Spot]:
    """The spots of the line from `one` to what rests on it."""
    between: list[Spot] = [(one, name, str(at)) for at in range(level[one] + 1, level[name])]
    return [(one,), *between, (name,)]


def _layers(lines: Arrows, level: Mapping[str, int]) -> tuple[Layers, dict[Spot, list[Spot]]]:
    """The spots of each layer, and for each spot those that it is joined with."""
    layers: Layers = [[] for _ in range(max(level.values(), default=-1) + 1)]
    joints: dict[Spot, list[Spot]] = {(name,): [] for name in lines}
    for name in lines:
        layers[level[name]].append((name,))
    for name, on in lines.items():
        for one in on:
            spots = _bends(one, name, level)
            for at, spot in enumerate(spots[1:-1], start=level[one] + 1):
                layers[at].append(spot)
                joints[spot] = []
            for left, right in pairwise(spots):
                joints[left].append(right)
                joints[right].append(left)
    return layers, joints


def _ordered(layers: Layers, joints: Mapping[Spot, list[Spot]]) -> Layers:
    """The layers in the order with the fewest crossings that is found from several first ones, the same each time."""
    rng = random.Random(0)
    found = []
    for _ in range(STARTS):
        swept = _swapped(_swept(layers, joints), joints)
        found.append((_crossings(swept, joints), swept))
        layers = [rng.sample(layer, len(layer)) for layer in layers]
    return min(found, key=lambda one: one[0])[1] if layers else layers


def _swept(layers: Layers, joints: Mapping[Spot, list[Spot]]) -> Layers:
    """Each layer by the mean place of what its spots are joined with on one side, then on the other; the best seen."""
    best, fewest = layers, _crossings(layers, joints)
    for sweep in range(SWEEPS):
        layers = [list(layer) for layer in layers]
        ahead = range(1, len(layers)) if sweep % 2 == 0 else range(len(layers) - 2, -1, -1)
        for at in ahead:
            beside = {spot: i for i, spot in enumerate(layers[at - 1 if sweep % 2 == 0 else at + 1])}
            own = {spot: i for i, spot in enumerate(layers[at])}
            layers[at].sort(key=lambda spot: _mean((beside[j] for j in joints[spot] if j in beside), own[spot]))
        if (crossings := _crossings(layers, joints)) < fewest:
            best, fewest = layers, crossings
    return best


def _swapped(layers: Layers, joints: Mapping[Spot, list[Spot]]) -> Layers:
    """Neighbours of a layer change places as long as that saves a crossing."""
    layers, saved = [list(layer) for layer in layers], True
    while saved:
        saved = False
        for at, layer in enumerate(layers):
            sides = [{spot: i for i, spot in enumerate(layers[to])} for to in (at - 1, at + 1) if 0 <= to < len(layers)]
            for i in range(len(layer) - 1):
                upper, lower = ([[side[j] for j in joints[s] if j in side] for side in sides] for s in layer[i : i + 2])
                gain = sum((a > b) - (a < b) for u, d in zip(upper, lower, strict=True) for a in u for b in d)
                if gain > 0:
                    layer[i : i + 2] = layer[i + 1], layer[i]
                    saved = True
    return layers


def _crossings(layers: Layers, joints: Mapping[Spot, list[Spot]]) -> int:
    """How many pairs of lines cross."""
    total = 0
    for left, right in pairwise(layers):
        place = {spot: i for i, spot in enumerate(right)}
        ends = [sorted(place[j] for j in joints[spot] if j in place) for spot in left]
        total += sum(a > b for i, upper in enumerate(ends) for lower in ends[i + 1 :] for a in upper for b in lower)
    return total


def _heights(layers: Layers, joints: Mapping[Spot, list[Spot]], room: Mapping[Spot, float]) -> dict[Spot, float]:
    """Every spot as near to what it is joined with as its neighbours in the layer allow."""
    y: dict[Spot, float] = {}
    for layer in layers:
        y |= zip(layer, _apart([0.0] * len(layer), [room[spot] for spot in layer]), strict=True)
    for _ in range(SWEEPS):
        for layer in layers:
            wanted = [_mean((y[j] for j in joints[spot]), y[spot]) for spot in layer]
            y |= zip(layer, _apart(wanted, [room[spot] for spot in layer]), strict=True)
    return _closed(y, room)


def _closed(y: Mapping[Spot, float], room: Mapping[Spot, float]) -> dict[Spot, float]:
    """The same heights, from 0 on, without bands right across the picture in which nothing stands."""
    found, shift, low = {}, 0.0, 0.0
    for spot in sorted(y, key=lambda spot: y[spot] - room[spot] / 2):
        top = y[spot] - room[spot] / 2 - shift
        shift += top - low if not found or top > low else 0.0
        found[spot] = y[spot] - shift
        low = max(low, found[spot] + room[spot] / 2)
    return found


def _apart(wanted: Sequence[float], room: Sequence[float]) -> list[float]:
    """The heights nearest to the wanted ones, in squares, that leave each its room (pool adjacent violators)."""
    offset = [0.0] * min(1, len(room))
    for upper, lower in pairwise(room):
        offset.append(offset[-1] + (upper + lower) / 2)
    pools: list[tuple[float, int]] = []  # mean of wanted less offset, how many
    for want, o in zip(wanted, offset, strict=True):
        mean, count = want - o, 1
        while pools and pools[-1][0] >= mean:
            other, more = pools.pop()
            mean, count = (mean * count + other * more) / (count + more), count + more
        pools.append((mean, count))
    flat = [mean for mean, count in pools for _ in range(count)]
    return [height + o for height, o in zip(flat, offset, strict=True)]


def _mean(values: Iterable[float], otherwise: float) -> float:
    found = list(values)
    return sum(found) / len(found) if found else otherwise


def _path(
    spots: Sequence[Spot],
    nodes: Mapping[str, Box],
    left: Sequence[float],
    widths: Sequence[float],
    y: Mapping[Spot, float],
) -> str:
    """A smooth line from the right of one node to the left of the other, level where it passes a layer."""
    first, last = nodes[spots[0][0]], nodes[spots[-1][0]]
    parts = [f"M{first.x + first.width:.1f} {first.middle:.1f}"]
    for at, (before, after) in enumerate(pairwise(spots), start=first.level):
        start, end, up, down = left[at] + widths[at], left[at + 1], y[before], y[after]
        half = (start + end) / 2
        parts.append(f"H{start:.1f}C{half:.1f} {up:.1f} {half:.1f} {down:.1f} {end:.1f} {down:.1f}")
        parts.append(f"H{left[at + 1] + widths[at + 1]:.1f}" if len(after) > 1 else f"H{last.x:.1f}")
    return "".join(parts)
