"""The optimum from rows: against the definition of the ELBO, ascent from anywhere, and what has no optimum."""

import numpy as np
import pytest
from scipy.optimize import minimize

from tests.verify.estimators.rows import covariance_of, rows
from verify.errors import InputError
from verify.estimators.optimum import optimum
from verify.models import linear_vae

X = rows()
S = covariance_of(X)
LAM = np.linalg.eigvalsh(S)[::-1]


def elbo(W, V, D, sigma2, beta):
    """Theory 3.1 with beta in front of (B), written out."""
    n, k = W.shape
    kl = 0.5 * (-np.log(D).sum() + np.trace(V @ S @ V.T) + D.sum() - k)
    R = np.eye(n) - W @ V
    error = np.trace(R @ S @ R.T) + (W**2 @ D).sum()
    return -beta * kl - 0.5 * n * np.log(2 * np.pi * sigma2) - error / (2 * sigma2)


CASES = [(3, 0.3, 1.0), (3, 2.0, 1.0), (3, 100.0, 1.0), (5, 0.05, 1.0), (3, 0.3, 4.0), (2, 2.0, 0.1)]


@pytest.mark.parametrize(("k", "sigma2", "beta"), CASES)
def test_its_value_is_the_elbo_of_its_parameters_with_any_weight(k, sigma2, beta):
    found = optimum(X, k, sigma2, beta)
    for weight in (1.0, beta, 7.0):
        expected = elbo(found.W, found.V, found.D, sigma2, weight)
        # Sums of a few hundred terms of about 1e2.
        assert found.elbo(weight) == pytest.approx(expected, rel=1e-12)
        assert found.elbo(weight) != pytest.approx(elbo(found.W, found.V, found.D, 1.1 * sigma2, weight), rel=1e-6)
    assert found.divergence.sum() == pytest.approx(linear_vae.kl(found.V, found.D, S), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(("k", "sigma2", "beta"), CASES)
def test_no_ascent_gets_above_it(k, sigma2, beta):
    def negative(theta):
        W, V, D = theta[: 5 * k].reshape(5, k), theta[5 * k : 10 * k].reshape(k, 5), np.exp(theta[10 * k :])
        return -elbo(W, V, D, sigma2, beta)

    rng, best = np.random.default_rng(1), optimum(X, k, sigma2, beta).elbo(beta)
    found = [-minimize(negative, rng.normal(size=11 * k) * 0.5, tol=1e-10).fun for _ in range(2)]
    # Quasi-Newton with differences ends about 1e-6 below it.
    assert max(found) <= best + 1e-9
    assert max(found) == pytest.approx(best, abs=1e-4)


@pytest.mark.parametrize("beta", [0.3, 1.0, 4.0])
@pytest.mark.parametrize("k", [1, 2, 4])
def test_a_learned_noise_is_the_best_of_a_grid(k, beta):
    found = optimum(X, k, "learned", beta)
    grid = [optimum(X, k, float(s), beta).elbo(beta) for s in np.geomspace(1e-2, 1e2, 41)]
    assert found.elbo(beta) >= max(grid)
    nearby = [optimum(X, k, found.sigma2 * f, beta).elbo(beta) for f in (0.99, 1.01)]
    assert found.elbo(beta) > max(nearby)  # a control: it is no plateau


def test_with_weight_one_the_learned_noise_is_the_mean_of_the_discarded():
    assert optimum(X, 2, "learned").sigma2 == pytest.approx(LAM[2:].mean(), rel=1e-12)
    assert optimum(X, 5, "learned").sigma2 == pytest.approx(LAM[4], rel=1e-12)
    assert optimum(X, 2, "learned", 4.0).sigma2 != pytest.approx(LAM[2:].mean(), rel=1e-2)


def test_an_eigenvalue_on_the_noise_is_not_retained():
    corners = np.array([[3.0, 1.0], [3.0, -1.0], [-3.0, 1.0], [-3.0, -1.0]])  # eigenvalues 9 and 1, exactly
    assert optimum(corners, 2, 1.0).retained == 1
    assert optimum(corners, 2, 0.999).retained == 2
    assert optimum(corners, 2, 0.25, 4.0).retained == 1  # beta sigma2 = 1
    assert np.all(optimum(corners, 2, 1.0).W[:, 1] == 0) and optimum(corners, 2, 1.0).D[1] == 1


def test_the_number_of_latents_by_evidence_is_that_of_scikit_learn():
    from sklearn.decomposition import PCA

    X = rows(400, 8, seed=3) + np.random.default_rng(4).normal(size=(400, 8))
    found = optimum(X, "mle", "learned")
    assert len(found.D) == PCA(n_components="mle").fit(X).n_components_ < 8


FEW = rows(4, 6)  # rank 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((FEW, 3, "learned"), "rank 3 in 6 columns.*n_components < 3 or a number"),
        ((FEW, 6, "learned"), "n_components < 3"),
        ((FEW, 4, "learned", 0.5), "runs to 0"),
        ((FEW[:2], 1, "learned"), "give a number for sigma2"),
        ((FEW, "mle", 1.0), "more rows than columns"),
        ((X, 6, 1.0), "from 1 to 5"),
        ((X, 0, 1.0), "from 1 to 5"),
        ((X, 2.0, 1.0), "n_components = 2.0"),
        ((X, True, 1.0), "n_components = True"),
        ((X, "two", 1.0), "n_components = two"),
        ((X, 2, 0.0), "sigma2 = 0"),
        ((X, 2, float("nan")), "sigma2 = nan"),
        ((X, 2, "best"), "sigma2 = 'best'.*learned"),
        ((X, 2, None), "sigma2 = None"),
        ((X, 2, 1.0, 0.0), "beta = 0"),
        ((X * 1e60, 2, 1.0), "outside"),
        ((np.ones((5, 3)), 1, 1.0), "constant"),
    ],
)
def test_what_has_no_optimum_is_said_in_one_line(arguments, said):
    with pytest.raises(InputError, match=said) as raised:
        optimum(*arguments)
    assert "\n" not in str(raised.value)


def test_beside_what_has_none_there_is_one():
    assert optimum(FEW, 2, "learned").sigma2 > 0
    assert optimum(FEW, 6, 0.1).retained <= 3
    assert optimum(FEW, 4, "learned", 4.0).sigma2 > 0  # n < beta rank: the KL holds against it
