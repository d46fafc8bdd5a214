"""Enumeration at fixed and learned noise against itertools, and its order."""

from fractions import Fraction
from itertools import combinations, islice, pairwise, product

import numpy as np
import pytest

from proofs.problems.spectra import landscapes, spectrum_of
from verify.eigenvalues import Eigenvalues, Position
from verify.landscape.search import best_first
from verify.landscape.stationary import (
    curve_end,
    fixed_noise_count,
    fixed_noise_points,
    gains,
    learned_noise_candidates,
    learned_noise_point,
    learned_noise_points,
    noise_of,
    on_curve,
    profile_value,
    retained_count,
)


def falling(values):
    return all(a >= b - 1e-9 for a, b in pairwise(values))


def test_fixed_noise_finds_every_index_set_once():
    for lam, _, _, k, sigma2 in landscapes(60, most_n=8, most_k=5):
        above = [i for i in range(len(lam)) if lam[i] > sigma2]
        expected = {A for q in range(k + 1) for A in combinations(above, q)}
        found = list(fixed_noise_points(lam, k, sigma2))
        assert {p.retained for p in found} == expected
        assert len(found) == len(expected) == fixed_noise_count(lam, k, sigma2)
        assert falling([p.value for p in found])
        assert len(found[0].retained) == retained_count(lam, k, sigma2)
        gain, collapsed = gains(lam, sigma2), next(p.value for p in found if not p.retained)
        assert (gain[len(above) :] == 0).all()
        for p in found:
            assert p.value == pytest.approx(collapsed + gain[list(p.retained)].sum(), rel=1e-12)


def test_learned_noise_finds_every_valid_index_set_once():
    for lam, _, _, k, _ in landscapes(60, most_n=8, most_k=5, seed=1):
        expected = set()
        for q in range(min(k, len(lam) - 1) + 1):
            for A in combinations(range(len(lam)), q):
                discarded = np.delete(lam, A)
                if discarded.max() > 0 and all(lam[a] > discarded.mean() * (1 + 1e-13) for a in A):
                    expected.add(A)
        found = list(learned_noise_points(lam, k))
        curve = curve_end(lam, k)
        assert {curve if len(p.retained) == len(lam) else p.retained for p in found} == expected
        assert falling([p.value for p in found])
        for p in found:
            if len(p.retained) < len(lam):
                assert p.sigma2 == pytest.approx(np.delete(lam, p.retained).mean())
                assert profile_value(lam, p.retained, p.sigma2) == pytest.approx(p.value, rel=1e-12)


def test_a_search_without_the_order_would_miss_sets():
    """The control: a value that rises downwards breaks the contract, and the order shows it."""
    rising = [value for value, _ in best_first(6, 2, lambda chosen: float(sum(chosen)))]
    assert not falling(rising)


@pytest.mark.parametrize("equal", [0.1, 1 / 3, 7e-9])
def test_equal_discarded_eigenvalues_are_ties_not_valid_sets(equal):
    lam = np.array([2.0] + [equal] * 7)
    found = list(learned_noise_points(lam, 4))
    assert [p.retained for p in found] == [(0,), ()]
    assert found[0].sigma2 == equal
    assert noise_of(list(lam), (0, 1)) is None


def test_the_best_come_without_the_rest():
    lam = spectrum_of(np.random.default_rng(0), 784)
    assert learned_noise_candidates(784, 50) > 10**70
    best = list(islice(learned_noise_points(lam, 50), 30))
    assert best[0].retained == tuple(range(50))
    assert falling([p.value for p in best])
    assert next(fixed_noise_points(lam, 50, float(lam[60]))).retained == tuple(range(50))


def test_an_exchange_for_a_larger_eigenvalue_keeps_a_set_valid_and_raises_its_value():
    """What the search rests on (docs/mathematics.md, Proposition 6); the control: invalid sets may be better ones."""
    exchanges = 0
    for lam, _, _, k, _ in landscapes(80, most_n=7, most_k=5, seed=12):
        lam = [float(x) for x in lam]
        for point in learned_noise_points(np.array(lam), k):
            A = set(point.retained)
            for a, j in product(A, set(range(len(lam))) - A):
                if lam[j] > lam[a]:
                    B = tuple(sorted(A - {a} | {j}))
                    noise = noise_of(lam, B)
                    assert noise is not None
                    assert profile_value(lam, B, noise) > point.value - 1e-12
                    exchanges += 1
    assert exchanges > 100
    invalid, best = (3, 4), (0, 1)
    lam = [10.0, 10.0, 10.0, 1.0, 0.1]
    assert noise_of(lam, invalid) is None
    assert profile_value(lam, invalid, 10.0) > profile_value(lam, best, noise_of(lam, best))


def test_how_many_sets_compete_is_how_many_there_are():
    for n in range(1, 6):
        for k in range(1, n + 2):
            sets = [A for q in range(min(k, n - 1) + 1) for A in combinations(range(n), q)]
            assert learned_noise_candidates(n, k) == len(sets)


def test_the_point_of_the_curve_lies_where_its_noise_does():
    """Half of lam_n, below all; asked for by all indices or by the end of the curve, and only where there is one."""
    lam = np.array([3.0, 2.0, 1.0])
    for known in (Eigenvalues.of(lam), Eigenvalues(lam, np.full(3, 1e-15), None)):
        at = on_curve(known)
        assert at.sigma2 == pytest.approx(0.5) and at.position == known.position(at.sigma2) == Position(3, 0, False)
        assert (at.exact, at.bounds) == ((Fraction(1, 2), None) if known.exact else (None, (at.sigma2, at.sigma2)))
        best = next(learned_noise_points(known, 3))
        assert learned_noise_point(known, 3, (0, 1, 2)) == learned_noise_point(known, 3, (0, 1)) == best
        assert learned_noise_point(known, 2, (0, 1, 2)) is None
        assert learned_noise_point(known, 2, (0, 1)).sigma2 == 1.0
    crowded = Eigenvalues.typed([Fraction(1) + Fraction(1, 10**20), Fraction(1)])
    assert curve_end(crowded, 2) == (0,) and curve_end(Eigenvalues.of(np.ones(2)), 2) == ()
