"""The walk over all index sets against the definition, against the search for the best, and device against host."""

from itertools import combinations, islice, pairwise
from math import comb

import numpy as np
import pytest

from gpu import enumeration, kernels
from gpu.enumeration import candidates, enumerate_fixed, enumerate_learned
from gpu.halves import reversed_bits
from gpu.index_sets import evaluate, members
from proofs.problems.spectra import landscapes
from tests.emulator import device
from tests.emulator.build import patched
from verify.eigenvalues import Eigenvalues
from verify.errors import InputError
from verify.landscape.noise import mean_of
from verify.landscape.points import Block, Point, ordered, value_at
from verify.landscape.spectrum import spectrum
from verify.landscape.stationary import curve_end, fixed_noise_points, learned_noise_points, noise_of
from verify.landscape.units import units

TOLERANCE = 1e-12  # of the value: two orders of adding some tens of terms
MEAN = 1e-14  # of a mean of at most 64 numbers, added in doubles: it serves for values, nothing is decided by it


@pytest.fixture
def cupy(monkeypatch):
    """A device whose kernels run in the emulator, with blocks so small that every buffer is emptied often."""
    monkeypatch.setattr(enumeration, "THREADS", 16)
    return device.install(monkeypatch)


def problems():
    """Spectra with ties and zeros, and some of which every sum is inexact in decimals."""
    for lam, _, _, k, sigma2 in landscapes(25, most_n=8, most_k=5, seed=3):
        yield np.asarray(lam), k, float(sigma2)
    rng = np.random.default_rng(4)
    for n in (1, 2, 7, 9):
        yield np.sort(rng.integers(1, 9, n) / 10)[::-1], min(n, 4), 0.3
        yield np.sort(rng.integers(0, 4, n) * 1e-150)[::-1], n, 1e-150


PROBLEMS = list(problems())


def all_points(lam, k, sigma2):
    """The complete list, best first, of verify.landscape; where one point stands for a curve, the end of it."""
    if sigma2 is not None:
        return list(fixed_noise_points(lam, k, sigma2))
    points = list(learned_noise_points(lam, k))
    end = curve_end(lam, k)
    if end is None:
        return points
    blocks, noise = ordered([Block((i,)) for i in end], k), mean_of(Eigenvalues.of(lam), end)
    last = Point("ppca", blocks, noise.sigma2, value_at(blocks, lam, noise.sigma2), noise=noise)
    assert [len(p.retained) for p in points].count(len(lam)) == 1
    return [last if len(p.retained) == len(lam) else p for p in points]


def walked(lam, k, sigma2, **options):
    """The enumeration at one noise, learned where it is None."""
    if sigma2 is None:
        return enumerate_learned(lam, k, **options)
    return enumerate_fixed(lam, k, [sigma2], **options)[0]


def check_complete(lam, k, sigma2, **options):
    """Sets, order, values, noise, index, nullity and both histograms are those of the complete list."""
    points = all_points(lam, k, sigma2)
    found = walked(lam, k, sigma2, top=len(points) + 1, bins=8, **options)
    assert found.complete
    assert found.valid == len(points) == found.value_histogram.sum()
    by_set = {p.retained: p for p in points}
    assert len(found.best) == len(points)
    assert {A for A, _ in found.best} == set(by_set)
    points = [by_set[A] for A, _ in found.best]  # where values differ by rounding only, either may come first
    e = found.evaluated
    assert e.valid.all()
    assert (np.diff(e.value) <= 0).all()
    assert e.sigma2 == pytest.approx([p.sigma2 for p in points], rel=MEAN)
    assert e.value == pytest.approx([p.value for p in points], rel=TOLERANCE, abs=TOLERANCE)
    spectra = [spectrum(p, lam) for p in points]
    assert e.index.tolist() == [s.index for s in spectra]
    assert e.nullity.tolist() == [s.nullity for s in spectra]
    assert found.index_histogram.tolist() == np.bincount(e.index, minlength=1 if points else 0).tolist()
    if points:
        low, high = found.value_range
        margin = TOLERANCE * max(1, abs(low))
        assert low - margin <= e.value.min()
        assert e.value.max() <= high + margin


@pytest.mark.parametrize("learned", [True, False], ids=["learned", "fixed"])
def test_every_stationary_point_is_found_once(learned):
    for lam, k, sigma2 in PROBLEMS:
        check_complete(lam, k, None if learned else sigma2)


@pytest.mark.parametrize("learned", [True, False], ids=["learned", "fixed"])
def test_the_kernel_finds_the_same(cupy, learned):
    for lam, k, sigma2 in PROBLEMS[::3] + PROBLEMS[-4:]:
        check_complete(lam, k, None if learned else sigma2, backend=cupy)
    assert {name for name, _, _ in cupy.launches} == {"walk"}


def same(a, b):
    """Two enumerations agree in everything that is counted, and in the best."""
    assert (a.count, a.walked, a.valid) == (b.count, b.walked, b.valid)
    assert a.index_histogram.tolist() == b.index_histogram.tolist()
    assert a.value_histogram.tolist() == b.value_histogram.tolist()
    assert a.masks.tolist() == b.masks.tolist()


def spectrum_of(n, seed):
    return np.sort(np.random.default_rng(seed).exponential(size=n))[::-1]


def test_kernel_and_twin_agree_in_pieces_of_any_size(cupy, monkeypatch):
    lam = spectrum_of(13, 0)
    for launch in (7, 100, 1 << 32):
        monkeypatch.setattr(enumeration, "LAUNCH", launch)
        same(enumerate_learned(lam, 4, top=9), enumerate_learned(lam, 4, top=9, backend=cupy))


def test_a_vector_of_noises_takes_one_launch_per_size(cupy):
    lam = np.array([5.0, 4.0, 4.0, 3.0, 2.0, 1.0, 0.5])
    noises = [0.1, 1.0, 2.5, 4.0, 100.0]
    for a, b in zip(
        enumerate_fixed(lam, 3, noises, top=6), enumerate_fixed(lam, 3, noises, top=6, backend=cupy), strict=True
    ):
        same(a, b)
    assert [grid[1] for _, grid, _ in cupy.launches] == [len(noises)] * 4


def test_single_sets_agree_with_the_kernel(cupy):
    rng = np.random.default_rng(5)
    for lam, k, sigma2 in PROBLEMS:
        for noise in (None, sigma2):
            masks = rng.integers(0, 1 << len(lam), size=rng.integers(0, 40), dtype=np.uint64)
            a, b = evaluate(lam, k, masks, noise), evaluate(lam, k, masks, noise, backend=cupy)
            for x, y in zip(vars(a).values(), vars(b).values(), strict=True):
                np.testing.assert_allclose(x, y, rtol=TOLERANCE, equal_nan=True)


def test_the_widest_masks(cupy):
    lam = spectrum_of(64, 6)
    points = list(islice(learned_noise_points(lam, 2), 20))
    for options in ({}, {"backend": cupy}):
        found = enumerate_learned(lam, 2, top=20, **options)
        assert found.count == found.walked == 1 + 64 + comb(64, 2)
        assert [A for A, _ in found.best] == [p.retained for p in points]
    tail = np.array([1 << 63, (1 << 63) + 1, (1 << 64) - 1], dtype=np.uint64)
    assert [members(m) for m in tail] == [(63,), (0, 63), tuple(range(64))]
    assert reversed_bits(tail).tolist() == [1, (1 << 63) + 1, (1 << 64) - 1]
    a, b = evaluate(lam, 3, tail), evaluate(lam, 3, tail, backend=cupy)
    assert a.valid.tolist() == b.valid.tolist()
    assert a.sigma2.tolist() == b.sigma2.tolist()  # the same sums in the same order


SCALES = [1.0, 0.1, 1 / 3, 7e-9, 1e-150, 1e150]


def check_ties(lam, k, **options):
    """Validity of every set as noise_of has it, and the noise; where it is an eigenvalue, that very double."""
    sets = [A for q in range(min(k, len(lam) - 1) + 1) for A in combinations(range(len(lam)), q)]
    masks = np.array([sum(1 << i for i in A) for A in sets], dtype=np.uint64)
    e = evaluate(lam, k, masks, **options)
    expected = [noise_of(lam.tolist(), A) for A in sets]
    assert e.valid.tolist() == [s is not None for s in expected]
    pairs = [(x, s) for x, s in zip(e.sigma2, expected, strict=True) if s is not None]
    assert [x for x, _ in pairs] == pytest.approx([s for _, s in pairs], rel=MEAN, abs=0)
    at = [units(lam).position(A) for A, x in zip(sets, expected, strict=True) if x is not None]
    assert all(x == lam[p.above] for (x, _), p in zip(pairs, at, strict=True) if p.level)


@pytest.mark.parametrize("scale", SCALES)
def test_equal_numbers_compare_as_equal(cupy, scale):
    rng = np.random.default_rng(7)
    for _ in range(6):
        lam = np.sort(scale * rng.integers(0, 6, 8))[::-1]
        check_ties(lam, 5)
        check_ties(lam, 5, backend=cupy)
        assert enumerate_learned(lam, 5).valid == len(all_points(lam, 5, None))


FLIPPED = {
    "inversions": {"inversions += i - size - left;": "inversions += i - size + left;"},
    "index": {"inversions + (k - size) * (given.above - size)": "inversions - (k - size) * (given.above - size)"},
    "cost": {"__dmul_rn(p, log(m.noise))": "__dmul_rn(-p, log(m.noise))"},
    "validity": {
        "exceeds(multiple(of, discarded, p, a, true), most)": "exceeds(most, multiple(of, discarded, p, a, true))"
    },
    "carry": {"x.high + (x.low >> 56)": "x.high - (x.low >> 56)"},
    "limb": {"x.high == y.high && x.low > y.low": "x.high == y.high && x.low < y.low"},
    "above": {"multiple(of, discarded, p, middle": "multiple(of, discarded, p + 1, middle"},
    "next": {"(~mask + 1), up": "(~mask - 1), up"},
    "order": {"__brevll(mask) > __brevll(other)": "__brevll(mask) < __brevll(other)"},
}


@pytest.mark.parametrize("patch", FLIPPED.values(), ids=FLIPPED)
def test_one_flipped_sign_is_caught(monkeypatch, patch):
    """The control: each of these kernels fails one of the comparisons above."""
    monkeypatch.setattr(enumeration, "THREADS", 8)
    text = patched(kernels.source("enumeration"), patch)
    monkeypatch.setattr(kernels, "source", lambda name: text)
    cupy = device.install(monkeypatch)
    with pytest.raises((AssertionError, RuntimeError)):
        for lam in (
            np.array([5.0, 4.0, 4.0, 3.0, 3.0, 3.0, 0.3, 0.1, 0.1]),
            np.array([0.7, 0.6, 0.3, 0.1, 0.1, 0.1]),
            spectrum_of(9, 2),  # of more digits than one limb holds
        ):
            same(enumerate_learned(lam, 4, top=5), enumerate_learned(lam, 4, top=5, backend=cupy))
            check_complete(lam, 4, None, backend=cupy)


def test_nothing_to_keep_and_nothing_to_walk(cupy):
    lam = spectrum_of(6, 8)
    for options in ({}, {"backend": cupy}):
        found = enumerate_learned(lam, 3, top=0, bins=0, **options)
        assert found.best == [] == found.value_histogram.tolist()
        assert found.valid == len(all_points(lam, 3, None))
        assert enumerate_fixed(lam, 3, [], **options) == []
        nothing = enumerate_learned(np.zeros(4), 2, **options)  # no noise: nothing is stationary
        assert (nothing.valid, nothing.best, nothing.complete) == (0, [], True)
        assert evaluate(lam, 3, [], **options).valid.size == 0


@pytest.mark.parametrize("ties", [False, True])
def test_the_best_of_many_are_those_of_the_search(ties):
    """A million sets; with ties, hundreds of sets share the value at the cut, and their tuples decide."""
    lam = np.repeat([4.0, 1.0, 0.9, 0.2], 5) if ties else spectrum_of(20, 9)
    told = []
    found = enumerate_learned(lam, 10, top=40, progress=lambda done, count: told.append((done, count)))
    points = list(islice(learned_noise_points(lam, 10), 40))
    assert [A for A, _ in found.best] == [p.retained for p in points]
    assert found.evaluated.value == pytest.approx([p.value for p in points], rel=TOLERANCE)
    assert found.count == candidates(20, 10)
    assert told[-1] == (found.count, found.count)
    assert all(a <= b for (a, _), (b, _) in pairwise(told))


def test_an_interrupted_walk_returns_what_it_has(cupy):
    def stop(done, count):
        if done > count // 3:
            raise KeyboardInterrupt

    lam = spectrum_of(12, 10)
    for options in ({}, {"backend": cupy}):
        found = enumerate_learned(lam, 6, top=5, progress=stop, **options)
        assert found.walked > found.count // 3
        assert 0 < len(found.best) <= found.valid
        if options:  # on the host the other tasks may have ended by then
            assert not found.complete


@pytest.mark.parametrize(
    ("lam", "k", "words"),
    [
        (np.ones(65), 3, "65"),
        (np.ones((2, 2)), 1, "eigenvalues"),
        ([], 1, "eigenvalues"),
        ([1.0, 2.0], 1, "descending"),
        ([1.0, -2.0], 1, "negative"),
        ([np.inf, 1.0], 1, "finite"),
        ([2.0, 1.0], 0, "k = 0"),
        ([2.0, 1.0], 3, "k = 3"),
        (np.linspace(2, 1, 64), 32, "too many"),
    ],
)
def test_bad_input_is_refused(lam, k, words):
    with pytest.raises(InputError, match=words):
        enumerate_learned(lam, k)


def test_bad_noises_and_sizes_are_refused(cupy):
    for sigma2 in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(InputError, match="sigma2"):
            enumerate_fixed([2.0, 1.0], 1, [1.0, sigma2])
    with pytest.raises(InputError, match="top"):
        enumerate_learned([2.0, 1.0], 1, top=-1)
    with pytest.raises(InputError, match="at most 512"):
        enumerate_learned([2.0, 1.0], 1, top=513, backend=cupy)


def test_index_and_nullity_of_a_point_by_hand():
    """lam = (3, 2, 2, 1), A = {1} of at most 2, sigma2 = 1: one eigenvalue above, one beside it, one at the noise."""
    e = evaluate([3.0, 2.0, 2.0, 1.0], 2, [0b0010], 1.0)
    assert (e.index[0], e.nullity[0]) == (1 + 2, 1 + 1 + 1)
    s = spectrum(Point("ppca", ordered([Block((1,))], 2), 1.0, 0.0), np.array([3.0, 2.0, 2.0, 1.0]))
    assert (s.index, s.nullity) == (e.index[0], e.nullity[0])
