"""Chance: quantiles against printed tables and simulation, spreads within groups, trends of single trials."""

import numpy as np
import pytest

from reports.training.chance import Spread, pooled, student, trend


@pytest.mark.parametrize(
    ("freedom", "level", "printed"),
    [(1, 0.05, 12.706), (2, 0.05, 4.303), (8, 0.05, 2.306), (8, 0.01, 3.355), (10, 0.001, 4.587), (1000, 0.05, 1.962)],
)
def test_students_quantiles_are_the_printed_ones(freedom, level, printed):
    assert student(freedom, level) == pytest.approx(printed, abs=6e-4)  # half of the last digit


def test_what_trials_differ_by_is_pooled_within_groups():
    found = pooled([[1.0, 3.0], [10.0, 14.0], [7.0]])
    assert found.freedom == 2 and found.deviation == pytest.approx(((2 + 8) / 2) ** 0.5)
    assert pooled([[1.0], [5.0]]) is None and pooled([]) is None  # never a spread of 0
    # What lies at an end cannot spread, and does not say that others do not.
    assert pooled([[1.0, 3.0], [100.0, 100.0], [0.0, 0.0]]) == pooled([[1.0, 3.0]])
    assert pooled([[100.0, 100.0], [0.0, 0.0]]).deviation == 0


def test_a_margin_grows_with_the_number_of_comparisons():
    spread = Spread(2.0, 8)
    assert spread.margin(2, 2) == pytest.approx(2.306 * 2.0, rel=1e-3)
    assert spread.margin(2, 2, comparisons=5) == pytest.approx(3.355 * 2.0, rel=1e-3)


def test_chance_alone_seldom_exceeds_the_margin():
    """Five pairs of groups of two that are alike: some pair is told apart in less than one of twenty experiments."""
    rng, told = np.random.default_rng(0), 0
    for _ in range(400):
        groups = rng.normal(size=(10, 2))
        margin = pooled(groups.tolist()).margin(2, 2, comparisons=5)
        means = groups.mean(axis=1)
        told += bool((abs(means[:5] - means[5:]) > margin).any())
    assert 2 <= told <= 36  # 5% of 400, and four standard deviations of that


def test_a_trend_is_told_from_chance_with_single_trials():
    x = list(range(10))
    rise, margin = trend([(v, 3.0 * v + (-1) ** v) for v in x])
    assert rise == pytest.approx(27, abs=1) and margin < 5
    rise, margin = trend([(v, 50.0 * (-1) ** v) for v in x])
    assert abs(rise) < margin
    assert trend([(1.0, 0.0), (2.0, 9.0)]) is None and trend([(1.0, v) for v in x]) is None
    assert trend([]) is None
