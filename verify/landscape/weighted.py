"""The landscape of the linear beta-VAE at a fixed noise: that of the VAE at another noise, stretched.

Notation   beta > 0 the weight of the KL; sigma2 the noise of the model; s = beta sigma2, with which eigenvalues are
           compared; P_beta(W) = max over V, D of E_q log p(x|z) - beta KL, L and P the likelihood and the profile ELBO.
Main       usable_weight; effective_noise, noise_at; stretched, point_value.
Reference  theory 3.9: for any W, V, D, ELBO_beta(sigma2) = beta ELBO_1(s) + n/2 [(beta - 1) log 2 pi sigma2 + beta log
           beta]; claim beta-vae.

So W, V and D are stationary for beta at sigma2 exactly where they are for the VAE at s: the same columns, (lam_a -
s)^{1/2} long, the same encoder V = M^-1 W^T and D = s/diag(M) with M = W^T W + s I, the same index and nullity; all
second derivatives, rates of escape among them, are beta times as large. Without the restriction to a diagonal D the
largest ELBO_beta over encoders is stretched(L(W, s)), which bounds P_beta as L bounds P; with beta = 1 it is the
likelihood, with another beta it is none. With a learned noise none of this holds: the constant moves with sigma2.

A product of decimals is the decimal that it is: 3 times 0.1 is 0.3, and ties with an eigenvalue 0.3.
"""

import math
from typing import Any

from verify.arrays import Array
from verify.checks import number
from verify.eigenvalues import Written, decimal
from verify.errors import InputError
from verify.landscape.points import Point, block_constant, block_scales

PLAIN = 1.0
# Closed forms hold lam/sigma2^3: within these bounds nothing overflows and nothing vanishes.
SMALLEST, LARGEST = 1e-75, 1e75


def usable_weight(beta: Any) -> float:
    """beta as a float, if it is a usable weight.  Raises InputError."""
    value = number(beta, "beta")
    if not (math.isfinite(value) and value >= 0):
        raise InputError(f"beta = {value:g}: the weight of the KL must be positive and finite")
    if value == 0:
        raise InputError("beta = 0: without the KL no latent collapses at any noise; give a weight > 0")
    if not SMALLEST <= value <= LARGEST:
        raise InputError(f"beta = {value:g}: outside {SMALLEST:g} to {LARGEST:g}, where products with it can be told")
    return value


def effective_noise(sigma2: float, beta: float = PLAIN) -> float:
    """s = beta sigma2, the noise of the VAE with the same optimum, as the exact product of the decimals."""
    return sigma2 if beta == PLAIN else Written.of(decimal(beta) * decimal(sigma2))


def noise_at(s: float, beta: float = PLAIN) -> float:
    """sigma2 = s/beta: latent j collapses as sigma2 rises past noise_at(lam_j)."""
    return s if beta == PLAIN else Written.of(decimal(s) / decimal(beta))


def stretched(value: Array | float, n: int, sigma2: float, beta: float = PLAIN) -> Any:
    """ELBO_beta at sigma2, from ELBO_1 (or L) of the same W, V, D at s: beta value + const.  (...) -> (...)."""
    if beta == PLAIN:
        return value
    logs = math.log(2 * math.pi) + math.log(sigma2)
    return beta * value + 0.5 * n * ((beta - 1) * logs + beta * math.log(beta))


def point_value(point: Point, lam: Array, sigma2: float, beta: float = PLAIN) -> float:
    """P_beta of a point that is stationary at s.  lam (n,).

    -1/2 [n log 2 pi sigma2 + beta (sum_b k_b log(m_b/s) + sum lam_a/t_a) + sum of discarded lam_j/sigma2], with m_b and
    t_a at s (theory 3.6): `stretched` of its value, without the logarithms that cancel there.
    """
    if beta == PLAIN:
        return point.value
    s, of_blocks = point.sigma2, 0.0
    for b in point.blocks:
        held = lam[list(b.eigen)]
        of_blocks += b.columns * math.log(block_constant(held, b.columns, s) / s)
        of_blocks += float((held / block_scales(held, b.columns, s)).sum())
    kept = set(point.retained)
    rest = math.fsum(x for i, x in enumerate(lam.tolist()) if i not in kept)
    logs = len(lam) * (math.log(2 * math.pi) + math.log(sigma2))
    return -0.5 * (logs + beta * of_blocks + rest / sigma2)
