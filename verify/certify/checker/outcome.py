"""What a check comes to: proved, refuted, or undecided with a reason; never a bool.

Main       Outcome; proved, refuted, undecided.
"""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """PROVED and REFUTED are final; UNDECIDED says nothing about the statement."""

    PROVED = "proved"
    REFUTED = "refuted"
    UNDECIDED = "undecided"

    def __bool__(self) -> bool:
        raise TypeError("a status is proved, refuted or undecided, and no bool; compare it with one of these")


@dataclass(frozen=True)
class Outcome:
    """A status, and in words what decided it or what was in the way."""

    status: Status
    reason: str

    def __bool__(self) -> bool:
        raise TypeError("an outcome is proved, refuted or undecided, and no bool; ask for its status")


def proved(reason: str) -> Outcome:
    """The statement holds, in exact arithmetic."""
    return Outcome(Status.PROVED, reason)


def refuted(reason: str) -> Outcome:
    """The statement is false, in exact arithmetic."""
    return Outcome(Status.REFUTED, reason)


def undecided(reason: str) -> Outcome:
    """The evidence does not decide the statement."""
    return Outcome(Status.UNDECIDED, reason)
