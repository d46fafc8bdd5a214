"""The claims as their files declare them, steps and marks included: the ledger that they promise, without a run.

Main       promised, the ledger if every piece of evidence passed; places, which steps check what in
           docs/mathematics.md; checked_by, in words; refreshed, a text with these words in their places.

What a run finds may be less: a test may fail, or be skipped. More it cannot be.
"""

import importlib
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

from proofs.machinery.claims import Claim, EvidenceMark
from proofs.machinery.facts import FACTS
from proofs.machinery.judging import Evidence, weakest
from proofs.machinery.ledger import Document, ledger

# In docs/mathematics.md: the words between the two lines are written by `refreshed`.
LIST = re.compile(r"(<!-- checked by: (?P<place>[^>]*?) -->\n)(?P<words>.*?)(<!-- end -->)", re.DOTALL)
WIDTH = 118


def promised(folder: Path) -> Document:
    """The ledger of all claims below a folder of a package, as if every piece of evidence had passed."""
    claims: dict[str, Claim] = {}
    evidence: dict[str, list[Evidence]] = {}
    for path in sorted(folder.rglob("test_*.py")):
        name = ".".join(path.relative_to(folder.parent).with_suffix("").parts)
        for test, mark in _marks(name):
            if isinstance(mark.owner, Claim):
                claims.setdefault(mark.owner.id, mark.owner)
                evidence.setdefault(mark.owner.id, []).append(_passed(test, mark))
    entries = [(claims[id], evidence[id]) for id in claims]
    trusted = sorted({id for claim in claims.values() for id in claim.trusts if id in FACTS})
    return ledger(entries, facts=[(FACTS[id], []) for id in trusted], environment={}, complete=False, whole=True)


def _marks(module: str) -> Iterator[tuple[str, EvidenceMark]]:
    for name, value in vars(importlib.import_module(module)).items():
        mark = getattr(value, "evidence_mark", None)
        if name.startswith("test") and isinstance(mark, EvidenceMark):
            yield f"{module}::{name}", mark


def _passed(test: str, mark: EvidenceMark) -> Evidence:
    return Evidence(test, mark.role, mark.kind, mark.strength, "passed", mark.step, rejections=1)


def places(document: Document) -> dict[str, list[tuple[Document, Document]]]:
    """By place in docs/mathematics.md: the claims and their steps that check it, in the order of the ledger."""
    found: dict[str, list[tuple[Document, Document]]] = {}
    for claim in document["claims"]:
        for step in claim["steps"]:
            for place in step["place"]:
                found.setdefault(place, []).append((claim, step))
    return found


def checked_by(checks: list[tuple[Document, Document]]) -> str:
    """Which steps check a statement, by claim and strength; and the weakest of them."""
    by_claim: dict[str, dict[str, list[str]]] = {}
    for claim, step in checks:
        by_claim.setdefault(claim["id"], {}).setdefault(str(step["strength"]), []).append(step["id"])
    listed = []
    for id, found in by_claim.items():
        parts = [f"{strength}: {', '.join(steps)}" for strength, steps in found.items()]
        listed.append(f"`{id}` ({'; '.join(parts)})")
    whole = weakest(step["strength"] for _, step in checks)
    return f"*Checked by* {', '.join(listed)}. Weakest: **{whole}**."


def refreshed(text: str, document: Document) -> str:
    """A text whose lists "checked by" are those of the ledger.  KeyError: a list for a place that no step names."""
    found = places(document)

    def written(match: re.Match[str]) -> str:
        words = checked_by(found[match["place"]])
        return f"{match[1]}{textwrap.fill(words, WIDTH, break_long_words=False, break_on_hyphens=False)}\n{match[4]}"

    return LIST.sub(written, text)


def main() -> None:
    """Write the lists of docs/mathematics.md anew."""
    proofs = Path(__file__).resolve().parents[1]
    path = proofs.parent / "docs" / "mathematics.md"
    path.write_text(refreshed(path.read_text(encoding="utf-8"), promised(proofs)), encoding="utf-8")


if __name__ == "__main__":
    main()
