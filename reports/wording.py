"""What the report says in words: numbers, ranges, the verdict and what to know beside it.

Notation   document: report.json as a dict. Every function returns plain text; the templates escape it.
Main       verdict, doubts, reason_for_noise, recommended, number, nats, ranges.
Reference  theory 1.5, 2.
"""

from collections.abc import Sequence
from math import floor, log10
from typing import Any

Document = dict[str, Any]

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
# sigma2 = 1 this many times beyond the spectrum on either side is a matter of units, not of modelling.
OFF_SCALE = 1e3


def number(value: float | None, digits: int = 4) -> str:
    """A number for readers: 0.01175, 12 345, −3.2 × 10⁻⁷; an en dash for None."""
    if value is None:
        return "–"
    if isinstance(value, int) and abs(value) < 10**6:
        return _grouped(str(value))
    if isinstance(value, int):  # counts may exceed what a double holds
        text = str(value)
        return power(f"{text[0]}.{text[1:digits]}", len(text) - 1)
    if value == 0:
        return "0"
    if not 1e-4 <= abs(value) < 1e6:
        mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
        return power(mantissa, int(exponent))
    text = f"{value:.{max(0, digits - 1 - floor(log10(abs(value))))}f}"
    return _grouped(text.rstrip("0").rstrip(".") if "." in text else text)


def nats(value: float) -> str:
    """A value of the objective, with as many decimals in every row of a table: −242.6709."""
    return _grouped(f"{value:.4f}") if abs(value) < 1e7 else number(value, 8)


def power(mantissa: str, exponent: int) -> str:
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa} × 10{str(exponent).translate(_SUPERSCRIPTS)}".replace("-", "−")


def _grouped(text: str) -> str:
    """Digits before the point in groups of three from five digits on, and a true minus sign."""
    whole, point, fraction = text.partition(".")
    if len(whole.lstrip("-")) > 4:
        whole = f"{int(whole):,}".replace(",", "\u202f")
    return whole.replace("-", "−") + point + fraction


def recommended(document: Document) -> str:
    """The recommended noise, rounded so that it still keeps all k latents; an en dash if there is none."""
    value = document["stability"]["recommended_sigma2"]
    if value is None or float(f"{value:.4g}") < document["stability"]["eigenvalues"][document["k"] - 1]:
        return number(value)
    unit = 10.0 ** (floor(log10(value)) - 3)
    return number(floor(value / unit) * unit)


def sub(letter: str, j: int | Sequence[int]) -> str:
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


def _every(k: int, noun: str = " latents") -> str:
    """All of the k latents: "the only latent", "both latents", "all 10 latents"."""
    return {1: f"the only{noun.removesuffix('s')}", 2: f"both{noun}"}.get(k, f"all {k}{noun}")


def verdict(document: Document) -> str:
    """The one sentence at the top: what happens at sigma2 = 1, and where to start instead."""
    lost, k = document["usual"]["collapsed"], document["k"]
    if lost == 0:
        verb = "is" if k == 1 else "are"
        head = f"At σ² = 1, the usual default, no latent collapses: {_every(k)} {verb} held at the global optimum there"
        return f"{head}; the first collapses once the noise reaches {_threshold(document)}."
    who = _every(k) if lost == k else f"{lost} of {k} latents"
    verb = "collapses" if lost == 1 else "collapse"
    head = f"At σ² = 1, the usual default, {who} {verb}, and that is the global optimum there"
    return f"{head}; {_where_to_start(document)}."


def _threshold(document: Document) -> str:
    """λ_k with its value, the noise at which the last latent goes."""
    k = document["k"]
    return f"{sub('λ', k)} = {number(document['stability']['eigenvalues'][k - 1])}"


def _where_to_start(document: Document) -> str:
    k, rank = document["k"], document["rank"]
    if document["stability"]["recommended_sigma2"] is None:
        most = "one direction" if rank == 1 else f"{rank} directions"
        return f"no noise retains {_every(k, '')}, because the data vary in only {most}: choose k ≤ {rank}"
    return f"start at or below {recommended(document)} to keep {'it' if k == 1 else _every(k, '')}"


def doubts(document: Document) -> list[str]:
    """What the reader should know beside the verdict: units out of scale, a noise on a threshold, ties, low rank."""
    facts, rank, n, k = document["stability"], document["rank"], document["n"], document["k"]
    lam, mle = facts["eigenvalues"], facts["sigma2_mle"]
    found = []
    if lam[0] * OFF_SCALE < 1:
        found.append(
            f"σ² = 1 is off the scale of these data, whose largest variance in any direction is {number(lam[0])}: "
            "every latent collapses there. Set the noise, or the scale of the data, with that in mind."
        )
    if mle is not None and mle > OFF_SCALE:
        found.append(
            f"σ² = 1 is off the scale of these data, whose maximum-likelihood noise is {number(mle)}: "
            "it retains every latent, at the price of likelihood."
        )
    if tied := [sub("λ", i) for i, x in enumerate(lam, start=1) if x == 1.0]:
        found.append(f"σ² = 1 lies exactly on {', '.join(tied)}: flat to second order, and counted as collapsed.")
    if mle is None:
        found.append(
            f"With learned noise the likelihood is unbounded at k = {k}, because the data vary in only {rank} of "
            f"{n} directions: the noise runs to 0. Fixed noise is fine."
        )
    if k < rank and lam[k - 1] == lam[k]:
        found.append(f"{sub('λ', k)} = {sub('λ', k + 1)}: which directions the last latents take is not determined.")
    return found


def reason_for_noise(document: Document) -> str:
    """Why the recommended noise is what it is (theory 1.5)."""
    start, mle, k = document["stability"]["recommended_sigma2"], document["stability"]["sigma2_mle"], document["k"]
    if start is None:
        return f"There is none: the data have a direction for no more than {document['rank']} of the {k} latents."
    every = f"Every noise below {_threshold(document)} keeps {_every(k)}"
    if start == mle:
        return (
            f"{every}. At the maximum-likelihood noise, the mean of the discarded variances, the optimum is the "
            "maximum-likelihood fit itself."
        )
    why = "there is no maximum-likelihood noise" if mle is None else "the maximum-likelihood noise lies on it"
    return f"{every}; {why}, so half of {sub('λ', k)} is taken."
