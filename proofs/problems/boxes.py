"""Statements on boxes, searched for and checked: what certificate evidence is made of.

Main       outcome_on, check_holds.
Reference  docs/mathematics.md, 13.3.
"""

from collections.abc import Sequence

import pytest

from proofs.machinery.checks import same
from verify.certify.checker.functions import check
from verify.certify.checker.outcome import Outcome, Status
from verify.certify.propose.boxes import statement


def outcome_on(name: str, sign: str, box: Sequence[tuple[str, str]], leaves: int = 4000) -> Outcome:
    """What the checker makes of the tree that the search proposes.  The test is skipped without python-flint."""
    pytest.importorskip("flint")
    return check(statement(name, sign, box, leaves))


def check_holds(outcome: Outcome) -> None:
    """Disagreement unless it is proved."""
    same(outcome.status, Status.PROVED)
