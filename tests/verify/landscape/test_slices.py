"""Slices against the likelihood evaluated point by point, and the pattern of Figure 1."""

import numpy as np
import pytest

from verify.landscape.slices import plane, zero_column_slice
from verify.models import ppca


def test_a_plane_is_the_likelihood_on_a_grid():
    rng = np.random.default_rng(0)
    n, k = 6, 3
    W, X, Y = rng.standard_normal((3, n, k))
    A = rng.standard_normal((n, 9))
    S = A @ A.T / 9
    a, b = np.linspace(-1, 1, 4), np.linspace(-2, 1, 5)
    values = plane(W, X, Y, a, b, 0.7, S)
    expected = [[ppca.log_likelihood(W + u * X + v * Y, 0.7, S) for v in b] for u in a]
    np.testing.assert_allclose(values, expected, rtol=1e-12)
    assert not np.allclose(values, np.array(expected) * (1 + 1e-9), rtol=1e-12, atol=0)


LAM = np.array([9.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.5, 0.3, 0.2])


@pytest.mark.parametrize("threshold, unstable", [(4, 0), (6, 1), (8, 2)])
def test_figure_1_is_stable_in_both_one_and_no_direction(threshold, unstable):
    found = zero_column_slice(LAM, float(LAM[threshold - 1]), (4, 6), 3, grid=81)
    assert found.unstable == unstable
    middle = 40
    centre = found.values[middle, middle]
    rises = [found.values[middle + 1, middle] > centre, found.values[middle, middle + 1] > centre]
    assert sum(rises) == unstable
    full = np.diag(LAM)
    W = np.zeros((10, 5))
    W[range(3), range(3)] = np.sqrt(LAM[:3] - found.sigma2)
    W[4, 3], W[6, 4] = found.a[50], found.b[20]
    assert found.values[50, 20] == pytest.approx(float(ppca.log_likelihood(W, found.sigma2, full)), rel=1e-12)


def test_one_column_moves_both_ways():
    found = zero_column_slice(LAM, 1.0, (0, 1), 0, grid=5, columns=1)
    W = np.zeros((10, 1))
    W[0, 0], W[1, 0] = found.a[4], found.b[1]
    assert found.values[4, 1] == pytest.approx(float(ppca.log_likelihood(W, 1.0, np.diag(LAM))), rel=1e-12)
