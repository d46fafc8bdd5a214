"""`stability` and `recommended_noise` of Python: the command's document, whatever the data come as."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest

from verify import load, recommended_noise, stability
from verify.analysis.stability import stability as document_of
from verify.errors import InputError

matplotlib.use("agg")
SPECTRUM = "eigenvalues:6,4,2.5,1.2"


def rows(seed=0):
    return np.random.default_rng(seed).normal(size=(200, 4)) * [3, 2, 1, 0.5]


def test_it_is_the_document_of_the_command():
    document = stability(SPECTRUM, 3, [1, 3]).to_dict()
    assert document == document_of(load(SPECTRUM), 3, [1, 3])
    assert [row["retained"] for row in document["noise"]] == [3, 2]


@pytest.mark.parametrize("sigma2", [2, 2.0, np.float64(2), [2], (2,), np.array([2.0])])
def test_one_noise_or_several(sigma2):
    result = stability(SPECTRUM, 3, sigma2)
    assert [row["sigma2"] for row in result.noise] == [2] and len(stability(SPECTRUM, 3).noise) > 20


def test_data_and_their_covariance_say_the_same():
    X = rows()
    pandas = pytest.importorskip("pandas")
    given = [X, X.tolist(), load(X), pandas.DataFrame(X)]
    values = [stability(one, 2, 1.0).eigenvalues for one in given]
    lam = np.linalg.eigvalsh(np.cov(X.T, bias=True))[::-1]
    for found in values:
        np.testing.assert_allclose(found, lam, rtol=1e-12)  # some ulps of a 4 x 4 eigenproblem
    standardized = stability(X, 2, 1.0, standardize=True).eigenvalues
    assert standardized.sum() == pytest.approx(4, rel=1e-12)
    with pytest.raises(InputError, match="standardize: a covariance is given"):
        stability(load(X), 2, 1.0, standardize=True)


def test_the_recommended_noise_is_that_of_the_document():
    for k in (1, 2, 3):
        assert recommended_noise(SPECTRUM, k) == stability(SPECTRUM, k).recommended_sigma2
    assert recommended_noise(SPECTRUM, 2) == pytest.approx((2.5 + 1.2) / 2)
    assert recommended_noise("eigenvalues:3,2,0", 3) is None
    for k, beta in ((0, 1.0), (9, 1.0), (2, -1.0)):
        with pytest.raises(InputError):
            recommended_noise(SPECTRUM, k, beta=beta)


@pytest.mark.parametrize(
    ("k", "sigma2", "said"),
    [
        (0, 1, "k = 0"),
        (2, -1, "sigma2 = -1"),
        (2, "x", "sigma2 = 'x'"),
        (2, True, "sigma2 = True"),
        (1.5, 1, "k = 1.5"),
    ],
)
def test_bad_input_is_one_line_of_python(k, sigma2, said):
    with pytest.raises(InputError, match=rf"^{said}[^\n]*$") as caught:
        stability(SPECTRUM, k, sigma2)
    assert "--" not in str(caught.value)


def test_words_speak_of_keywords():
    X = rows()
    X[:, 3] = 1e3 * X[:, 3]
    notes = " ".join(stability(X, 2, 1.0).notes)
    assert "standardize=True" in notes and "--" not in notes


def test_a_file_is_told_of_in_python_as_well(tmp_path):
    path = tmp_path / "holes.csv"
    path.write_text("a,b\n1,2\n,3\n4,5\n")
    with pytest.raises(InputError, match='missing="drop"') as caught:
        stability(str(path), 1)
    assert "--" not in str(caught.value)


def test_the_picture_is_the_staircase():
    axes = stability(SPECTRUM, 3, [1, 3]).plot()
    heights = {tuple(line.get_ydata()) for line in axes.lines}
    assert (0, 1, 2, 3, 3) in heights and (3, 2) in heights
    assert axes.get_xlabel() == "noise σ²"
    assert stability(rows(), 2, [1.0, 2.0], beta=4.0).plot().get_xlabel() == "noise σ² (β = 4)"
    plt.close("all")


def test_the_frame_of_the_thresholds_has_a_row_for_each_latent():
    pytest.importorskip("pandas")
    result = stability(SPECTRUM, 3, [1, 3], beta=2.0)
    frame = result.to_frame("thresholds")
    assert frame.index.name == "latent" and frame.index.tolist() == [1, 2, 3]
    assert frame["sigma2"].tolist() == [3, 2, 1.25] and frame["eigenvalue"].tolist() == [6, 4, 2.5]
    assert list(frame) == ["eigenvalue", "sigma2", "standard_error"] and frame["standard_error"].isna().all()
    assert (stability(rows(), 2).to_frame("thresholds")["standard_error"] > 0).all()
    assert result.to_frame().equals(result.to_frame("noise")) and len(result.to_frame()) == 2
    with pytest.raises(InputError, match=r"^rows = 'latents': give 'noise' or 'thresholds'$"):
        result.to_frame("latents")


def test_frames_have_what_is_proved_only_where_that_was_asked():
    pytest.importorskip("pandas")
    plain, proved = (stability("iris", 2, [1.0, 0.1], certify=c) for c in (False, True))
    assert not {"why", "value_radius"} & set(plain.to_frame()) and "radius" not in plain.to_frame("thresholds")
    frame = proved.to_frame()
    assert list(frame["certified"]) == ["certified"] * 2 and frame["why"].isna().all()
    assert (frame["value_radius"] > 0).all() and (proved.to_frame("thresholds")["radius"] < 1e-9).all()
    assert proved.subject != stability(rows(), 2, 1.0, certify=True).subject  # of other data
    assert proved.subject == stability(load("iris"), 2, 1.0, certify=True).subject
