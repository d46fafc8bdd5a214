"""The optimum of the linear beta-VAE against the likelihood of pPCA, ascent over all parameters, a grid of noises."""

import numpy as np
import pytest
from scipy.optimize import minimize

from verify.models import ppca
from verify.models.beta_vae import fixed_noise_optimum, flat_below, learned_noise_optimum

LAM = np.array([6.0, 4.0, 2.5, 1.2, 0.5])


@pytest.mark.parametrize("sigma2", [0.1, 1.0, 3.0, 10.0])
@pytest.mark.parametrize("k", [1, 3, 5])
def test_with_weight_one_it_is_the_largest_likelihood(k, sigma2):
    W = ppca.fixed_noise_maximum(LAM, np.eye(5), k, sigma2)
    expected = ppca.log_likelihood(W, sigma2, np.diag(LAM))
    assert fixed_noise_optimum(LAM, k, sigma2) == pytest.approx(expected, rel=1e-13)
    assert fixed_noise_optimum(LAM[::-1], k, sigma2, 0.5) > expected  # a smaller weight costs less


def negative_elbo(theta, k, sigma2, beta):
    """Theory 3.1 with beta in front of (B), written out."""
    n, S = len(LAM), np.diag(LAM)
    W, V = theta[: n * k].reshape(n, k), theta[n * k : 2 * n * k].reshape(k, n)
    D = np.exp(theta[2 * n * k :])
    kl = 0.5 * (-np.log(D).sum() + np.trace(V @ S @ V.T) + D.sum() - k)
    R = np.eye(n) - W @ V
    error = np.trace(R @ S @ R.T) + (W**2 @ D).sum()
    return beta * kl + 0.5 * n * np.log(2 * np.pi * sigma2) + error / (2 * sigma2)


@pytest.mark.parametrize(("sigma2", "beta"), [(1.0, 2.0), (3.0, 0.4), (0.5, 0.05)])
def test_with_any_weight_ascent_reaches_it_and_nothing_more(sigma2, beta):
    rng, k = np.random.default_rng(0), 3
    found = [
        -minimize(negative_elbo, rng.normal(size=2 * 5 * k + k) * 0.5, (k, sigma2, beta), tol=1e-12).fun
        for _ in range(4)
    ]
    expected = fixed_noise_optimum(LAM, k, sigma2, beta)
    # Quasi-Newton with differences ends about 1e-6 below; one start may end in a saddle's neighbourhood.
    assert max(found) == pytest.approx(expected, abs=1e-5) and max(found) <= expected + 1e-9
    assert fixed_noise_optimum(LAM, k, sigma2) != pytest.approx(expected, abs=1e-2)


def test_without_the_kl_it_is_the_reconstruction():
    expected = -0.5 * (5 * np.log(2 * np.pi * 0.7) + LAM[2:].sum() / 0.7)
    assert fixed_noise_optimum(LAM, 2, 0.7, 0.0) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("beta", [0.0, 0.3, 1.0, 2.0, 7.0])
@pytest.mark.parametrize("k", [1, 3, 4, 8])
def test_the_best_noise_is_that_of_a_grid(k, beta):
    best = learned_noise_optimum(LAM, k, beta)
    grid = np.geomspace(1e-6, 1e3, 20001)
    values = [fixed_noise_optimum(LAM, k, float(s), beta) for s in grid]
    if best is None:
        assert k >= 5 and beta < 1 and values[0] == max(values)  # rises as the noise falls, for ever
        return
    assert best[1] >= max(values) - 1e-12
    assert best[1] == pytest.approx(max(values), abs=1e-5)  # steps of 0.1%, and a parabola at the top
    assert fixed_noise_optimum(LAM, k, best[0], beta) == best[1]


def test_with_weight_one_it_is_the_maximum_likelihood():
    W, sigma2 = ppca.maximum_likelihood(LAM, np.eye(5), 2)
    found = learned_noise_optimum(LAM, 2)
    assert found == pytest.approx((sigma2, ppca.log_likelihood(W, sigma2, np.diag(LAM))), rel=1e-13)


def test_data_that_latents_explain_wholly_have_no_best_noise():
    assert learned_noise_optimum(np.array([2.0, 1.0, 0.0, 0.0]), 2) is None
    assert learned_noise_optimum(np.array([2.0, 1.0, 0.0, 0.0]), 1) is not None
    # What counts is n - beta q at the two latents that explain all, 1 and 1/2, however many more there are.
    assert learned_noise_optimum(np.array([5.0, 2.0, 0.0, 0.0]), 3, 1.5) is None
    assert learned_noise_optimum(LAM, 9, 0.9) is None
    assert learned_noise_optimum(LAM, 9) is not None  # all directions kept: flat below the last eigenvalue


@pytest.mark.parametrize(
    ("lam", "k", "beta"), [([5.0, 2.0, 0.0, 0.0], 3, 2.0), ([3.0, 3.0, 0.0], 2, 1.5), (LAM, 5, 1.0), (LAM, 9, 1.0)]
)
def test_every_noise_up_to_a_threshold_may_be_best(lam, k, beta):
    sigma2, value = learned_noise_optimum(np.array(lam), k, beta)
    assert flat_below(lam, k, beta) == sigma2
    for share in (1.0, 0.5, 1e-3, 1e-6):
        assert fixed_noise_optimum(lam, k, share * sigma2, beta) == pytest.approx(value, rel=1e-12)
    assert fixed_noise_optimum(lam, k, 1.01 * sigma2, beta) < value  # control


@pytest.mark.parametrize(
    ("lam", "k", "beta"), [([5.0, 2.0, 0.0, 0.0], 1, 2.0), ([5.0, 2.0, 0.0, 0.0], 2, 2.1), (LAM, 4, 1.0), (LAM, 5, 1.2)]
)
def test_elsewhere_one_noise_is_best(lam, k, beta):
    sigma2, value = learned_noise_optimum(np.array(lam), k, beta)
    assert flat_below(lam, k, beta) is None and fixed_noise_optimum(lam, k, sigma2 / 2, beta) < value


def test_what_is_flat_needs_a_direction_to_be_kept():
    assert flat_below([0.0, 0.0], 2, 1.0) is None
    assert flat_below([3.0, 0.0], 1, 2.0) == 1.5  # one is enough


@pytest.mark.parametrize(("lam", "k", "beta"), [(LAM, 3, 2.5), (LAM, 4, 2.6), ([5.0, 2.0, 0.0, 0.0], 2, 2.0),
                                                ([5.0, 2.0, 0.0, 0.0], 4, 3.0)])  # fmt: skip
def test_where_n_less_beta_q_vanishes_or_is_negative_the_noise_is_still_found(lam, k, beta):
    """The stationary point of so many latents does not exist there; nor is zero a noise."""
    sigma2, value = learned_noise_optimum(np.array(lam), k, beta)
    assert sigma2 > 0
    assert value >= max(fixed_noise_optimum(lam, k, float(s), beta) for s in np.geomspace(1e-3, 1e2, 500)) - 1e-12


@pytest.mark.parametrize(("size", "copies", "beta"), [(0.1, 3, 2.0), (0.7, 5, 3.0), (0.3, 7, 2.0), (1.1, 6, 1.5)])
def test_of_equal_eigenvalues_the_flat_noise_is_the_same_to_the_last_digit(size, copies, beta):
    lam = [size] * copies + [0.0] * round((beta - 1) * copies)
    assert learned_noise_optimum(np.array(lam), copies, beta)[0] == flat_below(lam, copies, beta) == size / beta
