"""The blueprint of a ledger for Graphviz: the same nodes and lines as the picture, to be laid out by `dot`.

Main       dot.
"""

from typing import Any

from reports.ledger_page.claims import facts
from reports.ledger_page.nodes import state, words
from reports.ledger_page.picture import drawn_lines

Document = dict[str, Any]
# Strength by fill and border; the colours are those of the pages.
STYLES = {
    "proved": 'style="filled,rounded" fillcolor="#0072b2" color="#0072b2" fontcolor="#ffffff"',
    "certified": 'style="filled,rounded" fillcolor="#b9d8ea" color="#0072b2" peripheries=2',
    "tested": 'style="rounded" color="#0072b2"',
    "argued": 'style="rounded,dashed" color="#0072b2"',
    "open": 'style="rounded,dotted"',
    "undecided": 'style="rounded,dotted"',
    "broken": 'shape=octagon color="#c24f00" penwidth=2',
}


def dot(document: Document) -> str:
    """A directed graph in the language DOT; arrows lead from what is used to what uses it."""
    made = ["digraph claims {", "  rankdir=LR", '  node [shape=box fontname="sans-serif" fontsize=11]']
    for claim in document["claims"]:
        name, label = _name(f"claim {claim['id']}"), _name(f"{claim['id']}\n{words(claim)}")
        made.append(f"  {name} [label={label} {STYLES[state(claim)]}]")
    for fact in facts(document):
        name, label = _name(f"fact {fact['id']}"), _name(fact["id"])
        made.append(f'  {name} [label={label} shape=ellipse color="#77756f"]')
    for name, on in drawn_lines(document).items():
        for one in on:
            made.append(f"  {_name(one)} -> {_name(name)}{' [style=dotted]' if one.startswith('fact ') else ''}")
    return "\n".join([*made, "}\n"])


def _name(text: str) -> str:
    """A quoted string of DOT, in which a line break is written \\n."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
