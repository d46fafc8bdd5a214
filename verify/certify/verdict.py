"""The whole verdict at one noise as one certificate: what is proposed, kind by kind, and what of it the checker proves.

Notation   k latents; sigma2 the noise, beta the weight of the KL: exact numbers; s = beta sigma2.
Main       stated, certificate; PARTS.
Reference  docs/certificates.md.
"""

from collections.abc import Callable, Iterator
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


def stated(subject: Subject, asked: Asked) -> Iterator[tuple[str, Callable[[], Stated], str | None]]:
    """Of each part what is done, the function that does it, and why it is left out, None where it is not."""
    for part in PARTS:
        yield part.doing, lambda part=part: part.proposed(subject, asked), part.applies(subject, asked)


def certificate(subject: Subject, source: Any, maker: str, statements: list[Statement]) -> dict[str, Any]:
    """The certificate of these statements, not yet sealed."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "made_by": maker,
        "source": source,
        "subject": {"sha256": subject.sha256, "n": subject.n, "N": subject.N},
        "statements": statements,
    }
