"""Index sets of pPCA one by one: is it stationary, with which noise, value, index and nullity.

Notation   lam (n,) descending eigenvalues, n <= 64; A a retained set of q <= k eigen-indices; a mask (uint64) has bit i
           set where i (from 0) is in A; sigma2_A the mean of the discarded eigenvalues.
Main       evaluate(masks) -> Evaluated; Problem, measured (for enumeration.py, which walks all of them).
Reference  theory 1.2-1.4 and 2; verify/landscape/stationary.py says the same in integers of any size.

On a device by the kernel `evaluate` of kernels/enumeration.cu, of which `measured` is the twin.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import cached_property
from math import log, pi
from typing import Any

import numpy as np

from gpu.kernels import kernel
from gpu.limbs import Limbs, Wide, carried, exceeds, limbs
from verify.arrays import Array, to_numpy
from verify.eigenvalues import Eigenvalues, Position
from verify.errors import InputError

LONGEST = 64  # bits of a mask
THREADS = 128  # of a block on the device
CHUNK = 1 << 11  # sets at once: arrays of 64 times as many numbers stay in a core's cache


@dataclass(frozen=True)
class Evaluated:
    """Index sets one by one, (m,) each: is it stationary, the noise, L, index and nullity of the Hessian in W (1.3).

    perhaps: rounding cannot tell whether it is. undecided: of so many directions it cannot tell the sign; they are part
    of the nullity.
    """

    valid: Array
    perhaps: Array
    sigma2: Array
    value: Array
    index: Array
    nullity: Array
    undecided: Array


def members(mask: int) -> tuple[int, ...]:
    """The eigen-indices of a mask, ascending."""
    return tuple(i for i in range(LONGEST) if int(mask) >> i & 1)


def checked_spectrum(lam: Array | Eigenvalues, k: int, noises: Iterable[float] = ()) -> Eigenvalues:
    known = lam if isinstance(lam, Eigenvalues) else None
    values = np.array(to_numpy(lam), dtype=np.float64) if known is None else known.values
    if values.ndim != 1 or not 1 <= len(values) <= LONGEST:
        raise InputError(f"enumeration: {values.shape} eigenvalues, not 1 to {LONGEST}; search for the best instead")
    if not np.isfinite(values).all() or values[-1] < 0 or (np.diff(values) > 0).any():
        raise InputError("enumeration: the eigenvalues must be finite, not negative and in descending order; sort them")
    if not 1 <= k <= len(values):
        raise InputError(f"enumeration: k = {k} with {len(values)} eigenvalues; choose k from 1 to {len(values)}")
    if not all(np.isfinite(s) and s > 0 for s in noises):
        raise InputError("enumeration: every sigma2 must be finite and greater than 0; leave the others out")
    return known or Eigenvalues.of(values)


def _logs(x: Array) -> Array:
    return np.log(np.where(x > 0, x, 1.0))  # a zero eigenvalue is never retained


def terms_of(lam: Array, sigma2: float | None) -> tuple[Array, float, float]:
    """(terms, base, weight): L = base - weight (sum of terms over A [+ p log sigma2_A]), theory 1.2 and 2."""
    n = len(lam)
    if sigma2 is None:
        return _logs(lam), -0.5 * n * (log(2 * pi) + 1), 0.5
    ratio = np.maximum(lam / sigma2, 1.0)
    return 0.5 * (np.log(ratio) - (ratio - 1)), -0.5 * (n * log(2 * pi * sigma2) + float(lam.sum()) / sigma2), 1.0


@dataclass(frozen=True)
class Problem:
    """A spectrum, k and a noise (None: learned) with its position, ready to be walked."""

    spectrum: Eigenvalues
    limbs: Limbs
    k: int
    sigma2: float | None

    @property
    def n(self) -> int:
        """The number of eigenvalues."""
        return len(self.spectrum)

    @cached_property
    def at(self) -> Position | None:
        """Where the given noise lies."""
        return None if self.sigma2 is None else self.spectrum.position(self.sigma2)

    @cached_property
    def terms(self) -> tuple[Array, float, float]:
        """As terms_of has them."""
        return terms_of(self.spectrum.values, self.sigma2)


@dataclass(frozen=True)
class Measured:
    """Of each mask, (m,): valid (1: surely, 2: perhaps), noise, cost, index, nullity, directions of unknown sign."""

    valid: Array
    noise: Array
    cost: Array
    index: Array
    nullity: Array
    undecided: Array


def measured(problem: Problem, masks: Array) -> Measured:
    """What there is to know of each mask, some thousands at a time."""
    parts = [_measured(problem, masks[i : i + CHUNK]) for i in range(0, max(len(masks), 1), CHUNK)]
    names = [f.name for f in fields(Measured)]
    return Measured(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _measured(problem: Problem, masks: Array) -> Measured:
    of, k, n = problem.limbs, problem.k, problem.n
    retained = (masks >> np.arange(n, dtype=np.uint64)[:, None] & np.uint64(1)).astype(bool)  # (n, m), as all below
    size, last = retained.sum(0), n - 1 - np.argmax(retained[::-1], axis=0)
    last[size == 0] = -1
    before = np.zeros((n + 1, len(masks)), dtype=np.int64)  # how many of the first are discarded
    np.cumsum(~retained, axis=0, out=before[1:])
    starts, ends = of.runs
    inversions = np.where(retained, before[starts], 0).sum(0)
    first = np.unique(starts)
    left = before[ends[first]] - before[first]
    ties = (left * ((ends - starts)[first, None] - left)).sum(0)
    # One after the other, in the order of the spectrum: equal sets of numbers have equal sums.
    cost = np.cumsum(np.where(retained, problem.terms[0][:, None], 0.0), axis=0)[-1]
    if problem.at is None:
        rest = np.cumsum(np.where(retained, 0.0, of.lam[:, None]), axis=0)[-1]
        valid, above, level, sharp = _against_mean(of, retained, last, rest)
        p = n - size
        noise = rest / np.maximum(p, 1)
        tied = (level > 0) & (valid > 0) & sharp
        noise[tied] = of.lam[above[tied]]
        cost = cost + p * _logs(noise)
    else:
        at, sharp = problem.at, np.full(len(masks), not problem.at.undecided)
        noise = np.full(len(masks), problem.sigma2)
        above, level = np.full(len(masks), at.above), np.full(len(masks), at.level)
        valid = np.where(last < at.above, 1, np.where(~sharp & (last < at.above + at.level), 2, 0))
    valid[size > k] = 0
    index = inversions + (k - size) * (above - size)
    nullity = size * (size - 1) // 2 + size * (k - size) + ties + (k - size) * level
    return Measured(valid, noise, cost, index, nullity, np.where(sharp, 0, (k - size) * level))


def _against_mean(of: Limbs, retained: Array, last: Array, rest: Array) -> tuple[Array, Array, Array, Array]:
    """(valid, above, level, sharp): every set against the mean of what it discards, as units.py has it.

    sharp: what ties does so exactly.
    """
    n, at = len(of.lam), np.arange(len(last))
    discarded = ~retained
    p = discarded.sum(0)
    least, most = (carried(Wide(*(x @ discarded for x in wide))) for wide in (of.least, of.most))
    if of.sharp:
        low = high = carried(Wide(*(p * x[:, None] for x in of.least)))
    else:  # between what p lam_j lies, where those that equal it cancel
        starts, ends = of.runs
        before = np.concatenate([np.zeros((1, len(last)), dtype=np.int64), np.cumsum(discarded, axis=0)])
        m = before[ends] - before[starts]
        pairs = ((of.least, of.most), (of.most, of.least))
        low, high = (
            carried(Wide(*((p - m) * x[:, None] + m * y[:, None] for x, y in zip(*pair, strict=True))))
            for pair in pairs
        )
    over, maybe, under = exceeds(low, most), exceeds(high, least), exceeds(least, high)
    valid = np.where(over[last, at] | (last < 0), 1, np.where(maybe[last, at], 2, 0))
    above, level = over.sum(0), np.maximum(n - under.sum(0) - over.sum(0), 0)
    sharp = np.full(len(last), of.sharp)
    # All that is discarded is one number: the noise is that number.
    start = int(of.runs[0][-1])
    one = ~discarded[:start].any(0)
    valid[one] = last[one] < start
    above[one], level[one], sharp[one] = start, n - start, True
    valid[(last >= of.rank) | (rest <= 0)] = 0
    return valid, above, level, sharp


def _problem(lam: Array | Eigenvalues, k: int, sigma2: float | None) -> Problem:
    spectrum = checked_spectrum(lam, k, () if sigma2 is None else (sigma2,))
    return Problem(spectrum, limbs(spectrum), k, sigma2)


def evaluate(
    lam: Array | Eigenvalues, k: int, masks: Array, sigma2: float | None = None, backend: Any = np
) -> Evaluated:
    """Each index set by itself (theory 1.2-1.4; 2 where sigma2 is None): lam (n,), masks (m,) uint64 -> (m,) each.

    Where a set is not surely stationary, value is NaN and index, nullity and undecided are -1; sigma2 is the mean
    discarded all the same.
    """
    return evaluated(_problem(lam, k, sigma2), np.asarray(masks, dtype=np.uint64), backend)


def evaluated(problem: Problem, masks: Array, backend: Any = np) -> Evaluated:
    here = measured(problem, masks) if backend is np or not len(masks) else _on_device_each(problem, masks, backend)
    _, base, weight = problem.terms
    valid = here.valid == 1
    counts = [np.where(valid, x, -1) for x in (here.index, here.nullity, here.undecided)]
    value = np.where(valid, base - weight * here.cost, np.nan)
    return Evaluated(valid, here.valid == 2, here.noise, value, *counts)


# ---------------------------------------------------------------- on a device


def kernel_inputs(problem: Problem, n: int, terms: Array, xp: Any) -> tuple[list[Any], Any]:
    """What both kernels take first, for the first n eigenvalues, and whether least is most."""
    of = problem.limbs
    arrays = of.lam[:n], terms, of.ties[:n], of.wide[:, :n]
    return [xp.asarray(np.ascontiguousarray(a)) for a in arrays], np.int32(of.sharp)


def _on_device_each(problem: Problem, masks: Array, xp: Any) -> Measured:
    """As measured, by the kernel `evaluate`."""
    m, at = len(masks), problem.at
    arrays, sharp = kernel_inputs(problem, problem.n, problem.terms[0], xp)
    out = [xp.zeros(m, dtype=d) for d in (np.int32, np.float64, np.float64, np.int32, np.int32, np.int32)]
    sizes = [np.int32(x) for x in (problem.limbs.rank, problem.n, problem.k, m)]
    noise = np.float64(problem.sigma2 or 0.0), *(np.int32(x) for x in ((at.above, at.level) if at else (0, 0)))
    blocks = min(-(-m // THREADS), 1 << 16)
    call = *arrays, xp.asarray(masks), *noise, sharp, *sizes, *out
    kernel("enumeration", "evaluate", xp)((blocks,), (THREADS,), call)
    valid, sigma2, cost, *counts = [to_numpy(a) for a in out]
    return Measured(valid, sigma2, cost, *(a.astype(np.int64) for a in counts))
