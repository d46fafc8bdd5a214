"""A result in a notebook: its sentences and tables as HTML, in the colours of the page around them, light or dark.

Main       as_html.
"""

from collections.abc import Iterable, Sequence
from html import escape

from verify.words.tables import Blocks, Table
from verify.words.wording import sentence, symbols

MOST_ROWS = 12
_CELL = "padding:2px 10px;border:none;background:none"


def as_html(blocks: Blocks, notes: Sequence[str], name: str) -> str:
    """One element that needs nothing from outside; notes are folded."""
    body = "".join(_table(block) if isinstance(block, Table) else _sentences(block) for block in blocks)
    return f'<div role="group" aria-label="{name}" style="max-width:60em">{body}{_folded(notes)}</div>'


def _set(text: str) -> str:
    return escape(symbols(text))


def _sentences(text: str) -> str:
    """A paragraph for each line; the first is a heading if the next ones are indented below it."""
    lines = text.split("\n")
    headed = len(lines) > 1 and lines[1].startswith(" ")
    head = f'<p style="margin:.8em 0 .2em"><strong>{_set(lines[0])}</strong></p>' if headed else ""
    return head + "".join(f'<p style="margin:.4em 0">{_set(line)}</p>' for line in lines[headed:])


def _table(table: Table) -> str:
    sides = ["right" if numeric else "left" for _, numeric in table.columns]
    head = _cells("th", sides, [heading for heading, _ in table.columns])
    rows = "".join(f"<tr>{_cells('td', sides, row)}</tr>" for row in table.rows[:MOST_ROWS])
    left = len(table.rows) - MOST_ROWS
    more = f'<p style="margin:.2em 0;opacity:.75">and {left} more: to_frame(), summary()</p>' if left > 0 else ""
    # Without a doctype around it a table takes neither colour nor size from the page.
    style = "color:inherit;font-size:inherit;border-collapse:collapse;margin:.5em 0;font-variant-numeric:tabular-nums"
    line = "border-bottom:1px solid currentColor"
    return f'<table style="{style}"><thead><tr style="{line}">{head}</tr></thead><tbody>{rows}</tbody></table>{more}'


def _cells(tag: str, sides: Iterable[str], cells: Iterable[str]) -> str:
    scope = ' scope="col"' if tag == "th" else ""
    made = zip(sides, cells, strict=True)
    return "".join(f'<{tag}{scope} style="text-align:{side};{_CELL}">{_set(cell)}</{tag}>' for side, cell in made)


def _folded(notes: Sequence[str]) -> str:
    if not notes:
        return ""
    items = "".join(f"<li>{_set(sentence(note))}</li>" for note in notes)
    count = "1 note" if len(notes) == 1 else f"{len(notes)} notes"
    return f'<details><summary style="cursor:pointer">{count}</summary><ul>{items}</ul></details>'
