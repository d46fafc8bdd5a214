"""elbo-verify train: its document, its files, latents that collapse reads, interruption, and what bad input gets."""

import csv
import json
import os
import signal
from contextlib import contextmanager

import numpy as np
import pytest
from matplotlib.figure import Figure

from gpu import device
from reports.cli import main
from reports.terminal.console import Session
from reports.training.figure import courses
from reports.training.models import seeds_of
from tests.reports.schemas import check
from verify.data import load_rows
from verify.errors import InputError


@pytest.fixture
def grey(tmp_path):
    """A file of grey values 0..255 (60, 6) that vary in two directions most."""
    rng = np.random.default_rng(0)
    X = 128 + rng.normal(size=(60, 2)) @ rng.normal(size=(2, 6)) * 40 + rng.normal(size=(60, 6)) * 5
    np.save(tmp_path / "grey.npy", np.clip(np.round(X), 0, 255))
    return str(tmp_path / "grey.npy")


def words(data, *more):
    small = ["--arch", "mlp", "--hidden", "8", "-k", "3", "--epochs", "6", "--batch", "10"]
    return ["train", data, "--logit", "0.01", *small, *more]


NOISES = ("--sigma2", "0.1", "1000", "--learned-noise", "0.5")


def document_of(capsys, *argv):
    assert main([*argv, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_document_holds_every_model_in_order(grey, capsys):
    document = check(
        "train", document_of(capsys, *words(grey, *NOISES, "--seeds", "2", "--learning-rate", "0.01", "0.02"))
    )
    found = [(m["noise"], m["init_sigma2"], m["learning_rate"], m["seed"]) for m in document["models"]]
    noises = [("fixed", 0.1), ("fixed", 1000.0), ("learned", 0.5)]
    assert found == [(*noise, rate, seed) for noise in noises for rate in (0.01, 0.02) for seed in (0, 1)]


def test_models_of_different_fixed_noises_are_not_ranked(grey, capsys):
    """Each noise has its best; those that learn it are compared, wherever they started."""
    argv = words(grey, "--sigma2", "0.1", "1000", "--learned-noise", "0.5", "2", "--seeds", "2")
    document = check("train", document_of(capsys, *argv))
    elbos = [m["evaluation"]["elbo"] for m in document["models"]]
    found = {(b["noise"], b["sigma2"]): (b["models"], b["best"]) for b in document["best_per_noise"]}
    assert document["best"] is None
    assert found == {
        ("fixed", 0.1): (2, 1 + int(np.argmax(elbos[:2]))),
        ("fixed", 1000.0): (2, 3 + int(np.argmax(elbos[2:4]))),
        ("learned", None): (4, 5 + int(np.argmax(elbos[4:]))),
    }
    for options in (["--sigma2", "1"], ["--learned-noise", "0.5", "2"]):
        document = check("train", document_of(capsys, *words(grey, *options, "--seeds", "3")))
        elbos = [m["evaluation"]["elbo"] for m in document["models"]]
        assert document["best"] == document["best_per_noise"][0]["best"] == 1 + int(np.argmax(elbos))


def test_evaluations_agree_with_the_definitions(grey, capsys):
    """Theory 5.1 and 5.2, and the eigenvalues of the very data: lam > sigma2, counted."""
    document = document_of(capsys, *words(grey, *NOISES))
    X, n, k = load_rows(grey, logit=0.01).array(), 6, 3
    lam = np.linalg.eigvalsh(np.cov(X.T, bias=True))
    J = document["data"]["mean_log_jacobian"] + document["data"]["log_scale_jacobian"]
    for m in document["models"]:
        e = m["evaluation"]
        tuned = -e["kl"] - n / 2 * (1 + np.log(2 * np.pi * e["tuned_sigma2"]))
        error = n * e["tuned_sigma2"]
        plain = -e["kl"] - n / 2 * np.log(2 * np.pi * e["sigma2"]) - error / (2 * e["sigma2"])
        np.testing.assert_allclose([e["tuned_elbo"], e["elbo"]], [tuned, plain], rtol=1e-12)
        np.testing.assert_allclose(e["elbo_raw_scale"] - e["elbo"], J, rtol=1e-9)
        assert e["linear_retained"] == min(k, sum(lam > e["sigma2"]))
    kept = {m["evaluation"]["linear_retained"] for m in document["models"]}
    assert 0 in kept and len(kept) > 1  # the prediction depends on the noise


def test_files_hold_what_the_document_says(grey, capsys, tmp_path):
    out = tmp_path / "new" / "out"
    document = document_of(capsys, *words(grey, *NOISES, "--out", str(out)))
    assert json.loads((out / "train.json").read_text()) == document
    with (out / "train.csv").open() as file:
        lines = list(csv.DictReader(file))
    for line, m in zip(lines, document["models"], strict=True):
        assert float(line["elbo"]) == m["evaluation"]["elbo"] and line["noise"] == m["noise"]
        assert line["frozen"] == ""
    with np.load(out / "train.npz", allow_pickle=False) as courses:
        assert {name: courses[name].shape for name in courses} == dict.fromkeys(
            ("error", "kl", "sigma2", "elbo"), (3, 6)
        )
        assert set(courses["sigma2"][0]) == {0.1}
        assert len(set(courses["sigma2"][2])) == 6  # the learned one moves
        elbo = courses["elbo"]
    with (out / "courses.csv").open() as file:
        steps = list(csv.DictReader(file))
    assert [(int(s["model"]), int(s["epoch"])) for s in steps] == [(m, e) for m in (1, 2, 3) for e in range(1, 7)]
    assert [float(s["elbo"]) for s in steps] == elbo.ravel().tolist()
    assert (out / "train.png").read_bytes().startswith(b"\x89PNG")
    assert "learned noise" in (out / "train.svg").read_text()


def test_saved_latents_collapse_as_evaluated(grey, capsys, tmp_path):
    save, out = str(tmp_path / "latents.npz"), str(tmp_path / "out")
    document = document_of(
        capsys, *words(grey, "--sigma2", "1000", "--out", out, "--save-latents", save, "--epochs", "80")
    )
    found = document_of(capsys, "collapse", save, "--epsilon", *map(str, document["epsilons"]))
    e = document["models"][document["best"] - 1]["evaluation"]
    assert [row["collapsed_percent"] for row in found["curve"]] == e["collapse_curve"]
    np.testing.assert_allclose(found["kl"], e["kl_of_latents"], rtol=1e-5, atol=1e-7)  # float32 sums
    assert len(set(e["collapse_curve"])) > 1


def test_people_see_a_table_and_the_scale(grey, capsys):
    assert main(words(grey, *NOISES)) == 0
    out = capsys.readouterr().out
    assert "learned 0.5" in out and "on the scale of the raw values" in " ".join(out.split())
    assert "Unfinished: the model at sigma2 = 0.1 (number 1) reaches" in out and "are not ranked" in out
    assert "ELBO on the way" in out and "epoch 1" in out and "epoch 6" in out
    assert main(words(grey, "--sigma2", "1", "--seeds", "2")) == 0
    out = capsys.readouterr().out
    assert "he best of 2 models at sigma2 = 1 (number" in out and "are not ranked" not in out
    assert out.count("*") == 2 and "*: the best model of its noise" in " ".join(out.split())
    assert main(words(grey, "--sigma2", *map(str, range(1, 10)), "--epochs", "1", "--seeds", "2")) == 0
    out = capsys.readouterr().out
    assert out.count("he best of 2 models") == 6 and "Of the other 3 noises the table marks" in " ".join(out.split())
    assert max(map(len, out.splitlines())) <= 100


def test_the_best_model_of_each_noise_is_diagnosed(grey, capsys):
    """In the document and in a line; the number that a verdict tells is not told again."""
    argv = ["train", grey, "--logit", "0.01", "--arch", "linear", "-k", "3", "--seeds", "2", "--epochs", "3", *NOISES]
    document = check("train", document_of(capsys, *argv))
    assert [group["diagnosis"]["model"] for group in document["best_per_noise"]] == [
        group["best"] for group in document["best_per_noise"]
    ]
    assert main(argv) == 0
    told = capsys.readouterr()
    said = " ".join(told.out.split())
    assert "Optimum or training?" in told.out
    for group in document["best_per_noise"]:
        found, model = group["diagnosis"], document["models"][group["best"] - 1]
        assert found["unfinished"] and found["headline"][1:] in said
        assert found["below_linear"] == ("below linear" in model["convergence"]["unfinished"])
    assert document["best_per_noise"][0]["diagnosis"]["verdict"] == "training"
    assert "linear VAE of the same size is" in said
    # That of the learned noise is to the best of all noises, which the verdict does not tell.
    assert said.count("nats per datum below it") == 1


def test_a_fixed_noise_is_printed_as_it_was_given(grey, capsys, tmp_path):
    """With all its digits, in table, CSV and JSON, not as float32 has it; and told from its neighbour."""
    noises = ["0.1", "0.123456789", "0.1234567891"]
    argv = words(grey, "--sigma2", *noises, "--out", str(tmp_path / "out"))
    assert main([*argv, "--save-latents", str(tmp_path / "l.npz")]) == 2
    assert "3 noises (0.1, 0.123456789, 0.1234567891)" in capsys.readouterr().err
    assert main(argv) == 0
    out = capsys.readouterr().out
    assert all(out.count(f" {noise} ") >= 3 for noise in noises)
    models = json.loads((tmp_path / "out" / "train.json").read_text())["models"]
    assert [m["evaluation"]["sigma2"] for m in models] == [m["init_sigma2"] for m in models] == list(map(float, noises))
    with (tmp_path / "out" / "train.csv").open() as file:
        assert [line["sigma2"] for line in csv.DictReader(file)] == noises


def test_a_model_that_diverges_is_said_and_the_others_stand(grey, capsys):
    argv = words(grey, "--sigma2", "1", "--learning-rate", "0.01", "1e30")
    document = check("train", document_of(capsys, *argv))
    assert [m["evaluation"] is None for m in document["models"]] == [False, True]
    assert document["models"][1]["frozen"] >= 1 and document["best"] == 1
    assert main(argv) == 0
    assert "1 of 2 models diverged" in capsys.readouterr().out


def test_redrawn_noise_changes_the_training_and_is_recorded(grey, capsys):
    once, epoch = (document_of(capsys, *words(grey, "--sigma2", "1", "--dequantise", how)) for how in ("once", "epoch"))
    assert [d["data"]["redrawn"] for d in (once, epoch)] == [False, True]
    assert once["models"][0]["evaluation"]["elbo"] != epoch["models"][0]["evaluation"]["elbo"]
    assert once["data"]["fingerprint"] != epoch["data"]["fingerprint"]


@contextmanager
def interrupting(monkeypatch, after):
    """Ctrl-C once `after` reports of progress have come."""

    @contextmanager
    def counting(self, doing, *, stays=False):
        calls = iter(range(10**6))
        yield lambda done, total: os.kill(os.getpid(), signal.SIGINT) if next(calls) == after else None

    with monkeypatch.context() as patch:
        patch.setattr(Session, "counting", counting)
        yield


def test_interrupted_it_keeps_what_it_has_and_goes_on_to_the_bit(grey, capsys, monkeypatch, tmp_path):
    pytest.importorskip("safetensors")
    whole = document_of(capsys, *words(grey, *NOISES))
    argv = words(grey, *NOISES, "--out", str(tmp_path / "out"))
    with interrupting(monkeypatch, after=3):
        assert main(argv) == 130
    told = capsys.readouterr()
    assert told.out == "" and "interrupted; kept" in told.err and str(tmp_path / "out") in told.err
    assert not (tmp_path / "out" / "train.json").exists()
    assert main([*argv, "--json"]) == 0
    told = capsys.readouterr()
    assert "continuing" in told.err and "3 begun" in told.err
    resumed = json.loads(told.out)
    assert resumed["models"] == whole["models"]
    # From checkpoints, and from memory.
    assert resumed["best_per_noise"] == whole["best_per_noise"] and whole["best_per_noise"][0]["diagnosis"]


def test_without_a_folder_an_interruption_says_that_nothing_was_kept(grey, capsys, monkeypatch):
    with interrupting(monkeypatch, after=2):
        assert main(words(grey, *NOISES)) == 130
    assert "nothing was written" in capsys.readouterr().err


def test_another_training_in_the_same_folder_is_refused(grey, capsys, tmp_path):
    pytest.importorskip("safetensors")
    out = str(tmp_path / "out")
    assert main(words(grey, "--sigma2", "1", "--out", out)) == 0
    assert main(words(grey, "--sigma2", "2", "--out", out)) == 2
    assert "other runs" in capsys.readouterr().err


def test_seeds_are_a_number_or_a_list():
    assert seeds_of(None, 4) == [4]
    assert seeds_of(None, 4, default=2) == [4, 5]
    assert seeds_of([3], 4) == [4, 5, 6]
    assert seeds_of([3, 9], 4) == [3, 9]
    for wrong in ([0], [-1], [2, 2], [1, -1], [2**64, 1]):
        with pytest.raises(InputError):
            seeds_of(wrong, 0)


LATENTS = ("--save-latents", "latents.npz", "--out", "NEW")
BAD = {
    "no models": [],
    "k = 0": ["--sigma2", "1", "-k", "0"],
    "sigma2 = 0": ["--sigma2", "0"],
    "sigma2 = -1": ["--learned-noise", "-1"],
    "sigma2 = nan": ["--sigma2", "nan"],
    "none of mlp": ["--sigma2", "1", "--arch", "transformer"],
    "no square image": ["--sigma2", "1", "--arch", "conv"],
    "--hidden": ["--sigma2", "1", "--arch", "linear"],
    "epochs = 0": ["--sigma2", "1", "--epochs", "0"],
    "learning_rate": ["--sigma2", "1", "--learning-rate", "0"],
    "beta": ["--sigma2", "1", "--beta", "-1"],
    "linear decoder": ["--sigma2", "1", "--analytic"],
    "seeds = 0": ["--sigma2", "1", "--seeds", "0"],
    "backend cupy": ["--sigma2", "1", "--backend", "cupy"],
    "precision": ["--sigma2", "1", "--precision", "bf16", "--backend", "numpy"],
    "--out": ["--sigma2", "1", "--save-latents", "latents.npz"],
    "say of which with --latents-of": ["--sigma2", "1", "2", *LATENTS],
    "no model has that noise; choose one of 1, learned": [
        "--sigma2",
        "1",
        "--learned-noise",
        "2",
        *LATENTS,
        "--latents-of",
        "2",
    ],
    "no such seed; choose one of 0, 1": ["--sigma2", "1", "--seeds", "2", *LATENTS, "--latents-of", "1", "7"],
    "give a noise, and a seed": ["--sigma2", "1", *LATENTS, "--latents-of", "1", "0", "3"],
    "name a file": ["--sigma2", "1", "--latents-of", "1"],
    "cannot be written": ["--sigma2", "1", "--out", "FILE/below"],
}


@pytest.mark.parametrize("said", BAD)
def test_bad_input_gets_one_line(said, grey, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(device, "find_device", lambda: device.Device(False, reason="there is none"))
    (tmp_path / "file").write_text("")
    before = sorted(tmp_path.iterdir())
    options = [word.replace("FILE", str(tmp_path / "file")) for word in BAD[said]]
    options = [word.replace("NEW", str(tmp_path / "new")) for word in options]
    assert main(words(grey, *options)) == 2
    told = capsys.readouterr()
    assert told.out == "" and said in told.err
    assert told.err.count("\n") == 1 and told.err.startswith("elbo-verify: ")
    assert sorted(tmp_path.iterdir()) == before


LINEAR = ("--arch", "linear", "-k", "2", "--sigma2", "1", "--epochs", "2", "--dequantise", "once")


def test_grey_values_are_dequantised_without_the_logit_too(grey, capsys):
    document = check("train", document_of(capsys, "train", grey, *LINEAR))
    assert document["data"]["mean_log_jacobian"] == 0
    np.testing.assert_allclose(document["data"]["log_scale_jacobian"], -6 * np.log(256), rtol=1e-12)


def test_what_is_no_grey_value_is_not_dequantised(capsys, tmp_path):
    np.save(tmp_path / "reals.npy", np.random.default_rng(0).normal(size=(20, 3)))
    assert main(["train", str(tmp_path / "reals.npy"), *LINEAR]) == 2
    assert "whole number from 0 to 255" in capsys.readouterr().err


def test_a_spectrum_has_no_rows_to_train_on(capsys):
    assert main(["train", "eigenvalues:3,2,1", "--arch", "linear", "-k", "2", "--sigma2", "1"]) == 2
    assert "has no rows" in capsys.readouterr().err


def saved(tmp_path, capsys, *options):
    """The document, and the latents that were saved with these options."""
    document = document_of(capsys, *options, "--out", str(tmp_path / "out"), "--save-latents", str(tmp_path / "l.npz"))
    with np.load(tmp_path / "l.npz", allow_pickle=False) as archive:
        return document, archive["mu"], archive["logvar"]


@pytest.mark.parametrize(
    ("of", "expected"),
    [(["0.1", "1"], lambda best: 1), (["1e3"], lambda best: best["fixed", 1000.0]), (["learned", "0"], lambda best: 4)],
)
def test_latents_are_those_of_the_noise_and_the_seed(of, expected, grey, capsys, tmp_path):
    argv = words(grey, *NOISES, "--seeds", "2", "--latents-of", *of)
    document, mu, logvar = saved(tmp_path, capsys, *argv)
    best = {(b["noise"], b["sigma2"]): b["best"] - 1 for b in document["best_per_noise"]}
    found = [
        np.allclose((mu**2 + np.exp(logvar)).mean(axis=0), m["convergence"]["second_moment"], rtol=1e-5)
        for m in document["models"]
    ]
    assert found.index(True) == expected(best) and sum(found) == 1  # float32 sums; other models differ by more


def test_latents_of_models_that_are_all_lost_are_missed(grey, capsys, tmp_path):
    argv = words(grey, "--sigma2", "1", "--learning-rate", "1e30", "--out", str(tmp_path / "out"))
    document = document_of(capsys, *argv, "--save-latents", str(tmp_path / "l.npz"))
    assert not (tmp_path / "l.npz").exists() and "was not written" in document["notes"][0]


@pytest.mark.parametrize("arch", [["mlp", "--hidden", "8"], ["linear"], ["linear-decoder", "--hidden", "8"]])
def test_more_latents_than_columns_are_fine(arch, grey, capsys):
    argv = ["train", grey, "--logit", "0.01", "--arch", *arch, "-k", "9", "--sigma2", "1e-3", "--epochs", "2"]
    document = check("train", document_of(capsys, *argv))
    e = document["models"][0]["evaluation"]
    assert len(e["kl_of_latents"]) == 9 and e["linear_retained"] == 6
    assert any("at most 6 of them" in note for note in document["notes"])


def test_more_latents_than_pixels_are_fine_for_convolutions(capsys, tmp_path):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(20, 16)))
    argv = ["train", str(tmp_path / "x.npy"), "--arch", "conv", "--hidden", "2", "3", "-k", "20", "--sigma2", "1"]
    document = check("train", document_of(capsys, *argv, "--epochs", "1"))
    assert len(document["models"][0]["evaluation"]["kl_of_latents"]) == 20


@pytest.mark.parametrize(("shape", "words"), [((9, 3, 4, 4), "moveaxis(x, 1, -1)"), ((9, 4, 16), "square ones")])
def test_images_that_convolutions_would_mistake_are_refused(capsys, tmp_path, shape, words):
    rows = np.random.default_rng(0).normal(size=shape)
    argv = ["--arch", "conv", "--hidden", "2", "3", "-k", "2", "--sigma2", "1", "--epochs", "1"]
    np.save(tmp_path / "x.npy", rows)
    assert main(["train", str(tmp_path / "x.npy"), *argv]) == 2
    assert words in capsys.readouterr().err
    np.save(tmp_path / "x.npy", rows.reshape(9, -1) if len(shape) == 3 else np.moveaxis(rows, 1, -1))
    assert main(["train", str(tmp_path / "x.npy"), *argv]) == 0  # control


def test_rows_far_from_zero_train_as_those_near_it(capsys, tmp_path):
    """The medians are taken away in float64: the same models up to rounding, and latents that agree with them."""
    X = np.random.default_rng(0).normal(size=(60, 4)) * [2, 1, 0.5, 0.3]
    far = X + np.array([1e8, -1e9, 1e7, 0])
    np.save(tmp_path / "near.npy", X - np.median(far, axis=0) + np.array([1e8, -1e9, 1e7, np.median(X[:, 3])]))
    np.save(tmp_path / "far.npy", far)
    small = ("--arch", "mlp", "--hidden", "8", "-k", "3", "--sigma2", "0.5", "--epochs", "5", "--batch", "10")
    near = check("train", document_of(capsys, "train", str(tmp_path / "near.npy"), *small))
    document, mu, logvar = saved(tmp_path, capsys, "train", str(tmp_path / "far.npy"), *small)
    check("train", document)
    assert near["data"]["offset"] is None and [o != 0 for o in document["data"]["offset"]] == [True] * 3 + [False]
    here, there = (d["models"][0]["evaluation"] for d in (near, document))
    # Of doubles at 1e9 the spacing is 1e-7; 30 steps carry that on.
    assert there["elbo"] == pytest.approx(here["elbo"], abs=1e-4) and here["elbo"] > -50
    assert any("columns 1, 2, 3 are far from 0" in note for note in document["notes"])
    np.testing.assert_allclose(
        (mu**2 + np.exp(logvar)).mean(axis=0), document["models"][0]["convergence"]["second_moment"], rtol=1e-5
    )


def test_a_run_that_ends_inside_its_warm_up_is_compared_at_the_weight_it_reached(grey, capsys):
    """60 data, batches of 10: the last of 36 steps has a weight of (6 - 1/6)/60."""
    document = document_of(capsys, *words(grey, "--sigma2", "3", "--anneal", "60"))
    m = check("train", document)["models"][0]
    weight = (6 - 1 / 6) / 60
    lam = np.linalg.eigvalsh(np.cov(load_rows(grey, logit=0.01).array().T, bias=True))
    assert m["convergence"]["final_beta"] == pytest.approx(weight, rel=1e-12) and m["beta"] == 1
    kept = m["evaluation"]["linear_retained"]
    assert kept == min(3, sum(lam > 3 * weight)) and kept != min(3, sum(lam > 3))
    assert "warm-up" in m["convergence"]["unfinished"] and "ended inside its warm-up" in document["notes"][0]
    assert main(words(grey, "--sigma2", "3", "--anneal", "60")) == 0
    told = capsys.readouterr()
    assert f"a KL weight of {weight:.4g}" in told.out and "ended inside its warm-up" in told.err
    through = document_of(capsys, *words(grey, "--sigma2", "3", "--anneal", "2"))
    assert through["models"][0]["convergence"]["final_beta"] == 1
    assert not any("warm-up" in note for note in through["notes"])


def test_what_was_lost_to_the_scale_is_told_from_what_was_lost_to_the_rate(capsys, tmp_path):
    X = np.random.default_rng(0).normal(size=(60, 4))
    outlier = X.copy()
    outlier[3, 1] = 1e13
    files = {"scale": X * 1e6, "rate": X, "outliers": outlier, "noise": X}
    options = {"rate": ["--sigma2", "1", "--learning-rate", "1e30"], "noise": ["--sigma2", "1e-60"]}
    said = {}
    for name, data in files.items():
        np.save(tmp_path / "x.npy", data)
        argv = ["train", str(tmp_path / "x.npy"), "--arch", "mlp", "--hidden", "8", "-k", "2", "--epochs", "3"]
        document = check(
            "train", document_of(capsys, *argv, *options.get(name, []), *["--sigma2", "1"][: 2 * (name != "noise")])
        )
        assert document["models"][0]["evaluation"] is None, name
        [said[name]] = [note for note in document["notes"] if "diverged" in note]
    assert "scale of the data, not for the learning rate" in said["scale"] and "--scale 1e+06" in said["scale"]
    assert said["rate"].endswith("choose a smaller learning rate (--learning-rate)")
    assert "outliers" in said["outliers"] and "not for the learning rate" in said["outliers"]
    assert "noise far off the scale" in said["noise"] and "1e-60" in said["noise"]


def test_notes_are_in_the_document_even_if_nobody_hears_them(grey, capsys):
    argv = words(grey, "--sigma2", "0.1", "-k", "7")
    assert main([*argv, "--json", "--quiet"]) == 0
    told = capsys.readouterr()
    document = check("train", json.loads(told.out))
    assert told.err == "" and len(document["notes"]) == 2
    assert main(argv) == 0
    assert all(note in capsys.readouterr().err for note in document["notes"][:1])


def test_a_noise_within_rounding_of_an_eigenvalue_leaves_the_linear_prediction_open(tmp_path, capsys):
    half = np.diag(np.sqrt(3 * np.array([4.0, 3.0, 2.5 + 2e-15])))
    np.save(tmp_path / "tied.npy", np.concatenate([half, -half]))
    for noise, kept in (("2.5", [2, 3]), ("2.4", [3, 3])):
        words = ["train", str(tmp_path / "tied.npy"), "--arch", "linear", "-k", "3", "--sigma2", noise, "--epochs", "2"]
        assert main([*words, "--json"]) == 0
        e = json.loads(capsys.readouterr().out)["models"][0]["evaluation"]
        assert [e["linear_retained"], e["linear_retained_at_most"]] == kept
        assert main(words) == 0
        told = " ".join(capsys.readouterr().out.split())
        assert ("optimum of a linear model keeps 2 or 3" in told) == (kept == [2, 3])


@pytest.mark.parametrize("beta", ["1", "2"])
def test_with_a_weight_it_is_said_which_elbo_is_meant(grey, capsys, beta):
    assert (
        main(["train", str(grey), "--arch", "linear", "-k", "2", "--sigma2", "1", "--epochs", "2", "--beta", beta]) == 0
    )
    said = " ".join(capsys.readouterr().out.split())
    assert ("weighed by 1, not by the 2 of the training" in said) == (beta == "2")
    assert ("What it was trained on, the ELBO with its KL weighed by 2," in said) == (beta == "2")
    assert "on the way: the mean over the batches of an epoch" in said


def test_no_curve_runs_behind_the_names_of_the_noises(tmp_path):
    models = [
        {"noise": "fixed", "init_sigma2": float(s), "evaluation": {}, "seed": 0, "learning_rate": 1e-3}
        for s in range(1, 9)
    ]
    figure = Figure(layout="constrained")
    axes = figure.subplots()
    courses(axes, {"models": models}, np.arange(80.0).reshape(8, 10))
    figure.draw_without_rendering()
    assert axes.get_legend().get_window_extent().y0 >= axes.get_window_extent().y1
