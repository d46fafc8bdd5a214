"""The consistency audit of the printed tables: every row, and what the paper says about them.

Main       audit_document.
Reference  theory 5.1, 5.2 and 6.3; reports/schema/audit.json.

Numbers are compared as intervals: half a unit of the last printed digit on either side. What still disagrees is a
contradiction. It is excusable where averaging over the trials, Monte Carlo noise within the printed spreads, or (in
the checks that compare digits) the rounding itself could have caused it; audit_bounds.py says how much each can do.
Where no such cause suffices it is inexcusable: then something in the row is not what it is said to be.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from reports.audit.bounds import constants
from reports.audit.checks import contradictions
from reports.audit.linear import NARROWEST, Linear, Optima, holds_linear, linear_vaes
from reports.audit.linear_sentences import beside, linear_sentences
from reports.audit.sentences import figure_3, sentences
from reports.paper import DIMENSIONS, TRIALS, Row, printed_tables
from verify.data.mnist import find_training_file
from verify.errors import InputError

Document = dict[str, Any]
ASSUMPTIONS = (
    "rounding: every printed number is within half a unit of its last digit; the noise at the start is exact",
    f"averaging: over {TRIALS} trials, as different as the printed spreads allow, read as standard errors",
    "Monte Carlo noise: in the squared error alone, at most what the printed spread of ELBO or of tuned ELBO (the "
    "smaller) would mean if all of it were noise; ELBO, tuned ELBO and tuned sigma^2 may each be off by that",
    "Monte Carlo noise of tuned ELBO - ELBO with learned noise: five times the upper quartile of the data set",
    "linear VAE inside: Monte Carlo noise alone, since an average over trials that reached it reaches it as well; the "
    "network is taken to have ReLU layers with biases, and linear heads and output",
)
NO_IMAGES = (
    "the check of the linear VAE inside and {} need the images of MNIST and are not made here: elbo-verify audit "
    "--data-dir DIR"
)


def audit_document(
    data_dir: str | None = None,
    rows: Sequence[Row] | None = None,
    seed: int = 0,
    figures: bool = True,
    doing: Callable[[str], object] = lambda said: None,
) -> Document:
    """The audit as plain JSON; `rows` default to the printed tables.

    figures: with MNIST at hand, judge also what needs its images, which takes seconds: the linear VAE inside the
    networks, Figure 4, and Figure 3 by subsets drawn from `seed` on. `doing` is told what is being done.
    Raises InputError if MNIST is damaged.
    """
    rows = printed_tables() if rows is None else rows
    known = constants(rows)
    optima = _optima(data_dir, seed, doing) if figures else {}
    doing("auditing 100 rows")
    of_figures = [figure_3(data_dir, seed)] if figures else []
    of_training = linear_sentences(rows, known, optima) if optima else []
    return {
        "schema": 1,
        "rows": [
            {
                "table": row.table,
                "dataset": row.dataset,
                "noise": row.noise,
                "init_sigma2": row.init_sigma2,
                "contradictions": [asdict(found) for found in contradictions(row, rows, known, optima)],
            }
            for row in rows
        ],
        "sentences": sentences(rows, known) + of_training + of_figures,
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
        "linear": {"vaes": [_facts(vae) for vae in optima.values()], "rows": beside(rows, optima)} if optima else None,
        "assumptions": list(ASSUMPTIONS),
        "notes": _notes(rows, of_figures, optima, figures),
    }


def _optima(data_dir: str | None, seed: int, doing: Callable[[str], object]) -> Optima:
    """The linear VAEs inside the networks; none without the images."""
    try:
        find_training_file(data_dir)
    except InputError:
        return {}
    return linear_vaes(data_dir, seed, doing)


def _facts(vae: Linear) -> Document:
    """What is known of one data set and preprocessing from its images."""
    return {
        "dataset": vae.dataset,
        "preprocessing": vae.preprocessing,
        "N": vae.N,
        "k": vae.k,
        "J": vae.drawn[1],
        "J_afresh": vae.afresh[1],
    }


def _notes(rows: Sequence[Row], judged: Sequence[Document], optima: Optima, figures: bool) -> list[str]:
    """What could not be judged, and why."""
    notes = [f"{s['text']}: undecided, {s['evidence']}" for s in judged if s["verdict"] == "undecided"]
    if not optima:
        return [*notes, NO_IMAGES.format("four sentences" if figures else "five sentences")]
    for name in dict.fromkeys(row.dataset for row in rows):
        if not holds_linear(name):
            notes.append(
                f"linear VAE inside: no row of {name} is held against it; the network's narrowest layer has "
                f"{NARROWEST[name]} units, too few for k = {DIMENSIONS[name][1]}"
            )
    return notes
