"""The blind search: it goes down, fast, says how it ended, and finds what is known by other means."""

import numpy as np
import pytest

from verify.landscape.roots import CONVERGED, DIVERGED, STALLED, Roots, find_roots
from verify.models import ppca


def quadratic(A, at):
    """The gradient and the Hessian of 1/2 (w - at)^T A (w - at), for batches (B, n, 1)."""
    return lambda W: np.einsum("ij,bjk->bik", A, W - at), lambda W: np.broadcast_to(A, (len(W), *A.shape))


def test_a_saddle_of_a_quadratic_is_found_from_everywhere():
    at = np.array([[1.0], [-2.0], [0.5]])
    A = np.diag([2.0, -1.0, 0.5])
    starts = 10 * np.random.default_rng(0).standard_normal((20, 3, 1))
    before = starts.copy()
    found = find_roots(*quadratic(A, at), starts)
    assert found.count(CONVERGED) == len(starts) and found.count(DIVERGED) == found.count(STALLED) == 0
    np.testing.assert_allclose(found.W, np.broadcast_to(at, found.W.shape), atol=1e-10)
    np.testing.assert_allclose(found.residual, np.linalg.norm(np.einsum("ij,bjk->bik", A, found.W - at), axis=(1, 2)))
    assert (starts == before).all()  # what it was given is not written over
    # At half of |W| a step the way from 40 is a few steps; then the damping, which falls with |g|, loses nothing.
    assert find_roots(*quadratic(A, at), starts, iterations=18).count(CONVERGED) == len(starts)
    assert find_roots(*quadratic(A, at), starts, iterations=2).count(STALLED) == len(starts)


def test_no_step_is_longer_than_half_of_where_it_stands():
    visited = []
    gradient, hessian = quadratic(np.eye(2), np.array([[900.0], [0.0]]))

    def watched(W):
        visited.append(W[0].copy())
        return gradient(W)

    find_roots(watched, hessian, np.array([[[0.1], [0.0]]]), iterations=6)
    steps = np.linalg.norm(np.diff(visited, axis=0), axis=(1, 2))
    allowed = 0.5 * np.maximum(np.linalg.norm(visited[:-1], axis=(1, 2)), 1.0)
    assert (steps <= allowed * (1 + 1e-12)).all()
    assert steps[0] == pytest.approx(0.5) and steps[5] == pytest.approx(allowed[5])


def test_how_it_ended_is_told_apart():
    def away(W):
        return np.exp(-W)  # no root: it falls for ever

    found = find_roots(away, lambda W: -np.exp(-W), np.full((1, 1, 1), 3.0), tolerance=1e-300, horizon=20.0)
    assert found.status.tolist() == [DIVERGED] and found.W[0, 0, 0] >= 20.0

    def above(W):
        return W * W + 1.0  # |g| has a least value that is no root

    found = find_roots(above, lambda W: 2 * W, np.full((1, 1, 1), 3.0))
    assert found.status.tolist() == [STALLED] and found.residual[0] == pytest.approx(1.0, abs=0.01)
    assert Roots(found.W, found.residual, np.array([STALLED, CONVERGED, STALLED])).count(STALLED) == 2
    # On the edge: a root within the tolerance is one, and the horizon itself is beyond.
    still = find_roots(lambda W: 0 * W + 0.25, lambda W: 0 * W + 1.0, np.full((1, 1, 1), 2.0), tolerance=0.25)
    assert still.status.tolist() == [CONVERGED]
    still = find_roots(lambda W: 0 * W, lambda W: 0 * W + 1.0, np.full((1, 1, 1), 2.0), horizon=2.0)
    assert still.status.tolist() == [DIVERGED]


def test_a_run_that_has_ended_stays_where_it_is():
    """On the horizon, within the tolerance, and where no step makes |g| smaller."""
    start, one = np.full((1, 1, 1), 2.0), lambda W: 0 * W + 1.0
    for gradient, keywords, status in (
        (lambda W: W - 1, {"horizon": 2.0}, DIVERGED),
        (lambda W: W - 1.5, {"tolerance": 0.5}, CONVERGED),
        (lambda W: 0 * W + 0.25, {"iterations": 5}, STALLED),
    ):
        found = find_roots(gradient, one, start, **keywords)
        assert (found.W[0, 0, 0], found.status.tolist()) == (2.0, [status])


@pytest.mark.parametrize("scale", [1.0, 1e3])
def test_a_gauge_leaves_no_matrix_singular(scale):
    """The roots are the line w_1 + w_2 = c; with c between doubles |g| never vanishes, and the damping nearly does."""
    H = scale * np.ones((2, 2))
    found = find_roots(
        lambda W: H @ W - scale * np.array([[0.3], [0.3 + 1e-17]]) - 1e-14,
        lambda W: np.broadcast_to(H, (len(W), 2, 2)),
        np.array([[[2.0], [0.7]]]),
        tolerance=0.0,
        iterations=60,
    )
    assert found.W.sum() == pytest.approx(0.3, abs=1e-13)
    np.testing.assert_allclose(found.W[0, 0] - found.W[0, 1], 1.3, rtol=1e-6)  # along the line nothing moves


def test_runs_do_not_meddle_with_one_another():
    """One is beyond the horizon from the start, one is a root already, and those between them go their way."""
    starts = np.array([30.0, -2.0, -5.0, -9.0, 30.0, -3.0]).reshape(-1, 1, 1)
    found = find_roots(lambda W: W + 5, lambda W: np.ones_like(W), starts, horizon=20.0)
    assert found.status.tolist() == [DIVERGED, CONVERGED, CONVERGED, CONVERGED, DIVERGED, CONVERGED]
    np.testing.assert_allclose(found.W.ravel(), [30, -5, -5, -5, 30, -5], atol=1e-10)
    alone = [find_roots(lambda W: W + 5, lambda W: np.ones_like(W), W[None], horizon=20.0) for W in starts]
    assert found.W.ravel().tolist() == [float(one.W[0, 0, 0]) for one in alone]
    # Next to a vanishing slope steps are not taken, by some and at other times than by others.
    starts = np.array([7.0, 0.58, 30.0, 1.0, -0.6, 0.5, 0.57]).reshape(-1, 1, 1)
    for iterations in range(1, 12):
        options = {"horizon": 20.0, "iterations": iterations}
        found = find_roots(lambda W: W**3 - W, lambda W: 3 * W * W - 1, starts, **options)
        alone = [find_roots(lambda W: W**3 - W, lambda W: 3 * W * W - 1, W[None], **options) for W in starts]
        assert found.W.ravel().tolist() == [float(one.W[0, 0, 0]) for one in alone]
        assert found.status.tolist() == [one.status[0] for one in alone]


def scalar_search(gradient, slope, w, iterations):
    """The same search for one number, written out: where it stands after each step."""
    damping, visited, g = 1.0, [w], gradient(w)
    for _ in range(iterations):
        h = slope(w)
        step = -h * g / (h * h + max(damping * min(abs(g), 1.0), 1e-15 * h * h))
        longest = 0.5 * max(abs(w), 1.0)
        step = max(-longest, min(longest, step))
        better = abs(gradient(w + step)) < abs(g)
        if better:
            w, g = w + step, gradient(w + step)
        damping = min(max(damping / 4 if better else damping * 4, 1e-14), 1e14)
        visited.append(w)
    return visited


@pytest.mark.parametrize("start", [7.0, 0.58, -0.6, 0.5])
def test_every_step_is_that_of_the_search_written_out_for_one_number(start):
    """On w^3 - w, whose slope vanishes next to two of the starts: some steps are too long and are not taken."""
    rejected = 0
    for iterations in range(1, 12):
        expected = scalar_search(lambda w: w**3 - w, lambda w: 3 * w * w - 1, start, iterations)
        found = find_roots(
            lambda W: W**3 - W, lambda W: 3 * W * W - 1, np.full((1, 1, 1), start), iterations=iterations, tolerance=0.0
        )
        assert found.W[0, 0, 0] == pytest.approx(expected[-1], rel=1e-12)
        rejected += expected[-1] == expected[-2]
    assert rejected or start in (7.0, 0.5)


def test_the_stationary_points_of_the_likelihood_are_found_though_a_gauge_makes_them_manifolds():
    """lam = (3, 2, 0.5), sigma2 = 1, two columns: W W^T is diag(2, 1), one of the two, or nothing."""
    S = np.diag([3.0, 2.0, 0.5])
    starts = np.geomspace(0.01, 2, 200)[:, None, None] * np.random.default_rng(1).standard_normal((200, 3, 2))
    found = find_roots(lambda W: ppca.gradient(W, 1.0, S), lambda W: ppca.hessian(W, 1.0, S), starts, iterations=60)
    ended = found.W[found.status == CONVERGED]  # the others leave for infinity, where the gradient vanishes too
    assert len(ended) >= 100 and found.count(DIVERGED) >= 10
    kinds = {tuple(abs(np.round(np.diag(W @ W.T), 8)).tolist()) for W in ended}
    assert kinds == {(2.0, 1.0, 0.0), (2.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 0.0)}
    off = [W @ W.T - np.diag(np.diag(W @ W.T)) for W in ended]
    assert np.abs(off).max() < 1e-8
