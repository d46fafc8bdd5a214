"""Derivations for the linear VAE, q(z|x) = N(V x, D), for all n and k (Eqs. 15-28).

Notation   letters.py; q has E[z] = V x and covariance D; the average over data is E[x] = 0, E[x x^T] = S.
Main       kl (Eq. 16), reconstruction (Eqs. 17-20), squared_error, elbo, gradients (Eqs. 21-23 and the
           noise), posterior_kl, optimal_encoder, at_optimal_encoder, gap (Eqs. 24-28), profile_elbo with
           gradient, noise gradient and Hessian-vector product, placements (which products conform).

Everything starts from log densities of Gaussians and is derived; no printed formula is used here. The printed
ones are compared with these in proofs/.
"""

import functools
import operator
from dataclasses import dataclass
from itertools import permutations, product

from verify.symbolic import differentials, ppca
from verify.symbolic.expectations import expectation, log_gaussian
from verify.symbolic.letters import D, M, S, V, W, gram, n, sigma2, x, z
from verify.symbolic.matrix_calculus import NotConformable, Shape, WordSum, diag, inverse, zero
from verify.symbolic.relations import reduce, substitute
from verify.symbolic.traces import Scalar, log_det, trace


def over_latent(f: Scalar) -> Scalar:
    """E_q[f], the expectation over z at one datum x."""
    return expectation(f, z, V @ x, D)


def over_data(f: Scalar) -> Scalar:
    """The mean of f over the data."""
    return expectation(f, x, zero(n, 1), S)


def log_encoder() -> Scalar:
    """log q(z|x)."""
    return log_gaussian(z - V @ x, inverse(D), log_det(D))


def kl_at_datum() -> Scalar:
    """(B) = KL(q(z|x), p(z)) = E_q[log q(z|x) - log p(z)] at one datum x (Eq. 16)."""
    return over_latent(log_encoder() - ppca.log_prior())


def reconstruction_at_datum() -> Scalar:
    """(C) = E_q[log p(x|z)] at one datum x (Eqs. 17-20)."""
    return over_latent(ppca.log_observation())


def posterior_kl_at_datum() -> Scalar:
    """(A) = KL(q(z|x), p(z|x)) at one datum x (Eq. 15)."""
    return over_latent(log_encoder() - ppca.log_posterior())


@functools.cache
def kl() -> Scalar:
    """The mean of (B) over the data (Eq. 16)."""
    return over_data(kl_at_datum())


@functools.cache
def reconstruction() -> Scalar:
    """The mean of (C) over the data (Eqs. 19, 20)."""
    return over_data(reconstruction_at_datum())


@functools.cache
def posterior_kl() -> Scalar:
    """The mean of (A) over the data (Eq. 15)."""
    return over_data(posterior_kl_at_datum())


def squared_error() -> Scalar:
    """E||x - W z||^2 over q and the data; n sigma2 where the noise is stationary."""
    residual = x - W @ z
    return over_data(over_latent(trace(residual.T @ residual)))


def elbo() -> Scalar:
    """-(B) + (C), per datum (Eq. 4)."""
    return reconstruction() - kl()


@dataclass(frozen=True)
class Gradients:
    """The derivatives of the ELBO: word sums of the shapes of W, V, D, and a scalar."""

    W: WordSum
    V: WordSum
    D: WordSum
    sigma2: Scalar


@functools.cache
def gradients() -> Gradients:
    """Eqs. 21-23 and the noise gradient, by differentiation of the ELBO."""
    f = elbo()
    dW, dV, dD = (differentials.gradient(f, X) for X in (W, V, D))
    return Gradients(dW, dV, dD, differentials.derivative(f, sigma2))


def optimal_encoder() -> tuple[WordSum, WordSum]:
    """V* = M^-1 W^T and D* = sigma2 diag(M)^-1, the zeros of Eqs. 22 and 21."""
    return inverse(M) @ W.T, sigma2 * inverse(diag(M))


def at_optimal_encoder(f: Scalar) -> Scalar:
    """f with V* and D* for V and D, reduced by W^T W = M - sigma2 I."""
    best_V, best_D = optimal_encoder()
    return reduce(substitute(f, {"V": best_V, "D": best_D}), gram)


def gap() -> Scalar:
    """(A) at the optimal encoder: what the ELBO falls short of the likelihood (Eqs. 24-28)."""
    return at_optimal_encoder(posterior_kl())


@functools.cache
def profile_elbo() -> Scalar:
    """P(W), the ELBO at its optimal encoder: its maximum over V and D."""
    return at_optimal_encoder(elbo())


@functools.cache
def profile_gradient() -> WordSum:
    """dP/dW, by differentiation.  -> (n, k)."""
    return reduce(differentials.gradient(profile_elbo(), W), gram)


@functools.cache
def profile_noise_gradient() -> Scalar:
    """dP/dsigma2, by differentiation."""
    return reduce(differentials.derivative(profile_elbo(), sigma2), gram)


def profile_hessian_vector_product(X: WordSum) -> WordSum:
    """D^2 P(W)[X], the differential of the gradient along X (n, k).  -> (n, k)."""
    return reduce(differentials.differential(profile_gradient(), W, X), gram)


def placements(letters: tuple[WordSum, ...], shape: Shape) -> tuple[WordSum, ...]:
    """The products of these letters, each used once, in any order, transposed or not, of this shape."""
    found: dict[str, WordSum] = {}
    for order in permutations(letters):
        for flips in product((False, True), repeat=len(order)):
            try:
                flipped = [A.T if flip else A for A, flip in zip(order, flips, strict=True)]
                word = functools.reduce(operator.matmul, flipped)
            except NotConformable:
                continue
            if word.shape == shape:
                found[str(word)] = word
    return tuple(found.values())
