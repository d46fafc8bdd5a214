"""The whole verdict at one noise as one certificate: what is proposed, kind by kind, and what of it the checker proves.

Notation   k latents; sigma2 the noise, beta the weight of the KL: exact numbers; s = beta sigma2.
Main       Asked, PARTS, certificate; check.
Reference  docs/certificates.md.
"""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import islice
from typing import Any

from verify.certify.checker import decoder as checker
from verify.certify.checker.certificate import FORMAT, KINDS, VERSION, Check
from verify.certify.checker.certificate import check as checked
from verify.certify.checker.outcome import Outcome, undecided
from verify.certify.checker.subject import Subject
from verify.certify.propose import counts, decoder
from verify.certify.propose.stationary import certify_point
from verify.data.covariance import covariance
from verify.eigenvalues import Eigenvalues, Written
from verify.errors import MissingError
from verify.landscape.any_decoder import Witness, lower_bound
from verify.landscape.best_families import best_families
from verify.landscape.stationary import fixed_noise_points

Statement = dict[str, Any]
Stated = list[tuple[Statement, Outcome]]
POINTS = 3  # of each objective
SEEN, COLUMNS = 5000, 64  # rows and columns up to which a witness is searched for
ROWS = 600  # up to which a bound on every decoder takes a minute
STARTS, BOXES = 4, 400  # of the search for a witness; that a level may take, of the few that are tried above it
OF_DECODERS = ("witness", "every decoder")
MOST_ENTRIES = 60  # of W: a point of so many takes seconds


@dataclass(frozen=True)
class Asked:
    """k latents at the noise sigma2 with the weight beta."""

    k: int
    sigma2: Fraction
    beta: Fraction

    @property
    def level(self) -> Fraction:
        """beta sigma2, with which eigenvalues are compared."""
        return self.beta * self.sigma2


def always(subject: Subject, asked: Asked) -> None:
    """Nothing is left out."""


@dataclass(frozen=True)
class Part:
    """What is done, in words; proposed: statements and what came of each.

    applies: None, or why it is left out; "" where nobody would look for it.
    """

    doing: str
    applies: Callable[[Subject, Asked], str | None]
    proposed: Callable[[Subject, Asked], Stated]


def check(whole: Any, subject: Subject, say: Callable[[str], object] = str) -> list[Outcome]:
    """What becomes of each statement of a certificate.  Raises InputError as `checker.certificate.check`.

    say: is told of each statement what it is, before it is checked. Without python-flint what needs it is undecided.
    """

    def told(kind: str) -> Check:
        def announced(statement: Statement, subject: Subject) -> Outcome:
            say(f"checking a statement of the kind {kind}")
            try:
                with decoder.threads(subject) if kind in OF_DECODERS else nullcontext():
                    return KINDS[kind](statement, subject)
            except MissingError as error:  # it says nothing of the statement, nor of the others
                return undecided(str(error))

        return announced

    return checked(whole, subject, {kind: told(kind) for kind in KINDS})


def certificate(subject: Subject, statements: list[Statement]) -> dict[str, Any]:
    """The certificate of these statements, without what says who made it and where the data lie."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "subject": {"sha256": subject.sha256, "n": subject.n, "N": subject.N},
        "statements": statements,
    }


def _optimum(subject: Subject, asked: Asked) -> Stated:
    return [counts.optimum(subject, asked.k, asked.sigma2, asked.beta)]


def _count(subject: Subject, asked: Asked) -> Stated:
    return [counts.count(subject, asked.level)]


def _eigenvalues(subject: Subject, asked: Asked) -> Stated:
    return [counts.eigenvalues(subject, asked.k)]


def _of_rows(subject: Subject, asked: Asked) -> str | None:
    return "" if subject.spectrum is not None else None  # a bare spectrum says it itself


def _points(subject: Subject, asked: Asked) -> Stated:
    """The best stationary points of the likelihood and of the ELBO: where they lie, and how they rise."""
    assert subject.spectrum is not None
    spectrum, noise = Eigenvalues.typed(subject.spectrum), Written.of(asked.sigma2)
    of_likelihood = islice(fixed_noise_points(spectrum, asked.k, noise), POINTS)
    found: Stated = []
    for point in (*of_likelihood, *best_families(spectrum, asked.k, noise, POINTS)):
        found += certify_point(subject.spectrum, point).tried
    return found


def _few_points(subject: Subject, asked: Asked) -> str | None:
    if subject.spectrum is None:
        return ""
    if asked.beta != 1:
        return "points are stated at beta = 1"
    size = subject.n * asked.k
    return f"n k = {size}, and points are stated up to {MOST_ENTRIES}" if size > MOST_ENTRIES else None


@lru_cache(maxsize=1)
def _best(subject: Subject) -> Witness:
    assert subject.rows is not None
    rows = subject.rows / subject.divisor
    with decoder.threads(subject):
        return lower_bound(lambda: [rows], covariance(rows), random=STARTS)


def _some_decoder(subject: Subject, asked: Asked) -> Stated:
    best = _best(subject)
    statement = decoder.witness(subject, Fraction(f"{best.value * (1 - 1e-6):.7g}"), best.t)
    with decoder.threads(subject):
        return [(statement, checker.witness(statement, subject))]


def _no_decoder(subject: Subject, asked: Asked) -> Stated:
    with decoder.threads(subject):
        statement = decoder.tightest(subject, _best(subject).value, most=BOXES)
        return [] if statement is None else [(statement, checker.every_decoder(statement, subject))]


def _few_columns(subject: Subject, asked: Asked) -> str | None:
    if subject.N is None:
        return ""
    if subject.n > COLUMNS or subject.N > SEEN or subject.rows is None:
        return f"this is tried up to {SEEN} rows of {COLUMNS} columns"
    return None


def _few_rows(subject: Subject, asked: Asked) -> str | None:
    if subject.N is None or _few_columns(subject, asked):
        return ""
    if subject.N > ROWS:
        ways = "diagnose --certify, and in Python collapse_threshold(data, certify=True)"
        return f"beyond {ROWS} rows this takes minutes; {ways}, do it"
    return None


PARTS: tuple[Part, ...] = (
    Part("what the optimum retains, and its value", always, _optimum),
    Part("how many eigenvalues exceed the noise", always, _count),
    Part("where the leading eigenvalues lie", _of_rows, _eigenvalues),
    Part("the best stationary points", _few_points, _points),
    Part("at which noise some decoder beats collapse", _few_columns, _some_decoder),
    Part("at which noise no decoder beats collapse", _few_rows, _no_decoder),
)
