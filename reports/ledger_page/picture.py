"""The blueprint of a ledger, one SVG: what rests on what, how strong each claim is, and what holds as printed.

Notation   nodes are named "claim ID" and "fact ID"; a unit of the picture is a CSS pixel where it is as wide as a page.
Main       blueprint, for a page, whose style sheet it needs; standalone, a file of its own; drawn_lines.

Layers run from left to right, each node right of all that it uses. No colour has to be told from another.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from markupsafe import Markup

from proofs.machinery.judging import VERDICTS
from reports.ledger_page import nodes
from reports.ledger_page.claims import Arrows, arrows, entries, facts, ground, ids, needed
from reports.ledger_page.key import key
from reports.ledger_page.layout import APART, Placed, placed
from reports.pages.html import environment

Document = dict[str, Any]
WIDTH = 1080.0  # of the page; what has many layers is wider
MARGIN = 16  # around a picture that stands alone
LABEL = "What each claim rests on, its verdict and its strength"
ALONE = "On no other claim and on no standard fact, and under none:"


def blueprint(document: Document) -> Markup | None:
    """The picture as an element of a page that has the claims' anchors; None where nothing rests on anything."""
    if not any(drawn_lines(document).values()):
        return None
    body, width, height = _body(document, linked=True)
    opening = f'<svg viewBox="0 0 {width:.0f} {height:.0f}" class="blueprint" role="group" aria-label="{LABEL}"'
    return Markup(f'{opening} style="--natural: {width:.0f}px">{body}</svg>')


def standalone(document: Document) -> str:
    """The picture as a file: with a heading, and with its style, light and dark."""
    body, width, height = _body(document, linked=False, heading=heading(document))
    across, down = round(width) + 2 * MARGIN, round(height) + 2 * MARGIN
    frame = f'viewBox="-{MARGIN} -{MARGIN} {across} {down}" width="{across}" height="{down}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {frame} class="blueprint" role="img" aria-label="{LABEL}">\n'
        f'<style>{_style()}</style>\n<rect class="ground" x="-{MARGIN}" y="-{MARGIN}" width="100%" height="100%"/>\n'
        f"{body}\n</svg>\n"
    )


def heading(document: Document) -> list[str]:
    """What the ledger amounts to, in a line or two."""
    claims, trusted = document["claims"], facts(document)
    counts = Counter(str(claim["verdict"]) for claim in claims)
    verdicts = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict])
    said = f"{_many(len(claims), 'claim')}: {verdicts or 'none was put to the test'}"
    said += f"; {_many(len(trusted), 'standard fact')} trusted and not proved here" if trusted else ""
    partial = not document.get("complete", True)
    return [said, *(["a partial run: each verdict speaks only for the evidence that was run"] if partial else [])]


def _many(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def drawn_lines(document: Document) -> Arrows:
    """What each node rests on or trusts, by name, less what other lines imply."""
    claims, trusted = document["claims"], {one["id"] for one in facts(document)}
    whole: Arrows = {f"fact {one}": [] for one in trusted}
    whole |= {f"claim {id}": [f"claim {one}" for one in on] for id, on in ground(arrows(claims)).items()}
    for claim in claims:
        own = whole[f"claim {claim['id']}"]
        own += [f"fact {one}" for one in ids(claim.get("trusts")) if one in trusted and f"fact {one}" not in own]
    return needed(dict(sorted(whole.items())))  # sorted: a picture does not depend on the order of a set


def _body(document: Document, *, linked: bool, heading: Sequence[str] = ()) -> tuple[str, float, float]:
    """What the picture holds, its width and its height."""
    trusted = facts(document)
    named = {f"claim {one['id']}": one for one in reversed(entries(document["claims"], trusted))}
    named |= {f"fact {one['id']}": one for one in trusted}
    number = {name: i for i, name in enumerate(named)}
    size = {name: nodes.size(name, node) for name, node in named.items()}
    lines = drawn_lines(document)
    joined = {name for name, on in lines.items() if on}.union(*lines.values())
    plan = placed({name: on for name, on in lines.items() if name in joined}, size)
    width, top = max(WIDTH, plan.width + 2), 20.0 * len(heading) + 6
    shift = (width - plan.width) / 2
    made = [
        *(f'<text class="head" x="1" y="{20 * at + 12}">{escape(line)}</text>' for at, line in enumerate(heading)),
        f'<g transform="translate({shift:.1f} {top:.1f})">',
        *_lines(plan, number),
        *(nodes.drawn(named[one], one, box.x, box.y, number[one], linked=linked) for one, box in plan.nodes.items()),
        "</g>",
    ]
    top += plan.height
    if alone := [name for name in named if name not in joined]:
        made.append(f'<text class="note" x="1" y="{top + 22:.1f}">{ALONE}</text>')
        top += 32
        spots = _rows({name: size[name] for name in reversed(alone)}, width)
        made += [nodes.drawn(named[one], one, x, top + y, number[one], linked=linked) for one, (x, y) in spots.items()]
        top += max(y + size[name][1] for name, (_, y) in spots.items()) + 6
    legend, height = key(width, top + 16)
    return "\n".join([*made, *legend]), width, height


def _lines(plan: Placed, number: Mapping[str, int]) -> Iterator[str]:
    yield '<g class="lines">'
    # Those between claims lie over those from facts.
    for (one, name), path in sorted(plan.lines.items(), key=lambda line: line[0][0].startswith("claim ")):
        kind = "rests" if one.startswith("claim ") else "trusts"
        yield f'<path class="{kind}" d="{path}" data-ends="{number[one]} {number[name]}"/>'
    yield "</g>"


def _rows(size: Mapping[str, tuple[float, float]], width: float) -> dict[str, tuple[float, float]]:
    """Places of nodes without lines, row by row."""
    found, x, y, highest = {}, 1.0, 0.0, 0.0
    for name, (wide, high) in size.items():
        if x > 1 and x + wide > width:
            x, y, highest = 1.0, y + highest + APART, 0.0
        found[name] = x, y
        x, highest = x + wide + 12, max(highest, high)
    return found


def _style() -> str:
    """The style sheet of a picture that stands alone: the page's, with its colours written out, light and dark."""
    loader = (made := environment("reports.ledger_page")).loader
    assert loader is not None
    page, rules = (loader.get_source(made, name)[0] for name in ("style.css", "blueprint.css"))
    blocks = re.findall(r":root \{(.*?)\}", page, re.DOTALL)[:2]
    light, dark = (dict(re.findall(r"--(\w+): ([^;]+);", block)) for block in blocks)

    def coloured(colours: Mapping[str, str]) -> str:
        known = {**light, **colours}
        return re.sub(r"var\(--(\w+)\)", lambda name: known[name[1]].replace('"', "'"), rules)

    return f"{coloured({})}\n@media (prefers-color-scheme: dark) {{\n{coloured(dark)}}}\n"
