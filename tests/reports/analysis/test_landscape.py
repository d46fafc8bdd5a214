"""The document of `landscape`: slices as in Figure 1, values by the definition, the same on a device."""

import numpy as np
import pytest

from reports.analysis.landscape import landscape
from tests.emulator import device
from verify.data.covariance import from_eigenvalues
from verify.models import ppca


def test_slices_follow_figure_1_by_default():
    lam = np.arange(12.0, 0, -1)
    document, slices = landscape(from_eigenvalues(lam), 5, grid=5)
    assert document["directions"] == [5, 7]
    assert [(p["sigma2"], p["retained"], p["unstable"]) for p in document["slices"]] == [
        (lam[3], [1, 2, 3], 0),
        (lam[5], [1, 2, 3], 1),
        (lam[7], [1, 2, 3], 2),
    ]
    for piece, panel in zip(slices, document["slices"], strict=True):
        W = np.zeros((12, 5))
        W[range(3), range(3)] = np.sqrt(lam[:3] - piece.sigma2)
        S = np.diag(lam)
        assert panel["values"][2][2] == pytest.approx(float(ppca.log_likelihood(W, piece.sigma2, S)), rel=1e-13)
        W[4, 3], W[6, 4] = panel["a"][0], panel["b"][3]
        assert panel["values"][0][3] == pytest.approx(float(ppca.log_likelihood(W, piece.sigma2, S)), rel=1e-13)


@pytest.mark.parametrize(("k", "retained", "columns"), [(1, 0, 1), (2, 0, 2), (3, 1, 2), (4, 2, 2), (9, 3, 2)])
def test_fewer_latents_mean_fewer_retained_columns(k, retained, columns):
    document, _ = landscape(from_eigenvalues(np.arange(9.0, 0, -1)), k, grid=3)
    assert document["directions"] == [5, 7] and document["moved_columns"] == columns
    assert all(len(panel["retained"]) == retained for panel in document["slices"])


@pytest.mark.parametrize("n", range(2, 9))
def test_fewer_eigenvalues_keep_the_pattern_of_zero_one_two_unstable_directions(n):
    document, _ = landscape(from_eigenvalues(np.arange(float(n), 0, -1)), n, grid=3)
    assert [panel["unstable"] for panel in document["slices"]] == [0, 1, 2]
    i, j = document["directions"]
    assert 1 <= i < j <= n
    assert all(r < i for panel in document["slices"] for r in panel["retained"])


@pytest.mark.parametrize("lam", [[1.0, 0.0], [1.0, 0.0, 0.0, 0.0], [2.0, 2.0], [3.0] * 9])
def test_degenerate_spectra_have_slices_too(lam):
    document, slices = landscape(from_eigenvalues(lam), 1, grid=3)
    assert document["slices"] and all(np.isfinite(piece.values).all() for piece in slices)


def test_slices_are_computed_on_the_device_that_is_given(monkeypatch):
    cupy = device.install(monkeypatch)
    data = from_eigenvalues(np.arange(9.0, 0, -1))
    here, slices = landscape(data, 5, grid=7)
    there, on_device = landscape(data, 5, grid=7, backend=cupy)
    assert [name for name, _, _ in cupy.launches] == ["plane_values_small"] * len(slices)
    for a, b in zip(slices, on_device, strict=True):
        assert type(b.values) is np.ndarray
        np.testing.assert_allclose(b.values, a.values, rtol=1e-13)
    assert here.keys() == there.keys()
