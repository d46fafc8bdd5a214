"""The ledger as text: readable at 100 columns, without colour, and without the JSON.

Main       lines.
"""

import textwrap
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from proofs.machinery.judging import VERDICTS

WIDTH = 100
COLUMNS = "  {:<24} {:<21} {:<9} {:>8} {:>11}  {}"


def lines(document: dict[str, Any]) -> Iterator[str]:
    """A ledger document as lines of at most WIDTH characters: a table by section, then the totals."""
    for section, claims in groupby(document["claims"], key=lambda claim: claim["section"]):
        yield section or "Claims"
        yield COLUMNS.format("claim", "verdict", "strength", "evidence", "worst error", "source").rstrip()
        for claim in claims:
            yield from _claim(claim)
        yield ""
    yield from _totals(document)


def _claim(claim: dict[str, Any]) -> Iterator[str]:
    """One row of the table, below it the claims that it rests on, and witnesses where it is not plain agreement."""
    passed = sum(evidence["outcome"] == "passed" for evidence in claim["evidence"])
    error = "-" if claim["worst_error"] is None else f"{claim['worst_error']:.1e}"
    row = (
        claim["id"],
        claim["verdict"],
        claim["strength"] or "-",
        f"{passed}/{len(claim['evidence'])}",
        error,
    )
    yield _cut(COLUMNS.format(*row, claim["source"])).rstrip()
    if claim.get("rests_on"):
        yield from _note(f"rests on: {', '.join(claim['rests_on'])}")
    if claim["verdict"] in ("refuted", "holds with correction"):
        # The correction has witnesses of its own at times; what refutes the printed form comes first.
        for role in ("refutes", "corrected"):
            for evidence in claim["evidence"]:
                if evidence["role"] == role and evidence["outcome"] == "passed" and evidence["witness"]:
                    yield from _note(f"{'witness' if role == 'refutes' else 'corrected'}: {evidence['witness']}")
    for reason in claim["reasons"]:
        yield from _note(reason)


def _totals(document: dict[str, Any]) -> Iterator[str]:
    claims = document["claims"]
    verdicts = Counter(claim["verdict"] for claim in claims)
    counts = ", ".join(f"{verdicts[verdict]} {verdict}" for verdict in VERDICTS if verdicts[verdict])
    yield f"{len(claims)} {'claim' if len(claims) == 1 else 'claims'}: {counts or 'none was put to the test'}"
    skips = Counter(e["reason"] for claim in claims for e in claim["evidence"] if e["outcome"] == "skipped")
    for reason, count in skips.items():
        yield from _note(f"{count} {'piece' if count == 1 else 'pieces'} of evidence skipped: {reason}", indent=2)
    for file in document["skipped"]:
        yield from _note(f"a whole file skipped: {file}", indent=2)
    for error in document["errors"]:
        yield from _note(f"error outside any claim: {error}", indent=2)
    if not document["complete"]:
        yield "  a partial run: each verdict speaks only for the evidence that was run"


def _note(text: str, indent: int = 6) -> list[str]:
    pad = " " * indent
    return textwrap.wrap(text, WIDTH, initial_indent=pad, subsequent_indent=pad + "  ")


def _cut(line: str) -> str:
    return line if len(line) <= WIDTH else line[: WIDTH - 3] + "..."
