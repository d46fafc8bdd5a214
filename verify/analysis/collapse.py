"""Collapse of somebody's latents as a document: what is collapsed, what is active, and what the numbers may hide.

Notation   mu, logvar (N, k): mean and log variance of q(z|x) for each datum; m (k,) = mean_x[mu^2 + exp(logvar)].
Main       collapse_document, moment_notes, away_from_one.
Reference  theory 3.11, 6.4; reports/schema/collapse.json.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from verify.analysis.latents import checked, finite
from verify.arrays import Array
from verify.checks import number
from verify.errors import InputError
from verify.landscape.collapse import EPSILON, EPSILONS, active_units, collapse_curve, collapsed, kl, second_moment
from verify.words.wording import ranges

Document = dict[str, Any]
Proportion = float | str | Decimal | Fraction
# Of fewer data a mean square says too little.
FEWEST = 30
# A second moment this far from 1 is more than the jitter of stochastic training, which stays within some hundredths.
APART = 0.1
FAR_OFF = 0.5


def collapse_document(
    mu: Array, logvar: Array, epsilons: Iterable[float] | None, delta: Proportion, notes: Sequence[str] = ()
) -> Document:
    """(epsilon, delta)-collapse, KL, active units and second moments of an encoder, mu and logvar (N, k).

    epsilons None: those of the paper's figures and tables; the headline is at 0.01, or the first of others that were
    named. Raises InputError.
    """
    mu, logvar = checked(mu, "mu"), checked(logvar, "logvar")
    if mu.shape != logvar.shape:
        raise InputError(f"mu has shape {mu.shape}, logvar {logvar.shape}; both must be (N, k)")
    epsilons = [number(e, "epsilon") for e in (EPSILONS if epsilons is None else epsilons)]
    if not epsilons or not all(np.isfinite(e) and e >= 0 for e in epsilons):
        raise InputError(f"epsilons {epsilons}: each must be finite and at least 0, and there must be one")
    _proportion(delta)
    with np.errstate(over="ignore", invalid="ignore"):
        divergence = kl(mu, logvar)
    finite(divergence, "the KL divergence", "mu or logvar is too large there; is logvar the log of the variance?")
    curve = collapse_curve(divergence, np.array(epsilons), delta)
    per_latent = divergence.mean(axis=0)
    epsilon = EPSILON if EPSILON in epsilons else epsilons[0]
    fallen = np.flatnonzero(collapsed(divergence, epsilon, delta))
    return {
        "schema": 1,
        "N": mu.shape[0],
        "k": mu.shape[1],
        "delta": float(delta),
        "epsilon": epsilon,
        "collapsed_percent": 100.0 * fallen.size / mu.shape[1],
        "collapsed": (fallen + 1).tolist(),
        "curve": [{"epsilon": e, "collapsed_percent": float(p)} for e, p in zip(epsilons, curve.tolist(), strict=True)],
        "kl_total": float(per_latent.sum()),
        "kl": per_latent.tolist(),
        "active_units": active_units(mu),
        "second_moment": second_moment(mu, logvar).tolist(),
        "notes": [*notes, *moment_notes(mu, logvar)],
    }


def _proportion(delta: Proportion) -> None:
    """Raises InputError unless 0 <= delta < 1, as written and as the double of the document."""
    try:
        value = float(delta)
    except (TypeError, ValueError):
        raise InputError(f"delta = {delta!r}: not a number; give a proportion of the data") from None
    if not 0 <= value < 1 or delta != delta:
        shown = str(delta) if isinstance(delta, str | Decimal) else f"{value:g}"
        raise InputError(f"delta = {shown}: a proportion of the data, at least 0 and below 1")


def moment_notes(mu: Array, logvar: Array) -> list[str]:
    """What second moments away from 1 suggest: never more than that (theory 6.4)."""
    N, k = mu.shape
    if N < FEWEST:
        return []
    variance = np.exp(logvar)
    apart = away_from_one(mu, variance)
    if not apart.size:
        return []
    m = second_moment(mu, logvar)[apart]
    low, high = f"{m.min():.3g}", f"{m.max():.3g}"
    told = low if low == high else f"{low} to {high}"
    some = f"{apart.size} of {k} latents ({ranges([int(i) + 1 for i in apart])})"
    which = "the only latent" if k == 1 else f"all {k} latents" if apart.size == k else some
    return [
        f"in {which} the mean over the data of mu^2 + variance is {told}; at every stationary point of the ELBO, with "
        f"any weight of the KL, it is 1. That suggests {_suggestion(mu, logvar)}"
    ]


def away_from_one(mu: Array, variance: Array) -> Array:
    """The latents whose mean of mu^2 + variance differs from 1 by more than its sampling error explains.  -> (j,)."""
    square = mu * mu + variance
    # Data that were not trained on have a mean square of their own: four standard errors are allowed.
    allowed = APART + 4 * square.std(axis=0) / np.sqrt(len(square))
    return np.flatnonzero(~(np.abs(square.mean(axis=0) - 1) <= allowed))


def _suggestion(mu: Array, logvar: Array) -> str:
    """Whatever makes the second moments 1 after all, if anything does."""
    readings = {"holds logarithms of standard deviations: the mean of mu^2 + exp(2 logvar)": 2 * logvar}
    if (logvar >= 0).all():
        with np.errstate(divide="ignore"):
            logarithm = np.log(logvar)
        readings["holds variances: the mean of mu^2 + logvar"] = logarithm
        readings["holds standard deviations: the mean of mu^2 + logvar^2"] = 2 * logarithm
    with np.errstate(over="ignore"):
        fitting = {s: np.exp(v) for s, v in readings.items() if not away_from_one(mu, np.exp(v)).size}
    # What is read wrongly is off in most latents, or far off; a few that are a little off prove no other reading.
    off = np.abs(second_moment(mu, logvar) - 1)
    misread = 2 * away_from_one(mu, np.exp(logvar)).size >= mu.shape[1] or off.max() > FAR_OFF
    if fitting and misread:
        nearest = min(fitting, key=lambda s: float(np.abs((mu * mu + fitting[s]).mean(axis=0) - 1).max()))
        return f"that logvar {nearest} is then about 1; an array of variances is to be named var, of deviations std"
    if misread and not away_from_one(mu, np.zeros_like(mu)).size:
        return "that mu holds samples of z, not the means: the mean of mu^2 alone is about 1"
    if (logvar >= 0).all():
        return "that logvar holds variances or standard deviations: none of its entries is negative"
    return (
        "a training that has not converged, another prior than N(0, I), another objective (free bits, for instance), "
        "or other data than those that were trained on"
    )
