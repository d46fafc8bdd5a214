"""The page of train: what stands on it, what it draws, and what it leaves out where there is nothing."""

import json

import numpy as np
import pytest
from matplotlib.figure import Figure

from reports.cli import main
from reports.training import figure, latents, page
from reports.training.groups import groups, spread
from reports.training.text import headline, verdict
from reports.training.verdicts import verdicts
from reports.training.write import FILES
from tests.reports.schemas import check
from verify.pictures.palette import PALETTE

SMALL = ["--arch", "mlp", "--hidden", "6", "-k", "3", "--epochs", "2", "--quiet"]


@pytest.fixture(scope="module")
def grey(tmp_path_factory):
    """Images of grey levels (40, 4, 4)."""
    path = tmp_path_factory.mktemp("grey") / "grey.npy"
    rng = np.random.default_rng(0)
    np.save(path, rng.integers(0, 256, (40, 4, 4)).astype(np.uint8))
    return path


@pytest.fixture(scope="module")
def made(grey, tmp_path_factory):
    out = tmp_path_factory.mktemp("train")
    noises = ["--sigma2", "0.5", "50", "--learned-noise", "1", "--seeds", "2"]
    assert main(["train", str(grey), "--logit", "0.01", *noises, *SMALL, "--out", str(out)]) == 0
    document = check("train", json.loads((out / "train.json").read_text()))
    with np.load(out / "train.npz") as courses, np.load(out / "reconstructions.npz") as again:
        return out, document, dict(courses), dict(again)


def test_every_file_is_there_and_the_page_holds_every_picture(made):
    out, document, _, again = made
    assert {*FILES} <= {p.name for p in out.iterdir()}
    text = (out / "index.html").read_text()
    for name in ("train", "train-collapse", "train-latents", "train-noise", "train-reconstructions"):
        assert f'class="{name}"' in text
    assert "image-rendering:pixelated" in text and "data:image/png;base64" in text
    assert all(f"row {n}" in text or f"{n}," in text or f", {n}" in text for n in again["rows"])
    assert document["provenance"]["command"].split()[1] in text


def test_the_page_is_drawn_from_its_files_alone_to_the_byte(made, tmp_path):
    out, document, courses, again = made
    page.write_page(document, courses, again, tmp_path)
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (out / path.name).read_bytes(), path.name


def test_the_page_says_whether_it_is_the_optimum_or_the_training(made):
    """Of each noise the verdict, its numbers and what to change; and nothing of noises without one."""
    out, document, courses, again = made
    found = verdicts(document)
    section = (out / "index.html").read_text().partition('<section id="optimum">')[2].partition("</section>")[0]
    assert [one["where"] for one in found] == ["sigma2 = 0.5", "sigma2 = 50", "learned noise"]
    assert section.count("<tr>") == 4 and section.count("What to change") == sum(bool(one["advice"]) for one in found)
    assert all(f">{one['word']}<" in section for one in found)
    silent = json.loads(json.dumps(document))
    for group in silent["best_per_noise"][1:]:
        group["diagnosis"] = None
    assert page.render(silent, courses, again, out).count('<th scope="row">') == 1
    silent["best_per_noise"][0]["diagnosis"] = None
    assert 'id="optimum"' not in page.render(silent, courses, again, out)


def test_what_the_training_missed_is_doubtful(made):
    """However quiet its curves are."""
    out, document, courses, again = made
    quiet = json.loads(json.dumps(document))
    for model in quiet["models"]:
        model["convergence"]["unfinished"] = []
    for verdict_, kind in (("training", "bad"), ("noise", "good")):
        for group in quiet["best_per_noise"]:
            group["diagnosis"] |= {"verdict": verdict_, "unfinished": False}
        assert f'<p class="verdict {kind}">' in page.render(quiet, courses, again, out)


def test_reconstructions_are_those_of_the_best_models(made):
    _, document, _, again = made
    assert again["models"].tolist() == [group["best"] for group in document["best_per_noise"]]
    assert again["reconstructions"].shape == (3, 8, 4, 4, 1) and again["originals"].dtype == np.uint8
    expected = [np.sqrt(((a.astype(float) - again["originals"]) ** 2).mean()) for a in again["reconstructions"]]
    np.testing.assert_allclose(page.errors(again), expected, rtol=1e-12)
    assert page.errors({**again, "reconstructions": again["originals"][None]}) == [0]


def test_data_that_are_no_images_and_noises_that_are_fixed_have_fewer_pictures(tmp_path):
    assert main(["train", "wine", "--standardize", "--sigma2", "1", *SMALL, "--out", str(tmp_path)]) == 0
    names = {p.name for p in tmp_path.iterdir()}
    assert "train-collapse.svg" in names
    assert not names & {"reconstructions.npz", "train-noise.svg", "train-reconstructions.svg"}
    text = (tmp_path / "index.html").read_text()
    assert "What the models give back" not in text and 'class="train-noise"' not in text


def test_where_all_models_diverged_the_page_says_so(grey, tmp_path):
    argv = ["train", str(grey), "--sigma2", "1", "--learned-noise", "1", "--learning-rate", "1e30", *SMALL]
    assert main([*argv, "--out", str(tmp_path)]) == 0
    text = (tmp_path / "index.html").read_text()
    assert "No model is left" in text and "<svg" not in text and "Optimum or training?" not in text
    assert not {p.name for p in tmp_path.iterdir()} & {"train-collapse.svg", "train-noise.svg", "reconstructions.npz"}


def test_names_from_outside_are_escaped(grey, tmp_path):
    bad = tmp_path / "<b>&.npy"
    bad.write_bytes(grey.read_bytes())
    assert main(["train", str(bad), "--scale", "255", "--sigma2", "1", *SMALL, "--out", str(tmp_path / "out")]) == 0
    text = (tmp_path / "out" / "index.html").read_text()
    assert "<b>" not in text and "&lt;b&gt;&amp;" in text


def test_the_linear_optimum_has_the_kl_of_its_eigenvalues(made):
    """1/2 log(lam/s) of those above s = beta sigma2; with another beta other ones."""
    _, document, _, _ = made
    model = json.loads(json.dumps(document["models"][0]))
    lam, s = np.array(document["eigenvalues"]), model["evaluation"]["sigma2"]
    model["evaluation"]["linear_retained"] = 2
    np.testing.assert_allclose(latents.linear_kl(document, model), np.log(lam[:2] / s) / 2, rtol=1e-12)
    model["convergence"]["final_beta"] = 0.5
    np.testing.assert_allclose(latents.linear_kl(document, model), np.log(lam[:2] / s / 0.5) / 2, rtol=1e-12)
    model["convergence"]["final_beta"] = 0.0
    assert latents.linear_kl(document, model).size == 0


def frames(document, draw, *given):
    axes = Figure().subplots()
    return axes, draw(axes, document, *given)


def test_curves_are_what_the_document_says(made):
    _, document, courses, _ = made
    best = [g["best"] - 1 for g in document["best_per_noise"]]
    axes, _ = frames(document, latents.collapse)
    drawn = [line.get_ydata() for line in axes.lines if len(line.get_xdata()) == len(document["epsilons"])]
    assert [list(y) for y in drawn] == [document["models"][i]["evaluation"]["collapse_curve"] for i in best]
    axes, _ = frames(document, figure.noises, courses["sigma2"])
    first = axes.lines[0].get_ydata()
    assert first[0] == 1.0 and list(first[1:]) == list(courses["sigma2"][4])
    axes, _ = frames(document, latents.kl_of_latents)
    assert list(axes.lines[0].get_ydata()) == sorted(document["models"][best[0]]["evaluation"]["kl_of_latents"])[::-1]


def test_latents_that_are_all_at_zero_are_drawn_without_a_warning(made):
    _, document, _, _ = made
    dead = json.loads(json.dumps(document))
    for model in dead["models"]:
        model["evaluation"] |= {"kl_of_latents": [0.0] * 3, "linear_retained": 0}
    axes, there = frames(dead, latents.kl_of_latents)
    assert there and 0 < axes.get_ylim()[0] < axes.get_ylim()[1]


def models(noises):
    return {"models": [{"noise": "fixed", "init_sigma2": s, "evaluation": {}} for s in noises]}


def test_every_noise_has_a_colour_of_its_own():
    for count in (2, 6, 7, 20):
        colours = [group.colour for group in groups(models(np.geomspace(0.001, 30, count).tolist())).values()]
        assert len(set(colours)) == count
    assert colours[0] == PALETTE["blue"] and colours[-1] == PALETTE["vermillion"]


def test_a_few_of_many_are_spread_and_end_with_the_last():
    assert spread(range(20), 4) == [0, 6, 13, 19] and spread([1, 2], 8) == [1, 2]


def test_what_is_unfinished_is_said_first(made):
    _, document, _, _ = made

    def told(signs):
        of = json.loads(json.dumps(document))
        for model in of["models"]:
            model["convergence"]["unfinished"] = signs
        return headline(of), verdict(of)[0]

    assert all(said.startswith("Unfinished: ") for said in told(["rising"]))
    assert not any("nfinished" in said for said in told([]))


def test_the_caption_says_what_the_picture_of_courses_leaves_out(made):
    out, document, courses, again = made
    steep = courses | {"elbo": np.array([[-9e5, *[-5.0] * 39]] * len(courses["elbo"]))}
    assert "What lies below −5" in page.render(document, steep, again, out)
    flat = courses | {"elbo": np.full_like(steep["elbo"], -5.0)}
    assert "is not shown" not in page.render(document, flat, again, out)


def test_the_headline_counts_what_is_kept(made):
    _, document, _, _ = made
    said = headline(document)
    kept = [document["models"][g["best"] - 1]["evaluation"]["retained"] for g in document["best_per_noise"]]
    assert f"{kept[0]} at sigma2 = 0.5" in said and f"{kept[2]} at learned noise" in said
    many = {**document, "best_per_noise": document["best_per_noise"] * 2}
    assert headline({**document, "best_per_noise": [{**g, "best": None} for g in many["best_per_noise"]]}) == (
        "No model is left: all diverged."
    )
