"""Figure 12: reconstructions of digits by tiny models; findings that turn; data that cannot be shown."""

import csv
import json

import numpy as np
import pytest

from reports.cli import main
from reports.paper_figures import figure_12, pictures
from reports.paper_figures.declared import dataset_of, figure
from reports.paper_figures.setting import setting_of
from tests.reports.schemas import check

TINY = ["--epochs", "2", "--seeds", "1", "--quiet"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    out = tmp_path_factory.mktemp("pictures")
    assert main(["figures", "12", "13", "--data", "digits", *TINY, "--out", str(out)]) == 0
    return out, check("figures", json.loads((out / "figures.json").read_text()))


def test_what_is_shown_is_in_the_files(made):
    out, document = made
    entry = document["figures"][0]
    with np.load(out / "figure-12.npz") as arrays:
        assert {name: arrays[name].shape for name in arrays} == dict.fromkeys(
            ("originals", "reconstructions"), (8, 8, 8, 1)
        )
        errors = pictures.rms(arrays["originals"], arrays["reconstructions"])
    np.testing.assert_allclose([image["grey_error"] for image in entry["images"][:8]], errors, rtol=1e-12)
    lines = list(csv.DictReader((out / "figure-12.csv").read_text().splitlines()))
    assert len(lines) == 100 and sum(int(line["shown"]) for line in lines) == 8
    assert [int(line["row"]) for line in lines] == [image["row"] for image in entry["images"]]
    assert float(lines[0]["kl_of_model"]) == entry["model"]["evaluation"]["kl"]
    assert entry["model"]["noise"] == "learned" and entry["model"]["anneal"] >= 1
    assert "digits in place of CelebA" in entry["deviations"]
    assert any("model shown is unfinished: of 2 epochs" in note for note in entry["notes"])
    assert [one["holds"] for figure_ in document["figures"] for one in figure_["findings"]] == [None] * 3
    assert "best ELBO of 3 (3 starts):" in entry["caption"]


def test_continued_from_its_checkpoints_it_ends_in_the_same_bytes(made):
    out, _ = made
    before = {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()}
    assert main(["figures", "12", "13", "--data", "digits", *TINY, "--out", str(out)]) == 0
    assert {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()} == before


def test_the_mean_kl_of_images_is_about_that_of_the_model(made):
    """100 of 1797 images: within a quarter."""
    entry = made[1]["figures"][0]
    mean = np.mean([image["kl"] for image in entry["images"]])
    assert mean == pytest.approx(entry["model"]["evaluation"]["kl"], rel=0.25)


def holds(originals, again):
    near = figure_12.compared(originals, again)
    return [one["holds"] for one in figure_12.findings(near, near)]


def test_findings_turn_with_the_reconstructions():
    rng = np.random.default_rng(0)
    originals = rng.integers(0, 256, (20, 4, 4, 1)).astype(np.uint8)
    noisy = np.clip(originals.astype(int) + rng.integers(-9, 10, originals.shape), 0, 255).astype(np.uint8)
    assert holds(originals, noisy) == [True, True]
    # One image for all: the mean is nearer to no image than itself, and only one image is nearest to it.
    mean = np.repeat(originals.mean(axis=0, keepdims=True).round().astype(np.uint8), 20, axis=0)
    assert holds(originals, mean) == [False, False]
    swapped = noisy[np.roll(np.arange(20), 1)]
    assert holds(originals, swapped) == [False, False]
    # So near to each other that reconstructions are mistaken, and yet better than the mean of two kinds.
    kinds = np.concatenate([np.zeros((10, 4, 4, 1)), np.full((10, 4, 4, 1), 200)]).astype(np.uint8)
    kinds[..., 0, 0, 0] = np.arange(20)
    flat = np.repeat(kinds[[0, 10]], 10, axis=0)
    assert holds(kinds, flat) == [False, True]


def test_one_mistake_in_twenty_is_let_pass_and_two_are_not():
    near = {"own": [1.0] * 20, "of_mean": [2.0] * 20, "nearest": [True] * 19 + [False]}
    assert [f["holds"] for f in figure_12.findings(near, near)] == [True, True]
    told = figure_12.findings(near, near, "it moves")
    assert [f["holds"] for f in told] == [None, None] and all("unfinished (it moves)" in f["evidence"] for f in told)
    near["nearest"][0] = False
    near["of_mean"][:2] = [1.0, 1.0]
    assert [f["holds"] for f in figure_12.findings(near, near)] == [False, False]


def test_the_data_are_those_that_the_user_named():
    module = figure(12)
    assert dataset_of(module, setting_of("quick")) == "celeba64"
    assert dataset_of(module, setting_of("quick", ["mnist:1000"])) == "mnist"
    assert dataset_of(module, setting_of("quick", ["mnist:1000", "patches:300"])) == "celeba64"
    assert dataset_of(module, setting_of("paper", ["celeba:photographs"])) == "celeba64"
    assert dataset_of(figure(2), setting_of("quick")) == "mnist"


def left_out(out, *argv):
    assert main(["figures", "12", *argv, *TINY, "--out", str(out)]) == 0
    [entry] = check("figures", json.loads((out / "figures.json").read_text()))["figures"]
    assert {p.name for p in out.iterdir()} <= {"figures.json", "index.html", "checkpoints"}
    return entry["left_out"]


def test_data_that_are_no_images_are_left_out_with_a_sentence(tmp_path):
    np.save(tmp_path / "grey.npy", np.random.default_rng(0).integers(0, 256, (30, 6)))
    assert "holds no images" in left_out(tmp_path / "out", "--data", str(tmp_path / "grey.npy"))
    assert not (tmp_path / "out" / "checkpoints").exists()  # told before anything is trained


def test_models_that_all_diverged_are_left_out_with_a_sentence(tmp_path):
    assert "diverged" in left_out(tmp_path, "--data", "digits", "--learning-rates", "1e30")


def test_without_celeba_it_is_left_out(tmp_path):
    assert "CelebA" in left_out(tmp_path, "--preset", "paper")


def test_a_stack_of_images_in_colour_is_shown(tmp_path):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).integers(0, 256, (10, 6, 5, 3)).astype(np.uint8))
    out = tmp_path / "out"
    assert main(["figures", "12", "13", "--data", str(tmp_path / "x.npy"), *TINY, "--out", str(out)]) == 0
    document = check("figures", json.loads((out / "figures.json").read_text()))
    assert [one["left_out"] for one in document["figures"]] == [None, None]
    with np.load(out / "figure-12.npz") as arrays:
        raw = np.load(tmp_path / "x.npy")
        assert arrays["originals"].shape == (8, 6, 5, 3)
        rows = [image["row"] - 1 for image in document["figures"][0]["images"][:8]]
        assert np.array_equal(arrays["originals"], raw[rows])
