"""Figure 4: what is trained, findings that show, fail or cannot be told, and a tiny training of it."""

import json

import numpy as np
import pytest

from gpu.vae.architecture import Architecture
from gpu.vae.plan import Plan, Run
from reports.cli import main
from reports.paper_figures import figure_4
from reports.paper_figures.courses import Trial
from reports.paper_figures.findings_4 import findings
from reports.paper_figures.setting import setting_of
from tests.reports.schemas import check

OPTIMUM = -100.0


def test_the_papers_experiment_is_this_plan():
    setting = setting_of("paper", epochs=60, learning_rates=[1e-3])
    found = figure_4.experiments(setting)
    widths = [(), (1024,), (1024, 512), (1024, 512, 512)]
    for one, hidden in zip(found, widths, strict=True):
        architecture = Architecture("linear-decoder" if hidden else "linear", 784, 200, hidden)
        assert one.plan(784) == Plan(architecture, (Run(1.0, True, 0, 1e-3),), 60, 500, True)
        assert one.data == "mnist" and one.logit == 1e-6


@pytest.mark.parametrize("preset", ["quick", "paper"])
def test_every_hidden_layer_has_room_for_a_linear_encoder(preset):
    own = figure_4.sizes(setting_of(preset))
    assert all(width >= 2 * own.k for hidden in figure_4.encoders(own) for width in hidden)


def ended(final, rising=False, diverged=False):
    """Two trials that ended a hundredth of a nat apart."""
    y = np.full(60, final) if not rising else np.linspace(final - 30, final, 60)
    x = np.arange(1.0, 61).tolist()
    finals = [None, None] if diverged else [final, final - 0.01]
    return [Trial(s, 1e-3, f, OPTIMUM, x, y.tolist()) for s, f in enumerate(finals)]


def holds(*kinds, complete=False):
    return [one["holds"] for one in findings(figure_4.NAMES, kinds, complete)]


def four(*finals):
    return [ended(f) for f in finals]


def test_all_show_where_depth_costs_and_the_linear_one_is_at_the_optimum():
    assert holds(*four(-100.02, -101, -102, -103)) == [True] * 4


def test_each_fails_where_it_is_otherwise():
    assert holds(*four(-102, -101, -103, -104)) == [False, True, False, False]
    assert holds(*four(-100.02, -101, -99.5, -103))[1] is False  # above what nothing can exceed
    assert holds(*four(-100.02, -100.02, -100.02, -100.02)) == [True, True, False, True]  # alike is no order


def test_pairs_of_the_order_are_named_with_their_difference_and_what_counts():
    evidence = findings(figure_4.NAMES, four(-100.02, -101, -101.07, -99), False)[2]["evidence"]
    assert "from linear encoder to 1 hidden layer: 0.98 lower; " in evidence
    assert "from 1 hidden layer to 2 hidden layers: 0.07 lower, less than the 0.1 that counts; " in evidence
    assert evidence.endswith("from 2 hidden layers to 3 hidden layers: 2.07 higher")
    gone = findings(figure_4.NAMES, [ended(-1, diverged=True), *four(-101, -102, -103)], False)[2]["evidence"]
    assert "from linear encoder to 1 hidden layer: no number, not told" in gone


def test_what_still_rises_may_come_to_lead_unless_the_epochs_are_the_papers():
    last = ended(-103, rising=True)
    assert holds(*four(-100.02, -101, -102), last)[2] is None
    assert holds(*four(-100.02, -101, -102), last, complete=True)[2] is True
    first = ended(-104, rising=True)
    others = four(-101, -102, -103)
    assert holds(first, *others)[0] is None and holds(first, *others, complete=True)[0] is False
    assert holds(first, *others)[3] is None


def test_a_deeper_one_that_still_rises_may_overtake_what_is_not_at_the_optimum():
    rising = [ended(f, rising=True) for f in (-103, -104, -105)]
    assert holds(ended(-102), *rising)[0] is None and holds(ended(-102), *rising, complete=True)[0] is True
    assert holds(ended(-100.02), *rising)[0] is True  # nobody exceeds the optimum


def test_nothing_is_told_where_all_diverged():
    lost = ended(0, diverged=True)
    assert holds(*[lost] * 4) == [None] * 4
    assert holds([], [], [], []) == [None] * 4
    assert holds(lost, *four(-101, -102, -103))[0] is None


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two epochs of it on the digits."""
    out = tmp_path_factory.mktemp("figure-4")
    options = ["--epochs", "2", "--seeds", "1", "--learning-rates", "0.003", "--out", str(out), "--quiet"]
    assert main(["figures", "4", *options]) == 0
    return json.loads((out / "figures.json").read_text())


def test_a_tiny_training_is_drawn_beside_its_optimum(made):
    [entry] = check("figures", made)["figures"]
    climb, distance = entry["panels"]
    assert [one["name"] for one in climb["lines"]] == [*figure_4.NAMES, *figure_4.NAMES, "linear optimum"]
    # Dots stand where the table beside the picture says that each ended.
    dots = [one["y"] for one in climb["lines"] if one["kind"] == "final"]
    assert dots == [[row["ours"]] for row in entry["beside"][:4]]
    assert all(one["x"] == [2] for panel in (climb, distance) for one in panel["lines"] if one["kind"] == "final")
    # What is drawn on the two axes is the same but for the optimum.
    level = climb["lines"][-1]["y"][0]
    for up, down in zip(climb["lines"][:8], distance["lines"], strict=True):
        assert [level - y for y in up["y"]] == pytest.approx(down["y"], rel=1e-9)
    told = {one["finding"][:10]: one["holds"] for one in entry["findings"]}
    assert told["no encoder"] is True and list(told.values()).count(None) == 3


def test_other_data_are_not_compared_with_print(made):
    [entry] = made["figures"]
    assert [row["printed"] for row in entry["beside"]] == [*figure_4.PRINTED, max(figure_4.PRINTED)]
    assert all("not to be compared" in row["difference"] for row in entry["beside"])
    assert not any(one["kind"] == "printed" for panel in entry["panels"] for one in panel["lines"])


def test_one_training_that_leaves_does_not_flatten_the_others():
    x = np.arange(1.0, 61).tolist()
    fine = [Trial(0, 1e-3, -101.0, OPTIMUM, x, (-100 - 30 * np.exp(-np.arange(60) / 10)).tolist()) for _ in range(3)]
    wild = Trial(0, 1e-3, -2e6, OPTIMUM, x, [-2e6] * 60)
    climb, distance = figure_4._panels([[one] for one in (*fine, wild)], OPTIMUM, 0.0, 60, True)
    low, high = climb["ylim"]
    assert -140 < low < -120 < OPTIMUM < high < -95
    assert max(distance["lines"][3]["y"]) == pytest.approx(2e6, rel=1e-3)


def test_a_printed_final_at_the_optimum_has_no_place_on_an_axis_of_distances():
    at = [[Trial(0, 1e-3, -1371.0, -1370.46, [1.0, 2.0], [-1380.0, -1371.0])] for _ in figure_4.NAMES]
    printed = figure_4._panels(at, -1370.46, 272.3, 2, True)[1]["lines"][-1]
    assert printed["kind"] == "printed" and printed["y"][0] is None  # -1098.16 against -1098.2
    assert printed["y"][1] == pytest.approx(10.54, rel=1e-9)
