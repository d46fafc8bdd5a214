"""Is it the optimum, or the training? What was found of the best model of each noise, in words and cells.

Notation   told: a diagnosis as train.json and tables.json hold it (reports/schema/train.json).
Main       verdicts, a document each noise; sentences, for the terminal; in_short, of one model; legend.
"""

from collections.abc import Iterator
from typing import Any

from verify.landscape.judged import ERRORS
from verify.words.diagnosis import nats, with_error
from verify.words.numerals import typed

Document = dict[str, Any]
# These say that nothing is missing, which of a model that is still on its way cannot be known.
AT_AN_END = ("optimum", "noise", "data")
CONVOLUTIONS = "convolutions need not contain linear maps, so it may be the architecture in place of the training"
MEANINGS = {
    "optimum": "no unused latent would pay at this noise, which is not too large, and linear maps do no better",
    "noise": "at this noise no linear latent would pay, but the errors ask for a smaller one",
    "data": "no linear latent would pay, and nothing more in the data stands out from noise",
    "training": "at this very noise unused latents would pay, or linear maps do better",
    "mixed": "some unused latents would pay as it is, the others only at a smaller noise",
    "undecided": "what would be gained is within its error",
}


def where(group: Document) -> str:
    """Which noise a group of models has."""
    return "learned noise" if group["sigma2"] is None else f"sigma2 = {typed(group['sigma2'])}"


def word(told: Document) -> str:
    """The verdict in a word: "noise, so far" of a training that has not come to its end."""
    return f"{told['verdict']}, so far" if told["unfinished"] and told["verdict"] in AT_AN_END else str(told["verdict"])


def said(told: Document) -> str:
    """The verdict in a sentence."""
    text = str(told["headline"])
    if word(told) != told["verdict"]:
        return f"Unfinished; as it stands: {text}"
    return text[0].upper() + text[1:]


def tells_distance(told: Document | None) -> bool:
    """Whether the sentence says how far the model is below linear maps, so that nothing else has to."""
    return told is not None and told["verdict"] == "training" and bool(told["below_linear"])


def missed(told: Document) -> float | None:
    """What a training missed, in nats: the larger of what linear maps and unused latents would bring; else None."""
    if told["verdict"] not in ("training", "mixed"):
        return None
    linear, revival = told["linear"], told["revival"]
    gains = [(linear["below"], linear["below_error"])]
    if revival is not None:
        gains.append((revival["within_nats"], revival["within_error"]))
    sure = [gain for gain, error in gains if gain is not None and gain > ERRORS * (error or 0.0)]
    return max(sure, default=None)


def in_short(told: Document | None, unit: str = " nats") -> tuple[str, str]:
    """Two lines of a narrow column: the verdict, and what the training missed; a dash where there is none."""
    if told is None:
        return "-", ""
    if word(told) != told["verdict"]:
        return told["verdict"], "so far"
    value = missed(told)
    return told["verdict"], "" if value is None else f"{nats(value) if value < 1e4 else f'{value:.3g}'}{unit}"


def verdicts(document: Document) -> list[Document]:
    """Of each noise whose best model was diagnosed: where, model, word, said, cells, advice (change and nats)."""
    return [
        {
            "where": where(group),
            "model": told["model"],
            "word": word(told),
            "bad": word(told) not in AT_AN_END,
            "said": said(told),
            "cells": _cells(told),
            "advice": [(line["change"], _gain(line["nats"])) for line in told["advice"]],
        }
        for group in document["best_per_noise"]
        if (told := group["diagnosis"]) is not None
    ]


def _gain(value: float | None) -> str:
    return "" if value is None else "nothing to gain" if value == 0 else f"{nats(value)} nats"


HEADINGS = (
    "collapsed", "linear keeps", "below linear, nats", "unused would add, nats", "directions left", "noise asked for"
)  # fmt: skip


def _within(value: float, error: float | None) -> str:
    return with_error(value, error).removesuffix(" nats")


def _cells(told: Document) -> tuple[str, ...]:
    """Under HEADINGS, a dash where nothing is known."""
    linear, revival = told["linear"], told["revival"]
    below = "-" if linear["below"] is None else _within(linear["below"], linear["below_error"])
    adds = "-" if revival is None else _within(revival["within_nats"], revival["within_error"])
    left = "-" if revival is None else str(revival["directions"])
    asked = "-" if told["tuned_sigma2"] is None else f"{told['tuned_sigma2']:.3g}"
    return str(len(told["collapsed"])), str(linear["retained"]), below, adds, left, asked


def sentences(document: Document, most: int) -> Iterator[str]:
    """A line each noise, for so many; of the others how many have which verdict."""
    found = verdicts(document)
    if found:
        yield "Optimum or training?"
    for one in found[:most]:
        yield f"{one['where']}: {one['said']}"
    rest = [one["word"] for one in found[most:]]
    if rest:
        yield f"other noises: {', '.join(f'{rest.count(w)} {w}' for w in dict.fromkeys(rest))}"


def legend(words: set[str]) -> str:
    """What the verdicts that occur mean."""
    meant = [f"{name}: {meaning}" for name, meaning in MEANINGS.items() if any(w.startswith(name) for w in words)]
    so_far = ["so far: the training has not come to its end"] if any("so far" in w for w in words) else []
    return "; ".join([*meant, *so_far])
