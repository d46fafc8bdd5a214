"""What to say of a list of stationary points: how many compete, how the shown ones were found.

Notation   document: a stationary document as a dict.
Main       how_found, interrupted, readable; curve_in_words, tied_either_way, open_ends.
"""

from decimal import Decimal
from typing import Any

from verify.landscape.families import candidates
from verify.landscape.stationary import learned_noise_candidates
from verify.words.caveats import names
from verify.words.numerals import as_threshold, at_noise, counted, weight


def interrupted(document: dict[str, Any]) -> bool:
    """Whether the walk that a document tells of was ended before its time."""
    return "walk" in document and document["walk"]["walked"] < document["walk"]["candidates"]


def how_found(document: dict[str, Any]) -> str | None:
    """What to say of a list that may lack points: how many compete, and how those were found; None: it is whole."""
    if document["truncated"] is False:
        return None
    n, k, shown, count = document["n"], document["k"], len(document["points"]), document["count"]
    walk = document.get("walk")
    if walk is not None and interrupted(document):
        found = f"walked {readable(walk['walked'])} of {readable(walk['candidates'])} index sets"
        return f"{found}, of which {readable(sum(walk['by_index']))} are stationary points; shown are the best known"
    if count is not None:
        total = f"{readable(count)} points in all"
        total += f", of {readable(walk['candidates'])} index sets, each of them tried" if walk is not None else ""
        return f"{total}; shown are the best {shown}"
    more = "" if document["truncated"] else "; whether there are more is not known"
    if document["objective"] == "ppca":
        total = readable(learned_noise_candidates(n, k))
        text = f"{total} index sets compete, and not all were tried; shown are the best {shown}"
        return f"{text}, found by best-first search{more}"
    total = readable(candidates(n, k))
    text = f"{total} candidate families, too many to enumerate; shown are the best {shown}, found by branch and bound"
    if document["sigma2"] is None:
        text += "; left out are blocks with zero rows and blocks that hold an eigenvalue at or below the noise"
    return f"{text}{more}"


def readable(count: int) -> str:
    """1234 or 1.2e+30: exact while that can be read.  No float: the count may exceed what a double holds."""
    return str(count) if count < 10**9 else f"{Decimal(count):.1e}"


def curve_in_words(document: dict[str, Any]) -> str:
    """That the maximum is a curve."""
    k, largest = document["k"], document["continuum"]["largest_sigma2"]
    return (
        f"the maximum is no point but a curve: every sigma2 up to lam_{document['n']} = {as_threshold(largest)} "
        f"attains it, with all {k} of {k} latents retained below it; the point listed first stands for it"
    )


def open_ends(document: dict[str, Any]) -> tuple[int, int]:
    """How many latents the optimum retains, at least and at most, where measured eigenvalues tie with the noise."""
    k, tied = document["k"], document["tied"]
    return min(k, tied[0] - 1), min(k, tied[-1])


def tied_either_way(document: dict[str, Any]) -> str:
    """A noise within rounding of eigenvalues: both sides of the tie."""
    fewest, most = open_ends(document)
    error = max(document["resolution"][j - 1] for j in document["tied"])
    held = f"{counted(fewest, most)} of {document['k']} latents are retained{' either way' if fewest == most else ''}"
    noise = at_noise(document["sigma2"], weight(document))
    return f"{noise} cannot be told from {names(document['tied'])} (within {error:.1g}): {held}"
