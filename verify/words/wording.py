"""What terminal and page say in words: the verdicts, and numbers and ranges for readers.

Notation   document: report.json as a dict; facts: a stability document. Every function returns plain text; verdicts
           are of letters that everything can print, sigma2 and lam_50, and `symbols` sets them for the page.
Main       verdict, told_of, stability_verdict, rule, reason_for_noise, sentence, symbols, number, nats, ranges.
Reference  theory 1.5, 2.
"""

import re
from collections.abc import Sequence
from math import floor, log10
from typing import Any

from verify.landscape.weighted import PLAIN
from verify.words.caveats import tie
from verify.words.numerals import (
    counted,
    directions,
    every,
    likeliest,
    named_threshold,
    on_threshold,
    rank_at_most,
    share,
    start,
    starts_likely,
    typed,
    weight,
)

Document = dict[str, Any]

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def number(value: float | None, digits: int = 4) -> str:
    """A number for readers: 0.01175, 12,345, −3.2 × 10⁻⁷; an en dash for None."""
    if value is None:
        return "–"
    if isinstance(value, int) and abs(value) < 10**6:
        return grouped(str(value))
    if isinstance(value, int):  # counts may exceed what a double holds
        text = str(value)
        return power(f"{text[0]}.{text[1:digits]}", len(text) - 1)
    if value == 0:
        return "0"
    if not 1e-4 <= abs(value) < 1e6:
        mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
        return power(mantissa, int(exponent))
    text = f"{value:.{max(0, digits - 1 - floor(log10(abs(value))))}f}"
    return grouped(text.rstrip("0").rstrip(".") if "." in text else text)


def nats(value: float) -> str:
    """A value of the objective, with as many decimals in every row of a table: −242.6709."""
    return grouped(f"{value:.4f}") if abs(value) < 1e7 else number(value, 8)


def power(mantissa: str, exponent: int) -> str:
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa} × 10{str(exponent).translate(_SUPERSCRIPTS)}".replace("-", "−")


def grouped(text: str) -> str:
    """Commas between groups of three digits from five digits on, 12,345 but 1797, and a true minus sign."""
    whole, point, fraction = text.partition(".")
    if len(whole.lstrip("-")) > 4:
        whole = f"{int(whole):,}"
    return whole.replace("-", "−") + point + fraction


def sub(letter: str, j: int | str | Sequence[int]) -> str:
    """A letter with its index below: λ₅₀."""
    return letter + str(j).translate(_SUBSCRIPTS)


def ranges(indices: Sequence[int]) -> str:
    """Ascending indices in short: 1–7, 9; "none" if there are none."""
    runs: list[list[int]] = []
    for i in indices:
        if runs and i == runs[-1][-1] + 1:
            runs[-1].append(i)
        else:
            runs.append([i])
    parts = [str(r[0]) if len(r) == 1 else f"{r[0]}{', ' if len(r) == 2 else '–'}{r[-1]}" for r in runs]
    return ", ".join(parts) or "none"


def symbols(text: str) -> str:
    """A sentence of a document as it is printed: sigma2 as σ², lam_50 as λ₅₀, 3e-06 as 3 × 10⁻⁶."""
    text = text.replace("sigma2", "σ²")
    text = re.sub(r"\b(lam|u)_(\d+)", lambda m: sub({"lam": "λ", "u": "u"}[m[1]], m[2]), text)
    return re.sub(r"\b(\d+(?:\.\d+)?)e([+-]\d+)\b", lambda m: power(m[1], int(m[2])), text)


def told_of(document: Document) -> list[Document]:
    """The rows of the noises that a report tells of: those that were named, else that of the usual one."""
    return document.get("named") or [document["usual"]]


def at_noise_told(document: Document, row: Document) -> str:
    """sigma2 = 1, the usual default; what was named is not called usual."""
    text = f"sigma2 = {typed(row['sigma2'])}"
    return text if document.get("named") else f"{text}, the usual default"


def verdict(document: Document) -> str:
    """What stands at the top of a report: what happens at the noises it tells of, and which noises keep all latents."""
    facts, rows, k = document["stability"], told_of(document), document["k"]
    beta = "" if weight(facts) == PLAIN else f"beta = {typed(weight(facts))}"
    head = f"At {beta + ' and ' if beta else ''}{at_noise_told(document, rows[0])}"
    if len(rows) > 1:
        text = _several(rows, beta, k, facts)
    elif rows[0]["collapsed"] == 0:
        text = (
            f"{head}, no latent collapses: {every(k)} {'is' if k == 1 else 'are'} held at the global optimum there, as "
            f"at every noise below {named_threshold(facts, k)}"
        )
        return f"{text}{_begin(facts)}."
    else:
        text = f"{head}, {_lost(rows[0], k)}, and that is the global optimum there; {_what_keeps_all(facts)}."
    return " ".join([text, *(f"{_capital(said)}." for row in rows if (said := tie(row)) is not None)])


def _several(rows: Sequence[Document], beta: str, k: int, facts: Document) -> str:
    """The same for more than one noise."""
    said = "; ".join(f"at sigma2 = {typed(row['sigma2'])}, {_fate(row, k)}" for row in rows)
    said = f"With {beta}, {said}" if beta else _capital(said)
    return f"{said}: each is the global optimum there; {_what_keeps_all(facts)}."


def _fate(row: Document, k: int) -> str:
    return "no latent collapses" if row["collapsed"] == 0 else _lost(row, k)


def _lost(row: Document, k: int) -> str:
    """Who collapses: "3 or 4 of 20 latents collapse", "all 3 latents collapse"."""
    least, most = k - row["retained_at_most"], row["collapsed"]
    if least == k:
        return f"{every(k)} collapse{'s' if k == 1 else ''}"
    count = f"at most {most}" if least == 0 else counted(least, most)
    return f"{count} of {k} latents collapse{'s' if most == 1 else ''}"


def _what_keeps_all(facts: Document) -> str:
    k = facts["k"]
    if facts["recommended_sigma2"] is None:
        return f"{none_keeps_all(facts)}; choose k <= {facts['rank']}"
    return f"every noise below {named_threshold(facts, k)} keeps {every(k, '')}{_begin(facts)}"


def _begin(facts: Document) -> str:
    """The noise to start from, as the end of a sentence; nothing where there is none."""
    noise = start(facts)
    if noise is None:
        return ""
    if noise == likeliest(facts) and weight(facts) == PLAIN:
        return f"; start at the maximum-likelihood noise, {noise}"
    return f"; to start, take {noise}"


def none_keeps_all(facts: Document) -> str:
    """Why no noise keeps all k latents, at rank < k."""
    sure = "is sure to keep" if facts["k"] <= rank_at_most(facts) else "keeps"
    return f"no noise {sure} {every(facts['k'], '')}, because the data vary in {directions(facts)}"


def rule(beta: float) -> str:
    """What beta does to thresholds; "" where it is 1."""
    if beta == PLAIN:
        return ""
    b = typed(beta)
    return f"With beta = {b}, latent j collapses once {b} sigma2 reaches lam_j, that is from sigma2 = lam_j/{b} on."


def what_value(beta: float) -> str:
    """What is listed as value."""
    if beta == PLAIN:
        return "nats per datum"
    text = f"the ELBO with the KL weighted by {typed(beta)}, nats per datum"
    return f"{text}, no bound on the likelihood" if beta < 1 else text


def stability_verdict(facts: Document) -> str:
    """What the terminal says of a stability document: the threshold, exclusive, and the maximum-likelihood noise."""
    k, rank = facts["k"], facts["rank"]
    if facts["recommended_sigma2"] is None:
        text = f"{_capital(none_keeps_all(facts))}. Every noise below {named_threshold(facts, rank)} keeps {rank}."
    else:
        text = f"Every noise below {named_threshold(facts, k)} keeps {every(k)}; above it {_goes(k)}. {_start(facts)}"
    said = [said for row in facts["noise"] if (said := tie(row))]
    return " ".join([*filter(None, [rule(weight(facts))]), text, *(f"{_capital(each)}." for each in said)])


def _goes(k: int) -> str:
    return "it collapses" if k == 1 else "some collapse"


def _capital(text: str) -> str:
    """With a capital, unless it begins with a symbol."""
    return text if re.match(r"lam_|sigma2|u_", text) else text[0].upper() + text[1:]


def sentence(note: str) -> str:
    """A note of a document as a sentence."""
    return f"{_capital(note)}."


def _start(facts: Document) -> str:
    """Which noise to start from, and why."""
    k, mle = facts["k"], likeliest(facts)
    if weight(facts) != PLAIN:
        return _weighted_start(facts)
    if mle is None:
        return (
            "There is no maximum-likelihood noise: the likelihood grows without end as the noise falls to 0. To start, "
            f"take half of lam_{k}: {start(facts)}."
        )
    if k == facts["n"]:
        return (
            f"With k = n every noise up to lam_{k} attains the maximum of the likelihood; to start, take half of it: "
            f"{start(facts)}."
        )
    if on_threshold(facts):
        return (
            f"The maximum-likelihood noise is lam_{k} itself, and latent {k} is not used there; to start, take half of "
            f"it: {start(facts)}."
        )
    return f"Start at the maximum-likelihood noise, {mle}: the optimum there is the maximum-likelihood fit itself."


def _weighted_start(facts: Document) -> str:
    """The same for another beta than 1, whose optimum is no maximum of the likelihood."""
    if not starts_likely(facts):
        return f"To start, take half of {share(facts, facts['k'])}: {start(facts)}."
    b = typed(weight(facts))
    return (
        f"Start at {start(facts)}, the maximum-likelihood noise {likeliest(facts)} divided by {b}: the decoder at the "
        "optimum there is that of the maximum-likelihood fit."
    )


def reason_for_noise(document: Document) -> str:
    """Why the recommended noise is what it is (theory 1.5)."""
    facts, k = document["stability"], document["k"]
    if facts["recommended_sigma2"] is None:
        return f"There is none: {none_keeps_all(facts)}."
    return f"Every noise below {named_threshold(facts, k)} keeps {every(k)}; above it {_goes(k)}. {_start(facts)}"
