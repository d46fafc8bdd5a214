"""A certificate: statements about one subject, each with its evidence; what becomes of each is decided here.

Notation   {"format": "elbo-verify certificate", "version": 1, "subject": {"sha256", "n", "N"}, "statements":
           [{"kind", ...}]}; docs/certificates.md has every kind.
Main       check, KINDS; header, which knows a certificate of this version.
"""

from collections.abc import Callable, Mapping
from typing import Any

from verify.certify.checker import counts, decoder, functions, stationary
from verify.certify.checker.outcome import Outcome
from verify.certify.checker.subject import Subject
from verify.errors import InputError

FORMAT, VERSION = "elbo-verify certificate", 1
MOST = 1000  # statements
Check = Callable[[dict[str, Any], Subject], Outcome]
# What arithmetic raises on nonsense that got past the reading: malformed as well, and never proved.
_NONSENSE = (ArithmeticError, LookupError, TypeError, ValueError, AttributeError, RecursionError)
# What a statement of each kind is checked by; each raises InputError where it is malformed.
KINDS: dict[str, Check] = {
    "count": counts.check_count,
    "eigenvalues": counts.check_eigenvalues,
    "optimum": counts.check_optimum,
    "stationary": stationary.check,
    "inertia": stationary.check,
    "saddle": stationary.check,
    "box": functions.check,
    "witness": decoder.witness,
    "every decoder": decoder.every_decoder,
}


def header(certificate: Any) -> None:
    """Raises InputError: no certificate, or one of another version."""
    if not isinstance(certificate, dict) or certificate.get("format") != FORMAT:
        raise InputError(f'no certificate: a JSON object with "format": "{FORMAT}" is one')
    if type(version := certificate.get("version")) is not int or version != VERSION:
        raise InputError(f"a certificate of version {str(version)[:20]!r}: this checker reads version {VERSION}")


def check(certificate: Any, subject: Subject, kinds: Mapping[str, Check] = KINDS) -> list[Outcome]:
    """What becomes of each statement.  Raises InputError: no certificate, of another version, or of other data."""
    header(certificate)
    try:
        about, statements = certificate["subject"], certificate["statements"]
        found = (about["sha256"], about["n"], about["N"])
    except (TypeError, KeyError):
        raise InputError("the certificate lacks its subject (sha256, n, N) or its statements") from None
    if found != (subject.sha256, subject.n, subject.N):
        raise InputError("the certificate speaks of other data: their hash differs")
    if not isinstance(statements, list) or not 1 <= len(statements) <= MOST:
        raise InputError(f"a certificate states something, and at most {MOST} things")
    return [_checked(i, statement, subject, kinds) for i, statement in enumerate(statements, start=1)]


def _checked(i: int, statement: Any, subject: Subject, kinds: Mapping[str, Check]) -> Outcome:
    kind = statement.get("kind") if isinstance(statement, dict) else None
    if not isinstance(kind, str) or kind not in kinds:
        raise InputError(f"statement {i}: no kind of statement: {str(kind)[:40]!r}")
    try:
        return kinds[kind](statement, subject)
    except InputError as error:
        raise InputError(f"statement {i} ({kind}): {error}") from None
    except KeyError as error:
        raise InputError(f"statement {i} ({kind}): it has no {str(error)[:40]}") from None
    except _NONSENSE as error:
        raise InputError(
            f"statement {i} ({kind}): malformed, something in it is of another type or size ({str(error)[:80]})"
        ) from None
