"""The key of a blueprint: what fills, borders, signs and lines mean.

Main       key.
"""

from collections.abc import Iterator
from html import escape

from proofs.machinery.claims import STRENGTHS
from proofs.machinery.judging import VERDICTS
from reports.ledger_page.nodes import FINE, SAID, shape, sign

ROW = 21.0
STRENGTH_WORDS = {
    "proved": "proved: by exact computation",
    "certified": "certified: by bounds, on given instances",
    "tested": "tested: in floating point",
    "argued": "argued: in words only",
    "open": "not known: what it rests on was not run",
}
Sample = tuple[str, float, str]  # SVG around (0, 0), its width, the words behind it


def key(width: float, top: float) -> tuple[list[str], float]:
    """The key from `top` on, in rows as wide as the picture; and where it ends."""
    made, y = ['<g class="key" aria-hidden="true">'], top
    for row in (_verdicts(), _strengths(), _lines()):
        x = 1.0
        for sample, wide, said in row:
            room = wide + 6 + FINE * len(said)
            if x > 1 and x + room > width:
                x, y = 1.0, y + ROW
            if sample:
                made.append(f'<g transform="translate({x:.1f} {y:.1f})">{sample}</g>')
            made.append(f'<text x="{x + wide + (6 if sample else 0):.1f}" y="{y + 4:.1f}">{escape(said)}</text>')
            x += room + 10
        y += ROW
    return [*made, "</g>"], y - ROW + 14


def _strengths() -> Iterator[Sample]:
    yield "", 0.0, "Its weakest link is"
    for how in (*reversed(STRENGTHS), "open"):
        yield f'<g class="claim {how}">{shape(how, 0, -7, 22, 14)}</g>', 22.0, STRENGTH_WORDS[how]


def _verdicts() -> Iterator[Sample]:
    yield "", 0.0, "The claim"
    for verdict in VERDICTS:
        yield f'<g class="claim">{sign(verdict, 8, 0)}</g>', 16.0, SAID[verdict]


def _lines() -> Iterator[Sample]:
    yield '<g class="fact"><rect y="-7" width="30" height="14" rx="7"/></g>', 30.0, "standard fact, not proved here"
    yield (
        '<g class="lines"><path class="rests" d="M0 0H30"/></g>',
        30.0,
        "the claim on the right rests on that on the left",
    )
    yield '<g class="lines"><path class="trusts" d="M0 0H30"/></g>', 30.0, "it trusts that fact"
    yield "", 0.0, "Lines that follow from others are left out."
