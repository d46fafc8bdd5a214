"""The walk, on the host and by the kernels, against exact arithmetic; measured spectra; kernels that use doubles."""

from itertools import combinations

import numpy as np
import pytest

from gpu import enumeration, kernels
from gpu.enumeration import enumerate_fixed, enumerate_learned
from gpu.index_sets import evaluate
from gpu.limbs import LIMB, fits, limbs
from tests.emulator import device
from tests.emulator.build import patched
from tests.verify.landscape.by_fractions import brute, decimal_spectra
from verify.eigenvalues import Eigenvalues
from verify.errors import InputError
from verify.landscape.stationary import fixed_noise_undecided, learned_noise_search
from verify.landscape.units import STATIONARY, UNDECIDED, units


@pytest.fixture
def cupy(monkeypatch):
    """A device whose kernels run in the emulator."""
    monkeypatch.setattr(enumeration, "THREADS", 16)
    return device.install(monkeypatch)


def doubles(lam):
    return np.array([float(x) for x in lam])


def agrees(lam, k, sigma2=None, **options):
    """Count, sets, histogram, index and nullity are those of fractions."""
    values, top = doubles(lam), 300
    walk = (
        enumerate_learned(values, k, top=top, bins=2, **options)
        if sigma2 is None
        else enumerate_fixed(values, k, [float(sigma2)], top=top, bins=2, **options)[0]
    )
    expected = brute(lam, k, sigma2)
    indices = [known.index for known in expected.values()]
    histogram = np.bincount(indices).tolist() if indices else []
    if (walk.valid, walk.index_histogram.tolist()) != (len(expected), histogram) or walk.undecided or walk.unsure:
        return False
    found = zip(walk.best, walk.evaluated.index, walk.evaluated.nullity, strict=True)
    return len(walk.best) == min(top, len(expected)) and all(
        A in expected and (expected[A].index, expected[A].nullity) == (index, nullity)
        for (A, _), index, nullity in found
    )


def test_three_thousand_spectra_of_decimals_are_counted_exactly():
    wide = 0
    for lam, k in decimal_spectra(3000):
        assert agrees(lam, k), (lam, k)
        wide += limbs(Eigenvalues.of(doubles(lam))).slack > 0
    assert wide > 100  # of so many digits that one limb leaves something open


def test_at_an_eigenvalue_and_beside_it():
    for lam, k in decimal_spectra(300, most_n=8, seed=1):
        for sigma2 in {x for x in lam if x > 0}:
            assert agrees(lam, k, sigma2)


def test_the_kernels_count_the_same(cupy):
    for lam, k in decimal_spectra(120, most_n=8, seed=2):
        assert agrees(lam, k, backend=cupy), (lam, k)
        assert agrees(lam, k, max(lam) / 2, backend=cupy) or float(max(lam) / 2) != max(lam) / 2
    assert {name for name, _, _ in cupy.launches} == {"walk"}


def test_where_one_limb_leaves_it_open_the_second_decides(cupy):
    """Ties, and neighbours of doubles, of seventeen digits beside a larger one of as many."""
    x = 0.12345678901234567
    lam = np.array([3.0123456789012345, x, x, x, np.nextafter(x, 0)])
    assert limbs(Eigenvalues.of(lam)).slack > 0
    exact = Eigenvalues.of(lam).exact
    for options in ({}, {"backend": cupy}):
        assert agrees(exact, 3, **options)


def measured(values, error):
    return Eigenvalues(np.asarray(values, dtype=float), np.full(len(values), error), None)


def doubtful(seed):
    """A measured spectrum of tenths with large errors, many sets of which are undecided."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 8))
    values = np.sort(rng.integers(seed % 2, rng.choice([6, 30]), n) / 10)[::-1]
    values[0] += 0.1
    return Eigenvalues.measured(values, np.full(n, 10.0 ** rng.uniform(-15, -2))), int(rng.integers(1, n))


def test_undecided_sets_are_counted_apart_and_no_others(cupy):
    """Set by set as units.py has them, by the walk on the host and by the kernels."""
    undecided = unsure = 0
    for seed in range(120):
        lam, k = doubtful(seed)
        of, n = units(lam), len(lam)
        sets = [A for q in range(min(k, n - 1) + 1) for A in combinations(range(n), q)]
        status = {A: of.status(A) for A in sets}
        valid = [A for A, s in status.items() if s == STATIONARY]
        open_ = {A: of.position(A).level if of.position(A).undecided else 0 for A in valid}
        doubts = [A for A in valid if len(A) < k and open_[A]]
        for options in ({}, {"backend": cupy}):
            walk = enumerate_learned(lam, k, top=200, bins=3, **options)
            assert {A for A, _ in walk.best} == set(valid) and walk.valid == len(valid)
            assert (walk.undecided, walk.unsure) == (list(status.values()).count(UNDECIDED), len(doubts))
            masks = [sum(1 << i for i in A) for A in sets]
            each = evaluate(lam, k, masks, **options)
            assert each.valid.tolist() == [s == STATIONARY for s in status.values()]
            assert each.perhaps.tolist() == [s == UNDECIDED for s in status.values()]
            levels = [(k - len(A)) * open_[A] if status[A] == STATIONARY else -1 for A in sets]
            assert each.undecided.tolist() == levels
        undecided += walk.undecided
        unsure += walk.unsure
    assert undecided > 20 and unsure > 20


def test_smaller_errors_decide():
    values = [3.0, 2.0, 1.5 + 1e-12, 1.0]
    assert enumerate_learned(measured(values, 1e-11), 3).undecided == 1
    assert enumerate_learned(measured(values, 1e-14), 3).undecided == 0
    far, near = (enumerate_learned(measured(values, e), 3) for e in (1e-14, 1e-11))
    assert far.valid == near.valid + 1


def test_a_fixed_noise_within_rounding_leaves_sets_open(cupy):
    lam = measured([4.0, 3.0, 2.5 + 2e-15], 4e-15)
    for options in ({}, {"backend": cupy}):
        walk = enumerate_fixed(lam, 3, [2.5], **options)[0]
        assert (walk.valid, walk.undecided, walk.unsure) == (4, 4, 4)
        assert walk.undecided == fixed_noise_undecided(lam, 3, 2.5)
        each = evaluate(lam, 3, [0b011, 0b101], 2.5, **options)
        assert (each.valid.tolist(), each.perhaps.tolist()) == ([True, False], [False, True])
        assert each.undecided.tolist() == [1, -1]


def test_more_digits_than_two_limbs_hold_are_refused_and_searched_for_instead():
    lam = np.array([1e30, 1.0, 1e-10])
    assert not fits(Eigenvalues.of(lam)) and fits(Eigenvalues.of(lam[:2]))
    with pytest.raises(InputError, match=f"{2 * LIMB} bits"):
        enumerate_learned(lam, 2)
    assert fits(measured([1e30, 1.0, 1e-10], 1e-12))  # of measured ones no more digits count than the errors leave


DOUBLES = {
    "validity": {"exceeds(multiple(of, discarded, p, a, true), most)": "__dmul_rn(p, of.lam[a]) > rest"},
    "index": {
        "given.above = count_above(of, discarded, p, most);": "while (p * of.lam[given.above] > rest) given.above++;"
    },
    "ties": {"of.same[i] != of.same[i - 1]": "of.lam[i] - of.lam[i - 1] < -1e-15 * of.lam[i]"},
    "one limb": {"x.high == y.high && x.low > y.low": "false"},
}


@pytest.mark.parametrize("patch", DOUBLES.values(), ids=DOUBLES)
def test_a_kernel_that_compares_doubles_is_caught(monkeypatch, patch):
    """The control: each of these plants rounding into the decisions, and some spectrum of decimals shows it."""
    monkeypatch.setattr(enumeration, "THREADS", 16)
    text = patched(kernels.source("enumeration"), patch)
    monkeypatch.setattr(kernels, "source", lambda name: text)
    cupy = device.install(monkeypatch)
    fixed = [([1.0, 0.9999999999999999, 0.5], 2), ([0.7, 0.4, 0.1], 2), ([1.4, 0.7, 0.0], 1)]
    spectra = [([Eigenvalues.of([x]).exact[0] for x in lam], k) for lam, k in fixed]
    assert not all(agrees(lam, k, backend=cupy) for lam, k in [*spectra, *decimal_spectra(150, most_n=7, seed=5)])


def test_zeros_of_different_errors_are_not_one_number():
    """{1, 2, 3} discards 0.9988 and three zeros, one of which is at most 0.57: it may exceed the mean, about 0.25."""
    values = np.array([3, 0.99882521, 0.99882521, 0.99882521, 0, 0, 0])
    lam = Eigenvalues.measured(values, np.array([1e-12, 0.0123, 0.0123, 0.0123, 0.566, 1.9e-12, 0.367]))
    of = units(lam)
    assert of.status((0, 1, 2)) == STATIONARY
    at = of.position((0, 1, 2))
    assert (at.above, at.level, at.undecided) == (4, 1, True)


def test_walk_and_search_agree_on_spectra_of_which_little_is_known():
    rng = np.random.default_rng(5)
    tried = 0
    while tried < 150:
        n = int(rng.integers(2, 7))
        values = rng.choice([0, 1, 1.5, 2, 3, 3 * rng.random()], n) + rng.normal(0, 1, n) * 10.0 ** rng.uniform(-14, -1)
        values = np.sort(np.maximum(values, 0))[::-1]
        lam = Eigenvalues.measured(values, 10.0 ** rng.uniform(-14, 0, n) * rng.choice([1, 0], n, p=[0.9, 0.1]))
        k = int(rng.integers(1, n + 1))
        if lam.rank < 1 or (lam.rank <= k and lam.rank < n):
            continue
        tried += 1
        status = [s for _, s in learned_noise_search(lam, k)]
        walk = enumerate_learned(lam, k)
        assert (walk.valid, walk.undecided) == (status.count(STATIONARY), status.count(UNDECIDED))
