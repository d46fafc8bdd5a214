"""Blocks and points: the rotation to constant diagonal, the weights, values and gaps against the models."""

from fractions import Fraction

import numpy as np
import pytest

from proofs.problems.spectra import landscapes
from verify.eigenvalues import Eigenvalues
from verify.landscape.families import fixed_noise_families
from verify.landscape.points import (
    ZERO_COLUMN,
    Block,
    Point,
    block_constant,
    block_gap,
    block_scales,
    block_value,
    collapsed_value,
    constant_diagonal_rotation,
    ordered,
    value_at,
    weights,
)
from verify.landscape.stationary import fixed_noise_points
from verify.models import linear_vae, ppca

ROUNDING = 1e-11  # sums of a few dozen terms of order one


@pytest.mark.parametrize("size", range(1, 9))
def test_the_rotation_makes_the_diagonal_constant(size):
    rng = np.random.default_rng(size)
    spread = rng.uniform(0.1, 5, size)
    level = np.ones(size), np.zeros(size)
    for spectrum in (spread, spread - spread.mean(), *level, np.r_[np.ones(size - 1), 3.0]):
        Q = constant_diagonal_rotation(spectrum)
        np.testing.assert_allclose(Q.T @ Q, np.eye(size), atol=1e-13)
        np.testing.assert_allclose(np.diag(Q.T @ np.diag(spectrum) @ Q), spectrum.mean(), atol=1e-13)


def test_a_rotation_over_twelve_decades():
    spectrum = np.geomspace(1e-6, 1e6, 7)
    Q = constant_diagonal_rotation(spectrum)
    np.testing.assert_allclose(np.diag((Q.T * spectrum) @ Q), spectrum.mean(), rtol=1e-13)
    for unit in (2.0**-60, 2.0**60):  # nothing depends on the unit
        assert (constant_diagonal_rotation(unit * spectrum) == Q).all()


def test_points_of_the_likelihood_are_stationary_with_the_stated_value():
    for lam, U, S, k, sigma2 in landscapes(40):
        for point in fixed_noise_points(lam, k, sigma2):
            W = weights(point, lam, U)
            # Relative to the data: the gradient scales as 1/sqrt(lam).
            assert np.abs(ppca.gradient(W, sigma2, S)).max() * sigma2 < ROUNDING
            assert point.value == pytest.approx(float(ppca.log_likelihood(W, sigma2, S)), abs=1e-9)


def test_families_of_the_elbo_are_stationary_with_the_stated_value_and_gap():
    seen = 0
    for lam, U, S, k, sigma2 in landscapes(30, most_n=5, most_k=3):
        for point in fixed_noise_families(lam, k, sigma2):
            W = weights(point, lam, U)
            V, D = linear_vae.optimal_encoder(W, sigma2)
            g = linear_vae.gradients(W, V, D, sigma2, S)
            assert max(np.abs(g.W).max(), np.abs(g.V).max(), np.abs(g.D).max()) * sigma2 < ROUNDING
            assert point.value == pytest.approx(float(linear_vae.elbo(W, V, D, sigma2, S)), abs=1e-9)
            assert point.bound_gap == pytest.approx(float(linear_vae.gap(W, sigma2)), abs=1e-10)
            seen += not point.orthogonal
    assert seen > 100


def test_a_perturbed_constant_is_not_stationary():
    """The control: the same weights with the block's scale off by a thousandth."""
    lam, sigma2 = np.array([3.0, 2.0, 0.5]), 0.7
    blocks = ordered([Block((0, 1), 2)], 2)
    W = weights(Point("elbo", blocks, sigma2, 0.0), lam, np.eye(3))
    assert np.abs(linear_vae.profile_gradient(1.001 * W, sigma2, np.diag(lam))).max() > 1e-4


@pytest.mark.parametrize("apart", [1e-1, 1e-3, 1e-5, 1e-8, 1e-11])
def test_a_block_of_nearly_equal_eigenvalues_is_stationary_too(apart):
    """However little its diagonal has to be levelled: a rotation that stops early shows in the gradient."""
    sigma2 = 0.5
    for held, columns in (((2 + apart, 2.0), 2), ((2 + apart, 2 + apart / 3, 2.0), 3), ((sigma2 + apart,), 2)):
        lam = np.array([*held, 0.3])
        blocks = ordered([Block(tuple(range(len(held))), columns)], columns)
        W = weights(Point("elbo", blocks, sigma2, 0.0), lam, np.eye(len(lam)))
        assert np.abs(linear_vae.profile_gradient(W, sigma2, np.diag(lam))).max() < ROUNDING
        level = np.diag(W.T @ W)
        assert np.ptp(level) <= 8 * np.finfo(float).eps * (level[0] + sigma2)  # the bound of the loop, and a rounding


def test_values_add_over_blocks():
    for lam, _, _, k, sigma2 in landscapes(20, most_n=5, most_k=3, seed=3):
        for point in fixed_noise_families(lam, k, sigma2):
            parts = sum(block_value(lam[list(b.eigen)], b.columns, sigma2) for b in point.blocks)
            assert collapsed_value(lam, sigma2) + parts == pytest.approx(value_at(point.blocks, lam, sigma2), abs=1e-9)


def test_columns_and_zero_columns():
    point = Point("elbo", ordered([Block((2,)), Block((0, 1), 3)], 6), 0.1, 0.0)
    assert point.retained == (0, 1, 2)
    assert [list(r) for r in point.column_ranges()] == [[0, 1, 2], [3], [4], [5]]
    assert not point.orthogonal
    assert Point("ppca", ordered([Block((1,))], 2), 0.1, 0.0).orthogonal
    assert point.k == 6
    assert ordered([ZERO_COLUMN, Block((1,)), Block((0,))], 4) == (Block((0,)), Block((1,)), ZERO_COLUMN, ZERO_COLUMN)


def test_a_column_is_as_long_as_the_numbers_say_where_doubles_would_lose_it():
    """lam = 1 + 10^-20 at sigma2 = 1: the same double, and a column of length 10^-10; in a block it is the scales'."""
    lam = Eigenvalues.typed([1 + Fraction(1, 10**20), Fraction(1, 2)])
    W = weights(Point("ppca", ordered([Block((0,))], 1), 1.0, 0.0), lam, np.eye(2))
    assert W.ravel().tolist() == pytest.approx([1e-10, 0.0], rel=1e-12)


def test_one_column_is_its_eigenvalue_to_the_bit_and_leaves_no_gap():
    """m = t = lam, of any size, where squares and roots would lose it; the bound is tight there."""
    for x in (*np.random.default_rng(0).uniform(0.01, 9, 5000).tolist(), 1e-200, 1e200):
        lam = np.array([x])
        assert block_constant(lam, 1, 0.5) == block_scales(lam, 1, 0.5)[0] == x
        assert block_gap(lam, 1, 0.5) == 0
    assert block_gap(np.array([]), 1, 0.7) == block_value(np.array([]), 1, 0.7) == 0


def test_a_point_of_the_likelihood_is_the_one_that_is_made_by_hand():
    """No gap of the bound, and what is known of its noise makes it no other point."""
    lam = np.array([3.0, 2.0, 0.5])
    found = next(fixed_noise_points(lam, 2, 1.0))
    assert found.bound_gap == 0 and found.noise is not None
    assert found == Point("ppca", (Block((0,)), Block((1,))), 1.0, found.value)
