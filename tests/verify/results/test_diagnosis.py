"""`diagnose` of Python: every way to give a VAE, the verdict, the escape, the words, what is refused."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest

from tests.verify.results.vaes import optimum, spoiled
from verify import diagnose
from verify.errors import InputError

matplotlib.use("agg")


@pytest.fixture(scope="module")
def vae():
    return spoiled()


@pytest.fixture(scope="module")
def result(vae):
    arrays, _ = vae
    return diagnose(**_named(arrays), sigma2=1.0)


def _named(arrays):
    return {"data" if name == "x" else name: array for name, array in arrays.items()}


def test_two_latents_that_would_pay_are_found(vae, result):
    _, S = vae
    assert result.cause == "training" and result.collapsed.tolist() == [3, 4] and result.k == 4
    above = int((np.linalg.eigvalsh(S) > 1).sum())
    assert result.revival["directions"] == above - 2
    directions = result.revival["theory_nats"] - result.revival["bias_nats"]  # the draws' mean is off by a little
    assert directions == pytest.approx(optimum(S, above) - optimum(S, 2), rel=1e-9)
    assert result.escape.U.shape == (8, above - 2)
    # Twenty draws a datum leave the ELBO of draws a few hundredths of a nat from its mean.
    assert result.elbo == pytest.approx(optimum(S, 2), abs=0.1)
    frame = result.to_frame()
    assert frame["collapsed"].tolist() == [False, False, True, True] and (frame["kl"][2:] == 0).all()


def test_one_that_holds_all_is_no_failure():
    arrays, _ = spoiled(used=4)
    assert diagnose(**_named(arrays), sigma2=1.0).collapsed.tolist() == []


def test_every_way_to_give_it_is_the_same(vae, result, tmp_path):
    arrays, _ = vae
    np.savez(tmp_path / "vae.npz", **arrays)
    given = [
        diagnose(arrays, sigma2=1.0),
        diagnose({**arrays, "epoch": "seven"}, loss="half-mse-sum"),
        diagnose(str(tmp_path / "vae.npz"), sigma2=1.0),
        diagnose(tmp_path / "vae.npz", sigma2=1.0),
        diagnose(**_named({**arrays, "logvar": None}), std=np.exp(arrays["logvar"] / 2), sigma2=0.25, beta=4.0),
    ]
    for one in given:
        assert one.cause == result.cause and one.revival["directions"] == result.revival["directions"]
        np.testing.assert_allclose(one.kl, result.kl, atol=1e-12)  # exp and log undo each other to an ulp
        assert one.sigma2 == pytest.approx(1.0, rel=1e-15)


def test_tensors(vae, result):
    torch = pytest.importorskip("torch")
    tensors = {name: torch.tensor(array, requires_grad=True) for name, array in vae[0].items()}
    assert diagnose(tensors, sigma2=1.0).to_dict() == result.to_dict() | {"read": diagnose(tensors, sigma2=1.0).read}


def test_words_answer_the_four_questions_in_order_and_speak_python(result):
    text = result.summary()
    places = [text.index(f"{i}. ") for i in (1, 2, 3, 4)]
    assert places == sorted(places) and text.startswith("2 of 4 latents have collapsed. It is the training")
    assert "--" not in text and "save_escape" in text
    assert "<DiagnosisResult N=600, n=8, k=4, sigma2=1.0" in repr(result)
    assert "It is the training" in result._repr_html_()


def test_the_escape_is_written_and_only_where_there_is_one(vae, result, tmp_path):
    arrays, _ = vae
    result.save_escape(tmp_path / "escape.npz")
    with np.load(tmp_path / "escape.npz") as held:
        assert set(held.files) == {"U", "V", "D", "b", "center", "encoded_from"}
        assert str(held["encoded_from"]) == "x - f(mu(x))"
        np.testing.assert_array_equal(held["U"], result.escape.U)
    without = diagnose(arrays["x"], arrays["mu"], arrays["logvar"], sigma2=1.0)
    assert without.escape is None and without.revival is None
    with pytest.raises(InputError, match="no escape to write"):
        without.save_escape(tmp_path / "none.npz")


def test_what_is_missing_is_said_in_one_line_of_python(vae, tmp_path):
    arrays, _ = vae
    x, mu, logvar = arrays["x"], arrays["mu"], arrays["logvar"]
    np.savez(tmp_path / "no_data.npz", mu=mu, logvar=logvar)
    cases = [
        (lambda: diagnose(x, mu, logvar), "which noise was trained with: either sigma2, or loss as"),
        (lambda: diagnose(x, mu, logvar, sigma2=1, loss="mse-sum"), "which noise"),
        (lambda: diagnose(x, mu, logvar, sigma2=1, kl="mean"), "kl and batch say how a loss was written"),
        (lambda: diagnose(x, mu, logvar, loss="huber"), "loss 'huber'"),
        (lambda: diagnose(x, mu, logvar, sigma2=-1), "sigma2 = -1"),
        (lambda: diagnose(x, sigma2=1), "where are the latents.* give mu and logvar"),
        (lambda: diagnose(x, logvar=logvar, sigma2=1), "logvar without mu"),
        (lambda: diagnose(x, mu, sigma2=1), "one of logvar, var and std"),
        (lambda: diagnose({"mu": mu, "logvar": logvar}, sigma2=1), "call the data x"),
        (lambda: diagnose(x[:10], mu, logvar, sigma2=1), "mu has 600 rows, the data have 10"),
        (lambda: diagnose(x, mu, logvar, reconstructions=mu, sigma2=1), "reconstructions has shape"),
        (lambda: diagnose(x, mu, logvar, samples="no", sigma2=1), "samples"),
        (lambda: diagnose(tmp_path / "no_data.npz", sigma2=1), "no array is known to be the data"),
        (lambda: diagnose("rows.csv", sigma2=1), "where are the latents"),
    ]
    for call, said in cases:
        with pytest.raises(InputError, match=rf"^[^\n]*{said}[^\n]*$") as caught:
            call()
        assert "--" not in str(caught.value)


def test_the_picture_puts_what_is_said_beside_what_is_left(vae, result):
    axes = result.plot()
    heights = [bar.get_height() for bar in axes.patches]
    assert heights[:4] == [*sorted(result.kl[:2], reverse=True), 0, 0]
    assert len(heights) == 4 + result.revival["directions"] and heights[4] == max(heights[4:])
    arrays, _ = vae
    bare = diagnose(arrays["x"], arrays["mu"], arrays["logvar"], sigma2=1.0).plot()
    assert len(bare.patches) == 4
    plt.close("all")


def test_certified_bounds_and_no_word_of_them_without():
    pytest.importorskip("flint")
    arrays, _ = spoiled(N=60, used=0, sigma2=40.0)
    plain, proved = (diagnose(**_named(arrays), sigma2=40.0, certify=certify) for certify in (False, True))
    assert "certified" not in str(plain.to_dict()) and plain.any_decoder["upper"] is None
    assert proved.linear["certified"] == "certified" and proved.linear["retained"] == plain.linear["retained"] == 0
    bounds = proved.any_decoder
    assert bounds["certified"] == {"lower": "certified", "upper": "certified"}
    assert plain.any_decoder["lower"] * (1 - 1e-5) < bounds["lower"] <= plain.any_decoder["lower"] < bounds["upper"]
    assert bounds["upper"] < 40 and "no decoder whatever beats collapse (certified)" in proved.summary()
