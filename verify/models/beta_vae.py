"""The linear beta-VAE: its optimum at a fixed noise, and over the noise.

Notation   lam (n,) eigenvalues of S; k latents, more than n of them too; sigma2 > 0 the noise; beta >= 0 the weight of
           the KL; q the number of latents kept, min(k, #{lam > beta sigma2}); rest the sum of the other eigenvalues.
Main       fixed_noise_optimum, optimum_that_keeps, learned_noise_optimum, flat_below.
Reference  theory 3.9: ELBO_beta(sigma2) = beta ELBO_1(beta sigma2) + const; theory 1.2, 2.

Whatever its encoder, a Gaussian VAE whose decoder is linear lies at or below this optimum: its ELBO_1 is at most the
likelihood of pPCA.
"""

import math
from collections.abc import Sequence

import numpy as np

from verify.arrays import Array
from verify.eigenvalues import decimal


def fixed_noise_optimum(lam: Array, k: int, sigma2: float, beta: float = 1.0) -> float:
    """max ELBO_beta = -1/2 [n log 2 pi sigma2 + beta sum_{a <= q} (log(lam_a/(beta sigma2)) + 1) + rest/sigma2]."""
    lam = np.sort(np.asarray(lam, dtype=np.float64))[::-1]
    return optimum_that_keeps(lam, min(k, int((lam > beta * sigma2).sum())), sigma2, beta)


def optimum_that_keeps(lam: Array, q: int, sigma2: float, beta: float) -> float:
    """The same, for q that somebody has counted who knows more digits.  lam (n,) descending."""
    kept = beta * float((np.log(lam[:q] / (beta * sigma2)) + 1).sum()) if beta > 0 else 0.0
    return -0.5 * (len(lam) * float(np.log(2 * np.pi * sigma2)) + kept + float(lam[q:].sum()) / sigma2)


def learned_noise_optimum(lam: Array, k: int, beta: float = 1.0) -> tuple[float, float] | None:
    """(sigma2, value) where that is largest over sigma2 > 0; None where it has no upper bound.

    Between two thresholds lam_q / beta, q is constant, and the only stationary point is sigma2 = rest/(n - beta q). At
    a threshold the slope has no jump, since log t + 1 and t touch at t = 1: a maximum there is such a point as well.
    Where all noises up to one attain it (flat_below), that one.
    """
    lam = np.sort(np.asarray(lam, dtype=np.float64))[::-1]
    n, most = len(lam), min(k, int((lam > 0).sum()))
    rest = np.concatenate([np.cumsum(lam[::-1])[::-1], [0.0]])[: most + 1]
    room = np.array([float(n - decimal(beta) * q) for q in range(most + 1)])
    # As sigma2 falls to 0 the value goes as -1/2 (n - beta q) log sigma2.
    if rest[most] == 0 and room[most] > 0:
        return None
    inside = room > 0  # rest is positive there: where nothing is left over, room is not
    stationary = (rest[inside] / room[inside]).tolist()
    best, value = max(((s, fixed_noise_optimum(lam, k, s, beta)) for s in stationary), key=lambda found: found[1])
    flat = flat_below(lam, k, beta)
    # Of equal eigenvalues rest and room are sums: their quotient is that noise but for rounding.
    return (flat if flat is not None and math.isclose(best, flat, rel_tol=len(lam) * 2.0**-50) else best), value


def flat_below(lam: Array | Sequence[float], k: int, beta: float) -> float | None:
    """lam_q/beta, below which the optimum is the same at every noise; None where it is not.

    All q = rank directions are kept there, nothing is left over, and n = beta q: the logarithms cancel. (If
    learned_noise_optimum is larger, the optimum is higher elsewhere.)
    """
    positive = [float(x) for x in lam if x > 0]
    q = len(positive)
    return min(positive) / beta if q <= k and decimal(beta) * q == len(lam) else None
