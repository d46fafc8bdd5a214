"""The ledger as text: readable at 100 columns, without colour, and without the JSON.

Main       lines; weakest_link, at_fault and ours, of one claim of the document, for pages too.
"""

import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from proofs.machinery.claims import FAULTS, STRENGTHS
from proofs.machinery.judging import AT_FAULT, VERDICTS
from proofs.machinery.ledger import printable

WIDTH = 100
COLUMNS = "  {:<22} {:<21} {:<9} {:>5} {:>6} {:>11}  {}"
Document = dict[str, Any]


def lines(document: Document) -> Iterator[str]:
    """A ledger document as lines of at most WIDTH characters: a table by section, then the totals."""
    for line in _lines(document):
        yield _cut(printable(" ".join(line.splitlines())))


def _lines(document: Document) -> Iterator[str]:
    strengths = {claim["id"]: claim["strength"] for claim in document["claims"]}
    for section, claims in groupby(document["claims"], key=lambda claim: claim["section"]):
        yield section or "Claims"
        yield COLUMNS.format("claim", "verdict", "strength", "steps", "tests", "worst error", "source").rstrip()
        for claim in claims:
            yield from _claim(claim, strengths)
        yield ""
    yield from _totals(document)


def weakest_link(claim: Document, strengths: Mapping[str, str | None]) -> str:
    """What keeps a claim from being proved: "step x, tested", or "rests on y, tested"; "" where nothing does.

    strengths: of all claims of the ledger, by id. Its own steps come first: they can be mended in its own file.
    """
    strength = claim.get("strength")
    if strength not in STRENGTHS[:-1]:
        return ""
    steps = [str(step.get("id")) for step in _list(claim, "steps") if step.get("strength") == strength]
    if steps:
        return f"{'step' if len(steps) == 1 else 'steps'} {', '.join(steps)}, {strength}"
    on = claim.get("rests_on")
    named = dict.fromkeys(id for id in on if isinstance(id, str)) if isinstance(on, list) else ()
    below = [id for id in named if strengths.get(id) == strength]
    return f"rests on {', '.join(below)}, {strength}" if below else ""


def at_fault(claim: Document) -> str | None:
    """The kind of fault of a claim that does not hold as printed, "" where none is named; None where it holds."""
    if claim.get("verdict") not in AT_FAULT:
        return None
    return kind if (kind := claim.get("kind_of_fault")) in FAULTS else ""


def ours(claim: Document) -> bool:
    """Whether nobody but us makes the claim: its source says so, and then where in the paper it belongs."""
    return str(claim.get("source") or "").startswith("ours")


def _list(document: Document, name: str) -> list[Document]:
    """A list of documents; none where the ledger has something else in its place, or nothing."""
    value = document.get(name)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _claim(claim: Document, strengths: Mapping[str, str | None]) -> Iterator[str]:
    """One row of the table, and below it what it rests on, its weakest link, what is wrong with the printed form."""
    passed = sum(evidence["outcome"] == "passed" for evidence in claim["evidence"])
    error = "-" if claim["worst_error"] is None else f"{claim['worst_error']:.1e}"
    row = (
        claim["id"],
        claim["verdict"],
        claim["strength"] or "-",
        str(len(claim["steps"]) or "-"),
        f"{passed}/{len(claim['evidence'])}",
        error,
    )
    yield COLUMNS.format(*row, claim["source"]).rstrip()
    if claim["rests_on"]:
        yield from _note(f"rests on: {', '.join(claim['rests_on'])}")
    if claim["trusts"]:
        yield from _note(f"trusts: {', '.join(claim['trusts'])}")
    if weak := weakest_link(claim, strengths):
        yield from _note(f"weakest: {weak}")
    if (kind := at_fault(claim)) is not None:
        yield from _fault(claim, kind)
    elif claim["finding"]:
        yield from _note(f"found: {claim['finding']}")
    for reason in claim["reasons"]:
        yield from _note(reason)


def _fault(claim: Document, kind: str) -> Iterator[str]:
    """The kind of fault with what holds instead, and the witnesses."""
    if claim["finding"]:
        yield from _note(f"{kind or 'not as printed'}; what holds: {claim['finding']}")
    # The correction has witnesses of its own at times; what refutes the printed form comes first.
    for role in ("refutes", "corrected"):
        seen = [e["witness"] for e in claim["evidence"] if e["role"] == role and e["outcome"] == "passed"]
        for witness in filter(None, dict.fromkeys(seen)):
            yield from _note(f"{'witness' if role == 'refutes' else 'corrected'}: {witness}")


def _totals(document: Document) -> Iterator[str]:
    claims = document["claims"]
    verdicts = Counter(claim["verdict"] for claim in claims)
    counts = ", ".join(f"{verdicts[verdict]} {verdict}" for verdict in VERDICTS if verdicts[verdict])
    yield f"{len(claims)} {'claim' if len(claims) == 1 else 'claims'}: {counts or 'none was put to the test'}"
    if own := Counter(claim["verdict"] for claim in claims if ours(claim)):
        papers = verdicts - own
        for whose, some in (("of the paper", papers), ("ours", own)):
            said = ", ".join(f"{some[verdict]} {verdict}" for verdict in VERDICTS if some[verdict])
            yield f"  {whose}, {some.total()}: {said or 'none'}"
    if claims:
        strengths = Counter(claim["strength"] for claim in claims)
        found = [f"{strengths[one]} {one}" for one in reversed(STRENGTHS) if strengths[one]]
        found += [f"{strengths[None]} without"] if strengths[None] else []
        yield f"  strength, of the weakest link of each: {', '.join(found)}"
    faults = Counter(kind for claim in claims if (kind := at_fault(claim)) is not None)
    if faults:
        yield f"  not as printed: {', '.join(_counted(kind, faults[kind]) for kind in (*FAULTS, '') if faults[kind])}"
    if facts := document["facts"]:
        names = ", ".join(fact["id"] for fact in facts)
        yield from _note(f"{len(facts)} standard {'fact' if len(facts) == 1 else 'facts'} trusted: {names}", indent=2)
    skips = Counter(e["reason"] for claim in claims for e in claim["evidence"] if e["outcome"] == "skipped")
    for reason, count in skips.items():
        yield from _note(f"{count} {'piece' if count == 1 else 'pieces'} of evidence skipped: {reason}", indent=2)
    for file in document["skipped"]:
        yield from _note(f"a whole file skipped: {file}", indent=2)
    for error in document["errors"]:
        yield from _note(f"error outside any claim: {error}", indent=2)
    if not document["complete"]:
        yield "  a partial run: each verdict speaks only for the evidence that was run"


_MANY = {"misprint": "misprints", "missing hypothesis": "missing hypotheses", "false": "false", "": "of no kind named"}


def _counted(kind: str, count: int) -> str:
    """How many faults of a kind: "1 misprint", "2 missing hypotheses", "3 false"."""
    return f"{count} {(kind if count == 1 else '') or _MANY[kind]}"


def _note(text: str, indent: int = 6) -> list[str]:
    pad = " " * indent
    return textwrap.wrap(text, WIDTH, initial_indent=pad, subsequent_indent=pad + "  ")


def _cut(line: str) -> str:
    return line if len(line) <= WIDTH else line[: WIDTH - 3] + "..."
