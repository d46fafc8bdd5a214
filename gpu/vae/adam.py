"""Adam for an ensemble: one flat buffer of parameters, each model with its own learning rate.

Notation   p, g, m, v (E, P): parameters, gradient of what is minimised, moments; t the step, from 1; alive (E,) bool.
Main       adam; flush, every FLUSHED steps.
Reference  [KB15] Kingma & Ba, ICLR 2015, Algorithm 1; beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8.

    m <- b1 m + (1 - b1) g,   v <- b2 v + (1 - b2) g^2,   p <- p - lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)

The moments are kept divided by 1 - b1 and 1 - b2: then they are b1 m + g and b2 v + g^2, two passes fewer.
"""

from math import sqrt

import numpy as np

from gpu.vae import on_device
from gpu.vae.elementwise import Piece, in_pieces
from verify.arrays import Array, namespace

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8
# Numbers this many times the smallest normal one, 1e-30 in single precision, are as good as 0: no sum that they enter
# changes. In so many steps a moment that is fed by nothing falls a thousandfold, not to where numbers are subnormal.
NEGLIGIBLE, FLUSHED = 1e8, 64


def factors(step: int) -> tuple[float, float]:
    """(f, eps): p <- p - lr f m / (sqrt(v) + eps) with the scaled moments is Adam's step [KB15]."""
    second = sqrt((1 - BETA2) / (1 - BETA2**step))
    return (1 - BETA1) / (1 - BETA1**step) / second, EPSILON / second


def adam(p: Array, g: Array, m: Array, v: Array, learning_rates: Array, step: int, alive: Array) -> None:
    """One step, in place.  p, g, m, v (E, P); learning_rates (E,); models that are not alive stay as they are."""
    factor, epsilon = factors(step)
    if namespace(p) is not np:
        return on_device.adam(p, g, m, v, learning_rates, alive, factor, epsilon, (BETA1, BETA2))
    living = np.flatnonzero(alive)
    if len(living) < len(p):  # what is frozen must not be touched: the others one by one
        for e in living:
            one = slice(e, e + 1)
            _update(p[one], g[one], m[one], v[one], learning_rates[one] * factor, epsilon)
    else:
        _update(p, g, m, v, learning_rates * factor, epsilon)


def _update(p: Array, g: Array, m: Array, v: Array, rates: Array, epsilon: float) -> None:
    rates = np.asarray(rates, dtype=p.dtype)[:, None]

    def work(piece: Piece) -> None:
        slope, first, second = g[piece], m[piece], v[piece]
        first *= BETA1
        first += slope
        spare = slope * slope
        second *= BETA2
        second += spare
        np.sqrt(second, out=spare)
        spare += epsilon
        np.divide(first, spare, out=spare)
        spare *= rates[piece[0]]
        p[piece] -= spare

    in_pieces(work, *p.shape)


def flush(*arrays: Array) -> None:
    """Set what is too small to matter to 0, in place, on the host; a device needs none of it.  Any shapes.

    A weight on a pixel that is always black decays for ever. A processor takes some hundred times as long for a product
    with a subnormal number, and one in twenty of them makes a training fifteen times slower.
    """
    for array in arrays:
        if namespace(array) is np:
            array[np.abs(array) < NEGLIGIBLE * np.finfo(array.dtype).tiny] = 0
