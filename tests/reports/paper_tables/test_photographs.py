"""Tables 3 and 5 on photographs: a folder of JPEGs, patches, a stack in a file; and on which rows each word is used."""

import json

import numpy as np
import pytest
from PIL import Image

from reports.cli import main
from reports.paper_figures.setting import setting_of
from reports.paper_tables.presets import dataset_of, trainings
from reports.paper_tables.text import doubts
from tests.reports.schemas import check
from tests.reports.training.test_train import interrupting
from verify.data import load_rows
from verify.errors import InputError

SMALL = ("-k", "3", "--channels", "2", "2", "4", "--epochs", "3", "--seeds", "1")


def photographs(folder, count=6):
    """JPEGs of smooth coloured shapes, 178 x 218 as CelebA's: a disc on a ground that changes from corner to corner."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:218, 0:178]
    for number in range(count):
        corners, colour = rng.uniform(20, 235, (2, 3)), rng.uniform(0, 255, 3)
        across = ((x + y) / (x + y).max())[..., None]
        row, column, radius = rng.uniform(60, 150), rng.uniform(50, 130), rng.uniform(20, 50)
        disc = 1 / (1 + np.exp((np.hypot(y - row, x - column) - radius) / 3))[..., None]
        pixels = (1 - disc) * ((1 - across) * corners[0] + across * corners[1]) + disc * colour
        Image.fromarray(pixels.round().astype(np.uint8)).save(folder / f"{number:06}.jpg", quality=95)
    return folder


def tables(*words):
    return main(["tables", *words])


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Tables 3 and 5 of a folder of photographs: interrupted once, and gone on with."""
    folder = tmp_path_factory.mktemp("celeba")
    faces, out = photographs(folder / "faces"), folder / "out"
    argv = ("3", "5", "--data", f"celeba:{faces}", *SMALL, "--out", str(out), "--quiet")
    with pytest.MonkeyPatch.context() as patch, interrupting(patch, after=4):
        assert tables(*argv) == 130
    assert not (out / "tables.json").exists()
    assert tables(*argv) == 0
    return faces, out, check("tables", json.loads((out / "tables.json").read_text()))


def test_every_row_is_trained_on_the_photographs(made):
    faces, _, document = made
    logit, pixels = document["trainings"]
    for training, preprocessing in ((logit, "logit"), (pixels, "none")):
        assert (training["dataset"], training["preprocessing"], training["kind"]) == ("celeba64", preprocessing, "conv")
        assert training["hidden"] == [2, 2, 4] and training["models"] == 20 and training["frozen"] == 0
        assert (training["data"]["N"], training["data"]["n"]) == (6, 12288)
    assert [row["table"] for row in document["rows"]] == [3] * 20 + [5] * 20
    assert all(row["trials"] == 1 and row["retained"]["of"] == 3 for row in document["rows"])
    X = load_rows(f"celeba:{faces}", logit=0.05).array()
    lam = np.linalg.svd(X - X.mean(axis=0), compute_uv=False) ** 2 / 6
    fixed = [row for row in document["rows"][:20] if row["noise"] == "fixed"]
    assert [row["retained"]["linear"] for row in fixed] == [min(3, sum(lam > row["init_sigma2"])) for row in fixed]


def test_interrupted_and_gone_on_with_it_is_the_same(made, tmp_path):
    faces, out, document = made
    assert tables("3", "5", "--data", f"celeba:{faces}", *SMALL, "--out", str(tmp_path / "whole"), "--quiet") == 0
    whole = json.loads((tmp_path / "whole" / "tables.json").read_text())
    assert {name: whole[name] for name in whole if name != "provenance"} == {
        name: document[name] for name in document if name != "provenance"
    }
    for name in ("tables.csv", "tables-1.svg", "tables-1.png", "tables-2.svg", "tables-2.png"):
        assert (out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_the_page_shows_both_tables(made):
    page = (made[1] / "index.html").read_text()
    assert "Table 3: celeba64, logit transform" in page and "Table 5: celeba64, no transform" in page
    assert page.count("<svg") == 2


def test_trainings_that_have_not_ended_are_counted(made):
    """Three steps are no training; the page says so."""
    _, out, document = made
    page = (out / "index.html").read_text()
    for training in document["trainings"]:
        assert 0 < training["unfinished"] <= 20
        assert f"{training['unfinished']} of 20 models have not come to their end" in page
        assert not [said for said in doubts({**training, "unfinished": 0}) if "come to their end" in said]
    assert len([note for note in document["notes"] if "have not come to their end" in note]) == 2


def test_so_few_photographs_are_not_the_papers_data(made):
    for training in made[2]["trainings"]:
        assert "6 photographs, not CelebA's 202599" in training["deviations"]
        assert "6 photographs, not CelebA's 202599" in training["incomparable"]
    assert all(cell["difference"] is None for row in made[2]["rows"] for cell in row["cells"].values())


@pytest.fixture
def stacks(tmp_path):
    """Files: images in colour, the same with channels first, grey ones, and a table as wide as photographs."""
    rng = np.random.default_rng(0)
    colour = rng.integers(0, 256, (5, 64, 64, 3), dtype=np.uint8)
    for name, array in {
        "colour": colour,
        "first": np.moveaxis(colour, -1, 1),
        "grey": colour[..., 0],
        "flat": colour.reshape(5, -1),
    }.items():
        np.save(tmp_path / f"{name}.npy", array)
    np.savez(tmp_path / "several.npz", colour=colour, grey=colour[..., 0])
    return tmp_path


def test_images_in_colour_stand_for_celeba(stacks):
    found = {name: dataset_of(f"{stacks}/{name}") for name in ("colour.npy", "first.npy", "grey.npy", "flat.npy")}
    assert found == {"colour.npy": "celeba64", "first.npy": "celeba64", "grey.npy": "mnist", "flat.npy": "mnist"}
    assert [dataset_of(f"{stacks}/several.npz:{name}") for name in ("colour", "grey")] == ["celeba64", "mnist"]
    assert [dataset_of(word) for word in ("celeba:x", "patches", "patches:9")] == ["celeba64"] * 3
    assert [dataset_of(word) for word in ("digits", "mnist:9", "no-such-file.npy", "iris")] == ["mnist"] * 4
    words = setting_of("quick", [f"{stacks}/grey.npy", f"{stacks}/colour.npy"]).words
    assert words == {"mnist": f"{stacks}/grey.npy", "celeba64": f"{stacks}/colour.npy"}


def test_a_stack_is_trained_on(stacks, capsys):
    argv = ("3", "--data", f"{stacks}/colour.npy", *SMALL, "--epochs", "1", "--out", str(stacks / "out"), "--json")
    assert tables(*argv) == 0
    [training] = json.loads(capsys.readouterr().out)["trainings"]
    assert training["data"]["N"] == 5 and f"trained on {stacks}/colour.npy" in training["incomparable"]


def test_channels_that_come_first_are_refused_before_anything_is_trained(stacks, capsys):
    argv = ("1", "--hidden", "2", "--data", "digits", f"{stacks}/first.npy", *SMALL, "--out", str(stacks / "out"))
    assert tables(*argv, "--quiet") == 2
    told = capsys.readouterr().err
    assert "channels first" in told and "moveaxis" in told and told.count("\n") == 1
    assert not (stacks / "out" / "checkpoints").exists()


def test_widths_and_data_are_refused_where_no_row_uses_them():
    for tables_, options, said in (
        ([3], {"hidden": (4,)}, "--hidden: is for MNIST's rows"),
        ([2], {"channels": (4, 4)}, "--channels: is for CelebA's rows"),
        ([2], {"data": ["patches:9"]}, "--data patches:9: is for CelebA's rows"),
        ([3], {"data": ["mnist:99"]}, "--data mnist:99: is for MNIST's rows"),
    ):
        with pytest.raises(InputError, match=said):
            trainings(tables_, "quick", **options)
    both, _, _ = trainings([1], "quick", hidden=(4,), channels=(2, 8))
    assert {t.dataset: t.sizes.hidden for t in both} == {"mnist": (4,), "celeba64": (2, 8)}
