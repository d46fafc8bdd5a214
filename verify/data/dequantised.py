"""What dequantisation noise does on average: covariance and log-Jacobian of grey values whose noise is drawn for ever.

Notation   v grey value 0..c; u uniform on [0, 1); y(v, u) and J(v, u) = log dy/dx of one value, as in preprocess.py;
           m(v), w(v), j(v) mean and variance of y and mean of J over u; X (N, n) rows of grey values.
Main       Moments, moments, averaged.
Reference  theory 5.2; [PPM17] Papamakarios, Pavlakou & Murray, NeurIPS 2017, App. D.

The noise of one value is independent of that of every other, so the covariance over data and noise is that of m(X), and
on its diagonal the mean over data of w. No seed enters.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from verify.arrays import Array
from verify.data.preprocess import Preprocessing, logit

# In the middle of a grey value the integrands are smooth; next to 0 and 1 they end in log(alpha + x).  With u = t^9
# that end is smooth enough for so many nodes to give ten digits at any alpha >= 1e-12 (the tests compare).
_NODES, _POWER = 200, 9


@dataclass(frozen=True, eq=False)
class Moments:
    """Of every grey value v, over its noise: mean m(v) and variance w(v) of y, mean j(v) of J.  (c + 1,) each."""

    mean: Array
    variance: Array
    log_jacobian: Array


def moments(how: Preprocessing) -> Moments:
    """m, w, j of each grey value under dequantisation, with or without the logit."""
    grey = np.arange(int(how.levels))
    if how.alpha is None:
        flat = np.ones(len(grey))
        return Moments((grey + 0.5) / how.levels, flat / (12 * how.levels**2), 0 * flat)
    t, weight = np.polynomial.legendre.leggauss(_NODES)
    t, weight = (t + 1) / 2, weight / 2
    u, weight = t**_POWER, weight * _POWER * t ** (_POWER - 1)
    # The upper half is the lower one mirrored: u is refined towards 0, where the lower half has its end.
    y, J = logit(((grey[: len(grey) - len(grey) // 2, None] + u) / how.levels)[..., None], how.alpha)
    y = y[..., 0]
    mean = y @ weight
    lower = Moments(mean, (y - mean[:, None]) ** 2 @ weight, J @ weight)
    half = len(grey) // 2
    return Moments(
        np.concatenate([lower.mean, -lower.mean[:half][::-1]]),
        np.concatenate([lower.variance, lower.variance[:half][::-1]]),
        np.concatenate([lower.log_jacobian, lower.log_jacobian[:half][::-1]]),
    )


def averaged(blocks: Iterable[Array], of: Moments) -> tuple[Array, float]:
    """The covariance of y (n, n), divided by N, over data and noise; and the mean log-Jacobian of a row.

    blocks: grey values (b, n) of an integer type.
    """
    # Shifted by what most pixels of most images show, so that little cancels in the covariance.
    table = of.mean - of.mean[0]
    N, total, second, noise, J = 0, np.zeros(0), np.zeros((0, 0)), np.zeros(0), 0.0
    for X in blocks:
        if N == 0:
            n = X.shape[1]
            total, second, noise = np.zeros(n), np.zeros((n, n)), np.zeros(n)
        Y = table[X]
        N += len(X)
        total += Y.sum(axis=0)
        second += Y.T @ Y
        noise += of.variance[X].sum(axis=0)
        J += math.fsum(of.log_jacobian[X].sum(axis=1))
    mean = total / N
    return second / N - np.outer(mean, mean) + np.diag(noise / N), J / N
