"""Courses: thinned and put together, the best learning rate, and who ended above whom."""

from math import inf, nan

import numpy as np
import pytest

from reports.paper_figures.courses import Trial, best_rate, compare, mean_and_spread, thinned, together


def trial(final, seed=0, rate=0.1, optimum=0.0, y=None):
    """A training that ended there; its course has long been flat unless one is given."""
    y = [final if final is not None else nan] * 40 if y is None else y
    return Trial(seed, rate, final, optimum, [float(i + 1) for i in range(len(y))], list(y))


def test_a_course_is_thinned_to_means_at_the_middle_of_their_windows():
    x, y = thinned([1.0, 3.0, 5.0, 7.0, 9.0], points=3)
    assert (x, y) == ([1.5, 3.5, 5.0], [2.0, 6.0, 9.0])
    course = np.random.default_rng(0).normal(size=12000)
    x, y = thinned(course.tolist())
    assert len(x) == 300 and y[7] == pytest.approx(course[280:320].mean(), rel=1e-12)
    assert thinned([4.0, 5.0]) == ([1.0, 2.0], [4.0, 5.0])


def test_curves_are_put_together_where_all_are_numbers():
    mean, spread = together([[1.0, nan, 3.0], [3.0, 1.0, inf]])
    assert mean == [2.0, None, None] and spread == [pytest.approx(2**0.5), None, None]
    assert together([[1.0, 2.0]]) == ([1.0, 2.0], None)
    assert mean_and_spread([None, 2.0]) == (2.0, None) and mean_and_spread([]) == (None, None)


def test_the_best_rate_is_that_of_the_best_mean_and_divergence_comes_last():
    found = [trial(-1.0, 0, 0.1), trial(-3.0, 1, 0.1), trial(-1.5, 0, 0.2), trial(-1.5, 1, 0.2)]
    assert best_rate(found) == 0.2
    assert best_rate([*found, trial(0.0, 0, 0.3), trial(None, 1, 0.3)]) == 0.2
    assert best_rate([trial(None, 0, 0.1)]) is None and best_rate([]) is None


def test_who_ended_above_is_told_from_chance():
    high, low = [trial(-1.0, 0), trial(-1.1, 1)], [trial(-2.0, 0), trial(-2.1, 1)]
    assert compare(high, low) == 1 and compare(low, high) == -1
    assert compare(high, [trial(-1.04, 0), trial(-1.07, 1)]) is None  # chance is more than a tenth of a nat
    assert compare([trial(-1.0)], [trial(-1.05)]) == 0  # flat courses, alike to a tenth of a nat
    assert compare(high, [trial(-9.0), trial(None, 1)]) is None
    # Two trials each: three standard errors apart are chance in one of ten cases, five in one of twenty-five.
    assert compare([trial(-1.0, 0), trial(-2.0, 1)], [trial(-3.1, 0), trial(-4.1, 1)]) is None
    assert compare([trial(-1.0, 0), trial(-2.0, 1)], [trial(-4.6, 0), trial(-5.6, 1)]) == 1
    assert compare([], low) is None


def test_a_single_training_is_judged_by_the_jitter_of_its_end():
    jitter = np.random.default_rng(1).normal(size=400)
    wild = trial(-1.0, y=(-1.0 + 3 * jitter).tolist())
    calm = trial(-3.0, y=(-3.0 + 0.01 * jitter).tolist())
    assert 2 < wild.scatter < 4 and calm.scatter < 0.02  # 40 differences of deviation 3: some 15% either way
    assert compare([wild], [calm]) is None and compare([trial(-1.0)], [calm]) == 1
    assert compare([trial(-1.0, y=[-5.0, -1.0])], [calm]) is None  # too short to know its jitter


def test_what_still_rises_is_told_and_what_is_too_short_is_not():
    assert trial(-1.0, y=np.linspace(-50, -1, 100).tolist()).rising is True
    assert trial(-1.0).rising is False
    assert trial(-1.0, y=[-2.0, -1.0, -1.0]).rising is None
    # A hundred nats are lacking: what jitters by one might gain no tenth of them, what jitters by fifty might.
    for jitter, told in ((1.0, False), (50.0, None)):
        y = -100 + np.random.default_rng(0).normal(0, jitter, 100)
        assert trial(-100.0, optimum=0.0, y=y.tolist()).rising is told
    assert trial(-1.0, y=[nan] * 50).rising is None
    assert trial(-1.0, optimum=None).below is None and trial(-1.5, optimum=0.5).below == 2.0
