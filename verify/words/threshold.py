"""What is said of the noise above which no decoder beats collapse.

Notation   document: {"lam_1", "lower", "upper", "limit", "data", "N"}; perhaps certified, of upper.
Main       said -> blocks; notes.
Reference  theory 6.2.
"""

from typing import Any

from verify.words.tables import Blocks, short

Document = dict[str, Any]
# A witness that lives on fewer data than this speaks of those data, not of their kind.
FEW = 5.0
_COMPUTED = (
    "the lower bound has a witness that can be checked; the upper one holds in exact arithmetic, and was computed in "
    "floating point"
)
_CERTIFIED = (
    "certified: no decoder whatever beats collapse at a noise of the upper bound or more, whatever rounding did; the "
    "certificate proves it, with its evidence"
)


def said(document: Document) -> Blocks:
    """Below which noise some decoder gains by leaving collapse, above which none does, and what a linear VAE does."""
    lower, upper, linear = (short(document[name]) for name in ("lower", "upper", "lam_1"))
    if document["limit"]:
        return [
            f"Below sigma2 = {linear}, the largest eigenvalue, a linear VAE leaves total collapse. No decoder was "
            f"found that would gain by leaving it above; above {upper} none does."
        ]
    return [
        f"Below sigma2 = {lower} some decoder gains by leaving total collapse; above {upper} no decoder does, however "
        f"deep. A linear VAE collapses from {linear} on, the largest eigenvalue."
    ]


def notes(document: Document) -> list[str]:
    """What the bounds rest on."""
    found = [_CERTIFIED if document.get("certified") else _COMPUTED]
    if not document["limit"] and document["data"] < FEW:
        found.append(
            f"sampling: the witness lives on about {short(document['data'], 2)} of the {document['N']} data: what is "
            "gained below the lower bound is gained by learning single data by heart"
        )
    return found
