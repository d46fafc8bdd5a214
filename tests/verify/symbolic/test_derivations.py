"""The derivations for pPCA and the linear VAE: known results, and that slips in them are seen."""

import numpy as np
import pytest
import sympy as sp

from verify.models import linear_vae as vae_model
from verify.models import ppca as ppca_model
from verify.symbolic import linear_vae, ppca
from verify.symbolic.evaluation import on_arrays, on_matrices
from verify.symbolic.explicit import Explicit, with_moments
from verify.symbolic.letters import (
    C,
    D,
    M,
    S,
    V,
    W,
    gram,
    k,
    log_det_of_marginal,
    marginal_precision,
    n,
    sigma2,
    woodbury,
    x,
)
from verify.symbolic.matrix_calculus import diag, identity, inverse
from verify.symbolic.relations import expand, reduce, substitute, substitute_log_det
from verify.symbolic.traces import Scalar, log_det, trace


def test_the_gradient_of_the_likelihood_is_that_of_eq_11():
    residual = S @ inverse(C) @ W - W
    assert ppca.gradient() == inverse(C) @ residual
    assert ppca.gradient() != residual @ inverse(M)  # the control: S C^-1 is not C^-1 S
    assert ppca.gradient() != -inverse(C) @ residual


def test_the_noise_gradient_of_the_likelihood():
    expected = (trace(inverse(C) @ S @ inverse(C)) - trace(inverse(C))) / 2
    assert ppca.noise_gradient() == expected
    assert ppca.noise_gradient() != 2 * expected


def test_the_noise_is_stationary_where_it_is_the_mean_squared_error():
    expected = linear_vae.squared_error() / (2 * sigma2**2) - n / (2 * sigma2)
    assert linear_vae.gradients().sigma2 == expected
    # Controls: without n, and without the variance of the encoder.
    assert linear_vae.gradients().sigma2 != linear_vae.squared_error() / (2 * sigma2**2) - 1 / (2 * sigma2)
    assert linear_vae.gradients().sigma2 != expected - trace(W @ D @ W.T) / (2 * sigma2**2)


def test_the_inverse_and_the_determinant_of_the_marginal_covariance():
    assert reduce(expand(C, C) @ woodbury(), gram) == identity(n)
    assert reduce(expand(C, C) @ (woodbury() * 2), gram) != identity(n)
    values = {n: 4, k: 2, sigma2: 0.6}
    arrays = {"W": np.random.default_rng(0).standard_normal((4, 2))}
    marginal = arrays["W"] @ arrays["W"].T + 0.6 * np.eye(4)
    # Two ways through a well-conditioned 4 x 4 matrix.
    assert np.isclose(on_arrays(log_det_of_marginal(), arrays, values), np.linalg.slogdet(marginal)[1], rtol=1e-12)
    assert np.allclose(on_arrays(woodbury(), arrays, values), np.linalg.inv(marginal), rtol=1e-12)


def test_evidence_is_elbo_plus_posterior_kl_at_every_encoder():
    evidence = reduce(ppca.log_likelihood(), marginal_precision(), gram)
    evidence = substitute_log_det(evidence, C, log_det_of_marginal())
    rest = evidence - linear_vae.elbo() - linear_vae.posterior_kl()
    assert reduce(rest, gram) == Scalar(0)
    # The control: the KL to the prior in place of that to the posterior.
    assert reduce(evidence - linear_vae.elbo() - linear_vae.kl(), gram) != Scalar(0)


def test_the_same_at_a_single_datum():
    elbo = linear_vae.reconstruction_at_datum() - linear_vae.kl_at_datum()
    rest = ppca.log_density() - elbo - linear_vae.posterior_kl_at_datum()
    rest = substitute_log_det(reduce(rest, marginal_precision(), gram), C, log_det_of_marginal())
    assert reduce(rest, gram) == Scalar(0)
    assert reduce(rest + trace(x @ x.T), gram) != Scalar(0)


def test_the_optimal_encoder_is_where_both_gradients_vanish():
    best_V, best_D = linear_vae.optimal_encoder()
    gradients = linear_vae.gradients()
    assert reduce(substitute(gradients.V, {"V": best_V}), gram).is_zero()
    assert reduce(substitute(gradients.D, {"D": best_D}), gram).is_zero()
    assert not reduce(substitute(gradients.D, {"D": 2 * best_D}), gram).is_zero()
    # The control: C^-1 for M^-1, on the other side, is the same encoder; C is not.
    assert reduce(W.T @ inverse(C) - best_V, marginal_precision(), gram).is_zero()
    assert not reduce(W.T @ C - best_V, marginal_precision(), gram).is_zero()
    assert best_D.shape == D.shape and best_V.shape == V.shape


def test_the_gap_is_that_of_the_model_and_what_the_profile_lacks():
    values, symbols = {"W": np.random.default_rng(3).standard_normal((4, 3))}, {n: 4, k: 3, sigma2: 0.6}
    assert np.isclose(on_arrays(linear_vae.gap(), values, symbols), vae_model.gap(values["W"], 0.6), rtol=1e-12)
    assert linear_vae.gap() == (log_det(diag(M)) - log_det(M)) / 2


def test_the_symbols_are_what_they_stand_for():
    for dimension in (n, k):
        assert sp.floor(dimension) == abs(dimension) == dimension
    for variance in (sigma2, *Explicit(2, 3).D.diagonal()):
        assert sp.sqrt(variance**2) == variance and sp.expand_log(sp.log(2 * variance)) == sp.log(2) + sp.log(variance)


def test_only_conformable_placements_are_found():
    assert [str(word) for word in linear_vae.placements((D, W), W.shape)] == ["W D"]
    assert [str(word) for word in linear_vae.placements((D, W), W.shape.T)] == ["D W^T"]
    assert linear_vae.placements((D, D), W.shape) == ()


def test_a_random_point_is_rational_positive_and_the_same_for_one_seed():
    explicit = Explicit(2, 2)
    everything = sp.Matrix([*explicit.W, *explicit.V, *explicit.D.diagonal(), *explicit.S, explicit.sigma2])
    points = [tuple(explicit.at_rationals(everything, seed)) for seed in range(20)]
    assert all(value.is_Rational and value > 0 for point in points for value in point)
    assert len(set(points)) == len(points) and points[7] == tuple(explicit.at_rationals(everything, 7))


@pytest.mark.parametrize("size", [(3, 1), (2, 2)], ids=str)
def test_the_likelihood_differentiated_entry_by_entry(size):
    explicit = Explicit(*size)
    difference = explicit.gradient(explicit.log_likelihood, explicit.W) - on_matrices(
        ppca.gradient(), explicit.matrices, explicit.values
    )
    assert explicit.at_rationals(difference, 0) == sp.zeros(*size)
    noise = sp.diff(explicit.log_likelihood, explicit.sigma2)
    noise -= on_matrices(ppca.noise_gradient(), explicit.matrices, explicit.values)
    assert sp.nsimplify(explicit.at_rationals(noise, 1)) == 0
    # The control: a gradient off by W is seen.
    assert explicit.at_rationals(difference + explicit.W, 0) != sp.zeros(*size)


def test_explicit_gradients_as_numpy_functions():
    explicit = Explicit(3, 2)
    rng = np.random.default_rng(5)
    W, V = rng.standard_normal((3, 2)), rng.standard_normal((2, 3))
    D, A = rng.uniform(0.5, 2, 2), rng.standard_normal((3, 6))
    S = A @ A.T / 6
    arguments = (W, V, D, 0.8, S)
    # Order-1 terms in float64.
    elbo = explicit.lambdified(explicit.elbo)(*arguments)
    assert np.isclose(elbo, vae_model.elbo(*arguments), rtol=1e-12)
    noise = explicit.lambdified(sp.diff(explicit.elbo, explicit.sigma2))(*arguments)
    assert np.isclose(noise, vae_model.gradients(*arguments).sigma2, rtol=1e-12)
    dD = explicit.lambdified(explicit.gradient(explicit.elbo, explicit.D))(*arguments)
    assert np.allclose(dD, np.diag(vae_model.gradients(*arguments).D), rtol=1e-11, atol=0)
    value = explicit.lambdified(explicit.log_likelihood)(*arguments)
    assert np.isclose(value, ppca_model.log_likelihood(W, 0.8, S), rtol=1e-11)
    likelihood = explicit.gradient(explicit.log_likelihood, explicit.W)
    actual = explicit.lambdified(likelihood)(*arguments)
    assert np.allclose(actual, ppca_model.gradient(W, 0.8, S), rtol=1e-10)
    assert not np.allclose(actual, -ppca_model.gradient(W, 0.8, S), rtol=1e-10)


def test_moments_beyond_the_second_are_refused():
    a, b = sp.symbols("a b")
    mean, covariance = sp.Matrix([1, 2]), sp.Matrix([[3, 4], [4, 5]])
    assert with_moments(a * b + a + 1, [a, b], mean, covariance) == (1 * 2 + 4) + 1 + 1
    with pytest.raises(ValueError, match="third"):
        with_moments(a**2 * b, [a, b], mean, covariance)
