"""The collapse of the linear optimum against the optimal encoder of its W, written out, and against other noises."""

import numpy as np
import pytest

from verify.data import covariance, from_eigenvalues
from verify.errors import InputError
from verify.landscape.collapse import CollapseCounts, collapse_curve, kl
from verify.landscape.optimal_collapse import optimal_collapse
from verify.models.linear_vae import optimal_encoder

EPSILONS = np.linspace(0, 2, 21)
DELTA = "0.01"


def rows(N=400, n=6, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((N, n)) * [3, 2, 1.5, 1, 0.6, 0.4] @ np.linalg.qr(rng.standard_normal((n, n)))[0] + 5


def by_definition(X, k, s, epsilons=EPSILONS):
    """Eigenvectors, W, the optimal encoder of W at that noise, the KL of every datum, the curve."""
    centred = X - X.mean(axis=0)
    lam, U = (a[..., ::-1] for a in np.linalg.eigh(centred.T @ centred / len(X)))
    W = U[:, :k] * np.sqrt(np.maximum(lam[:k] - s, 0))
    V, D = optimal_encoder(W, s)
    mu = centred @ V.T
    return collapse_curve(kl(mu, np.broadcast_to(np.log(D), mu.shape)), epsilons, DELTA)


def ours(X, k, noises, epsilons=EPSILONS):
    return optimal_collapse(covariance(X), np.array_split(X, 7), k, noises, epsilons, DELTA)


@pytest.mark.parametrize("k", [1, 4, 6, 9])
def test_it_is_that_of_the_optimal_encoder(k):
    X, noises = rows(), (0.05, 0.5, 1.2, 3.0, 20.0)
    found = ours(X, k, noises)
    for curve, s in zip(found, noises, strict=True):
        expected = by_definition(X, min(k, 6), s)
        if k > 6:  # latents beyond the dimension equal the prior
            expected = (6 * expected + (k - 6) * 100.0 * (EPSILONS > 0)) / k
        np.testing.assert_allclose(curve, expected, rtol=1e-12)  # percentages of whole numbers
    assert (found[-1][1:] == 100).all() and found[0][1] < 100


def test_another_noise_and_the_marginal_divergence_give_another_curve():
    """Controls: the noise not weighed by beta, and KL averaged over the data before it is compared."""
    X, sigma2, beta = rows(), 3.0, 0.4
    [found] = ours(X, 5, [beta * sigma2])
    assert np.abs(found - by_definition(X, 5, sigma2)).max() > 15
    lam = covariance(X).eigenvalues[:5]
    averaged = 0.5 * np.log(np.maximum(lam / (beta * sigma2), 1))  # mean_x mu_j^2 = 1 - D_j
    assert np.abs(found - 100 * (averaged[None, :] < EPSILONS[:, None]).mean(axis=1)).max() > 15


def test_fewer_rows_than_columns():
    """What is known of the rest of the space is that nothing varies there."""
    X = np.random.default_rng(1).standard_normal((5, 40))
    [found] = ours(X, 8, [0.1])
    centred = X - X.mean(axis=0)
    assert (np.linalg.svd(centred, compute_uv=False)[:4] ** 2 / 5 > 0.1).all()
    np.testing.assert_allclose(found, by_definition(X, 8, 0.1), rtol=1e-12)
    assert found[1] == 50  # 4 of 8 are kept


def test_counts_of_blocks_are_those_of_the_whole():
    divergence = np.random.default_rng(2).exponential(size=(301, 4)) * [0.01, 0.1, 0.3, 1]
    counts = CollapseCounts(EPSILONS, 4)
    for block in np.array_split(divergence, 5):
        counts.add(block)
    assert counts.N == 301
    np.testing.assert_array_equal(counts.curve(DELTA), collapse_curve(divergence, EPSILONS, DELTA))
    assert (counts.curve(DELTA) != counts.curve("0.3")).any()


def test_what_it_cannot_be_computed_from_is_refused_in_one_line():
    X = rows()
    with pytest.raises(InputError, match="give the rows"):
        optimal_collapse(from_eigenvalues([2, 1]), [X], 1, [1.0], EPSILONS, DELTA)
    with pytest.raises(InputError, match="10 rows, but the covariance is of 400"):
        optimal_collapse(covariance(X), [X[:10]], 1, [1.0], EPSILONS, DELTA)
    for bad in (0.0, float("nan")):
        with pytest.raises(InputError, match="must be positive"):
            ours(X, 2, [bad])
        with pytest.raises(InputError, match="must be positive"):
            ours(X, 2, [1.0, bad])
    assert ours(X, 2, []).shape == (0, len(EPSILONS))  # no noises, no curves
