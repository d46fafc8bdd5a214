"""index.html: one file that holds style, script and pictures, drawn from report.json and the SVGs beside it.

Notation   document: report.json as a dict; figures: the folder that write.py drew into.
Main       render.
"""

from pathlib import Path
from typing import Any

import numpy as np

from reports.audit import text as audit
from reports.ledger_page.section import conclusion
from reports.ledger_page.section import section as ledger_section
from reports.pages.html import environment, inline_svg
from reports.pages.noises import window
from reports.stability_page import captions, certified, data_section
from reports.stability_page.figures import pictures
from reports.words.mathml import plain
from verify.arrays import Array
from verify.landscape.weighted import PLAIN
from verify.words import caveats, wording
from verify.words.caveats import NOT_SHOWN, UNPROVED
from verify.words.numerals import DIGITS, as_threshold, likeliest, rank, start, typed, weight
from verify.words.tables import contained

Document = dict[str, Any]
# Of the data: long lists.
_UNTOLD = ("columns", "column_numbers", "image", "missing")
# Notes that stand beside what they speak of, and not below the verdict.
_ELSEWHERE = (NOT_SHOWN, UNPROVED, "a partial run", "outside any claim", "a whole file skipped")
ENVIRONMENT = environment("reports.stability_page", "reports.ledger_page")
ENVIRONMENT.filters |= {
    "noise": lambda value: wording.symbols(f"{value:.{DIGITS}g}"),
    "threshold": wording.symbols,
    "conclusion": conclusion,
    "blocks": captions.blocks,
    "escape_words": captions.escape,
    "kind_words": captions.kind,
}


def render(document: Document, figures: Path, portrait: dict[str, Array] | None = None) -> str:
    """The page as text; portrait: the arrays of document["portrait"]."""
    facts = document["stability"]
    return ENVIRONMENT.get_template("page.html").render(
        report=document,
        verdict=wording.verdict(document),
        good=all(row["collapsed"] == 0 for row in wording.told_of(document)),
        beta=None if weight(facts) == PLAIN else typed(weight(facts)),
        data=data_section.section(document, portrait or {}),
        recommended=symbols(start(facts)),
        likeliest=symbols(likeliest(facts)),
        rank=rank(facts),
        doubts=_doubts(_beside_the_verdict(document)),
        missing=[note for note in document["notes"] if note.startswith(NOT_SHOWN)],
        reason=wording.reason_for_noise(document),
        prepared=captions.prepared(document["provenance"]["data"]),
        provenance=_provenance(document["provenance"]),
        pictures=_pictures(document, figures),
        figure1=_figure1(document["figure1"]),
        figure2=captions.figure2(document) if document["figure2"] else "",
        certified=certified.section(document),
        tables=[_table(table, facts) for table in document["stationary"]],
        ledger=None if document["ledger"] is None else ledger_section(document["ledger"]),
        unproved=UNPROVED,
        audit=audit.finding(document["audit"]),
        explorer=_explorer(document),
    )


def _pictures(document: Document, folder: Path) -> dict[str, list[Document]]:
    """The pictures of each section, in their order, ready to be put into the page."""
    found: dict[str, list[Document]] = {}
    for name, of in pictures(document).items():
        found.setdefault(of.SECTION, []).append(_drawn(folder, name, of.alt(document), of.caption(document)))
    panels = document["figure1"]["panels"] if document["figure1"] else []
    beta = weight(document["stability"])
    value = "L =" if beta == PLAIN else f"The ELBO (β = {typed(beta)}) is"
    found["landscape"] = [
        _drawn(
            folder, f"slice-{i}", f"Contours: {words}.", f"{words}. {value} {wording.nats(panel['at_point'])} there."
        )
        for i, panel in enumerate(panels, start=1)
        for words in (captions.figure1_panel(panel, beta),)
    ]
    return found


def _drawn(folder: Path, name: str, alt: str, caption: str) -> Document:
    svg = (folder / f"{name}.svg").read_text(encoding="utf-8")
    return {"svg": inline_svg(svg, name, plain(alt)), "caption": caption}


def symbols(number: str | None) -> str:
    """A printed number as the page has it; an en dash for None."""
    return "–" if number is None else wording.symbols(number)


def _beside_the_verdict(document: Document) -> list[str]:
    """The notes that belong below the verdict and are not said by it."""
    said, of_proofs = wording.verdict(document), (document["ledger"] or {}).get("notes", [])
    return [n for n in document["notes"] if not (n.startswith(_ELSEWHERE) or n in of_proofs or contained(n, said))]


def _doubts(notes: list[str]) -> list[tuple[str, list[str]]]:
    """The notes by what they are about, (heading, sentences): first what is said of these data and of no others."""
    found: dict[str, list[str]] = {}
    for note in notes:
        about = caveats.kind(note)
        found.setdefault(about or "these data", []).append(wording.sentence(note.removeprefix(f"{about}: ")))
    return [(about, found[about]) for about in ("these data", *caveats.KINDS) if about in found]


def _table(table: Document, facts: Document) -> Document:
    """A stationary document with what its heading says; facts: the stability document."""
    learned, recommended = table["sigma2"] is None, table["sigma2"] == facts["recommended_sigma2"]
    elbo = "ELBO" if weight(table) == PLAIN else f"ELBO with β = {typed(weight(table))}"
    return {
        **table,
        "of": "likelihood" if table["objective"] == "ppca" else elbo,
        "at": "learned noise" if learned else f"σ² = {start(facts) if recommended else as_threshold(table['sigma2'])}",
        "learned": learned,
        "caption": captions.table_caption(table),
        "gist": captions.table_gist(table),
        "flat": any(point["nullity"] for point in table["points"]),
        "certified": certified.of_points(table),
    }


def _figure1(figure1: Document | None) -> Document | None:
    """What is said above the slices."""
    if figure1 is None:
        return None
    return {"intro": captions.figure1_intro(figure1), "as_printed": figure1["directions"] == [5, 7]}


def _provenance(given: Document) -> Document:
    """The provenance for readers: lists that say nothing here left out, the preprocessing in words."""
    data = {name: value for name, value in given["data"].items() if name not in _UNTOLD and value != 0.0}
    if isinstance(shape := data.get("shape"), list):
        data["shape"] = " × ".join(wording.number(size) if isinstance(size, int) else str(size) for size in shape)
    if "preprocessing" in data:
        data["preprocessing"] = captions.preprocessing(given["data"])
    return {**given, "data": data}


def _explorer(document: Document) -> Document:
    """What the explorer needs: beta, the spectrum, its errors (0 where it was typed), k, where to begin, the ends."""
    facts, figure1 = document["stability"], document["figure1"]
    begin = start(facts)
    # The script's closed form is that of two columns; one column moved both ways has another.
    pair = figure1["directions"] if figure1 and figure1["moved_columns"] == 2 else None
    beta, told = weight(facts), [row["sigma2"] for row in wording.told_of(document)]
    low, high = window(
        np.array(facts["eigenvalues"]) / beta,
        facts["recommended_sigma2"],
        told,
        None if beta == PLAIN else facts["sigma2_learned"],
    )
    held = facts["eigenvalues"][min(document["k"], facts["rank"]) - 1] / beta
    return {
        "beta": beta,
        "eigenvalues": facts["eigenvalues"],
        "errors": facts["resolution"] or [0.0] * document["n"],
        "k": document["k"],
        "start": float(f"{held / 2:.4g}") if begin is None else float(begin),
        "range": [min(low, held / 2), high],
        "directions": pair,
    }
