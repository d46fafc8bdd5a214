"""Trees that halve a box until each leaf is decided, by a greedy search.

Main       tree, statement.
Reference  verify/certify/checker/boxes.py.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from verify.certify.checker.boxes import FUNCTIONS, Function, Part, enclosure

# What is halved at all: f/x_0 of two pixels does not depend on x_0, and f itself is no larger where x_0 is small.
HALVED = {"two pixels": (1, 2)}
LEAVES = 20_000


def tree(function: Function, sign: str, box: Part, halved: Sequence[int] | None = None, leaves: int = LEAVES) -> str:
    """Widest coordinate first, until decided or until there are so many leaves: then the rest stays as it is.

    It ends at a leaf of the wrong sign, which refutes.
    """
    found: list[str] = []
    parts, many, refuted = [list(box)], 0, False
    while parts:
        part = parts.pop()
        kind = "." if refuted else _kind(function, sign, part)
        if kind or many + len(parts) >= leaves:
            refuted = refuted or kind == "!"
            found.append("." if kind in (None, "!") else kind)
            many += 1
            continue
        i = max(halved or range(len(part)), key=lambda i: part[i][1] - part[i][0])
        lo, hi = part[i]
        found.append(str(i))
        parts += [[*part[:i], half, *part[i + 1 :]] for half in (((lo + hi) / 2, hi), (lo, (lo + hi) / 2))]
    return "".join(found)


def _kind(function: Function, sign: str, part: Part) -> str | None:
    """The kind of leaf that decides this part; "!": that it has the other sign; None: none does."""
    lo, hi = part[0]
    touches = function.order > 0 and lo <= 0 <= hi
    # The mean value form cannot decide where f vanishes; far from there it is better than f/x_0^order from x_0 = 0 on.
    for kind in "." if touches else ":" if function.order and min(abs(lo), abs(hi)) > hi - lo else ".:":
        value = enclosure(function, part, kind) * (1 if sign == ">" else -1)
        if value > 0:
            return kind
        if value < 0:
            return "!"
    return None


def statement(name: str, sign: str, box: Sequence[tuple[str, str]], leaves: int = LEAVES) -> dict[str, Any]:
    """A statement on a box, with what the search has found for it."""
    ends = [(Fraction(lo), Fraction(hi)) for lo, hi in box]
    found = tree(FUNCTIONS[name], sign, ends, HALVED.get(name), leaves)
    return {
        "kind": "box",
        "function": name,
        "sign": sign,
        "box": [list(pair) for pair in box],
        "evidence": {"tree": found},
    }
