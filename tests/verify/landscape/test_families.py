"""Families of the ELBO: the count, completeness of the pruned search, and the noise equation."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest

from proofs.problems.spectra import landscapes
from verify.eigenvalues import Eigenvalues, Position, decimal
from verify.landscape.best_families import best_families
from verify.landscape.families import (
    _structures,
    candidates,
    every_family,
    fixed_noise_families,
    learned_noise_families,
    noise_equation,
    solve_noise,
)
from verify.landscape.noise import mean_of
from verify.landscape.points import Block, ordered, weights
from verify.models import linear_vae


@pytest.mark.parametrize("n, k", [(1, 1), (3, 2), (4, 3), (5, 3), (4, 4)])
def test_the_count_of_structures(n, k):
    everything = list(_structures(n, k))
    assert len(everything) == len(set(everything)) == candidates(n, k)
    for blocks in everything:
        held = [i for b in blocks for i in b.eigen]
        assert len(held) == len(set(held))
        assert sum(b.columns for b in blocks) <= k


def test_the_pruned_search_finds_the_best_of_the_complete_list():
    for lam, _, _, k, sigma2 in landscapes(40, most_n=6, most_k=4):
        complete = fixed_noise_families(lam, k, sigma2)
        for top in (1, 4, 25, 10**6):
            found = best_families(lam, k, sigma2, top)
            np.testing.assert_allclose([p.value for p in found], [p.value for p in complete[:top]], rtol=1e-11)
            assert len({p.blocks for p in found}) == len(found)


@pytest.mark.parametrize(("lam", "k", "sigma2"), [
    ((20.0, 16.0, 1.0), 5, 0.5),
    ((9.0, 4.0, 3.0, 0.1), 4, 0.5),
    ((5.0, 4.0, 1.0, 0.1), 5, 0.9),
    ((12.0, 5.0, 2.0), 5, 0.6),
])  # fmt: skip
def test_blocks_with_zero_rows_may_lose_less_by_a_smaller_eigenvalue(lam, k, sigma2):
    """Here a list is wrong where the search gives up a row of such blocks at the first that cannot enter it."""
    complete = fixed_noise_families(np.array(lam), k, sigma2)
    for top in range(1, len(complete) + 1):
        found = best_families(np.array(lam), k, sigma2, top)
        np.testing.assert_allclose([p.value for p in found], [p.value for p in complete[:top]], rtol=1e-11)


def test_the_pruned_search_at_learned_noise():
    """It covers full blocks of eigenvalues above the noise, as it says."""
    for lam, _, _, k, _ in landscapes(40, most_n=6, most_k=3, seed=2):
        covered = [
            p
            for p in learned_noise_families(lam, k)
            if all(b.columns == 1 or not b.zeros for b in p.blocks) and all(lam[i] > p.sigma2 for i in p.retained)
        ]
        found = best_families(lam, k, None, 10**6)
        assert {p.blocks for p in found} == {p.blocks for p in covered}
        np.testing.assert_allclose([p.value for p in best_families(lam, k, None, 3)], [p.value for p in covered[:3]])


def test_learned_noise_is_stationary_in_the_noise_too():
    zero_rows = 0
    for lam, U, S, k, _ in landscapes(40, most_n=5, most_k=3, seed=5):
        for p in learned_noise_families(lam, k):
            W = weights(p, lam, U)
            if len(p.retained) == len(lam):  # a curve: every noise solves the equation
                assert noise_equation(p.blocks, k, lam, 1.01 * p.sigma2) == 0
                continue
            assert np.abs(linear_vae.profile_gradient(W, p.sigma2, S)).max() * p.sigma2 < 1e-11
            assert abs(float(linear_vae.profile_noise_gradient(W, p.sigma2, S))) * p.sigma2 < 1e-11
            assert abs(noise_equation(p.blocks, k, lam, 1.01 * p.sigma2)) > 1e-4 * p.sigma2
            zero_rows += any(b.zeros and b.columns > 1 for b in p.blocks)
    assert zero_rows > 30


def test_without_zero_rows_the_noise_is_the_mean_of_the_discarded_to_the_bit():
    """Also where blocks are larger than a column, of decimals and of measured eigenvalues: nothing is iterated."""
    rng = np.random.default_rng(7)
    for blocks in [(Block((0, 1), 2), Block((3,))), ordered([Block((0, 1), 2), Block((3,))], 5)] * 10:
        lam = np.sort(np.round(rng.uniform(0.1, 3, 9), 3))[::-1]
        rest = [decimal(x) for i, x in enumerate(lam.tolist()) if i not in (0, 1, 3)]
        noise = solve_noise(blocks, sum(b.columns for b in blocks), lam)
        assert noise.exact == sum(rest) / 6 and noise.sigma2 == float(noise.exact) and noise.digits is None
        measured = Eigenvalues.measured(lam, np.full(9, 1e-13))
        close = solve_noise(blocks, sum(b.columns for b in blocks), measured)
        assert close == mean_of(measured, (0, 1, 3)) and close.sigma2 == pytest.approx(noise.sigma2, rel=1e-15)


def a_noise_equation(blocks, k, lam, s):
    """(n - k) s + sum_b z_b s^2/m_b - sum of the discarded, in numbers of mpmath."""
    at, held = (len(lam) - k) * s, set()
    for b in ordered(blocks, k):
        held |= set(b.eigen)
        r = mpmath.fsum(mpmath.sqrt(lam[i]) for i in b.eigen)
        at += b.zeros * (2 * b.columns * s / (r + mpmath.sqrt(r * r + 4 * b.columns * b.zeros * s))) ** 2
    return at - mpmath.fsum(x for i, x in enumerate(lam) if i not in held)


@pytest.mark.parametrize("unit", [Fraction(1), Fraction(10) ** 30, Fraction(1, 10**30)])
def test_a_noise_beside_zero_rows_is_known_to_sixty_digits_and_its_double_to_rounding(unit):
    """Its equation is solved to 60 digits, and to a few ulps, also where a zero column stands beside the rows."""
    for lam in ((16, 9, 2, 1), (7, 3, 2, 1), (100, 2, 1, 0), (5, 5, 4, 3), ("0.3", "0.2", "0.1", "0.1")):
        known = Eigenvalues.typed([Fraction(x) * unit for x in lam])
        for blocks, k in (((Block((0,), 2),), 2), ((Block((0, 1), 3),), 3), ((Block((0,), 2), Block((1,))), 4),
                          ((Block((0,), 3),), 4), ((Block((0,), 2), Block((1,), 2)), 4)):  # fmt: skip
            noise = solve_noise(blocks, k, known)
            with mpmath.workdps(100):
                many = [mpmath.mpf(x.numerator) / x.denominator for x in known.exact]
                s = noise.digits()
                low, high = (a_noise_equation(blocks, k, many, s * (1 + d * mpmath.mpf(10) ** -60)) for d in (-1, 1))
                assert low < 0 < high
                assert abs(noise.sigma2 / s - 1) < 1e-14


@pytest.mark.parametrize("unit", [Fraction(1), Fraction(10) ** 30, Fraction(1, 10**30)])
def test_the_position_of_such_a_noise_is_exact(unit):
    """16 beside a zero row in two columns: at sigma2 = 5/2 sigma2^2/m = 1 (m = 25/4), so that the discarded sum to 7/2.

    With three of them the mean of what is left to 5/2 each is 6 = 2 * 5/2 + 1.
    """
    near = Fraction(1, 10**25)
    for rest, expected in (
        (["2", "1.5"], (1, 0)),
        (["2.5", "1"], (1, 1)),
        (["2.5", "2.5", "1"], (1, 2)),
        ([Fraction(5, 2) + near, Fraction(5, 2) - near, "1"], (2, 0)),
        (["3", "0.5"], (2, 0)),
    ):
        known = Eigenvalues.typed([x * unit for x in [Fraction(16), *map(Fraction, rest)]])
        noise = solve_noise((Block((0,), 2),), 2, known)
        assert noise.sigma2 == pytest.approx(float(Fraction(5, 2) * unit), rel=1e-14)
        assert noise.position == Position(*expected, False)


def test_a_noise_beside_zero_rows_lies_between_those_of_the_least_and_the_most_that_is_measured():
    rng = np.random.default_rng(3)
    for blocks, k in (((Block((0,), 2),), 2), ((Block((0, 1), 3),), 3), ((Block((0,), 2), Block((1,))), 4)):
        for _ in range(5):
            lam = np.sort(rng.uniform(0.5, 9, 4))[::-1]
            errors = rng.uniform(0.001, 0.1, 4)
            noise = solve_noise(blocks, k, Eigenvalues(lam, errors, None))
            for bound, x, outwards in zip(noise.bounds, (lam - errors, lam + errors), (-1, 1), strict=True):
                with mpmath.workdps(40):
                    here, beyond = (
                        a_noise_equation(blocks, k, list(map(mpmath.mpf, x.tolist())), bound * (1 - outwards * d))
                        for d in (0, 1e-12)
                    )
                    assert here * outwards > 0 > beyond * outwards
            above, below = lam - errors > noise.bounds[1], lam + errors < noise.bounds[0]
            assert noise.position == Position(int(above.sum()), int((~above & ~below).sum()), True)


def test_of_what_may_all_be_zero_the_noise_may_be():
    """1e-3 within 1e-3, beside a zero row and a zero column."""
    known = Eigenvalues(np.array([16.0, 1e-3, 0.0]), np.array([1e-3] * 3), None)
    noise = solve_noise((Block((0,), 2),), 3, known)
    assert noise.bounds[0] == 0.0 < noise.sigma2 < noise.bounds[1]
    assert noise.position == Position(1, 2, True)


@pytest.mark.parametrize("learned", [True, False])
def test_the_pruned_search_tells_decimals_apart_that_share_a_double(learned):
    """4 and 4 + 1e-20 turn into each other; two that are equal are orthogonal columns, and no family of their own."""
    sigma2 = None if learned else 0.5
    for first, found in ((4 + Fraction(1, 10**20), True), (Fraction(4), False)):
        lam = Eigenvalues.typed([first, Fraction(4), Fraction(1), Fraction(1, 2)])
        blocks = {p.blocks for p in best_families(lam, 2, sigma2, 100)}
        assert (ordered([Block((0, 1), 2)], 2) in blocks) == found
        listed = learned_noise_families(lam, 2) if learned else fixed_noise_families(lam, 2, sigma2)
        assert {
            p.blocks for p in listed if not (learned and any(b.zeros and b.columns > 1 for b in p.blocks))
        } == blocks


@pytest.mark.parametrize("sigma2", [None, 0.5])
def test_the_pruned_search_lists_what_surely_exists_of_measured_eigenvalues(sigma2):
    lam = Eigenvalues(np.array([9.0, 4.0, 3.0, 0.5, 0.1]), np.array([1e-9] * 5), None)
    listed, _ = every_family(lam, 3, sigma2)
    covered = [
        p for p in listed
        if sigma2 is not None or all((b.columns == 1 or not b.zeros) and all(lam.values[i] > p.sigma2 for i in b.eigen)
                                     for b in p.blocks)
    ]  # fmt: skip
    assert {p.blocks for p in best_families(lam, 3, sigma2, 10**4)} == {p.blocks for p in covered}
    for n in (1, 2, 3):
        assert [p.blocks for p in best_families(lam, 3, sigma2, n)] == [p.blocks for p in covered[:n]]


@pytest.mark.parametrize("lam", [[5.0, 4.0, 3.0], [5.0, 3.0, 3.0], [3.0, 3.0, 3.0]])
def test_at_k_equal_n_the_pruned_search_lists_one_point_of_the_curve(lam):
    """And not the columns in which it ends; the families of larger blocks are those of the complete list."""
    lam = np.array(lam)
    listed = [p for p in learned_noise_families(lam, 3) if all(b.columns == 1 or not b.zeros for b in p.blocks)]
    found = best_families(lam, 3, None, 100)
    assert found[0].blocks == listed[0].blocks == (Block((0,)), Block((1,)), Block((2,)))
    assert found[0].sigma2 == lam[-1] / 2
    covered = [p.blocks for p in listed[1:] if all(lam[i] > p.sigma2 for i in p.retained)]
    assert [p.blocks for p in found[1:]] == covered


def test_many_families_are_not_listed_but_searched():
    lam = np.sort(np.random.default_rng(0).gamma(0.3, 2.0, 300))[::-1]
    found = best_families(lam, 40, float(lam[60]), 20)
    assert len(found) == 20
    assert found[0].orthogonal
    assert any(not p.orthogonal for p in found)
    values = [p.value for p in found]
    assert values == sorted(values, reverse=True)
