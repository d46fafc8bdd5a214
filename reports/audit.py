"""The consistency audit of the printed tables: every row, and what the paper says about them.

Main       audit_document, print_audit, pieces.
Reference  theory 5.1 and 5.2; reports/schema/audit.json.

Numbers are compared as intervals: half a unit of the last printed digit on either side. What still disagrees is a
contradiction. It is excusable where averaging over the trials, Monte Carlo noise within the printed spreads, or (in
the checks that compare digits) the rounding itself could have caused it; audit_bounds.py says how much each can do.
Where no such cause suffices it is inexcusable: then something in the row is not what it is said to be.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, Protocol

from reports.audit_bounds import constants
from reports.audit_checks import CHECKS, EXCUSE, contradictions
from reports.audit_sentences import figure_3, sentences
from reports.console import table
from reports.paper import TABLES, TRIALS, Row, printed_tables

Document = dict[str, Any]

ASSUMPTIONS = (
    "rounding: every printed number is within half a unit of its last digit; the noise at the start is exact",
    f"averaging: over {TRIALS} trials, as different as the printed spreads allow, read as standard errors",
    "Monte Carlo noise: in the squared error alone, at most what the printed spread of ELBO or of tuned ELBO (the "
    "smaller) would mean if all of it were noise; ELBO, tuned ELBO and tuned sigma^2 may each be off by that",
    "Monte Carlo noise of tuned ELBO - ELBO with learned noise: five times the upper quartile of the data set",
)


NO_FIGURES = (
    "one sentence more, on Figure 3, needs the images of MNIST and is not judged here: elbo-verify audit --data-dir DIR"
)


class Printer(Protocol):
    """Anything with rich's `print`."""

    def print(self, what: Any) -> None: ...


def audit_document(
    data_dir: str | None = None, rows: Sequence[Row] | None = None, seed: int = 0, figures: bool = True
) -> Document:
    """The audit as plain JSON; `rows` default to the printed tables.

    figures: judge Figure 3 too, which takes seconds: with MNIST at hand, by subsets drawn from `seed` on.
    Raises InputError if MNIST is damaged.
    """
    rows = printed_tables() if rows is None else rows
    known = constants(rows)
    judged = [figure_3(data_dir, seed)] if figures else []
    return {
        "schema": 1,
        "rows": [
            {
                "table": row.table,
                "dataset": row.dataset,
                "noise": row.noise,
                "init_sigma2": row.init_sigma2,
                "contradictions": [asdict(found) for found in contradictions(row, rows, known)],
            }
            for row in rows
        ],
        "sentences": sentences(rows, known) + judged,
        "constants": [
            {
                "dataset": c.dataset,
                "preprocessing": c.preprocessing,
                "low": c.value.low,
                "high": c.value.high,
                "source": c.source,
            }
            for c in known.values()
        ],
        "assumptions": list(ASSUMPTIONS),
        "notes": [f"{s['text']}: undecided, {s['evidence']}" for s in judged if s["verdict"] == "undecided"]
        if figures
        else [NO_FIGURES],
    }


def print_audit(document: Document, console: Printer) -> None:
    """The audit for people: counts, what cannot be excused, what can, the sentences; readable at 100 columns."""
    for piece in pieces(document):
        console.print(piece)


def pieces(document: Document) -> Iterator[Any]:
    """The same, as lines and tables in their order."""
    yield verdict(document)
    yield ""
    yield table([("check", False), *((f"Table {t}", True) for t in TABLES)], counts(document))
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
        columns, [(f"{c['dataset']}, {c['preprocessing']}", _range(c), c["source"]) for c in document["constants"]]
    )


def _range(constant: Document) -> str:
    low, high = f"{constant['low']:.1f}", f"{constant['high']:.1f}"
    return low if low == high else f"{low} to {high}"


def verdict(document: Document) -> str:
    """The audit in two sentences."""
    rows = document["rows"]
    guilty = sum(any(not c["excusable"] for c in row["contradictions"]) for row in rows)
    doubtful = sum(bool(row["contradictions"]) for row in rows) - guilty
    said = Counter(s["verdict"] for s in document["sentences"])
    words = ", ".join(f"{number} {verdict}" for verdict, number in said.items())
    return (
        f"{guilty} of {len(rows)} printed rows contradict what must hold of any correct table, and nothing excuses "
        f"them; {doubtful} more do so excusably. Of {len(document['sentences'])} sentences about them: {words}."
    )


def counts(document: Document) -> list[tuple[str, ...]]:
    """Contradictions by check, then by table: those without excuse + those with."""
    count = Counter(
        (c["check"], row["table"], c["excusable"]) for row in document["rows"] for c in row["contradictions"]
    )
    lines = []
    for check in CHECKS:
        cells = [(count[check, t, False], count[check, t, True]) for t in TABLES]
        shown = [f"{grave} + {light}" if light else str(grave) if grave else "-" for grave, light in cells]
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
                f"{row['noise']} {row['init_sigma2']:g}",
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
