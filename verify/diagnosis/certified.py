"""What of a diagnosis is proved in exact arithmetic: what the linear optimum retains, and the bounds on every decoder.

Notation   x (N, n) the rows; k latents; s the noise that counts; s* the noise from which on no decoder whatever beats
           total collapse (theory 6.2).
Main       proved -> Proved; into, a diagnosis document with it.
Reference  docs/certificates.md; docs/mathematics.md, section 13.

A search proposes, the checker of verify/certify decides. What it does not decide stays as it was computed, and a note
says why it is not certified.
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
from verify.certify.propose import counts, decoder
from verify.certify.subjects import of_rows
from verify.certify.verdict import COLUMNS, ROWS
from verify.data.rows import Rows
from verify.eigenvalues import decimal
from verify.errors import InputError, first_line
from verify.landscape.any_decoder import Witness

Document = dict[str, Any]
Told = Callable[[str], object]
CERTIFIED, UNDECIDED = "certified", "undecided"
ENTRIES = 10**6  # N n of a witness: a ball each, five seconds
# A witness that is as long as it is exact loses its last digits to rounding.
_SHORTENED = (1e-9, 1e-6)
RETAINED = "what the best linear VAE keeps"
LOWER = "up to which noise some decoder beats collapse"
UPPER = "from which noise on no decoder beats collapse"
_MEANS = (
    "certified: proved in exact arithmetic for these very rows, so that no rounding can change it; it says nothing of "
    "other data of the same kind, or of what a training finds"
)


@dataclass
class Proved:
    """retained: by the best linear VAE at the noise that counts; lower < s* <= upper.  None: not proved, or not asked.

    decoders: whether bounds on every decoder were asked for; interrupted: the search was, and this is what it had.
    """

    decoders: bool
    retained: int | None = None
    lower: float | None = None
    upper: float | None = None
    interrupted: bool = False
    notes: list[str] = field(default_factory=list)


def proved(rows: Rows, k: int, s: float, found: Witness | None, told: Told = lambda doing: None) -> Proved:
    """What can be proved; found: a witness, None where bounds on every decoder are not asked for.

    An interrupt ends the search and not the diagnosis: what was proved by then is what there is.
    """
    known, doing = Proved(found is not None), "the data were read"
    try:
        told("certifying: reading the data")
        subject = of_rows(rows)
        for doing, part in _parts(subject, k, s, found, told):
            _tried(known, doing, part)
    except KeyboardInterrupt:
        known.interrupted = True
        known.notes.append(f"not certified: interrupted while it was searched for: {doing}; what is said stands")
    except InputError as error:  # too many columns
        known.notes.append(f"not certified: {error}")
    if not {known.retained, known.lower, known.upper} <= {None}:
        known.notes.append(_MEANS)
    return known


def into(facts: Document, known: Proved) -> Document:
    """A diagnosis document with what is proved of it."""
    linear = {**facts["linear"], "certified": UNDECIDED if known.retained is None else CERTIFIED}
    if known.retained is not None:
        linear["retained"] = known.retained
    bounds = facts["any_decoder"]
    if bounds is not None:
        lower, upper = known.lower, known.upper
        status = {"lower": _status(lower), "upper": _status(upper)}
        bounds = {**bounds, "lower": bounds["lower"] if lower is None else lower, "upper": upper, "certified": status}
    return {**facts, "linear": linear, "any_decoder": bounds}


def _status(bound: float | None) -> str:
    return UNDECIDED if bound is None else CERTIFIED


Part = Callable[[Proved], object]


def _parts(subject: Subject, k: int, s: float, found: Witness | None, told: Told) -> Iterator[tuple[str, Part]]:
    """What is searched for, in words, and the search: fast ones first."""
    yield RETAINED, lambda known: _retained(known, subject, k, s)
    if found is not None:
        flint_missing = _missing()
        if flint_missing is not None:
            yield "bounds on every decoder", lambda known: _refused(flint_missing)
            return
        told("certifying: up to which noise some decoder beats collapse")
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


def _retained(known: Proved, subject: Subject, k: int, s: float) -> None:
    """At s as the double that it is and as the decimal that it is printed as: both have to come to the same."""
    found = {_retained_at(subject, k, level) for level in (decimal(s), Fraction(s))}
    if None in found or len(found) > 1:
        raise InputError("an eigenvalue lies on the noise, or too near to it")
    (known.retained,) = found


def _retained_at(subject: Subject, k: int, level: Fraction) -> int | None:
    """min(k, #{lam_j > level}), None where it is not proved: what lies on the level beyond the k-th does not matter."""
    statement, outcome = counts.count(subject, level)
    if outcome.status is Status.PROVED:
        return min(k, int(statement["above"]))
    statement, outcome = counts.optimum(subject, k, level)
    return int(statement["retained"]) if outcome.status is Status.PROVED else None


def _lower(known: Proved, subject: Subject, found: Witness) -> None:
    """The level of a witness, a little below its value."""
    if subject.rows is None or subject.rows.size > ENTRIES:
        raise InputError(f"this is proved of at most {ENTRIES} numbers, and these are {_shape(subject)}")
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
    if subject.N is None or subject.N > ROWS or subject.n > COLUMNS or subject.rows is None:
        most = f"{ROWS} rows of {COLUMNS} columns"
        raise InputError(f"this is searched for in at most {most}, and these are {_shape(subject)}")
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


def _shape(subject: Subject) -> str:
    return f"{subject.N} x {subject.n}"
