"""(epsilon, delta)-collapse against its definition, and against the two ways it has been measured wrongly."""

import numpy as np
import pytest

from verify.landscape.collapse import active_units, collapse_curve, collapsed, kl


def test_the_divergence_is_the_gaussian_one():
    rng = np.random.default_rng(0)
    mu, logvar = rng.standard_normal((2, 4, 3))
    for i in np.ndindex(4, 3):
        s2, m = np.exp(logvar[i]), mu[i]
        x = np.linspace(-40, 40, 400001)
        q = np.exp(-((x - m) ** 2) / (2 * s2)) / np.sqrt(2 * np.pi * s2)
        log_ratio = -((x - m) ** 2) / (2 * s2) - 0.5 * np.log(s2) + x**2 / 2
        assert kl(mu, logvar)[i] == pytest.approx(np.trapezoid(q * log_ratio, x), rel=1e-8)
    assert kl(np.zeros((1, 1)), np.full((1, 1), 1e-9))[0, 0] == pytest.approx(1e-18 / 4, rel=1e-6)


def test_the_proportion_of_data_counts():
    divergence = np.zeros((1000, 4))
    divergence[:10, 0] = 5.0  # 99 % within: collapsed at delta = 0.01
    divergence[:11, 1] = 5.0  # 98.9 %: not
    divergence[:, 2] = 0.009
    divergence[:, 3] = 0.011
    assert collapsed(divergence, 0.01, 0.01).tolist() == [True, False, True, False]


def test_averaging_first_measures_something_else():
    divergence = np.zeros((1000, 1))
    divergence[0] = 100.0  # the mean is 0.1 > epsilon, and yet 99.9 % of the data say nothing
    assert divergence.mean() > 0.01
    assert collapsed(divergence, 0.01, 0.01).all()


def test_nothing_is_below_zero():
    divergence = np.zeros((5, 2))
    assert not collapsed(divergence, 0.0, 0.0).any()
    assert collapsed(divergence, 0.0, 0.0, strict=False).all()


def test_the_curve_rises_and_active_units_count():
    rng = np.random.default_rng(1)
    mu = rng.standard_normal((500, 6)) * np.array([0, 0.05, 0.3, 1, 1, 2])
    logvar = np.zeros((500, 6))
    curve = collapse_curve(kl(mu, logvar), np.linspace(0, 2, 9), 0.01)
    assert (np.diff(curve) >= 0).all()
    assert curve[0] == 0
    assert active_units(mu) == 4
