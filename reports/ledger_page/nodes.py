"""How a claim and a standard fact are drawn: fill and border say the strength, a sign the verdict, and words say both.

Notation   names of nodes are "claim ID" and "fact ID"; places and sizes in units of the picture.
Main       size, drawn; state and words, of a claim; shape, sign, SAID, for the key.
"""

import re
from html import escape
from typing import Any

from proofs.machinery.claims import STRENGTHS
from reports.ledger_page.claims import SHAKY
from reports.ledger_page.layout import Size
from reports.words.mathml import plain

Document = dict[str, Any]
LINE, SMALL = 13.5, 12.0  # heights of a line of text, in a claim and in a fact
LETTER, FINE = 6.9, 6.0  # how wide letters are on the average in the widest usual face: at 12 pixels, and at 10
LONG = 15  # letters of an id that stand on one line, where it has a hyphen to break at
SIGN = 21.0  # room for the sign of the verdict
# Around (0, 0).
SIGNS = {
    "holds": "M-3.2 .2L-1 2.6 3.4-2.6",
    "holds with correction": "M0-3.6L3.6 2.8H-3.6Z",
    "refuted": "M-2.8-2.8L2.8 2.8M2.8-2.8L-2.8 2.8",
    "undecided": "M-2-1.6A2 2 0 1 1 0 .5V1.3M0 3.1V3.5",
    "broken": "M0-3.8V.9M0 3.1V3.5",
}
SAID = {
    "holds": "holds as stated",
    "holds with correction": "holds once corrected",
    "refuted": "false as stated",
    "undecided": "undecided",
    "broken": "broken: its evidence fails",
}


def state(claim: Document) -> str:
    """What the fill and the border of a claim say: its strength, or what kept it from having one."""
    verdict, strength = str(claim["verdict"]), claim.get("strength")
    if verdict in SHAKY:
        return verdict
    return str(strength) if strength in STRENGTHS else "open"


def words(claim: Document) -> str:
    """What is said below a claim's id: the strength of what was shown, and that where it is not the printed form."""
    verdict, how = str(claim["verdict"]), state(claim)
    said = "strength open" if how == "open" else how
    return {"holds with correction": f"corrected, {said}", "refuted": f"refuted, {said}"}.get(verdict, said)


def size(name: str, node: Document) -> Size:
    """Width and height of a node."""
    rows = _rows(str(node["id"]))
    longest = max(map(len, rows))
    if name.startswith("fact "):
        return FINE * longest + 16, SMALL * len(rows) + 7
    return SIGN + 6 + max(LETTER * longest, FINE * len(words(node))), LINE * len(rows) + 21


def _rows(id: str) -> list[str]:
    """An id on lines of LONG letters at most, broken behind hyphens; a longer word has a longer line."""
    made = [""]
    for part in re.findall(r"[^-]*-|[^-]+", id) or [id]:
        if made[-1] and len(made[-1] + part) > LONG:
            made.append("")
        made[-1] += part
    return made


def drawn(node: Document, name: str, x: float, y: float, number: int, *, linked: bool) -> str:
    """A node at (x, y), as a link where the page has its anchor."""
    claim = name.startswith("claim ")
    kind, title, inner = (_claim if claim else _fact)(node, x, y, *size(name, node))
    title = plain(title)
    tag = "a" if linked and node["anchor"] else "g"
    where = f' href="#{node["anchor"]}"' if tag == "a" else ""
    return f'<{tag} class="node {kind}"{where} data-end="{number}"><title>{escape(title)}</title>{inner}</{tag}>'


def _claim(node: Document, x: float, y: float, width: float, height: float) -> tuple[str, str, str]:
    """Class, tooltip and shapes."""
    verdict = str(node["verdict"])
    inner = shape(state(node), x, y, width, height) + sign(verdict, x + 11.5, y + height / 2)
    for at, row in enumerate(_rows(str(node["id"]))):
        inner += _text(x + SIGN, y + 14.5 + LINE * at, row)
    inner += _text(x + SIGN, y + height - 7, words(node), kind="how")
    source = f" ({node['source']})" if node.get("source") else ""
    said = f"{node['id']}{source}: {SAID.get(verdict, verdict)}"
    said += f", {state(node)}" if state(node) in STRENGTHS else ""
    said += f" (weakest: {node['weakest']})" if node["weakest"] else ""
    said += f"; {node['fault']}" if node["fault"] and verdict != "refuted" else ""
    return f"claim {state(node)}", f"{said}. {node.get('statement') or ''}".rstrip(), inner


def _fact(node: Document, x: float, y: float, width: float, height: float) -> tuple[str, str, str]:
    """The same of a standard fact."""
    inner = _box(x, y, width, height, min(height / 2, 10))
    for at, row in enumerate(_rows(str(node["id"]))):
        inner += _text(x + width / 2, y + 12.5 + SMALL * at, row)
    how = "its own test failed" if node["failed"] else "trusted, not proved here"
    title = f"{node['id']}: standard fact, {how}. {node['statement']} ({node['reference']})"
    return f"fact{' broken' if node['failed'] else ''}", title, inner


def shape(how: str, x: float, y: float, width: float, height: float) -> str:
    """A box; with cut corners where the claim is broken, with a second line inside where it is certified."""
    if how == "broken":
        corners = [(x + a, y + b) for a, b in ((6, 0), (width - 6, 0), (width, 6), (width, height - 6))]
        corners += [(x + a, y + b) for a, b in ((width - 6, height), (6, height), (0, height - 6), (0, 6))]
        return f'<polygon points="{" ".join(f"{a:.1f},{b:.1f}" for a, b in corners)}"/>'
    inner = _box(x + 2.5, y + 2.5, width - 5, height - 5, 2, "inner") if how == "certified" else ""
    return _box(x, y, width, height, 4) + inner


def sign(verdict: str, x: float, y: float) -> str:
    """The sign of a verdict around (x, y); none for a word that is no verdict."""
    if verdict not in SIGNS:
        return ""
    kind, path = verdict.replace(" ", "-"), f'<path d="{SIGNS[verdict]}"/>'
    return f'<g class="sign {kind}" transform="translate({x:.1f} {y:.1f})"><circle r="6.8"/>{path}</g>'


def _box(x: float, y: float, width: float, height: float, round: float, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<rect{named} x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{round:.1f}"/>'


def _text(x: float, y: float, text: str, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'
