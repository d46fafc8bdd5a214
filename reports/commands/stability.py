"""The command `stability`: which noise keeps how many latents, and where each collapses."""

import argparse
from typing import Any

from reports.terminal import data
from reports.terminal.console import Session, short, table
from reports.terminal.options import beta, latents, noises
from verify.analysis.scales import compared
from verify.analysis.stability import stability
from verify.landscape.weighted import PLAIN
from verify.words.numerals import counted, rough, scaled, threshold, typed, weight
from verify.words.wording import stability_verdict, what_value

Document = dict[str, Any]
MORE = (
    "The optimum keeps a latent while the noise is below its eigenvalue (over beta) of the covariance of DATA. Without "
    "--sigma2, a range of noises is tabulated."
)
SHELF = ("Your data", 2)
IDLE = ("backend",)


def options(parser: argparse.ArgumentParser) -> None:
    data.options(parser)
    latents(parser)
    noises(parser, "1, the recommended one, and a grid from half of that to beyond lam_1/beta")
    beta(parser)


MOST_THRESHOLDS = 13


def run(args: argparse.Namespace, session: Session) -> int:
    """Which latents the optimum retains at each noise."""
    covariance = data.read(args, session, compared(args.sigma2, args.beta))
    document = stability(covariance, args.k, args.sigma2, beta=args.beta)
    session.result(document)
    session.notes(document["notes"], stability_verdict(document))
    session.say(stability_verdict(document))
    session.say("")
    session.say(_noise_table(document))
    session.say(f"\n{_noise_legend(document)}")
    session.say(_thresholds(document))
    return 0


def _noise_table(document: Document) -> Any:
    sampled, weighted = document["N"] is not None, weight(document) != PLAIN
    columns = [("sigma2", True), *([(scaled(weight(document)), True)] if weighted else [])]
    columns += [("retained", True), *([("other data", True)] if sampled else [])]
    columns += [("collapsed", True), ("value", True), ("margin", True)]
    rows = []
    for r in document["noise"]:
        least, most, k = r["retained"], r["retained_at_most"], document["k"]
        other = [] if not sampled else ["-" if r["sampling_range"] is None else counted(*r["sampling_range"])]
        effective = [typed(r["effective_sigma2"])] if weighted else []
        row = [typed(r["sigma2"]), *effective, counted(least, most), *other, counted(k - most, k - least)]
        rows.append((*row, short(r["value"], 8), short(r["margin"], 4)))
    return table(columns, rows)


def _noise_legend(document: Document) -> str:
    text = f"value: {what_value(weight(document))}; margin: distance from sigma2 to the nearest threshold"
    if document["N"] is None:
        return text
    other = "what other data of the same kind may retain, thresholds moved by up to two standard errors"
    return f"{text}; other data: {other}"


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
    return f"{said} {', '.join(shown).replace('..., ', '... ')}{' (± one standard error)' if errors else ''}"
