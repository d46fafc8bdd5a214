"""Affine maps as ReLU networks: the linear VAE inside a deep one, with explicit weights.

Notation   x -> A x + b, A (n, k) of rank q; a network is a list of (weight, bias) with relu between them; widths: those
           of its hidden layers; relu(t) = max(t, 0), or slope t below 0 (leaky).
Main       rank_factors, relu_network, shifted_relu_network, apply.
Reference  theory 6.3; claim linear-inside.

Two units, relu(t) and relu(-t), carry one number through a layer, for relu(t) - relu(-t) = (1 + slope) t: with 2q
units or more in every hidden layer the network is the affine map on all of R^k. One unit carries it where t >= -reach:
q units will do on bounded data, and for a Gaussian t up to an error that vanishes as reach grows.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from verify.arrays import Array
from verify.checks import number, whole_number
from verify.errors import InputError

Layers = list[tuple[Array, Array]]
EPS = float(np.finfo(float).eps)


def rank_factors(A: Array) -> tuple[Array, Array]:
    """A = G H with as few columns of G as A has rank, to rounding.  A (n, k) -> (n, q), (q, k)."""
    U, size, R = np.linalg.svd(np.asarray(A, dtype=np.float64), full_matrices=False)
    q = int((size > max(A.shape) * EPS * size.max(initial=0.0)).sum())
    root = np.sqrt(size[:q])
    return U[:, :q] * root, root[:, None] * R[:q]


def relu_network(A: Array, b: Array, widths: Sequence[int], slope: float = 0.0) -> Layers:
    """x -> A x + b as a network with these hidden layers, exact everywhere.  A (n, k), b (n,).

    Raises InputError: a hidden layer narrower than 2q; slope -1, with which both units say the same.
    """
    G, H = rank_factors(A)
    q, slope = len(H), number(slope, "slope")
    _check_widths(widths, 2 * q, f"two units for each of the {q} dimensions of the map")
    if slope == -1:
        raise InputError("slope = -1: the unit is |t| and carries no sign; take another slope")
    signs = [_pairs(h, q) for h in widths]
    if not signs:
        return [(G @ H, np.array(b, dtype=np.float64))]
    inner = [into @ out.T / (1 + slope) for out, into in pairwise(signs)]
    weights = [signs[0] @ H, *inner, G @ signs[-1].T / (1 + slope)]
    return [(w, np.zeros(len(w))) for w in weights[:-1]] + [(weights[-1], np.array(b, dtype=np.float64))]


def shifted_relu_network(A: Array, b: Array, widths: Sequence[int], reach: float) -> Layers:
    """x -> G max(H x, -reach) + b, which is A x + b wherever no (H x)_i is below -reach.  A = G H: `rank_factors`.

    Raises InputError: a hidden layer narrower than q, or no hidden layer; a reach that is not finite or below 0.
    """
    G, H = rank_factors(A)
    q, reach = len(H), number(reach, "reach")
    _check_widths(widths, q, f"one unit for each of the {q} dimensions of the map")
    if not (np.isfinite(reach) and reach >= 0):
        raise InputError(f"reach = {reach:g}: must be finite and not negative")
    if not widths:
        raise InputError("no hidden layer: there is nothing to shift; use the map itself")
    units = [np.eye(h, q) for h in widths]
    weights = [units[0] @ H, *(into @ out.T for out, into in pairwise(units)), G @ units[-1].T]
    # Behind the first layer stands max(t, -reach) + reach >= 0, which every further one lets through.
    biases = [reach * units[0].sum(axis=1), *(np.zeros(h) for h in widths[1:]), b - reach * G.sum(axis=1)]
    return list(zip(weights, biases, strict=True))


def apply(layers: Layers, X: Array, slope: float = 0.0) -> Array:
    """The outputs of the network.  X (..., k) -> (..., n)."""
    for i, (weight, bias) in enumerate(layers):
        X = X @ weight.T + bias
        if i + 1 < len(layers):
            X = np.where(X > 0, X, slope * X)
    return np.asarray(X)


def _pairs(h: int, q: int) -> Array:
    """P - Q (h, q): the units 1, ..., q carry t, the next q carry -t, the others nothing."""
    return np.eye(h, q) - np.eye(h, q, -q)


def _check_widths(widths: Sequence[int], least: int, why: str) -> None:
    """InputError for a hidden layer narrower than this."""
    for i, width in enumerate(widths, start=1):
        if whole_number(width, f"width of hidden layer {i}") < max(least, 1):
            raise InputError(f"hidden layer {i} has {width} units: it takes {max(least, 1)}, {why}")
