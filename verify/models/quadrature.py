"""Rules for expectations over a standard normal vector: sums over nodes.

Notation   z ~ N(0, I_k); a rule has nodes (G, k) and log weights (G,) with sum of weights about 1, and
           E f(z) = sum_g exp(log_weights_g) f(nodes_g), exactly or nearly.
Main       Rule, hermite, uniform, sampled, for_dimension, spacing_for_sigmoids.
Reference  Trefethen & Weideman, SIAM Review 56 (2014), for the trapezoidal rule on the line.

Which one: `hermite` for smooth integrands in up to three dimensions; `uniform` where the integrand has poles near the
real line or is narrow, since its error is known from the spacing alone; `sampled` beyond three dimensions.
"""

from math import log, pi, sqrt
from typing import NamedTuple

import numpy as np
from scipy.special import roots_hermitenorm

from verify.arrays import Array
from verify.checks import random_seed, whole_number
from verify.errors import InputError

# The normal density at 8.6 is below 4e-17.
REACH = 8.6
# exp(-37) is below 1e-16.
DIGITS = 37.0
# At most 2^15 nodes, which is what a user waits a second for.
HERMITE_POINTS = {1: 128, 2: 64, 3: 32}
MOST_NODES = 1 << 24
SAMPLES = 1 << 14


class Rule(NamedTuple):
    """nodes (G, k), log_weights (G,); `pairs` if nodes G/2 + i is minus node i, both drawn at random."""

    nodes: Array
    log_weights: Array
    pairs: bool = False


def product(points: Array, log_weights: Array, k: int) -> Rule:
    """The k-fold product of a one-dimensional rule (P,), (P,) -> (P^k, k), (P^k,).  InputError beyond 2^24 nodes."""
    if whole_number(k, "k") < 1 or len(points) ** k > MOST_NODES:
        raise InputError(f"k = {k}: a product of {len(points)} nodes per dimension needs 1 <= k and at most 2^24 nodes")
    grids = np.meshgrid(*[points] * k, indexing="ij")
    weights = np.meshgrid(*[log_weights] * k, indexing="ij")
    return Rule(np.stack([grid.ravel() for grid in grids], axis=1), np.sum(weights, axis=0).ravel())


def hermite(k: int, points: int | None = None) -> Rule:
    """Gauss-Hermite, `points` per dimension: exact for polynomials of degree below 2 points.  InputError.

    Near 0 the nodes are pi / sqrt(points) apart: what is narrower than that is not seen.
    """
    count = HERMITE_POINTS.get(k, 0) if points is None else whole_number(points, "points")
    if count < 1:
        raise InputError(f"k = {k}: say how many points per dimension (1 or more), or draw samples")
    z, weights = roots_hermitenorm(count)
    # Far nodes have weights that underflow: they contribute nothing.
    kept = weights > 0
    return product(z[kept], np.log(weights[kept]) - 0.5 * log(2 * pi), k)


def uniform(k: int, spacing: float, reach: float = REACH) -> Rule:
    """The trapezoidal rule on [-reach, reach]^k.  Raises InputError.

    For a bounded f that is analytic for |Im z| < d the error is exp(d^2/2 - 2 pi d/spacing), and what lies beyond.
    """
    if not 0 < spacing <= reach:
        raise InputError(f"spacing = {spacing}: must be positive and at most the reach, {reach}")
    half = int(reach / spacing)
    z = spacing * np.arange(-half, half + 1)
    return product(z, log(spacing) - 0.5 * log(2 * pi) - 0.5 * z * z, k)


def spacing_for_sigmoids(scale: float) -> float:
    """The spacing at which `uniform` integrates sigmoid(m + scale z), with poles at |Im z| = pi/scale, to 1e-16."""
    # Further from the real line the growth of exp(d^2/2) takes over.
    d = min(pi / scale, sqrt(2 * DIGITS)) if scale > 0 else sqrt(2 * DIGITS)
    return 2 * pi * d / (DIGITS + 0.5 * d * d)


def sampled(k: int, samples: int = SAMPLES, seed: int = 0) -> Rule:
    """Monte Carlo with antithetic pairs z, -z, all of one weight; `samples` is rounded up to even.  InputError."""
    if whole_number(k, "k") < 1 or whole_number(samples, "samples") < 4:
        raise InputError(f"k = {k}, samples = {samples}: at least 1 dimension and 4 samples are needed")
    half = (samples + 1) // 2
    z = np.random.default_rng(random_seed(seed)).standard_normal((half, k))
    return Rule(np.concatenate([z, -z]), np.full(2 * half, -log(2 * half)), pairs=True)


def for_dimension(k: int) -> Rule:
    """Gauss-Hermite up to three dimensions, samples with seed 0 beyond."""
    return hermite(k) if k in HERMITE_POINTS else sampled(k)
