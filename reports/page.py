"""index.html: one file that holds style, script and pictures, drawn from report.json and the SVGs beside it.

Notation   document: report.json as a dict; figures: the folder that reports.figures wrote.
Main       render, inline_svg; ENVIRONMENT and source, for other pages.

Everything from outside (names, the ledger's texts, the command) passes through Jinja's autoescape. Only our own SVGs,
style sheet and script are put in as they are.
"""

import re
from collections import Counter
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from proofs.machinery.ledger import VERDICTS
from proofs.machinery.ledger import notes as ledger_notes
from reports import audit, captions, caveats, wording
from reports.audit_checks import CHECKS
from reports.caveats import NOT_SHOWN, UNPROVED
from reports.console import contained
from reports.numerals import DIGITS, as_threshold, counted, likeliest, rank, start, threshold
from reports.panels import PALETTE, window
from reports.paper import TABLES

Document = dict[str, Any]

# Notes that stand beside what they speak of, and not below the verdict.
_ELSEWHERE = (NOT_SHOWN, UNPROVED, "a partial run", "outside any claim", "a whole file skipped")

_ON_THE_LINE = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")


def maths(text: str) -> Markup:
    """Our own words with their symbols set as such: k and λ in italics, indices below the line."""
    safe = str(escape(wording.symbols(text)))
    safe = re.sub(r"(?<![\w&])(k|n|N|L|W)(?![\w;=.])|([σλu])(?=[²₀-₉])", lambda m: f"<i>{m[0]}</i>", safe)
    return Markup(re.sub(r"[₀-₉]+", lambda m: f"<sub>{m[0].translate(_ON_THE_LINE)}</sub>", safe))


def conclusion(test: str) -> str:
    """A test's id as the sentence that its name is."""
    return test.rpartition("::")[2].removeprefix("test_").replace("_", " ")


ENVIRONMENT = Environment(
    loader=PackageLoader("reports", "templates"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=StrictUndefined,
)
ENVIRONMENT.filters |= {
    "number": wording.number,
    "noise": lambda value: wording.symbols(f"{value:.{DIGITS}g}"),
    "threshold": wording.symbols,
    "sentence": wording.sentence,
    "measured": lambda value: wording.number(value, 2) if isinstance(value, int | float) else "–",
    "conclusion": conclusion,
    "maths": maths,
    "sigma": lambda text: maths(text.replace("sigma^2", "σ²")),
    "nats": wording.nats,
    "ranges": wording.ranges,
    "blocks": captions.blocks,
    "escape_words": captions.escape,
    "kind_words": captions.kind,
}
ENVIRONMENT.globals |= {"sub": wording.sub}


def render(document: Document, figures: Path) -> str:
    """The page as text."""
    facts = document["stability"]
    return ENVIRONMENT.get_template("page.html").render(
        report=document,
        verdict=wording.verdict(document),
        recommended=symbols(start(facts)),
        likeliest=symbols(likeliest(facts)),
        rank=rank(facts),
        thresholds=[threshold(facts, j) for j in range(1, facts["rank"] + 1)],
        doubts=_doubts(_beside_the_verdict(document)),
        missing=[note for note in document["notes"] if note.startswith(NOT_SHOWN)],
        has_errors=any(t["standard_error"] is not None for t in facts["thresholds"]),
        held=counted(document["usual"]["retained"], document["usual"]["retained_at_most"]),
        reason=wording.reason_for_noise(document),
        shown_from=window(np.array(facts["eigenvalues"]), facts["recommended_sigma2"])[0],
        pictures=_pictures(document, figures),
        figure1=_figure1(document["figure1"]),
        figure2=captions.figure2(document) if document["figure2"] else "",
        tables=[_table(table, facts) for table in document["stationary"]],
        ledger=_ledger(document["ledger"]),
        unproved=UNPROVED,
        audit=_audit(document["audit"]),
        explorer=_explorer(document),
        style=source("style.css"),
        script=source("page.js"),
    )


def source(name: str) -> Markup:
    """Our own style sheet or script, not escaped."""
    loader = ENVIRONMENT.loader
    assert loader is not None
    return Markup(loader.get_source(ENVIRONMENT, name)[0])


def _pictures(document: Document, folder: Path) -> dict[str, Markup]:
    """Every SVG of the report by name, ready to be put into the page."""
    labels = captions.alt_texts(document)
    return {
        path.stem: inline_svg(path.read_text(encoding="utf-8"), path.stem, labels[path.stem])
        for path in sorted(folder.glob("*.svg"))
        if path.stem in labels
    }


def inline_svg(svg: str, name: str, label: str) -> Markup:
    """An SVG file as an element of the page: its own ids, the page's colours, and a text for who cannot see it."""
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r'\bid="', f'id="{name}-', body)
    body = re.sub(r'(href="#|url\(#)', rf"\g<1>{name}-", body)
    # The page's font rules; the file keeps its own for whoever opens it alone.
    body = re.sub(r"font-family: [^;\"]*", "font-family: var(--sans)", body)
    for colour, value in PALETTE.items():
        body = body.replace(value, "currentColor" if colour == "ink" else f"var(--{colour})")
    opening = re.compile(r'<svg [^>]*?(viewBox="[^"]*")[^>]*>', flags=re.DOTALL)
    names = Markup('class="{}" role="img" aria-label="{}"').format(name, label)
    head = f'<svg xmlns:xlink="http://www.w3.org/1999/xlink" {names} '
    return Markup(opening.sub(lambda m: f"{head}{m.group(1)}>", body, count=1))


def symbols(number: str | None) -> str:
    """A printed number as the page has it; an en dash for None."""
    return "–" if number is None else wording.symbols(number)


def _beside_the_verdict(document: Document) -> list[str]:
    """The notes that belong below the verdict and are not said by it."""
    said = wording.verdict(document)
    return [n for n in document["notes"] if not (n.startswith(_ELSEWHERE) or contained(n, said))]


def _doubts(notes: list[str]) -> list[tuple[str | None, list[str]]]:
    """The notes as they follow each other, (kind, sentences): those of one kind of doubt together."""
    return [
        (found, [wording.sentence(note.removeprefix(f"{found}: ")) for note in group])
        for found, group in groupby(notes, caveats.kind)
    ]


def _table(table: Document, facts: Document) -> Document:
    """A stationary document with what its heading says; facts: the stability document."""
    learned, recommended = table["sigma2"] is None, table["sigma2"] == facts["recommended_sigma2"]
    return {
        **table,
        "of": "likelihood" if table["objective"] == "ppca" else "ELBO",
        "at": "learned noise" if learned else f"σ² = {start(facts) if recommended else as_threshold(table['sigma2'])}",
        "learned": learned,
        "caption": captions.table_caption(table),
    }


def _figure1(figure1: Document | None) -> Document | None:
    """The slices with their captions."""
    if figure1 is None:
        return None
    panels = [{**piece, "words": captions.figure1_panel(piece)} for piece in figure1["panels"]]
    return {"intro": captions.figure1_intro(figure1), "panels": panels, "as_printed": figure1["directions"] == [5, 7]}


def _ledger(document: Document | None) -> Document | None:
    """The ledger by section, with counts of its verdicts."""
    if document is None:
        return None
    claims = document["claims"]
    counts = Counter(str(claim["verdict"]) for claim in claims)
    return {
        "sections": [(name or "Claims", list(found)) for name, found in groupby(claims, _section)],
        "counts": [(verdict, counts[verdict]) for verdict in VERDICTS if counts[verdict]],
        "total": len(claims),
        "notes": ledger_notes(*(document.get(f, d) for f, d in (("complete", True), ("errors", []), ("skipped", [])))),
        "environment": document.get("environment", {}),
    }


def _audit(printed: Document) -> Document:
    """The audit of the printed tables: counts, and what cannot be excused, check by check."""
    listed: dict[str, list[Document]] = {check: [] for check in CHECKS}
    for row in printed["rows"]:
        for found in row["contradictions"]:
            if not found["excusable"]:
                listed[found["check"]].append({**row, **found, "why": audit.fact(found)})
    return {
        "verdict": audit.verdict(printed),
        "counts": audit.counts(printed),
        "tables": TABLES,
        "grave": [(check, CHECKS[check], found) for check, found in listed.items() if found],
        "sentences": printed["sentences"],
        "assumptions": printed["assumptions"],
        "notes": printed["notes"],
    }


def _section(claim: Document) -> str:
    return str(claim.get("section") or "")


def _explorer(document: Document) -> Document:
    """What the noise slider needs: the spectrum and its errors (0 where it was typed), k and where to begin."""
    facts, figure1 = document["stability"], document["figure1"]
    begin = start(facts)
    # The script's closed form is that of two columns; one column moved both ways has another.
    pair = figure1["directions"] if figure1 and figure1["moved_columns"] == 2 else None
    return {
        "eigenvalues": facts["eigenvalues"],
        "errors": facts["resolution"] or [0.0] * document["n"],
        "k": document["k"],
        "start": 1.0 if begin is None else float(begin),
        "directions": pair,
    }
