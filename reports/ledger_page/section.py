"""What a page's section on the claims shows, from a ledger: counts, the blueprint, the claims, the standard facts.

Main       section; conclusion, the sentence that a test's name is.
"""

from collections import Counter
from itertools import groupby
from typing import Any

from proofs.machinery.claims import STRENGTHS
from proofs.machinery.judging import VERDICTS
from proofs.machinery.ledger import notes
from reports.ledger_page.claims import entries, facts, kinds_of_fault
from reports.ledger_page.picture import blueprint

Document = dict[str, Any]
# What each kind of fault is called where faults are counted: one, several.
FAULT_WORDS = {
    "misprint": ("a misprint", "misprints"),
    "missing hypothesis": ("lacks a hypothesis", "lack a hypothesis"),
    "false": ("false", "false"),
    "": ("with a fault of no kind named", "with faults of no kind named"),
}


def section(document: Document) -> Document:
    """A ledger as the template has it.  What may be missing in an older one, or nonsense in somebody's, is left out."""
    claims = document["claims"]
    shown = entries(claims, trusted := facts(document))
    verdicts = Counter(str(claim["verdict"]) for claim in claims)
    strengths = Counter(str(claim.get("strength")) for claim in claims)
    return {
        "sections": [(name or "Claims", list(found)) for name, found in groupby(shown, _section)],
        "counts": [(verdict, verdicts[verdict]) for verdict in VERDICTS if verdicts[verdict]],
        "strengths": [(one, strengths[one]) for one in reversed(STRENGTHS) if strengths[one]],
        "open": len(claims) - sum(strengths[one] for one in STRENGTHS),
        "faults": [(kind, count, FAULT_WORDS[kind][count > 1]) for kind, count in kinds_of_fault(claims)],
        "at_fault": sum(count for _, count in kinds_of_fault(claims)),
        "total": len(claims),
        "stepped": any(claim["steps"] for claim in shown),
        "blueprint": blueprint(document),
        "facts": trusted,
        "notes": _notes(document),
        "environment": document.get("environment", {}),
    }


def _notes(document: Document) -> list[str]:
    """What the ledger notes itself; of one that holds no notes, what they would be."""
    given = {"complete": True, "errors": [], "skipped": []}
    known = [document.get(name, usual) for name, usual in given.items()]
    return [str(note) for note in document["notes"]] if isinstance(document.get("notes"), list) else notes(*known)


def _section(claim: Document) -> str:
    return str(claim.get("section") or "")


def conclusion(test: str) -> str:
    """A test's id as the sentence that its name is."""
    return test.rpartition("::")[2].removeprefix("test_").replace("_", " ")
