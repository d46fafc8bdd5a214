"""The ELBO's gradients in batches: the twin against verify.models, the kernel against the twin and against SymPy."""

import numpy as np
import pytest

from gpu import gradients as module
from gpu.gradients import gradients
from proofs.machinery.checks import Disagreement
from proofs.problems.on_device import gradient_agrees
from tests.gpu.batches import TOLERANCE, cupy, error, on_device, random_batch, slip
from verify.errors import InputError
from verify.models import linear_vae

__all__ = ["cupy"]

# (lead, n, k, S shared): single entries, odd sizes, k > n, more rows than are staged at a time, two leading axes.
SIZES = [(1, 1, 1, True), (3, 5, 2, False), (2, 3, 5, True), ((2, 2), 7, 3, False), (2, 70, 3, True), (1, 33, 17, True)]


@pytest.mark.parametrize(("lead", "n", "k", "shared"), SIZES)
def test_the_twin_is_the_model(lead, n, k, shared):
    problem = random_batch(lead, n, k, shared=shared)
    for found, expected in zip(gradients(*problem), linear_vae.gradients(*problem), strict=True):
        assert error(found, expected) <= TOLERANCE


@pytest.mark.parametrize(("lead", "n", "k", "shared"), SIZES)
def test_the_kernel_is_the_twin(cupy, lead, n, k, shared):
    problem = random_batch(lead, n, k, shared=shared, seed=1)
    for found, expected in zip(gradients(*on_device(cupy, *problem)), gradients(*problem), strict=True):
        assert error(found, expected) <= TOLERANCE
    assert [name for name, _, _ in cupy.launches] == ["elbo_gradients"]


def test_one_noise_serves_the_whole_batch(cupy):
    W, V, D, _, S = random_batch(3, 4, 2)
    expected = gradients(W, V, D, np.full(3, 0.7), S)
    W, V, D, S = on_device(cupy, W, V, D, S)
    for found, other in zip(gradients(W, V, D, 0.7, S), expected, strict=True):
        assert error(found, other) <= TOLERANCE


def test_zeros_stay_zeros(cupy):
    W, V, D, sigma2, S = random_batch(2, 5, 3)
    found = gradients(*on_device(cupy, 0 * W, V, D, sigma2, 0 * S))
    assert not found.W.get().any() and not found.V.get().any()
    assert error(found.D, 0.5 * (1 / D - 1)) <= TOLERANCE
    assert error(found.sigma2, -2.5 / sigma2) <= TOLERANCE


def test_an_empty_batch_launches_nothing(cupy):
    found = gradients(*on_device(cupy, *random_batch(0, 4, 2)))
    assert [part.shape for part in found] == [(0, 4, 2), (0, 2, 4), (0, 2), (0,)]
    assert [part.shape for part in gradients(*random_batch(0, 4, 2))] == [part.shape for part in found]
    assert not cupy.launches


def test_a_problem_too_large_for_shared_memory_goes_by_products(cupy):
    problem = random_batch(1, 120, 16)
    for found, expected in zip(gradients(*on_device(cupy, *problem)), gradients(*problem), strict=True):
        assert error(found, expected) <= TOLERANCE
    assert not cupy.launches


def test_what_is_staged_fits_and_keeps_the_threads_busy():
    for n in (1, 2, 31, 64, 100, 200, 400):
        for k in (1, 2, 7, 16, 40):
            rows = module._staged_rows(n, k)
            assert 0 <= rows <= n
            assert rows == 0 or module._shared_bytes(n, k, rows) <= 48 * 1024
    assert module._staged_rows(24, 4) == 8 and module._staged_rows(64, 10) == 6


@pytest.mark.parametrize(
    ("which", "shape"), [(0, (3,)), (1, (2, 5, 2)), (2, (2, 3)), (3, (3,)), (4, (2, 5, 4)), (0, (2, 0, 2))]
)
def test_shapes_that_do_not_belong_together_are_refused(which, shape):
    problem = list(random_batch(2, 5, 2))
    problem[which] = np.ones(shape)
    with pytest.raises(InputError, match="shape"):
        gradients(*problem)


@pytest.mark.parametrize("name", ["W", "V", "D", "sigma2"])
def test_the_kernel_is_what_sympy_derives(cupy, name):
    assert gradient_agrees(name, cupy, count=5, seed=1) <= TOLERANCE
    assert cupy.launches


SLIPS = {
    "W": ("sum = both[i * wide + a] * D[problem * k + a];", "sum = -both[i * wide + a] * D[problem * k + a];"),
    "V": ("double sum = s * image[j * wide + k + a];", "double sum = -s * image[j * wide + k + a];"),
    "D": ("0.5 * (1.0 / d - 1.0 - norm / s)", "0.5 * (1.0 / d - 1.0 + norm / s)"),
    "sigma2": ("0.5 * error / (s * s) - 0.5 * n / s", "0.5 * error / (s * s) + 0.5 * n / s"),
}


@pytest.mark.parametrize("name", SLIPS)
def test_one_flipped_sign_is_caught_by_sympy(cupy, monkeypatch, name):
    slip(monkeypatch, "gradients", dict([SLIPS[name]]))
    with pytest.raises(Disagreement):
        gradient_agrees(name, cupy, count=5, seed=1)
    for other in SLIPS.keys() - {name}:  # and the others are untouched
        gradient_agrees(other, cupy, count=5, seed=1)
