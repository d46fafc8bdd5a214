"""What the figures show, in sentences and tables, from figures.json alone.

Notation   document: figures.json as a dict; an entry is one of its figures.
Main       pieces, verdict_of, caveats, shown, prepared.
"""

from collections.abc import Iterator, Sequence
from math import floor, log10
from typing import Any

from reports.terminal.console import table
from verify.words.wording import number

Document = dict[str, Any]
# Digits of a number without a spread, and of any.
USUAL, MOST = 5, 7
MARKS = {True: "yes", False: "NO", None: "open"}


def verdict_of(entry: Document) -> str:
    """How many of the findings, the paper's and ours, show, in a sentence."""
    if entry["left_out"] is not None:
        return "Left out"
    found = [one["holds"] for one in entry["findings"]]
    shown, unsure = found.count(True), found.count(None)
    if not found:
        return "The paper says nothing of it that could fail to show"
    if shown == len(found):
        return f"All {shown} findings show" if shown > 1 else "The finding shows"
    missed = len(found) - shown - unsure
    if unsure == len(found):
        return f"Of none of the {unsure} findings can anything be told" if unsure > 1 else "The finding cannot be told"
    if len(found) == 1:
        return "The finding does not show"
    said = [f"{shown or 'None'} of {len(found)} findings show{'s' * (shown == 1)}"]
    said += [f"{missed} do{'es' * (missed == 1)} not"] if missed and (shown or unsure) else []
    said += [f"{unsure} cannot be told"] if unsure else []
    return ", ".join(said)


def prepared(data: Document) -> str:
    """What was done to the data before anything was trained or computed, in words; data: one of an entry's."""
    facts = data["preprocessing"]
    said = ["dequantised"] if facts.get("dequantised") else []
    said += [f"logit with alpha = {facts['logit']:g}"] if "logit" in facts else []
    said += [f"divided by {number(facts['scale'])}"] if "scale" in facts else []
    said += ["each column standardized"] if facts.get("standardized") else []
    return ", ".join(said) or "values as they are"


def caveats(document: Document) -> list[str]:
    """The notes of all figures, each with the figures that it is of; and in what they are not the paper's."""
    said: dict[str, list[int]] = {}
    for entry in document["figures"]:
        unlike = "; ".join(entry["deviations"])
        for note in [*([f"not the paper's experiment: {unlike}"] if unlike else []), *entry["notes"]]:
            said.setdefault(note, []).append(entry["figure"])
        if entry["left_out"] is not None:
            said.setdefault(f"left out: {entry['left_out']}", []).append(entry["figure"])
    return [f"Figure{'s' * (len(of) > 1)} {', '.join(map(str, of))}: {note}" for note, of in said.items()]


def pieces(document: Document, numbers: Sequence[int]) -> Iterator[Any]:
    """Everything for people, of these figures, as lines and tables."""
    for entry in document["figures"]:
        if entry["figure"] not in numbers:
            continue
        yield f"\nFigure {entry['figure']}: {entry['title']}\n{verdict_of(entry)}."
        if entry["left_out"] is not None:
            yield f"  {entry['left_out']}"
            continue
        for one in entry["findings"]:
            yield f"  {MARKS[one['holds']]:4} {one['finding']}: {one['evidence']}"
        if entry["deviations"]:
            yield f"  not the paper's experiment: {'; '.join(entry['deviations'])}"
        if entry["beside"]:
            yield beside(entry)
        yield from (f"  {note}" for note in entry["notes"])


def beside(entry: Document) -> Any:
    """The paper's numbers with ours."""
    columns = [("", False), ("ours", True), ("spread", True), ("printed", True), ("", False)]
    lines = [
        (one["what"], *(shown(one)[name] for name in ("ours", "spread", "printed")), one["difference"])
        for one in entry["beside"]
    ]
    return table(columns, lines)


def shown(one: Document) -> dict[str, str]:
    """A number of the paper and ours: two digits of the spread, and ours as far as the spread lets it be known."""
    ours, spread = one["ours"], one["spread"]
    digits = USUAL
    if ours and spread:
        digits = min(max(floor(log10(abs(ours))) - floor(log10(spread)) + 2, 1), MOST)
    return {"ours": number(ours, digits), "spread": number(spread, 2), "printed": number(one["printed"], MOST)}
