"""Rescaled latents: the nats that are promised, that none better exists, and that a stationary encoder has none."""

import numpy as np
import pytest
from scipy.optimize import minimize

from verify.errors import InputError
from verify.landscape.collapse import kl
from verify.landscape.rescaling import Rescaling, rescaling, spare_nats


def encoder(seed=0, N=50, k=3):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((N, k)) * [2, 0.1, 1] + [1, 0, -3], rng.uniform(-4, 0.5, (N, k))


def mean_kl(mu, logvar):
    return kl(mu, logvar).mean(axis=0)


def test_the_promised_nats_are_what_the_kl_falls_by():
    mu, logvar = encoder()
    after = rescaling(mu, logvar).encoder(mu, logvar)
    np.testing.assert_allclose(mean_kl(mu, logvar) - mean_kl(*after), spare_nats(mu, logvar), rtol=1e-12)
    np.testing.assert_allclose(spare_nats(*after), 0, atol=1e-15)
    np.testing.assert_allclose((after[0] ** 2 + np.exp(after[1])).mean(axis=0), 1, rtol=1e-14)
    assert np.all(spare_nats(mu, logvar) > 0.05)  # control


def test_no_other_scale_and_shift_is_better():
    mu, logvar = encoder(1)

    def after(v):
        return mean_kl(*Rescaling(np.exp(v[:3]), v[3:]).encoder(mu, logvar)).sum()

    found = minimize(after, np.zeros(6), tol=1e-12)
    best = rescaling(mu, logvar)
    np.testing.assert_allclose(found.fun, mean_kl(mu, logvar).sum() - spare_nats(mu, logvar).sum(), rtol=1e-9)
    np.testing.assert_allclose(
        np.r_[np.exp(found.x[:3]), found.x[3:]], np.r_[best.scale, best.shift], rtol=1e-4, atol=1e-4
    )


def test_what_a_decoder_reads_does_not_change():
    mu, logvar = encoder(2)
    rng = np.random.default_rng(3)
    B, b, eps = rng.standard_normal((5, 3)), rng.standard_normal(5), rng.standard_normal(mu.shape)
    change = rescaling(mu, logvar)
    mean, log = change.encoder(mu, logvar)
    before = (mu + np.exp(logvar / 2) * eps) @ B.T + b
    after = (mean + np.exp(log / 2) * eps) @ (B / change.scale).T + (b - B @ change.shift)
    # Sums of a handful of terms of order 10.
    np.testing.assert_allclose(after, before, atol=1e-12)
    wrong = (mean + np.exp(log / 2) * eps) @ (B / change.scale).T + b
    assert np.abs(wrong - before).max() > 1  # control


def test_digits_are_kept_near_a_stationary_point():
    """v = 1 + 1e-9 is worth 1e-18/4 nats."""
    mu = np.array([[1.0], [-1.0]]) * 0.6
    logvar = np.full((2, 1), np.log(0.64 + 1e-9))
    np.testing.assert_allclose(spare_nats(mu, logvar), 0.25e-18, rtol=1e-5)


@pytest.mark.parametrize("logvar", [-1e4, 1e4, np.nan])
def test_latents_without_a_second_moment_are_refused(logvar):
    logs = np.zeros((4, 2))
    logs[:, 1] = logvar
    with np.errstate(over="ignore"), pytest.raises(InputError, match="latent 2 has the second moment"):
        rescaling(np.zeros((4, 2)), logs)
