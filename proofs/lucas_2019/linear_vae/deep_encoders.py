"""A linear VAE whose encoder is a product, V = V_L ... V_1: its ELBO, slopes, trainings and stationary points.

Notation   W (n, k), factors (V_1, ..., V_L), D (k,); `widths`: the hidden ones; v (..., m): all of it, with log D.
Main       elbo_of, product, slopes, shapes_of, unpacked, slope_vector, hessian_of_factors, stationary_near, trained,
           best_trained.
"""

from itertools import pairwise

import numpy as np
from scipy.optimize import least_squares, minimize

from verify.arrays import transpose
from verify.models import linear_vae as model


def elbo_of(W, factors, D, p):
    """The ELBO at V = V_L ... V_1; factors = (V_1, ..., V_L)."""
    return float(model.elbo(W, product(factors), D, p.sigma2, p.S))


def product(factors):
    V = factors[0]
    for factor in factors[1:]:
        V = factor @ V
    return V


def slopes(W, factors, D, p):
    """The gradient in W, in each factor (the chain rule) and in D.  Leading axes broadcast."""
    plain = model.gradients(W, product(factors), D, p.sigma2, p.S)
    by_factor = []
    for i in range(len(factors)):
        slope = plain.V
        if factors[i + 1 :]:
            slope = transpose(product(factors[i + 1 :])) @ slope
        if factors[:i]:
            slope = slope @ transpose(product(factors[:i]))
        by_factor.append(slope)
    return plain.W, by_factor, plain.D


def shapes_of(p, widths):
    """(n, k), then the shapes of V_1, ..., V_L, then (k,)."""
    sizes = [p.n, *widths, p.k]
    return [(p.n, p.k), *[(b, a) for a, b in pairwise(sizes)], (p.k,)]


def unpacked(v, shapes):
    """W, the factors and D = exp of the last part.  v (..., m)."""
    cuts = np.cumsum([int(np.prod(s)) for s in shapes])[:-1]
    parts = np.split(v, cuts, axis=-1)
    W, *factors, logs = [part.reshape(*v.shape[:-1], *s) for part, s in zip(parts, shapes, strict=True)]
    return W, factors, np.exp(logs)


def slope_vector(v, shapes, p):
    """The gradient in (W, V_1, ..., V_L, log D).  v (..., m) -> (..., m)."""
    W, factors, D = unpacked(v, shapes)
    dW, by_factor, dD = slopes(W, factors, D, p)
    parts = [part.reshape(*v.shape[:-1], -1) for part in (dW, *by_factor, dD * D)]
    return np.concatenate(parts, axis=-1)


def hessian_of_factors(v, shapes, p, step=1e-5):
    """Central differences of the gradient, symmetrised.  v (m,) -> (m, m)."""
    h = step * np.eye(v.size)
    H = (slope_vector(v + h, shapes, p) - slope_vector(v - h, shapes, p)) / (2 * step)
    return (H + H.T) / 2


def stationary_near(v, shapes, p):
    """Where the least squares of the gradient lead from v (m,); the fibres are directions in which they do not move."""
    options = {"xtol": 1e-15, "ftol": 1e-15, "gtol": 1e-15, "max_nfev": 300}
    found = least_squares(slope_vector, v, hessian_of_factors, method="lm", args=(shapes, p), **options)
    return found.x


def trained(p, widths, start):
    """(W, factors, D, ELBO) where ascent from `start` ends."""
    shapes = shapes_of(p, widths)

    def downhill(v):
        return -elbo_of(*unpacked(v, shapes), p), -slope_vector(v, shapes, p)

    end = minimize(downhill, start, jac=True, method="BFGS", options={"gtol": 1e-7})
    return *unpacked(end.x, shapes), -end.fun


def size_of(p, widths):
    return sum(int(np.prod(s)) for s in shapes_of(p, widths))


def best_trained(p, widths, rng, starts=3):
    ends = [trained(p, widths, rng.standard_normal(size_of(p, widths))) for _ in range(starts)]
    return max(ends, key=lambda end: end[3])
