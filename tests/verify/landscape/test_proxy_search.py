"""The search for the variance proxy: it never falls, begins everywhere, and ends at a maximum."""

import numpy as np
import pytest

from verify.landscape.log_means import Centred
from verify.landscape.proxy_search import ascend, distinct, polished, quotient, starts


def skewed(N=60, n=5, seed=3):
    y = np.random.default_rng(seed).exponential(size=(N, n)) ** 2 * np.arange(1, n + 1)
    return y - y.mean(axis=0)


def test_the_quotient_is_its_definition():
    y, t = skewed(), np.random.default_rng(4).normal(size=(5, 6)) / 10
    expected = 2 * np.log(np.exp(y @ t).mean(axis=0)) / (t * t).sum(axis=0)
    assert quotient(y, t) == pytest.approx(expected, rel=1e-12)
    assert quotient(y + 3.0, t) == pytest.approx(expected, rel=1e-12)  # rows are centred
    assert float(quotient(y, t[:, 0])) == quotient(y, t)[0]


def test_no_step_falls_and_a_step_is_the_mean_under_the_weights():
    y, t = skewed(), np.random.default_rng(5).normal(size=(5, 20))
    p = np.exp(y @ t)
    assert ascend(y, t, 1) == pytest.approx(y.T @ (p / p.sum(axis=0)) / quotient(y, t), rel=1e-11)
    values = quotient(y, t)
    for _ in range(30):
        t = ascend(y, t, 1)
        assert (quotient(y, t) >= values * (1 - 1e-13)).all()
        values = quotient(y, t)
    assert (ascend(y, t, 0) == t).all()


def test_starts_lie_along_the_directions_at_the_best_of_their_lengths():
    y = skewed()
    directions = np.array([[1.0, 0, 0, 0, 0], [-2.0, 0, 0, 0, 0], [0, 0, 1.0, 1.0, 0], [0.0, 0, 0, 0, 0]])
    found = starts(y, directions)
    assert found.shape == (5, 3)  # 0 is no direction
    for t, direction in zip(found.T, directions[:3], strict=True):
        unit = direction / np.linalg.norm(direction)
        assert t == pytest.approx((t @ unit) * unit, abs=1e-15) and t @ unit > 0
        reach = (y @ unit).max()
        sizes = np.array([0.1, 0.3, 1, 3, 8, 2 * np.log(60)])
        values = quotient(y, np.outer(unit, sizes / reach))
        assert quotient(y, t) == pytest.approx(values.max(), rel=1e-13)


def test_a_direction_that_no_row_lies_in_is_left_out():
    y = np.array([[1.0, 0.0], [-1.0, 0.0]])
    assert starts(y, np.array([[1.0, 0.0], [0.0, 1.0]])).shape == (2, 1)


def test_those_kept_are_the_best_that_differ():
    t = np.array([[1.0, 1.001, 2.0, 0.0, 5.0], [0.0, 0.0, 0.0, 1.0, 0.0]])
    assert distinct(np.array([3.0, 4.0, 1.0, 2.0, 0.0]), t, 3).tolist() == [[1.001, 0.0, 2.0], [0.0, 1.0, 0.0]]
    assert distinct(np.array([3.0, 4.0, 1.0, 2.0, 0.0]), t, 9).shape == (2, 4)


def test_the_polish_ends_where_the_gradient_vanishes():
    y = skewed()
    begin = starts(y, np.concatenate([np.eye(5), -np.eye(5), y]))
    value, t = polished(Centred(y), begin)
    assert value == pytest.approx(float(quotient(y, t)), rel=1e-13)
    assert value >= quotient(y, ascend(y, begin, 300)).max() * (1 - 1e-12)
    # There t is a fixed point of the ascent; the value is exact to the square of this.
    assert ascend(y, t[:, None], 1)[:, 0] == pytest.approx(t, rel=1e-4)


def test_a_polish_that_finds_nothing_better_loses_nothing():
    y = skewed()
    t = ascend(y, starts(y, y), 2000)
    value, at = polished(Centred(y), t, steps=0, evaluations=1)
    assert value >= quotient(y, t).max() * (1 - 1e-14)
    assert float(quotient(y, at)) == pytest.approx(value, rel=1e-13)


def test_a_step_may_land_on_zero():
    y = np.repeat([[-1.0], [1.0]], 50, axis=0)  # symmetric: the supremum is the limit at 0
    value, t = polished(Centred(y), np.array([[1e-3, 0.5, 2.0]]))
    assert 0.99 < value <= 1.0 and np.isfinite(t).all()
