"""The noise above which total collapse is the optimum of every decoder, however deep: bounds and witnesses.

Notation   y (n,) a centred row, N of them; S their covariance, divided by N, lam_1 its largest eigenvalue; t (n,) any
           vector; K(t) = log mean exp <y, t>; s* = sup_t 2 K(t)/|t|^2 >= lam_1, the data's sub-Gaussian variance proxy.
Main       proxy, lower_bound, Witness, upper_bound; two_atoms, TwoAtoms.
Reference  theory 6.2; claim any-decoder; docs/mathematics.md 12.2. Bennett, JASA 57 (1962); Kearns & Saul, UAI 1998.

At a noise above s* no decoder and no encoder beats collapse; below it a decoder with two outputs does (`two_atoms`).
The supremum is not known: a vector t shows that s* is at least its quotient, and that is checked in one line. Of some
thousand rows `verify.certify.propose.decoder` finds an upper bound that is closer than `upper_bound`, and proved.
"""

import math
from dataclasses import dataclass

import numpy as np

from verify.arrays import Array
from verify.checks import random_seed
from verify.data.covariance import Covariance, covariance
from verify.errors import InputError
from verify.landscape.log_means import Centred, Given, length, log_mean_exp
from verify.landscape.proxy_search import ascend, distinct, polished, quotient, starts
from verify.landscape.two_outputs import TwoAtoms, two_atoms

__all__ = ["Given", "TwoAtoms", "Witness", "lower_bound", "proxy", "two_atoms", "upper_bound"]

SEARCHED = 4096  # rows that the search looks at; what it finds is polished on all of them
_AXES = 12  # eigenvectors, and data far from the mean, that are starts
_POLISHED = 6


def proxy(y: Array, t: Array) -> Array:
    """2 log mean exp <y - mean y, t>/|t|^2 at each column of t.  y (N, n), t (n,) or (n, m) -> () or (m,).

    Exact to rounding at every length of t: towards t = 0 it is t^T S t/|t|^2.  Raises InputError: a t that is 0.
    """
    if not (length(t) > 0).all():
        raise InputError("t = 0: the quotient has no value there; give a direction")
    return quotient(y, t)


def upper_bound(lam_1: float, largest: float) -> float:
    """(B^4 - lam_1^2)/(2 B^2 log(B^2/lam_1)) >= s*, B = largest the largest |y|.  In exact arithmetic: not certified.

    <y, t>/|t| has mean 0, variance <= lam_1 and is <= B. Of all such variables the one with the two values B and
    -lam_1/B has the largest mean exponential (Bennett), and its proxy is this (Kearns & Saul). It rises with lam_1 and
    with B; at B^2 = lam_1 the values are +-B, and it is lam_1.
    """
    if lam_1 == 0:  # nothing varies
        return 0.0
    above = largest * (largest / lam_1) - 1  # >= 0 but for rounding: lam_1 is a mean of squares <= B^2
    if above <= 0:
        return float(lam_1)
    return float(largest * largest * (above / (above + 1)) * ((above + 2) / (above + 1)) / (2 * math.log1p(above)))


@dataclass(frozen=True, eq=False)
class Witness:
    """That s* >= value: value is 2 K(t)/|t|^2, or if `limit` its limit along t -> 0, t^T S t/|t|^2.

    t (n,); lam_1 and largest, the largest |y|, of the rows; data: how many data carry the mean of exp <y, t>, as
    1/sum p_i^2 of its weights p. Near 1 a noise below value is beaten by learning single data by heart.
    """

    value: float
    t: Array
    limit: bool
    lam_1: float
    largest: float
    data: float

    @property
    def upper(self) -> float:
        """What s* does not exceed, by `upper_bound`: not certified (`collapse_threshold` with certify is)."""
        return max(self.value, upper_bound(self.lam_1, self.largest))

    def check(self, rows: Given) -> float:
        """The value again, from the rows and t alone.  Raises InputError: other rows."""
        a, size = Centred(rows).projections(self.t), float(length(self.t))
        return float(((a / size) ** 2).mean()) if self.limit else float(2 * (log_mean_exp(a) / size) / size)


def lower_bound(rows: Given, found: Covariance | None = None, *, seed: int = 0, random: int = 16) -> Witness:
    """A lower bound of s*, never below lam_1, with its witness; the same for the same seed.

    rows (N, n), or a function that yields their blocks each time it is called (`Rows.blocks`); found: their covariance,
    where it is known already. The search looks at 4096 rows or fewer, from starts both ways along the leading
    eigenvectors, towards the data farthest from the mean and towards `random` others; the best are polished on all rows
    (some fifty passes).  Raises InputError: what a covariance is refused for, or one of other rows.
    """
    rng = np.random.default_rng(random_seed(seed))
    known = covariance(rows() if callable(rows) else rows) if found is None else found
    lam_1, first = float(known.eigenvalues[0]), known.leading(1)[:, 0]
    scale = 2.0 ** math.frexp(math.sqrt(lam_1))[1]
    centred = Centred(rows, scale)
    if known.mean is None or known.N != centred.N or known.n != centred.n:
        raise InputError(f"{centred.N} rows of {centred.n}, but the covariance is not of those; give the same rows")
    sample, far = _seen(centred, rng)
    axes = known.leading(min(_AXES, known.n)).T
    begin = starts(sample, np.concatenate([axes, -axes, far, sample[: max(random, 0)]]))
    t = ascend(sample, begin, 40)
    sizes = (far * far).sum(axis=1)
    # A datum far enough out is a maximum by itself, which a sample may not hold.
    alone = far[:2] * (2 * math.log(centred.N) / sizes[:2])[:, None]
    best, t_best = polished(centred, np.concatenate([distinct(quotient(sample, t), t, _POLISHED), alone.T], axis=1))
    largest = float(scale * math.sqrt(sizes[0]))
    if not best * scale * scale > lam_1:
        return Witness(lam_1, first, True, lam_1, largest, float(centred.N))
    p = centred.projections(t_best)
    p = np.exp(p - p.max())
    return Witness(best * scale * scale, t_best / scale, False, lam_1, largest, float(p.sum() ** 2 / (p @ p)))


def _seen(centred: Centred, rng: np.random.Generator) -> tuple[Array, Array]:
    """Some rows in random order (m, n), m <= 4096, and the farthest ones, farthest first."""
    chosen = np.sort(rng.choice(centred.N, min(centred.N, SEARCHED), replace=False))
    parts, far, start = [], np.zeros((0, centred.n)), 0
    for y in centred:
        parts.append(y[chosen[(chosen >= start) & (chosen < start + len(y))] - start])
        start += len(y)
        both = np.concatenate([far, y])
        far = both[np.argsort(-(both * both).sum(axis=1), kind="stable")[:_AXES]]
    sample = np.concatenate(parts)
    return sample[rng.permutation(len(sample))], far
