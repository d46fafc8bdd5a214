"""Probabilistic PCA: density and posterior by their definitions, scikit-learn's PCA and FactorAnalysis beside it."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.decomposition import PCA, FactorAnalysis

from tests.verify.estimators.rows import covariance_of, rows
from verify.estimators import ProbabilisticPCA

X, NEW = rows(), rows(20, seed=5) * 1.3
S = covariance_of(X)
LAM, U = (a[..., ::-1] for a in np.linalg.eigh(S))
MODELS = [
    ProbabilisticPCA(2),
    ProbabilisticPCA(5),
    ProbabilisticPCA(3, sigma2=0.01),
    ProbabilisticPCA(3, sigma2=2.0),
    ProbabilisticPCA(5, sigma2=1e-6),
    ProbabilisticPCA(1, sigma2=100.0),
]
each_model = pytest.mark.parametrize("model", MODELS, ids=str)


@each_model
def test_the_score_is_the_density_of_the_model(model):
    model.fit(X)
    W, s = model.loadings_, model.noise_variance_
    C = W @ W.T + s * np.eye(5)
    expected = multivariate_normal(X.mean(axis=0), C).logpdf(NEW)
    # scipy's eigenvalues of C are off by about 1e-16 lam_1, a share of 1e-9 of the least here.
    np.testing.assert_allclose(model.score_samples(NEW), expected, rtol=1e-8)
    assert model.score(NEW) == pytest.approx(expected.mean(), rel=1e-8)
    assert model.log_likelihood_ == pytest.approx(model.score(X), rel=1e-9)
    np.testing.assert_allclose(model.get_covariance(), C, rtol=1e-13)
    np.testing.assert_allclose(model.get_precision() @ C, np.eye(5), atol=1e-8)
    wrong = multivariate_normal(X.mean(axis=0), 1.01 * C).logpdf(NEW)
    assert not np.allclose(model.score_samples(NEW), wrong, rtol=1e-5)


@each_model
def test_the_posterior_is_that_of_the_joint_normal(model):
    """Of (z, x), by conditioning: mean W^T C^-1 (x - mean), covariance I - W^T C^-1 W."""
    model.fit(X)
    W, k = model.loadings_, model.n_components_
    gain = W.T @ np.linalg.inv(W @ W.T + model.noise_variance_ * np.eye(5))
    # The inverse of C is known to about 1e-16 lam_1 / sigma2, 1e-9 of it at the least noise here.
    np.testing.assert_allclose(model.transform(NEW), (NEW - X.mean(axis=0)) @ gain.T, atol=1e-7)
    np.testing.assert_allclose(model.posterior_covariance_, np.eye(k) - gain @ W, atol=1e-7)
    np.testing.assert_allclose(
        model.inverse_transform(model.transform(NEW)), X.mean(axis=0) + (NEW - X.mean(axis=0)) @ (W @ gain).T, atol=1e-6
    )


@pytest.mark.parametrize("unit", [1e-30, 1e30])
def test_other_units_shift_the_score_and_nothing_else(unit):
    """log p(a x) = log p(x) - n log a."""
    here, there = ProbabilisticPCA(2).fit(X), ProbabilisticPCA(2).fit(X * unit)
    assert there.score(NEW * unit) == pytest.approx(here.score(NEW) - 5 * np.log(unit), rel=1e-12)
    np.testing.assert_allclose(there.transform(NEW * unit), here.transform(NEW), rtol=1e-10, atol=1e-12)


def test_the_score_is_what_draws_of_latents_give():
    model = ProbabilisticPCA(2, sigma2=1.0).fit(X)
    z = np.random.default_rng(0).normal(size=(400_000, 2))
    x = X[0]
    squares = ((x - model.mean_ - z @ model.loadings_.T) ** 2).sum(axis=1)
    density = np.exp(-0.5 * squares - 2.5 * np.log(2 * np.pi))
    error = density.std() / np.sqrt(len(z))
    found = np.exp(model.score_samples(X[:1])[0])
    assert abs(found - density.mean()) < 4 * error  # four standard errors, by the seed
    assert error < 0.02 * found  # so that this says something


def test_axes_and_thresholds_are_eigenvectors_and_eigenvalues():
    model = ProbabilisticPCA(3, sigma2=2.0).fit(X)
    np.testing.assert_allclose(model.eigenvalues_, LAM, rtol=1e-12)
    np.testing.assert_allclose(model.thresholds_, LAM[:3], rtol=1e-12)
    np.testing.assert_allclose(np.abs((model.components_ * U[:, :3].T).sum(axis=1)), 1, rtol=1e-12)
    assert model.retained_ == (LAM > 2.0)[:3].sum() == 2
    assert ProbabilisticPCA(3, sigma2=float(0.999 * LAM[2])).fit(X).retained_ == 3
    assert np.all(model.loadings_[:, 2] == 0) and np.all(model.transform(NEW)[:, 2] == 0)


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("N", [12, 60, 1000])
def test_pca_divides_by_one_less_and_lies_below_by_as_much(N, k):
    X = rows(N)
    ours, theirs = ProbabilisticPCA(k).fit(X), PCA(k, svd_solver="full").fit(X)
    c, n = N / (N - 1), X.shape[1]
    np.testing.assert_allclose(theirs.get_covariance(), c * ours.get_covariance(), rtol=1e-10, atol=1e-12)
    lost = n / 2 * (np.log(c) - 1 + 1 / c)
    # Differences of scores of about 10.
    assert ours.score(X) - theirs.score(X) == pytest.approx(lost, abs=1e-12) and lost > 1e-7
    np.testing.assert_allclose(ours.components_, theirs.components_, atol=1e-10)


def test_with_few_rows_pca_averages_over_fewer_eigenvalues():
    X, k = rows(10, 30), 3
    ours, theirs = ProbabilisticPCA(k).fit(X), PCA(k, svd_solver="full").fit(X)
    assert theirs.noise_variance_ * (10 - k) * 9 / 10 == pytest.approx(ours.noise_variance_ * (30 - k), rel=1e-10)
    assert ours.score(X) > theirs.score(X)
    # It is the maximum: scale the noise and it falls.
    near = [ProbabilisticPCA(k, sigma2=ours.noise_variance_ * f).fit(X).score(X) for f in (0.98, 1.02)]
    assert ours.score(X) > max(near)


def test_factor_analysis_contains_it():
    """One noise for each column instead of one for all: its maximum is no lower, and no higher where one will do."""
    X = rows(500, seed=2)
    assert factor_analysis(X).score(X) >= ProbabilisticPCA(2).fit(X).score(X) - 1e-5
    rng = np.random.default_rng(3)
    X = rng.normal(size=(2000, 2)) @ rng.normal(size=(2, 5)) * 2 + rng.normal(size=(2000, 5))
    ours, theirs = ProbabilisticPCA(2).fit(X), factor_analysis(X)
    # 2 N times the difference is chi-square with n - 1 = 4 degrees of freedom; 18.5 is its quantile .999.
    assert -1e-5 < theirs.score(X) - ours.score(X) < 18.5 / (2 * 2000)
    np.testing.assert_allclose(theirs.noise_variance_, ours.noise_variance_, rtol=0.2)
    worse = ProbabilisticPCA(2, sigma2=1.2 * ours.noise_variance_).fit(X)
    assert theirs.score(X) - worse.score(X) > 18.5 / (2 * 2000)


def factor_analysis(X):
    """Fitted until a step of its EM gains less than 1e-3 in all, 2e-6 per row."""
    return FactorAnalysis(2, tol=1e-3, max_iter=5000, svd_method="lapack").fit(X)


def test_samples_have_the_mean_and_the_covariance_of_the_model():
    model = ProbabilisticPCA(2, sigma2=2.0).fit(X)
    drawn, C = model.sample(200_000, random_state=0), model.get_covariance()
    assert drawn.shape == (200_000, 5)
    # An entry has the variance (C_ij^2 + C_ii C_jj)/N; six of these deviations, of 25 entries.
    spread = np.sqrt((C**2 + np.outer(np.diag(C), np.diag(C))) / len(drawn))
    assert np.all(np.abs(covariance_of(drawn) - C) < 6 * spread)
    assert not np.all(np.abs(covariance_of(drawn) - 1.05 * C) < 6 * spread)
    np.testing.assert_allclose(drawn.mean(axis=0), model.mean_, atol=6 * np.sqrt(C.max() / len(drawn)))
    np.testing.assert_array_equal(model.sample(3, random_state=1), model.sample(3, random_state=1))
    ours = [model.sample(3, random_state=np.random.default_rng(1)) for _ in range(2)]
    np.testing.assert_array_equal(*ours)
    assert model.sample().shape == (1, 5)


def test_standard_errors_are_the_spread_over_other_data():
    rng = np.random.default_rng(7)
    spread = np.sqrt([9.0, 3.0, 1.0])
    found = [ProbabilisticPCA(2, sigma2=0.5).fit(rng.normal(size=(400, 3)) * spread) for _ in range(300)]
    thresholds = np.array([m.thresholds_ for m in found])
    errors = np.mean([m.standard_errors_ for m in found], axis=0)
    # 300 draws tell a deviation to 4 %; to first order in 1/N.
    np.testing.assert_allclose(errors, thresholds.std(axis=0), rtol=0.15)
    np.testing.assert_allclose(errors, np.array([9.0, 3.0]) * np.sqrt(2 / 400), rtol=0.05)
