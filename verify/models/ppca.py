"""The marginal likelihood of probabilistic PCA.

Notation   W (..., n, k); sigma2 > 0, a number or (...); S (n, n) or (..., n, n), the sample covariance divided
           by N; C = W W^T + sigma2 I (n, n); M = W^T W + sigma2 I (k, k). Leading axes broadcast.
Main       log_likelihood (Eq. 5), gradient (Eq. 11), noise_gradient, posterior (Eq. 6), maximum_likelihood
           (Eqs. 7, 8), hessian_vector_product, hessian, joint_hessian.
Reference  Tipping & Bishop, JRSS-B 61 (1999), App. A; Lucas et al., NeurIPS 2019, Sec. 4.1 and App. A.

Only k x k systems are solved: C^-1 Y = (Y - P W^T Y) / sigma2 with P = C^-1 W = W M^-1. At a stationary point the
residual R = S P - W vanishes, and the gradient is C^-1 R: formed this way it vanishes to rounding as well.
Objectives are per datum, in nats. Arrays may be NumPy's or CuPy's. Inputs are not validated here: a caller that
takes them from outside uses verify.checks.
"""

from fractions import Fraction
from math import fsum, log, pi

import numpy as np

from verify.arrays import Array, namespace, to_numpy, transpose
from verify.eigenvalues import Eigenvalues
from verify.errors import InputError


def as_matrix(sigma2: Array) -> Array:
    """A scalar or (...) noise as (..., 1, 1), so that it broadcasts against matrices."""
    return sigma2[..., None, None] if getattr(sigma2, "ndim", 0) else sigma2


def as_vector(sigma2: Array) -> Array:
    """A scalar or (...) noise as (..., 1), so that it broadcasts against vectors, and against one axis more."""
    return sigma2[..., None] if getattr(sigma2, "ndim", 0) else sigma2


def latent_precision(W: Array, sigma2: Array) -> Array:
    """M = W^T W + sigma2 I (Eq. 6).  W (..., n, k) -> (..., k, k)."""
    xp = namespace(W)
    return transpose(W) @ W + as_matrix(sigma2) * xp.eye(W.shape[-1], dtype=W.dtype)


def whitened(W: Array, sigma2: Array) -> Array:
    """P = C^-1 W = W M^-1, the push-through identity.  W (..., n, k) -> (..., n, k)."""
    return transpose(solved(latent_precision(W, sigma2), transpose(W)))


def solved(M: Array, B: Array) -> Array:
    """M^-1 B of stacks that broadcast against each other, as CuPy's solve has none of that.  -> (..., k, n)."""
    xp = namespace(M, B)
    lead = np.broadcast_shapes(M.shape[:-2], B.shape[:-2])
    M, B = (xp.broadcast_to(A, (*lead, *A.shape[-2:])) for A in (M, B))
    return xp.linalg.solve(M, B)


def precision_times(Y: Array, W: Array, P: Array, sigma2: Array) -> Array:
    """C^-1 Y = (Y - P W^T Y) / sigma2 (Woodbury).  Y (..., n, m), P = C^-1 W -> (..., n, m)."""
    return (Y - P @ (transpose(W) @ Y)) / as_matrix(sigma2)


def trace(A: Array) -> Array:
    """tr A over the last two axes.  (..., m, m) -> (...)."""
    return namespace(A).trace(A, axis1=-2, axis2=-1)


def log_likelihood(W: Array, sigma2: Array, S: Array) -> Array:
    """L = -1/2 [n log 2 pi + log det C + tr(C^-1 S)], per datum (Eq. 5).  W (..., n, k), S (..., n, n) -> (...)."""
    xp = namespace(W, S)
    n, k = W.shape[-2:]
    log_det = xp.linalg.slogdet(latent_precision(W, sigma2))[1] + (n - k) * xp.log(xp.asarray(sigma2))
    explained = xp.sum(whitened(W, sigma2) * (S @ W), axis=(-2, -1))
    return -0.5 * (n * log(2 * pi) + log_det + (trace(S) - explained) / sigma2)


def gradient(W: Array, sigma2: Array, S: Array) -> Array:
    """dL/dW = C^-1 S C^-1 W - C^-1 W, zero iff S C^-1 W = W (Eq. 11).  W (..., n, k), S (..., n, n) -> (..., n, k)."""
    P = whitened(W, sigma2)
    return precision_times(S @ P - W, W, P, sigma2)


def noise_gradient(W: Array, sigma2: Array, S: Array) -> Array:
    """dL/dsigma2 = 1/2 [tr(C^-2 S) - tr C^-1].  W (..., n, k), S (..., n, n) -> (...)."""
    P = whitened(W, sigma2)
    n = W.shape[-2]
    half = precision_times(S, W, P, sigma2)
    trace_of_precision = (n - trace(transpose(W) @ P)) / sigma2
    return 0.5 * (trace(precision_times(transpose(half), W, P, sigma2)) - trace_of_precision)


def posterior(W: Array, sigma2: Array, x: Array) -> tuple[Array, Array]:
    """p(z|x) = N(M^-1 W^T x, sigma2 M^-1) (Eq. 6).  W (n, k), x (..., n) minus the mean -> (..., k), (k, k)."""
    xp = namespace(W, x)
    covariance = as_matrix(sigma2) * xp.linalg.inv(latent_precision(W, sigma2))
    return x @ whitened(W, sigma2), covariance


def mean_of_discarded(eigenvalues: Array | Eigenvalues, k: int) -> float:
    """sigma2_MLE = mean of the n - k smallest eigenvalues (Eq. 7).  eigenvalues (n,) descending -> number.

    Raises InputError where the likelihood has no maximum over sigma2: rank < n and rank <= k (the noise runs to 0).
    """
    known = eigenvalues.exact if isinstance(eigenvalues, Eigenvalues) else None
    values = to_numpy(eigenvalues.values if isinstance(eigenvalues, Eigenvalues) else eigenvalues)
    n, rank = len(values), int((values > 0).sum())
    if rank <= k and rank < n:
        raise InputError(
            f"the likelihood is unbounded for k = {k} at rank {rank} < n = {n} when the noise is learned: "
            f"choose k < {rank}, or fix sigma2"
        )
    if k == n:
        return float(values[-1])
    if known is not None:
        return float(sum(known[k:], Fraction(0)) / (n - k))
    # Correctly rounded but for the division; a mean of equal numbers is that number.
    rest = [float(x) for x in values[k:]]
    return rest[0] if rest[0] == rest[-1] else fsum(rest) / (n - k)


def maximum_likelihood(eigenvalues: Array, eigenvectors: Array, k: int) -> tuple[Array, float]:
    """W_MLE = U_k (Lam_k - sigma2 I)^{1/2} and sigma2_MLE (Eqs. 7, 8, R = I).  (n,), (n, n) -> (n, k), number.

    With k = n every sigma2 <= lam_n attains the maximum; the largest is returned. Raises InputError (unbounded).
    """
    sigma2 = mean_of_discarded(eigenvalues, k)
    return fixed_noise_maximum(eigenvalues, eigenvectors, k, sigma2), sigma2


def fixed_noise_maximum(eigenvalues: Array, eigenvectors: Array, k: int, sigma2: float) -> Array:
    """U_k (Lam_k - sigma2 I)_+^{1/2}, a global maximum of L at this noise (theory 1.5).  (n,), (n, n) -> (n, k)."""
    xp = namespace(eigenvalues, eigenvectors)
    return eigenvectors[:, :k] * xp.sqrt(xp.maximum(eigenvalues[:k] - sigma2, 0.0))


def hessian_vector_product(W: Array, sigma2: Array, S: Array, X: Array) -> Array:
    """D^2 L(W)[X], the derivative of the gradient along X.  W, X (..., n, k), S (..., n, n) -> (..., n, k).

    With P = C^-1 W, R = S P - W, G = C^-1 R and dM = X^T W + W^T X:
    dP = (X - P dM) M^-1 and dG = C^-1 [S dP - X - X P^T R - W X^T G].
    """
    P = whitened(W, sigma2)
    R = S @ P - W
    G = precision_times(R, W, P, sigma2)
    cross = transpose(X) @ W
    M = latent_precision(W, sigma2)
    dP = transpose(solved(M, transpose(X - P @ (cross + transpose(cross)))))
    inner = S @ dP - X - X @ (transpose(P) @ R) - W @ (transpose(X) @ G)
    return precision_times(inner, W, P, sigma2)


def basis(n: int, k: int, like: Array) -> Array:
    """The nk unit directions E_ia, in row-major order.  -> (nk, n, k)."""
    return namespace(like).eye(n * k, dtype=like.dtype).reshape(n * k, n, k)


def symmetrised(H: Array) -> Array:
    """(H + H^T) / 2.  (..., m, m) -> (..., m, m)."""
    return 0.5 * (H + transpose(H))


def hessian(W: Array, sigma2: Array, S: Array) -> Array:
    """The dense Hessian of L in W, coordinates W.reshape(-1).  W (..., n, k), S (..., n, n) -> (..., nk, nk)."""
    n, k = W.shape[-2:]
    columns = hessian_vector_product(W[..., None, :, :], as_vector(sigma2), S[..., None, :, :], basis(n, k, W))
    return symmetrised(columns.reshape(*columns.shape[:-2], n * k))


def mixed_noise_gradient(W: Array, sigma2: Array, S: Array) -> Array:
    """d^2 L / dW dsigma2.  With dC = I: dP = -C^-1 P and dG = C^-1 (S dP - G).  W (..., n, k) -> (..., n, k)."""
    P = whitened(W, sigma2)
    G = precision_times(S @ P - W, W, P, sigma2)
    dP = -precision_times(P, W, P, sigma2)
    return precision_times(S @ dP - G, W, P, sigma2)


def noise_curvature(W: Array, sigma2: Array, S: Array) -> Array:
    """d^2 L / dsigma2^2 = 1/2 tr C^-2 - tr(C^-3 S).  W (..., n, k), S (..., n, n) -> (...)."""
    P = whitened(W, sigma2)
    n = W.shape[-2]
    latent = transpose(W) @ P
    # C^-1 = (I - W M^-1 W^T)/sigma2, and (W^T P)^2 has the squared shrinkages as eigenvalues.
    trace_squared = (n - 2 * trace(latent) + trace(latent @ latent)) / sigma2**2
    once = precision_times(S, W, P, sigma2)
    twice = precision_times(transpose(once), W, P, sigma2)
    return 0.5 * trace_squared - trace(precision_times(twice, W, P, sigma2))


def bordered(H: Array, g: Array, c: Array) -> Array:
    """[[H, g], [g^T, c]], the Hessian with one more variable.  (m, m), (m,), number -> (m + 1, m + 1)."""
    xp = namespace(H, g)
    m = len(H)
    joint = xp.empty((m + 1, m + 1), dtype=H.dtype)
    joint[:m, :m], joint[:m, m], joint[m, :m], joint[m, m] = H, g, g, c
    return joint


def joint_hessian(W: Array, sigma2: float, S: Array) -> Array:
    """The Hessian of L in (W, sigma2), W first.  W (n, k), S (n, n) -> (nk + 1, nk + 1)."""
    mixed = mixed_noise_gradient(W, sigma2, S).ravel()
    return bordered(hessian(W, sigma2, S), mixed, noise_curvature(W, sigma2, S))
