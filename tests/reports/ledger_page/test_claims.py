"""Which claims rest on which, against definitions on random graphs; what a page is told of each of them."""

import random

import pytest

from reports.ledger_page.claims import anchors, below, entries, facts, ground, kinds_of_fault, levels, needed


def graph(seed, size=14, circles=False):
    rng = random.Random(seed)
    names = [f"c{i}" for i in range(size)]
    return {
        name: [other for other in names if (circles or other < name) and other != name and rng.random() < 0.25]
        for name in sorted(names)
    }


def reached(arrows, start):
    """All that can be reached, by walking."""
    found, ahead = set(), list(arrows[start])
    while ahead:
        if (one := ahead.pop()) not in found:
            found.add(one)
            ahead += arrows[one]
    return found


@pytest.mark.parametrize("seed", range(20))
def test_what_lies_below_and_what_is_needed(seed):
    arrows = graph(seed)
    assert ground(arrows) == arrows
    assert below(arrows) == {name: reached(arrows, name) for name in arrows}
    fewer = needed(arrows)
    assert below(fewer) == below(arrows)  # nothing is lost,
    for name, on in fewer.items():  # and nothing can be spared
        for one in on:
            without = {**fewer, name: [other for other in on if other != one]}
            assert one not in reached(without, name)


@pytest.mark.parametrize("seed", range(20))
def test_levels_are_longest_paths(seed):
    arrows = graph(seed)
    level = levels(arrows)
    for name, on in arrows.items():
        assert level[name] == (max(level[one] for one in on) + 1 if on else 0)


@pytest.mark.parametrize("seed", range(20))
def test_circles_are_opened_and_no_more_than_that(seed):
    arrows = graph(seed, circles=True)
    kept = ground(arrows)
    assert not any(name in reached(kept, name) for name in kept)
    assert any(name in reached(arrows, name) for name in arrows)  # there were some
    for name, on in arrows.items():
        for one in set(on) - set(kept[name]):
            # Put back, it would close a circle.
            assert name in reached({**arrows, **kept}, one) or name in reached(arrows, one)


def test_arrows_that_lead_nowhere_are_left_out():
    assert ground({"a": ["b", "a", "x"], "b": []}) == {"a": ["b"], "b": []}


def test_addresses_differ_and_hold_no_spaces():
    names = ["eq-1", "eq 1", "2", "no-3", "", "eq-1"]
    found = anchors([{"id": name} for name in names])
    assert found["eq-1"] == "claim-eq-1" and found["eq 1"] == "claim_2"
    assert len(set(found.values())) == len(found) == 5 and not any(" " in place for place in found.values())


def claim(name="a", **fields):
    return {"id": name, "verdict": "holds", "strength": "tested", "evidence": [], **fields}


def said(step, role="supports", outcome="passed"):
    return {"test": f"test_{role}", "step": step, "role": role, "outcome": outcome}


def test_a_step_shows_what_speaks_for_it_and_not_what_does_not():
    evidence = [said("s"), said("s", "control"), said("s", outcome="failed"), said("other", "refutes")]
    steps = [{"id": "s", "strength": "tested", "rejections": 3, "place": ["Lemma 1"]}, {"id": "other"}]
    one, other = entries([claim(steps=steps, evidence=evidence)])[0]["steps"]
    assert (one["tests"], one["false"], one["against"], one["places"]) == (["test_supports"], 3, False, ["Lemma 1"])
    assert (other["tests"], other["false"], other["against"]) == (["test_refutes"], 0, True)


@pytest.mark.parametrize(
    "nonsense", [None, 7, "abc", {"id": "s"}, [7, None, {}, {"statement": "s"}], [["id"]]], ids=repr
)
def test_what_is_no_list_of_steps_or_facts_is_none(nonsense):
    made = entries([claim(steps=nonsense, trusts=nonsense if nonsense != "abc" else None)])[0]
    assert made["steps"] == [] and made["trusts"] == []
    assert facts({"claims": [claim()], "facts": nonsense}) == [] or nonsense == {"id": "s"}


def test_facts_name_who_trusts_them_and_whether_their_own_tests_failed():
    document = {
        "claims": [claim("a", trusts=["svd"]), claim("b", trusts=["svd", "x"]), claim("c")],
        "facts": [
            {"id": "svd", "statement": "W = U K R", "reference": "a book", "evidence": [said("", outcome="failed")]},
            {"id": "a b", "evidence": [said("")]},
        ],
    }
    one, other = facts(document)
    assert [user["id"] for user in one["trusted_by"]] == ["a", "b"]
    assert (one["anchor"], one["failed"], one["checks"]) == ("fact-svd", True, 1)
    assert (other["anchor"], other["failed"], other["trusted_by"]) == ("fact_2", False, [])
    trusting = entries(document["claims"], facts(document))[1]["trusts"]
    assert trusting == [{"id": "svd", "anchor": "fact-svd"}, {"id": "x", "anchor": None}]


def test_kinds_of_fault_are_counted_where_the_verdict_says_that_there_is_one():
    def at_fault(verdict, kind):
        return claim(verdict=verdict, kind_of_fault=kind)

    claims = [
        at_fault("refuted", "false"),
        at_fault("holds with correction", "misprint"),
        at_fault("holds with correction", "misprint"),
        at_fault("holds with correction", None),
        at_fault("broken", "missing hypothesis"),
        claim(),
    ]
    assert kinds_of_fault(claims) == [("misprint", 2), ("false", 1), ("", 1)]
