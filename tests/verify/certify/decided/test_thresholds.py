"""All eigenvalues of data within their radii, beside exact arithmetic and beside what the fast path says."""

from fractions import Fraction

import numpy as np
import pytest

from tests.verify.certify.exactly import inertia
from verify.certify import subjects
from verify.certify.decided.thresholds import thresholds
from verify.data.sources import load_rows


@pytest.mark.parametrize("data", ["iris", "wine", "digits"])
def test_thresholds_of_real_data_agree_with_the_fast_path(data):
    rows = load_rows(data)
    found, fast = thresholds(subjects.of_rows(rows)), rows.covariance()
    assert (np.abs(found.values - fast.eigenvalues) <= found.radii + fast.resolution).all()
    assert (found.radii < 1e-11 * found.values[0]).all()  # some (n^2) u: nothing is lost on the way
    # Control: they are no spectrum of other data.
    assert not (np.abs(found.values * (1 + 1e-9) - fast.eigenvalues) <= found.radii + fast.resolution).all()


def test_thresholds_hold_the_exact_eigenvalues_of_small_data():
    rng = np.random.default_rng(0)
    for X in (rng.integers(0, 3, (6, 3)), rng.integers(0, 2, (4, 4)), np.vstack([np.eye(3), np.eye(3)])):
        X = X.astype(float)
        known = thresholds(subjects.of_rows(load_rows(X)))
        N, n = X.shape
        whole = (N * X.T @ X - np.outer(X.sum(axis=0), X.sum(axis=0))).tolist()  # N^2 S, exactly
        for j, (value, radius) in enumerate(zip(known.values, known.radii, strict=True)):
            low, high = ((Fraction(float(value)) + sign * Fraction(float(radius))) * N * N for sign in (-1, 1))
            assert inertia(whole, low)[2] <= n - 1 - j and inertia(whole, high)[0] <= j
            assert radius < 1e-13
