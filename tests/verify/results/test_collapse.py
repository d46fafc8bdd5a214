"""`collapse` of Python: arrays, tensors, frames, dictionaries, files, and what is refused."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest

from verify import collapse
from verify.errors import InputError

matplotlib.use("agg")
SCALE = np.array([0.9, 0.0, 0.6])


@pytest.fixture(scope="module")
def encoder():
    """mu, logvar with mean of mu^2 + variance = 1; the second latent collapsed."""
    mu = np.random.default_rng(0).normal(size=(400, 3)) * SCALE
    return mu, np.broadcast_to(np.log(1 - SCALE**2), mu.shape)


def test_kl_and_collapse_are_the_definition(encoder):
    mu, logvar = encoder
    result = collapse(mu, logvar)
    kl = 0.5 * (mu**2 + np.exp(logvar) - 1 - logvar)
    np.testing.assert_allclose(result.kl, kl.mean(axis=0), atol=1e-12)  # sums of 400 numbers near 1
    assert result.collapsed.tolist() == [2] and result.k == 3 and result.N == 400
    frame = result.to_frame()
    assert frame["collapsed"].tolist() == [False, True, False] and frame.loc[2, "kl"] == 0


def test_every_way_to_give_them_is_the_same(encoder, tmp_path):
    pandas = pytest.importorskip("pandas")
    mu, logvar = encoder
    wanted = collapse(mu, logvar).to_dict()
    np.savez(tmp_path / "latents.npz", mu=mu, logvar=logvar)
    np.save(tmp_path / "mu.npy", mu)
    np.save(tmp_path / "logvar.npy", logvar)
    # A frame lies in memory column by column, and sums over rows in another order.
    np.testing.assert_allclose(collapse(pandas.DataFrame(mu), pandas.DataFrame(logvar)).kl, wanted["kl"], atol=1e-12)
    given = [
        collapse({"z_mean": mu, "z_log_var": logvar}),
        collapse(tmp_path / "latents.npz"),
        collapse(str(tmp_path / "latents.npz")),
        collapse([tmp_path / "mu.npy", tmp_path / "logvar.npy"]),
    ]
    assert [one.to_dict() for one in given] == [wanted] * len(given)
    for converted in (collapse(mu, var=np.exp(logvar)), collapse(mu, std=np.exp(logvar / 2))):
        np.testing.assert_allclose(converted.kl, wanted["kl"], atol=1e-12)  # log(exp(x)) to an ulp
        assert converted.notes == wanted["notes"]
    assert "by its name" in collapse({"mu": mu, "std": np.exp(logvar / 2)}).notes[0]


def test_tensors(encoder):
    torch = pytest.importorskip("torch")
    mu, logvar = (torch.tensor(one.copy(), requires_grad=True) for one in encoder)
    assert collapse(mu, logvar).to_dict() == collapse(*encoder).to_dict()


@pytest.mark.parametrize("epsilon", [0.5, [0.5], np.array([0.5])])
def test_one_epsilon_or_several(encoder, epsilon):
    assert [row["epsilon"] for row in collapse(*encoder, epsilon=epsilon).curve] == [0.5]


def test_what_is_not_understood_is_refused_in_one_line(encoder, tmp_path):
    mu, logvar = encoder
    cases = [
        (lambda: collapse(mu), "one of logvar, var and std are needed, each .N, k.; none is given"),
        (lambda: collapse(mu, logvar, std=mu), "logvar, std are given"),
        (lambda: collapse({"mu": mu}), "no array logvar"),
        (lambda: collapse({"mu": mu, "logvar": logvar}, std=mu), "leave out std"),
        (lambda: collapse(tmp_path / "no.npz"), "no such file"),
        (lambda: collapse(mu, logvar[:, :2]), "both must be"),
        (lambda: collapse(mu, std=logvar), "std is .* a standard deviation is positive"),
        (lambda: collapse(mu.tolist(), {"a": 1}), "logvar: the data are a dict"),
        (lambda: collapse(mu, logvar, delta=1), "delta = 1"),
        (lambda: collapse(mu, logvar, epsilon="x"), "epsilon = 'x': not a number"),
        (lambda: collapse(mu[..., None], logvar[..., None]), "reshape"),
        (lambda: collapse(np.where(mu > 2, np.nan, mu), logvar), "mu is NaN at row"),
    ]
    for call, said in cases:
        with pytest.raises(InputError, match=rf"^[^\n]*{said}[^\n]*$") as caught:
            call()
        assert "--" not in str(caught.value)


def test_the_picture_is_sorted_and_tells_the_collapsed(encoder):
    axes = collapse(*encoder).plot()
    heights = [bar.get_height() for bar in axes.patches]
    assert heights == sorted(heights, reverse=True) and heights[-1] == 0 and axes.get_yscale() == "linear"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["in use: 2", "collapsed: 1"]
    mu, logvar = encoder
    slightly = np.where(SCALE == 0, -1e-4, logvar)
    assert collapse(mu, slightly).plot().get_yscale() == "log"
    plt.close("all")
