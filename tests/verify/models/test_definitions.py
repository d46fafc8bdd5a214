"""Values of the models against their definitions, written out with the n x n matrices that the models avoid."""

import numpy as np
import pytest

from verify.eigenvalues import Eigenvalues, Written
from verify.errors import InputError
from verify.models import linear_vae, ppca

ROUNDING = 1e-12  # well-conditioned problems of a few variables


@pytest.fixture(params=[(4, 2, 0), (5, 3, 1), (3, 3, 2), (6, 1, 3)], ids=lambda p: f"n{p[0]}k{p[1]}")
def problem(request):
    n, k, seed = request.param
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((50, n)) @ rng.standard_normal((n, n))
    x -= x.mean(axis=0)
    return x, rng.standard_normal((n, k)), rng.standard_normal((k, n)), rng.uniform(0.3, 2.0, k), 0.7


def log_normal(x, mean, covariance):
    """log N(x; mean, covariance), row by row."""
    d = x - mean
    mahalanobis = np.einsum("...i,ij,...j->...", d, np.linalg.inv(covariance), d)
    return -0.5 * (len(covariance) * np.log(2 * np.pi) + np.linalg.slogdet(covariance)[1] + mahalanobis)


def test_the_likelihood_is_the_mean_log_density(problem):
    x, W, _, _, s = problem
    n = len(W)
    S = x.T @ x / len(x)
    expected = log_normal(x, np.zeros(n), W @ W.T + s * np.eye(n)).mean()
    assert ppca.log_likelihood(W, s, S) == pytest.approx(expected, rel=ROUNDING)
    # The control: 1/(N-1) is another likelihood.
    assert ppca.log_likelihood(W, s, S * 50 / 49) != pytest.approx(expected, rel=1e-4)


def test_the_posterior_is_gaussian_conditioning(problem):
    """Of the joint normal of (z, x): mean Sigma_zx Sigma_xx^-1 x, covariance I - Sigma_zx Sigma_xx^-1 Sigma_xz."""
    x, W, _, _, s = problem
    n, k = W.shape
    gain = W.T @ np.linalg.inv(W @ W.T + s * np.eye(n))
    mean, covariance = ppca.posterior(W, s, x)
    np.testing.assert_allclose(mean, x @ gain.T, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(covariance, np.eye(k) - gain @ W, rtol=1e-10, atol=1e-12)


def test_the_elbo_is_an_expectation_under_q(problem):
    """E_q[log p(x|z)] - KL by Gauss-Hermite quadrature where k = 1, by its closed form in the eigenbasis elsewhere."""
    x, W, V, D, s = problem
    n, k = W.shape
    S = x.T @ x / len(x)
    mean = x @ V.T
    divergence = 0.5 * (D + mean**2 - 1 - np.log(D)).sum(axis=1).mean()
    assert linear_vae.kl(V, D, S) == pytest.approx(divergence, rel=ROUNDING)
    nodes, probabilities = np.polynomial.hermite_e.hermegauss(3)  # exact for polynomials up to degree 5
    probabilities = probabilities / probabilities.sum()
    total = 0.0
    for index in np.ndindex(*[3] * k):
        z = mean + np.sqrt(D) * nodes[list(index)]
        total += probabilities[list(index)].prod() * log_normal(x, z @ W.T, s * np.eye(n)).mean()
    assert linear_vae.reconstruction(W, V, D, s, S) == pytest.approx(total, rel=ROUNDING)
    assert linear_vae.elbo(W, V, D, s, S) == pytest.approx(total - divergence, rel=ROUNDING)


def test_the_gap_is_the_divergence_from_the_posterior(problem):
    x, W, _, _, s = problem
    V, D = linear_vae.optimal_encoder(W, s)
    mean, covariance = ppca.posterior(W, s, x)
    np.testing.assert_allclose(x @ V.T, mean, rtol=1e-10, atol=1e-12)
    inverse = np.linalg.inv(covariance)
    divergence = 0.5 * (np.trace(inverse * D) - len(D) + np.linalg.slogdet(covariance)[1] - np.log(D).sum())
    assert linear_vae.gap(W, s) == pytest.approx(divergence, abs=1e-12)


def test_the_gap_of_nearly_orthogonal_columns_keeps_its_digits():
    """Two unit columns with cosine c: M scaled is [[1, r], [r, 1]], r = c/(1 + s), and the gap -1/2 log(1 - r^2)."""
    for c in (1e-3, 1e-6, 1e-9):
        W = np.array([[1.0, c], [0.0, np.sqrt(1 - c * c)]])
        assert linear_vae.gap(W, 1.0) == pytest.approx(-0.5 * np.log1p(-((c / 2) ** 2)), rel=1e-6)


def test_the_gap_of_parallel_columns_is_finite_at_any_noise():
    """M scaled has the eigenvalue 0, up to rounding of either sign, k - 1 times."""
    for k in (2, 3, 5, 8):
        W = np.outer([1.0, 0.3, -0.7], np.linspace(0.9, 2.1, k))
        gap = linear_vae.gap(W, 1e-30)
        assert np.isfinite(gap) and gap > 10


def test_the_maximum_likelihood_solution():
    rng = np.random.default_rng(5)
    lam, U = np.array([5.0, 3.0, 1.0, 0.5, 0.3]), np.linalg.qr(rng.standard_normal((5, 5)))[0]
    S = (U * lam) @ U.T
    W, s = ppca.maximum_likelihood(lam, U, 2)
    assert s == pytest.approx(0.6)
    best = ppca.log_likelihood(W, s, S)
    for _ in range(100):
        other = W + 0.1 * rng.standard_normal(W.shape)
        assert ppca.log_likelihood(other, s * np.exp(0.1 * rng.standard_normal()), S) < best
    W, s = ppca.maximum_likelihood(lam, U, 5)
    np.testing.assert_allclose(W @ W.T + s * np.eye(5), S, atol=1e-13)
    assert s == lam[-1]  # of all the noises that attain it, the largest
    fixed = ppca.fixed_noise_maximum(lam, U, 3, 2.0)
    assert (np.linalg.norm(fixed, axis=0) > 0).tolist() == [True, True, False]


def test_the_noise_of_exact_eigenvalues_is_their_mean_rounded_once():
    """0.1 + 0.2 + 0.3 as decimals make 0.6; as doubles they make more."""
    lam = Eigenvalues.of([Written("1.5"), Written("0.3"), Written("0.2"), Written("0.1")])
    assert lam.exact is not None
    assert ppca.mean_of_discarded(lam, 1) == 0.2
    assert ppca.mean_of_discarded(lam, 2) == 0.15
    assert ppca.mean_of_discarded(lam.values, 0) == pytest.approx(0.525, rel=1e-15)
    assert ppca.mean_of_discarded(np.full(7, 0.1), 4) == 0.1  # a mean of equal numbers is that number


@pytest.mark.parametrize(
    ("lam", "k", "mean"),
    [
        ([4.0, 2.0, 1.0, 1.0], 1, 4 / 3),  # equal numbers among others, at either end
        ([4.0, 2.0, 2.0, 1.0], 1, 5 / 3),
        ([4.0, 3.0, 1.0], 1, 2.0),
        ([4.0, 3.0, 1.0], 2, 1.0),  # of one
        ([4.0, 3.0, 1.0], 3, 1.0),  # of none: the largest of the noises that attain the maximum
        ([3.0, 1.0, 0.0, 0.0], 1, 1 / 3),  # bounded, as something is left over
    ],
)
def test_the_noise_is_the_mean_of_what_is_left_over(lam, k, mean):
    assert ppca.mean_of_discarded(np.array(lam), k) == pytest.approx(mean, rel=1e-15)
    exact = Eigenvalues.of([Written(str(x)) for x in lam])
    assert ppca.mean_of_discarded(exact, k) == pytest.approx(mean, rel=1e-15)


@pytest.mark.parametrize("k", [2, 3, 4])
def test_an_unbounded_likelihood_is_refused(k):
    with pytest.raises(InputError, match=f"unbounded for k = {k} at rank 2 < n = 4"):
        ppca.maximum_likelihood(np.array([3.0, 1.0, 0.0, 0.0]), np.eye(4), k)
