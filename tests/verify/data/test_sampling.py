"""Sampling errors of eigenvalues against simulation; the edge of noise; Minka's number of latents."""

import mpmath
import numpy as np
import pytest
from sklearn.decomposition import PCA

from verify.data import Rows, covariance, from_eigenvalues, load
from verify.data.preprocess import Preprocessing
from verify.data.sampling import (
    _log_evidence,
    beyond_noise,
    marchenko_pastur_edge,
    permuted_edges,
    suggested_latents,
)
from verify.errors import InputError

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
    def anderson(c):
        return c.eigenvalues * np.sqrt(2 / c.N)

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


@pytest.mark.parametrize("N", [201, 30_000])
@pytest.mark.parametrize("scale", [None, 3.0])
def test_a_mean_that_is_rounded_does_not_matter(N, scale):
    small = 0.5 * np.resize([0, 1, 1], N).reshape(-1, 1)
    near, far = (Rows(X, Preprocessing(scale), {}).covariance().standard_errors(1) for X in (small, 1e15 + small))
    np.testing.assert_allclose(far, near, rtol=1e-12)
    if N == 201 and scale is None:
        np.testing.assert_allclose(near, ((small - 1 / 3) ** 2).std() / np.sqrt(N), rtol=1e-12)
        rounded = ((1e15 + small - (1e15 + small).mean()) ** 2).std() / np.sqrt(N)
        assert abs(rounded - near[0]) > 0.1 * near[0]  # control


def test_noise_reaches_to_the_marchenko_pastur_edge():
    X = np.random.default_rng(5).standard_normal((2000, 500)) * 3
    edge = marchenko_pastur_edge(9.0, 500, 2000)
    assert edge == 9 * 1.5**2
    # The largest eigenvalue deviates by N^(-2/3), a few per cent.
    assert covariance(X).eigenvalues[0] == pytest.approx(edge, rel=0.03)
    assert abs(covariance(X).eigenvalues[0] - marchenko_pastur_edge(9.0, 250, 2000)) > 1  # control


def shuffled_by_hand(X, draws, seed):
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(draws):
        Y = np.column_stack([X[order, i] for i, order in enumerate(orders(rng, X))])
        found.append(np.sort(np.linalg.eigvalsh(np.cov(Y.T, bias=True)))[::-1])
    return np.max(found, axis=0)


def orders(rng, X):
    """The rows that `permuted` puts into each column."""
    return rng.permuted(np.tile(np.arange(len(X))[:, None], X.shape[1]), axis=0).T


def test_the_edges_are_the_largest_eigenvalues_of_shuffled_columns():
    X = heavy(np.random.default_rng(7), 80)
    found = permuted_edges(X, draws=5, seed=3)
    np.testing.assert_allclose(found, shuffled_by_hand(X, 5, 3), rtol=1e-12)
    assert np.array_equal(found, permuted_edges(X, draws=5, seed=3))
    assert np.all(permuted_edges(X, draws=19, seed=3) >= found)
    wide = permuted_edges(X[:2])  # N < n: no more than N - 1 directions
    assert wide.shape == (3,) and wide[2] == 0
    # The trace is kept by each draw, and the largest of several exceeds it at most.
    assert permuted_edges(X, draws=1).sum() == pytest.approx(X.var(axis=0).sum())


def test_independent_columns_stay_below_them_where_they_pass_the_marchenko_pastur_edge():
    rng = np.random.default_rng(8)
    N, n, beyond, passed = 200, 20, 0, 0
    for _ in range(40):
        X = rng.standard_t(3, (N, n)) * np.geomspace(1, 4, n)
        lam = covariance(X).eigenvalues
        beyond += lam[0] > permuted_edges(X)[0]
        passed += beyond_noise(lam, N, 1)[0]
    assert beyond <= 7  # of 40 at most 1 in 20: 8 or more have probability 1e-3
    assert passed == 40  # control
    X = rng.standard_normal((N, 3)) @ rng.standard_normal((3, n)) + rng.standard_t(3, (N, n))
    lam, edges = covariance(X).eigenvalues, permuted_edges(X)
    assert np.all(lam[:3] > edges[:3]) and lam[3] < edges[3]


def test_what_they_do_not_see():
    rng = np.random.default_rng(9)
    N, n = 300, 30
    X = rng.standard_normal((N, 3)) * [6, 0.5, 0.5] @ rng.standard_normal((3, n)) + rng.standard_normal((N, n))
    lam, edges = covariance(X).eigenvalues, permuted_edges(X)
    assert lam[0] > edges[0] and lam[1] < edges[1]
    assert beyond_noise(lam, N, 5)[0] == 3  # which the other edge sees
    rows = rng.standard_normal((N, n)) / np.sqrt(rng.chisquare(5, (N, 1)) / 5)
    assert covariance(rows).eigenvalues[0] > permuted_edges(rows)[0]


def test_edges_of_nothing_are_refused():
    for X, draws in ((np.ones((1, 3)), 19), (np.ones(5), 19), (np.ones((5, 0)), 19), (np.ones((5, 2)), 0)):
        with pytest.raises(InputError, match="at least two rows"):
            permuted_edges(X, draws=draws)


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


def evidence(lam, N):
    """log p(data | q), q = 1..n-1, term by term as Minka's Eqs. 30 and 77 have it, in 50 digits."""
    with mpmath.workdps(50):
        lam, n, found = [mpmath.mpf(x) for x in lam], len(lam), []
        for q in range(1, n):
            v = sum(lam[q:]) / (n - q)
            free = mpmath.mpf(n * q) - mpmath.mpf(q * (q + 1)) / 2
            total = -q * mpmath.log(2) + (free + q) / 2 * mpmath.log(2 * mpmath.pi) - mpmath.mpf(q) / 2 * mpmath.log(N)
            for p in range(1, q + 1):
                half = mpmath.mpf(n - p + 1) / 2
                total += mpmath.loggamma(half) - half * mpmath.log(mpmath.pi)
            total -= mpmath.mpf(N) / 2 * (sum(map(mpmath.log, lam[:q])) + (n - q) * mpmath.log(v))
            other = lam[:q] + [v] * (n - q)
            for i in range(q):
                for j in range(i + 1, n):
                    total -= mpmath.log((lam[i] - lam[j]) * (1 / other[j] - 1 / other[i]) * N) / 2
            found.append(total)
        return found


def test_suggested_latents_of_wide_spectra_are_those_of_50_digits():
    N, n, missed = 33, 11, 0
    for seed in range(50):
        rng = np.random.default_rng(seed)
        # The last ones of a size, so that the choice is among them, up to 15 decades below the first.
        lam = np.r_[10 ** rng.uniform(-2, 8.6, n - 4), 10 ** rng.uniform(-6, -5.2, 4)]
        lam = np.sort(lam)[::-1]
        exact = evidence(lam, N)
        assert suggested_latents(lam, N) == int(np.argmax(exact)) + 1
        with mpmath.workdps(50):
            apart = [float(x - y) for x, y in zip(exact, _log_evidence(lam, N).tolist(), strict=True)]
        assert np.ptp(apart) < 1e-9
        rest = (lam.sum() - np.cumsum(lam)[:-1]) / np.arange(n - 1, 0, -1)
        missed += abs(rest[-1] / lam[-1] - 1) > 1e-3
    assert missed > 25  # control: less the first ones, the sum of all has lost what the last ones are


@pytest.mark.parametrize(("lam", "N"), [([3.0, 1.0], 2), ([3.0], 10), ([3.0, 0.0], 10), ([2.0, 2.0, 1.0], 10)])
def test_where_no_number_of_latents_can_be_suggested(lam, N):
    assert suggested_latents(np.array(lam), N) is None


def test_of_standardized_rows_they_are_those_of_a_correlation_matrix():
    """Against other data of the same kind, standardized by themselves; and the plain formula as a control."""
    rng = np.random.default_rng(6)
    mix = rng.standard_normal((4, 6)) * [[3], [1.5], [1], [0.7]]

    def drawn():
        return rng.standard_normal((400, 4)) @ mix + 0.5 * rng.standard_normal((400, 6))

    others = np.array([np.linalg.eigvalsh(np.corrcoef(drawn().T))[::-1][:2] for _ in range(600)])
    c = load(drawn(), standardize=True)
    # 600 draws give a deviation to 3 %, and one set of data to another ten.
    np.testing.assert_allclose(c.standard_errors(2), others.std(axis=0), rtol=0.25)
    z = drawn()
    z = (z - z.mean(axis=0)) / z.std(axis=0)
    plain = covariance(z).standard_errors(2)
    assert plain[0] > 1.4 * others.std(axis=0)[0]  # control: as if the deviations of the columns were known
