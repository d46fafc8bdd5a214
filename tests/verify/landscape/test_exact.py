"""Decimals are decided exactly, measured eigenvalues within their errors: points, index, nullity, kinds, families."""

from fractions import Fraction
from itertools import combinations

import mpmath
import numpy as np
import pytest

from tests.verify.landscape.by_fractions import brute, decimal_spectra, truth
from verify.eigenvalues import Eigenvalues
from verify.landscape.families import family, fixed_noise_families, learned_noise_families, solve_noise
from verify.landscape.noise import given
from verify.landscape.points import Block, block_constant
from verify.landscape.spectrum import spectrum
from verify.landscape.stability import noise_table, recommended_noise, verdict
from verify.landscape.stationary import (
    curve_end,
    fixed_noise_count,
    fixed_noise_points,
    fixed_noise_undecided,
    learned_noise_point,
    learned_noise_points,
    learned_noise_search,
    noise_of,
    retained_count,
)
from verify.landscape.units import NONE, STATIONARY, UNDECIDED, units
from verify.landscape.validity import block_status, row_sign
from verify.models.ppca import mean_of_discarded


def doubles(lam):
    return np.array([float(x) for x in lam])


def measured(values, error):
    values = np.asarray(values, dtype=float)
    return Eigenvalues(values, np.full(len(values), error), None)


def test_the_search_finds_what_fractions_find():
    """3,000 spectra of decimals: no set too many or too few, the end of the curve of k = n among them."""
    met = 0
    for lam, k in decimal_spectra(3000):
        expected = brute(lam, k)
        assert dict(learned_noise_search(doubles(lam), k)) == dict.fromkeys(expected, STATIONARY)
        met += len(expected)
    assert met > 40_000


def test_comparing_doubles_would_not_do():
    """The control: the same spectra by correctly rounded sums of doubles, as they were compared before."""
    wrong = 0
    for lam, k in decimal_spectra(300):
        values = doubles(lam)
        found = set()
        for q in range(min(k, len(lam) - 1) + 1):
            for A in combinations(range(len(lam)), q):
                mean = float(np.mean(np.delete(values, A)))
                if mean > 0 and all(values[a] > mean for a in A):
                    found.add(A)
        wrong += found != set(brute(lam, k))
    assert wrong > 3


def test_index_nullity_and_kind_are_those_of_fractions():
    """At learned noise, and fixed: at a decimal, at an eigenvalue, at its neighbour among the doubles."""
    rng = np.random.default_rng(1)
    flat = 0
    for lam, k in decimal_spectra(400, most_n=7, seed=1):
        values = Eigenvalues.of(doubles(lam))
        positive = [x for x in lam if x > 0]
        at = float(positive[int(rng.integers(len(positive)))])
        for sigma2 in (None, 0.3, at, float(np.nextafter(at, 9))):
            points = learned_noise_points(values, k) if sigma2 is None else fixed_noise_points(values, k, sigma2)
            expected = brute(lam, k, None if sigma2 is None else Fraction(repr(sigma2)))
            listed = {}
            for point in points:
                A = point.retained if sigma2 is not None or len(point.retained) < len(lam) else curve_end(values, k)
                assert A not in listed
                listed[A] = point
                if len(point.retained) == len(lam) and sigma2 is None:
                    continue
                found, known = verdict(point, values, sigma2 is None), expected[A]
                assert (found.index, found.nullity, found.undecided) == (known.index, known.nullity, 0)
                assert point.sigma2 == pytest.approx(float(known.sigma2), rel=1e-15)
                assert found.is_global == (found.index == 0) == (found.escape is None)
                flat += not found.strict
            assert set(listed) == set(expected)
            if sigma2 is not None:
                assert fixed_noise_count(values, k, sigma2) == len(expected)
                assert retained_count(values, k, sigma2) == max(map(len, expected))
    assert flat > 100


@pytest.mark.parametrize(
    ("lam", "k", "indices"),
    [
        ([1.4, 0.7, 0.0], 1, {(0,): 0, (): 1}),
        ([1.0, 1.0, 0.9999999999999999], 2, {(0, 1): 0, (0,): 1, (1,): 1, (): 4}),
        ([0.30000000000000004, 0.3], 1, {(0,): 0, (): 1}),
        ([0.3, 0.2, 0.1], 1, {(0,): 0, (): 1}),
        ([0.3, 0.2, 0.1], 2, {(0, 1): 0, (0,): 1, (): 2}),
    ],
)
def test_spectra_that_doubles_get_wrong(lam, k, indices):
    points = list(learned_noise_points(np.array(lam), k))
    assert {p.retained: verdict(p, np.array(lam), True).index for p in points} == indices
    assert verdict(points[0], np.array(lam), True).is_global


def test_the_rate_of_an_escape_below_rounding_is_that_of_the_exact_numbers():
    lam = np.array([1.0, 1.0, 0.9999999999999999])
    collapsed = next(p for p in learned_noise_points(lam, 2) if not p.retained)
    assert collapsed.sigma2 == 1.0  # the mean lies between this double and its neighbour
    assert verdict(collapsed, lam, True).escape.rate == pytest.approx(1e-16 / 3, rel=1e-9)


def test_different_decimals_of_one_double_are_different():
    lam = Eigenvalues.typed([Fraction("0.7"), Fraction("0.70000000000000001"), Fraction(1)])
    assert lam.values[1] == lam.values[2]
    kinds = {p.retained: verdict(p, lam) for p in fixed_noise_points(lam, 2, 0.5)}
    assert (kinds[0, 1].index, kinds[0, 2].index) == (0, 1)
    assert kinds[0, 1].strict and kinds[0, 2].strict
    assert kinds[0, 2].escape.rate == pytest.approx(1e-17 / 0.7 / 0.5)
    tied = Eigenvalues.typed([Fraction("0.7"), Fraction("0.7"), Fraction(1)])  # the control
    assert not any(verdict(p, tied).strict for p in fixed_noise_points(tied, 2, 0.5) if p.retained == (0, 2))


def test_a_typed_noise_on_an_eigenvalue_is_a_tie_and_its_neighbours_are_not():
    lam = np.array([4.0, 3.0, 2.5])
    for sigma2, kept, flat in ((2.5, 2, 1), (2.5 - 4e-16, 3, 0), (2.5 + 5e-16, 2, 0)):
        best = next(fixed_noise_points(lam, 3, sigma2))
        found = verdict(best, lam)
        assert (len(best.retained), found.nullity - found.gauge, found.kind) == (kept, flat, "maximum")
        assert noise_table(lam, 3, [sigma2])[0].retained == kept


# ---------------------------------------------------------------- measured


def test_a_noise_within_rounding_of_an_eigenvalue_is_undecided():
    lam = measured([4.0, 3.0, 2.5 + 2e-15], 4e-15)
    points = list(fixed_noise_points(lam, 3, 2.5))
    assert len(points) == fixed_noise_count(lam, 3, 2.5) == 4
    assert fixed_noise_undecided(lam, 3, 2.5) == 8 - 4
    assert retained_count(lam, 3, 2.5) == 2  # surely
    best = verdict(points[0], lam)
    assert (best.index, best.undecided, best.kind, best.is_global, best.escape) == (0, 1, "undecided", False, None)
    saddles = [verdict(p, lam) for p in points[1:3]]
    assert [(s.kind, s.undecided, s.is_global) for s in saddles] == [("saddle", 2, False)] * 2
    assert all(s.escape.rate > 0.01 for s in saddles)  # along a sure direction
    last = verdict(points[3], lam)  # W = 0: everything else rises, so that it may be a minimum
    assert (last.index, last.undecided, last.kind) == (6, 3, "undecided")
    row = noise_table(lam, 3, [2.5])[0]
    assert (row.retained, row.retained_at_most, row.undecided) == (2, 3, (2,))
    two = verdict(next(fixed_noise_points(lam, 2, 2.5)), lam)  # two columns: the tie does not matter
    assert (two.kind, two.undecided) == ("maximum", 0)


def test_it_is_decided_where_the_errors_are_smaller():
    lam = measured([4.0, 3.0, 2.5 + 2e-15], 1e-15)
    points = list(fixed_noise_points(lam, 3, 2.5))
    assert (len(points), fixed_noise_undecided(lam, 3, 2.5)) == (8, 0)
    assert verdict(points[0], lam).kind == "maximum" and len(points[0].retained) == 3
    assert noise_table(lam, 3, [2.5])[0].undecided == ()


def test_a_set_is_undecided_where_the_mean_cannot_be_told_from_what_it_retains():
    """lam = (3, 2, 1.5, 1): {1, 3} discards (2, 1), mean 1.5; {2} has 1.5 among what it discards, beside 11/6."""
    exact, close = np.array([3.0, 2.0, 1.5, 1.0]), measured([3.0, 2.0, 1.5, 1.0], 1e-15)
    assert dict(learned_noise_search(exact, 3)).get((0, 2)) is None
    assert dict(learned_noise_search(close, 3))[0, 2] == UNDECIDED
    assert noise_of(close, (0, 2)) is None and learned_noise_point(close, 3, (0, 2)) is None
    # {1}: the mean of (2, 1.5, 1) is an eigenvalue.
    flat = {p.retained: verdict(p, exact, True) for p in learned_noise_points(exact, 3)}[(0,)]
    tied = {p.retained: verdict(p, close, True) for p in learned_noise_points(close, 3)}[(0,)]
    assert (flat.index, flat.nullity, flat.undecided) == (2, flat.gauge + 2, 0)
    assert (tied.index, tied.nullity, tied.undecided) == (2, tied.gauge + 2, 2)
    shifted = measured([3.0, 2.0, 1.5 + 1e-12, 1.0], 1e-15)  # decided: the errors are a hundred times smaller
    assert dict(learned_noise_search(shifted, 3))[0, 2] == STATIONARY


def test_bounds_contain_every_spectrum_within_the_errors():
    """What is surely so holds for random true spectra; what surely is not holds for none."""
    rng = np.random.default_rng(2)
    undecided = exact_ties = 0
    for lam, k in decimal_spectra(150, most_n=7, seed=3):
        values, error = doubles(lam), 1e-3
        of = units(Eigenvalues.measured(values, np.full(len(values), error)))
        if of.spectrum.rank < len(values):
            continue
        sets = [A for q in range(min(k, len(lam) - 1) + 1) for A in combinations(range(len(lam)), q)]
        for _ in range(5):
            # What was settled as equal is equal.
            moved = {float(x): Fraction(float(x)) + Fraction(float(rng.uniform(-e, e))) * Fraction(99, 100)
                     for x, e in zip(of.spectrum.values, of.spectrum.errors, strict=True)}  # fmt: skip
            true = [moved[float(x)] for x in of.spectrum.values]
            true.sort(reverse=True)
            for A in sets:
                here, holds = of.status(A), truth(true, A, k, None)
                undecided += here == UNDECIDED
                if here == UNDECIDED:
                    continue
                assert (here == STATIONARY) == (holds is not None)
                if holds is not None:
                    at = of.position(A)
                    above, level = (sum(x > holds.sigma2 for x in true), sum(x == holds.sigma2 for x in true))
                    if at.undecided:
                        assert at.above <= above <= above + level <= at.above + at.level
                    else:
                        assert (at.above, at.level) == (above, level)
                        exact_ties += 1
    assert undecided > 20 and exact_ties > 20


def test_what_was_settled_as_equal_is_equal():
    """A run of measured equals is no set of doubts: the mean of equals is that number, and it exceeds no equal."""
    for n in (3, 60):
        equal = Eigenvalues.measured(np.array([3.0, 2.0, *[1.0 / n] * n]), np.full(n + 2, 1e-15))
        found = dict(learned_noise_search(equal, 3))
        assert found == dict.fromkeys([(0, 1), (0,), (1,), ()], STATIONARY)
        best = verdict(next(learned_noise_points(equal, 3)), equal, True)
        assert (best.kind, best.undecided, best.nullity - best.gauge) == ("maximum", 0, n)
    ragged = Eigenvalues.measured(np.array([1.0, 1.0, 1.0, 0.5]), np.full(4, 1e-15))
    assert dict(learned_noise_search(ragged, 2)) == dict.fromkeys(
        brute([Fraction(1)] * 3 + [Fraction(1, 2)], 2), STATIONARY
    )


# ---------------------------------------------------------------- k = n, learned noise


@pytest.mark.parametrize("lam", [[5.0, 4.0, 3.0, 2.0, 1.0], [3.0, 1.0, 1.0], [2.0, 2.0], [3.0]])
@pytest.mark.parametrize("error", [0.0, 1e-15])
def test_at_k_equal_n_the_maximum_is_a_curve(lam, error):
    known = measured(lam, error) if error else np.array(lam)
    n = len(lam)
    points = list(learned_noise_points(known, n))
    assert points[0].retained == tuple(range(n))
    assert points[0].sigma2 == pytest.approx(lam[-1] / 2)
    assert curve_end(known, n) == tuple(i for i in range(n) if lam[i] > lam[-1])
    assert all(len(p.retained) < n for p in points[1:]) and curve_end(known, n) not in {p.retained for p in points}
    best = verdict(points[0], known, learned_noise=True)
    assert (best.kind, best.index, best.nullity, best.strict) == ("maximum", 0, best.gauge + 1, False)
    assert points[0].value == pytest.approx(-0.5 * (n * np.log(2 * np.pi) + np.log(lam).sum() + n))
    assert all(p.value < points[0].value for p in points[1:])
    families = learned_noise_families(known, n)
    assert families[0].retained == tuple(range(n)) and families[0].orthogonal
    equal = sum(x == y for x, y in combinations(lam, 2))  # columns of equal norm turn into each other
    assert verdict(families[0], known, learned_noise=True).nullity == 1 + equal
    assert curve_end(known, n - 1) is None if n > 1 else True
    assert curve_end(np.array([*lam, 0.0]), n + 1) is None


# ---------------------------------------------------------------- blocks of the ELBO


def test_the_inequality_of_a_block_is_that_its_scales_exceed_the_noise():
    """sum sqrt(lam_a lam_b) + z lam_a > k sigma2 iff t_a > sigma2, and for a discarded u_j its zero rows rise iff it
    holds at lam_j, by 50 digits."""
    rng = np.random.default_rng(4)
    signs = []
    for _ in range(400):
        n = int(rng.integers(2, 6))
        lam = np.sort(rng.integers(1, 7, n) ** 2 / 4 if rng.random() < 0.5 else rng.integers(1, 40, n) / 8)[::-1]
        q = int(rng.integers(1, n + 1))
        block = Block(tuple(sorted(rng.permutation(n)[:q].tolist())), q + int(rng.integers(0, 3)))
        sigma2 = float(rng.integers(1, 40) / 16)
        if rng.random() < 0.5:  # of squares, and two or four columns, an exact tie
            j = int(rng.integers(n))
            sigma2 = (sum(np.sqrt(lam[j] * lam[a]) for a in block.eigen) + block.zeros * lam[j]) / block.columns
        known = Eigenvalues.of(lam)
        noise = given(known, float(sigma2))
        with mpmath.workdps(50):
            s, k, z = mpmath.mpf(noise.exact.numerator) / noise.exact.denominator, block.columns, block.zeros
            r = mpmath.fsum(mpmath.sqrt(lam[a]) for a in block.eigen)
            m = ((r + mpmath.sqrt(r * r + 4 * k * z * s)) / (2 * k)) ** 2
            assert float(m) == pytest.approx(block_constant(lam[list(block.eigen)], k, noise.sigma2))
            for j in range(n):
                difference = mpmath.sqrt(lam[j] * m) - s
                sign = 0 if abs(difference) < mpmath.mpf(10) ** -40 else int(mpmath.sign(difference))
                assert row_sign(known, j, block, noise) == (sign, False)
                # Differences of multiples of 1/8 and their roots are 0 or far larger, but for a rounded tie.
                near = abs(difference) < 1e-14
                assert row_sign(measured(lam, 1e-15), j, block, noise) == (0 if near else sign, near)
                signs.append(sign)
    assert signs.count(0) > 10 and signs.count(1) > 100 and signs.count(-1) > 100


def test_ties_of_blocks_are_found_by_roots_and_by_digits():
    # 4 and 1 side by side: t = sqrt(lam m), sqrt(m) = 3/2, so that t of lam = 1 is 3/2.
    lam = np.array([4.0, 1.0])
    for sigma2, expected in ((1.5, NONE), (1.4999999999999998, STATIONARY), (1.5000000000000002, NONE)):
        assert block_status(Block((0, 1), 2), Eigenvalues.of(lam), given(Eigenvalues.of(lam), sigma2)) == expected
    # 2 and 1: t of lam = 1 is (1 + sqrt 2)/2, irrational, between these doubles; the float cannot say which is nearer.
    lam = np.array([2.0, 1.0])
    root = float((1 + mpmath.sqrt(2)) / 2)
    for sigma2 in (np.nextafter(root, 0), root, np.nextafter(root, 2)):
        with mpmath.workdps(40):
            exists = mpmath.mpf(Fraction(repr(float(sigma2))).numerator) / Fraction(repr(float(sigma2))).denominator
            exists = exists < (1 + mpmath.sqrt(2)) / 2
        found = block_status(Block((0, 1), 2), Eigenvalues.of(lam), given(Eigenvalues.of(lam), float(sigma2)))
        assert found == (STATIONARY if exists else NONE)
    close = measured(lam, 1e-15)
    assert block_status(Block((0, 1), 2), close, given(close, root)) == UNDECIDED
    assert len(fixed_noise_families(close, 2, root)) == len(fixed_noise_families(lam, 2, 1.3)) == 3


def test_a_noise_that_solves_an_equation_ties_where_theory_says():
    """k = n, one discarded u_j, one zero row: the noise equation says lam_j m_b = sigma2^2, so that the row is flat."""
    for lam in ([4.0, 2.5, 1.0], [3.0, 2.0, 1.7]):
        known = Eigenvalues.of(np.array(lam))
        blocks = (Block((0,)), Block((1,), 2))
        noise = solve_noise(blocks, 3, known)
        assert row_sign(known, 2, Block((1,), 2), noise) == (0, False)
        assert noise.position.above == 2
        apart = solve_noise(blocks, 3, Eigenvalues.of(np.array([*lam[:2], lam[2] + 0.25])))  # the control
        assert row_sign(known, 2, Block((1,), 2), apart).sign == -1


def test_families_of_typed_spectra_have_the_index_of_their_dense_hessian():
    from verify.landscape.points import weights
    from verify.models import linear_vae

    for lam, k in decimal_spectra(25, most_n=4, seed=6):
        values = doubles(lam)
        if len(lam) == k or values[-1] < 1e-2 * values[0]:
            continue
        for point in learned_noise_families(values, min(k, 3)):
            W = weights(point, values, np.eye(len(lam)))
            dense = np.linalg.eigvalsh(linear_vae.profile_hessian(W, point.sigma2, np.diag(values)))
            found = spectrum(point, values)
            # The dense Hessian knows its eigenvalues to rounding: those beyond it have the signs that are claimed.
            sure = 1e-9 * np.abs(dense).max()
            assert (dense > sure).sum() <= found.index <= (dense > -sure).sum()


def test_the_inertia_of_measured_families_holds_that_of_every_spectrum_within_the_errors():
    """Squares of halves tie in many ways; moved within their errors, and not moved, they are decided exactly."""
    rng = np.random.default_rng(8)
    compared = undecided = parted = 0
    for _ in range(30):
        n, k, error = int(rng.integers(3, 6)), int(rng.integers(2, 4)), 10.0 ** -int(rng.integers(3, 13))
        lam = np.sort(rng.integers(1, 7, n) ** 2 / 4)[::-1]
        close = Eigenvalues.measured(lam, np.full(n, error))
        sigma2 = None if n > k and rng.random() < 0.5 else float(rng.choice([0.25, 0.5, 1.0, 1.5, 2.5]))
        families = fixed_noise_families(close, k, sigma2) if sigma2 is not None else learned_noise_families(close, k)
        for share in (0, 1, float(rng.uniform(-1, 1))):
            # What was settled as equal is equal.
            shift = {x: Fraction(error) * Fraction(share * int(rng.choice([-1, 1]))) for x in lam.tolist()}
            true = Eigenvalues.typed([Fraction(x) + shift[x] for x in lam.tolist()])
            for point in families:
                noise = solve_noise(point.blocks, k, true) if sigma2 is None else given(true, sigma2)
                got = verdict(point, close, sigma2 is None)
                known = verdict(family(point.blocks, k, true, noise), true, sigma2 is None)
                assert known.undecided == 0
                assert got.index <= known.index <= got.index + got.undecided
                assert got.nullity - got.undecided <= known.nullity <= got.nullity
                compared += 1
                undecided += got.undecided > 0
                parted += got.undecided > 0 and (known.index, known.nullity) == (got.index, got.nullity)
    assert compared > 1000 and undecided > 100 and parted > 20


# ---------------------------------------------------------------- noises


def test_the_recommended_noise_keeps_all_latents_to_the_last_digit():
    for lam, k in decimal_spectra(300, seed=7):
        start = recommended_noise(doubles(lam), k)
        if start is not None:
            assert sum(x > Fraction(repr(start)) for x in lam) >= k
    assert recommended_noise(np.array([1.0, 1.0, 0.9999999999999999]), 2) == 0.9999999999999999
    assert recommended_noise(np.array([1.0, 1.0, 1.0, 0.9999999999999999]), 2) == 0.5  # the mean rounds to lam_2
    close = measured([3.0, 2.0, 2.0 - 1e-15], 4e-15)
    start = recommended_noise(close, 2)
    assert start == pytest.approx(1.0) and close.position(start).above >= 2


def test_of_an_eigenvalue_that_is_positive_and_no_more_half_is_taken():
    """Its interval reaches down to 0, so that no noise lies surely below it."""
    known = Eigenvalues(np.array([3.0, 1e-14]), np.array([1e-14, 1e-14]), None)
    assert recommended_noise(known, 2) == 5e-15
    curve = next(learned_noise_points(known, 2))
    assert (curve.retained, curve.sigma2) == ((0, 1), 5e-15)
    assert verdict(curve, known, True).kind == "maximum"


def test_the_mean_of_decimals_is_rounded_once():
    assert mean_of_discarded(Eigenvalues.of(np.array([2.0, *[0.1] * 7])), 1) == 0.1
    assert mean_of_discarded(np.array([2.0, *[0.1] * 7]), 1) == 0.1
    assert mean_of_discarded(Eigenvalues.of(np.array([1.4, 0.7, 0.0])), 0) == 0.7
