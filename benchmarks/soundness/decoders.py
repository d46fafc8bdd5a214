"""The threshold of every decoder, for data of which it is known: products of two values, turned.

Notation   y centred rows; s* = sup_t 2 log mean exp <y, t> / |t|^2. Of two values w apart, one with the share p < 1/2,
           it is w^2 (1 - 2p)/(2 log((1 - p)/p)), and w^2/4 at p = 1/2 (Kearns & Saul 1998); of independent coordinates
           the largest of theirs, for log mean exp adds up; turned by H with H H^T = h I it is h times that.
Main       questions, posed_about.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import product
from typing import Any

import mpmath
import numpy as np

from benchmarks.soundness.asked import Posed, Question, Statement
from benchmarks.soundness.counted import offered
from verify.certify.checker.numbers import written
from verify.certify.propose import decoder
from verify.certify.subjects import of_rows
from verify.data.sources import load_rows

_DIGITS = 80
# Far more than the digits that mpmath loses here, far less than any distance that is asked about.
_MARGIN = mpmath.mpf(10) ** -60
_TURNS = {2: np.array([[1, 1], [1, -1]]), 3: np.array([[-1, 2, 2], [2, -1, 2], [2, 2, -1]])}


@dataclass(frozen=True)
class Known:
    """Rows, and their threshold to so many digits, with the direction in which it is reached and how far."""

    family: str
    rows: np.ndarray
    threshold: Any
    t: np.ndarray


def drawn(rng: np.random.Generator) -> Known:
    """One to three coordinates of two values each, in all combinations, turned or not."""
    n = int(rng.integers(1, 4))
    shares = [(int(rng.integers(1, 4)), int(rng.integers(1, 6))) for _ in range(n)]
    widths = [int(x) for x in rng.integers(1, 9, n)]
    columns = [[0] * a + [w] * b for (a, b), w in zip(shares, widths, strict=True)]
    rows = np.array(list(product(*columns)))
    with mpmath.workdps(_DIGITS):
        each = [mpmath.mpf(w) ** 2 * _of_two(a, b) for (a, b), w in zip(shares, widths, strict=True)]
        j = max(range(n), key=lambda i: each[i])
        a, b = shares[j]
        t = np.zeros(n)
        # Where the quotient is largest: twice the logarithm of the odds over the width, against the commoner value.
        t[j] = float(2 * mpmath.log(mpmath.mpf(a) / b) / widths[j])
        threshold = each[j]
        if n in _TURNS and rng.random() < 0.5:
            H = _TURNS[n]
            rows, t, threshold = rows @ H, t @ H / (H @ H.T)[0, 0], threshold * int((H @ H.T)[0, 0])
    if rng.random() < 0.3:
        rows = rows + int(rng.integers(-5, 6))  # the mean is taken off
    return Known(f"{n} coordinates" if n > 1 else "two values", rows.astype(float), threshold, t)


def _of_two(a: int, b: int) -> Any:
    p = mpmath.mpf(min(a, b)) / (a + b)
    return mpmath.mpf(1) / 4 if 2 * min(a, b) == a + b else (1 - 2 * p) / (2 * mpmath.log((1 - p) / p))


def questions(rng: np.random.Generator) -> Iterator[Question]:
    """One data set."""
    for posed in posed_about(rng):
        yield posed.question()


def posed_about(rng: np.random.Generator) -> Iterator[Posed | Question]:
    """Levels around the threshold: it is exceeded, or it is not, by evidence that is good for another level."""
    known, scale = drawn(rng), float(rng.choice([1.0, 1.0, 3.0, 16.0]))
    subject = of_rows(load_rows(known.rows, scale=scale))

    def posed(name: str, statement: Statement) -> Posed:
        level = Fraction(statement["level"])
        with mpmath.workdps(_DIGITS):
            ratio = known.threshold / mpmath.mpf(scale) ** 2 * level.denominator / level.numerator
            exceeded = None if abs(ratio - 1) < _MARGIN else bool(ratio > 1)
        of_witness = statement["kind"] != "every decoder"
        truth = exceeded if of_witness or exceeded is None else not exceeded
        return Posed(known.family, name, truth, statement, subject)

    s = Fraction(float(known.threshold)) / Fraction(scale) ** 2
    away = [Fraction(int(rng.choice([-1, 1])), 2 ** int(rng.integers(3, 50))) for _ in range(3)]
    for part in (Fraction(0), *away):
        level = Fraction(float(s * (1 + part)))
        for t in (known.t * scale, known.t * scale * (1 + 0.01 * rng.normal()), rng.standard_normal(len(known.t))):
            evidence = {"t": [float(x).hex() for x in t]}
            yield posed("witness", {"kind": "witness", "level": written(level), "evidence": evidence})
    excess = Fraction(float(rng.choice([0.03, 0.1, 0.3, 1.0])))
    propose = partial(decoder.every_decoder, subject, s * (1 + excess))
    proposed = offered(known.family, "every decoder", subject, propose)
    if isinstance(proposed, Question):
        yield proposed
    elif proposed is not None:
        for part in (excess, excess * Fraction(999, 1000), excess / 2, *away, Fraction(-1, 100), Fraction(-1, 2)):
            level = Fraction(float(s * (1 + part)))
            yield posed("every decoder", {**proposed, "level": written(level)})
