"""What is said of certified numbers: what the word means, which ones are not, and why.

Notation   rows: "noise" of a stability document, certified; points: those of a stationary one.
Main       asked, LEGEND; said_of_rows, said_of_points; of_report; radius.
Reference  docs/mathematics.md, section 13; docs/certificates.md.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

from verify.eigenvalues import decimal
from verify.words.numerals import at_most, typed, weight

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


def said_of_rows(rows: list[Document]) -> Iterator[str]:
    """Notes on what is not certified, of rows that are told of."""
    reasons = {row["why"] for row in rows}
    if len(reasons) == 1 and None not in reasons and len(rows) > 1:
        yield f"not certified: {rows[0]['why']}"
        return
    for row in rows:
        # Where rounding cannot tell either, the note on that says the rest.
        if row["why"] is not None and row["retained"] == row["retained_at_most"]:
            yield f"not certified: at sigma2 = {typed(row['sigma2'])} {row['why']}"


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


def of_report(document: Document) -> str | None:
    """How many numbers of a report are certified, and how many are not; None: it was not asked."""
    facts = document["stability"]
    if not asked(facts):
        return None
    rows = [status(row) == CERTIFIED for row in facts["noise"]]
    thresholds = [t["radius"] is not None for t in facts["thresholds"]]
    points = [status(point) == CERTIFIED for table in document["stationary"] for point in table["points"]]
    told = [
        f"how many latents are retained at {sum(rows)} of {len(rows)} noises",
        f"{sum(thresholds)} of {len(thresholds)} thresholds",
        *([f"index and kind of {sum(points)} of {len(points)} stationary points"] if points else []),
    ]
    open_ = sum(not x for x in (*rows, *thresholds, *points))
    rest = "nothing is undecided" if not open_ else f"{open_} of these {'is' if open_ == 1 else 'are'} undecided"
    return f"Certified, {EXACTLY}: {', '.join(told[:-1])} and {told[-1]}; {rest}."


def radius(document: Document) -> str | None:
    """Within how much of all thresholds the true ones lie; None: not known, "0" where they are exact."""
    known = [of_threshold(document, t) for t in document["thresholds"]]
    return at_most(max(r for r in known if r is not None)) if known and None not in known else None


def of_threshold(document: Document, threshold: Document) -> Fraction | None:
    """Within how much of its sigma2, a double near lam_j/beta, the true one lies; None: not certified."""
    if threshold["radius"] is None:
        return None
    # What was typed is a decimal, and what was measured the double itself.
    read = decimal if document["resolution"] is None else Fraction
    beta, printed = decimal(weight(document)), read(threshold["sigma2"])
    return Fraction(threshold["radius"]) / beta + abs(printed - read(threshold["eigenvalue"]) / beta)
