"""Derivations for probabilistic PCA, for all n and k.

Notation   letters.py.
Main       log_likelihood (Eq. 5), gradient (Eq. 11), noise_gradient, hessian_vector_product, mixed_noise_gradient,
           noise_curvature, log_density, log_posterior (Eq. 6).
"""

import sympy as sp

from verify.symbolic import differentials
from verify.symbolic.expectations import expectation, log_gaussian
from verify.symbolic.letters import C, M, S, W, gram, k, marginal_precision, n, sigma2, x, z
from verify.symbolic.matrix_calculus import WordSum, identity, inverse, zero
from verify.symbolic.relations import reduce
from verify.symbolic.traces import Scalar, log_det


def log_density() -> Scalar:
    """log p(x) = log N(x; 0, C), at one datum x (Eq. 5)."""
    return log_gaussian(x, inverse(C), log_det(C))


def log_likelihood() -> Scalar:
    """L: the mean of log p(x) over data with covariance S (Eq. 5)."""
    return expectation(log_density(), x, zero(n, 1), S)


def gradient() -> WordSum:
    """dL/dW, by differentiation (Eq. 11)."""
    return differentials.gradient(log_likelihood(), W)


def noise_gradient() -> Scalar:
    """dL/dsigma2, by differentiation."""
    return differentials.derivative(log_likelihood(), sigma2)


def gradient_in_latents() -> WordSum:
    """dL/dW with C^-1 by Woodbury, in W, M and S: (I - W M^-1 W^T) S W M^-1 / sigma2 - W M^-1."""
    return reduce(gradient(), marginal_precision(), gram)


def hessian_vector_product(X: WordSum) -> WordSum:
    """D^2 L(W)[X], the differential of the gradient along X (n, k).  -> (n, k)."""
    return reduce(differentials.differential(gradient_in_latents(), W, X), gram)


def mixed_noise_gradient() -> WordSum:
    """d^2 L / dW dsigma2, by differentiation.  -> (n, k)."""
    return reduce(differentials.derivative(gradient_in_latents(), sigma2), gram)


def noise_curvature() -> Scalar:
    """d^2 L / dsigma2^2, by differentiation."""
    noise = reduce(noise_gradient(), marginal_precision(), gram)
    return reduce(differentials.derivative(noise, sigma2), gram)


def log_prior() -> Scalar:
    """log p(z), z ~ N(0, I)."""
    return log_gaussian(z, identity(k), Scalar())


def log_observation() -> Scalar:
    """log p(x|z), x ~ N(W z, sigma2 I)."""
    return log_gaussian(x - W @ z, identity(n) / sigma2, Scalar(n * sp.log(sigma2)))


def log_posterior() -> Scalar:
    """log p(z|x), z ~ N(M^-1 W^T x, sigma2 M^-1) (Eq. 6)."""
    mean = inverse(M) @ W.T @ x
    return log_gaussian(z - mean, M / sigma2, Scalar(k * sp.log(sigma2)) - log_det(M))
