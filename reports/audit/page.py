"""The audit as a page of its own: one file, drawn from the document alone.

Notation   document: the audit as a dict, with "provenance" (audit.json of `elbo-verify audit --out`).
Main       write_audit, render.
"""

from pathlib import Path
from typing import Any

from reports.audit import text
from reports.audit.checks import CHECKS, EXCUSE
from reports.pages.html import environment
from reports.paper import TABLES
from reports.terminal.files import staged
from verify.data.documents import write_json

Document = dict[str, Any]
ENVIRONMENT = environment("reports.audit")
FILES = ("audit.json", "index.html")


def write_audit(document: Document, out: Path) -> list[Path]:
    """audit.json and index.html into the folder `out`, both or neither; -> the paths.  Raises InputError."""
    with staged(out) as stage:
        write_json(document, stage / FILES[0])
        (stage / FILES[1]).write_text(render(document), encoding="utf-8")
    return [out / name for name in FILES]


def render(document: Document, drawn_from: str = FILES[0]) -> str:
    """The page as text; drawn_from: the file beside it that holds the document."""
    return ENVIRONMENT.get_template(
        "audit.html"
    ).render(
        document=document,
        provenance={**document["provenance"], "data": {}},  # of a report: data that the audit does not read
        drawn_from=drawn_from,
        finding=text.finding(document),
        excusably=text.excusably(document),
        sentences_verdict=text.sentences_verdict(document),
        training_verdict=text.training_verdict(document),
        tables=TABLES,
        counts=[(row[0], address(row[0]), row[1:]) for row in text.counts(document)],
        linear=_linear(document),
        series=_series(document["rows"]),
        starts=_starts(document["rows"]),
        grave=_by_check(document["rows"], excusable=False),
        light=_by_check(document["rows"], excusable=True),
        sentences=[{**said, "clauses": clauses(said["evidence"])} for said in document["sentences"]],
        notes=text.other_notes(document),
        constants=[{**known, "range": text.constant_range(known)} for known in document["constants"]],
    )


def address(check: str) -> str:
    """A check's name where no spaces can stand."""
    return check.replace(" ", "-")


def _by_check(rows: list[Document], *, excusable: bool) -> list[Document]:
    """The contradictions of each check that has any, in the order of print."""
    listed: dict[str, list[Document]] = {check: [] for check in CHECKS}
    for row in rows:
        for found in row["contradictions"]:
            if found["excusable"] == excusable:
                fact, _, excuse = str(found["why"]).partition(EXCUSE)
                listed[found["check"]].append({**row, **found, "fact": fact, "excuse": excuse})
    return [
        {"check": check, "address": address(check), "statement": CHECKS[check], "found": found}
        for check, found in listed.items()
        if found
    ]


def _starts(rows: list[Document]) -> list[float]:
    """The noises at the start, as the tables have them: from the largest on."""
    return sorted({row["init_sigma2"] for row in rows}, reverse=True)


def _series(rows: list[Document]) -> list[Document]:
    """One line for each table, data set and kind of noise: how many contradictions each row has, (grave, light)."""
    found: dict[tuple[int, str, str], dict[float, tuple[int, int]]] = {}
    for row in rows:
        held = text.of_print(row)
        grave = sum(not one["excusable"] for one in held)
        cells = found.setdefault((row["table"], row["dataset"], row["noise"]), {})
        cells[row["init_sigma2"]] = grave, len(held) - grave
    return [
        {"table": table, "dataset": dataset, "noise": noise, "cells": [cells.get(start) for start in _starts(rows)]}
        for (table, dataset, noise), cells in found.items()
    ]


def _linear(document: Document) -> list[Document]:
    """The rows beside the linear VAE inside, one group for each table and kind of noise; none without the images."""
    groups: dict[tuple[int, str, str], list[Document]] = {}
    for row in (document["linear"] or {"rows": []})["rows"]:
        apart = round(row["elbo"] - row["optimum"], 1) + 0.0  # never -0.0
        groups.setdefault((row["table"], row["preprocessing"], row["noise"]), []).append({**row, "apart": apart})
    return [
        {"table": table, "preprocessing": kind, "noise": noise, "rows": rows}
        for (table, kind, noise), rows in groups.items()
    ]


def clauses(evidence: str) -> list[str]:
    """A sentence's parts between semicolons; what stands in parentheses stays together."""
    parts, depth = [""], 0
    for letter in evidence:
        depth += (letter == "(") - (letter == ")")
        if letter == ";" and depth <= 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]
