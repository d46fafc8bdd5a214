"""Which numbers of a stability document are proved, and within which radius.

Notation   lam_j eigenvalues of the covariance in exact arithmetic; k latents; sigma2 the noise; beta the weight of the
           KL, s = beta sigma2; q how many latents the optimum retains, the least number of k and #{lam_j > s}.
Main       certified, of a document; Values, between what the value of the optimum lies.
Reference  theory 1.5, 3.9; docs/mathematics.md, section 13; verify/analysis/enclosed.py.

A number retained is certified where it is proved of these very data in exact arithmetic. Where rounding left it open
and the certificate does not, the row says what is proved. That the two exclude each other cannot be, and is no verdict
but an error.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, localcontext
from fractions import Fraction
from math import inf, nextafter
from typing import Any

from verify.analysis.enclosed import Contradiction, Enclosed
from verify.eigenvalues import decimal
from verify.words.certified import CERTIFIED, UNDECIDED, said_of_rows

Document = dict[str, Any]
# Within LOG_ERROR of itself and of its logarithm.
PI, LOG_ERROR = Fraction("3.14159265358979323846264338327950288419716939937510"), Fraction(1, 10**30)


def certified(document: Document, found: Enclosed) -> tuple[Document, list[str]]:
    """A stability document with what is proved of it, and notes on what is not.  Raises Contradiction."""
    k, beta = document["k"], decimal(document["beta"])
    values = Values(found, beta)
    rows = [_row(row, k, found, values) for row in document["noise"]]
    thresholds = [_threshold(t, j, found) for j, t in enumerate(document["thresholds"])]
    made = {**document, "noise": rows, "thresholds": thresholds, "subject": found.sha256}
    return made, list(said_of_rows(rows))


def _row(row: Document, k: int, found: Enclosed, values: "Values") -> Document:
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
    radius = values.radius(row["value"], decimal(row["sigma2"]), least, most)
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
    return {**threshold, "radius": above(found.radius(j, value))}


def above(x: Fraction) -> float:
    """A double that is not below x >= 0, and 0 for 0."""
    near = float(x)
    return near if Fraction(near) >= x else nextafter(near, inf)


class Values:
    """Between what the largest value of the objective lies at any noise, from the eigenvalues as they are enclosed.

    With q retained it is -1/2 [n log 2 pi sigma2 + beta (tr S/s - sum_{a <= q} h(lam_a/s))], where h(x) = x - 1 - log x
    rises from h(1) = 0: more eigenvalues, and larger ones, make it larger.
    """

    def __init__(self, found: Enclosed, beta: Fraction):
        self._found, self._beta = found, beta
        self._sums = [_sums(ends) for ends in (found.low, found.high)]

    def radius(self, value: float, sigma2: Fraction, least: int, most: int) -> float:
        """Within how much of `value` the true one lies, if `least` to `most` eigenvalues are retained."""
        low, high = self.ends(sigma2, least, most)
        return above(max(high - Fraction(value), Fraction(value) - low))

    def ends(self, sigma2: Fraction, least: int, most: int) -> tuple[Fraction, Fraction]:
        """The least and the most that the value may be."""
        n, s = len(self._found), self._beta * sigma2
        constant, log_s = n * ln(2 * PI * sigma2), ln(s)
        (small, large), found = self._found.trace, []
        # Below its least h falls: of eigenvalues that a count alone shows to exceed s, h >= 0 is what is known.
        least = bisect_left(range(least), True, key=lambda a: self._found.low[a] <= s)
        for q, trace, (sums, logs) in ((least, large, self._sums[0]), (most, small, self._sums[1])):
            gain = sums(q) / s - q - logs(q) + q * log_s
            found.append(-(constant + self._beta * (trace / s - gain)) / 2)
        error = LOG_ERROR * (n + self._beta * 2 * most)
        return found[0] - error, found[1] + error


def ln(x: Fraction) -> Fraction:
    """log x within LOG_ERROR, x > 0: decimal rounds quotients and logarithms correctly, here to 60 digits."""
    with localcontext(Context(prec=60, Emax=MAX_EMAX, Emin=MIN_EMIN)):
        return Fraction((Decimal(x.numerator) / Decimal(x.denominator)).ln())


def _sums(ends: Sequence[Fraction]) -> tuple[Callable[[int], Fraction], Callable[[int], Fraction]]:
    """Of the first q numbers, > 0, the sum and the sum of their logarithms, computed as they are asked for."""
    sums, logs = [Fraction(0)], [Fraction(0)]

    def up_to(q: int, which: list[Fraction]) -> Fraction:
        for x in ends[len(sums) - 1 : q]:
            sums.append(sums[-1] + x)
            logs.append(logs[-1] + ln(x))
        return which[q]

    return lambda q: up_to(q, sums), lambda q: up_to(q, logs)
