"""Figure 3: what is trained, findings that show, fail or cannot be told, and a tiny training of it."""

import csv
import json

import numpy as np
import pytest

from gpu.vae.architecture import Architecture
from gpu.vae.plan import Plan, Run
from reports.cli import main
from reports.paper_figures import figure_3, findings_3
from reports.paper_figures.courses import Trial
from reports.paper_figures.setting import setting_of
from tests.reports.schemas import check
from verify.data import load
from verify.models.beta_vae import learned_noise_optimum

STEPS = 200


def test_the_papers_experiment_is_this_plan():
    found = figure_3.experiments(setting_of("paper"))
    assert [(one.seed, one.analytic) for one in found] == [(s, a) for s in range(3) for a in (True, False)]
    rates = (1e-4, 3e-4, 1e-3, 3e-3)
    for one in found:
        runs = tuple(Run(1.0, True, one.seed, rate) for rate in rates)
        assert one.data == "mnist:1000" and one.preparation == {"scale": 255.0}
        assert one.plan(784) == Plan(Architecture("linear", 784, 200), runs, 12000, 1000, one.analytic)


def trained(seed, rate, final, tau, optimum=10.0):
    """A course from -90 towards its end, by a factor e in tau steps."""
    x = np.arange(1.0, STEPS + 1)
    y = (-90 + (final + 90) * (1 - np.exp(-x / tau))).tolist() if final is not None else [float("nan")] * STEPS
    return Trial(seed, rate, final, optimum, x.tolist(), y)


def holds(analytic, stochastic, rates=None, grid=(1e-3, 3e-3), paper=True):
    """Of the four findings, for trials (seed, rate, final, tau)."""
    found = {"analytic": [trained(*a) for a in analytic], "stochastic": [trained(*b) for b in stochastic]}
    best = rates or dict.fromkeys(found, 1e-3)
    return [one["holds"] for one in findings_3.findings(found, best, grid, paper)]


SHOWN = ([(0, 1e-3, 9.9, 20), (1, 1e-3, 9.8, 20)], [(0, 1e-3, 9.3, 30), (1, 1e-3, 9.2, 30)])


def test_all_show_where_the_analytic_one_is_faster_and_ends_higher():
    assert holds(*SHOWN) == [True, True, True, True]


def test_each_fails_where_it_is_otherwise():
    assert holds(*SHOWN[::-1])[:2] == [False, False]
    analytic, stochastic = SHOWN
    # One trial of two is enough to fail; of speed, where trials differ, nothing is told.
    assert holds(analytic, [stochastic[0], (1, 1e-3, 9.95, 10)])[:2] == [False, None]
    # At one learning rate of two it is slower in all trials.
    slower = [[*SHOWN[kind], (0, 3e-3, 9.9, tau), (1, 3e-3, 9.9, tau)] for kind, tau in ((0, 40), (1, 10))]
    assert holds(*slower)[1] is False
    other = [[*trials, (0, 3e-3, 9.99, 20), (1, 3e-3, 9.99, 20)] for trials in ([(0, 1e-3, 5.0, 20)] * 2,) * 2]
    assert holds(*other, rates=dict.fromkeys(("analytic", "stochastic"), 3e-3))[2] is False
    short = [(0, 1e-3, 8.0, 5), (1, 1e-3, 8.0, 5)]  # at its end, 2 nats below the maximum
    assert holds(short, stochastic)[3] is False


def test_nothing_is_told_from_what_diverged_or_does_not_arrive_or_has_no_choice():
    lost = [(s, 1e-3, None, 1) for s in (0, 1)]
    assert holds(lost, SHOWN[1])[0] is None and holds(lost, lost)[1] is None
    none = {"analytic": None, "stochastic": 1e-3}
    assert holds(lost, SHOWN[1], rates=none) == [None, False, None, None]
    slow = [(s, 1e-3, 0.0, 500) for s in (0, 1)]
    assert holds(slow, slow)[1] is None and holds(slow, slow)[3] is None  # still rising
    assert holds(*SHOWN, grid=(1e-3,))[2] is None


def test_on_other_data_only_the_same_rate_is_asked_for():
    better = [[(0, 1e-3, 5.0, 20), (0, 3e-3, 9.0, 20)]] * 2
    same = dict.fromkeys(("analytic", "stochastic"), 3e-3)
    assert holds(*better, rates=same, paper=False)[2] is True
    worse = [(0, 1e-3, 9.0, 20), (0, 3e-3, 5.0, 20)]
    assert holds(worse, better[1], rates={"analytic": 1e-3, "stochastic": 3e-3}, paper=False)[2] is False


def test_a_rate_that_chance_may_have_put_first_is_not_told_to_be_the_best():
    """Two rates end within a hundredth of a nat of each other."""
    close = [[(0, 1e-3, 9.0, 20), (0, 3e-3, 9.01, 20)]] * 2
    for first, second in ((1e-3, 3e-3), (3e-3, 3e-3)):
        assert holds(*close, rates={"analytic": first, "stochastic": second})[2] is None


def test_courses_that_arrive_together_are_not_told_apart():
    """In windows of one step: 94 and 95 are neighbours, 94 and 98 are not."""
    assert holds([(0, 1e-3, 10.0, 20)], [(0, 1e-3, 10.0, 20.2)])[1] is None
    assert holds([(0, 1e-3, 10.0, 20)], [(0, 1e-3, 10.0, 21)])[1] is True


def test_arrival_is_the_first_step_that_has_come_99_percent_of_the_way():
    one = trained(0, 1e-3, 10.0, 20)
    # exp(-x/20) <= 0.01 exp(-1/20) from x = 1 + 20 log 100 = 93.1 on.
    assert findings_3.arrival(one) == 94
    assert findings_3.arrival(trained(0, 1e-3, 5.0, 20)) is None


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Three steps of it on the digits."""
    out = tmp_path_factory.mktemp("figure-3")
    options = ["--epochs", "3", "--seeds", "2", "--learning-rates", "0.01", "0.03", "--out", str(out), "--quiet"]
    assert main(["figures", "3", *options]) == 0
    return out, json.loads((out / "figures.json").read_text())


def test_a_tiny_training_is_drawn_with_the_maximum_of_its_rows(made):
    _, document = made
    [entry] = check("figures", document)["figures"]
    climb = entry["panels"][0]
    [line] = [one for one in climb["lines"] if one["kind"] == "linear"]
    lam = load("digits", scale=16).eigenvalues
    # Eigenvalues of the same rows by another road.
    assert line["y"][0] == pytest.approx(learned_noise_optimum(lam, 20)[1], rel=1e-9)
    assert entry["findings"][1]["holds"] is None and any("3 steps, not 12000" in d for d in entry["deviations"])
    assert all("not to be compared" in row["difference"] for row in entry["beside"])


def test_every_course_is_in_the_csv_and_the_arrays(made):
    out, _ = made
    rows = list(csv.DictReader((out / "figure-3.csv").read_text().splitlines()))
    every = {row["line"] for row in rows if row["title"] == "every model"}
    assert len(every) == 8 and "stochastic, learning rate 0.03, trial 1" in every
    with np.load(out / "figure-3.npz") as arrays:
        assert arrays["elbo"].shape == (2, 4, 3) and np.isfinite(arrays["elbo"]).all()
        assert not np.array_equal(arrays["elbo"][0], arrays["elbo"][1])


def test_more_rows_than_a_full_batch_may_have_are_refused(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(figure_3.FULL, "digits", 1000)
    assert main(["figures", "3", "--epochs", "1", "--out", str(tmp_path / "new"), "--quiet"]) == 2
    told = capsys.readouterr().err
    assert "all rows at once" in told and told.count("\n") == 1


def test_a_printed_final_is_judged_by_what_subsets_differ_by():
    def rows(maxima, comparable=True):
        found = {
            kind: [Trial(s, 1e-3, top - low, top, [1.0], [top - low]) for s, top in enumerate(maxima)]
            for kind, low in (("analytic", 1.0), ("stochastic", 12.0))
        }
        return findings_3.beside(found, dict.fromkeys(found, 1e-3), comparable)

    first, second, gap = rows([942.0, 958.0])
    assert first["ours"] == 949.0 and "1.7 lower, no more than the maxima" in first["difference"]
    assert "end 12, 12 below" in second["difference"]
    assert gap["ours"] == 11.0 and gap["difference"] == "0.4 less than printed"
    assert "49.7 lower, more than" in rows([901.0, 903.0])[0]["difference"]
    assert "maxima" not in rows([950.0])[0]["difference"]
    assert all("not to be compared" in row["difference"] for row in rows([950.0], comparable=False))
