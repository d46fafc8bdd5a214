"""Dense Hessians in batches: the twin against verify.models, the kernels against the twin and against SymPy."""

import numpy as np
import pytest

from gpu import hessian as module
from gpu.batches import problems
from gpu.hessian import hessian, ingredients, profile_hessian
from proofs.machinery.checks import Disagreement
from proofs.problems.on_device import hessian_agrees
from tests.gpu.batches import TOLERANCE, cupy, error, on_device, random_batch, slip
from verify.errors import InputError
from verify.models import linear_vae, ppca

__all__ = ["cupy"]

PAIRS = [(hessian, ppca.hessian), (profile_hessian, linear_vae.profile_hessian)]
# (lead, n, k, S shared): single entries, odd sizes, k > n, k beyond a strip of registers, problems side by side in a
# block of threads and problems that fill several.
SIZES = [
    (1, 1, 1, True),
    (5, 5, 2, False),
    (2, 3, 5, True),
    ((2, 2), 9, 3, False),
    (1, 19, 17, True),
    (2, 40, 3, False),
]


@pytest.mark.parametrize(("ours", "model"), PAIRS, ids=["L", "P"])
@pytest.mark.parametrize(("lead", "n", "k", "shared"), SIZES)
def test_the_twin_is_the_model(ours, model, lead, n, k, shared):
    W, _, _, sigma2, S = random_batch(lead, n, k, shared=shared)
    H = ours(W, sigma2, S)
    assert error(H, model(W, sigma2, S)) <= TOLERANCE
    assert np.array_equal(H, H.swapaxes(-1, -2))


@pytest.mark.parametrize(("ours", "model"), PAIRS, ids=["L", "P"])
def test_chunks_do_not_show(ours, model, monkeypatch):
    W, _, _, sigma2, S = random_batch(7, 6, 2)
    whole = ours(W, sigma2, S)
    for chunk in (1, 30, 300):  # a row i, some rows, two problems at a time
        monkeypatch.setattr(module, "CHUNK", chunk)
        assert np.array_equal(ours(W, sigma2, S), whole)


@pytest.mark.parametrize(("ours", "model"), PAIRS, ids=["L", "P"])
@pytest.mark.parametrize(("lead", "n", "k", "shared"), SIZES)
def test_the_kernels_are_the_twin(cupy, ours, model, lead, n, k, shared):
    W, _, _, sigma2, S = random_batch(lead, n, k, shared=shared, seed=1)
    H = ours(*on_device(cupy, W, sigma2, S)).get()
    assert error(H, ours(W, sigma2, S)) <= TOLERANCE
    assert np.array_equal(H, H.swapaxes(-1, -2))
    assert [name for name, _, _ in cupy.launches] == ["hessian_of_small"]


@pytest.mark.parametrize("blocks", [1, 7, 1024])
@pytest.mark.parametrize("count", [1, 3])
def test_blocks_share_out_the_rows_of_few_problems(cupy, monkeypatch, count, blocks):
    monkeypatch.setattr(module, "BLOCKS", blocks)
    W, _, _, sigma2, S = random_batch(count, 9, 5)
    expected = profile_hessian(W, sigma2, S)
    assert error(profile_hessian(*on_device(cupy, W, sigma2, S)).get(), expected) <= TOLERANCE
    [(_, grid, _)] = cupy.launches
    assert grid[0] == count and 1 <= grid[1] <= 9 and (grid[1] == 1) == (blocks <= count)


@pytest.mark.parametrize(("ours", "model"), PAIRS, ids=["L", "P"])
def test_problems_too_large_for_one_kernel_take_two(cupy, ours, model):
    W, _, _, sigma2, S = random_batch(2, 56, 3)
    H = ours(*on_device(cupy, W, sigma2, S)).get()
    assert error(H, ours(W, sigma2, S)) <= TOLERANCE
    assert np.array_equal(H, H.swapaxes(-1, -2))
    assert [name for name, _, _ in cupy.launches] == ["hessian_ingredients", "hessian_assemble"]


@pytest.mark.parametrize("profile", [False, True])
def test_the_ingredients_are_those_of_the_twin_one_by_one(cupy, profile):
    W, _, _, sigma2, S = random_batch(3, 6, 4)
    found = module._ingredients_on_device(problems(*on_device(cupy, W, sigma2, S)), profile=profile)
    for mine, expected in zip(found, ingredients(problems(W, sigma2, S), profile=profile), strict=True):
        assert error(mine, expected) <= TOLERANCE


@pytest.mark.parametrize(("ours", "model"), PAIRS, ids=["L", "P"])
def test_ties_zero_columns_and_stationary_points(cupy, ours, model):
    """W retains one of two equal eigenvalues beside a zero column; then W = 0; S has null directions."""
    S = np.diag([3.0, 3.0, 1.0, 0.0, 0.0])
    W = np.zeros((2, 5, 2))
    W[0, 0, 0] = np.sqrt(3.0 - 0.5)
    sigma2 = np.array([0.5, 1.0])  # the second noise ties with an eigenvalue
    H = ours(*on_device(cupy, W, sigma2, S)).get()
    assert error(H, model(W, sigma2, S)) <= TOLERANCE
    assert error(H, ours(W, sigma2, S)) <= TOLERANCE


@pytest.mark.parametrize("ours", [hessian, profile_hessian], ids=["L", "P"])
def test_an_empty_batch_launches_nothing(cupy, ours):
    W, _, _, sigma2, S = random_batch(0, 4, 2)
    assert ours(*on_device(cupy, W, sigma2, S)).shape == ours(W, sigma2, S).shape == (0, 8, 8)
    assert not cupy.launches


def test_a_problem_too_large_for_shared_memory_gets_its_ingredients_by_products(cupy):
    W, _, _, sigma2, S = random_batch(1, 130, 10)
    H = profile_hessian(*on_device(cupy, W, sigma2, S)).get()
    assert error(H, profile_hessian(W, sigma2, S)) <= TOLERANCE
    assert [name for name, _, _ in cupy.launches] == ["hessian_assemble"]


def test_shapes_that_do_not_belong_together_are_refused():
    W, _, _, sigma2, S = random_batch(2, 4, 2)
    for wrong in [(W[0, 0], sigma2, S), (W, sigma2[:1], S), (W, sigma2, S[:, 1:, 1:]), (W, sigma2, S[:1])]:
        with pytest.raises(InputError, match="shape"):
            hessian(*wrong)


@pytest.mark.parametrize(("ours", "profile"), [(hessian, False), (profile_hessian, True)], ids=["L", "P"])
def test_the_kernels_are_what_sympy_derives(cupy, ours, profile):
    assert hessian_agrees(ours, profile, cupy, count=5, seed=1) <= TOLERANCE
    assert cupy.launches


SLIPS = [
    {"of_A * of_inverse[u] - of_precision * of_T[u]": "of_A * of_inverse[u] + of_precision * of_T[u]"},
    {"(u_ib * of_P[u] + p_ib * of_U[u])": "(u_ib * of_P[u] - p_ib * of_U[u])"},
    {"- (i == j ? own_scale : 0.0)": "+ (i == j ? own_scale : 0.0)"},
    {"1.0 : 0.0) - shrunk) * by_s": "1.0 : 0.0) + shrunk) * by_s"},
    {"product(g, -by_s": "product(g, by_s"},
    {"product(r, -0.5,": "product(r, 0.5,"},
]


@pytest.mark.parametrize("patch", SLIPS, ids=range(len(SLIPS)))
def test_one_flipped_sign_is_caught_by_sympy(cupy, monkeypatch, patch):
    slip(monkeypatch, "hessian", patch)
    with pytest.raises(Disagreement):
        hessian_agrees(profile_hessian, True, cupy, count=5, seed=1)
