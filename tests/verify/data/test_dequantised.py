"""Averages over dequantisation noise: against draws of it, closed forms, and the covariance of many draws."""

import math

import numpy as np
import pytest

from verify.data.dequantised import averaged, moments
from verify.data.preprocess import Preprocessing


@pytest.mark.parametrize("levels", [2, 3, 16, 256])
@pytest.mark.parametrize("alpha", [1e-9, 1e-6, 1e-3, 0.2])
def test_mean_and_log_jacobian_are_the_integrals_by_parts(levels, alpha):
    """log p integrates to p log p - p; y = log p - log q, log dy/dx = log(1 - 2 alpha) - log p - log q."""
    slope = 1 - 2 * alpha
    edges = alpha + slope * np.arange(levels + 1) / levels
    primitive = edges * np.log(edges) - edges
    log_p = np.diff(primitive) / (slope / levels)
    log_q = log_p[::-1]
    found = moments(Preprocessing(scale=levels - 1, alpha=alpha))
    # Differences of primitives cancel to levels * eps; the rest is rounding.
    assert found.mean == pytest.approx(log_p - log_q, abs=1e-11)
    assert found.log_jacobian == pytest.approx(math.log(slope) - log_p - log_q, abs=1e-11)
    assert np.abs(found.mean - (log_q - log_p)).max() > 1  # control: p and q exchanged


@pytest.mark.parametrize("alpha", [1e-6, 0.1, None])
def test_variance_is_that_of_many_draws(alpha):
    how = Preprocessing(scale=15, alpha=alpha, dequantise=True)
    found, draws = moments(how), 200_000
    grey = np.tile(np.arange(16.0), (draws, 1))
    y = np.concatenate([how.apply(grey[:, j : j + 1], np.random.default_rng(j))[0] for j in range(16)], axis=1)
    error = (y - y.mean(axis=0)) ** 2
    # Five standard errors of a mean of squares.
    assert np.all(np.abs(error.mean(axis=0) - found.variance) < 5 * error.std(axis=0) / math.sqrt(draws))
    assert np.abs(error.mean(axis=0) / found.variance - 2).min() > 0.5  # control: twice the variance is told apart


def test_a_black_pixel_varies_like_an_exponential():
    """y at v = 0 is nearly log u, of variance 1: within the alpha and the 1/256 that it is not."""
    found = moments(Preprocessing(alpha=1e-6))
    assert 0.97 < found.variance[0] < 1
    assert found.variance.argmax() in (0, 255) and found.variance[1] < 0.05


@pytest.mark.parametrize("alpha", [1e-3, None])
def test_the_covariance_is_that_of_infinitely_many_draws(alpha):
    """Of few images drawn again and again: the spread of the entries over 400 draws says how near the mean must be."""
    how = Preprocessing(scale=7, alpha=alpha, dequantise=True)
    grey = np.random.default_rng(3).integers(0, 8, (40, 5)).astype(np.uint8)
    S, J = averaged([grey[:13], grey[13:]], moments(how))
    rng = np.random.default_rng(4)
    drawn = [how.apply(np.tile(grey, (1000, 1)).astype(float), rng) for _ in range(40)]
    covariances = np.array([np.cov(y.T, bias=True) for y, _ in drawn])
    error = covariances.std(axis=0) / math.sqrt(len(drawn))
    # Means of 40, so a t of 39 degrees; 25 entries.
    assert np.all(np.abs(covariances.mean(axis=0) - S) < 5 * error)
    assert np.all(np.abs(covariances.mean(axis=0) - S)[np.diag_indices(5)] < 0.5 * moments(how).variance.min())
    jacobians = np.array([j.mean() for _, j in drawn])
    assert abs(jacobians.mean() - J) <= 5 * jacobians.std() / math.sqrt(len(drawn))
    assert np.allclose(averaged([grey], moments(how))[0], S, rtol=0, atol=1e-13)  # blocks change nothing but rounding
