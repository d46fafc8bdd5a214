"""Trees that halve a box until each leaf is decided, by a greedy search.

Main       tree, statement.
Reference  verify/certify/checker/boxes.py.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from verify.certify.checker.boxes import Function, Part, enclosure
from verify.certify.checker.functions import FUNCTIONS

# How much a coordinate's width counts; 1 where nothing is said. f/x_0 of two pixels does not depend on x_0.
WEIGHTS = {"two pixels": (0, 1, 1), "rotation": (4, 1)}
LEAVES = 20_000


def tree(function: Function, sign: str, box: Part, weights: Sequence[int] = (), leaves: int = LEAVES) -> str:
    """Widest coordinate first, by weight, until decided or until there are so many leaves: then the rest stays.

    It ends at a leaf of the wrong sign, which refutes.
    """
    found: list[str] = []
    parts, many, refuted = [list(box)], 0, False
    while parts:
        part = parts.pop()
        kind, refuted = (".", True) if refuted else _kind(function, sign, part)
        if kind or many + len(parts) + 1 >= leaves:
            found.append(kind or ".")
            many += 1
            continue
        widths = [w * (hi - lo) for w, (lo, hi) in zip(weights or [1] * len(part), part, strict=True)]
        i = widths.index(max(widths))
        lo, hi = part[i]
        found.append(str(i))
        parts += [[*part[:i], half, *part[i + 1 :]] for half in (((lo + hi) / 2, hi), (lo, (lo + hi) / 2))]
    return "".join(found)


def _kind(function: Function, sign: str, part: Part) -> tuple[str, bool]:
    """The kind of leaf that decides this part, "" if none does, and whether it has the other sign."""
    lo, hi = part[0]
    touches = function.order > 0 and lo <= 0 <= hi
    # The mean value form cannot decide where f vanishes; far from there it is better than f/x_0^order from x_0 = 0 on.
    for kind in "." if touches else ":" if function.order and min(abs(lo), abs(hi)) > hi - lo else ".:":
        value = enclosure(function, part, kind) * (1 if sign == ">" else -1)
        if value > 0 or value < 0:
            return kind, bool(value < 0)
    return "", False


def statement(name: str, sign: str, box: Sequence[tuple[str, str]], leaves: int = LEAVES) -> dict[str, Any]:
    """A statement on a box, with what the search has found for it."""
    ends = [(Fraction(lo), Fraction(hi)) for lo, hi in box]
    found = tree(FUNCTIONS[name], sign, ends, WEIGHTS.get(name, ()), leaves)
    return {
        "kind": "box",
        "function": name,
        "sign": sign,
        "box": [list(pair) for pair in box],
        "evidence": {"tree": found},
    }
