"""Posterior collapse of any Gaussian encoder, measured: (epsilon, delta)-collapse, active units, second moments.

Notation   mu, logvar (N, k): mean and log variance of q(z|x) for each datum; KL in nats.
Main       kl, collapsed, enough, collapse_curve, active_units, second_moment; CollapseCounts, of data in blocks.
Reference  Lucas et al. 2019, Sec. 6.2; active units: Burda et al., ICLR 2016. theory 3.11, 6.4.

The KL is taken per datum and a proportion of data is compared with 1 - delta: averaging the KL over the data first,
or comparing with delta, measures something else. delta is the decimal that was written: a str, Decimal or Fraction as
it stands, a float the shortest decimal that denotes it in its own precision.
"""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from math import ceil

import numpy as np

from verify.arrays import Array, namespace
from verify.errors import InputError

# A mean that varies less than this over the data says nothing about them (Burda et al. 2016).
ACTIVE_VARIANCE = 0.01
EPSILON = DELTA = 0.01
# Those of the paper's figures, and the one of its tables.
EPSILONS = tuple(sorted({*np.linspace(0.0, 2.0, 50).tolist(), EPSILON}))

Proportion = float | str | Decimal | Fraction


def kl(mu: Array, logvar: Array) -> Array:
    """KL(q(z_i|x) || N(0, 1)) = 1/2 [mu^2 + exp(logvar) - 1 - logvar], per datum and latent.  (N, k) -> (N, k)."""
    xp = namespace(mu, logvar)
    return 0.5 * (mu * mu + xp.expm1(logvar) - logvar)


def collapsed(divergence: Array, epsilon: float, delta: Proportion, strict: bool = True) -> Array:
    """Whether P_x[KL < epsilon] >= 1 - delta, latent by latent (Sec. 6.2).  (N, k) -> (k,) of bool.

    strict=False uses KL <= epsilon, without which (0, 0)-collapse cannot occur.
    """
    within = divergence < epsilon if strict else divergence <= epsilon
    return within.sum(axis=0) >= enough(divergence.shape[0], delta)


def enough(N: int, delta: Proportion) -> int:
    """The least number of data within epsilon at which a latent counts as collapsed: N (1 - delta), rounded up."""
    # In whole numbers: in floating point N (1 - delta) misses integers by an ulp, and no slack suits every delta.
    return ceil(N * (1 - _exact(delta)))


def _exact(delta: Proportion) -> Fraction:
    """The decimal that was written.  Raises InputError: no number, or none from 0 to 1."""
    try:
        written = delta if isinstance(delta, Fraction) else Decimal(str(delta))
    except InvalidOperation:
        raise InputError(f"delta = {str(delta)[:40]!r}: not a number; give a proportion of the data") from None
    # A NaN may not be compared.
    if (isinstance(written, Decimal) and written.is_nan()) or not 0 <= written <= 1:
        raise InputError(f"delta = {str(delta)[:40]}: a proportion of the data, between 0 and 1")
    if isinstance(written, Fraction):
        return written
    # Below one in 1e300 it takes no datum away, however many there are; as a fraction it might fill the memory.
    return Fraction(written) if written.adjusted() > -300 else Fraction(0)


def collapse_curve(divergence: Array, epsilons: Array, delta: Proportion) -> Array:
    """The percentage of latents that have (epsilon, delta)-collapsed, for each epsilon.  (N, k), (m,) -> (m,)."""
    xp = namespace(divergence)
    return xp.asarray([100.0 * float(collapsed(divergence, float(e), delta).mean()) for e in epsilons])


class CollapseCounts:
    """The same curve of data that come in blocks.  N: how many there were so far."""

    def __init__(self, epsilons: Sequence[float], k: int):
        self.N, self.epsilons = 0, epsilons
        self._below = np.zeros((len(epsilons), k), dtype=np.int64)

    def add(self, divergence: Array) -> None:
        """A block (b, k)."""
        self.N += len(divergence)
        for below, epsilon in zip(self._below, self.epsilons, strict=True):
            below += (divergence < epsilon).sum(axis=0)

    def collapsed(self, delta: Proportion) -> Array:
        """Which latents have collapsed, for each epsilon.  -> (m, k) of bool."""
        return np.asarray(self._below >= enough(self.N, delta))

    def curve(self, delta: Proportion) -> Array:
        """Percentages of latents, one for each epsilon.  -> (m,)."""
        return 100.0 * self.collapsed(delta).mean(axis=1)


def active_units(mu: Array) -> int:
    """How many latents have a mean whose variance over the data exceeds 0.01.  (N, k) -> number."""
    return int((mu.var(axis=0) > ACTIVE_VARIANCE).sum())


def second_moment(mu: Array, logvar: Array) -> Array:
    """mean_x[mu^2 + exp(logvar)]: 1 in each latent at every stationary point of the (beta-)ELBO (theory 6.4).  -> (k,).

    Rescaling a latent must be free: the decoder's first layer and the encoder's heads are linear, the prior is N(0, I).
    """
    return (mu * mu + namespace(mu, logvar).exp(logvar)).mean(axis=0)
