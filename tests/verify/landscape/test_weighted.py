"""The beta-VAE's points, values, indices and rates against differences of its objective, written out, and blind search.

Every closed form is that of the VAE at beta sigma2, stretched; nothing here uses that.
"""

from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import root

from verify.eigenvalues import Eigenvalues, Written, decimal
from verify.errors import InputError
from verify.landscape import weighted
from verify.landscape.families import fixed_noise_families
from verify.landscape.points import weights
from verify.landscape.stability import noise_table, recommended_noise, verdict
from verify.models import ppca
from verify.models.beta_vae import fixed_noise_optimum
from verify.models.linear_vae import gap, optimal_encoder

LAM = np.array([6.0, 4.0, 2.5, 1.2])
N, K = 4, 2
CASES = [(0.5, 4.0), (2.0, 0.4), (1.0, 2.5)]


def objective(theta, sigma2, beta):
    """E_q log p(x|z) - beta KL, theory 3.1 with beta in front of (B); theta is W, V and log D."""
    W, V = theta[: N * K].reshape(N, K), theta[N * K : 2 * N * K].reshape(K, N)
    D, S = np.exp(theta[2 * N * K :]), np.diag(LAM)
    kl = 0.5 * (-np.log(D).sum() + np.trace(V @ S @ V.T) + D.sum() - K)
    R = np.eye(N) - W @ V
    error = np.trace(R @ S @ R.T) + np.trace(W @ np.diag(D) @ W.T)
    return -beta * kl - error / (2 * sigma2) - 0.5 * N * np.log(2 * np.pi * sigma2)


def gradient(theta, sigma2, beta, h=1e-5):
    steps = h * np.eye(len(theta))
    return np.array([objective(theta + e, sigma2, beta) - objective(theta - e, sigma2, beta) for e in steps]) / (2 * h)


def by_hand(theta, sigma2, beta):
    """Eqs. 21-23 with beta in front of what comes of (B)."""
    W, V = theta[: N * K].reshape(N, K), theta[N * K : 2 * N * K].reshape(K, N)
    D, S = np.exp(theta[2 * N * K :]), np.diag(LAM)
    dW = (S @ V.T - W * D - W @ V @ S @ V.T) / sigma2
    dV = (W.T - W.T @ W @ V) @ S / sigma2 - beta * V @ S
    dlogD = 0.5 * (beta * (1 - D) - D * (W**2).sum(axis=0) / sigma2)
    return np.concatenate([dW.ravel(), dV.ravel(), dlogD])


def hessian(theta, sigma2, beta, h=1e-4):
    steps = h * np.eye(len(theta))
    rows = [gradient(theta + e, sigma2, beta, h) - gradient(theta - e, sigma2, beta, h) for e in steps]
    return (np.array(rows) + np.array(rows).T) / (4 * h)


def points(sigma2, beta):
    """(point, theta) of every family at beta sigma2."""
    s = weighted.effective_noise(sigma2, beta)
    for point in fixed_noise_families(LAM, K, s):
        W = weights(point, LAM, np.eye(N))
        V, D = optimal_encoder(W, s)
        yield point, np.concatenate([W.ravel(), V.ravel(), np.log(D)])


@pytest.mark.parametrize(("sigma2", "beta"), CASES)
def test_the_points_are_stationary_and_their_values_are_those_of_the_objective(sigma2, beta):
    found = list(points(sigma2, beta))
    assert len(found) > 5
    for point, theta in found:
        # Central differences with h = 1e-5: rounding of about 1e-16/h times the value.
        assert np.abs(gradient(theta, sigma2, beta)).max() < 1e-8
        value = objective(theta, sigma2, beta)
        assert weighted.point_value(point, LAM, sigma2, beta) == pytest.approx(value, rel=1e-13)
        assert weighted.stretched(point.value, N, sigma2, beta) == pytest.approx(value, rel=1e-13)
    # Control: with another beta the same places are not stationary, unless nothing is retained.
    moved = [np.abs(gradient(theta, sigma2, 1.3 * beta)).max() for point, theta in found if point.retained]
    assert min(moved) > 1e-3


@pytest.mark.parametrize(("sigma2", "beta"), CASES)
def test_index_and_rate_are_those_of_the_objective(sigma2, beta):
    """The rate: the largest eigenvalue of the Hessian in W after the encoder has been optimised (Schur complement)."""
    m = N * K
    for point, theta in points(sigma2, beta):
        of, H = verdict(point, LAM), hessian(theta, sigma2, beta)
        assert int((np.linalg.eigvalsh(H) > 1e-5).sum()) == of.index
        profile = H[:m, :m] - H[:m, m:] @ np.linalg.solve(H[m:, m:], H[m:, :m])
        largest = np.linalg.eigvalsh(profile)[-1]
        if of.escape is not None:
            assert beta * of.escape.rate == pytest.approx(largest, rel=1e-4)  # differences of differences
            assert of.escape.rate != pytest.approx(largest, rel=1e-2)  # control
        else:
            assert largest < 1e-5


@pytest.mark.parametrize(("sigma2", "beta"), CASES)
def test_a_blind_search_finds_nothing_else(sigma2, beta):
    known = sorted({round(weighted.point_value(p, LAM, sigma2, beta), 6) for p, _ in points(sigma2, beta)})
    plain = sorted({round(p.value, 6) for p in fixed_noise_families(LAM, K, sigma2)})
    rng, found = np.random.default_rng(0), []
    for _ in range(100):
        start = rng.normal(size=2 * N * K + K)
        assert by_hand(start, sigma2, beta) == pytest.approx(gradient(start, sigma2, beta), abs=1e-6)
        with np.errstate(all="ignore"):  # some starts run away
            end = root(by_hand, start, (sigma2, beta), tol=1e-10)
        if end.success and np.abs(end.x).max() < 20 and np.abs(gradient(end.x, sigma2, beta)).max() < 1e-8:
            found.append(objective(end.x, sigma2, beta))
    assert len(found) > 5 and len({round(v, 4) for v in found}) > 2
    assert max(np.abs(np.array(known)[:, None] - found).min(axis=0)) < 1e-5
    assert max(np.abs(np.array(plain)[:, None] - found).min(axis=0)) > 1e-2  # control: the VAE at sigma2 has others


@pytest.mark.parametrize("beta", [0.3, 4.0])
def test_what_bounds_it_is_the_largest_value_over_encoders_of_any_covariance(beta):
    rng, sigma2, S = np.random.default_rng(1), 0.7, np.diag(LAM)
    W, s = rng.normal(size=(N, K)), beta * 0.7
    M = W.T @ W + s * np.eye(K)
    V, cov = np.linalg.solve(M, W.T), s * np.linalg.inv(M)

    def value(V, cov):
        R = np.eye(N) - W @ V
        error = np.trace(R @ S @ R.T) + np.trace(W @ cov @ W.T)
        kl = 0.5 * (np.trace(V @ S @ V.T) + np.trace(cov) - K - np.linalg.slogdet(cov)[1])
        return -beta * kl - error / (2 * sigma2) - 0.5 * N * np.log(2 * np.pi * sigma2)

    bound = weighted.stretched(ppca.log_likelihood(W, s, S), N, sigma2, beta)
    assert value(V, cov) == pytest.approx(bound, rel=1e-13)
    for _ in range(50):
        A = 0.1 * rng.normal(size=(K, K))
        assert value(V + 0.1 * rng.normal(size=(K, N)), (np.eye(K) + A) @ cov @ (np.eye(K) + A).T) < bound
    diagonal = value(V, np.diag(s / np.diag(M)))
    assert bound - diagonal == pytest.approx(beta * gap(W, s), rel=1e-10)
    # It is no bound on the likelihood, nor the likelihood one of it.
    assert bound != pytest.approx(float(ppca.log_likelihood(W, sigma2, S)), abs=0.1)


def test_with_beta_below_one_the_objective_exceeds_the_likelihood():
    best = fixed_noise_optimum(LAM, K, 1.0, 0.1)
    assert best > ppca.log_likelihood(ppca.fixed_noise_maximum(LAM, np.eye(N), K, 1.0), 1.0, np.diag(LAM)) + 0.5


def test_a_product_of_decimals_is_exact():
    s = weighted.effective_noise(Written("0.1"), Written("3"))
    assert (s, decimal(s)) == (0.3, Fraction(3, 10)) and 3 * 0.1 != 0.3
    at = Eigenvalues.of(np.array([1.0, 0.3, 0.1])).position(s)
    assert (at.above, at.level, at.undecided) == (1, 1, False)
    assert Eigenvalues.of(np.array([1.0, 0.3, 0.1])).position(3 * 0.1).level == 0  # control
    assert decimal(weighted.noise_at(1.0, 3.0)) == Fraction(1, 3)
    assert weighted.effective_noise(weighted.noise_at(0.7, 0.9), 0.9) == 0.7
    assert weighted.effective_noise(0.1) == 0.1 == weighted.noise_at(0.1)


@pytest.mark.parametrize("beta", [0.25, 1.0, 4.0])
def test_each_latent_collapses_as_sigma2_passes_its_share_of_the_eigenvalue(beta):
    for j, lam in enumerate(LAM):
        threshold = lam / beta
        rows = noise_table(LAM, N, [0.99 * threshold, threshold, 1.01 * threshold], beta)
        assert [row.retained for row in rows] == [j + 1, j, j]
        assert [row.margin for row in rows] == pytest.approx([0.01 * threshold, 0, 0.01 * threshold], abs=1e-12)
        for row in rows:
            assert row.effective_sigma2 == pytest.approx(beta * row.sigma2, rel=1e-15)
            assert row.value == pytest.approx(fixed_noise_optimum(LAM, N, row.sigma2, beta), rel=1e-13)


@pytest.mark.parametrize("beta", [0.3, 1.0, 7.0])
@pytest.mark.parametrize("lam", [[6.0, 4.0, 2.5, 1.2], [3.0, 2.0, 2.0, 2.0], [3.0, 1.0, 0.0, 0.0]])
def test_the_recommended_noise_keeps_all(lam, beta):
    for k in range(1, 5):
        noise = recommended_noise(np.array(lam), k, beta)
        assert (noise is None) == (k > np.count_nonzero(lam))
        if noise is not None:
            assert noise_table(np.array(lam), k, [noise], beta)[0].retained == k
            assert noise == pytest.approx(recommended_noise(np.array(lam), k) / beta, rel=1e-15)


@pytest.mark.parametrize("beta", [0, -1.0, float("nan"), float("inf"), 1e-80, True, "4"])
def test_weights_that_are_none_are_refused(beta):
    with pytest.raises(InputError, match="beta"):
        weighted.usable_weight(beta)


@pytest.mark.parametrize(("beta", "said"), [
    (0, "beta = 0: without the KL"),
    (-0.5, "must be positive and finite"),
    (-1e80, "must be positive and finite"),
    (1e-80, "outside 1e-75 to"),
])  # fmt: skip
def test_it_is_said_why_a_weight_is_none(beta, said):
    with pytest.raises(InputError, match=said):
        weighted.usable_weight(beta)


def test_the_weights_on_the_edge_are_usable():
    for beta in (1e-75, 1e75, 1.0, Written("0.1")):
        assert weighted.usable_weight(beta) == beta
    for beta in (9.99e-76, 1.01e75):
        with pytest.raises(InputError, match="outside 1e-75 to 1e\\+75"):
            weighted.usable_weight(beta)
    assert isinstance(weighted.usable_weight(Written("0.1")), Written)  # with the digits that were written
