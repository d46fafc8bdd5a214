"""The bounds on every decoder in a diagnosis, proved in exact arithmetic.

Notation   x (N, n) the rows; s* the noise from which on no decoder whatever beats total collapse (theory 6.2).
Main       proved -> Proved; into, a diagnosis document with it; MEANS.
Reference  docs/certificates.md; docs/mathematics.md, section 13.

A search proposes, the checker of verify/certify decides. What it does not decide stays as it was computed, and a note
says why it is not certified. What the linear VAE keeps is proved as in stability (verify/analysis/certified.py).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from verify.certify.checker import decoder as checker
from verify.certify.checker.balls import flint
from verify.certify.checker.numbers import exact
from verify.certify.checker.outcome import Status
from verify.certify.checker.subject import Subject
from verify.certify.propose import decoder
from verify.certify.subjects import of_rows
from verify.data.rows import Rows
from verify.eigenvalues import decimal
from verify.errors import InputError, first_line
from verify.landscape.any_decoder import Witness
from verify.words.certified import CERTIFIED, UNDECIDED

Document = dict[str, Any]
Told = Callable[[str], object]
ROWS, COLUMNS = 2000, 64  # of data for which an upper bound is searched for: a minute
ENTRIES = 10**6  # N n of a witness: a ball each, five seconds
# A witness that is as long as it is exact loses its last digits to rounding.
_SHORTENED = (1e-9, 1e-6)
BOUNDS = "bounds on every decoder"
LOWER = "up to which noise some decoder beats collapse"
UPPER = "from which noise on no decoder beats collapse"
MEANS = (
    "certified: proved in exact arithmetic for these very rows, so that no rounding can change it; it says nothing of "
    "other data of the same kind, or of what a training finds"
)


@dataclass
class Proved:
    """lower < s* <= upper; None: not proved.  interrupted: the search was, and this is what it had."""

    lower: float | None = None
    upper: float | None = None
    interrupted: bool = False
    notes: list[str] = field(default_factory=list)


def proved(rows: Rows, found: Witness, told: Told = lambda doing: None) -> Proved:
    """What can be proved; found: a witness of these rows, by floats.

    An interrupt ends the search and not the diagnosis: what was proved by then is what there is.
    """
    known, doing, (N, n) = Proved(), LOWER, rows.shape
    if N * n > ENTRIES:
        why = f"they are proved of at most {ENTRIES} numbers; these are {N} x {n}"
        known.notes.append(f"not certified: {BOUNDS} ({why})")
        return known
    try:
        told("certifying: reading the data")
        subject = of_rows(rows)
        with decoder.threads(subject):
            for doing, part in _parts(subject, found, told):
                _tried(known, doing, part)
    except KeyboardInterrupt:
        known.interrupted = True
        known.notes.append(f"not certified: {doing} (interrupted; what was proved by then stands)")
    except InputError as error:  # rows that cannot be read again
        known.notes.append(f"not certified: {error}")
    return known


def into(facts: Document, known: Proved) -> Document:
    """A diagnosis document, of which any_decoder is asked for, with what is proved of that."""
    bounds, lower = facts["any_decoder"], known.lower
    status = {"lower": _status(lower), "upper": _status(known.upper)}
    lower = bounds["lower"] if lower is None else lower
    return {**facts, "any_decoder": {**bounds, "lower": lower, "upper": known.upper, "certified": status}}


def _status(bound: float | None) -> str:
    return UNDECIDED if bound is None else CERTIFIED


Part = Callable[[Proved], object]


def _parts(subject: Subject, found: Witness, told: Told) -> Iterator[tuple[str, Part]]:
    """What is searched for, in words, and the search."""
    missing = _missing()
    if missing is not None:
        yield BOUNDS, lambda known: _refused(missing)
        return
    told(f"certifying: {LOWER}")
    yield LOWER, lambda known: _lower(known, subject, found)
    yield UPPER, lambda known: _upper(known, subject, found.value, told)


def _tried(known: Proved, doing: str, part: Part) -> None:
    """One part; where it fails, why, in a note."""
    try:
        part(known)
    except InputError as error:  # a size that is refused, a package that is missing
        known.notes.append(f"not certified: {doing} ({error})")
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:  # the rest does not depend on this search
        known.notes.append(f"not certified: {doing} (the search failed: {first_line(error, 80)})")


def _refused(why: str) -> None:
    raise InputError(why)


def _missing() -> str | None:
    """Why bounds cannot be checked, before anybody searches for them; None: they can."""
    try:
        flint()
    except InputError as error:
        return str(error)
    return None


def _lower(known: Proved, subject: Subject, found: Witness) -> None:
    """The level of a witness, a little below its value."""
    for part in _SHORTENED:
        level = found.value * (1 - part)
        # The number that is printed is not above it, read as a decimal and read as a double.
        statement = decoder.witness(subject, max(decimal(level), Fraction(level)), found.t)
        if checker.witness(statement, subject).status is Status.PROVED:
            known.lower = level
            return
    raise InputError("the witness that was found is not long enough")


def _upper(known: Proved, subject: Subject, lower: float, told: Told) -> None:
    """The lowest level that is proved of a few above `lower`; the best so far where somebody interrupts."""
    if subject.N is None or subject.N > ROWS or subject.n > COLUMNS:
        most = f"{ROWS} rows of {COLUMNS} columns"
        raise InputError(f"this is searched for in at most {most}, and these are {subject.N} x {subject.n}")
    proposed: list[tuple[float, decoder.Statement]] = []
    interrupted, levels = False, decoder.levels(lower)
    try:
        for number, level in enumerate(levels, start=1):
            told(f"certifying: {UPPER}, level {number} of {len(levels)} at most")
            # The number that is printed is not below it, however it is read.
            statement = decoder.every_decoder(subject, min(level, Fraction(float(level))))
            if statement is None and proposed:
                break
            proposed += [] if statement is None else [(float(level), statement)]
    except KeyboardInterrupt:
        interrupted = True
    for bound, statement in reversed(proposed):
        if checker.every_decoder(statement, subject).status is Status.PROVED:
            assert min(Fraction(bound), decimal(bound)) >= exact(statement["level"])
            known.upper = bound
            break
    if interrupted:
        raise KeyboardInterrupt
    if known.upper is None:
        raise InputError("no bound was found")
