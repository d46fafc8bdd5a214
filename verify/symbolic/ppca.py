"""Derivations for probabilistic PCA, for all n and k.

Notation   letters.py.
Main       log_likelihood (Eq. 5), gradient (Eq. 11), noise_gradient, log_density, posterior (Eq. 6).
"""

import sympy as sp

from verify.symbolic import differentials
from verify.symbolic.expectations import expectation, log_gaussian
from verify.symbolic.letters import C, M, S, W, k, n, sigma2, x, z
from verify.symbolic.matrix_calculus import WordSum, identity, inverse, zero
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
