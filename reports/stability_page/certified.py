"""What the page says of certified numbers: a mark at each, what it means, and what is proved within how much.

Notation   document: report.json as a dict; facts: its stability document; rows: entries of "noise".
Main       section, None where nothing was asked to be certified; of_points, of a table of stationary points.
"""

from fractions import Fraction
from typing import Any

from verify.landscape.weighted import PLAIN
from verify.words import certified, wording
from verify.words.numerals import counted, enclosed, share_of, typed, weight

Document = dict[str, Any]


def section(document: Document) -> Document | None:
    """The marks of the verdict, the noises told of, the thresholds; None where --certify was not given."""
    facts = document["stability"]
    if not certified.asked(facts):
        return None
    told, thresholds = wording.told_of(document), _thresholds(facts)
    return {
        "seals": _seals(told),
        "rows": [_row(row, document["k"]) for row in told],
        "thresholds": thresholds,
        "within": max((t["radius"] for t in thresholds), key=float, default=None),
        "sampled": facts["N"] is not None,
        "points": bool(document["stationary"]),
        "subject": facts["subject"],
        "share": share_of("j", weight(facts)),
        "beta": weight(facts) != PLAIN,
    }


def _seals(rows: list[Document]) -> list[Document]:
    """The mark of each noise that the verdict tells of; one where it is the same for all."""
    found = [certified.status(row) for row in rows]
    if len(set(found)) == 1:
        of = "how many are held there" if len(rows) == 1 else "how many are held at each of these noises"
        return [{"status": found[0], "of": of}]
    of_each = [f"how many at sigma2 = {typed(row['sigma2'])}" for row in rows]
    return [{"status": s, "of": of} for s, of in zip(found, of_each, strict=True)]


def _row(row: Document, k: int) -> Document:
    least, most = row["retained"], row["retained_at_most"]
    return {
        "sigma2": typed(row["sigma2"]),
        "retained": f"{counted(least, most)} of {k}",
        **_enclosed(row["value"], row["value_radius"]),
        "status": certified.status(row),
        "why": row["why"],
    }


def _thresholds(facts: Document) -> list[Document]:
    """Every threshold with what is proved of it, beside its sampling error, which is another thing."""
    return [
        {
            "j": j,
            **_enclosed(t["sigma2"], certified.of_threshold(facts, t)),
            "error": None if t["standard_error"] is None else t["standard_error"] / weight(facts),
        }
        for j, t in enumerate(facts["thresholds"], start=1)
        if t["radius"] is not None
    ]


def _enclosed(value: float, radius: float | Fraction | None) -> Document:
    """As many digits as are proved."""
    if radius is None:
        return {"value": wording.nats(value), "radius": None}
    text, within = enclosed(value, radius)
    return {"value": wording.grouped(text), "radius": within}


def of_points(table: Document) -> list[str]:
    """What is said below a table of points of which it is told whether they are certified; empty where it is not.

    One sentence on those that are not; an empty one where all are.
    """
    if not certified.asked(table):
        return []
    return [wording.sentence(said) for said in certified.said_of_points(table["points"])] or [""]
