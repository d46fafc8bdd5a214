"""elbo-verify tables: which learning rate wins, how cells compare, what is shared, files drawn from the JSON."""

import argparse
import copy
import csv
import html
import importlib.util
import json
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from gpu.products import PRECISIONS
from gpu.vae.plan import Outcome, Run
from reports.cli import main
from reports.commands.tables import _left_out
from reports.paper import Printed, printed_tables
from reports.paper_tables import text as tables_text
from reports.paper_tables.document import Trained, _scale, chosen_rate, difference, summary
from reports.paper_tables.document import cell as compared
from reports.paper_tables.page import render
from reports.paper_tables.presets import PAPER, QUICK, open_choices, trainings
from reports.terminal.options import trials
from reports.training.settled import worsened
from tests.reports.paper_tables.test_pattern import LIKE_PAPER, evaluation, trained
from tests.reports.schemas import check
from tests.reports.training.test_train import interrupting
from verify.data import load_rows
from verify.errors import InputError

COMPARED = {
    "paper": {},
    "trials": {"seeds": [0]},
    "rates": {"learning_rates": (1e-3,)},
    "longer": {"epochs": 2000},
    "subset": {"data": ["mnist:1000"]},
    "shorter": {"epochs": 10},
    "k": {"k": 100},
}
SMALL = ("-k", "3", "--hidden", "4", "--epochs", "1")
# For CelebA's rows as well.
PATCHES = ("--data", "patches:4", "--channels", "2", "2", "4")


def outcomes(**rates):
    """rate_0_1=[elbos]: models at these learning rates, None for one that diverged."""
    found = []
    for name, elbos in rates.items():
        rate = float(name.removeprefix("rate_").replace("_", "."))
        for seed, elbo in enumerate(elbos):
            evaluated = None if elbo is None else evaluation(elbo)
            found.append(Outcome(Run(1.0, False, seed, rate), evaluated, 5 if elbo is None else None, []))
    return found


def test_the_learning_rate_with_the_best_mean_wins():
    rate, candidates = chosen_rate(outcomes(rate_0_1=[-10.0, -20.0], rate_0_2=[-14.0, -14.0], rate_0_3=[-5.0, -99.0]))
    assert rate == 0.2  # not 0.3, which has the best single model, nor the first
    assert [c["elbo"] for c in candidates] == [-15.0, -14.0, -52.0]
    assert chosen_rate(outcomes(rate_0_2=[-14.0, -14.0], rate_0_1=[-10.0, -12.0]))[0] == 0.1


def test_models_that_diverge_lose():
    """However good what is left of them."""
    rate, candidates = chosen_rate(outcomes(rate_0_1=[-1.0, None], rate_0_2=[-50.0, -60.0], rate_0_3=[None, None]))
    assert rate == 0.2
    assert [c["frozen"] for c in candidates] == [1, 0, 2] and candidates[2]["elbo"] is None
    assert chosen_rate(outcomes(rate_0_1=[-1.0, None], rate_0_3=[None, None]))[0] == 0.1
    assert chosen_rate(outcomes(rate_0_1=[None], rate_0_3=[None]))[0] is None


def test_spread_is_the_sample_deviation():
    assert summary([1.0, 2.0, 6.0]) == {"ours": 3.0, "spread": pytest.approx(np.std([1, 2, 6], ddof=1), rel=1e-12)}
    assert summary([4.0]) == {"ours": 4.0, "spread": None}
    assert summary([]) == {"ours": None, "spread": None}


def test_differences_are_in_units_of_the_combined_spread():
    printed = Printed("-10.0")
    rounding = 0.05 / np.sqrt(3)
    found = difference(-3.0, 3.0, printed, 4.0)
    np.testing.assert_allclose(found, 7 / np.sqrt(9 + 16 + rounding**2), rtol=1e-12)
    assert abs(found) < abs(difference(-3.0, 3.0, printed, None)) < abs(difference(-3.0, None, printed, 0.1))
    assert difference(-17.0, 3.0, printed, 4.0) == pytest.approx(-found, rel=1e-12)


def test_without_any_spread_there_is_no_unit():
    assert difference(3.0, None, Printed("3.1"), None) is None
    assert difference(3.0, 0.0, Printed("3.1"), 0.0) is None
    assert difference(3.0, 1e-6, Printed("3.1"), None) is None  # of two trials that ended alike
    assert difference(3.0, 0.06, Printed("3.1"), None) is not None
    assert difference(3.04, None, Printed("3.0"), None) == 0  # the same number, rounded


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """tables 1 and 2 of tiny models with one learning rate that diverges: the folder and what was printed."""
    out = tmp_path_factory.mktemp("tables")
    argv = [
        "tables",
        "1",
        "2",
        *SMALL,
        *PATCHES,
        "--seeds",
        "2",
        "--learning-rates",
        "1e30",
        "0.003",
        "--out",
        str(out),
    ]
    assert main([*argv, "--quiet"]) == 0
    return out, json.loads((out / "tables.json").read_text())


def test_numbers_of_another_experiment_are_not_subtracted(made):
    """Small models of the digits beside the paper's of MNIST: a dash and a sentence, in every file."""
    out, document = made
    cells = [cell for row in document["rows"] for cell in row["cells"].values()]
    assert cells and all(cell["difference"] is None and cell["printed"] is not None for cell in cells)
    assert ["trained on digits" in t["incomparable"] for t in document["trainings"]] == [True, False]
    assert "trained on patches:4" in document["trainings"][1]["incomparable"]
    page = " ".join((out / "index.html").read_text().split())
    assert "no differences are given" in page and "no differences are given" in " ".join(document["notes"])
    assert not re.search(r"[+-][0-9.e+]+x<", page)


def test_a_line_of_differences_stands_only_where_some_are_given(made):
    out, document = made

    def shown(of):
        page = render(of, out).partition('id="tables"')[2]
        tables = [piece.split("</table>")[0] for piece in page.split("<table>")[1:]]
        printed = [piece for piece in tables_text.pieces(of) if hasattr(piece, "columns")]
        cells = [str(cell) for piece in printed for column in piece.columns for cell in (column.header, *column.cells)]
        told = sum("difference" in cell for cell in cells)
        return ["<br>difference" in one for one in tables], told, " ".join(tables_text.legend(of))

    marked, told, legend = shown(document)
    assert marked and not any(marked) and not told and "difference" not in legend
    other = json.loads(json.dumps(document))
    other["trainings"][0]["incomparable"] = []
    marked, told, legend = shown(other)
    assert any(marked) and not all(marked) and told > sum(row["training"] == 1 for row in other["rows"])
    assert "then the difference" in legend and "only where it is the same experiment" in legend


def test_the_papers_experiment_with_other_trials_is_compared():
    of = {name: trainings([2], "paper", **options)[0][0] for name, options in COMPARED.items()}
    assert {name: bool(training.incomparable()) for name, training in of.items()} == {
        "paper": False, "trials": False, "rates": False, "longer": False, "subset": True, "shorter": True, "k": True,
    }  # fmt: skip
    assert compared([1.0, 2.0], Printed("9.0"), None)["difference"] is not None  # what `comparable` withholds
    assert compared([1.0, 2.0], Printed("9.0"), None, comparable=False)["difference"] is None


def test_documents_are_valid(made):
    check("tables", made[1])


def test_every_printed_row_stands_beside_what_was_trained(made):
    _, document = made
    printed = [row for row in printed_tables() if row.table in (1, 2)]
    for row, given in zip(document["rows"], printed, strict=True):
        assert (row["table"], row["noise"], row["init_sigma2"]) == (given.table, given.noise, given.init_sigma2)
        for name, cell in row["cells"].items():
            assert cell["printed"] == given.measured()[name].value
            assert cell["ours"] is not None
        assert ("final_sigma2" in row["cells"]) == (row["noise"] == "learned")
    assert document["left_out"] == []


def test_the_best_trial_of_each_row_is_diagnosed(made):
    """At the noise it ended at; in the document, the page and the CSV."""
    out, document = made
    with (out / "tables.csv").open() as file:
        lines = list(csv.DictReader(file))
    page = (out / "index.html").read_text()
    for row, line in zip(document["rows"], lines, strict=True):
        told = row["diagnosis"]
        assert told["verdict"] and told["linear"]["retained"] is not None and told["unfinished"]  # of a single epoch
        assert (told["sigma2"] == row["init_sigma2"]) == (row["noise"] == "fixed")
        assert line["verdict"].startswith(told["verdict"]) and html.escape(told["headline"]) in page
    deep = [row for row in document["rows"] if row["dataset"] == "celeba64"]
    assert any("convolutions need not" in row["diagnosis"]["headline"] for row in deep)
    said = " ".join(tables_text.legend(document))
    assert "verdict: whether that collapse is the optimum or the training" in said and "convolutions" in said
    silent = copy.deepcopy(document)
    for row in silent["rows"]:
        row["diagnosis"] = None
    check("tables", silent)
    assert (
        "verdict" not in " ".join(tables_text.legend(silent)) and tables_text.csv_table(silent)[1][0][-2:] == [None] * 2
    )
    assert render(silent, out).count("<td>–</td>") == len(silent["rows"])


def test_the_best_trial_is_of_the_rate_that_wins():
    """And not the best of all, if it is of another rate."""
    found = outcomes(rate_0_1=[-1.0, -20.0], rate_0_2=[-6.0, -4.0], rate_0_3=[None, -2.0])
    of = Trained(SimpleNamespace(noises=[("fixed", 1.0), ("learned", 1.0)]), None, found)
    assert of.best_trial("fixed", 1.0) == 3 and of.best_trial("learned", 1.0) is None and of.best_trials() == [3]
    assert of.verdict("fixed", 1.0) is None and of.verdict("learned", 1.0) is None
    of = replace(of, diagnosed={3: {"verdict": "noise"}, 0: {"verdict": "training"}})
    assert of.verdict("fixed", 1.0) == {"verdict": "noise"}


def test_without_checkpoints_there_is_no_verdict_and_a_note(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    argv = ["tables", "2", *SMALL, "--seeds", "1", "--learning-rates", "0.003", "--out", str(tmp_path), "--json"]
    assert main([*argv, "--quiet"]) == 0
    document = check("tables", json.loads(capsys.readouterr().out))
    assert all(row["diagnosis"] is None for row in document["rows"])
    assert any("no verdict, optimum or training: safetensors" in note for note in document["notes"])


def test_rows_without_data_are_left_out_with_a_reason(made):
    _, _, without = trainings([1, 3], "paper")
    left = _left_out(without)
    assert [(one["table"], one["rows"]) for one in left] == [(1, 10), (3, 20)]
    document = copy.deepcopy(made[1]) | {"left_out": left}
    check("tables", document)
    page = render(document, made[0])
    assert "10 rows of Table 1 (celeba64)" in page and "celeba:FOLDER" in page
    assert any("10 rows of Table 1 are left out" in note for note in tables_text.caveats(document))


def test_rows_of_two_tables_are_trained_once(made):
    _, document = made
    # Noises, rates, seeds; Table 1 selects from Table 2, and has ten noises of CelebA.
    assert [t["models"] for t in document["trainings"]] == [20 * 2 * 2, 10 * 2 * 2]
    mnist = [r for r in document["rows"] if r["dataset"] == "mnist"]
    first = {(r["noise"], r["init_sigma2"]): r for r in mnist if r["table"] == 1}
    shared = [r for r in document["rows"] if r["table"] == 2 and (r["noise"], r["init_sigma2"]) in first]
    assert len(shared) == 10
    for row in shared:
        other = first[row["noise"], row["init_sigma2"]]
        assert row["cells"]["elbo"]["ours"] == other["cells"]["elbo"]["ours"]
    # Table 1 prints 0.003's numbers beside 0.01, and is compared with what it prints.
    tuned = [(r["cells"]["tuned_elbo"], first[r["noise"], r["init_sigma2"]]["cells"]["tuned_elbo"]) for r in shared]
    assert any(a["printed"] != b["printed"] and a["ours"] == b["ours"] for a, b in tuned)


def test_the_rate_that_diverged_lost_everywhere(made):
    _, document = made
    assert all(row["learning_rate"] == 0.003 and row["frozen"] == 0 and row["trials"] == 2 for row in document["rows"])
    assert all([c["frozen"] for c in row["candidates"]] == [2, 0] for row in document["rows"])
    assert [t["frozen"] for t in document["trainings"]] == [40, 20]


def test_the_linear_prediction_counts_eigenvalues_of_these_data(made):
    _, document = made
    X = load_rows("digits", scale=16, logit=1e-6).array()
    lam = np.linalg.eigvalsh(np.cov(X.T, bias=True))
    mnist = [row for row in document["rows"] if row["dataset"] == "mnist"]
    for row in mnist:
        kept = row["retained"]
        assert kept["linear"] == min(3, sum(lam > kept["linear_sigma2"]))
        if row["noise"] == "fixed":
            assert kept["linear_sigma2"] == row["init_sigma2"]
        else:
            np.testing.assert_allclose(kept["linear_sigma2"], row["cells"]["final_sigma2"]["ours"], rtol=1e-12)
    assert {row["retained"]["linear"] for row in mnist} == {2, 3}
    assert document["trainings"][0]["sigma2_mle"] == pytest.approx(np.sort(lam)[:-3].mean(), rel=1e-9)


def test_what_is_open_is_named(made):
    choices = {o["name"]: o["value"] for o in made[1]["trainings"][0]["open"]}
    assert choices["batch size"] == str(QUICK["digits"].batch) and "2 here" in choices["trials behind the spread"]
    assert {"initialisation", "dequantisation", "evaluation", "Adam"} <= set(choices)


def test_deviations_from_the_paper_are_named():
    paper, _, _ = trainings([2], "paper")
    assert paper[0].deviations() == [] and paper[0].data == "mnist"
    assert paper[0].sizes == PAPER["mnist"] and len(paper[0].runs()) == 20 * 4 * 5
    short, _, _ = trainings([2], "paper", seeds=[0], epochs=2, learning_rates=(1e-3,))
    said = "; ".join(short[0].deviations())
    assert "epochs 2, not 1000" in said and "1 trial, not 5" in said and "learning rates 0.001, not" in said
    subset, _, _ = trainings([2], "paper", data=["mnist:1000"])
    assert subset[0].deviations() == ["trained on mnist:1000"]
    assert "batch size" in {o["name"] for o in open_choices(paper[0])}


def test_celeba_needs_its_images():
    found, rows, without = trainings([1, 3], "paper")
    assert {t.dataset for t in found} == {"mnist"} and {r.table for r in without} == {1, 3}
    found, rows, without = trainings([1, 3], "paper", data=["celeba:folder"])
    assert {(t.dataset, t.data) for t in found} == {("mnist", "mnist"), ("celeba64", "celeba:folder")}
    assert without == [] and len(rows) == 40
    with pytest.raises(InputError, match="both would stand for"):
        trainings([2], "quick", data=["digits", "mnist"])


def test_the_csv_holds_the_same_numbers(made):
    out, document = made
    with (out / "tables.csv").open() as file:
        lines = list(csv.DictReader(file))
    for line, row in zip(lines, document["rows"], strict=True):
        for name, cell in row["cells"].items():
            for part, value in cell.items():
                assert line[f"{name}_{part}"] == ("" if value is None else str(value))
        assert line["linear_retained"] == str(row["retained"]["linear"])
        assert line["trained_on"] == {"mnist": "digits", "celeba64": "patches:4"}[row["dataset"]]


def test_people_see_ours_printed_and_difference(made, capsys):
    _, document = made
    from reports.terminal.console import Session

    session = Session()
    for piece in tables_text.pieces(document):
        session.say(piece)
    out = capsys.readouterr().out
    row = next(r for r in document["rows"] if r["table"] == 2 and r["init_sigma2"] == 3 and r["noise"] == "fixed")
    cell = row["cells"]["elbo"]
    for text in (f"{cell['ours']:.1f}±{cell['spread']:.1f}", "-1114.9±1.1", tables_text.difference(cell)):
        assert text in out
    assert "kept of 3" in out and "left open by the paper" in out and "not the paper's experiment" in out
    assert max(len(line) for line in out.splitlines()) <= 100


def test_the_page_is_self_contained_and_escapes_names(made):
    out, document = made
    page = (out / "index.html").read_text()
    assert "<script" not in page and not re.search(r'(src|href)="(?!#)', page)
    assert page.count("<svg") == 2 and 'aria-label="Collapsed latents' in page and "prefers-color-scheme: dark" in page
    assert "−1114.9±1.1" in page and "batch size" in page
    evil = json.loads(json.dumps(document))
    evil["trainings"][0]["data"]["name"] = "<img src=x>"
    text = render(evil, out)
    assert "<img" not in text and "&lt;img" in text


def test_the_scale_of_print_is_found_from_the_constants():
    """MNIST with the logit transform: theory 5.2 has 4619.7 for the log-Jacobian, -4347.4 for 784 log 256."""
    rows = [row for row in printed_tables() if row.table == 2]
    one = trained(**LIKE_PAPER)
    jacobian = SimpleNamespace(mean_log_jacobian=4619.7)
    found = _scale(replace(one, material=SimpleNamespace(rows=jacobian, J=4619.7 - 784 * np.log(256))), rows)
    assert found["nearest"] == "0..255"
    np.testing.assert_allclose(found["printed_constant"], 272.9, atol=1)  # the median of rounded rows
    moved = _scale(replace(one, material=SimpleNamespace(rows=jacobian, J=4000.0)), rows)
    assert moved["nearest"] == "model"


def test_interrupted_it_goes_on_with_the_same_command(capsys, monkeypatch, tmp_path, made):
    pytest.importorskip("safetensors")
    argv = ["tables", "2", *SMALL, "--epochs", "3", "--seeds", "1", "--out", str(tmp_path)]
    with interrupting(monkeypatch, after=1):
        assert main(argv) == 130
    told = capsys.readouterr()
    assert "kept" in told.err and "the same command continues" in told.err and not (tmp_path / "tables.json").exists()
    assert main([*argv, "--json"]) == 0
    told = capsys.readouterr()
    document = check("tables", json.loads(told.out))
    assert "continuing" in told.err and document["rows"][0]["trials"] == 1
    assert document["rows"][0]["cells"]["elbo"]["spread"] is None


BAD = {
    "table 6": ["6"],
    "unknown data": ["2", "--data", "nonsense"],
    "both would stand for": ["2", "--data", "digits", "mnist"],
    "learning_rate": ["2", "--learning-rates", "0"],
    "seeds = 0": ["2", "--seeds", "0"],
    "epochs = 0": ["2", "--epochs", "0"],
    "k = 0": ["2", "-k", "0"],
    "can be halved 7 times": ["1", "--data", "patches:4", "--channels", *"22222222"],
    "nothing to train": ["3", "--preset", "paper"],
    "--hidden: is for MNIST's rows": ["3", "--hidden", "4"],
    "--channels: is for CelebA's rows": ["2", "--channels", "4", "4"],
    "--data patches:9: is for CelebA's rows": ["2", "--data", "patches:9"],
    "backend cupy": ["2", "--backend", "cupy"],
    "precision tf32": ["2", "--backend", "numpy", "--precision", "tf32"],
    "cannot be written": ["2", "--out", "FILE/below"],
}


@pytest.mark.parametrize("said", BAD)
def test_bad_input_gets_one_line(said, capsys, tmp_path, monkeypatch):
    from gpu import device

    monkeypatch.setattr(device, "find_device", lambda: device.Device(False, reason="there is none"))
    (tmp_path / "file").write_text("")
    monkeypatch.chdir(tmp_path)
    options = [word.replace("FILE", str(tmp_path / "file")) for word in BAD[said]]
    assert main(["tables", *options, "--quiet"]) == 2
    told = capsys.readouterr()
    assert told.out == "" and said in told.err
    assert told.err.count("\n") == 1 and told.err.startswith("elbo-verify: ")


def test_a_training_that_blew_up_with_numbers_is_said(made):
    """Its last epoch is worse than its first: finite, so not frozen."""
    one = Outcome(Run(1.0, False), evaluation(elbo=-2e29), None, [[8.0, 1.0, 1.0], [7.0, 1.0, 1.0]])
    assert worsened(one, 2)
    assert not worsened(replace(one, evaluation=evaluation(elbo=-3.0)), 2)
    assert not worsened(replace(one, evaluation=None), 2)
    document = copy.deepcopy(made[1])
    assert document["trainings"][0]["worsened"] == 0
    document["trainings"][0]["worsened"] = 1
    assert any("1 of" in note and "blew up" in note for note in tables_text.caveats(document))
    assert "blew up" in "\n".join(map(str, tables_text.pieces(document)))
    assert "1 of" in (page := render(document, made[0])) and "blew up" in page
    assert "blew up" not in render(made[1], made[0])


def test_every_precision_can_be_asked_for():
    parser = argparse.ArgumentParser()
    trials(parser, "", "")
    assert all(parser.parse_args(["--precision", name]).precision == name for name in PRECISIONS)


def test_another_precision_is_said(made):
    document = made[1]
    assert all(training["precision"] == "float32" for training in document["trainings"])
    assert not [note for note in tables_text.caveats(document) if "products in" in note]
    coarse = copy.deepcopy(document)
    coarse["trainings"][0]["precision"] = "tf32"
    assert any(note.endswith("products in tf32, the rest in float32") for note in tables_text.caveats(coarse))


def test_help_says_how_much_work_there_is(capsys):
    assert main(["tables", "--help"]) == 0
    assert "months without a device" in " ".join(capsys.readouterr().out.split())
