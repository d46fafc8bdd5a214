"""The ELBO between encoder and decoder: what is drawn, what it costs, and the gradients of both.

Notation   mean, log_variance (E, B, k) of q(z|x) = N(mean, diag exp log_variance); noise (E, B, k) standard normal;
           x, y (E, B, n): data and reconstruction; sigma2, beta, weight (E,).
Main       divergence, reparameterise, reparameterise_gradient, likelihood.
Reference  Lucas et al. 2019, Eqs. 9, 10 (with n/2 in front of the logarithm); theory 5.1.

    ELBO_beta = - beta KL - n/2 log(2 pi sigma2) - error / (2 sigma2),   error = E||x - y||^2,   means over the batch
"""

import numpy as np

from gpu.vae import on_device
from gpu.vae.elementwise import Piece, in_pieces
from verify.arrays import Array, namespace


def reparameterise(mean: Array, log_variance: Array, noise: Array | None, z: Array, deviation: Array) -> Array:
    """z = mean + exp(log_variance/2) noise (mean alone without noise) and deviation = exp(log_variance/2), written.

    -> KL(q(z|x) || N(0, I)) summed over the batch and the latents, (E,) float64.
    """
    if namespace(mean) is not np:
        return on_device.reparameterise(mean, log_variance, noise, z, deviation)
    np.multiply(log_variance, 0.5, out=deviation)
    np.exp(deviation, out=deviation)
    np.copyto(z, mean)
    if noise is not None:
        z += deviation * noise
    # Sums of squares by the matrix library; expm1 would keep digits that a float32 gradient has no use for.
    pairs = zip(mean, deviation, log_variance, strict=True)
    return 0.5 * np.array([_squares(m) + _squares(d) - d.size - float(v.sum(dtype=np.float64)) for m, d, v in pairs])


def _squares(a: Array) -> float:
    """The sum of squares; row sums in the array's precision, their sum in float64."""
    return float(np.einsum("ij,ij->i", a, a).sum(dtype=np.float64))


def reparameterise_gradient(
    dz: Array, mean: Array, deviation: Array, noise: Array | None, scale: Array, dmean: Array, dlog_variance: Array
) -> None:
    """dmean = dz + scale mean, dlog_variance = 1/2 (dz noise deviation + scale (deviation^2 - 1)), written.

    scale (E,) = beta / B; the gradients are those of -ELBO_beta.  Without noise the first product is left out.
    """
    if namespace(dz) is not np:
        return on_device.reparameterise_gradient(dz, mean, deviation, noise, scale, dmean, dlog_variance)
    scale = scale.astype(dz.dtype)[:, None, None]
    np.multiply(mean, scale, out=dmean)
    dmean += dz
    np.multiply(deviation, deviation, out=dlog_variance)
    dlog_variance -= 1
    dlog_variance *= scale
    if noise is not None:
        dlog_variance += dz * noise * deviation
    dlog_variance *= 0.5


def likelihood(y: Array, x: Array, weight: Array) -> Array:
    """y <- weight (y - x), in place; -> the sum of (y - x)^2 over the batch, (E,) float64."""
    if namespace(y) is not np:
        return on_device.likelihood(y, x, weight)
    sums, factor = np.empty(y.shape[:2], dtype=y.dtype), weight.astype(y.dtype)[:, None, None]

    def work(piece: Piece) -> None:
        part = y[piece]
        part -= x[piece]
        np.einsum("ebn,ebn->eb", part, part, out=sums[piece])
        part *= factor[piece[0]]

    in_pieces(work, *y.shape)
    return sums.sum(axis=1, dtype=np.float64)
