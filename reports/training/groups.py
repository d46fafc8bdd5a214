"""What pictures of trained models tell apart: one fixed noise from another, and from those that are learned.

Notation   document: train.json as a dict; a group is what may be ranked (signs.py).
Main       Group, groups, named; spread, of a long list a few.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import Any, TypeVar

from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb

from reports.training.signs import group_of
from verify.pictures.palette import PALETTE
from verify.words.numerals import typed

Document = dict[str, Any]
COLOURS = ("blue", "vermillion", "green", "purple", "ink", "muted")
# Of more noises than there are colours, from the smallest to the largest; readable on a light and on a dark page.
BLEND = ("blue", "purple", "vermillion")
# More names than that hide the curves.
MOST_NAMES = 8
COLUMNS = 4
T = TypeVar("T")


@dataclass(frozen=True)
class Group:
    """How a group looks in every picture; best: its best model, by its place from 0, None if all diverged."""

    name: str
    colour: str
    line: str
    best: int | None


def groups(document: Document) -> dict[tuple[str, float | None], Group]:
    """Each group of models by its key (`group_of`), in the order of the models."""
    keys = list(dict.fromkeys(map(group_of, document["models"])))
    fixed = sorted(sigma2 for _, sigma2 in keys if sigma2 is not None)
    best = {(g["noise"], g["sigma2"]): g["best"] for g in document.get("best_per_noise", [])}
    found = {}
    for number, key in enumerate(keys):
        sigma2, at = key[1], best.get(key)
        if len(keys) <= len(COLOURS):
            colour = PALETTE[COLOURS[number]]
        else:
            colour = PALETTE["green"] if sigma2 is None else _blended(fixed, sigma2)
        name = "learned noise" if sigma2 is None else f"σ² = {typed(sigma2)}"
        found[key] = Group(name, colour, "--" if sigma2 is None else "-", None if at is None else at - 1)
    return found


def _blended(fixed: Sequence[float], sigma2: float) -> str:
    """A colour between those of BLEND, by the logarithm of the noise."""
    low, high = log(fixed[0]), log(fixed[-1])
    at = (len(BLEND) - 1) * (log(sigma2) - low) / ((high - low) or 1.0)
    left = min(int(at), len(BLEND) - 2)
    ends = (to_rgb(PALETTE[name]) for name in BLEND[left : left + 2])
    red, green, blue = (a + (at - left) * (b - a) for a, b in zip(*ends, strict=True))
    return to_hex((red, green, blue))


def named(axes: Axes, shown: Sequence[Group], more: Sequence[Any] = ()) -> None:
    """A legend above the frame, where no curve is; of many groups some.  more: handles with labels of their own."""
    handles = [
        axes.plot([], [], color=group.colour, linestyle=group.line, label=group.name)[0]
        for group in spread(list(shown), MOST_NAMES)
    ]
    handles += more
    columns = min(len(handles), COLUMNS)
    # Columns are filled one after the other, and rows are read.
    ordered = [handle for column in range(columns) for handle in handles[column::columns]]
    axes.legend(
        handles=ordered, loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, borderaxespad=0.2, columnspacing=1.2
    )


def spread(many: Sequence[T], most: int) -> list[T]:
    """At most so many of them, evenly, the first and the last among them."""
    if len(many) <= most:
        return list(many)
    return [many[round(i * (len(many) - 1) / (most - 1))] for i in range(most)]
