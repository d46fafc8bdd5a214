"""Planes of the likelihood: the twin against verify.landscape.slices, the kernel against the twin."""

import numpy as np
import pytest

from gpu import landscape as module
from gpu.landscape import LARGEST, plane
from tests.gpu.batches import TOLERANCE, cupy, error, slip
from verify.errors import InputError
from verify.landscape import slices
from verify.models import ppca

__all__ = ["cupy"]

SIZES = [(1, 1), (4, 1), (3, 2), (5, 3), (2, 4), (9, 5), (6, 6), (10, 7), (8, 8)]


def a_plane(n, k, G=4, H=7, seed=0):
    """W, X, Y, a, b, sigma2, S with W = 0 among the points of it."""
    rng = np.random.default_rng(seed)
    W, X = rng.standard_normal((2, n, k))
    A = rng.standard_normal((n, n))
    return W, X, W - X, np.linspace(-1, 2, G), np.linspace(-1, 1, H), 0.6, A @ A.T / n


def moved(problem, to):
    *arrays, sigma2, S = problem
    return *(to(x) for x in arrays), sigma2, to(S)


@pytest.mark.parametrize(("n", "k"), SIZES)
def test_the_twin_is_the_slice(n, k):
    problem = a_plane(n, k)
    assert error(plane(*problem), slices.plane(*problem)) <= TOLERANCE


def test_the_twin_is_the_likelihood_point_by_point_and_chunks_do_not_show(monkeypatch):
    W, X, Y, a, b, sigma2, S = problem = a_plane(6, 3)
    expected = np.array([[ppca.log_likelihood(W + u * X + v * Y, sigma2, S) for v in b] for u in a])
    whole = plane(*problem)
    assert error(whole, expected) <= TOLERANCE
    monkeypatch.setattr(module, "CHUNK", 5)
    assert error(plane(*problem), whole) <= 1e-15  # BLAS sums in another order for another width


@pytest.mark.parametrize(("n", "k"), SIZES)
def test_the_kernel_is_the_twin(cupy, n, k):
    problem = a_plane(n, k, seed=1)
    found = plane(*moved(problem, cupy.ndarray))
    assert error(found, plane(*problem)) <= TOLERANCE
    assert [name for name, _, _ in cupy.launches] == ["plane_values_small" if k <= 4 else "plane_values_large"]


def test_a_grid_smaller_than_the_points_covers_them_all(cupy, monkeypatch):
    monkeypatch.setattr(module, "MOST_BLOCKS", 2)
    problem = a_plane(3, 2, G=23, H=29)
    assert error(plane(*moved(problem, cupy.ndarray)), plane(*problem)) <= TOLERANCE
    assert cupy.launches[0][1] == (2,)


@pytest.mark.parametrize(("G", "H"), [(0, 3), (3, 0), (0, 0)])
@pytest.mark.parametrize("k", [2, LARGEST + 1])
def test_an_empty_grid_launches_nothing(cupy, G, H, k):
    problem = a_plane(9, k, G, H)
    assert plane(*problem).shape == plane(*moved(problem, cupy.ndarray)).shape == (G, H)
    assert not cupy.launches


def test_more_columns_are_left_to_the_library(cupy):
    problem = a_plane(10, LARGEST + 1)
    expected = slices.plane(*problem)
    assert error(plane(*problem), expected) <= TOLERANCE
    assert error(plane(*moved(problem, cupy.ndarray)), expected) <= TOLERANCE
    assert not cupy.launches


def test_zero_columns_and_zero_eigenvalues(cupy):
    """The plane of Figure 1: two zero columns moved along two eigenvectors, one of eigenvalue zero."""
    W, X, Y = np.zeros((3, 4, 3))
    W[0, 0] = X[1, 1] = Y[3, 2] = 1.0
    problem = (W, X, Y, np.linspace(-1, 1, 3), np.linspace(-1, 1, 3), 0.5, np.diag([1.5, 0.5, 0.2, 0.0]))
    expected = slices.plane(*problem)
    assert error(plane(*problem), expected) <= TOLERANCE
    assert error(plane(*moved(problem, cupy.ndarray)), expected) <= TOLERANCE


def test_a_precision_that_rounding_left_indefinite_is_not_a_number(cupy):
    W = np.full((2, 2), 1e9)
    problem = (W, W, W, np.array([0.0, 1.0]), np.array([-1.0]), 1e-3, np.eye(2))
    assert not np.isfinite(plane(*problem)).all()
    assert not np.isfinite(plane(*moved(problem, cupy.ndarray)).get()).all()


def test_shapes_that_do_not_belong_together_are_refused():
    W, X, Y, a, b, sigma2, S = a_plane(4, 2)
    for wrong in [(W, X[1:], Y, a, b, sigma2, S), (W, X, Y, a[None], b, sigma2, S), (W, X, Y, a, b, sigma2, S[1:])]:
        with pytest.raises(InputError, match="shape"):
            plane(*wrong)


SLIPS = [
    {"sum -= F[i * (i + 1) / 2 + c] * F[j": "sum += F[i * (i + 1) / 2 + c] * F[j"},
    {"log_det + (total - explained) / sigma2": "log_det - (total - explained) / sigma2"},
    {"F[e] = c[0] + c[1] * u + c[2] * v": "F[e] = c[0] + c[1] * u - c[2] * v"},
]


@pytest.mark.parametrize("patch", SLIPS, ids=["factor", "residual", "coefficient"])
def test_one_flipped_sign_is_caught(cupy, monkeypatch, patch):
    slip(monkeypatch, "landscape", patch)
    problem = a_plane(5, 3)
    assert not np.linalg.norm(plane(*moved(problem, cupy.ndarray)).get() - plane(*problem)) <= 1e-6
