"""What is said of certified numbers: what the word means, which ones are not, and why.

Notation   rows: "noise" of a stability document, certified; points: those of a stationary one.
Main       asked, LEGEND; said_of_rows, said_of_points; radius.
Reference  docs/mathematics.md, section 13; docs/certificates.md.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from verify.words.numerals import rough, typed, weight

Document = dict[str, Any]
CERTIFIED, UNDECIDED, NOT_REQUESTED = "certified", "undecided", "not requested"
# In the cell of a table.
MARKS = {CERTIFIED: "yes", UNDECIDED: "undecided", NOT_REQUESTED: "-"}
EXACTLY = "in exact arithmetic for these very data, so that no rounding can change it"
NOT_MEANT = "it says nothing of other data of the same kind, which differ by chance, or of a deep VAE"
LEGEND = f"certified: the number retained is proved {EXACTLY}; {NOT_MEANT}"
POINTS_LEGEND = f"certified: index and kind are proved {EXACTLY}; values and their order are not"


def asked(document: Document) -> bool:
    """Whether a stability or stationary document was asked to be certified."""
    rows = document["noise"] if "noise" in document else document["points"]
    return any(status(row) != NOT_REQUESTED for row in rows)


def status(row: Document) -> str:
    """certified, undecided or not requested: of an entry of "noise", or of "points"."""
    found = row.get("certified", NOT_REQUESTED)
    return str(found["status"] if isinstance(found, dict) else found)


def mark(row: Document) -> str:
    """The same in the cell of a table."""
    return MARKS[status(row)]


def said_of_rows(rows: list[Document], values: str | None) -> Iterator[str]:
    """Notes on what is not certified, of rows that are told of; values: why no value is, None where they are."""
    reasons = {row["why"] for row in rows}
    if len(reasons) == 1 and None not in reasons and len(rows) > 1:
        yield f"not certified: {rows[0]['why']}"
        return
    for row in rows:
        # Where rounding cannot tell either, the note on that says the rest.
        if row["why"] is not None and row["retained"] == row["retained_at_most"]:
            yield f"not certified: at sigma2 = {typed(row['sigma2'])} {row['why']}"
    if values is not None:
        yield f"numbers retained are certified without it, values are not: {values}"


def said_of_points(points: Iterable[Document]) -> Iterator[str]:
    """Of how many points it is not certified what they are, and the commonest reason for it."""
    why = Counter(point["certified"]["why"] for point in points if status(point) == UNDECIDED)
    if not why:
        return
    (reason, many), *others = why.most_common()
    total = sum(why.values())
    which = "one of the points" if total == 1 else f"{total} of the points"
    first = "" if not others else "one of them " if many == 1 else f"{many} of them "
    yield f"not certified: {which}, {first}because {reason}"


def radius(document: Document) -> str | None:
    """Within how much of the thresholds in noise the true ones lie; None: not known, "0" where they are exact."""
    known = [t["radius"] for t in document["thresholds"]]
    if not known or any(r is None for r in known):
        return None
    return rough(max(known) / weight(document))
