"""Bars of a diagnosis: each latent once, each direction with the nats that it would add, numbers below them."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from verify.pictures import said_and_unsaid
from verify.pictures.said_and_unsaid import alone, draw

DOCUMENT = {
    "kl": [0.0, 2.0, 0.001, 3.0],
    "collapsed": [1, 3],
    "sigma2": 2.0,
    "revival": {"eigenvalues": [8.0, 4.0]},
}


@pytest.fixture
def axes():
    return Figure().subplots()


def labels(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_latents_then_directions(axes):
    draw(axes, DOCUMENT)
    heights = [bar.get_height() for bar in axes.patches]
    nats = [0.5 * (r - 1 - np.log(r)) for r in (4, 2)]
    np.testing.assert_allclose(heights, [3, 2, 0.001, 0, *nats], rtol=1e-14)  # a difference of numbers near 1
    middles = [round(bar.get_x() + bar.get_width() / 2) for bar in axes.patches]
    assert middles == [1, 2, 3, 4, 6, 7]
    assert labels(axes)[:2] == ["KL of a latent in use: 2", "KL of a collapsed latent: 2"]
    assert "σ² = 2 would add: 2" in labels(axes)[2]
    places = dict(zip(axes.xaxis.get_majorticklocs(), axes.xaxis.get_major_formatter().seq, strict=True))
    assert all(str(int(place if place <= 4 else place - 5)) == text for place, text in places.items())


def test_without_a_residual_there_are_latents_alone(axes):
    for revival in (None, {"eigenvalues": []}):
        draw(axes, {**DOCUMENT, "revival": revival})
        assert len(axes.patches) == 4
        axes.clear()


def test_many_directions_are_cut_off_and_that_is_said(axes, monkeypatch):
    monkeypatch.setattr(said_and_unsaid, "MOST", 3)
    alone(axes, [9.0, 8.0, 7.0, 6.0, 5.0], 1.0)
    assert len(axes.patches) == 3 and labels(axes)[0].endswith("would add: 5, the first 3 drawn")
    axes.clear()
    alone(axes, [], 1.0)
    assert axes.get_legend() is None and not axes.patches
