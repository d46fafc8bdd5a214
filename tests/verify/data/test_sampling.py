"""Sampling errors of eigenvalues against simulation; the edge of noise; Minka's number of latents."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from verify.data import Rows, covariance, from_eigenvalues
from verify.data.preprocess import Preprocessing
from verify.data.sampling import marchenko_pastur_edge, suggested_latents

LAM = np.array([4.0, 2.0, 1.0])


def gaussian(rng, N):
    return rng.standard_normal((N, 3)) * np.sqrt(LAM)


def heavy(rng, N):
    """Student's t with 9 degrees of freedom, variances LAM: fourth moments 12/5 above those of a Gaussian."""
    return rng.standard_t(9, (N, 3)) * np.sqrt(LAM * 7 / 9)


def coverage(sample, errors_of, runs=400, N=600):
    """How often the population's eigenvalue lies within 1.96 standard errors, for each of the three."""
    rng = np.random.default_rng(0)
    hits = []
    for _ in range(runs):
        c = covariance(sample(rng, N))
        hits.append(np.abs(c.eigenvalues - LAM) <= 1.96 * errors_of(c))
    return np.mean(hits, axis=0)


@pytest.mark.parametrize("sample", [gaussian, heavy])
def test_standard_errors_cover_as_often_as_they_promise(sample):
    covered = coverage(sample, lambda c: c.standard_errors(3))
    # 95 % of 400 runs: 1.1 % standard deviation; bias of order 1/N and heavy tails cost another few.
    assert np.all(np.abs(covered - 0.95) < 0.045)


def test_the_gaussian_formula_fails_for_heavy_tails():
    anderson = lambda c: c.eigenvalues * np.sqrt(2 / c.N)  # noqa: E731
    assert np.all(np.abs(coverage(gaussian, anderson) - 0.95) < 0.045)
    assert np.all(coverage(heavy, anderson) < 0.90)


def test_they_are_the_definition():
    X = gaussian(np.random.default_rng(1), 500)
    c = covariance(X)
    projected = (X - X.mean(axis=0)) @ c.eigenvectors
    np.testing.assert_allclose(c.standard_errors(2), (projected**2).std(axis=0)[:2] / np.sqrt(500), rtol=1e-12)


def test_of_many_rows_a_part_is_enough():
    X = gaussian(np.random.default_rng(2), 100_000)
    c = covariance(X)
    # 20000 rows: sqrt(14/4/20000) = 1.3 %, four deviations.
    np.testing.assert_allclose(c.standard_errors(3), LAM * np.sqrt(2 / 100_000), rtol=0.053)
    assert np.array_equal(c.standard_errors(3), c.standard_errors(3))


def test_where_there_is_none_to_speak_of():
    X = gaussian(np.random.default_rng(3), 50)
    assert np.isnan(covariance(iter([X])).standard_errors(2)).all()  # read once
    assert np.isnan(from_eigenvalues([2.0, 1.0]).standard_errors(2)).all()
    tied = covariance(np.array([[1.0, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 3], [0, 0, -3]]))
    assert np.array_equal(np.isnan(tied.standard_errors(3)), [False, True, True])
    assert np.isnan(covariance(np.c_[X, np.ones(50)]).standard_errors(4)[3])


def test_they_scale_with_the_data():
    X = np.random.default_rng(4).integers(0, 256, (200, 4)).astype(np.uint8)
    scaled = Rows(X, Preprocessing(255.0), {}).covariance().standard_errors(4)
    np.testing.assert_allclose(scaled, covariance(X / 255).standard_errors(4), rtol=1e-10)
    one = gaussian(np.random.default_rng(5), 60)
    for power in (-480, 480):
        expected = np.ldexp(covariance(one).standard_errors(3), 2 * power)
        assert np.array_equal(covariance(np.ldexp(one, power)).standard_errors(3), expected)


def test_noise_reaches_to_the_marchenko_pastur_edge():
    X = np.random.default_rng(5).standard_normal((2000, 500)) * 3
    edge = marchenko_pastur_edge(9.0, 500, 2000)
    assert edge == 9 * 1.5**2
    # The largest eigenvalue deviates by N^(-2/3), a few per cent.
    assert covariance(X).eigenvalues[0] == pytest.approx(edge, rel=0.03)
    assert abs(covariance(X).eigenvalues[0] - marchenko_pastur_edge(9.0, 250, 2000)) > 1  # control


@pytest.mark.parametrize("seed", range(12))
def test_suggested_latents_are_those_of_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    n, k = int(rng.integers(2, 25)), int(rng.integers(1, 12))
    X = rng.standard_normal((80, k)) @ rng.standard_normal((k, n)) + rng.uniform(0.05, 2) * rng.standard_normal((80, n))
    c = covariance(X)
    assert suggested_latents(c.eigenvalues, c.N) == PCA(n_components="mle").fit(X).n_components_


def test_suggested_latents_find_those_that_are_there_at_every_scale():
    rng = np.random.default_rng(6)
    X = rng.standard_normal((2000, 4)) @ rng.standard_normal((4, 60)) + 0.3 * rng.standard_normal((2000, 60))
    c = covariance(X)
    assert suggested_latents(c.eigenvalues, 2000) == 4
    assert suggested_latents(c.eigenvalues * 1e-40, 2000) == 4  # scikit-learn's own has a threshold of 1e-15


@pytest.mark.parametrize(("lam", "N"), [([3.0, 1.0], 2), ([3.0], 10), ([3.0, 0.0], 10), ([2.0, 2.0, 1.0], 10)])
def test_where_no_number_of_latents_can_be_suggested(lam, N):
    assert suggested_latents(np.array(lam), N) is None
