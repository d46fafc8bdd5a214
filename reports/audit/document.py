"""The consistency audit of the printed tables: every row, and what the paper says about them.

Main       audit_document.
Reference  theory 5.1 and 5.2; reports/schema/audit.json.

Numbers are compared as intervals: half a unit of the last printed digit on either side. What still disagrees is a
contradiction. It is excusable where averaging over the trials, Monte Carlo noise within the printed spreads, or (in
the checks that compare digits) the rounding itself could have caused it; audit_bounds.py says how much each can do.
Where no such cause suffices it is inexcusable: then something in the row is not what it is said to be.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from reports.audit.bounds import constants
from reports.audit.checks import contradictions
from reports.audit.sentences import figure_3, sentences
from reports.paper import TRIALS, Row, printed_tables

Document = dict[str, Any]
ASSUMPTIONS = (
    "rounding: every printed number is within half a unit of its last digit; the noise at the start is exact",
    f"averaging: over {TRIALS} trials, as different as the printed spreads allow, read as standard errors",
    "Monte Carlo noise: in the squared error alone, at most what the printed spread of ELBO or of tuned ELBO (the "
    "smaller) would mean if all of it were noise; ELBO, tuned ELBO and tuned sigma^2 may each be off by that",
    "Monte Carlo noise of tuned ELBO - ELBO with learned noise: five times the upper quartile of the data set",
)
NO_FIGURES = (
    "one sentence more, on Figure 3, needs the images of MNIST and is not judged here: elbo-verify audit --data-dir DIR"
)


def audit_document(
    data_dir: str | None = None, rows: Sequence[Row] | None = None, seed: int = 0, figures: bool = True
) -> Document:
    """The audit as plain JSON; `rows` default to the printed tables.

    figures: judge Figure 3 too, which takes seconds: with MNIST at hand, by subsets drawn from `seed` on.
    Raises InputError if MNIST is damaged.
    """
    rows = printed_tables() if rows is None else rows
    known = constants(rows)
    judged = [figure_3(data_dir, seed)] if figures else []
    return {
        "schema": 1,
        "rows": [
            {
                "table": row.table,
                "dataset": row.dataset,
                "noise": row.noise,
                "init_sigma2": row.init_sigma2,
                "contradictions": [asdict(found) for found in contradictions(row, rows, known)],
            }
            for row in rows
        ],
        "sentences": sentences(rows, known) + judged,
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
        "assumptions": list(ASSUMPTIONS),
        "notes": [f"{s['text']}: undecided, {s['evidence']}" for s in judged if s["verdict"] == "undecided"]
        if figures
        else [NO_FIGURES],
    }
