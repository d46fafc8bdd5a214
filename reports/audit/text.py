"""The audit for people: counts, what cannot be excused, what can, the sentences; readable at 100 columns.

Notation   document: the audit as a dict.
Main       summary, a screenful; pieces, all of it; verdict, finding, training_verdict, counts, fact; each
           number of the verdict alone.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from reports.audit.checks import CHECKS, EXCUSE, OF_TRAINING
from reports.audit.sentences import VERDICTS
from reports.paper import TABLES
from reports.terminal.console import table

Document = dict[str, Any]
# In the table of counts.
NONE = "-"


def summary(document: Document, width: int = 100) -> Iterator[Any]:
    """The audit on one screen, as lines and tables in their order: counts, the worst, and each sentence's verdict.

    Each in one line of `width` columns, cut where it is longer.
    """
    yield from _begin(document, [line for line in counts(document) if {*line[1:]} != {NONE}])
    yield "\nThe largest without excuse, in nats per datum"
    largest = [(number, found) for number in TABLES if (found := _largest(document, number)) is not None]
    for found in dict.fromkeys(found for _, found in largest):
        tables = ", ".join(str(number) for number, other in largest if other == found)
        yield _cut(f"Table{'s' if ',' in tables else ''} {tables}: {', '.join(found)}", width)
    yield "\nThe paper's sentences"
    for s in sorted(document["sentences"], key=lambda s: VERDICTS.index(s["verdict"])):
        yield _cut(f"{s['verdict'].ljust(max(map(len, VERDICTS)))}  {s['text']}", width)


def _cut(line: str, width: int) -> str:
    return line if len(line) <= width else f"{line[: width - 4].rstrip()} ..."


def _begin(document: Document, lines: list[tuple[str, ...]]) -> Iterator[Any]:
    yield verdict(document)
    yield ""
    yield table([("check", False), *((f"Table {t}", True) for t in TABLES)], lines)


def _largest(document: Document, number: int) -> tuple[str, ...] | None:
    """The model and the largest contradiction of one table; None if it has none of the kind."""
    found = [
        (c["size"], (f"{row['dataset']} {_noise(row)}", f"{c['check']} {fact(c)}"))
        for row in document["rows"]
        for c in row["contradictions"]
        if row["table"] == number and not c["excusable"] and c["unit"] == "nats" and c["check"] not in OF_TRAINING
    ]
    return max(found)[1] if found else None


def _noise(row: Document) -> str:
    return f"{row['noise']} {row['init_sigma2']:g}"


def pieces(document: Document) -> Iterator[Any]:
    """All of the audit, as lines and tables in their order."""
    yield from _begin(document, counts(document))
    yield "contradictions without excuse + with one; how far the excuses of each reach: --json"
    for excusable, heading in ((False, "No excuse"), (True, "Excusable by rounding, averaging or Monte Carlo noise")):
        yield from _listing(document, excusable, heading)
    yield "\nThe paper's sentences"
    rows = [(s["verdict"], f"{s['text']}\n  {s['evidence']}\n") for s in document["sentences"]]
    yield table([("verdict", False), ("sentence, and what the tables say", False)], rows)
    yield "What counts as an excuse"
    for assumption in document["assumptions"]:
        yield f"  {assumption}"
    yield "\nThe constant J of the data, which the likelihood identity must give"
    columns = [("data", False), ("J", True), ("known from", False)]
    yield table(
        columns,
        [(f"{c['dataset']}, {c['preprocessing']}", constant_range(c), c["source"]) for c in document["constants"]],
    )


def constant_range(constant: Document) -> str:
    """Where J lies: one number, or from the smallest to the largest."""
    low, high = f"{constant['low']:.1f}", f"{constant['high']:.1f}"
    return low if low == high else f"{low} to {high}"


def verdict(document: Document) -> str:
    """The audit in two sentences."""
    trained = training_verdict(document)
    return (
        f"{finding(document)}, and nothing excuses them; {excusably(document)} more do so excusably. "
        f"{f'{trained} ' if trained else ''}{sentences_verdict(document)}"
    )


def excusably(document: Document) -> int:
    """How many rows have no contradiction without excuse, but some with one."""
    rows = document["rows"]
    return sum(bool(of_print(row)) for row in rows) - _guilty(rows)


def finding(document: Document) -> str:
    """What the audit found, without a full stop."""
    rows = document["rows"]
    return f"{_guilty(rows)} of {len(rows)} printed rows contradict what must hold of any correct table"


def _guilty(rows: list[Document]) -> int:
    return sum(any(not c["excusable"] for c in of_print(row)) for row in rows)


def of_print(row: Document) -> list[Document]:
    """The contradictions of a row that no correct table has; a training that failed is none."""
    return [c for c in row["contradictions"] if c["check"] not in OF_TRAINING]


def training_verdict(document: Document) -> str:
    """How many rows lie below the linear VAE inside their own network; empty where that is not known."""
    if document["linear"] is None:
        return ""
    rows = document["linear"]["rows"]
    places = Counter(row["place"] for row in rows)
    perhaps = f", {places['perhaps below']} more perhaps" if places["perhaps below"] else ""
    below = f"{places['below']} of {len(rows)} rows of MNIST lie below what linear weights attain"
    return f"{below} in the same network{perhaps}."


def other_notes(document: Document) -> list[str]:
    """The notes that do not repeat one of the sentences."""
    texts = tuple(said["text"] for said in document["sentences"])
    return [note for note in document["notes"] if not note.startswith(texts)]


def sentences_verdict(document: Document) -> str:
    """How many of the paper's sentences hold."""
    said = Counter(s["verdict"] for s in document["sentences"])
    words = ", ".join(f"{number} {verdict}" for verdict, number in said.items())
    return f"Of {len(document['sentences'])} sentences about them: {words}."


def counts(document: Document) -> list[tuple[str, ...]]:
    """Contradictions by check, then by table: those without excuse + those with."""
    count = Counter(
        (c["check"], row["table"], c["excusable"]) for row in document["rows"] for c in row["contradictions"]
    )
    lines = []
    for check in CHECKS:
        if check in OF_TRAINING and document["linear"] is None:
            continue  # not made
        cells = [(count[check, t, False], count[check, t, True]) for t in TABLES]
        shown = [f"{grave} + {light}" if light else str(grave) if grave else NONE for grave, light in cells]
        lines.append((check, *shown))
    return lines


def _listing(document: Document, excusable: bool, heading: str) -> Iterator[Any]:
    """One table for each check, below what must hold."""
    yield f"\n{heading}"
    listed = False
    for check, statement in CHECKS.items():
        lines = [
            (
                f"{row['table']}",
                row["dataset"],
                _noise(row),
                f"{c['size']:.3g} {c['unit']}",
                fact(c),
            )
            for row in document["rows"]
            for c in row["contradictions"]
            if c["check"] == check and c["excusable"] == excusable
        ]
        if lines:
            listed = True
            yield f"\n{check}: {statement}"
            columns = [("table", True), ("data", False), ("noise", False), ("size", True), ("", False)]
            yield table(columns, lines)
    if not listed:
        yield "nothing"


def fact(contradiction: Document) -> str:
    """What is wrong; how far the excuses reach is left to the JSON."""
    return str(contradiction["why"]).partition(EXCUSE)[0]
