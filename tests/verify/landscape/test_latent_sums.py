"""Sums over batches against the measures of whole arrays, whatever the batches are."""

import numpy as np
import pytest

from verify.landscape.collapse import active_units, collapsed, kl, second_moment
from verify.landscape.latent_sums import LatentSums


def latents(N=1000, k=5, seed=0):
    rng = np.random.default_rng(seed)
    spread = np.array([2.0, 0.5, 0.12, 0.08, 0.0])[:k]
    return rng.standard_normal((N, k)) * spread, rng.standard_normal((N, k)) * 0.05 * (spread > 0) - spread


def summed(mu, logvar, cuts):
    sums = LatentSums(mu.shape[1])
    for a, b in zip(np.split(mu, cuts), np.split(logvar, cuts), strict=True):
        sums.add(a, b)
    return sums


@pytest.mark.parametrize("cuts", [[], [1], [300, 301, 999], list(range(1, 1000)), [0, 500, 500]])
def test_batches_say_what_the_whole_says(cuts):
    mu, logvar = latents()
    sums = summed(mu, logvar, cuts)
    assert (sums.N, sums.left_out) == (1000, 0)
    # A thousand additions of numbers near 1 are off by less than a thousand roundings of 1e-16.
    np.testing.assert_allclose(sums.divergence, kl(mu, logvar).mean(axis=0), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(sums.second_moment, second_moment(mu, logvar), rtol=1e-12)
    assert sums.active.sum() == active_units(mu) == 3  # of variances 4, .25, .0144, .0064 and 0
    assert sums.collapsed(0.01).tolist() == collapsed(kl(mu, logvar), 0.01, 0.01).tolist()
    assert (sums.lowest, sums.highest) == (logvar.min(), logvar.max())


def test_a_large_offset_of_the_mean_does_not_cancel():
    """The control: E[mu^2] - E[mu]^2 in doubles, which says 0 or worse for a variance of .02 around 1e8."""
    mu = 1e8 + np.random.default_rng(1).choice([-1, 1], size=(4000, 1)) * np.sqrt(0.02)
    naive = (mu**2).mean() - mu.mean() ** 2
    assert not 0.015 < naive < 0.025
    assert summed(mu, np.zeros_like(mu), [100, 2000]).active.tolist() == [True]
    assert summed(1e8 + (mu - 1e8) / 2, np.zeros_like(mu), [100, 2000]).active.tolist() == [False]


def test_the_average_of_the_variances_within_batches_is_another_number():
    """The control: means that differ between batches only."""
    mu = np.repeat([[0.0], [1.0]], 50, axis=0)
    assert np.mean([half.var() for half in np.split(mu, 2)]) == 0
    assert summed(mu, np.zeros_like(mu), [50]).active.tolist() == [True]


def test_collapse_is_of_the_divergence_and_not_of_the_mean():
    mu = np.array([[0.1, -5.0, 0.0]]) * np.ones((20, 1))  # KL .005, 12.5, 0
    assert summed(mu, np.zeros_like(mu), [7]).collapsed(0.01).tolist() == [True, False, True]


def test_what_is_not_finite_is_counted_and_left_out():
    mu, logvar = latents()
    mu[3, 1], logvar[7, 0], logvar[8, 2] = np.nan, np.inf, 800.0  # exp(800) overflows
    sums = summed(mu, logvar, [5, 10])
    kept = np.delete(np.arange(1000), [3, 7, 8])
    assert (sums.N, sums.left_out) == (997, 3)
    np.testing.assert_allclose(sums.divergence, kl(mu[kept], logvar[kept]).mean(axis=0), rtol=1e-12, atol=1e-15)


def test_without_data_nothing_is_collapsed():
    sums = LatentSums(3)
    sums.add(np.zeros((0, 3)), np.zeros((0, 3)))
    assert sums.N == 0 and not sums.collapsed(0.01).any() and not sums.active.any()
    sums.add(np.zeros((1, 3)), np.zeros((1, 3)))
    assert sums.N == 1 and sums.collapsed(0.01).all()
