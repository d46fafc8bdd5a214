"""Posterior collapse of any Gaussian encoder, measured: (epsilon, delta)-collapse and active units.

Notation   mu, logvar (N, k): mean and log variance of q(z|x) for each datum; KL in nats.
Main       kl, collapsed, enough, collapse_curve, active_units.
Reference  Lucas et al. 2019, Sec. 6.2; active units: Burda et al., ICLR 2016. theory 3.11.

The KL is taken per datum and a proportion of data is compared with 1 - delta: averaging the KL over the data first,
or comparing with delta, measures something else.
"""

from math import ceil

from verify.arrays import Array, namespace

# A mean that varies less than this over the data says nothing about them (Burda et al. 2016).
ACTIVE_VARIANCE = 0.01


def kl(mu: Array, logvar: Array) -> Array:
    """KL(q(z_i|x) || N(0, 1)) = 1/2 [mu^2 + exp(logvar) - 1 - logvar], per datum and latent.  (N, k) -> (N, k)."""
    xp = namespace(mu, logvar)
    return 0.5 * (mu * mu + xp.expm1(logvar) - logvar)


def collapsed(divergence: Array, epsilon: float, delta: float, strict: bool = True) -> Array:
    """Whether P_x[KL < epsilon] >= 1 - delta, latent by latent (Sec. 6.2).  (N, k) -> (k,) of bool.

    strict=False uses KL <= epsilon, without which (0, 0)-collapse cannot occur.
    """
    within = divergence < epsilon if strict else divergence <= epsilon
    return within.sum(axis=0) >= enough(divergence.shape[0], delta)


def enough(N: int, delta: float) -> int:
    """The least number of data within epsilon at which a latent counts as collapsed."""
    # A count, not a proportion: 1 - delta is not a binary fraction, and N (1 - delta) may miss an integer by an ulp.
    return ceil(N * (1 - delta) - 1e-9 * N)


def collapse_curve(divergence: Array, epsilons: Array, delta: float) -> Array:
    """The percentage of latents that have (epsilon, delta)-collapsed, for each epsilon.  (N, k), (m,) -> (m,)."""
    xp = namespace(divergence)
    return xp.asarray([100.0 * float(collapsed(divergence, float(e), delta).mean()) for e in epsilons])


def active_units(mu: Array) -> int:
    """How many latents have a mean whose variance over the data exceeds 0.01.  (N, k) -> number."""
    return int((mu.var(axis=0) > ACTIVE_VARIANCE).sum())
