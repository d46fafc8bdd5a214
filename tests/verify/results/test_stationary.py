"""`stationary_points` of Python: the points of the definition, their arrays, the words and the picture."""

from itertools import combinations

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest

from reports.analysis.walk import walking
from verify import load, stationary_points
from verify.analysis.stationary import stationary
from verify.errors import InputError
from verify.models import ppca

matplotlib.use("agg")
SPECTRUM = "eigenvalues:6,4,2.5,1.2"


def test_every_set_above_the_noise_is_there_best_first():
    result = stationary_points(SPECTRUM, 2, 2.0)
    sets = [[], *([i] for i in (1, 2, 3)), *map(list, combinations((1, 2, 3), 2))]
    frame = result.to_frame()
    assert sorted(frame["retained"].tolist()) == sorted(sets) and result.count == len(sets)
    assert frame["value"].is_monotonic_decreasing and frame.loc[1, "global"] and frame["escape"].isna()[1]
    assert (frame["escape"][1:] == "column").all() and (frame["rate"][1:] > 0).all()


def test_the_arrays_are_stationary_in_the_coordinates_of_the_data(tmp_path):
    X = np.random.default_rng(0).normal(size=(60, 4)) * [3, 2, 1.5, 1]
    result = stationary_points(X, 2, 1.0)
    S = np.cov(X.T, bias=True)
    arrays = result.arrays()
    for W in arrays["W"]:
        assert np.abs(ppca.gradient(W, 1.0, S)).max() < 1e-9  # rounding of a 4 x 4 eigenproblem, with room
    assert np.abs(ppca.gradient(arrays["W"][0] + 0.1, 1.0, S)).max() > 1e-3  # control
    result.save(tmp_path / "points.npz")
    with np.load(tmp_path / "points.npz") as held:
        assert {name: held[name].shape for name in held.files} == {name: a.shape for name, a in arrays.items()}


@pytest.mark.parametrize("objective", ["ppca", "elbo"])
@pytest.mark.parametrize("sigma2", [0.7, None])
def test_it_is_the_document_of_the_command(objective, sigma2):
    document, _ = stationary(load(SPECTRUM), 3, sigma2=sigma2, objective=objective, walk=walking())
    found = stationary_points(SPECTRUM, 3, sigma2, objective=objective).to_dict()
    assert {name: value for name, value in document.items() if name != "walk"} == found


def test_too_many_to_count_are_searched_for_and_that_is_said():
    lam = "eigenvalues:" + ",".join(f"{1 + i / 1000:.3f}" for i in range(40))
    result = stationary_points(lam, 8, None, top=5)
    assert result.count is None and len(result.points) == 5
    assert "not all were tried" in result.summary() and "at least" in result.verdict


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"sigma2": 1.0, "beta": 4.0}, 'take objective="elbo"'),
        ({"sigma2": None, "beta": 4.0, "objective": "elbo"}, r"fix it with sigma2 .*verify.stability\(..., beta=...\)"),
        ({"sigma2": 1.0, "top": 0}, "top = 0"),
        ({"sigma2": 1.0, "objective": "vae"}, "objective 'vae'"),
        ({"sigma2": -1.0}, "sigma2 = -1"),
    ],
)
def test_bad_input_is_one_line_of_python(asked, said):
    with pytest.raises(InputError, match=rf"^[^\n]*{said}[^\n]*$") as caught:
        stationary_points(SPECTRUM, 2, **asked)
    assert "--" not in str(caught.value)


def test_arrays_that_are_too_large_are_refused_in_python(monkeypatch, tmp_path):
    monkeypatch.setattr("verify.analysis.stationary.MOST_BYTES", 100)
    result = stationary_points(SPECTRUM, 2, 1.0)
    for call in (result.arrays, lambda: result.save(tmp_path / "points.npz")):
        with pytest.raises(InputError, match="list fewer with top"):
            call()
    assert not list(tmp_path.iterdir())


def test_a_tie_that_rounding_leaves_is_said_from_the_document_alone():
    X = np.random.default_rng(0).normal(size=(60, 3))
    lam = load(X).eigenvalues
    result = stationary_points(X, 3, float(lam[1]))
    assert "cannot be told from lam_2" in result.verdict and "1 or 2 of 3 latents are retained" in result.verdict
    assert "cannot be told" not in stationary_points(X, 3, 1.01 * float(lam[1])).verdict  # control


def test_the_picture_shows_each_point_once():
    result = stationary_points(SPECTRUM, 2, 1.0, objective="elbo")
    axes = result.plot()
    assert sum(len(line.get_xdata()) for line in axes.lines) == len(result.points)
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["maximum: 1", "saddle: 10", "saddle, columns not orthogonal: 10"]
    plt.close("all")


def test_frames_say_whether_a_point_is_certified_only_where_that_was_asked():
    pytest.importorskip("pandas")
    plain, proved = (stationary_points("iris", 2, 0.1, certify=c) for c in (False, True))
    assert not {"certified", "why"} & set(plain.to_frame())
    assert set(proved.to_frame()["certified"]) == {"certified"} and proved.to_frame()["why"].isna().all()
