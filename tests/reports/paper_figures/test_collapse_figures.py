"""Figures 5 to 11 on tiny trainings: what they share, what stands in them, and curves against their definition."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from reports.cli import main
from reports.paper_figures import figure_7, redrawn
from reports.paper_figures.annealing import FIXED, STARTS, annealed
from reports.paper_figures.collapse import AT, PRINTED, Trials, learned_curve, linear_curves, standard_experiment
from reports.paper_figures.setting import setting_of
from reports.paper_tables.presets import trainings
from reports.terminal.console import Session
from reports.training.experiment import Bench
from tests.reports.schemas import check
from verify.landscape.collapse import EPSILON, EPSILONS, collapse_curve, kl
from verify.models.beta_vae import learned_noise_optimum

MNIST, CELEBA = (5, 6, 7, 8), (9, 10, 11)


def run(out, figures, *options):
    assert main(["figures", *map(str, figures), *options, "--seeds", "2", "--out", str(out), "--quiet"]) == 0
    document = check("figures", json.loads((out / "figures.json").read_text()))
    return {entry["figure"]: entry for entry in document["figures"]}


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """Figures 5 to 8 of three epochs: the folder and the entries."""
    out = tmp_path_factory.mktemp("digits")
    return out, run(out, MNIST, "--epochs", "3")


@pytest.fixture(scope="module")
def patches(tmp_path_factory):
    """Figures 9 to 11 of one epoch on six patches."""
    out = tmp_path_factory.mktemp("patches")
    return out, run(out, CELEBA, "--epochs", "1", "--data", "patches:6")


@pytest.fixture(scope="module")
def bench(digits):
    """Finds in the folder what was trained there."""
    return Bench(digits[0], Session(quiet=True), "numpy")


SETTING = setting_of("quick", seeds=[0, 1], epochs=3)


def test_what_figures_share_is_trained_once(digits, patches):
    names = [
        sorted(path.name.rsplit("-", 1)[0] for path in (out / "checkpoints").iterdir()) for out, _ in (digits, patches)
    ]
    assert names[0] == ["mnist-logit", "mnist-logit-annealed", "mnist-logit-early"]
    assert names[1] == ["celeba64-logit", "celeba64-logit-annealed"]


@pytest.mark.parametrize(("dataset", "table"), [("mnist", 2), ("celeba64", 3)])
def test_the_models_are_those_of_the_table(dataset, table):
    setting = setting_of("paper", ["celeba:photographs"], first_seed=5)
    photographs = ["celeba:photographs"] if dataset == "celeba64" else []
    [training], _, _ = trainings([table], "paper", data=photographs, first_seed=5)
    assert standard_experiment(setting, dataset) == training.experiment(5)
    fewer = setting_of("quick", ["digits"], seeds=[3], epochs=7, learning_rates=[0.1, 0.2])
    runs = standard_experiment(fewer, dataset).runs
    assert {(run.seed, run.learning_rate) for run in runs} == {(3, 0.1), (3, 0.2)} and len(runs) == 40
    assert standard_experiment(fewer, dataset).epochs == 7


@pytest.mark.parametrize("dataset", ["mnist", "celeba64"])
def test_what_is_annealed(dataset):
    found = annealed(setting_of("paper", ["celeba:photographs"]), dataset)
    assert {run.anneal for run in found.runs} == {100} and found.epochs == 1000
    assert found.watched == ((80,) if dataset == "mnist" else ())
    noises = {(run.sigma2, run.learned) for run in found.runs}
    assert noises == {(s, False) for s in FIXED[dataset]} | {(s, True) for s in STARTS[dataset]}
    assert found.runs[0].weight(80) == 0.8


def curve(entry, panel, name):
    [found] = [line for line in entry["panels"][panel]["lines"] if line["name"] == name]
    return found


def test_panels_and_printed_points(digits, patches):
    entries = digits[1] | patches[1]
    assert [len(entries[n]["panels"]) for n in sorted(entries)] == [10, 10, 4, 6, 6, 10, 10]
    for n in sorted(entries):
        assert len({(*panel["xlim"], *panel["ylim"]) for panel in entries[n]["panels"]}) == (2 if n in (8, 9) else 1)
        assert entries[n]["alt"] and entries[n]["caption"] and entries[n]["deviations"]
    assert entries[5]["panels"][0]["title"] == "sigma2 = 30" and entries[5]["panels"][9]["title"] == "sigma2 = 0.001"
    point = curve(entries[5], 0, PRINTED)
    assert (point["x"], point["y"]) == ([0.01], [95.0])
    assert entries[10]["beside"][4]["printed"] == 74.52 and entries[11]["beside"][0]["printed"] == 14.2
    assert [line["name"] for line in entries[9]["panels"][0]["lines"]][-1] == PRINTED
    # The printed noise is of other data.
    assert "printed" not in [line["kind"] for line in entries[9]["panels"][3]["lines"]]
    assert {one["difference"] for one in entries[10]["beside"]} == {"other data or sizes: not to be compared"}
    lines = list(csv.DictReader((digits[0] / "figure-5.csv").read_text().splitlines()))
    assert len(lines) == 10 * (2 * len(EPSILONS) + 1)


def test_curves_are_means_of_the_models(digits, bench):
    performed = bench.perform(standard_experiment(SETTING, "mnist"))
    models = [o.evaluation.collapse_curve for o in performed.outcomes if (o.run.sigma2, o.run.learned) == (10.0, False)]
    drawn = curve(digits[1][5], 1, "deep models")
    np.testing.assert_allclose(drawn["y"], np.mean(models, axis=0), rtol=1e-12)
    np.testing.assert_allclose(drawn["spread"], np.std(models, axis=0, ddof=1), rtol=1e-12, atol=1e-12)
    assert digits[1][5]["beside"][1]["ours"] == drawn["y"][AT]


def test_the_linear_curve_is_that_of_the_optimum_on_these_data(digits, bench):
    """Written out: eigenvectors of the rows that were trained on, the optimal encoder, the KL of every datum."""
    material = bench.perform(standard_experiment(SETTING, "mnist")).material
    X = material.rows.rows.array()
    X = X - X.mean(axis=0)
    lam, U = (a[..., ::-1] for a in np.linalg.eigh(X.T @ X / len(X)))

    def by_definition(s, k=30):
        D = s / np.maximum(lam[:k], s)
        mu = X @ U[:, :k] * np.sqrt(np.maximum(lam[:k] - s, 0)) / lam[:k]
        return collapse_curve(kl(mu, np.broadcast_to(np.log(D), mu.shape)), EPSILONS, "0.01")

    entries = digits[1]
    # Rounding moves no more than one datum of one latent across a threshold.
    np.testing.assert_allclose(curve(entries[5], 2, "linear theory")["y"], by_definition(3.0), atol=100 / 30 + 1e-9)
    sigma2, _ = learned_noise_optimum(material.eigenvalues, 30)
    for panel in range(10):
        drawn = curve(entries[6], panel, "linear theory")["y"]
        np.testing.assert_allclose(drawn, by_definition(sigma2), atol=100 / 30 + 1e-9)
    early = curve(entries[7], 2, "linear theory at β = 1")["y"]  # three epochs anneal in one, and are seen after it
    np.testing.assert_allclose(early, by_definition(3.0), atol=100 / 30 + 1e-9)
    assert np.abs(by_definition(3.0) - by_definition(1.0)).max() > 20  # the control
    assert linear_curves(material, 30, [3.0])[0] == curve(entries[5], 2, "linear theory")["y"]
    assert learned_curve(material, 64) is not None and learned_curve(material, 30)[0] == sigma2


def test_standard_models_that_stop_early_are_the_final_ones_on_their_way(bench):
    """To the bit; else what Figure 7 compares annealing with would be other models."""
    young = figure_7.young(SETTING)
    watched = replace(standard_experiment(SETTING, "mnist"), name="watched", runs=young.runs, watched=(young.epochs,))
    assert young.epochs < watched.epochs
    early, whole = bench.perform(young), bench.perform(watched)
    assert [o.evaluation for o in early.outcomes] == [o.watched[0] for o in whole.outcomes]
    assert early.outcomes[0].evaluation != whole.outcomes[0].evaluation


def test_another_draw_of_the_noise_is_another_and_the_same_draw_is_the_same(bench, monkeypatch):
    performed = bench.perform(standard_experiment(SETTING, "mnist"))
    trials = Trials.of(performed, 0.3, False)
    again = redrawn.redrawn_curve(performed, trials.places[0])
    assert again != trials.evaluations[0].collapse_curve
    monkeypatch.setattr(redrawn, "DRAW", None)
    same = redrawn.redrawn_curve(performed, trials.places[0])
    # Products of other shapes round differently: one datum of one of 30 latents may cross a threshold.
    np.testing.assert_allclose(same, trials.evaluations[0].collapse_curve, atol=100 / 30 + 1e-9)
    other = redrawn.redrawn_curve(performed, Trials.of(performed, 30.0, False).places[0])
    assert np.abs(np.subtract(other, same)).max() > 10  # the control: another model


def test_without_checkpoints_or_noise_there_is_no_other_draw(bench):
    performed = bench.perform(standard_experiment(SETTING, "mnist"))
    assert redrawn.redrawn_curve(replace(performed, folder=None), 0) is None
    plain = bench.perform(
        replace(performed.experiment, name="plain", logit=None, runs=performed.experiment.runs[:1], epochs=1)
    )
    assert redrawn.redrawn_curve(plain, 0) is None


def test_of_models_of_a_few_epochs_nothing_is_told(digits, patches):
    """But how another draw of the noise changes the measure, which is asked of models as they are."""
    for number, entry in (digits[1] | patches[1]).items():
        told = [one for one in entry["findings"] if "moderately robust" not in one["finding"]]
        early = [one for one in told if "standard models after as many epochs" in one["finding"]]
        assert [one["holds"] for one in told if one not in early] == [None] * (len(told) - len(early)), number
        assert len(early) == (number == 7)
    assert "training is unfinished" in patches[1][9]["findings"][0]["evidence"]


def test_what_differs_from_the_paper_is_said(digits):
    said = "; ".join(digits[1][7]["deviations"])
    assert "trained on digits" in said and "beta rises over the first 1 of 3 epochs" in said and "looked at" in said
    assert any("does not say which noises" in note for note in digits[1][7]["notes"])
    assert EPSILONS[AT] == EPSILON


def test_with_as_many_latents_as_directions_there_is_no_linear_optimum_to_draw(tmp_path):
    """Twenty images vary in 19 directions, and 50 latents hold them at whatever noise."""
    np.save(tmp_path / "few.npy", np.random.default_rng(0).integers(0, 256, (20, 36)))
    entries = run(tmp_path / "out", (6, 8), "--epochs", "1", "--data", str(tmp_path / "few.npy"))
    for number in (6, 8):
        lines = [line["kind"] for panel in entries[number]["panels"] for line in panel["lines"]]
        assert "linear" not in lines and "trained" in lines
        assert any("no linear theory is drawn" in note for note in entries[number]["notes"])
