"""What terminal and notebooks say of a list of stationary points: how many, the best of them, how saddles escape.

Notation   document: a stationary document as a dict; w columns of W; u eigenvectors.
Main       said -> blocks; verdict.
Reference  theory 1.2-3.8.
"""

from typing import Any

from verify.landscape.weighted import PLAIN
from verify.words import certified
from verify.words.lists import curve_in_words, open_ends, readable, tied_either_way
from verify.words.numerals import at_noise, typed, weight
from verify.words.tables import Blocks, Table, short
from verify.words.wording import ranges, what_value

Document = dict[str, Any]


def said(document: Document) -> Blocks:
    """The verdict, the points, and what the columns mean."""
    return [verdict(document), _points(document), _legend(document)]


def verdict(document: Document) -> str:
    """How many there are, what the best of them retains, and what kinds those listed are."""
    points = document["points"]
    of = "the likelihood" if document["objective"] == "ppca" else _elbo(document)
    at = "With learned noise" if document["sigma2"] is None else f"At sigma2 = {short(document['sigma2'])}"
    what = "stationary point" if document["objective"] == "ppca" else "family of stationary points"
    plural = "stationary points" if document["objective"] == "ppca" else "families of stationary points"
    count = document["count"]
    known = max(len(points), sum(document["walk"]["by_index"]) if "walk" in document else 0)
    many = (
        f"at least {readable(known)} {plural}"
        if count is None
        else f"{readable(count)} {what if count == 1 else plural}"
    )
    if document["undecided"]:
        many += f", and perhaps {readable(document['undecided'])} more"
    names = {
        "maximum": ("global maximum", "global maxima"),
        "undecided": ("undecided", "undecided"),
        "saddle": ("saddle", "saddles"),
        "minimum": ("minimum", "minima"),
    }
    tally = [(sum(p["kind"] == kind for p in points), words) for kind, words in names.items()]
    kinds = ", ".join(f"{number} {words[number != 1]}" for number, words in tally if number)
    return f"{at} {of} has {many}; {_best_point(document)}. Of the {len(points)} listed: {kinds}."


def _elbo(document: Document) -> str:
    """The ELBO, or with a weight "the ELBO with beta = 4 (eigenvalues compare with 4 sigma2 = 1.2)"."""
    beta = weight(document)
    if beta == PLAIN:
        return "the ELBO"
    return f"the ELBO with beta = {typed(beta)} (eigenvalues are compared with {at_noise(document['sigma2'], beta)})"


def _best_point(document: Document) -> str:
    """What the global maximum retains, on both sides of a tie where rounding leaves one."""
    points, k, sigma2 = document["points"], document["k"], document["sigma2"]
    if document["continuum"] is not None:
        return curve_in_words(document)
    if document["resolution"] is not None and document["tied"]:
        fewest, most = open_ends(document)
        if fewest < most:
            return tied_either_way(document)
    top = next((p for p in points if p["global"]), points[0])  # it may tie with others to the last digit
    best = f"the global maximum retains {len(top['retained'])} of {k} latents"
    if not top["global"]:
        best = (
            f"the best of them, which retains {len(top['retained'])} of {k} latents, is the maximum to within rounding"
        )
    return best if sigma2 is not None else f"{best} at sigma2 = {short(top['sigma2'])}"


def _points(document: Document) -> Table:
    elbo, learned = document["objective"] == "elbo", document["sigma2"] is None
    columns = [("", True), ("value", True), ("deficit", True)]
    columns += [("sigma2", True)] if learned else []
    columns += [("gap", True)] if elbo else []
    proved = certified.asked(document)
    columns += [("index", True), ("kind", False), *([("certified", False)] if proved else [])]
    columns += [("rate", True), ("escape", False), ("retained", False)]
    rows = []
    for number, point in enumerate(document["points"], start=1):
        row = [str(number), short(point["value"], 8), short(point["deficit"], 4)]
        row += [short(point["sigma2"], 5)] if learned else []
        row += [short(point["bound_gap"], 3)] if elbo else []
        escape = point["escape"]
        flat = not point["strict"] and point["kind"] != "undecided"
        row += [str(point["index"]), point["kind"] + (" (flat)" if flat else "")]
        row += [certified.mark(point)] if proved else []
        row += [short(escape["rate"], 3) if escape else "-", _way(escape), _held(point)]
        rows.append(row)
    return Table(columns, rows)


def _legend(document: Document) -> str:
    points = document["points"]
    beta = weight(document)
    text = f"value: {what_value(beta)}; deficit: best value minus this one"
    if document["objective"] == "elbo":
        text += "; gap: likelihood minus ELBO" if beta == PLAIN else "; gap: what encoders of any covariance would gain"
    text += "; index: directions in which the objective still rises; rate: largest eigenvalue of the Hessian"
    text += "; w: columns of W; u: eigenvectors"
    if any(p["kind"] == "undecided" for p in points):
        text += "; undecided: rounding leaves open which kind it is, as an eigenvalue cannot be told from the noise"
    if any(not p["strict"] and p["kind"] != "undecided" for p in points):
        text += "; flat: in directions beyond those of symmetry, to second order"
    if certified.asked(document):
        text += f"; {certified.POINTS_LEGEND}"
    if not all(p["orthogonal"] for p in points):
        text += "; {}: eigenvectors that as many columns share (not orthogonal), 0 for each column more"
    return text


def _way(escape: Document | None) -> str:
    """The steepest way up in a few characters."""
    if escape is None:
        return "-"
    direction = escape["direction"]
    columns, eigen = (ranges(sorted(direction[of])).replace(" ", "") for of in ("columns", "eigen"))
    if direction["type"] == "rotation":
        return f"rotate w{columns}"
    return f"w{columns} to u{eigen}" if direction["type"] == "column" else f"w{columns} with u{eigen}"


def _held(point: Document) -> str:
    """The retained indices; those that share columns in braces, with a 0 for each column more."""
    blocks = [b for b in point.get("blocks", []) if len(b["columns"]) > 1]
    shared = {i for b in blocks for i in b["eigen"]}
    singles = [i for i in point["retained"] if i not in shared]
    parts = [ranges(singles)] if singles or not blocks else []
    for block in blocks:
        more = ",0" * (len(block["columns"]) - len(block["eigen"]))
        # Without spaces, so that no line of the table breaks inside.
        parts.append("{" + ranges(block["eigen"]).replace(" ", "") + more + "}")
    return " ".join(parts)
