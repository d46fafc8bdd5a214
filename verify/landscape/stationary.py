"""All stationary points of pPCA, at fixed and at learned noise, the best ones first.

Notation   lam (n,) descending eigenvalues; A the set of retained eigen-indices, q = |A| <= k; sigma2 the noise.
Main       fixed_noise_points, learned_noise_points, learned_noise_point, learned_noise_search, fixed_noise_count,
           fixed_noise_undecided, retained_count, noise_of, curve_end.
Reference  theory 1.2 and 2; Tipping & Bishop, JRSS-B 61 (1999), App. A.

Each index set counts once, however eigenvalues tie and whatever the rotation R. Which sets there are is decided in
whole numbers (units.py): of typed eigenvalues exactly; of measured ones a set is listed if it is surely stationary.

At k = n and learned noise the maximum is a curve: C = S for every sigma2 <= lam_n, with all n retained below lam_n. It
ends in the set of all that exceed lam_n, at sigma2 = lam_n. One point stands for it, the one at lam_n / 2.
"""

from collections.abc import Iterator
from math import comb, fsum, log, pi

import numpy as np

from verify.arrays import Array
from verify.eigenvalues import Eigenvalues, Position
from verify.landscape.noise import Noise, given, mean_of
from verify.landscape.points import Block, Point, ordered, value_at
from verify.landscape.search import IndexSet, best_first
from verify.landscape.units import NONE, STATIONARY, UNDECIDED, units


def retained_count(lam: Array | Eigenvalues, k: int, sigma2: float) -> int:
    """q* = min(k, #{lam_i > sigma2}): how many latents the optimum at this noise surely retains (theory 1.5)."""
    return Eigenvalues.of(lam).position(sigma2).retained(k)[0]


def _sets(above: int, k: int) -> int:
    return sum(comb(above, q) for q in range(min(k, above) + 1))


def fixed_noise_count(lam: Array | Eigenvalues, k: int, sigma2: float) -> int:
    """The number of stationary index sets at fixed noise: sum over q <= k of C(#{lam_i > sigma2}, q)."""
    return _sets(Eigenvalues.of(lam).position(sigma2).above, k)


def fixed_noise_undecided(lam: Array | Eigenvalues, k: int, sigma2: float) -> int:
    """How many more there are if all that cannot be told from the noise lie above it."""
    at = Eigenvalues.of(lam).position(sigma2)
    return _sets(at.above + at.level, k) - _sets(at.above, k) if at.undecided else 0


def gains(lam: Array, sigma2: float) -> Array:
    """What retaining u_a adds to L: 1/2 [lam_a/sigma2 - 1 - log(lam_a/sigma2)], additive (theory 1.2).  -> (n,).

    0 where it does not exceed the noise.
    """
    ratio = np.maximum(np.asarray(lam) / sigma2, 1.0)
    return 0.5 * (ratio - 1 - np.log(ratio))


def _point(chosen: IndexSet, k: int, spectrum: Eigenvalues, noise: Noise) -> Point:
    blocks = ordered((Block((i,)) for i in chosen), k)
    return Point("ppca", blocks, noise.sigma2, value_at(blocks, spectrum.values, noise.sigma2), noise=noise)


def fixed_noise_points(lam: Array | Eigenvalues, k: int, sigma2: float) -> Iterator[Point]:
    """Yield every stationary point of L at this noise, best first: A within {lam_a > sigma2}, |A| <= k (theory 1.2)."""
    spectrum = Eigenvalues.of(lam)
    noise = given(spectrum, sigma2)
    gain = gains(spectrum.values, sigma2).tolist()
    for _, chosen in best_first(noise.position.above, k, lambda A: fsum(gain[i] for i in A)):
        yield _point(chosen, k, spectrum, noise)


def noise_of(lam: Array | Eigenvalues, chosen: IndexSet) -> float | None:
    """sigma2_A, the mean of the discarded eigenvalues, or None unless every retained one surely exceeds it (theory 2).

    chosen ascending.
    """
    of = units(lam)
    return of.mean(chosen) if of.status(chosen) == STATIONARY else None


def profile_value(lam: Array, chosen: IndexSet, sigma2: float) -> float:
    """L at the joint stationary point: -1/2 [n log 2 pi + sum_A log lam_a + (n - q) log sigma2_A + n] (theory 2)."""
    n = len(lam)
    logs = fsum(log(lam[i]) for i in chosen)
    return -0.5 * (n * (log(2 * pi) + 1) + logs + (n - len(chosen)) * log(sigma2))


def curve_end(lam: Array | Eigenvalues, k: int) -> IndexSet | None:
    """The indices of all that exceed lam_n, where the curve C = S of learned noise ends; None where there is none.

    There is one if k = n and lam_n > 0.
    """
    spectrum = Eigenvalues.of(lam)
    n = len(spectrum)
    if k < n or spectrum.rank < n:
        return None
    known = spectrum.exact or spectrum.values.tolist()
    return tuple(i for i in range(n) if known[i] > known[-1])


def on_curve(spectrum: Eigenvalues) -> Noise:
    """The noise of the point that stands for the curve: half of lam_n, of the least that it may be if that is known."""
    half, below_all = spectrum.half(len(spectrum) - 1), Position(len(spectrum), 0, False)
    if spectrum.exact is not None:
        return Noise(half, below_all, exact=spectrum.exact[-1] / 2)
    return Noise(half, below_all, bounds=(half, half))


def learned_noise_point(lam: Array | Eigenvalues, k: int, chosen: IndexSet) -> Point | None:
    """The joint stationary point that retains these indices (ascending), None where there is surely none (theory 2).

    The end of the curve, or all n indices, give the point that stands for it.
    """
    spectrum = Eigenvalues.of(lam)
    if len(chosen) == len(spectrum) or chosen == curve_end(spectrum, k):
        exists = curve_end(spectrum, k) is not None
        return _point(tuple(range(len(spectrum))), k, spectrum, on_curve(spectrum)) if exists else None
    if units(spectrum).status(chosen) != STATIONARY:
        return None
    return _point(chosen, k, spectrum, mean_of(spectrum, chosen))


def learned_noise_search(lam: Array | Eigenvalues, k: int) -> Iterator[tuple[IndexSet, int]]:
    """(A, status) of every index set that is stationary in (W, sigma2), or may be, best first (theory 2)."""
    spectrum = Eigenvalues.of(lam)
    of, values = units(spectrum), spectrum.values.tolist()
    status: dict[IndexSet, int] = {}

    def worth(chosen: IndexSet) -> float | None:
        here = of.status(chosen)
        if here == NONE:
            return None
        if here == UNDECIDED:
            status[chosen] = here
        return profile_value(values, chosen, of.mean(chosen))

    for _, chosen in best_first(len(values), k, worth):
        yield chosen, status.pop(chosen, STATIONARY)


def learned_noise_points(lam: Array | Eigenvalues, k: int) -> Iterator[Point]:
    """Yield every joint stationary point of L in (W, sigma2), best first: sigma2_A is the mean discarded (theory 2)."""
    spectrum = Eigenvalues.of(lam)
    for chosen, status in learned_noise_search(spectrum, k):
        point = learned_noise_point(spectrum, k, chosen) if status == STATIONARY else None
        if point is not None:
            yield point


def learned_noise_candidates(n: int, k: int) -> int:
    """How many index sets compete at learned noise, valid or not: sum over q <= min(k, n - 1) of C(n, q)."""
    return sum(comb(n, q) for q in range(min(k, n - 1) + 1))
