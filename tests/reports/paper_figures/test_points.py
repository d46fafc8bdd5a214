"""Differences of percentages in words."""

from reports.paper_figures.points import by_chance, contrary, points


def test_no_two_percentages_lie_more_than_a_hundred_apart():
    assert points(76.71) == "76.7 points" and points(100.0) == "100 points"
    assert points(113.0) == "more than 100 points"
    assert by_chance(12.51, "by chance it may by {}") == "by chance it may by 12.5 points"
    assert by_chance(177.0, "by chance it may by {}") == "so few trials cannot tell that from chance"


def test_verdicts_that_contradict_each_other_depend_on_the_threshold():
    assert contrary(True, False) == contrary(False, True) == "depends on the threshold: "
    assert contrary(True, True) == contrary(False, None) == contrary(None, True) == ""
