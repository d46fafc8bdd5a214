"""Families of the ELBO: the count, completeness of the pruned search, and the noise equation."""

import numpy as np
import pytest

from proofs.problems.spectra import landscapes
from verify.eigenvalues import Eigenvalues, decimal
from verify.landscape.best_families import best_families
from verify.landscape.families import (
    _structures,
    candidates,
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


def test_many_families_are_not_listed_but_searched():
    lam = np.sort(np.random.default_rng(0).gamma(0.3, 2.0, 300))[::-1]
    found = best_families(lam, 40, float(lam[60]), 20)
    assert len(found) == 20
    assert found[0].orthogonal
    assert any(not p.orthogonal for p in found)
    values = [p.value for p in found]
    assert values == sorted(values, reverse=True)
