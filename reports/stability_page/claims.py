"""How the claims of a ledger rest on each other.

Notation   arrows: claim id -> the ids that it rests on, as the ledger has them; ground: those of them that are claims
           of the ledger, without circles; below: all that a claim rests on, through others too.
Main       entries, the claims with their links; ground, below, levels, needed.

A ledger comes from outside: an id may be named that no claim has, and claims may rest on each other in a circle.
"""

import re
from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

Document = dict[str, Any]
Arrows = dict[str, list[str]]
# What rests on such a claim is no better founded than it.
SHAKY = ("undecided", "broken")


def arrows(claims: Sequence[Document]) -> Arrows:
    """What each claim says that it rests on; nothing where that is no list of ids."""
    return {str(claim["id"]): _ids(claim.get("rests_on")) for claim in claims}


def _ids(value: Any) -> list[str]:
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


def anchors(claims: Sequence[Document]) -> dict[str, str]:
    """Where on the page each claim stands; an id that no address can hold is replaced by a number."""
    found: dict[str, str] = {}
    for number, claim in enumerate(claims, start=1):
        name = str(claim["id"])
        found.setdefault(name, f"claim-{name}" if re.fullmatch(r"[A-Za-z0-9._-]+", name) else f"claim_{number}")
    return found


def entries(claims: Sequence[Document]) -> list[Document]:
    """The claims, each with its place and its links to those that it rests on and that rest on it."""
    stated, place = arrows(claims), anchors(claims)
    under = below(ground(stated))
    verdict = {str(claim["id"]): str(claim["verdict"]) for claim in claims}
    carried: Arrows = {}
    for above, on in stated.items():
        for one in on:
            carried.setdefault(one, []).append(above)

    def link(name: str) -> Document:
        said = verdict.get(name)
        return {"id": name, "anchor": place.get(name), "verdict": said, "shaky": said in SHAKY}

    made, placed = [], set()
    for claim in claims:
        name = str(claim["id"])
        made.append(
            {
                **claim,
                "anchor": None if name in placed else place[name],  # an id given twice: the links lead to the first
                "rests_on": [link(one) for one in stated[name]],
                "carries": [link(one) for one in carried.get(name, [])],
                "through_others": [
                    link(one) for one in verdict if one in under[name] - set(stated[name]) and verdict[one] in SHAKY
                ],
            }
        )
        placed.add(name)
    return made
