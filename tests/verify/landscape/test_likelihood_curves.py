"""The curves of Figure 2 against the models, evaluated with full matrices in a random basis."""

import numpy as np
import pytest

from verify.errors import InputError
from verify.landscape import likelihood_curves as curves
from verify.models import linear_vae, ppca

LAM = np.array([6.0, 4.0, 2.5, 2.5, 1.2, 0.5, 0.1])
KS = np.array([1, 2, 3, 5, 6])
# Seven terms of order one, summed in another order.
ROUNDING = 1e-12


@pytest.fixture
def problem():
    """Eigenvectors (n, n) and S in a basis that is no coordinate basis."""
    U = np.linalg.qr(np.random.default_rng(3).standard_normal((LAM.size, LAM.size)))[0]
    return U, (U * LAM) @ U.T


def test_maximum_likelihood_curve_is_the_likelihood_of_the_maximum(problem):
    U, S = problem
    expected = [ppca.log_likelihood(*ppca.maximum_likelihood(LAM, U, int(k)), S) for k in KS]
    assert curves.maximum_likelihood_curve(LAM, KS) == pytest.approx(expected, rel=ROUNDING)


def test_optimal_elbo_curve_is_the_elbo_of_the_optimal_encoder(problem):
    U, S = problem
    for k, actual in zip(KS, curves.optimal_elbo_curve(LAM, KS), strict=True):
        W, sigma2 = ppca.maximum_likelihood(LAM, U, int(k))
        V, D = linear_vae.optimal_encoder(W, sigma2)
        assert actual == pytest.approx(float(linear_vae.elbo(W, V, D, sigma2, S)), rel=ROUNDING)


def test_optimal_elbo_meets_the_likelihood_as_lemma_1_says():
    likelihood, elbo = curves.maximum_likelihood_curve(LAM, KS), curves.optimal_elbo_curve(LAM, KS)
    assert elbo == pytest.approx(likelihood, rel=ROUNDING)
    full = -0.5 * np.log(2 * np.pi * np.e * LAM).sum()  # of C = S
    assert curves.aligned_likelihood(LAM, LAM) == pytest.approx(full, rel=ROUNDING)
    assert not np.allclose(elbo[:-1], likelihood[1:])  # control: the comparison can fail


@pytest.mark.parametrize("sigma2", [0.05, 0.9, 7.0])
def test_weights_at_another_noise(problem, sigma2):
    U, S = problem
    weights = [ppca.maximum_likelihood(LAM, U, int(k))[0] for k in KS]
    expected = [ppca.log_likelihood(W, sigma2, S) for W in weights]
    assert curves.weights_at_noise_curve(LAM, KS, sigma2) == pytest.approx(expected, rel=ROUNDING)


@pytest.mark.parametrize("sigma2", [0.05, 0.9, 2.5, 7.0])
def test_fixed_noise_curve_is_the_best_of_each_k_and_never_falls(problem, sigma2):
    U, S = problem
    best = [ppca.fixed_noise_maximum(LAM, U, int(k), sigma2) for k in KS]
    actual = curves.fixed_noise_curve(LAM, KS, sigma2)
    assert actual == pytest.approx([ppca.log_likelihood(W, sigma2, S) for W in best], rel=ROUNDING)
    assert (np.diff(actual) >= 0).all()


def test_full_weights_of_each_k_at_one_noise_rise_and_fall():
    # A long slow tail: late components bring a far smaller noise than the one that judges them.
    lam = np.geomspace(1.0, 1e-4, 60)
    ks = np.arange(1, 60)
    sigma2 = curves.maximum_likelihood_noises(lam, [10])[0]
    judged = curves.weights_at_noise_curve(lam, ks, sigma2)
    top = int(judged.argmax())
    assert 10 < ks[top] < ks[-1] and judged[-1] < judged[top]
    assert judged[9] == pytest.approx(curves.maximum_likelihood_curve(lam, [10])[0], rel=ROUNDING)
    assert (judged <= curves.fixed_noise_curve(lam, ks, sigma2) + 1e-9).all()  # 60 terms of order 10


def test_unbounded_likelihood_is_refused():
    with pytest.raises(InputError, match="unbounded"):
        curves.maximum_likelihood_curve(np.array([3.0, 2.0, 0.0, 0.0]), np.array([1, 2]))
