"""Zeros and ties of measured eigenvalues: what their errors leave open is settled, and nothing else is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verify.eigenvalues import Eigenvalues

EPS = np.finfo(float).eps
reproducibly = settings(derandomize=True, database=None, deadline=None, max_examples=100)


@reproducibly
@given(
    values=st.lists(st.sampled_from([0.0, 1e-20, 1e-12, 0.5, 1.0, 1 + 1e-12, 1 + 3e-12, 2.0, 7.0]), min_size=1),
    error=st.sampled_from([0.0, 1e-15, 1.5e-12, 1e-3]),
    relative=st.booleans(),
)
def test_settled_values_are_equal_or_apart_and_cover_what_they_stand_for(values, error, relative):
    lam = np.sort(values)[::-1]
    errors = error * lam if relative else np.full(len(lam), error)
    found = Eigenvalues.measured(lam, errors)
    assert np.all(np.diff(found.values) <= 0)
    for i in range(len(lam)):
        # The new interval holds the old one; eps for adding in floating point.
        reach = abs(found.values[i] - lam[i]) + errors[i]
        assert found.errors[i] >= reach * (1 - 4 * EPS)
        assert (found.values[i] == 0) == (lam[i] <= errors[i])
        if i and found.values[i] != found.values[i - 1]:
            assert lam[i - 1] - errors[i - 1] > lam[i] + errors[i] or found.values[i] == 0
    assert found.rank == np.count_nonzero(lam > errors)


def test_without_errors_nothing_changes():
    values = np.array([3.0, 1.0 + EPS, 1.0, 1e-300, 0.0])
    found = Eigenvalues.measured(values, np.zeros(5))
    assert np.array_equal(found.values, values) and not found.errors.any() and found.undecided_zeros == 0


def test_each_eigenvalue_is_judged_by_its_own_error():
    # One bound for all, 1e-3, would make the last two 0.
    found = Eigenvalues.measured(np.array([1.0, 1e-6, 1e-9]), np.array([1e-3, 1e-12, 1e-15]))
    assert found.rank == 3 and found.undecided_zeros == 0
    assert Eigenvalues.measured(np.array([1.0, 1e-6, 1e-9]), np.full(3, 1e-3)).rank == 1


def test_what_exceeds_a_positive_one_is_positive():
    found = Eigenvalues.measured(np.array([1.0, 1e-4, 1e-9]), np.array([1e-3, 1e-3, 1e-12]))
    assert found.rank == 3 and found.undecided_zeros == 0
    # The second may be anything from 1e-9 to 1.1e-3, the third too as far as can be told: a tie.
    assert found.values[1] == found.values[2] and found.values[1] + found.errors[1] >= 1.1e-3


def test_a_known_rank_keeps_what_errors_would_not():
    values, errors = np.array([1.0, 1e-20, -1e-20]), np.full(3, 1e-16)
    assert Eigenvalues.measured(values, errors).rank == 1  # control
    found = Eigenvalues.measured(values, errors, positive=2)
    assert found.rank == 2 and found.undecided_zeros == 1
    assert found.position(1e-17).undecided and found.position(1e-15).above == 1


def test_nothing_positive():
    found = Eigenvalues.measured(np.array([1e-20, 0.0]), np.array([1e-10, 1e-10]))
    assert found.rank == 0 and found.undecided_zeros == 2


def test_a_noise_is_held_against_what_the_order_leaves_of_the_intervals():
    """lam_4 is at most lam_3, so that a noise of 0.3 exceeds both, however little is known of lam_4."""
    lam = Eigenvalues.measured(np.array([3.0, 1.0, 0.0, 0.0]), np.array([1e-12, 1e-12, 0.1, 0.5]))
    assert (lam.position(0.3).above, lam.position(0.3).level) == (2, 0)
    near = lam.position(0.05)
    assert (near.above, near.level, near.undecided) == (2, 2, True)
    # Zeros of different errors: how many of them may exceed a noise falls as it rises.
    zeros = Eigenvalues.measured(np.array([1.0, 0, 0, 0]), np.array([8.419e-15, 8.437e-15, 8.419e-15, 8.545e-15]))
    at = zeros.position(8.48e-15)
    assert (at.above, at.level) == (1, 0)


@pytest.mark.parametrize("seed", range(200))
def test_intervals_fall_and_hold_the_true_eigenvalues(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 8))
    true = np.sort(rng.choice([0.0, 1.0, 1.5, 3.0, 2 * rng.random()], n))[::-1]
    errors = 10.0 ** rng.uniform(-14, 0, n)
    found = Eigenvalues.measured(np.sort(true + errors * rng.uniform(-1, 1, n))[::-1], 2 * errors.max() * np.ones(n))
    assert np.all(np.abs(found.values - true) <= found.errors * (1 + 1e-12))
    upper, lower = found.values + found.errors, np.maximum(found.values - found.errors, 0)
    assert np.all(np.diff(upper) <= 1e-15) and np.all(np.diff(lower) <= 1e-15)
    for noise in rng.uniform(0.01, 3.5, 20):
        at = found.position(float(noise))
        assert at.above <= int((true > noise).sum()) <= at.above + at.level
