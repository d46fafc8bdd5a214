"""elbo-verify figures: what every figure has, files that join, folders that are refused, bad input."""

import csv
import json
import shlex

import pytest
from markupsafe import escape

from reports.cli import main, parser
from reports.commands.figures import unused
from reports.paper_figures import text
from reports.paper_figures.declared import FIGURES, chosen, figure
from reports.paper_figures.page import render
from reports.paper_figures.setting import Setting, setting_of
from reports.terminal.console import Session
from reports.training.experiment import Bench, divided
from tests.reports.schemas import check
from verify.errors import InputError


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Figure 2 of the digits: the folder and figures.json."""
    out = tmp_path_factory.mktemp("figures")
    assert main(["figures", "2", "--out", str(out), "--quiet"]) == 0
    return out, json.loads((out / "figures.json").read_text())


@pytest.mark.parametrize("number", FIGURES)
def test_every_figure_says_what_the_paper_shows(number):
    module = figure(number)
    assert module.TITLE and module.PAPER and f"Figure {number}" in module.SOURCE
    assert module.DATASET in ("mnist", "celeba64")


@pytest.mark.parametrize("preset", ["quick", "paper"])
@pytest.mark.parametrize("number", FIGURES)
def test_experiments_are_named_and_equal_for_equal_settings(number, preset):
    setting = setting_of(preset, ["celeba:photographs"])
    first, second = (figure(number).experiments(setting) for _ in range(2))
    assert list(first) == list(second)
    assert len({(one.name, one.data) for one in first}) == len(set(first))


def test_the_document_is_valid_and_every_file_is_there(made):
    out, document = made
    [entry] = check("figures", document)["figures"]
    assert entry["figure"] == 2 and not entry["left_out"]
    assert {p.name for p in out.iterdir()} == {
        "figures.json", "index.html", "figure-2.svg", "figure-2.png", "figure-2.csv",
    }  # fmt: skip
    lines = list(csv.DictReader((out / "figure-2.csv").read_text().splitlines()))
    assert {line["line"] for line in lines} == {line["name"] for line in entry["panels"][0]["lines"]}
    page = (out / "index.html").read_text()
    assert "<svg" in page and entry["findings"][0]["finding"].split(" at ")[0] in page


def test_a_second_run_writes_the_same_bytes_and_another_figure_joins(made, tmp_path):
    out, _ = made
    assert main(["figures", "2", "--out", str(tmp_path), "--quiet"]) == 0
    other = {p.name: p.read_bytes().replace(str(tmp_path).encode(), b"") for p in tmp_path.iterdir()}
    assert other == {p.name: p.read_bytes().replace(str(out).encode(), b"") for p in out.iterdir()}


def test_other_options_do_not_mix_in_one_folder(made, capsys):
    out, _ = made
    assert main(["figures", "2", "--seed", "3", "--out", str(out), "--quiet"]) == 2
    told = capsys.readouterr().err
    assert "other --seed" in told and told.count("\n") == 1


BAD = {
    "figure 14": ["14"],
    "unknown data": ["2", "--data", "nonsense"],
    "both would stand for": ["2", "--data", "digits", "mnist"],
    "learning_rate": ["2", "--learning-rates", "0"],
    "seeds = 0": ["2", "--seeds", "0"],
    "cannot be written": ["2", "--out", "FILE/below"],
    "is a file, not a folder": ["2", "--out", "FILE/below"],
    "is a file, and --out takes a folder": ["2", "--out", "FILE"],
    "wine: Figure 12 needs grey levels, whole numbers from 0 to 255": ["12", "--data", "wine"],
}


@pytest.mark.parametrize("said", BAD)
def test_bad_input_gets_one_line(said, capsys, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.chdir(tmp_path)
    options = [word.replace("FILE", str(tmp_path / "file")) for word in BAD[said]]
    assert main(["figures", *options, "--quiet"]) == 2
    told = capsys.readouterr()
    assert told.out == "" and said in told.err
    assert told.err.count("\n") == 1 and told.err.startswith("elbo-verify: ")


def test_the_command_under_a_figure_makes_that_figure_alone(capsys, tmp_path):
    out = tmp_path / "two words"
    argv = [
        "figures",
        "2",
        "2",
        "--out",
        str(out),
        "--seed",
        "3",
        "--data",
        "digits",
        "--learning-rates",
        "1e-3",
        "1e-2",
    ]
    assert main([*argv, "--quiet"]) == 0
    [entry] = json.loads((out / "figures.json").read_text())["figures"]
    words = shlex.split(entry["command"])
    assert words[:3] == ["elbo-verify", "figures", "2"] and not {"--quiet", "--overwrite"} & {*words}
    before = (out / "figure-2.csv").read_bytes()
    assert main([*words[1:], "--quiet"]) == 0  # with other options it would be refused
    [again] = json.loads((out / "figures.json").read_text())["figures"]
    assert again == entry and (out / "figure-2.csv").read_bytes() == before
    assert str(escape(entry["command"])) in (out / "index.html").read_text()


def test_options_that_change_nothing_are_told():
    def said(*words):
        args = parser("figures").parse_args(["figures", *words])
        setting = setting_of(args.preset, args.data, epochs=args.epochs)
        return unused(args, chosen(args.figures), setting)

    assert said("1", "2") == [] and said("3", "--epochs", "3") == [] == said("1", "3", "--epochs", "3")
    [told] = said("1", "2", "--epochs", "3")
    assert told.startswith("--epochs changes nothing of Figures 1 and 2")
    [told] = said("1", "--epochs", "3", "--learning-rates", "0.1")
    assert told.startswith("--epochs and --learning-rates change nothing of Figure 1,")


def test_findings_differ_by_more_than_their_colour(made):
    out, document = made
    one = document["figures"][0]
    one = one | {"findings": [one["findings"][0] | {"holds": holds} for holds in (True, False, None)]}
    page = render(document | {"figures": [one]}, out)
    for mark, said in (("yes", "shows"), ("no", "does not show"), ("open", "cannot be told")):
        assert f'<dt class="{mark}">{said}</dt>' in page
    assert ".facts .no { color: var(--vermillion); font-weight: 600; }" in page and "font-style: italic; }" in page


def test_numbers_are_chosen_once_and_in_order():
    assert chosen([2, 2]) == [2] and chosen([]) == list(FIGURES)
    with pytest.raises(InputError, match="figure 99"):
        chosen([2, 99])


def test_annealing_takes_the_papers_part_of_all_epochs():
    setting = Setting("quick")
    assert (setting.annealed(1000), setting.seen(1000)) == (100, 80)
    assert (setting.annealed(250), setting.seen(250)) == (25, 20)


def test_findings_that_do_not_show_are_counted():
    entry = {"left_out": None, "findings": [{"holds": True}, {"holds": False}]}
    assert text.verdict_of(entry) == "1 of 2 findings shows, 1 does not"
    entry["findings"].append({"holds": None})
    assert text.verdict_of(entry) == "1 of 3 findings shows, 1 does not, 1 cannot be told"
    entry["findings"] = [{"holds": None}] * 2
    assert text.verdict_of(entry) == "Of none of the 2 findings can anything be told"
    entry["findings"] = [{"holds": True}] * 2
    assert text.verdict_of(entry) == "All 2 findings show"
    entry["findings"] = [{"holds": False}] * 2
    assert text.verdict_of(entry) == "None of 2 findings show"
    entry["findings"] = [{"holds": True}, {"holds": None}]
    assert text.verdict_of(entry) == "1 of 2 findings shows, 1 cannot be told"
    assert text.verdict_of({"left_out": "no images", "findings": []}) == "Left out"


def test_how_data_were_prepared_is_said(made):
    out, document = made
    assert text.prepared(document["figures"][0]["data"][0]) == "divided by 16"
    assert "1797 × 64, divided by 16." in (out / "index.html").read_text()
    logit = {"logit": 1e-6, "levels": 256, "dequantised": True}
    assert text.prepared({"preprocessing": logit}) == "dequantised, logit with alpha = 1e-06"
    assert text.prepared({"preprocessing": {"levels": 256, "dequantised": True}}) == "dequantised"
    assert text.prepared({"preprocessing": {}}) == "values as they are"


def test_only_grey_levels_are_divided(tmp_path):
    """wine is no image: a division by 255 would say that it is one."""
    bench = Bench(tmp_path, Session(quiet=True))
    assert bench.material("wine", 0, **divided("wine")).rows.rows.preprocessing.facts() == {}
    assert bench.material("digits", 0, **divided("digits")).rows.rows.preprocessing.facts() == {"scale": 16.0}
    assert bench.material("patches:6", 0, **divided("patches:6")).rows.rows.preprocessing.facts() == {"scale": 255.0}


def test_numbers_are_printed_as_far_as_their_spread_lets_them_be_known():
    def of(ours, spread):
        return text.shown({"ours": ours, "spread": spread, "printed": 950.7})

    assert of(941.2372, 2.81) == {"ours": "941.2", "spread": "2.8", "printed": "950.7"}
    assert of(96.66667, 14.2)["ours"] == "97"
    assert of(0.1673912, 0.0171)["ours"] == "0.167"
    assert of(96.66667, None) == {"ours": "96.667", "spread": "–", "printed": "950.7"}
    assert of(100.0, 0.0)["ours"] == "100" and of(None, None)["ours"] == "–"
