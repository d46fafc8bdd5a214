"""Batched eigenvalues by Jacobi rotations, against LAPACK and against spectra that are known."""

import numpy as np
import pytest

from gpu.eigenvalues import LARGEST, _shared_bytes, eigenvalues
from tests.gpu.batches import TOLERANCE, cupy, error, on_device, slip
from verify.errors import InputError

__all__ = ["cupy"]


def with_spectrum(rng, values):
    """A symmetric matrix with these eigenvalues, in a random basis."""
    Q = np.linalg.qr(rng.standard_normal((len(values), len(values))))[0]
    return (Q * values) @ Q.T


def symmetric(rng, *shape):
    A = rng.standard_normal(shape)
    return A + A.swapaxes(-1, -2)


@pytest.mark.parametrize(
    ("lead", "m"), [((3,), 1), ((3,), 2), ((4,), 3), ((2, 2), 7), ((), 16), ((2,), 33), ((1,), 96)]
)
def test_the_kernel_is_the_twin(cupy, lead, m):
    A = symmetric(np.random.default_rng(m), *lead, m, m)
    found = eigenvalues(*on_device(cupy, A)).get()
    assert error(found, eigenvalues(A)) <= TOLERANCE
    assert (np.diff(found, axis=-1) >= 0).all()
    assert [name for name, _, _ in cupy.launches] == ["symmetric_eigenvalues"]


SPECTRA = {
    "ties": [2.0, 2.0, 2.0, -1.0, -1.0, 5.0],
    "zeros": [0.0, 0.0, 0.0, 3.0, -2.0],
    "near ties": [1.0, 1.0 + 1e-14, 1.0 - 1e-14, 1.0 + 1e-10],
    "twelve decades": [1e-6, 1e-3, 1.0, 1e6, -1e6, 0.0],
    "all equal": [4.0] * 7,
}


@pytest.mark.parametrize("values", SPECTRA.values(), ids=SPECTRA)
def test_spectra_that_hurt(cupy, values):
    A = with_spectrum(np.random.default_rng(0), np.array(values))
    found = eigenvalues(*on_device(cupy, A[None])).get()[0]
    assert error(found, np.sort(values)) <= TOLERANCE
    assert error(found, eigenvalues(A)) <= TOLERANCE


def test_a_diagonal_matrix_is_sorted_and_nothing_else(cupy):
    A = np.diag([3.0, 0.0, -1.0, 3.0, 2.5])
    assert np.array_equal(eigenvalues(*on_device(cupy, A)).get(), np.sort(np.diag(A)))
    assert np.array_equal(eigenvalues(*on_device(cupy, 0 * A)).get(), np.zeros(5))


def test_hessians_with_their_gauge_zeros(cupy):
    """A spectrum with many exact ties and zeros, as the Hessian of L has at a stationary point."""
    values = np.array([0.0] * 6 + [-0.4] * 4 + [0.7] * 4 + [-1.0, 2.0])
    A = np.stack([with_spectrum(np.random.default_rng(seed), values) for seed in range(3)])
    found = eigenvalues(*on_device(cupy, A)).get()
    assert error(found, np.broadcast_to(np.sort(values), (3, 16))) <= TOLERANCE


@pytest.mark.parametrize("exponent", [-300, -160, 150, 300])
def test_scales_that_squares_do_not_survive(cupy, exponent):
    A = symmetric(np.random.default_rng(1), 9, 9)
    found = eigenvalues(*on_device(cupy, A * 10.0**exponent)).get()
    assert error(found * 10.0**-exponent, eigenvalues(A)) <= TOLERANCE


def test_only_the_lower_triangle_is_read(cupy):
    A = symmetric(np.random.default_rng(2), 5, 5)
    lower = np.tril(A) + np.triu(np.full((5, 5), np.nan), 1)
    assert error(eigenvalues(*on_device(cupy, lower)).get(), eigenvalues(A)) <= TOLERANCE


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_an_entry_that_is_not_finite_spoils_its_own_matrix_alone(cupy, bad):
    A = symmetric(np.random.default_rng(3), 3, 4, 4)
    expected = eigenvalues(A)
    A[1, 2, 1] = bad
    found = eigenvalues(*on_device(cupy, A)).get()
    assert np.isnan(found[1]).all()
    assert error(found[[0, 2]], expected[[0, 2]]) <= TOLERANCE


@pytest.mark.parametrize("shape", [(0, 3, 3), (2, 0, 0), (0, 0)])
def test_an_empty_batch_launches_nothing(cupy, shape):
    assert eigenvalues(*on_device(cupy, np.zeros(shape))).shape == eigenvalues(np.zeros(shape)).shape == shape[:-1]
    assert not cupy.launches


def test_larger_matrices_go_to_the_library(cupy):
    A = symmetric(np.random.default_rng(4), LARGEST + 1, LARGEST + 1)
    assert error(eigenvalues(*on_device(cupy, A)).get(), np.linalg.eigvalsh(A)) == 0.0
    assert not cupy.launches


def test_every_size_fits_into_shared_memory():
    assert max(_shared_bytes(m) for m in range(1, LARGEST + 1)) <= 48 * 1024


def test_what_is_not_square_is_refused():
    with pytest.raises(InputError, match=r"\(3, 2\)"):
        eigenvalues(np.zeros((3, 2)))


SLIPS = [
    {"*pp -= t * *pq;": "*pp += t * *pq;"},
    {"low_u = s * *pu + c * *qu;": "low_u = s * *pu - c * *qu;"},
    {"round < size - 1": "round < size - 2"},  # one pair in each row is never met: a sweep less than whole
    {"other == own && j < i": "other == own"},  # ties share a place
]


@pytest.mark.parametrize("patch", SLIPS, ids=["sign", "rotation", "rounds", "ties"])
def test_a_slip_is_caught(cupy, monkeypatch, patch):
    slip(monkeypatch, "eigenvalues", patch)
    A = np.stack([symmetric(np.random.default_rng(5), 6, 6), with_spectrum(np.random.default_rng(6), np.ones(6))])
    A[1] = np.eye(6)  # exact ties
    found, expected = eigenvalues(*on_device(cupy, A)).get(), eigenvalues(A)
    assert not np.linalg.norm(found - expected) <= 1e6 * TOLERANCE * np.linalg.norm(expected)
