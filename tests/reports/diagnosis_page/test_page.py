"""The page of a diagnosis: drawn from diagnose.json and diagnose.npz alone, whatever is missing in them."""

import json
import re
import shutil

import numpy as np
import pytest

from reports.cli import main
from reports.diagnosis_page import images
from reports.diagnosis_page.page import write_page
from reports.diagnosis_page.write import FILES
from tests.reports.schemas import check
from tests.verify.diagnosis.made_up import holding, spread
from verify.pictures.drawing import blank, drawing
from verify.words.diagnosis import at_most

N = 300
LAM = np.array([9.0, 6.0, 4.0, *[0.9] * 17])
SVG = re.compile(r"<svg .*?</svg>", re.DOTALL)


def vae(shape=(), **changed):
    x, U = spread(LAM, N)
    model, rng = holding(x, U, LAM, [0], 3, 1.0), np.random.default_rng(0)
    mu, logvar = model.encode(x)
    arrays = {"x": x, "reconstructions": model.decode(mu), "samples": model.draw(x, rng)}
    arrays = {name: array.reshape(N, *shape) if shape else array for name, array in arrays.items()}
    return {**arrays, "mu": mu, "logvar": logvar, **changed}


def written(folder, arrays, *more):
    """The folder that --out wrote, and its document."""
    np.savez(folder / "vae.npz", **{name: array for name, array in arrays.items() if array is not None})
    out = folder / "out"
    assert main(["diagnose", str(folder / "vae.npz"), "--sigma2", "1", "--out", str(out), "--quiet", *more]) == 0
    return out, check("diagnose", json.loads((out / "diagnose.json").read_text()))


@pytest.fixture(scope="module")
def of_images(tmp_path_factory):
    return written(tmp_path_factory.mktemp("images"), vae((5, 4)))


@pytest.fixture(scope="module")
def of_table(tmp_path_factory):
    return written(tmp_path_factory.mktemp("table"), vae())


def test_everything_that_is_written_is_named(of_images, of_table):
    for (out, document), apart in ((of_images, set()), (of_table, {"directions", "examples"})):
        there = {path.name for path in out.iterdir()}
        assert there == {name for name in FILES if name.partition(".")[0] not in apart}
        assert (document["portrait"]["kind"] == "table") == bool(apart)


def test_the_page_is_drawn_from_its_document_and_arrays_alone(of_images, tmp_path):
    out, _ = of_images
    for name in ("diagnose.json", "diagnose.npz"):
        shutil.copy(out / name, tmp_path / name)
    with np.load(tmp_path / "diagnose.npz") as arrays:
        write_page(json.loads((tmp_path / "diagnose.json").read_text()), dict(arrays), tmp_path)
    for path in out.iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name


def test_the_page_answers_in_order(of_images):
    out, document = of_images
    page = SVG.sub("", (out / "index.html").read_text())
    places = [page.index(f">{heading}<") for heading in (
        "1. The noise", "2. What has collapsed", "3. Optimum or training", "4. What to change", "To keep in mind"
    )]  # fmt: skip
    assert places == sorted(places) and 'class="verdict bad"' in page
    assert page.index("It is the training, not the optimum") < places[0]
    assert len(re.findall('<td class="change">', page)) == len(document["advice"])
    assert not re.search(r"(?:src|href)=\"(?!#)", page)


def test_names_from_outside_are_escaped(tmp_path):
    x, _ = spread(LAM[:4], N)
    heads = ["<b>a</b>", "b", "c", "d"]
    np.savetxt(tmp_path / "x.csv", x, delimiter=",", header=",".join(heads), comments="", fmt="%.17g")
    zeros = np.zeros((N, 2))
    np.savez(tmp_path / "latents.npz", mu=zeros, logvar=zeros)
    words = ["--latents", str(tmp_path / "latents.npz"), "--sigma2", "1", "--out", str(tmp_path / "out"), "--quiet"]
    assert main(["diagnose", str(tmp_path / "x.csv"), *words]) == 0
    page = (tmp_path / "out" / "index.html").read_text()
    assert "<b>a</b>" not in page and "&lt;b&gt;a&lt;/b&gt;" in page and "Which columns are missed" in page


def test_a_second_run_replaces_its_own_and_nobody_elses(of_table, tmp_path, capsys):
    out, _ = written(tmp_path, vae())
    written(tmp_path, vae())
    capsys.readouterr()
    assert main(["diagnose", str(tmp_path / "vae.npz"), "--sigma2", "2", "--out", str(out)]) == 2
    assert "other --sigma2" in capsys.readouterr().err


@pytest.mark.parametrize("without", [("samples",), ("reconstructions",), ("samples", "reconstructions")])
def test_whatever_is_missing_there_is_a_page(tmp_path, without):
    out, document = written(tmp_path, vae((5, 4)) | dict.fromkeys(without))
    page = (out / "index.html").read_text()
    assert "None" not in SVG.sub("", page) and (document["portrait"] is None) == (len(without) == 2)


def test_all_collapsed_and_nothing_to_gain(tmp_path):
    zeros = np.zeros((N, 3))
    x, _ = spread(LAM, N)
    again = np.tile(x.mean(axis=0), (N, 1)).reshape(N, 5, 4)
    arrays = vae((5, 4), mu=zeros, logvar=zeros, reconstructions=again, samples=again)
    out, document = written(tmp_path, arrays, "--beta", "30")
    assert document["portrait"]["directions"] == [] and not (out / "directions.svg").exists()
    assert "with escape" not in (out / "examples.svg").read_text()


def test_the_portrait_is_what_the_escape_does(of_images):
    """Of the rows that are named: data, the decoder at mu, the rest, and U V (rest - mean) put back."""
    out, document = of_images
    portrait, arrays = document["portrait"], vae()
    with np.load(out / "diagnose.npz") as held:
        rows = np.array(portrait["rows"]) - 1
        x, again = arrays["x"], arrays["reconstructions"]
        e = x - again
        rho, V = np.linalg.eigh(np.cov(e.T, bias=True))
        back = sum((1 - 1 / rho[j]) * np.outer(e[rows] @ V[:, j] - e.mean(0) @ V[:, j], V[:, j]) for j in (-1, -2))
        shift = (x - arrays["samples"]).mean(axis=0)
        np.testing.assert_allclose(held["originals"], x[rows], atol=1e-12)
        np.testing.assert_allclose(held["missed"], e[rows], atol=1e-12)
        np.testing.assert_allclose(held["installed"], again[rows] + shift + back, atol=1e-9)
        assert held["directions"].shape == (2, 20) and portrait["installed"] == 2
        assert abs(held["directions"][0] @ V[:, -1]) == pytest.approx(1, abs=1e-9)


def test_colours_of_signed_values():
    made = images.signed(np.array([[-2.0, 0.0, 2.0, 1.0]]), [2, 2, 1])[0]
    assert made[0, 0].tolist() == [0, 94, 162] and made[0, 1].tolist() == [247, 247, 247]
    assert made[1, 0].tolist() == [188, 80, 0]
    assert images.signed(np.zeros((1, 4)), [2, 2, 1]).min() == 247
    three = images.signed(np.array([[-1.0, 0.0, 1.0]]), [1, 1, 3])[0, 0, 0]
    assert three.tolist() == [0, 128, 255]


def test_values_are_shown_in_the_range_of_the_data():
    display = {"transform": "none", "alpha": None, "low": -1.0, "high": 1.0}
    portrait = {"image": [1, 3, 1], "display": display}
    assert images.shown(np.array([[-1.0, 0.0, 5.0]]), portrait).ravel().tolist() == [0, 128, 255]
    logit = {"image": [1, 1, 1], "display": {"transform": "logit", "alpha": 1e-6, "low": 0.0, "high": 1.0}}
    assert images.shown(np.array([[0.0]]), logit).ravel().tolist() == [128]


def test_a_gallery_has_as_many_pictures_as_its_portrait_says(of_images):
    out, document = of_images
    with np.load(out / "diagnose.npz") as arrays, drawing():
        axes = blank().subplots()
        images.examples(axes, document["portrait"], dict(arrays))
        assert [t.get_text() for t in axes.get_yticklabels()] == ["data", "the model", "missed", "with escape"]
        axes = blank().subplots()
        images.directions(axes, document["portrait"], dict(arrays))
        assert len(axes.get_xticklabels()) == 2


def test_certified_bounds_stand_on_the_page(tmp_path):
    pytest.importorskip("flint")
    x, _ = spread(np.array([9.0, 4.0, 1.0]), 40)
    zeros = np.zeros((40, 2))
    out, document = written(
        tmp_path, {"x": x, "mu": zeros, "logvar": zeros, "reconstructions": x * 0 + x.mean(axis=0)}, "--certify"
    )
    page = (out / "index.html").read_text()
    upper = at_most(document["any_decoder"]["upper"])
    assert f"No decoder whatever beats collapse at a noise of {upper} or more (certified)" in page
    assert "<dt>kept by the best linear VAE (certified)</dt>" in page
    assert re.search(rf"no decoder beats collapse from \(certified\)</dt>\s*<dd>{re.escape(upper)}</dd>", page)
    assert f"from it on no decoder does (certified): {upper}" in page
    plain = json.loads((out / "diagnose.json").read_text())
    del plain["linear"]["certified"], plain["any_decoder"]["certified"]
    plain["any_decoder"]["upper"] = None
    plain["notes"] = [note for note in plain["notes"] if "certified" not in note]
    with np.load(out / "diagnose.npz") as arrays:
        write_page(plain, dict(arrays), tmp_path)
    assert "(certified)" not in (tmp_path / "index.html").read_text()  # control
