"""The numbers of a step, one a model: the weights of the loss before the products, and behind them what it came to.

Notation   E models, B data a batch, n numbers a datum; all numbers (E,) float64 but where said.
Main       Terms, elbo; Weights, weigh; Ledger, account.
Reference  Lucas et al. 2019, Eqs. 9, 10; Sec. 6.4 (annealing); theory 5.1.

There are some forty operations on (E,) numbers in a step: a device does them in two launches (on_device.py).
"""

from typing import NamedTuple

import numpy as np

from gpu.vae import on_device
from verify.arrays import Array, namespace


class Terms(NamedTuple):
    """Means over the batch: error = E||x - y||^2 and KL, (E,) float64, per datum."""

    error: Array
    kl: Array


def elbo(terms: Terms, sigma2: Array, n: int, beta: Array | float = 1.0) -> Array:
    """-beta KL - n/2 log(2 pi sigma2) - error/(2 sigma2), nats per datum.  (E,), (E,) -> (E,)."""
    xp = namespace(terms.kl)
    return -beta * terms.kl - 0.5 * n * xp.log(2 * np.pi * sigma2) - terms.error / (2 * sigma2)


class Weights(NamedTuple):
    """sigma2 and what the gradients of a batch's error and KL are multiplied by: 1/(sigma2 B) and beta/B."""

    sigma2: Array
    error: Array
    kl: Array


class Ledger(NamedTuple):
    """What a training keeps of its models, written in place.

    frozen (E,) int64: the first step whose loss was no number, 0 for none; sums (E, 3): error, KL and sigma2 added up;
    alive (E,) bool: not frozen.
    """

    frozen: Array
    sums: Array
    alive: Array


def weigh(log_sigma2: Array, beta: Array, anneal: Array | None, done: float, B: int, out: Weights) -> Weights:
    """-> out, written.  log_sigma2 (E,), a view in the precision of the parameters.

    anneal: epochs over which beta rises from 0, `done` of them are over; 0 or None for no annealing.
    """
    if namespace(log_sigma2) is not np:
        on_device.weigh(log_sigma2, beta, anneal, done, B, out)
        return out
    out.sigma2[...] = np.exp(log_sigma2.astype("float64"))
    if anneal is not None:
        beta = beta * np.where(anneal > 0, np.minimum(1.0, done / np.maximum(anneal, 1e-9)), 1.0)
    out.error[...] = 1 / (out.sigma2 * B)
    out.kl[...] = beta / B
    return out


def account(
    sums: Terms, spread: Array | None, weights: Weights, learned: Array, n: int, B: int, dlog_sigma2: Array,
    ledger: Ledger | None = None, step: int = 0,
) -> Terms:  # fmt: skip
    """The terms of a batch from their sums over it, and the gradient of log sigma2, 0 where it is not learned, written.

    spread: what else the error of a datum comes to; learned (E,) bool; dlog_sigma2 (E,), a view in the precision of the
    parameters. The ledger is told the terms of this step, counted from 1.
    """
    if namespace(sums.kl) is not np:
        return Terms(*on_device.account(sums, spread, weights.sigma2, learned, n, B, dlog_sigma2, ledger, step))
    error, kl = sums.error / B, sums.kl / B
    if spread is not None:
        error = error + spread
    terms, sigma2 = Terms(error, kl), weights.sigma2
    dlog_sigma2[...] = np.where(learned, 0.5 * n - error / (2 * sigma2), 0.0)
    if ledger is not None:
        failed, columns = ~np.isfinite(elbo(terms, sigma2, n)), np.stack([error, kl, sigma2], axis=1)
        np.copyto(ledger.frozen, step, where=failed & (ledger.frozen == 0))
        np.add(ledger.sums, columns, out=ledger.sums)
        np.equal(ledger.frozen, 0, out=ledger.alive)
    return terms
