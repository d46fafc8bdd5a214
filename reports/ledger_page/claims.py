"""The claims of a ledger with their links, their steps and their faults; how they rest on each other.

Notation   arrows: id -> the ids that it rests on, as the ledger has them; ground: those of them that are in the ledger,
           without circles; below: all that a claim rests on, through others too.
Main       entries, facts, with their links; ground, below, levels, needed.

A ledger comes from outside: an id may be named that no claim has, claims may rest on each other in a circle, and what
should be a list may be none.
"""

import re
from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

from proofs.machinery.claims import FAULTS
from proofs.machinery.summary import at_fault, weakest_link

Document = dict[str, Any]
Arrows = dict[str, list[str]]
# What rests on such a claim is no better founded than it.
SHAKY = ("undecided", "broken")


def arrows(claims: Sequence[Document]) -> Arrows:
    """What each claim says that it rests on; nothing where that is no list of ids."""
    return {str(claim["id"]): ids(claim.get("rests_on")) for claim in claims}


def ids(value: Any) -> list[str]:
    """The ids of a list, each once; nothing where it is none."""
    named = value if isinstance(value, list) else []
    return list(dict.fromkeys(one for one in named if isinstance(one, str) and one))


def ground(stated: Arrows) -> Arrows:
    """The arrows that lead to a claim; of those in a circle one is left out."""
    kept = {claim: [one for one in on if one in stated and one != claim] for claim, on in stated.items()}
    while True:
        try:
            TopologicalSorter(kept).prepare()
        except CycleError as error:
            first, second = error.args[1][:2]  # the second rests on the first
            kept[second].remove(first)
        else:
            return kept


def below(founded: Arrows) -> dict[str, set[str]]:
    """All that each claim rests on."""
    found: dict[str, set[str]] = {}
    for claim in TopologicalSorter(founded).static_order():
        found[claim] = set(founded[claim]).union(*(found[one] for one in founded[claim]))
    return found


def levels(founded: Arrows) -> dict[str, int]:
    """0 for what rests on nothing; else one more than the highest that it rests on."""
    level: dict[str, int] = {}
    for claim in TopologicalSorter(founded).static_order():
        level[claim] = 1 + max((level[one] for one in founded[claim]), default=-1)
    return level


def needed(founded: Arrows) -> Arrows:
    """The arrows that do not follow from others."""
    under = below(founded)
    return {claim: [one for one in on if not any(one in under[other] for other in on)] for claim, on in founded.items()}


def anchors(things: Sequence[Document], kind: str = "claim") -> dict[str, str]:
    """Where on the page each stands; an id that no address can hold is replaced by a number."""
    found: dict[str, str] = {}
    for number, thing in enumerate(things, start=1):
        name = str(thing["id"])
        found.setdefault(name, f"{kind}-{name}" if re.fullmatch(r"[A-Za-z0-9._-]+", name) else f"{kind}_{number}")
    return found


def listed(value: Any) -> list[Document]:
    """The documents of a list that have an id; nothing where it is none."""
    return [one for one in value if isinstance(one, dict) and "id" in one] if isinstance(value, list) else []


def entries(claims: Sequence[Document], trusted: Sequence[Document] = ()) -> list[Document]:
    """The claims, each with its place, its steps, and its links to what it uses and to what uses it.

    `trusted`: the standard facts of the ledger.
    """
    stated, place, at = arrows(claims), anchors(claims), anchors(trusted, "fact")
    under = below(ground(stated))
    verdict = {str(claim["id"]): str(claim["verdict"]) for claim in claims}
    strengths = {str(claim["id"]): claim.get("strength") for claim in claims}
    carried: Arrows = {}
    for above, on in stated.items():
        for one in on:
            carried.setdefault(one, []).append(above)

    def link(name: str) -> Document:
        said = verdict.get(name)
        return {"id": name, "anchor": place.get(name), "verdict": said, "shaky": said in SHAKY}

    made, done = [], set()
    for claim in claims:
        name = str(claim["id"])
        made.append(
            {
                **claim,
                "anchor": None if name in done else place[name],  # an id given twice: the links lead to the first
                "rests_on": [link(one) for one in stated[name]],
                "carries": [link(one) for one in carried.get(name, [])],
                "through_others": [
                    link(one) for one in verdict if one in under[name] - set(stated[name]) and verdict[one] in SHAKY
                ],
                "trusts": [{"id": one, "anchor": at.get(one)} for one in ids(claim.get("trusts"))],
                "steps": [_step(step, claim) for step in listed(claim.get("steps"))],
                "fault": at_fault(claim),
                "weakest": weakest_link(claim, strengths),
            }
        )
        done.add(name)
    return made


def _step(step: Document, claim: Document) -> Document:
    """A step with what speaks for it; `false`: how many false statements its tests refused."""
    said = [e for e in claim.get("evidence", []) if isinstance(e, dict) and e.get("step") == step["id"]]
    speaks = [e for e in said if e.get("role") != "control" and e.get("outcome") == "passed"]
    seen = step.get("rejections")
    return {
        "id": str(step["id"]),
        "statement": str(step.get("statement") or ""),
        "argument": str(step.get("argument") or ""),
        "strength": step.get("strength"),
        "places": ids(step.get("place")),
        "tests": [str(e.get("test") or "") for e in speaks],
        "against": any(e.get("role") == "refutes" for e in speaks),
        "false": seen if isinstance(seen, int) and not isinstance(seen, bool) else 0,
    }


def facts(document: Document) -> list[Document]:
    """The standard facts of a ledger, each with its place, the claims that trust it, and whether its tests passed."""
    claims, trusted = document["claims"], listed(document.get("facts"))
    place, own = anchors(claims), anchors(trusted, "fact")
    made, done = [], set()
    for fact in trusted:
        name = str(fact["id"])
        users = [str(claim["id"]) for claim in claims if name in ids(claim.get("trusts"))]
        outcomes = [e.get("outcome") for e in fact.get("evidence") or [] if isinstance(e, dict)]
        made.append(
            {
                "id": name,
                "anchor": None if name in done else own[name],
                "statement": str(fact.get("statement") or ""),
                "reference": str(fact.get("reference") or ""),
                "trusted_by": [{"id": one, "anchor": place[one], "shaky": False} for one in dict.fromkeys(users)],
                "checks": len(outcomes),
                "failed": "failed" in outcomes,
            }
        )
        done.add(name)
    return made


def kinds_of_fault(claims: Sequence[Document]) -> list[tuple[str, int]]:
    """How many claims do not hold as printed, for each kind of fault that there is; "" for those without a kind."""
    found = [at_fault(claim) for claim in claims]
    return [(kind, found.count(kind)) for kind in (*FAULTS, "") if kind in found]
