"""Verdicts against optimisation and perturbation, thresholds, and the recommended noise."""

import numpy as np
import pytest

from proofs.problems.spectra import landscapes
from verify.eigenvalues import Eigenvalues, Written
from verify.errors import InputError
from verify.landscape.families import fixed_noise_families
from verify.landscape.points import Block, Point, ordered, weights
from verify.landscape.spectrum import inside_hessian, spectrum
from verify.landscape.stability import (
    collapse_curvature,
    noise_grid,
    noise_table,
    recommended_noise,
    steepest_rotation,
    verdict,
)
from verify.landscape.stationary import fixed_noise_points, learned_noise_points
from verify.models import linear_vae, ppca


def test_the_index_formula():
    for lam, _, _, k, sigma2 in landscapes(40, most_n=7):
        for point in fixed_noise_points(lam, k, sigma2):
            A = point.retained
            outside = [j for j in range(len(lam)) if j not in A]
            expected = sum(sum(lam[j] > lam[a] for j in outside) for a in A)
            expected += (k - len(A)) * sum(lam[j] > sigma2 for j in outside)
            assert verdict(point, lam).index == expected


def test_index_zero_is_global_and_nothing_else_is():
    for lam, _, _, k, sigma2 in landscapes(60, most_n=6):
        points = list(fixed_noise_points(lam, k, sigma2))
        for point in points:
            best = points[0].value - point.value <= 1e-12 * max(1.0, abs(points[0].value))
            # A tie with the noise adds a flat direction, and never value.
            assert verdict(point, lam).is_global == best


def test_learned_noise_has_one_maximum_up_to_ties():
    for lam, _, _, k, _ in landscapes(60, most_n=6, seed=4):
        if lam[-1] == 0 and (lam > 0).sum() <= k:
            continue
        points = list(learned_noise_points(lam, k))
        for point in points:
            best = points[0].value - point.value <= 1e-12 * max(1.0, abs(points[0].value))
            assert verdict(point, lam, learned_noise=True).is_global == best


def test_escapes_rise():
    """A step along the named column direction raises the likelihood; the control is a step towards a stable one."""
    lam, k, sigma2 = np.array([5.0, 4.0, 3.0, 2.0, 0.5]), 3, 1.0
    S = np.diag(lam)
    for point in list(fixed_noise_points(lam, k, sigma2))[1:]:
        escape = verdict(point, lam).escape
        assert escape.kind == "column" and escape.theta_curvature is None
        W = weights(point, lam, np.eye(5))
        X = np.zeros_like(W)
        X[escape.eigen[0], escape.columns[0]] = 1e-4
        before = ppca.log_likelihood(W, sigma2, S)
        assert ppca.log_likelihood(W + X, sigma2, S) - before == pytest.approx(0.5 * escape.rate * 1e-8, rel=1e-3)
        down = np.zeros_like(W)
        down[4, 0] = 1e-4
        assert ppca.log_likelihood(W + down, sigma2, S) < before


def test_plane_rotations_rise_with_the_stated_curvature():
    seen = 0
    for lam, _, _, k, sigma2 in landscapes(30, most_n=5, most_k=3, seed=8):
        for point in fixed_noise_families(lam, k, sigma2):
            if point.orthogonal:
                continue
            curvature, (i, j) = steepest_rotation(point, lam)
            W, S, theta = weights(point, lam, np.eye(len(lam))), np.diag(lam), 1e-3
            R = np.eye(k)
            R[[i, j], [i, j]], R[i, j], R[j, i] = np.cos(theta), -np.sin(theta), np.sin(theta)
            up = linear_vae.profile_elbo(W @ R, sigma2, S) + linear_vae.profile_elbo(W @ R.T, sigma2, S)
            measured = (up - 2 * linear_vae.profile_elbo(W, sigma2, S)) / theta**2
            assert measured == pytest.approx(curvature, rel=1e-2, abs=1e-6)
            assert verdict(point, lam).index > 0
            seen += 1
    assert seen > 50


def test_kinds():
    lam = np.array([3.0, 2.0, 1.0])
    collapsed = Point("ppca", ordered([], 2), 0.5, 0.0)
    assert verdict(collapsed, lam).kind == "minimum"
    assert verdict(Point("elbo", ordered([], 2), 0.5, 0.0), lam).kind == "saddle"
    assert verdict(Point("ppca", ordered([], 2), 2.5, 0.0), lam).kind == "saddle"
    assert verdict(Point("ppca", ordered([], 2), 3.5, 0.0), lam).kind == "maximum"
    # One direction less than all: the encoder, or the noise, takes the last one down.
    nearly = Point("elbo", ordered([], 1), 1.5, 0.0)
    assert (verdict(nearly, lam).index, verdict(nearly, lam).kind) == (2, "saddle")
    *_, nearly = learned_noise_points(np.array([3.0, 1.0]), 1)
    found = verdict(nearly, np.array([3.0, 1.0]), learned_noise=True)
    assert (nearly.retained, found.index, found.kind) == ((), 1, "saddle")
    on_threshold = verdict(Point("ppca", ordered([], 2), 3.0, 0.0), lam)
    assert (on_threshold.kind, on_threshold.strict, on_threshold.is_global) == ("maximum", False, True)
    assert on_threshold.escape is None  # flat, which is no way up
    rotation = Point("elbo", ordered([Block((0, 1), 2)], 2), 0.5, 0.0)
    assert verdict(rotation, lam).escape.kind in ("rotation", "column")
    assert spectrum(rotation, lam).gauge == 0


def test_the_noise_table_is_the_maximum_of_the_likelihood():
    for lam, _, S, k, _ in landscapes(20, most_n=7, seed=9):
        noises = noise_grid(lam, 9)
        assert noises[0] < lam[lam > 0][-1]
        assert noises[-1] > lam[0]
        for row in noise_table(lam, k, noises):
            best = next(fixed_noise_points(lam, k, row.sigma2))
            assert row.value == pytest.approx(best.value, rel=1e-12)
            assert row.retained == len(best.retained) == k - row.collapsed
            assert (row.retained_at_most, row.undecided) == (row.retained, ())
            assert row.margin == np.abs(lam[lam > 0][:k] - row.sigma2).min()
        curvature = collapse_curvature(lam, noises)
        zero = np.zeros((len(lam), 1))
        H = ppca.hessian(zero, float(noises[3]), S)
        np.testing.assert_allclose(np.sort(curvature[3]), np.linalg.eigvalsh(H), atol=1e-9 * np.abs(H).max())


def test_the_grid_of_noises_spans_the_spectrum_but_no_more_than_six_decades():
    near, far = np.array([4.0, 2.0, 1.0, 0.0]), np.array([4.0, 1.0, 1e-9])
    assert noise_grid(near, 5).tolist() == pytest.approx([0.5, *np.geomspace(0.5, 6.0, 5)[1:-1], 6.0], rel=1e-14)
    assert noise_grid(far)[[0, -1]].tolist() == pytest.approx([2e-6, 6.0], rel=1e-14)
    assert len(noise_grid(far)) == 25


def test_the_recommended_noise_keeps_every_latent():
    for lam, _, _, k, _ in landscapes(60, most_n=7, seed=10):
        noise = recommended_noise(lam, k)
        if lam[k - 1] <= 0:
            assert noise is None
        else:
            assert 0 < noise < lam[k - 1]
    assert recommended_noise(np.array([3.0, 1.0, 1.0]), 2) == 0.5
    assert recommended_noise(np.array([3.0, 2.0, 1.0, 0.5]), 2) == 0.75
    assert recommended_noise(np.array([3.0, 2.0, 1.0]), 2) == 1.0
    assert recommended_noise(np.array([3.0, 1.0, 0.5, 0.0]), 1) == 0.5  # zeros are discarded too
    assert recommended_noise(np.array([3.0, 2.0]), 2) == 1.0  # below lam_n all noises keep them


def test_the_unbounded_likelihood_is_refused():
    with pytest.raises(InputError, match="unbounded"):
        ppca.mean_of_discarded(np.array([3.0, 1.0, 0.0]), 2)
    assert ppca.mean_of_discarded(np.array([3.0, 1.0, 0.0]), 1) == 0.5


def test_an_escape_may_mix_two_blocks():
    """lam 5 over two columns beside 1 and 0.9 over two: what rises fastest moves all four."""
    lam, sigma2 = np.array([5.0, 1.0, 0.9, 0.8]), 0.9
    point = Point("elbo", ordered([Block((0,), 2), Block((1, 2), 2)], 4), sigma2, 0.0)
    escape = verdict(point, lam).escape
    assert (escape.kind, escape.columns, escape.eigen) == ("dense", (0, 1, 2, 3), (0, 1, 2))
    dense = linear_vae.profile_hessian(weights(point, lam, np.eye(4)), sigma2, np.diag(lam))
    assert escape.rate == pytest.approx(np.linalg.eigvalsh(dense)[-1], rel=1e-6)


def test_the_rotation_belongs_to_the_block_that_is_steepest():
    """lam 9, 6 turn with the larger d2P/dtheta2, lam 1.2, 1 with the larger eigenvalue: the rate and its direction."""
    lam, sigma2 = np.array([9.0, 6.0, 1.2, 1.0]), 0.5
    point = Point("elbo", ordered([Block((0, 1), 2), Block((2, 3), 2)], 4), sigma2, 0.0)
    rates = [np.linalg.eigvalsh(inside_hessian(b, lam, sigma2))[-1] for b in point.blocks]
    turns = [steepest_rotation(point, lam, within=columns)[0] for columns in ((0, 1), (2, 3))]
    assert rates[1] > rates[0]
    assert turns[0] > turns[1]
    assert steepest_rotation(point, lam) == (turns[0], (0, 1))
    escape = verdict(point, lam).escape
    assert (escape.kind, escape.columns, escape.eigen) == ("rotation", (2, 3), (2, 3))
    assert escape.rate == pytest.approx(rates[1])
    assert escape.theta_curvature == turns[1]


def test_a_noise_that_was_written_is_compared_with_all_its_digits():
    """0.7 less 10^-20 is the double 0.7; a number of another type is the decimal that it shows."""
    lam = np.array([1.0, 0.7])
    rows = noise_table(lam, 2, [Written("0.69999999999999999999"), Written("0.7"), 0.7, np.float64(0.7)])
    assert [row.retained for row in rows] == [2, 1, 1, 1]
    assert [row.sigma2 for row in rows] == [0.7] * 4


def test_a_sure_saddle_is_one_however_much_else_is_open():
    """One direction rises surely; whether others do is open, and neither all nor none of them can."""
    lam = Eigenvalues(np.array([4.0, 3.0, 2.0]), np.full(3, 1e-15), None)
    found = verdict(Point("ppca", ordered([Block((1,))], 1), 2.0, 0.0), lam)
    assert (found.index, found.undecided, found.kind) == (1, 0, "saddle")
    found = verdict(Point("ppca", ordered([], 1), 3.0, 0.0), lam)
    assert (found.index, found.undecided, found.kind) == (1, 1, "saddle")


@pytest.mark.parametrize(("lam", "columns", "index"), [((7.0, 6.0, 3.0), 3, 2), ((9.000000000000002, 9.0), 2, 2)])
def test_a_block_one_ulp_above_the_noise_is_a_saddle(lam, columns, index):
    """All of the Hessian inside the block is rounded to 0 there; its signs are known all the same (Proposition 9).

    Of the second one a zero row rises towards the eigenvalue that equals the noise as well.
    """
    noise = float(np.nextafter(lam[0], 0))
    block = Block((0,), columns)
    points = [p for p in fixed_noise_families(np.array(lam), columns, noise) if block in p.blocks]
    assert points
    for point in points:
        found = verdict(point, np.array(lam))
        assert (found.index, found.nullity, found.kind) == (index, 0, "saddle")
        assert not found.is_global
