"""Which numbers of a stability document are proved, and within which radius.

Notation   lam_j eigenvalues of the covariance in exact arithmetic; k latents; sigma2 the noise; beta the weight of the
           KL, s = beta sigma2; q how many latents the optimum retains, the least number of k and #{lam_j > s}.
Main       certified, of a document.
Reference  theory 1.5, 3.9; docs/mathematics.md, section 13; verify/certify/decided/enclosed.py.

A number retained is certified where it is proved of these very data in exact arithmetic. Where rounding left it open
and the certificate does not, the row says what is proved. That the two exclude each other cannot be, and is no verdict
but an error.
"""

from fractions import Fraction
from typing import Any

from verify.certify.decided.enclosed import Contradiction, Enclosed, not_below
from verify.eigenvalues import decimal
from verify.words.certified import CERTIFIED, UNDECIDED, said_of_rows

Document = dict[str, Any]


def certified(document: Document, found: Enclosed) -> tuple[Document, list[str]]:
    """A stability document with what is proved of it, and notes on what is not.  Raises Contradiction."""
    k, beta = document["k"], decimal(document["beta"])
    rows = [_row(row, k, beta, found) for row in document["noise"]]
    thresholds = [_threshold(t, j, found) for j, t in enumerate(document["thresholds"])]
    made = {**document, "noise": rows, "thresholds": thresholds, "subject": found.sha256}
    return made, list(said_of_rows(rows))


def _row(row: Document, k: int, beta: Fraction, found: Enclosed) -> Document:
    """One entry of "noise": certified or undecided, why, and within how much of the value the true one lies."""
    if found.why is not None:
        return {**row, "certified": UNDECIDED, "why": found.why, "value_radius": None}
    level = decimal(row["effective_sigma2"])
    place = found.place(level)
    least, most = place.retained(k)
    if not (row["retained"] <= most and least <= row["retained_at_most"]):
        raise Contradiction(
            f"at sigma2 = {row['sigma2']!r} {least} to {most} latents are proved to be retained, where "
            f"{row['retained']} to {row['retained_at_most']} were computed"
        )
    low, high = found.value(decimal(row["sigma2"]), beta, most)
    radius = not_below(max(high - Fraction(row["value"]), Fraction(row["value"]) - low))
    if place.why is None:
        row = {**row, "undecided": [], "tied": list(range(place.above + 1, place.above + place.level + 1))}
    if least != most:
        return {**row, "certified": UNDECIDED, "why": place.why, "value_radius": radius}
    proved = {"retained": least, "retained_at_most": least, "collapsed": k - least}
    return {**row, **proved, "certified": CERTIFIED, "why": None, "value_radius": radius}


def _threshold(threshold: Document, j: int, found: Enclosed) -> Document:
    """One entry of "thresholds": within how much of the eigenvalue that is printed the true one lies."""
    if found.why is not None:
        return threshold
    # Of what was typed the number that is printed is a decimal.
    value = decimal(threshold["eigenvalue"]) if found.exact else Fraction(threshold["eigenvalue"])
    return {**threshold, "radius": found.radius(j, value)}
