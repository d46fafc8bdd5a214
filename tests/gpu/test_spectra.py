"""Spectra of Hessians in batches: whatever memory allows at a time, the same numbers."""

import numpy as np
import pytest

from gpu import spectra
from gpu.spectra import hessian_eigenvalues
from tests.gpu.batches import TOLERANCE, cupy, error, on_device, random_batch
from verify.errors import InputError
from verify.models import linear_vae, ppca

__all__ = ["cupy"]

MODELS = {False: ppca.hessian, True: linear_vae.profile_hessian}


@pytest.mark.parametrize("profile", [False, True], ids=["L", "P"])
@pytest.mark.parametrize("shared", [False, True], ids=["S each", "one S"])
@pytest.mark.parametrize("room", [0, 2 * 8 * 3 * 36, 1 << 30])  # one at a time, two, all
def test_they_are_those_of_the_dense_hessians(cupy, monkeypatch, profile, shared, room):
    monkeypatch.setattr(spectra, "memory_budget", lambda xp: room)
    W, _, _, sigma2, S = random_batch((2, 3), 3, 2, shared=shared)
    expected = np.linalg.eigvalsh(MODELS[profile](W, sigma2, S))
    assert error(hessian_eigenvalues(W, sigma2, S, profile=profile), expected) <= TOLERANCE
    assert error(hessian_eigenvalues(*on_device(cupy, W, sigma2, S), profile=profile), expected) <= TOLERANCE
    assembled = [name for name, _, _ in cupy.launches if name == "hessian_of_small"]
    assert len(assembled) == {0: 6, 2 * 8 * 3 * 36: 3, 1 << 30: 1}[room]


def test_an_empty_batch_has_no_spectra():
    W, _, _, sigma2, S = random_batch(0, 4, 2)
    assert hessian_eigenvalues(W, sigma2, S).shape == (0, 8)


def test_memory_that_runs_out_all_the_same_is_shared_by_fewer(monkeypatch):
    W, _, _, sigma2, S = random_batch(5, 3, 2)
    expected = hessian_eigenvalues(W, sigma2, S)
    hessian, sizes = spectra.hessian, []

    def scarce(W, sigma2, S):
        if len(W) > 2:
            raise MemoryError
        sizes.append(len(W))
        return hessian(W, sigma2, S)

    monkeypatch.setattr(spectra, "hessian", scarce)
    assert error(hessian_eigenvalues(W, sigma2, S), expected) == 0.0
    assert sizes == [2, 2, 1]
    monkeypatch.setattr(spectra, "hessian", lambda *_: (_ for _ in ()).throw(MemoryError("full")))
    with pytest.raises(InputError, match=r"Hessian 1 of 5: does not fit into the memory of the host \(full\)"):
        hessian_eigenvalues(W, sigma2, S)
