"""Slices against the likelihood evaluated point by point, and the pattern of Figure 1."""

import numpy as np
import pytest

from verify.eigenvalues import Eigenvalues
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
    for i, j in ((50, 20), (0, 80), (80, 0), (80, 80)):  # of more points than are computed at once
        W[4, 3], W[6, 4] = found.a[i], found.b[j]
        assert found.values[i, j] == pytest.approx(float(ppca.log_likelihood(W, found.sigma2, full)), rel=1e-12)


def test_one_column_moves_both_ways():
    found = zero_column_slice(LAM, 1.0, (0, 1), 0, grid=5, columns=1)
    W = np.zeros((10, 1))
    W[0, 0], W[1, 0] = found.a[4], found.b[1]
    assert found.values[4, 1] == pytest.approx(float(ppca.log_likelihood(W, 1.0, np.diag(LAM))), rel=1e-12)


@pytest.mark.parametrize(("sigma2", "radius"), [(1.0, 6.0**0.5), (5.0, 2.0**0.5), (6.5, 1.75**0.5), (8.0, 1.75**0.5)])
def test_the_square_holds_the_maxima_of_both_directions(sigma2, radius):
    """At sqrt(lam - sigma2), 1.6 times over; where neither eigenvalue exceeds the noise, sqrt(lam)/2 in its place."""
    for directions in ((4, 1), (1, 4)):
        found = zero_column_slice(LAM, sigma2, directions, 0, grid=5)
        assert found.a.tolist() == pytest.approx(np.linspace(-1.6 * radius, 1.6 * radius, 5), rel=1e-14, abs=1e-15)
        assert found.b.tolist() == found.a.tolist()


def second_difference(values, step):
    """Of the middle of three equidistant values."""
    return (values[0] - 2 * values[1] + values[2]) / step**2


@pytest.mark.parametrize("columns", [1, 2])
@pytest.mark.parametrize("directions", [(0, 3), (3, 0), (0, 1), (1, 2), (2, 3)])
def test_curvatures_are_those_of_finite_differences(directions, columns):
    """lam = (4, 3, 2, 1) at sigma2 = 1/2, three retained: a zero column towards a retained u_a is gauge."""
    lam, step = np.array([4.0, 3.0, 2.0, 1.0]), 1e-3
    found = zero_column_slice(lam, 0.5, directions, 3, grid=3, extent=step, columns=columns)
    along = second_difference(found.values[:, 1], step), second_difference(found.values[1, :], step)
    # Differences of L of order 10, in 1e-15 of it over 1e-6, beside the fourth derivative times 1e-6.
    assert found.curvatures == pytest.approx(along, abs=1e-4)
    assert found.curvatures == tuple(0.0 if d < 3 else 2.0 for d in directions)
    assert found.unstable == sum(d == 3 for d in directions)
    # The mixed derivative vanishes: what is said of the two directions holds for the plane.
    corners = found.values[2, 2] - found.values[2, 0] - found.values[0, 2] + found.values[0, 0]
    assert corners / (4 * step**2) == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("columns", [1, 2])
@pytest.mark.parametrize("directions", [(0, 3), (3, 0), (0, 1), (1, 2), (2, 3), (3, 4)])
@pytest.mark.parametrize("retained", [0, 1, 3, 5])
def test_a_slice_is_the_likelihood_of_the_whole_matrix(directions, retained, columns):
    """Whether what moves is retained or not, and however many stand still; lam_5 does not exceed the noise."""
    lam, sigma2 = np.array([4.0, 3.0, 2.0, 1.0, 0.3]), 0.5
    found, held = zero_column_slice(lam, sigma2, directions, retained, grid=3, columns=columns), min(retained, 4)
    assert found.retained == tuple(range(held))
    W = np.zeros((5, held + columns))
    W[range(held), range(held)] = np.sqrt(lam[:held] - sigma2)
    for i, j in np.ndindex(3, 3):
        V = W.copy()
        V[directions[0], held] += found.a[i]
        V[directions[1], held + columns - 1] += found.b[j]
        expected = float(ppca.log_likelihood(V, sigma2, np.diag(lam))) if V.shape[1] <= 5 else None
        assert expected is None or found.values[i, j] == pytest.approx(expected, rel=1e-13)
    assert zero_column_slice(lam, sigma2, directions, 0).a[50] == 0  # the point is in the middle


def test_towards_a_retained_direction_it_falls_at_fourth_order():
    lam, x = np.array([4.0, 3.0, 2.0, 1.0]), 0.1
    found = zero_column_slice(lam, 0.5, (0, 3), 3, grid=3, extent=x)
    assert found.values[2, 1] - found.values[1, 1] == pytest.approx(-(x**4) / (4 * lam[0] ** 2), rel=0.02)  # of x^6
    claimed = (lam[0] - 0.5) / 0.5**2  # the control: what holds only where u_1 is not retained
    assert claimed == 14
    bare = zero_column_slice(lam, 0.5, (0, 3), 0, grid=3, extent=1e-3)
    assert bare.curvatures == (14.0, 2.0) and bare.unstable == 2
    assert second_difference(bare.values[:, 1], 1e-3) == pytest.approx(14, rel=1e-4)


def test_ties_with_the_noise_are_flat_or_undecided():
    typed = zero_column_slice(np.array([4.0, 3.0, 2.0, 1.0]), 2.0, (2, 3), 1, grid=3)
    assert (typed.curvatures, typed.unstable, typed.undecided) == ((0.0, -0.25), 0, ())
    assert zero_column_slice(LAM, 1.0, (0, 1), 0, grid=3).undecided == ()
    close = Eigenvalues(np.array([4.0, 3.0, 2.0 + 1e-15, 1.0]), np.full(4, 2e-15), None)
    found = zero_column_slice(close, 2.0, (2, 3), 3, grid=3)
    assert (found.curvatures, found.unstable, found.undecided) == ((0.0, -0.25), 0, (2,))
    assert found.retained == (0, 1)  # surely


def test_a_large_retained_eigenvalue_takes_no_digits_with_it():
    lam = np.array([1e12, 1.0, 0.1])
    centre = zero_column_slice(lam, 1.0, (1, 2), 1, grid=3).values[1, 1]
    expected = -0.5 * (3 * np.log(2 * np.pi) + np.log(1e12) + 1 + 1.1)
    assert centre == pytest.approx(expected, rel=1e-15)
