"""`revival` of Python: the nats are those of the linear VAE that holds more, written out."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest

from tests.verify.results.vaes import optimum, spoiled
from verify import revival
from verify.errors import InputError

matplotlib.use("agg")


@pytest.fixture(scope="module")
def vae():
    return spoiled()


def test_the_nats_are_the_difference_of_two_linear_vaes(vae):
    arrays, S = vae
    above = int((np.linalg.eigvalsh(S) > 1).sum())
    result = revival(arrays["x"], arrays["reconstructions"], 1.0)
    assert result.directions == above - 2 == len(result.to_frame())
    assert result.nats == pytest.approx(optimum(S, above) - optimum(S, 2), rel=1e-9)
    assert result.to_frame()["nats"].sum() == pytest.approx(result.nats, rel=1e-12)
    one = revival(arrays["x"], arrays["reconstructions"], 1.0, latents=1)
    assert one.nats == pytest.approx(optimum(S, 3) - optimum(S, 2), rel=1e-9)
    assert one.escape.U.shape == (8, 1) and "the first 1 of them" in one.verdict


def test_beta_counts_as_noise_and_a_shift_is_paid_for(vae):
    arrays, _ = vae
    x, recon = arrays["x"], arrays["reconstructions"]
    plain, weighted = revival(x, recon, 1.0), revival(x, recon, 0.25, beta=4.0)
    assert weighted.nats == pytest.approx(plain.nats) and "4 sigma2 = 1" in weighted.verdict
    shifted = revival(x, recon - 0.5, 1.0)
    # |c|^2/(2 s) with c = 0.5 in each of 8 columns, on top of what was there.
    assert shifted.bias_nats == pytest.approx(8 * 0.25 / 2) and shifted.nats == pytest.approx(plain.nats + 1.0)
    assert "for a constant" in shifted.verdict and "constant" not in plain.verdict


def test_above_the_residual_there_is_nothing_to_add(vae):
    arrays, _ = vae
    result = revival(arrays["x"], arrays["reconstructions"], 50.0)
    assert result.directions == 0 and result.nats < 1e-12 and "no linear latent would add" in result.verdict
    assert result.plot().get_legend() is None and len(
        revival(arrays["x"], arrays["reconstructions"], 1.0).plot().patches
    )
    plt.close("all")


def test_the_escape_is_written(vae, tmp_path):
    arrays, _ = vae
    result = revival(arrays["x"], arrays["reconstructions"], 1.0)
    result.save_escape(tmp_path / "escape.npz")
    with np.load(tmp_path / "escape.npz") as held:
        np.testing.assert_array_equal(held["V"], result.escape.V)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"reconstructions": np.zeros((3, 2))}, "reconstructions have shape"),
        ({"reconstructions": "no.npy"}, "reconstructions: "),
        ({"reconstructions": {"a": 1}}, "reconstructions: the data are a dict"),
        ({"sigma2": 0}, "sigma2 = 0"),
        ({"beta": -1}, "beta = -1"),
        ({"latents": -1}, "latents = -1"),
        ({"reconstructions": np.full((600, 8), np.nan)}, "data - reconstructions"),
    ],
)
def test_bad_input_is_one_line(vae, change, said):
    arrays, _ = vae
    asked = {"data": arrays["x"], "reconstructions": arrays["reconstructions"], "sigma2": 1.0, **change}
    with pytest.raises(InputError, match=rf"^{said}[^\n]*$"):
        revival(**asked)
