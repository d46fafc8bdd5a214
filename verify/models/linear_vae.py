"""The ELBO of the linear VAE, q(z|x) = N(V (x - mu), diag(D)), and its profile over the encoder.

Notation   W (..., n, k); V (..., k, n); D (..., k), the variational variances; sigma2 > 0, a number or (...);
           S (n, n) or (..., n, n), divided by N; M = W^T W + sigma2 I (k, k). Leading axes broadcast.
Main       elbo (Eqs. 16, 19, 20), gradients (Eqs. 21-23 and the noise), optimal_encoder, gap (Eq. 28),
           profile_elbo with gradient, Hessian-vector product and Hessian, hessian (of the full ELBO).
Reference  Lucas et al., NeurIPS 2019, App. C.  Eq. 23 is printed with D W, which does not conform unless n = k: W D is
           meant.

The profile ELBO is P(W) = max over V, D = L(W) - gap(W), gap = 1/2 [sum_i log M_ii - log det M] >= 0 (Hadamard).
Objectives are per datum, in nats. Arrays may be NumPy's or CuPy's; inputs are not validated here.
"""

from math import log, pi
from typing import NamedTuple

from verify.arrays import Array, namespace, transpose
from verify.models import ppca
from verify.models.ppca import as_matrix, as_vector, basis, bordered, latent_precision, symmetrised, trace


class Gradients(NamedTuple):
    """The ELBO's partial derivatives: W (..., n, k), V (..., k, n), D (..., k), sigma2 (...)."""

    W: Array
    V: Array
    D: Array
    sigma2: Array


def diagonal(A: Array) -> Array:
    """The diagonal of the last two axes.  (..., m, m) -> (..., m)."""
    return namespace(A).diagonal(A, axis1=-2, axis2=-1)


def kl(V: Array, D: Array, S: Array) -> Array:
    """(B) = 1/2 [-log det D + tr(V S V^T) + tr D - k], the mean KL to the prior (Eq. 16).  -> (...)."""
    xp = namespace(V, D, S)
    per_latent = -xp.log(D) + diagonal(V @ S @ transpose(V)) + D - 1.0
    return 0.5 * xp.sum(per_latent, axis=-1)


def squared_error(W: Array, V: Array, D: Array, S: Array) -> Array:
    """E ||x - mu - W z||^2 = tr S - 2 tr(W V S) + tr(V^T W^T W V S) + tr(W D W^T).  -> (...)."""
    xp = namespace(W, V, D, S)
    WV = W @ V
    mean_part = trace(S) - 2 * trace(WV @ S) + xp.sum((WV @ S) * WV, axis=(-2, -1))
    return mean_part + xp.sum(D * xp.sum(W * W, axis=-2), axis=-1)


def reconstruction(W: Array, V: Array, D: Array, sigma2: Array, S: Array) -> Array:
    """(C) = -E||x - mu - W z||^2 / (2 sigma2) - n/2 log(2 pi sigma2) (Eqs. 19, 20).  -> (...)."""
    xp = namespace(W, V, D, S)
    n = W.shape[-2]
    return -0.5 * squared_error(W, V, D, S) / sigma2 - 0.5 * n * (log(2 * pi) + xp.log(xp.asarray(sigma2)))


def elbo(W: Array, V: Array, D: Array, sigma2: Array, S: Array) -> Array:
    """ELBO = -(B) + (C), per datum (Eq. 4).  W (..., n, k), V (..., k, n), D (..., k), S (..., n, n) -> (...)."""
    return reconstruction(W, V, D, sigma2, S) - kl(V, D, S)


def gradients(W: Array, V: Array, D: Array, sigma2: Array, S: Array) -> Gradients:
    """Eqs. 21-23 (with W D in Eq. 23) and dELBO/dsigma2 = E||x - W z||^2 / (2 sigma2^2) - n / (2 sigma2).

    W (..., n, k), V (..., k, n), D (..., k), S (..., n, n) -> Gradients.
    """
    xp = namespace(W, V, D, S)
    n, s = W.shape[-2], as_matrix(sigma2)
    SVt = S @ transpose(V)
    dW = (SVt - W * D[..., None, :] - W @ (V @ SVt)) / s
    dV = (transpose(W) - latent_precision(W, sigma2) @ V) @ S / s
    column_norms = xp.sum(W * W, axis=-2)
    dD = 0.5 * (1.0 / D - 1.0 - column_norms / as_vector(sigma2))
    dsigma2 = 0.5 * squared_error(W, V, D, S) / sigma2**2 - 0.5 * n / sigma2
    return Gradients(dW, dV, dD, dsigma2)


def optimal_encoder(W: Array, sigma2: Array) -> tuple[Array, Array]:
    """V* = M^-1 W^T and D* = sigma2 / diag(M), from Eqs. 21 and 22.  W (..., n, k) -> (..., k, n), (..., k)."""
    V = transpose(ppca.whitened(W, sigma2))
    return V, as_vector(sigma2) / diagonal(latent_precision(W, sigma2))


def gap(W: Array, sigma2: Array) -> Array:
    """KL(q*, posterior) = 1/2 [sum_i log M_ii - log det M] >= 0 (Eq. 28).  W (..., n, k) -> (...).

    Evaluated as 1/2 sum (e - log(1 + e)) over the eigenvalues e of M scaled to unit diagonal, less I: their sum is 0,
    no term is negative, and nearly orthogonal columns do not cancel.
    """
    xp = namespace(W)
    M = latent_precision(W, sigma2)
    scale = 1.0 / xp.sqrt(diagonal(M))
    k = W.shape[-1]
    correlation = M * scale[..., None] * scale[..., None, :] * (1.0 - xp.eye(k, dtype=M.dtype))
    e = xp.maximum(xp.linalg.eigvalsh(correlation), xp.finfo(M.dtype).eps - 1.0)
    return 0.5 * xp.sum(e - xp.log1p(e), axis=-1)


def profile_elbo(W: Array, sigma2: Array, S: Array) -> Array:
    """P(W) = max over V, D of the ELBO = L(W) - gap(W) (Eqs. 24-28).  W (..., n, k), S (..., n, n) -> (...)."""
    return ppca.log_likelihood(W, sigma2, S) - gap(W, sigma2)


def decorrelation(W: Array, sigma2: Array) -> Array:
    """diag(M)^-1 - M^-1, zero iff the columns of W are orthogonal.  W (..., n, k) -> (..., k, k)."""
    xp = namespace(W)
    M = latent_precision(W, sigma2)
    identity = xp.eye(W.shape[-1], dtype=M.dtype)
    return identity / diagonal(M)[..., None, :] - xp.linalg.inv(M)


def profile_gradient(W: Array, sigma2: Array, S: Array) -> Array:
    """dP/dW = dL/dW - W (diag(M)^-1 - M^-1).  W (..., n, k), S (..., n, n) -> (..., n, k)."""
    return ppca.gradient(W, sigma2, S) - W @ decorrelation(W, sigma2)


def profile_noise_gradient(W: Array, sigma2: Array, S: Array) -> Array:
    """dP/dsigma2 = dL/dsigma2 - 1/2 tr(diag(M)^-1 - M^-1).  W (..., n, k), S (..., n, n) -> (...)."""
    return ppca.noise_gradient(W, sigma2, S) - 0.5 * trace(decorrelation(W, sigma2))


def profile_hessian_vector_product(W: Array, sigma2: Array, S: Array, X: Array) -> Array:
    """D^2 P(W)[X].  W, X (..., n, k), S (..., n, n) -> (..., n, k).

    The gap's part: with dM = X^T W + W^T X and E = diag(M),
    X (E^-1 - M^-1) + W (M^-1 dM M^-1 - diag(dM) E^-2).
    """
    xp = namespace(W, X)
    M = latent_precision(W, sigma2)
    cross = transpose(X) @ W
    dM = cross + transpose(cross)
    inverse = xp.linalg.inv(M)
    change = inverse @ dM @ inverse
    scaled = W * (diagonal(dM) / diagonal(M) ** 2)[..., None, :]
    of_gap = X @ decorrelation(W, sigma2) + W @ change - scaled
    return ppca.hessian_vector_product(W, sigma2, S, X) - of_gap


def profile_hessian(W: Array, sigma2: Array, S: Array) -> Array:
    """The dense Hessian of P in W, coordinates W.reshape(-1).  W (..., n, k), S (..., n, n) -> (..., nk, nk)."""
    n, k = W.shape[-2:]
    columns = profile_hessian_vector_product(W[..., None, :, :], as_vector(sigma2), S[..., None, :, :], basis(n, k, W))
    return symmetrised(columns.reshape(*columns.shape[:-2], n * k))


def profile_joint_hessian(W: Array, sigma2: float, S: Array) -> Array:
    """The Hessian of P in (W, sigma2), W first.  W (n, k), S (n, n) -> (nk + 1, nk + 1)."""
    xp = namespace(W, S)
    M = latent_precision(W, sigma2)
    inverse, spread = xp.linalg.inv(M), diagonal(M)
    # d(diag(M)^-1 - M^-1)/dsigma2 = M^-2 - diag(M)^-2, because dM = I.
    change = inverse @ inverse - xp.eye(W.shape[1], dtype=M.dtype) / spread**2
    mixed = ppca.mixed_noise_gradient(W, sigma2, S) - W @ change
    curvature = ppca.noise_curvature(W, sigma2, S) - 0.5 * trace(change)
    return bordered(profile_hessian(W, sigma2, S), mixed.ravel(), curvature)


def hessian(W: Array, V: Array, D: Array, sigma2: float, S: Array) -> Array:
    """The dense Hessian of the full ELBO in (W, V, D), each row-major.  -> (m, m), m = nk + kn + k.

    W (n, k), V (k, n), D (k,), S (n, n). The derivative of Eqs. 21-23 along each unit direction (X, Y, Z).
    """
    xp = namespace(W, V, D, S)
    n, k = W.shape[-2:]
    m = 2 * n * k + k
    unit = xp.eye(m, dtype=W.dtype)
    X = unit[:, : n * k].reshape(m, n, k)
    Y = unit[:, n * k : 2 * n * k].reshape(m, k, n)
    Z = unit[:, 2 * n * k :]
    M, SVt, cross = latent_precision(W, sigma2), S @ V.T, transpose(X) @ W
    YSVt = Y @ SVt
    dW = (S @ transpose(Y) - X * D - W * Z[:, None, :] - X @ (V @ SVt) - W @ (YSVt + transpose(YSVt))) / sigma2
    dV = (transpose(X) - (cross + transpose(cross)) @ V - M @ Y) @ S / sigma2
    dD = -0.5 * Z / D**2 - diagonal(cross) / sigma2
    parts = [dW.reshape(m, n * k), dV.reshape(m, n * k), dD]
    return symmetrised(xp.concatenate(parts, axis=-1))
