"""The verdict on the collapsed point against data whose verdict is known by hand."""

import numpy as np
import pytest

from verify.errors import InputError
from verify.landscape.bernoulli import collapsed_point


def test_two_equal_pixels_are_unstable():
    """x_1 = x_2, each half of the time: B = [[0, 1/4], [1/4, 0]]."""
    found = collapsed_point(np.array([[0, 0], [1, 1]]))
    assert found.verdict == "unstable"
    assert found.binary
    assert np.allclose(found.eigenvalues, [0.25, -0.25])
    assert found.rate == pytest.approx(0.25)
    assert found.unstable_directions == 1
    assert np.allclose(abs(found.direction), np.sqrt(0.5))
    assert found.direction[0] * found.direction[1] > 0
    assert np.allclose(found.mu, 0)


def test_the_same_pixels_closer_to_a_half_are_stable_and_between_lies_open():
    """x = (1 +- c)/2: S = c^2/4 in all entries, so the eigenvalues are c^2/2 - 1/4 and -1/4: zero at c = sqrt(1/2)."""
    for c, verdict in ((0.7, "stable"), (np.sqrt(0.5), "open"), (0.71, "unstable")):
        found = collapsed_point(np.array([[1 - c, 1 - c], [1 + c, 1 + c]]) / 2)
        assert found.verdict == verdict
        assert not found.binary
        assert found.eigenvalues == pytest.approx([c * c / 2 - 0.25, -0.25], abs=1e-15)


def test_constant_pixels_are_dropped_and_reported():
    x = np.array([[0, 1, 0.5, 0, 1.0], [0, 0, 0.5, 1, 1.0]])
    found = collapsed_point(x)
    assert found.dropped == (0, 4)
    assert found.kept == (1, 2, 3)
    assert found.mu.shape == (3,)
    assert found.verdict == "unstable"  # pixels 1 and 3 are opposites
    assert found.direction[0] * found.direction[2] < 0
    assert not collapsed_point(x[:, :3]).binary


def test_uncorrelated_binary_pixels_are_open_without_rounding():
    for size, share, other_size, other_share in ((11, 3, 7, 5), (2, 1, 2, 1), (10, 7, 12, 9)):
        x = np.array([(a < share, b < other_share) for a in range(size) for b in range(other_size)], dtype=float)
        found = collapsed_point(x)
        assert found.verdict == "open"
        assert (found.eigenvalues == 0).all()
        assert found.unstable_directions == 0
    assert collapsed_point(np.array([[0.0], [1.0]])).verdict == "open"  # one pixel has nothing to correlate with


def test_what_rounding_makes_of_zero_is_open():
    """Uncorrelated and binary but for 1e-300: B is zero up to the rounding of S, not of B."""
    x = np.array([(a < 1, b < 1) for a in range(3) for b in range(7)], dtype=float)
    x[0, 0] = 1 - 2.0**-53
    found = collapsed_point(np.maximum(x, 1e-300))
    assert not found.binary
    assert 0 < abs(found.rate) < found.resolution < 1e-14
    assert found.verdict == "open"
    assert found.unstable_directions == 0


def test_one_datum_among_ten_thousand_is_enough():
    """Pixels independent but for one datum: a covariance of 1e-4 is no rounding."""
    x = np.array([(a, b) for a in (0, 1) for b in (0, 1)] * 2500, dtype=float)
    assert collapsed_point(x).verdict == "open"
    x[0, 0] = 1
    assert collapsed_point(x).verdict == "unstable"


def test_data_without_a_varying_pixel_are_refused():
    with pytest.raises(InputError, match="every pixel"):
        collapsed_point(np.array([[0, 1], [0, 1]]))
    with pytest.raises(InputError, match="2 at row 1"):
        collapsed_point(np.array([[2.0, 1.0]]))


@pytest.mark.parametrize("near", [2.0**-30, 1 - 2.0**-30])
def test_the_rounding_allowed_for_is_that_of_the_variances(near):
    """At least an eps of the largest, at most one for each datum and pixel: also where all is near 0, or near 1."""
    eps = np.finfo(float).eps
    apart = np.array([[near, near, 0.25], [1 - near, 1 - near, 0.25], [near, 1 - near, 0.25]])
    for x in (apart, apart[:2, :2], np.array([[near, near], [near, (1 + near) / 2]])):
        variance = (x.mean(axis=0) * (1 - x.mean(axis=0))).max()
        assert eps * variance <= collapsed_point(x).resolution <= x.size * eps * variance
    x = np.array([[near, near], [near, near + (0.5 - near) * 2.0**-20]])
    variance = (x.mean(axis=0) * (1 - x.mean(axis=0))).max()
    assert eps * variance <= collapsed_point(x).resolution <= x.size * eps * variance


def test_of_binary_data_it_is_that_of_the_eigenvalues():
    """One of three pixels says whether one of the others is on: eigenvalues 0 beside +-sqrt(2)/8."""
    found = collapsed_point(x := np.array([(a or b, a, b) for a in (0, 1) for b in (0, 1)], dtype=float))
    assert found.eigenvalues == pytest.approx([np.sqrt(2) / 8, 0, -np.sqrt(2) / 8])
    assert np.finfo(float).eps * found.rate <= found.resolution <= x.size * np.finfo(float).eps * found.rate


def test_a_direction_that_is_level_counts_as_none_that_rises():
    """Two equal pixels beside independent ones: eigenvalues 1/4, 0 and -1/4 but for rounding, one of them positive."""
    for shares in ((3, 7), (2, 5), (3, 11)):
        x = np.array([(a < 1, a < 1, *(c < 2 for c in b)) for a in range(3) for b in np.ndindex(*shares)], dtype=float)
        found = collapsed_point(x)
        assert (found.verdict, found.unstable_directions) == ("unstable", 1)
        assert abs(found.eigenvalues[1:-1]).max() <= found.resolution
