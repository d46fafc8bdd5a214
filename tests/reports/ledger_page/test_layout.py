"""Where nodes and lines stand: what must hold of any layout, on random graphs, and small ones by hand."""

import re
from itertools import combinations

import pytest

from reports.ledger_page.claims import needed
from reports.ledger_page.layout import APART, placed
from tests.reports.ledger_page.test_claims import graph


def sizes(lines):
    """Widths and heights that differ."""
    return {name: (40.0 + 7 * (i % 5), 20.0 + 6 * (i % 3)) for i, name in enumerate(lines)}


@pytest.mark.parametrize("seed", range(20))
def test_nodes_stand_apart_and_right_of_what_they_rest_on(seed):
    lines = needed(graph(seed))
    plan = placed(lines, sizes(lines))
    assert set(plan.nodes) == set(lines)
    for name, on in lines.items():
        for one in on:
            assert plan.nodes[one].x + plan.nodes[one].width < plan.nodes[name].x
    for one, other in combinations(plan.nodes.values(), 2):
        upper, lower = sorted((one, other), key=lambda box: box.y)
        beside = one.x + one.width < other.x or other.x + other.width < one.x
        assert beside or lower.y - (upper.y + upper.height) >= APART - 1e-6  # rounding of doubles
    assert all(box.x >= 0 and box.x + box.width <= plan.width + 1e-6 for box in plan.nodes.values())
    assert all(box.y >= 0 and box.y + box.height <= plan.height + 1e-6 for box in plan.nodes.values())


@pytest.mark.parametrize("seed", range(20))
def test_each_line_starts_and_ends_at_its_nodes(seed):
    lines = needed(graph(seed))
    plan = placed(lines, sizes(lines))
    assert sorted(plan.lines) == sorted((one, name) for name, on in lines.items() for one in on)
    for (one, name), path in plan.lines.items():
        x, y = map(float, re.match(r"M(\S+) ([\d.]+)H", path).groups())
        below, above = plan.nodes[one], plan.nodes[name]
        assert (x, y) == pytest.approx((below.x + below.width, below.middle), abs=0.06)  # printed to 0.1
        assert float(path.rpartition("H")[2]) == pytest.approx(above.x, abs=0.06)
        assert float(re.findall(r" ([\d.]+)H", path)[-1]) == pytest.approx(above.middle, abs=0.06)


def test_a_long_line_goes_between_the_nodes_that_it_passes():
    lines = {"a": [], "b": ["a"], "c": ["b"], "d": ["c"], "e": ["a"], "f": ["e", "d"]}
    plan = placed(lines, sizes(lines))
    path = plan.lines["e", "f"]
    heights = [float(y) for y in re.findall(r" ([\d.]+)H", path)]
    passed = [box for name, box in plan.nodes.items() if name in ("c", "d")]
    assert len(heights) == 4 and len(passed) == 2
    assert all(not box.y <= y <= box.y + box.height for box, y in zip(passed, heights[1:3], strict=True))


def test_a_crossing_that_need_not_be_is_not_drawn():
    lines = {"a": [], "b": [], "c": ["b"], "d": ["a"]}
    y = {name: box.y for name, box in placed(lines, sizes(lines)).nodes.items()}
    assert (y["a"] < y["b"]) == (y["d"] < y["c"])


def test_what_rests_on_nothing_stands_beside_what_uses_it():
    lines = {"a": [], "b": ["a"], "c": ["b", "fact"], "fact": []}
    nodes = placed(lines, sizes(lines)).nodes
    assert nodes["fact"].level == nodes["b"].level == 1


def test_nothing_is_laid_out_as_nothing():
    plan = placed({}, {})
    assert (plan.nodes, plan.lines, plan.height) == ({}, {}, 0.0)


def test_the_same_graph_is_drawn_the_same():
    lines = needed(graph(3))
    assert placed(lines, sizes(lines)) == placed(lines, sizes(lines))
