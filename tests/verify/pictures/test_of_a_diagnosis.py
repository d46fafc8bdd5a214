"""The axes of a diagnosis: what is drawn is what the document says."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from tests.verify.diagnosis.made_up import holding, outputs_of, spread
from verify.diagnosis.document import Asked, diagnosis
from verify.pictures import elbo_over_noise, kl_beside_linear, second_moments, spectra
from verify.pictures.drawing import blank, drawing

LAM = np.array([9.0, 6.0, 4.0, *[0.9] * 4, 0.4])
DRAW = (elbo_over_noise.draw, kl_beside_linear.draw, second_moments.draw, spectra.draw)


@pytest.fixture(scope="module")
def made():
    x, U = spread(LAM, 500)
    vae = outputs_of(holding(x, U, LAM, [0, 2], 4, 1.0), x)
    return x, U, vae, diagnosis(vae, Asked(1.0)).document


def axes_of(draw, document):
    with drawing():
        figure = blank()
        axes = figure.subplots()
        draw(axes, document)
        figure.canvas.draw()
    return axes


def line(axes, label):
    (found,) = [one for one in axes.get_lines() if one.get_label().startswith(label)]
    return np.asarray(found.get_xdata(), float), np.asarray(found.get_ydata(), float)


def test_the_curve_of_the_linear_vae_is_its_likelihood(made):
    """At each noise: N(m, C) with the kept eigenvalues, at most four, and the noise elsewhere, on average over x."""
    x, U, _, document = made
    for s in (0.3, 1.0, 5.0, 20.0):
        kept = np.array([lam if lam > s and j < 4 else s for j, lam in enumerate(LAM)])
        told = multivariate_normal(x.mean(axis=0), (U * kept) @ U.T).logpdf(x).mean()
        assert elbo_over_noise.linear(document, np.array([s]))[0] == pytest.approx(told, rel=1e-9)


def test_the_curve_of_the_model_is_its_elbo_at_other_noises(made):
    _, _, vae, document = made
    for s in (0.3, 1.0, 5.0):
        again = diagnosis(vae, Asked(s, decoders=False)).document
        assert elbo_over_noise.of_model(document, np.array([s]))[0] == pytest.approx(again["elbo"], rel=1e-10)


def test_the_points_of_the_model_are_where_it_is_and_where_its_errors_ask(made):
    *_, document = made
    axes = axes_of(elbo_over_noise.draw, document)
    at, value = line(axes, "your model")
    assert at[0] == 1.0 and value[0] == pytest.approx(document["elbo"])
    at, value = line(axes, "the same")
    assert at[0] == document["tuned_sigma2"] and value[0] == pytest.approx(document["elbo"] + document["tuning_gain"])
    low, high = axes.get_ylim()
    assert low < document["elbo"] < high


def test_the_linear_latents_say_half_the_log_of_their_ratio(made):
    *_, document = made
    axes = axes_of(kl_beside_linear.draw, document)
    _, drawn = line(axes, "best linear VAE: 3")
    assert drawn == pytest.approx(0.5 * np.log(LAM[:3]))
    assert sorted(bar.get_height() for bar in axes.patches) == pytest.approx(sorted(document["kl"]))
    none = document | {"linear": document["linear"] | {"retained": 0}}
    assert "linear" not in " ".join(t.get_text() for t in axes_of(kl_beside_linear.draw, none).get_legend().get_texts())


def test_both_spectra_and_every_noise_are_drawn(made):
    *_, document = made
    axes = axes_of(spectra.draw, document)
    assert line(axes, "data")[1] == pytest.approx(LAM[:4], rel=1e-9)
    assert line(axes, "what the model misses")[1] == pytest.approx(document["revival"]["leading"])
    assert line(axes, "the noise")[1].tolist() == [1.0, 1.0]
    assert [name for name, *_ in spectra.noises(document)][1:] == [
        "error of the reconstructions", "noise of a linear VAE that learns it", "below it some decoder uses latents"
    ]  # fmt: skip
    low, high = axes.get_ylim()
    assert low < min(noise for _, noise, _, _ in spectra.noises(document)) and high > 9


def test_second_moments_are_dots_of_their_kind(made):
    *_, document = made
    axes = axes_of(second_moments.draw, document)
    at, value = line(axes, "collapsed")
    assert at.tolist() == [3, 4] == document["collapsed"] and value == pytest.approx(document["second_moment"][2:])


@pytest.mark.parametrize("draw", DRAW)
def test_what_is_not_known_is_not_drawn(made, draw):
    *_, document = made
    blind = document | {
        "revival": None, "elbo": None, "tuned_sigma2": None, "any_decoder": None,
        "linear": document["linear"] | {"sigma2_mle": None, "value_mle": None, "standard_errors": [None] * 4},
    }  # fmt: skip
    names = " ".join(str(one.get_label()) for one in axes_of(draw, blind).get_lines())
    assert "your model" not in names and "misses" not in names and "learns" not in names


@pytest.mark.parametrize("draw", DRAW)
def test_one_latent_and_reconstructions_without_error(made, draw):
    x, U, *_ = made
    one = diagnosis(outputs_of(holding(x, U, LAM, [0], 1, 1.0), x), Asked(1.0, decoders=False)).document
    axes_of(draw, one)
    axes_of(draw, one | {"tuned_sigma2": 0.0, "tuning_gain": None})


def test_bounds_that_are_proved_are_drawn_where_they_lie(made):
    *_, document = made
    status = {"lower": "certified", "upper": "certified"}
    proved = document | {"any_decoder": {"lower": 12.34567, "data": 50.0, "upper": 13.58, "certified": status}}
    axes = axes_of(spectra.draw, proved)
    for label, value in (
        ("below it some decoder uses latents (certified): 12.34", 12.34567),
        ("from it on no decoder does (certified): 13.58", 13.58),
    ):
        assert np.all(line(axes, label)[1] == value)
    names = " ".join(str(one.get_label()) for one in axes_of(spectra.draw, document).get_lines())
    assert "below it some decoder uses latents: " in names and "certified" not in names  # control
