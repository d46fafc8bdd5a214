"""What terminal and notebooks say of a stability document: verdict, noises, thresholds.

Notation   document: a stability document as a dict; lam_j eigenvalues; sigma2 a noise; k latents.
Main       said -> blocks; noise_table.
Reference  theory 1.5, 3.9, 8.
"""

from typing import Any

from verify.landscape.weighted import PLAIN
from verify.words import certified
from verify.words.numerals import counted, rough, scaled, threshold, typed, weight
from verify.words.tables import Blocks, Table, short
from verify.words.wording import stability_verdict, what_value

Document = dict[str, Any]
MOST_THRESHOLDS = 13


def said(document: Document) -> Blocks:
    """The verdict, what the optimum holds at each noise, and where latents collapse."""
    legend = f"{_noise_legend(document)}\n{_thresholds(document)}"
    return [stability_verdict(document), noise_table(document), legend]


def noise_table(document: Document) -> Table:
    """What the optimum holds at each of the noises."""
    sampled, weighted = document["N"] is not None, weight(document) != PLAIN
    columns = [("sigma2", True), *([(scaled(weight(document)), True)] if weighted else [])]
    columns += [("retained", True), *([("other data", True)] if sampled else [])]
    columns += [("collapsed", True), ("value", True), ("margin", True)]
    columns += [("certified", False)] if certified.asked(document) else []
    rows = []
    for r in document["noise"]:
        least, most, k = r["retained"], r["retained_at_most"], document["k"]
        other = [] if not sampled else ["-" if r["sampling_range"] is None else counted(*r["sampling_range"])]
        effective = [typed(r["effective_sigma2"])] if weighted else []
        row = [typed(r["sigma2"]), *effective, counted(least, most), *other, counted(k - most, k - least)]
        row += [short(r["value"], 8), short(r["margin"], 4)]
        rows.append([*row, certified.mark(r)] if certified.asked(document) else row)
    return Table(columns, rows)


def _noise_legend(document: Document) -> str:
    text = f"value: {what_value(weight(document))}; margin: distance from sigma2 to the nearest threshold"
    if document["N"] is not None:
        text += (
            "; other data: what other data of the same kind may retain, thresholds moved by up to two standard errors"
        )
    return f"{text}\n{certified.LEGEND}" if certified.asked(document) else text


def _thresholds(document: Document) -> str:
    """The noises at which latents collapse, with their standard errors."""
    found, beta = document["thresholds"], weight(document)
    shown = [
        threshold(document, j) + ("" if t["standard_error"] is None else f"±{rough(t['standard_error'] / beta)}")
        for j, t in enumerate(found, start=1)
    ]
    if len(shown) > MOST_THRESHOLDS:
        shown = [*shown[: MOST_THRESHOLDS - 1], "...", shown[-1]]
    errors = any(t["standard_error"] is not None for t in found)
    said = "latents collapse one by one as sigma2 passes" if len(found) > 1 else "the latent collapses as sigma2 passes"
    said = f"{said} {', '.join(shown).replace('..., ', '... ')}{' (± one standard error)' if errors else ''}"
    return f"{said}{_proved(document)}"


def _proved(document: Document) -> str:
    """Within how much of these noises the true ones lie, where that is certified."""
    radius = certified.radius(document)
    if radius is None or not certified.asked(document):
        return ""
    if radius == "0":
        return "; certified: these are exact"
    return f"; certified: in all their digits these thresholds lie within {radius} of the true ones of these very data"
