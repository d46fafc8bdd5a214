"""Moments in one pass, against the definitions."""

import numpy as np
import pytest

from verify.data.moments import Moments


def of(X, cuts):
    found = Moments(*X.shape)
    for block in np.split(X, cuts):
        found.add(block)
    return found


@pytest.mark.parametrize("cuts", [[], [1], [50, 51], [10, 90]])
def test_moments_are_those_of_the_whole(cuts):
    X = np.random.default_rng(0).standard_normal((100, 3)) + np.array([0, 1e6, -3])
    found = of(X, cuts)
    assert np.allclose(found.mean, X.mean(axis=0), rtol=1e-14, atol=1e-15)
    assert np.allclose(found.variance, X.var(axis=0), rtol=1e-9)
    assert np.array_equal(found.low, X.min(axis=0)) and np.array_equal(found.high, X.max(axis=0))
    assert not np.allclose(found.variance, X.var(axis=0, ddof=1), rtol=1e-3)  # control


@pytest.mark.parametrize("cuts", [[], [1], [30]])
def test_missing_values_count_in_nothing(cuts):
    X = np.random.default_rng(1).standard_normal((60, 3))
    X[::4, 1] = np.nan
    X[:, 2] = np.nan
    found = of(X, cuts)
    assert found.count.tolist() == [60, 45, 0]
    assert np.allclose(found.mean[:2], np.nanmean(X[:, :2], axis=0)) and np.allclose(
        found.variance[:2], np.nanvar(X[:, :2], axis=0)
    )
    assert found.low[1] == np.nanmin(X[:, 1]) and found.variance[2] == 0


def test_equal_values_have_no_variance():
    found = of(np.full((1000, 1), 0.1), [333])
    assert found.variance[0] == 0


def test_the_sample_is_evenly_spaced_and_small(monkeypatch):
    monkeypatch.setattr("verify.data.moments.SAMPLED", 128)
    X = np.arange(1000.0)[:, None]
    sample = of(X, [7, 500]).sample[:, 0]
    assert len(sample) <= 128 and len(set(np.diff(sample))) == 1 and sample[0] == 0
