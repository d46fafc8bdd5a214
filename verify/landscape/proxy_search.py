"""The search for a vector t at which 2 log mean exp <y, t>/|t|^2 is large: many starts, an ascent, a polish.

Notation   y (N, n) centred rows; t (n, m) vectors, a column each; K(t) = log mean exp <y, t>, m(t) = grad K.
Main       starts, ascend, distinct, polished.
Reference  docs/mathematics.md 12.2. t <- m(t)/s at s = 2 K(t)/|t|^2 never lowers the quotient: K is convex, so at
           t' = m/s, K(t') - s |t'|^2/2 >= K(t) + <m, t' - t> - s |t'|^2/2 = s |t' - t|^2/2 >= 0.

Nothing here is relied upon: what is found is checked from the rows and t alone.
"""

import math

import numpy as np
from scipy.optimize import minimize

from verify.arrays import Array
from verify.landscape.log_means import Centred, length, log_mean_exp

# Sizes of the largest <y, t>: there third moments begin to count, or single data to rule the mean.
_SIZES = (0.1, 0.3, 1.0, 3.0, 8.0)
_SAME = 1e-2  # relative distance at which two vectors are on their way to one maximum


def quotient(y: Array, t: Array) -> Array:
    """2 log mean exp <y - mean y, t>/|t|^2 at each column of t.  y (N, n), t (n, ...), none 0 -> (...)."""
    size = length(t)
    b = y @ (t / size)
    b -= b.mean(axis=0)
    with np.errstate(under="ignore", over="ignore"):
        found = 2 * (log_mean_exp(b * size) / size) / size
        # So near 0 squares of <y, t> may underflow, and two terms of the series in |t| are all.
        limit = ((1 + size * b / 3) * b * b).mean(axis=0)
    return np.asarray(np.where(size * np.abs(b).max(axis=0) < 1e-8, limit, found))


def starts(y: Array, directions: Array) -> Array:
    """Along each direction (m, n) that some row lies in, the best of a few lengths.  -> (n, at most m)."""
    norm = np.sqrt((directions * directions).sum(axis=1))
    unit = directions[norm > 1e-12 * norm.max()] / norm[norm > 1e-12 * norm.max(), None]
    reach = (y @ unit.T).max(axis=0)
    unit, reach = unit[reach > 1e-9 * reach.max()], reach[reach > 1e-9 * reach.max()]
    sizes = np.array([*_SIZES, 2 * math.log(len(y))])  # the last: where the farthest row outweighs all others
    values = np.stack([quotient(y, (unit * (size / reach)[:, None]).T) for size in sizes])
    return np.asarray((unit * (sizes[values.argmax(axis=0)] / reach)[:, None]).T)


def ascend(y: Array, t: Array, steps: int) -> Array:
    """`steps` of t <- m(t)/s at each column of t."""
    for _ in range(steps):
        a = y @ t
        a -= a.mean(axis=0)
        s = 2 * log_mean_exp(a) / (t * t).sum(axis=0)
        p = np.exp(a - a.max(axis=0))
        t = y.T @ (p / p.sum(axis=0)) / s
    return t


def distinct(values: Array, t: Array, count: int) -> Array:
    """The `count` best columns of t, no two of them nearly the same.  values (m,)."""
    chosen: list[int] = []
    for j in np.argsort(-values, kind="stable"):
        apart = [float(length(t[:, j] - t[:, i]) / length(t[:, i])) for i in chosen]
        if len(chosen) < count and all(distance > _SAME for distance in apart):
            chosen.append(int(j))
    return np.asarray(t[:, chosen])


def polished(rows: Centred, t: Array, steps: int = 6, evaluations: int = 40) -> tuple[float, Array]:
    """The best quotient and its t (n,): a few steps on all rows from each column, and quasi-Newton from the best."""
    for _ in range(steps):
        K, m = rows.moments(t)
        t = m * ((t * t).sum(axis=0) / (2 * K))
    K, _ = rows.moments(t)
    values = 2 * K / (t * t).sum(axis=0)
    best = int(np.argmax(values))
    value, at, size = float(values[best]), t[:, best], float(length(t[:, best]))

    def lost(direction: Array) -> tuple[float, Array]:
        """1 - quotient/value and its gradient at t = size direction."""
        square = float(direction @ direction)
        if not square > 0:  # a step may land on 0, where there is no quotient
            return 1.0, np.zeros_like(direction)
        K, m = rows.moments(size * direction[:, None])
        gained = 2 * float(K[0]) / square / (value * size * size)
        return 1 - gained, -2 / square * (m[:, 0] / (value * size) - gained * direction)

    options = {"maxfun": evaluations, "gtol": 1e-9, "ftol": 1e-14}
    found = minimize(lost, at / size, jac=True, method="L-BFGS-B", options=options)
    return (float(value * (1 - found.fun)), found.x * size) if found.fun < 0 else (value, at)
