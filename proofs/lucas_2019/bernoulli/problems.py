"""Bernoulli pPCA to put claims to the test on: data of several kinds, and its definition with many digits.

Notation   x (N, n) in [0, 1]; W (n, k); mu (n,); V (k, n), D (k,) the encoder.
Main       binary_data, grey_data, digits, log_density_with_digits, gaussian_mean_with_digits, second_derivatives,
           curvature_by_gradients, best_encoder.

The references with digits share nothing with verify.models: probabilities y^x (1 - y)^(1 - x) are multiplied out as
they stand in the paper, in mpmath, and integrated by mpmath's own quadrature.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import mpmath
import numpy as np
import pytest

from verify.arrays import Array
from verify.models import bernoulli as model


def binary_data(rng: np.random.Generator, N: int, n: int) -> Array:
    """Thresholded correlated Gaussians (N, n), no column constant."""
    while True:
        G = rng.standard_normal((N, n)) @ rng.standard_normal((n, n)) + 0.3 * rng.standard_normal(n)
        x = (G > 0).astype(float)
        if ((x.mean(axis=0) > 0) & (x.mean(axis=0) < 1)).all():
            return x


def grey_data(rng: np.random.Generator, N: int, n: int, spread: float = 1.0) -> Array:
    """Correlated values inside (0, 1): sigmoids of Gaussians; the larger the spread, the nearer to binary."""
    G = spread * rng.standard_normal((N, n)) @ rng.standard_normal((n, n))
    return 1 / (1 + np.exp(-G))


@lru_cache
def digits() -> Array:
    """scikit-learn's digits (1797, 64) as values in [0, 1]; skips the test where it is not installed."""
    datasets = pytest.importorskip("sklearn.datasets", reason="the digits come with scikit-learn, not installed here")
    return datasets.load_digits().data / 16


def log_density_with_digits(W: Array, mu: Array, datum: Array, digits: int = 30) -> Any:
    """log of the integral over z of prod_i y_i^x_i (1 - y_i)^(1 - x_i) N(z; 0, I), for k = 1 or 2, by mpmath."""
    n, k = W.shape
    with mpmath.workdps(digits):
        rows = [[mpmath.mpf(w) for w in row] for row in W.tolist()]
        means, values = [mpmath.mpf(m) for m in mu.tolist()], [mpmath.mpf(v) for v in datum.tolist()]

        def integrand(*z: Any) -> Any:
            total = mpmath.exp(-sum(c * c for c in z) / 2) / (2 * mpmath.pi) ** (mpmath.mpf(k) / 2)
            for i in range(n):
                y = 1 / (1 + mpmath.exp(-sum(w * c for w, c in zip(rows[i], z, strict=True)) - means[i]))
                total *= y ** values[i] * (1 - y) ** (1 - values[i])
            return total

        # Beyond 12 the normal density is below 1e-31. In two dimensions the number of nodes is squared.
        pieces = [-12, -4, 0, 4, 12] if k == 1 else [-9, 0, 9]
        method = "tanh-sinh" if k == 1 else "gauss-legendre"
        return mpmath.log(mpmath.quad(integrand, *[pieces] * k, method=method))


def gaussian_mean_with_digits(f: Callable[[Any], Any], mean: float, variance: float, digits: int = 30) -> Any:
    """E f(a), a ~ N(mean, variance), by mpmath."""
    with mpmath.workdps(digits):
        m, s = mpmath.mpf(mean), mpmath.sqrt(mpmath.mpf(variance))
        # Cut where a logistic step may stand.
        step = -m / s if s > 0 else mpmath.mpf(0)
        pieces = sorted({-13, -4, 4, 13, min(max(step, -3), 3)})
        return mpmath.quad(lambda t: f(m + s * t) * mpmath.npdf(t), pieces)


def second_derivatives(f: Callable[[Array], float], at: Array, step: float) -> Array:
    """The Hessian of f at `at` (m,), by differences of its values that are exact for degree 5.  -> (m, m)."""
    m = at.size
    H = np.zeros((m, m))

    def along(direction: Array) -> float:
        values = [float(f(at + c * step * direction)) for c in (-2, -1, 0, 1, 2)]
        return float(np.dot([-1, 16, -30, 16, -1], values)) / (12 * step**2)

    for i in range(m):
        H[i, i] = along(np.eye(m)[i])
    for i in range(m):
        for j in range(i):
            mixed = along(np.eye(m)[i] + np.eye(m)[j])
            H[i, j] = H[j, i] = (mixed - H[i, i] - H[j, j]) / 2
    return H


def curvature_by_gradients(of_gradient: Callable[[Array], Array], X: Array, h: float = 1e-2) -> Array:
    """H X at an even function's symmetric point, from its gradients at hX and 2hX: error h^4.  (n, k) -> (n, k)."""
    return (8 * of_gradient(h * X) - of_gradient(2 * h * X)) / (6 * h)


def best_encoder(W: Array, mu: Array, x: Array, centre: Array | None = None) -> tuple[Array, Array, model.Gradients]:
    """V, D that maximise the ELBO, for W not large; the ELBO is concave in (V, sqrt D), so a zero gradient is enough.

    By V <- V + (dELBO/dV) S^-1 and the zero of Eq. 21: both contract by about |W|^2 each time.
    """
    V, D = W.T.copy(), np.ones(W.shape[1])
    precision = np.linalg.pinv(model.second_moment(x, centre))
    for _ in range(200):
        g = model.elbo_gradients(W, V, D, mu, x, centre)
        if max(np.abs(g.V).max(), np.abs(g.D).max()) < 1e-14:
            break
        V, D = V + g.V @ precision, 1 / (1 / D - 2 * g.D)
    return V, D, g
