"""A certificate: statements about one subject, each with its evidence; what becomes of each is decided here.

Notation   {"format": "elbo-verify certificate", "version": 1, "subject": {"sha256", "n", "N"}, "statements":
           [{"kind", ...}]}; docs/certificates.md has every kind.
Main       check, KINDS.
"""

from collections.abc import Callable
from typing import Any

from verify.certify.checker import counts, stationary
from verify.certify.checker.outcome import Outcome
from verify.certify.checker.subject import Subject
from verify.errors import InputError

FORMAT, VERSION = "elbo-verify certificate", 1
Check = Callable[[dict[str, Any], Subject], Outcome]
# What a statement of each kind is checked by; each raises InputError where it is malformed.
KINDS: dict[str, Check] = {
    "stationary": stationary.check,
    "inertia": stationary.check,
    "saddle": stationary.check,
    "count": counts.check_count,
    "eigenvalues": counts.check_eigenvalues,
    "optimum": counts.check_optimum,
}


def check(certificate: Any, subject: Subject) -> list[Outcome]:
    """What becomes of each statement.  Raises InputError: no certificate, of another version, or of other data."""
    try:
        form, version, about = certificate["format"], certificate["version"], certificate["subject"]
        statements = certificate["statements"]
        found = (about["sha256"], about["n"], about["N"])
    except (TypeError, KeyError):
        raise InputError("no certificate: it lacks its format, version, subject or statements") from None
    if (form, version) != (FORMAT, VERSION):
        raise InputError(f"format {form!r}, version {version!r}: this checker reads {FORMAT!r}, version {VERSION}")
    if found != (subject.sha256, subject.n, subject.N):
        raise InputError("the certificate speaks of other data: their hash differs")
    if not isinstance(statements, list) or not statements:
        raise InputError("the certificate states nothing")
    return [_checked(i, statement, subject) for i, statement in enumerate(statements, start=1)]


def _checked(i: int, statement: Any, subject: Subject) -> Outcome:
    kind = statement.get("kind") if isinstance(statement, dict) else None
    if not isinstance(kind, str) or kind not in KINDS:
        raise InputError(f"statement {i}: no kind of statement: {str(kind)[:40]!r}")
    try:
        return KINDS[kind](statement, subject)
    except InputError as error:
        raise InputError(f"statement {i} ({kind}): {error}") from None
