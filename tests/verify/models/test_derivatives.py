"""Gradients and Hessians of the objectives against central differences of their values.

Central differences with step h err by about h^2 + eps/h, that is 1e-10 at h = 1e-5; 1e-6 of the norm leaves
room for the constants, and a wrong factor, sign or transpose is wrong by far more.
"""

import numpy as np
import pytest

from verify.models import linear_vae, ppca

STEP, TOLERANCE = 1e-5, 1e-6


def numerical(f, x):
    """The derivative of f at x, entry by entry: shape x.shape + f(x).shape."""
    columns = []
    for i in range(x.size):
        e = np.zeros(x.size)
        e[i] = STEP
        e = e.reshape(x.shape)
        columns.append((np.asarray(f(x + e)) - np.asarray(f(x - e))) / (2 * STEP))
    return np.array(columns).reshape((*x.shape, *np.shape(columns[0])))


def close(actual, expected):
    scale = max(np.linalg.norm(np.ravel(expected)), 1e-12)
    return np.linalg.norm(np.ravel(actual) - np.ravel(expected)) <= TOLERANCE * scale


@pytest.fixture(params=[(4, 2, 0), (5, 3, 1), (3, 3, 2), (6, 1, 3)], ids=lambda p: f"n{p[0]}k{p[1]}")
def problem(request):
    n, k, seed = request.param
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((n, 2 * n))
    return {
        "W": rng.standard_normal((n, k)),
        "V": rng.standard_normal((k, n)),
        "D": rng.uniform(0.3, 2.0, k),
        "sigma2": float(rng.uniform(0.4, 1.5)),
        "S": A @ A.T / (2 * n),
    }


def test_the_gradient_of_the_likelihood(problem):
    W, s, S = problem["W"], problem["sigma2"], problem["S"]
    expected = numerical(lambda w: ppca.log_likelihood(w, s, S), W)
    assert close(ppca.gradient(W, s, S), expected)
    assert not close(2 * ppca.gradient(W, s, S), expected)


def test_the_noise_gradient_and_curvature_of_the_likelihood(problem):
    W, s, S = problem["W"], np.array(problem["sigma2"]), problem["S"]
    assert close(ppca.noise_gradient(W, s, S), numerical(lambda t: ppca.log_likelihood(W, t, S), s))
    assert close(ppca.noise_curvature(W, s, S), numerical(lambda t: ppca.noise_gradient(W, t, S), s))
    assert close(ppca.mixed_noise_gradient(W, s, S), numerical(lambda t: ppca.gradient(W, t, S), s))


def test_the_hessian_of_the_likelihood(problem):
    W, s, S = problem["W"], problem["sigma2"], problem["S"]
    H = ppca.hessian(W, s, S)
    expected = numerical(lambda w: ppca.gradient(w, s, S), W).reshape(H.shape)
    assert close(H, expected)
    X = np.random.default_rng(9).standard_normal(W.shape)
    assert close(ppca.hessian_vector_product(W, s, S, X).ravel(), H @ X.ravel())
    assert not close(H + 1e-3 * np.linalg.norm(H) * np.eye(W.size), expected)


def test_the_gradients_of_the_elbo(problem):
    W, V, D, s, S = problem.values()
    g = linear_vae.gradients(W, V, D, s, S)
    assert close(g.W, numerical(lambda w: linear_vae.elbo(w, V, D, s, S), W))
    assert close(g.V, numerical(lambda v: linear_vae.elbo(W, v, D, s, S), V))
    assert close(g.D, numerical(lambda d: linear_vae.elbo(W, V, d, s, S), D))
    assert close(g.sigma2, numerical(lambda t: linear_vae.elbo(W, V, D, t, S), np.array(s)))


def test_the_hessian_of_the_elbo(problem):
    W, V, D, s, S = problem.values()
    n, k = W.shape

    def flat_gradient(theta):
        w, v, d = theta[: n * k].reshape(n, k), theta[n * k : 2 * n * k].reshape(k, n), theta[2 * n * k :]
        g = linear_vae.gradients(w, v, d, s, S)
        return np.concatenate([g.W.ravel(), g.V.ravel(), g.D])

    theta = np.concatenate([W.ravel(), V.ravel(), D])
    assert close(linear_vae.hessian(W, V, D, s, S), numerical(flat_gradient, theta))


def test_the_profile_is_the_elbo_at_the_optimal_encoder(problem):
    W, s, S = problem["W"], problem["sigma2"], problem["S"]
    V, D = linear_vae.optimal_encoder(W, s)
    assert linear_vae.profile_elbo(W, s, S) == pytest.approx(linear_vae.elbo(W, V, D, s, S), rel=1e-12)
    assert linear_vae.profile_elbo(W, s, S) > linear_vae.elbo(W, V * 1.01, D, s, S)
    assert linear_vae.profile_elbo(W, s, S) > linear_vae.elbo(W, V, D * 1.01, s, S)


def test_the_derivatives_of_the_profile(problem):
    W, s, S = problem["W"], problem["sigma2"], problem["S"]
    assert close(linear_vae.profile_gradient(W, s, S), numerical(lambda w: linear_vae.profile_elbo(w, s, S), W))
    H = linear_vae.profile_hessian(W, s, S)
    assert close(H, numerical(lambda w: linear_vae.profile_gradient(w, s, S), W).reshape(H.shape))
    noise = np.array(s)
    assert close(
        linear_vae.profile_noise_gradient(W, noise, S),
        numerical(lambda t: linear_vae.profile_elbo(W, t, S), noise),
    )


@pytest.mark.parametrize("joint, gradient, noise_gradient", [
    (ppca.joint_hessian, ppca.gradient, ppca.noise_gradient),
    (linear_vae.profile_joint_hessian, linear_vae.profile_gradient, linear_vae.profile_noise_gradient),
])  # fmt: skip
def test_the_joint_hessian_in_weights_and_noise(problem, joint, gradient, noise_gradient):
    W, s, S = problem["W"], problem["sigma2"], problem["S"]

    def flat_gradient(theta):
        w, t = theta[:-1].reshape(W.shape), theta[-1]
        return np.append(gradient(w, t, S).ravel(), noise_gradient(w, t, S))

    assert close(joint(W, s, S), numerical(flat_gradient, np.append(W.ravel(), s)))


def test_leading_axes_are_a_loop():
    rng = np.random.default_rng(4)
    n, k, batch = 5, 2, (3, 4)  # all different: none may stand for another
    W = rng.standard_normal((*batch, n, k))
    A = rng.standard_normal((*batch, n, n))
    S = A @ A.swapaxes(-1, -2) / n
    noise = rng.uniform(0.5, 2.0, batch)
    V, D = rng.standard_normal((*batch, k, n)), rng.uniform(0.5, 2.0, (*batch, k))
    for f in (ppca.log_likelihood, ppca.gradient, ppca.noise_gradient, ppca.noise_curvature, ppca.hessian,
              ppca.mixed_noise_gradient, linear_vae.profile_elbo, linear_vae.profile_gradient,
              linear_vae.profile_noise_gradient, linear_vae.profile_hessian):  # fmt: skip
        whole = f(W, noise, S)
        for i in np.ndindex(batch):
            np.testing.assert_allclose(whole[i], f(W[i], float(noise[i]), S[i]), rtol=1e-10, atol=1e-12)
    whole = linear_vae.gradients(W, V, D, noise, S)
    values = linear_vae.elbo(W, V, D, noise, S)
    for i in np.ndindex(batch):
        one = linear_vae.gradients(W[i], V[i], D[i], float(noise[i]), S[i])
        for a, b in zip(whole, one, strict=True):
            np.testing.assert_allclose(a[i], b, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(values[i], linear_vae.elbo(W[i], V[i], D[i], float(noise[i]), S[i]))
