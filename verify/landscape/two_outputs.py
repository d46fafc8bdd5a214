"""A decoder with two outputs, which beats collapse at every noise below the variance proxy of the data.

Notation   y (n,) a centred row; s the noise; a decoder that gives theta_1 on a part of the prior of mass w_1 and
           theta_2 on the rest makes x a mixture of N(theta_j, s I); K(t) = log mean exp <y, t>, t (n,).
Main       two_atoms, TwoAtoms.
Reference  docs/mathematics.md 12.2; Lindsay, Ann. Statist. 11 (1983) for the gradient of a mixture's likelihood.
"""

import math
from dataclasses import dataclass

import numpy as np

from verify.arrays import Array
from verify.checks import positive_noise
from verify.errors import InputError
from verify.landscape.log_means import Centred, Given, length

_LENGTHS = np.geomspace(0.25, 4, 9)


@dataclass(frozen=True, eq=False)
class TwoAtoms:
    """Two outputs of a decoder: weights (2,) and atoms (2, n).

    nats: what their mean log-likelihood per datum exceeds that of collapse by. It is what the ELBO gains with an
    encoder that reaches the posterior; a Gaussian one gains less, and perhaps nothing.
    """

    weights: Array
    atoms: Array
    nats: float


def two_atoms(rows: Given, t: Array, s: float, steps: int = 12) -> TwoAtoms:
    """The two outputs that t leads to at noise s, and what they gain over one.  t (n,).

    At theta = mean + s t Lindsay's gradient is exp(K(t) - s |t|^2/2) - 1, positive where s < 2 K(t)/|t|^2: there some
    weight on theta gains. From the best weight and length along t, `steps` passes of EM move both atoms; they never
    lose. Where nothing is gained both atoms are the mean, and nats is 0.  Raises InputError.
    """
    s, t = positive_noise(s), np.asarray(t, dtype=np.float64)
    if t.ndim != 1 or not 0 < float(length(t)) < math.inf:
        raise InputError(f"t of shape {t.shape}: give a vector of finite numbers, not all of them 0")
    # In units in which t has a length near 1, so that squares are doubles.
    unit = 2.0 ** -math.frexp(float(length(t)))[1]
    t, s, centred = t * unit, s / unit / unit, Centred(rows, unit)
    weight, stretch = _along(centred.projections(t), s * float(t @ t))
    weights, atoms = np.array([1 - weight, weight]), np.stack([0 * t, stretch * s * t])
    nats, best = 0.0, (np.array([1.0, 0.0]), 0 * atoms)
    for _ in range(steps + 1 if weight > 0 else 0):
        reached, mass, sums = _explained(centred, atoms, weights, s)
        if not reached > nats:
            break
        nats, best = reached, (weights, atoms)
        if not mass.min() > 0:
            break
        weights, atoms = mass / mass.sum(), sums / mass[:, None]
    return TwoAtoms(best[0], centred.mean + unit * best[1], nats)


def _along(a: Array, square: float) -> tuple[float, float]:
    """The best weight and r of an atom at mean + r s t, from a = <y, t> (N,) and square = s |t|^2; (0, 1): no gain."""
    tried = [(*_best_weight(r * a - r * r * square / 2), float(r)) for r in _LENGTHS]
    weight, _, stretch = max(tried, key=lambda one: one[1])
    return (weight, stretch) if weight > 0 else (0.0, 1.0)


def _best_weight(log_ratio: Array) -> tuple[float, float]:
    """The e in (0, 1) that maximises mean log(1 + e (ratio - 1)), concave in e, and that mean; (0, 0) if none gains."""
    more = np.expm1(np.minimum(log_ratio, 600.0))
    if not float(more.mean()) > 0:
        return 0.0, 0.0
    low, high = 1e-280, 1 - 1e-12  # a weight may be as small as one over the largest ratio
    for _ in range(80):
        middle = math.sqrt(low * high) if 2 * low < high else (low + high) / 2
        slope = float((more / (1 + middle * more)).mean())
        low, high = (middle, high) if slope > 0 else (low, middle)
    return low, float(np.log1p(low * more).mean())


def _explained(rows: Centred, atoms: Array, weights: Array, s: float) -> tuple[float, Array, Array]:
    """Nats over collapse of atoms (2, n) at those places from the mean; the mass (2,) and sum of y (2, n) of each."""
    total, mass, sums = 0.0, np.zeros(2), np.zeros_like(atoms)
    for y in rows:
        log_ratio = np.log(weights) + (y @ atoms.T - (atoms * atoms).sum(axis=1) / 2) / s
        top = log_ratio.max(axis=1, keepdims=True)
        share = np.exp(log_ratio - top)
        whole = share.sum(axis=1, keepdims=True)
        total += float((top + np.log(whole)).sum())
        share /= whole
        mass, sums = mass + share.sum(axis=0), sums + share.T @ y
    return total / rows.N, mass, sums
