"""The 50-digit objectives against expectations taken datum by datum, and against derivatives by differences."""

import mpmath
import numpy as np
import pytest

from verify import reference

# 50 digits, less what a few products and a determinant of order-1 numbers lose.
TINY = mpmath.mpf("1e-44")


@pytest.fixture(params=[(1, 1, 0), (2, 1, 1), (3, 2, 2), (3, 3, 3)], ids=lambda p: f"n{p[0]}k{p[1]}")
def problem(request):
    """(W, V, D, sigma2, X): data X (6, n) with mean zero, so that S = X^T X / 6."""
    n, k, seed = request.param
    rng = np.random.default_rng(seed)
    X = rng.integers(-9, 10, (3, n)) / 4
    X = np.concatenate([X, -X])
    return rng.standard_normal((n, k)), rng.standard_normal((k, n)), rng.uniform(0.3, 2, k), 0.7, X


@pytest.fixture(autouse=True)
def fifty_digits():
    with reference.precision():
        yield


def covariance(X):
    X = reference.exact(X)
    return X.T @ X / len(X)


def log_normal(x, mean, variance):
    return -mpmath.log(2 * mpmath.pi * variance) / 2 - (x - mean) ** 2 / (2 * variance)


def elbo_by_quadrature(W, V, D, sigma2, X):
    """E_q[log p(x|z) + log p(z) - log q(z|x)]: quadratic in z, so that m_j +- sqrt(k d_j) average it exactly."""
    W, V, D, X = (reference.exact(A) for A in (W, V, D, X))
    k, total = len(D), mpmath.mpf(0)
    for x in X:
        m = V @ x
        for j in range(k):
            for sign in (-1, 1):
                z = m.copy()
                z[j] += sign * mpmath.sqrt(k * D[j])
                observed = sum(log_normal(a, b, mpmath.mpf(sigma2)) for a, b in zip(x, W @ z, strict=True))
                latent = sum(log_normal(z[i], 0, 1) - log_normal(z[i], m[i], D[i]) for i in range(k))
                total += (observed + latent) / (2 * k * len(X))
    return total


def log_likelihood_by_conditioning(W, sigma2, X):
    """mean of log p(x_1) + log p(x_2|x_1) + ..., each conditional by a least-squares solve."""
    W, X = reference.exact(W), reference.exact(X)
    C = W @ W.T + mpmath.mpf(sigma2) * np.array(mpmath.eye(len(W)).tolist(), dtype=object)
    total = mpmath.mpf(0)
    for x in X:
        total += log_normal(x[0], 0, C[0, 0])
        for i in range(1, len(x)):
            weights = mpmath.lu_solve(mpmath.matrix(C[:i, :i].tolist()), mpmath.matrix(C[:i, i].tolist()))
            mean = sum(weights[j] * x[j] for j in range(i))
            total += log_normal(x[i], mean, C[i, i] - sum(weights[j] * C[i, j] for j in range(i)))
    return total / len(X)


def test_the_elbo_is_the_expectation_of_its_definition(problem):
    W, V, D, s, X = problem
    expected = elbo_by_quadrature(W, V, D, s, X)
    assert abs(reference.elbo(W, V, D, s, covariance(X)) - expected) < TINY
    assert abs(reference.elbo(W, 1.001 * V, D, s, covariance(X)) - expected) > 1e-6  # control


def test_the_likelihood_is_a_product_of_conditionals(problem):
    W, _, _, s, X = problem
    expected = log_likelihood_by_conditioning(W, s, X)
    assert abs(reference.log_likelihood(W, s, covariance(X)) - expected) < TINY
    assert abs(reference.log_likelihood(W, 1.001 * s, covariance(X)) - expected) > 1e-6  # control


def test_the_gradient_is_the_derivative(problem):
    W, _, _, s, X = problem
    S, W, h = covariance(X), reference.exact(W), mpmath.mpf("1e-16")
    G = reference.gradient(W, s, S)
    assert G.shape == W.shape
    for index in np.ndindex(W.shape):
        step = np.zeros_like(W)
        step[index] = h
        rise = reference.log_likelihood(W + step, s, S) - reference.log_likelihood(W - step, s, S)
        # Central differences: h^2 = 1e-32 of truncation, times third derivatives.
        assert abs(G[index] - rise / (2 * h)) < mpmath.mpf("1e-28")


def test_the_optimal_encoder_is_the_maximum(problem):
    W, _, _, s, X = problem
    S = covariance(X)
    V, D = reference.optimal_encoder(W, s)
    best = reference.profile_elbo(W, s, S)
    assert best == reference.elbo(W, V, D, s, S)
    h = mpmath.mpf("1e-12")
    for index in np.ndindex(V.shape):
        step = np.zeros_like(V)
        step[index] = h
        # Stationary: the first order, about 1e-12, is missing, and the second is negative.
        for sign in (-1, 1):
            assert -mpmath.mpf("1e-21") < reference.elbo(W, V + sign * step, D, s, S) - best < 0
    for j in range(len(D)):
        for factor in (1 - h, 1 + h):
            moved = D.copy()
            moved[j] *= factor
            assert -mpmath.mpf("1e-21") < reference.elbo(W, V, moved, s, S) - best < 0


def test_likelihood_is_profile_elbo_plus_gap(problem):
    W, _, _, s, X = problem
    S = covariance(X)
    L, P = reference.log_likelihood(W, s, S), reference.profile_elbo(W, s, S)
    assert abs(L - P - reference.gap(W, s)) < TINY
    assert reference.gap(W, s) > (1e-6 if W.shape[1] > 1 else -TINY)


def test_floats_are_taken_at_their_exact_value():
    assert reference.exact(0.1)[()] == mpmath.mpf(3602879701896397) / 2**55
    assert reference.exact(np.array([[0.1, 2.0]])).shape == (1, 2)
