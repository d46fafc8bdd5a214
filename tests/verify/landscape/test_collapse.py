"""(epsilon, delta)-collapse against its definition, and against the two ways it has been measured wrongly."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from verify.errors import InputError
from verify.landscape.collapse import active_units, collapse_curve, collapsed, enough, kl, second_moment


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


@pytest.mark.parametrize("delta", ["0.9999999999", "0.999999", "0.99", "0.1", "0.3", "0.7", "0.01", "1e-12", "0"])
@pytest.mark.parametrize("N", [1, 3, 10, 500, 60000])
def test_the_count_is_that_of_the_decimal_however_near_to_one(N, delta):
    """ceil(N (1 - delta)) in whole numbers: at least one datum, wherever delta < 1; the double says the same."""
    p, q = Fraction(delta).numerator, Fraction(delta).denominator
    expected = -(-N * (q - p) // q)
    assert expected >= 1
    for same in (delta, float(delta), Decimal(delta), Fraction(delta), np.float64(delta)):
        assert enough(N, same) == expected


def test_the_slack_that_was_allowed_once_called_everything_collapsed():
    far = np.full((500, 2), 5.0)
    assert np.ceil(500 * (1 - 0.9999999999) - 1e-9 * 500) == 0  # the control: the count as it was
    assert not collapsed(far, 0.01, 0.9999999999).any()
    far[7, 1] = 0.0
    assert collapsed(far, 0.01, "0.9999999999").tolist() == [False, True]


def test_a_delta_of_a_million_digits_costs_nothing():
    assert enough(60000, 1) == enough(60000, Fraction(1)) == 0
    assert enough(60000, Decimal("1e-999999")) == enough(60000, "1e-999999999") == 60000


def test_single_precision_stands_for_its_own_shortest_decimal():
    assert enough(10, np.float32(0.9)) == enough(10, 0.9) == enough(10, np.float16(0.9)) == 1
    assert enough(10, float(np.float32(0.9))) == 2  # the control: another double


@pytest.mark.parametrize(
    "delta",
    ["nan", "inf", float("nan"), np.float32("inf"), Decimal("-Infinity"), "x", "1e999999", 1.5, -0.01, Fraction(3, 2)],
)
def test_a_delta_that_is_no_proportion_is_refused_in_one_line(delta):
    with pytest.raises(InputError, match=r"^delta = .*a proportion of the data[^\n]*$"):
        enough(1000, delta)


def test_the_second_moment_is_one_at_the_optimum():
    """The optimal encoder of a linear VAE, on the data that it was found for; a rescaled latent is none."""
    rng = np.random.default_rng(3)
    X = rng.standard_normal((400, 5)) * [3, 2, 1, 0.5, 0.4]
    X -= X.mean(axis=0)
    lam, U = (a[..., ::-1] for a in np.linalg.eigh(X.T @ X / 400))
    W = U[:, :3] * np.sqrt(lam[:3] - 0.5)
    M = W.T @ W + 0.5 * np.eye(3)
    mu = X @ np.linalg.solve(M, W.T).T
    logvar = np.broadcast_to(np.log(0.5 / np.diag(M)), mu.shape)
    np.testing.assert_allclose(second_moment(mu, logvar), 1, rtol=1e-12)  # exact but for rounding
    assert np.abs(second_moment(1.1 * mu, logvar) - 1).min() > 0.05


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


def test_an_active_unit_varies_by_more_than_a_hundredth():
    mu = np.array([[0.1, 0.1001, 0.0999], [-0.1, -0.1001, -0.0999]])  # variances .01 but for an ulp, above and below
    assert mu.var(axis=0)[0] == pytest.approx(0.01) and active_units(mu) == 1 + int(mu.var(axis=0)[0] > 0.01)
    exactly = np.array([[0.068], [-0.068], [0.124], [-0.124]])
    assert exactly.var(axis=0)[0] == 0.01 and active_units(exactly) == 0
    assert active_units(np.array([[0.25], [0.0]])) == 1 and active_units(np.array([[0.125], [0.0]])) == 0
