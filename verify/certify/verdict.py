"""The whole verdict at one noise as one certificate: what is proposed, kind by kind, and what of it the checker proves.

Notation   k latents; sigma2 the noise, beta the weight of the KL: exact numbers; s = beta sigma2.
Main       Asked, PARTS, certificate.
Reference  docs/certificates.md.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from verify.certify.checker.certificate import FORMAT, VERSION
from verify.certify.checker.outcome import Outcome
from verify.certify.checker.subject import Subject

Statement = dict[str, Any]
Stated = list[tuple[Statement, Outcome]]


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


@dataclass(frozen=True)
class Part:
    """What is done, in words; applies: None, or why it is left out; proposed: statements and what came of each."""

    doing: str
    applies: Callable[[Subject, Asked], str | None]
    proposed: Callable[[Subject, Asked], Stated]


PARTS: tuple[Part, ...] = ()


def certificate(subject: Subject, statements: list[Statement]) -> dict[str, Any]:
    """The certificate of these statements, without what says who made it and where the data lie."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "subject": {"sha256": subject.sha256, "n": subject.n, "N": subject.N},
        "statements": statements,
    }
