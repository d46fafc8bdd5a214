"""elbo-verify train: its document, its files, latents that collapse reads, interruption, and what bad input gets."""

import csv
import json
import os
import signal
from contextlib import contextmanager

import numpy as np
import pytest

from gpu import device
from reports.cli import main
from reports.console import Session
from reports.training_commands import seeds_of
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
    elbos = [m["evaluation"]["elbo"] for m in document["models"]]
    assert document["best"] == int(np.argmax(elbos)) + 1


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
        np.testing.assert_allclose(courses["sigma2"][0], 0.1, rtol=1e-6)  # its logarithm is kept in float32
        assert len(set(courses["sigma2"][2])) == 6  # the learned one moves


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
    assert "The best of 3 models" in out and "learned 0.5" in out and "on the scale of the raw values" in out


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
    assert json.loads(told.out)["models"] == whole["models"]


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


BAD = {
    "no models": [],
    "k = 0": ["--sigma2", "1", "-k", "0"],
    "k = 7": ["--sigma2", "1", "-k", "7"],
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
    "cannot be written": ["--sigma2", "1", "--out", "FILE/below"],
}


@pytest.mark.parametrize("said", BAD)
def test_bad_input_gets_one_line(said, grey, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(device, "find_device", lambda: device.Device(False, reason="there is none"))
    (tmp_path / "file").write_text("")
    before = sorted(tmp_path.iterdir())
    options = [word.replace("FILE", str(tmp_path / "file")) for word in BAD[said]]
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
