"""The revival test against its definition: single data, draws one by one, and searches that know no closed form."""

import mpmath
import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from verify.data.covariance import covariance, from_eigenvalues
from verify.errors import InputError
from verify.landscape.revival import direction_nats, escape, installed_nats, noise_with_latents, shift_nats
from verify.models.linear_vae import optimal_encoder


def residuals(seed=0, N=30, n=4):
    """rbar (N, n) with a mean and unequal directions."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((N, n)) @ rng.standard_normal((n, n)) + rng.standard_normal(n), rng


def test_the_gain_of_a_direction_keeps_its_digits_near_the_noise():
    with mpmath.workdps(60):
        for s in (1e-150, 0.3, 1.0, 7.0, 1e150):
            for factor in (1 + 2.0**-52, 1 + 1e-12, 1 + 1e-6, 1.5, 40.0, 1e12):
                rho = s * factor
                ratio = mpmath.mpf(rho) / mpmath.mpf(s)
                expected = (ratio - 1 - mpmath.log(ratio)) / 2
                # rho/s is rounded to half a unit, which near 1 is that part of rho/s - 1, twice.
                slack = 1e-15 + 2.0**-51 / float(ratio - 1)
                assert abs(float(direction_nats(rho, s)) / expected - 1) <= slack


def test_below_the_noise_and_on_it_nothing_is_gained():
    assert direction_nats(np.array([0.0, 0.5, 1.0 - 2.0**-53, 1.0]), 1.0).tolist() == [0.0] * 4
    assert direction_nats(1.1, 1.0) > 0


def test_the_shift_by_hand():
    assert shift_nats(np.array([3.0, 4.0]), 0.5) == 25.0


def change_at(added, encoded, residual, s):
    """One datum, entry by entry: -KL - E_w |r - b - U w|^2/(2s) + |r|^2/(2s)."""
    mean = [sum(v * (e - c) for v, e, c in zip(row, encoded, added.center, strict=True)) for row in added.V]
    kl = sum(0.5 * (m**2 + d - 1 - np.log(d)) for m, d in zip(mean, added.D, strict=True))
    total = -kl
    for i, r in enumerate(residual):
        expected = r - added.b[i] - sum(u * m for u, m in zip(added.U[i], mean, strict=True))
        variance = sum(u**2 * d for u, d in zip(added.U[i], added.D, strict=True))
        total -= (expected**2 + variance - r**2) / (2 * s)
    return total


@pytest.mark.parametrize("latents", [0, 1, 2, None])
def test_what_is_installed_is_told_datum_by_datum(latents):
    rbar, rng = residuals()
    added = escape(covariance(rbar), 0.7, latents)
    for encoded, residual in ((rbar, rbar), (np.tanh(rbar), rbar), (rbar, rbar + rng.standard_normal(rbar.shape))):
        told = installed_nats(added, encoded, residual, 0.7)
        assert told.shape == (30,)
        expected = [change_at(added, e, r, 0.7) for e, r in zip(encoded, residual, strict=True)]
        np.testing.assert_allclose(told, expected, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("s", [1e-3, 0.7, 5.0])
def test_the_escape_brings_what_is_promised_and_nothing_near_it_more(s):
    rbar, rng = residuals(1)
    known = covariance(rbar)
    added = escape(known, s)
    assert added.latents == (known.eigenvalues > s).sum()
    promised = shift_nats(rbar.mean(axis=0), s) + direction_nats(known.eigenvalues, s).sum()
    assert installed_nats(added, rbar, rbar, s).mean() == pytest.approx(promised, rel=1e-11)
    for name in ("U", "V", "D", "b"):
        for size in (1e-3, -1e-3, 0.1):
            arrays = added.arrays()
            arrays[name] = arrays[name] * (1 + size * rng.standard_normal(arrays[name].shape))
            assert installed_nats(type(added)(**arrays), rbar, rbar, s).mean() < promised


def test_the_encoder_is_the_best_one_of_these_columns():
    rbar, _ = residuals(2)
    added = escape(covariance(rbar), 0.5)
    V, D = optimal_encoder(added.U, 0.5)
    np.testing.assert_allclose(added.V, V, rtol=0, atol=1e-12)
    np.testing.assert_allclose(added.D, D, rtol=1e-12)
    np.testing.assert_allclose(added.b, rbar.mean(axis=0), rtol=0, atol=1e-14)
    # Its means have second moments 1 with the variances: theory 6.4, for the latents that are added.
    np.testing.assert_allclose((added.encode(rbar) ** 2).mean(axis=0) + added.D, 1.0, rtol=1e-12)


def test_at_most_as_many_latents_as_asked_for_and_the_strongest():
    rbar, _ = residuals(3)
    known = covariance(rbar)
    everything = escape(known, 1e-6)
    assert everything.latents == 4
    for latents in (0, 1, 3, 9):
        added = escape(known, 1e-6, latents)
        m = min(latents, 4)
        assert added.latents == m
        assert {name: array.shape for name, array in added.arrays().items()} == {
            "U": (4, m),
            "V": (m, 4),
            "D": (m,),
            "b": (4,),
            "center": (4,),
        }
        np.testing.assert_allclose(added.U, everything.U[:, :m], rtol=1e-12)
    for latents in (None, 3):  # on the noise a direction brings nothing, and gets no latent
        assert escape(known, float(known.eigenvalues[0]), latents).latents == 0


def test_single_draws_tell_it_without_bias_as_it_is_linear_in_the_residual():
    rbar, rng = residuals(4)
    added = escape(covariance(rbar), 0.4)
    noise = rng.standard_normal(rbar.shape)
    pair = [installed_nats(added, rbar, rbar + sign * noise, 0.4) for sign in (1, -1)]
    np.testing.assert_allclose(sum(pair) / 2, installed_nats(added, rbar, rbar, 0.4), rtol=1e-10, atol=1e-10)
    # The control: draws in the place of what is encoded bring in their spread.
    encoded = [installed_nats(added, rbar + sign * noise, rbar, 0.4) for sign in (1, -1)]
    assert np.abs(sum(encoded) / 2 - installed_nats(added, rbar, rbar, 0.4)).min() > 1e-3


def test_the_objective_of_a_beta_vae_gains_beta_times_that_at_the_product():
    rbar, _ = residuals(5)
    beta, sigma2 = 0.3, 2.0
    added = escape(covariance(rbar), beta * sigma2)
    told = beta * installed_nats(added, rbar, rbar, beta * sigma2)
    m = added.encode(rbar)
    kl = 0.5 * (m**2 + added.D - 1 - np.log(added.D)).sum(axis=1)
    error = ((rbar - added.b - m @ added.U.T) ** 2).sum(axis=1) + added.D @ (added.U**2).sum(axis=0)
    change = -beta * kl - (error - (rbar**2).sum(axis=1)) / (2 * sigma2)
    np.testing.assert_allclose(told, change, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("spread", [0.0, 0.5, 4.0, 100.0])
@pytest.mark.parametrize("latents", [0, 1, 3])
def test_the_learned_noise_is_where_a_search_ends(spread, latents):
    rho = np.array([5.0, 2.0, 2.0, 0.3, 0.0])

    def minus_twice(log_s):
        s = np.exp(log_s)
        gains = direction_nats(rho[:latents], s).sum()
        return 5 * np.log(s) + (rho.sum() + spread) / s - 2 * gains

    found = noise_with_latents(rho, spread, latents)
    searched = minimize_scalar(minus_twice, bounds=(-8, 8), method="bounded", options={"xatol": 1e-10})
    assert found == pytest.approx(np.exp(searched.x), rel=1e-6)
    q = int((rho[:latents] > found).sum())
    assert (5 - q) * found == pytest.approx(spread + rho[q:].sum(), rel=1e-14)


def test_without_a_spread_it_is_the_mean_of_the_discarded():
    assert noise_with_latents(np.array([5.0, 2.0, 1.0, 0.3]), 0.0, 2) == pytest.approx(0.65)
    assert noise_with_latents(np.array([5.0, 2.0, 0.0]), 0.0, 2) == 0.0


def test_a_latent_that_its_noise_exceeds_is_not_kept():
    # With two latents the noise would be (8 + 1)/1 = 9 > 5: none is kept at (8 + 5 + 2 + 1)/3.
    assert noise_with_latents(np.array([5.0, 2.0, 1.0]), 8.0, 2) == pytest.approx(16 / 3)
    # And here the second alone.
    assert noise_with_latents(np.array([50.0, 2.0, 1.0]), 8.0, 2) == pytest.approx(11 / 2)


def test_bad_input_is_one_line():
    rbar, _ = residuals(6)
    with pytest.raises(InputError, match=r"^a spectrum alone has no mean residual"):
        escape(from_eigenvalues([3.0, 1.0]), 1.0)
    for s in (0.0, -1.0, float("nan"), "much"):
        with pytest.raises(InputError):
            escape(covariance(rbar), s)
    with pytest.raises(InputError, match=r"^latents = -1: "):
        escape(covariance(rbar), 1.0, -1)
    for latents in (-1, 4):
        with pytest.raises(InputError, match=rf"^latents = {latents}: with n = 4"):
            noise_with_latents(np.ones(4), 0.0, latents)
