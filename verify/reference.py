"""The objectives in 50 digits, straight from their definitions: slow, naive, and independent of verify.models.

Notation   W (n, k); V (k, n); D (k,); sigma2; S (n, n); C = W W^T + sigma2 I, the (n, n) matrix itself.
Main       log_likelihood (Eq. 5), gradient (Eq. 11), elbo (Eq. 4), profile_elbo, gap (Eq. 24); exact, precision.
Reference  theory 1.1, 3.1, 3.3.

Arguments are arrays of floats, which are taken as the exact numbers they are, or of mpmath numbers. Results are
mpmath numbers, or object arrays of them; arithmetic on them keeps its digits only inside `with precision():`.
Nothing here is clever: no k x k identity, no cancellation avoided. That is what the 50 digits are for.
"""

from collections.abc import Iterable
from typing import Any

import mpmath
import numpy as np

from verify.arrays import Array, to_numpy

DIGITS = 50

Number = Any  # an mpmath number
Matrix = Any  # an mpmath matrix


def precision() -> Any:
    """A context in which mpmath works with 50 digits."""
    return mpmath.workdps(DIGITS)


def exact(a: Array) -> Array:
    """`a` (...) as an object array (...) of mpmath numbers, each float at its exact value."""
    a = np.asarray(to_numpy(a))
    return np.array([mpmath.mpf(v) for v in a.ravel().tolist()], dtype=object).reshape(a.shape)


def log_likelihood(W: Array, sigma2: Any, S: Array) -> Number:
    """-1/2 [n log 2 pi + log det C + tr(C^-1 S)], per datum (Eq. 5).  W (n, k), S (n, n) -> number."""
    with precision():
        C = _marginal_covariance(W, sigma2)
        quadratic = _trace(mpmath.inverse(C) * _matrix(S))
        return -(C.rows * mpmath.log(2 * mpmath.pi) + mpmath.log(mpmath.det(C)) + quadratic) / 2


def gradient(W: Array, sigma2: Any, S: Array) -> Array:
    """dL/dW = C^-1 S C^-1 W - C^-1 W, per datum (Eq. 11).  W (n, k), S (n, n) -> (n, k) of objects."""
    with precision():
        precision_matrix = mpmath.inverse(_marginal_covariance(W, sigma2))
        P = precision_matrix * _matrix(W)
        G = precision_matrix * _matrix(S) * P - P
        return np.array(G.tolist(), dtype=object)


def elbo(W: Array, V: Array, D: Array, sigma2: Any, S: Array) -> Number:
    """E log p(x|z) - KL(q(z|x), p(z)), the mean over data with covariance S (Eq. 4).  -> number."""
    with precision():
        W, V, S, s = _matrix(W), _matrix(V), _matrix(S), mpmath.mpf(sigma2)
        d = [mpmath.mpf(v) for v in np.asarray(D).tolist()]
        R = mpmath.eye(W.rows) - W * V
        error = _trace(R * S * R.T) + _sum(W[i, j] ** 2 * d[j] for i in range(W.rows) for j in range(W.cols))
        means = V * S * V.T
        kl = _sum((means[j, j] + d[j] - 1 - mpmath.log(d[j])) / 2 for j in range(W.cols))
        return -error / (2 * s) - W.rows * mpmath.log(2 * mpmath.pi * s) / 2 - kl


def optimal_encoder(W: Array, sigma2: Any) -> tuple[Array, Array]:
    """V* = W^T C^-1, the posterior mean by Gaussian conditioning, and D* = 1/(1 + |w_i|^2/sigma2) (Eqs. 21, 22)."""
    with precision():
        V = _matrix(W).T * mpmath.inverse(_marginal_covariance(W, sigma2))
        lengths = (_sum(w**2 for w in column) for column in exact(W).T)
        D = [1 / (1 + length / mpmath.mpf(sigma2)) for length in lengths]
        return np.array(V.tolist(), dtype=object), np.array(D, dtype=object)


def profile_elbo(W: Array, sigma2: Any, S: Array) -> Number:
    """P(W) = max over V, D of the ELBO, which is attained at optimal_encoder (theory 3.3).  -> number."""
    return elbo(W, *optimal_encoder(W, sigma2), sigma2, S)


def gap(W: Array, sigma2: Any) -> Number:
    """KL(N(m, diag D*), N(m, Sigma)) with Sigma = I - W^T C^-1 W, the posterior covariance (Eq. 24).  -> number."""
    with precision():
        _, D = optimal_encoder(W, sigma2)
        W = _matrix(W)
        Sigma = mpmath.eye(W.cols) - W.T * mpmath.inverse(_marginal_covariance(W, sigma2)) * W
        logs = mpmath.log(mpmath.det(Sigma)) - _sum(mpmath.log(d) for d in D)
        return (_trace(mpmath.inverse(Sigma) * mpmath.diag(list(D))) - W.cols + logs) / 2


def _marginal_covariance(W: Array, sigma2: Any) -> Matrix:
    """C = W W^T + sigma2 I (n, n)."""
    W = _matrix(W)
    return W * W.T + mpmath.mpf(sigma2) * mpmath.eye(W.rows)


def _matrix(a: Array) -> Matrix:
    return a if isinstance(a, mpmath.matrix) else mpmath.matrix(exact(a).tolist())


def _trace(A: Matrix) -> Number:
    return _sum(A[i, i] for i in range(A.rows))


def _sum(terms: Iterable[Number]) -> Number:
    return mpmath.fsum(terms)
