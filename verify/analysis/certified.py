"""Which numbers of a stability document are proved, and within which radius.

Notation   lam_j eigenvalues of the covariance in exact arithmetic; k latents; sigma2 the noise; beta the weight of the
           KL, s = beta sigma2; q how many latents the optimum retains, the least number of k and #{lam_j > s}.
Main       certified, of a document; Values, of the optimum in balls.
Reference  theory 1.5, 3.9; docs/mathematics.md, section 13; verify/analysis/enclosed.py.

A number retained is certified where it is proved of these very data in exact arithmetic. Where rounding left it open
and the certificate does not, the row says what is proved. That the two exclude each other cannot be, and is no verdict
but an error.
"""

from collections.abc import Iterable
from fractions import Fraction
from math import inf, isfinite, nextafter
from typing import Any

from verify.analysis.enclosed import Contradiction, Enclosed
from verify.certify.checker.balls import Ball, ball, flint, precision
from verify.eigenvalues import decimal
from verify.errors import InputError
from verify.words.certified import CERTIFIED, UNDECIDED, said_of_rows

Document = dict[str, Any]
# Of the balls that values are computed in: far below what eigenvalues of data are known to.
BITS = 128


def certified(document: Document, found: Enclosed) -> tuple[Document, list[str]]:
    """A stability document with what is proved of it, and notes on what is not.  Raises Contradiction."""
    k, beta = document["k"], decimal(document["beta"])
    values = Values(found, beta)
    rows = [_row(row, k, found, values) for row in document["noise"]]
    thresholds = [_threshold(t, j, found) for j, t in enumerate(document["thresholds"])]
    made = {**document, "noise": rows, "thresholds": thresholds, "subject": found.sha256}
    return made, list(said_of_rows(rows, values.why))


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
    radius = values.radius(row["value"], decimal(row["sigma2"]), range(least, most + 1))
    if place.why is None:
        row = {**row, "undecided": []}
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
    """The largest value of the objective at any noise, from the eigenvalues as they are enclosed.

    For q retained: -1/2 [n log 2 pi sigma2 + beta sum_{a <= q} (log(lam_a/s) + 1) + sum_{j > q} lam_j/sigma2].
    """

    def __init__(self, found: Enclosed, beta: Fraction):
        self._found, self._beta = found, beta
        self.why: str | None = None
        if found.why is None:
            try:
                flint()
            except InputError as error:
                self.why = str(error)
                return
            with precision(BITS):
                self._logs, self._rest = self._sums()

    def _sums(self) -> tuple[list[Ball], list[Ball]]:
        """Of the first q the sum of their logarithms, of all but them the sum; q = 0, ..., n."""
        lam = [_between(a, b) for a, b in zip(self._found.low, self._found.high, strict=True)]
        logs, rest = [ball(0)], [ball(0)]
        for x, low in zip(lam, self._found.low, strict=True):
            logs.append(logs[-1] + (x.log() if low > 0 else flint().arb.nan()))
        for x in reversed(lam):
            rest.append(rest[-1] + x)
        return logs, rest[::-1]

    def radius(self, value: float, sigma2: Fraction, retained: Iterable[int]) -> float | None:
        """Within how much of `value` the true one lies, whichever of these numbers is retained; None: not known."""
        if self.why is not None or self._found.why is not None:
            return None
        with precision(BITS):
            off = [above_ball(abs(self._ball(q, sigma2) - ball(value))) for q in retained]
        return max(off) if all(map(isfinite, off)) else None

    def _ball(self, q: int, sigma2: Fraction) -> Ball:
        n, s, effective = len(self._found), ball(sigma2), ball(self._beta * sigma2)
        of_retained = ball(self._beta) * (self._logs[q] - q * effective.log() + q)
        return -(n * (2 * flint().arb.pi() * s).log() + of_retained + self._rest[q] / s) / 2


def _between(low: Fraction, high: Fraction) -> Ball:
    """A ball that holds this interval."""
    return ball(low) if low == high else ball(low).union(ball(high))


def above_ball(x: Ball) -> float:
    """A double that is not below anything in the ball."""
    return nextafter(float(x.upper()), inf)
