"""What terminal and notebooks say of a certificate that was made or checked.

Notation   document: a certify document as a dict: statements, each with its status and the reason.
Main       said -> blocks; headline.
"""

from typing import Any

from verify.words.tables import Blocks

Document = dict[str, Any]
SAMPLING = "sampling: what is proved is proved of these very rows, not of other data of the same kind"
_MEANS = {
    "proved": "proved: true in exact arithmetic, whatever rounding did",
    "refuted": "refuted: false in exact arithmetic",
    "undecided": "undecided: the evidence does not tell, and nothing is said of the statement",
}


def said(document: Document) -> Blocks:
    """How many statements are proved, then each of them, with the reason where it is not; and what the words mean."""
    rows = [f"{row['status']}: {row['says']}{_why(row)}" for row in document["statements"]]
    means = "; ".join(text for status, text in _MEANS.items() if document[status])
    return [headline(document), *rows, *([means] if means else [])]


def _why(row: Document) -> str:
    return "" if row["status"] == "proved" else f"\n  {row['reason']}"


def headline(document: Document) -> str:
    """How many are proved, refuted, undecided."""
    total, of = len(document["statements"]), _of(document)
    rows = document["N"] is not None and document["proved"] and of
    return f"{_headline(document, total, of)}{f' {SAMPLING.capitalize()}.' if rows else ''}"


def _headline(document: Document, total: int, of: str) -> str:
    if not total:
        return f"Nothing could be stated{of}."
    if document["proved"] == total:
        return f"{'The statement is' if total == 1 else f'All {total} statements are'} proved{of}."
    rest = [f"{document[status]} {status}" for status in ("refuted", "undecided") if document[status]]
    return f"{document['proved']} of {total} statements {_are(document['proved'])} proved{of}; {', '.join(rest)}."


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _of(document: Document) -> str:
    """The data, and by what they are known; of statements on boxes of parameters, none."""
    if document["statements"] and all(row.get("kind") == "box" for row in document["statements"]):
        return ""
    rows = "" if document["N"] is None else f"{document['N']} x {document['n']}, "
    return f" for {document['data']} ({rows}hash {document['sha256'][:12]})"
