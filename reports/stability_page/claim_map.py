"""The map of the claims: from left to right, what rests on nothing first, and lines that do not cross if they need not.

Notation   A layer holds the claims of one level and the bends of the lines that pass it; a spot is one of either, and
           has a height y in units of a row.
Main       claim_map.
Reference  Sugiyama, Tagawa & Toda, IEEE Trans. Syst. Man Cybern. 11 (1981): layers, then order, then places.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from reports.stability_page.claims import anchors, arrows, ground, levels, needed

Document = dict[str, Any]
Spot = tuple[str, ...]  # (claim,), or (above, below, level) for a bend
Layers = list[list[Spot]]

SWEEPS = 24
COLUMN, ROW = 100.0, 40.0  # units of the picture, which is stretched to its frame
FILLED = 0.76  # of a column; the rest is for the lines
BEND = 0.4  # the room for a line between two claims, in rows


def claim_map(claims: Sequence[Document]) -> Document | None:
    """Where every claim and every line stands, None without lines; `others`: how many claims have none."""
    founded = ground(arrows(claims))
    joined = {name for name, on in founded.items() if on}.union(*founded.values())
    if not joined:
        return None
    lines = needed({name: on for name, on in founded.items() if name in joined})
    level = levels(lines)
    layers, joints = _layers(lines, level)
    layers = _ordered(layers, joints)
    y = _heights(layers, joints)
    number = {name: i for i, name in enumerate(level)}
    place, verdict = anchors(claims), {str(claim["id"]): str(claim["verdict"]) for claim in claims}
    rows, columns = max(y.values()) + 0.5, len(layers) - (1 - FILLED)

    def node(name: str) -> Document:
        at = {"x": 100 * level[name] / columns, "y": 100 * y[name,] / rows}
        return {"id": name, "anchor": place[name], "verdict": verdict[name], "end": number[name], **at}

    return {
        "levels": [[node(spot[0]) for spot in layer if len(spot) == 1] for layer in layers],
        "lines": [
            {"path": _path(_bends(one, name, level), level, y), "ends": f"{number[one]} {number[name]}"}
            for name, on in lines.items()
            for one in on
        ],
        "width": COLUMN * columns,
        "height": ROW * rows,
        "rows": rows,
        "filled": 100 * FILLED / columns,
        "others": len(founded) - len(joined),
    }


def _bends(one: str, name: str, level: dict[str, int]) -> list[Spot]:
    """The spots of the line from `one` to what rests on it."""
    between: list[Spot] = [(one, name, str(at)) for at in range(level[one] + 1, level[name])]
    return [(one,), *between, (name,)]


def _layers(lines: dict[str, list[str]], level: dict[str, int]) -> tuple[Layers, dict[Spot, list[Spot]]]:
    """The spots of each layer, and for each spot those that it is joined with."""
    layers: Layers = [[] for _ in range(max(level.values()) + 1)]
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


def _ordered(layers: Layers, joints: dict[Spot, list[Spot]]) -> Layers:
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


def _crossings(layers: Layers, joints: dict[Spot, list[Spot]]) -> int:
    """How many pairs of lines cross."""
    total = 0
    for left, right in pairwise(layers):
        place = {spot: i for i, spot in enumerate(right)}
        ends = [sorted(place[j] for j in joints[spot] if j in place) for spot in left]
        total += sum(a > b for i, upper in enumerate(ends) for lower in ends[i + 1 :] for a in upper for b in lower)
    return total


def _heights(layers: Layers, joints: dict[Spot, list[Spot]]) -> dict[Spot, float]:
    """Every spot as near to what it is joined with as its neighbours in the layer allow; the highest at 1/2."""
    y = {
        spot: height for layer in layers for spot, height in zip(layer, _apart(layer, [0.0] * len(layer)), strict=True)
    }
    for _ in range(SWEEPS):
        for layer in layers:
            wanted = [_mean((y[j] for j in joints[spot]), y[spot]) for spot in layer]
            y |= zip(layer, _apart(layer, wanted), strict=True)
    top = min(y.values()) - 0.5
    return {spot: height - top for spot, height in y.items()}


def _apart(layer: Sequence[Spot], wanted: Sequence[float]) -> list[float]:
    """The heights nearest to the wanted ones, in squares, that leave every spot its room (pool adjacent violators)."""
    room = [BEND if len(spot) > 1 else 1.0 for spot in layer]
    offset = [0.0]
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


def _path(spots: Sequence[Spot], level: dict[str, int], y: dict[Spot, float]) -> str:
    """A smooth line from the right of one claim to the left of the other, level where it passes a column."""
    at = COLUMN * (level[spots[0][0]] + FILLED)
    parts = [f"M{at:.1f} {ROW * y[spots[0]]:.1f}"]
    for left, right in pairwise(spots):
        reach, up, down = COLUMN * (1 - FILLED), ROW * y[left], ROW * y[right]
        parts.append(f"C{at + reach / 2:.1f} {up:.1f} {at + reach / 2:.1f} {down:.1f} {at + reach:.1f} {down:.1f}")
        if len(right) > 1:
            parts.append(f"h{COLUMN * FILLED:.1f}")
        at += COLUMN
    return "".join(parts)
