"""Which claims rest on which, and where the map has them: against definitions on random graphs, and by hand."""

import random
import re
from itertools import pairwise

import pytest

from reports.stability_page.claim_map import BEND, FILLED, claim_map
from reports.stability_page.claims import anchors, below, ground, levels, needed


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


def as_claims(arrows):
    return [{"id": name, "verdict": "holds", "rests_on": on} for name, on in arrows.items()]


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


@pytest.mark.parametrize("seed", range(20))
def test_the_map_draws_each_needed_arrow_and_keeps_claims_apart(seed):
    arrows = graph(seed) | {"alone": []}
    found = claim_map(as_claims(arrows))
    nodes = {node["id"]: node for level in found["levels"] for node in level}
    joined = {name for name, on in arrows.items() if on or any(name in other for other in arrows.values())}
    assert set(nodes) == joined and found["others"] == len(arrows) - len(joined) >= 1
    by_number = {str(node["end"]): name for name, node in nodes.items()}
    drawn = sorted(tuple(by_number[end] for end in line["ends"].split()) for line in found["lines"])
    assert drawn == sorted((one, name) for name, on in needed(arrows).items() for one in on)
    for level in found["levels"]:
        heights = [node["y"] * found["rows"] / 100 for node in level]
        assert all(lower - upper >= 1 - 1e-9 for upper, lower in pairwise(heights))  # a row each; rounding of doubles
    assert all(0 <= node["y"] <= 100 and 0 <= node["x"] <= 100 for node in nodes.values())


def test_lines_start_and_end_at_their_claims():
    found = claim_map(as_claims({"a": [], "b": ["a"], "c": ["b"], "d": ["c"], "e": [], "f": ["e", "d"]}))
    nodes = {str(node["end"]): node for level in found["levels"] for node in level}
    for line in found["lines"]:
        numbers = [float(n) for n in re.findall(r"-?\d+\.\d+", line["path"])]
        one, name = (nodes[end] for end in line["ends"].split())
        start = (one["x"] / 100 * found["width"] + 100 * FILLED, one["y"] / 100 * found["height"])
        end = (name["x"] / 100 * found["width"], name["y"] / 100 * found["height"])
        assert tuple(numbers[:2]) == pytest.approx(start, abs=0.06)  # printed to 0.1
        assert tuple(numbers[-2:]) == pytest.approx(end, abs=0.06)
    assert sum(line["path"].count("h") for line in found["lines"]) == 3  # e to f passes three columns
    assert BEND < 1


def test_a_crossing_that_need_not_be_is_not_drawn():
    found = claim_map(as_claims({"a": [], "b": [], "c": ["b"], "d": ["a"]}))
    first, second = ([node["id"] for node in level] for level in found["levels"])
    assert [{"d": "a", "c": "b"}[name] for name in second] == first


def test_without_arrows_there_is_no_map():
    assert claim_map(as_claims({"a": [], "b": ["x"]})) is None and claim_map([]) is None
