"""Each finding on annealing shows, does not show, and cannot be told, on numbers that were made up."""

from dataclasses import replace

import numpy as np

from reports.paper_figures import annealing_findings as findings
from reports.paper_figures.settled import unsettled
from reports.training import settled
from tests.reports.paper_figures.made_up import trials


def lower(*pairs):
    return findings.lower("less", list(pairs), "%")["holds"]


def test_less_means_less_at_one_noise_and_more_at_none():
    less, more, same = (1.0, [1.0, 2.0], [8.0, 9.0]), (2.0, [8.0, 9.0], [1.0, 2.0]), (3.0, [1.0, 5.0], [2.0, 6.0])
    assert lower(less) is True and lower(less, same) is True
    assert lower(more) is False and lower(less, more) is False and lower(same) is False
    assert lower((1.0, [0.0, 0.0], [0.0, 0.0])) is None  # nothing that could be less
    assert lower((1.0, [], [1.0])) is None
    assert lower((1.0, [1.0], [2.0])) is True  # of single trials nothing is known of their spread


def recovered(*pairs):
    return findings.recovered(list(pairs))["holds"]


def test_what_is_recovered():
    assert recovered((1.0, [50.0, 52.0], [51.0, 53.0]), (2.0, [90.0, 90.0], [94.0, 94.0])) is True
    assert recovered((1.0, [50.0, 52.0], [51.0, 53.0]), (2.0, [50.0, 50.0], [94.0, 94.0])) is False
    assert recovered((1.0, [40.0, 60.0], [55.0, 75.0])) is True  # 15 points, within the spread
    assert recovered((1.0, [0.0], [0.0])) is None
    assert recovered() is None


def test_what_standard_training_leaves():
    def stays(*several):
        return findings.standard_stays_collapsed(several)["holds"]

    much, little = ([percent] for percent in (60.0, 20.0))
    assert stays(trials(30.0, much, learned=True, ends=[4.0])) is True
    assert stays(trials(30.0, much, learned=True, ends=[4.0]), trials(9.0, little, learned=True, ends=[4.0])) is False
    # From below the noise rises, and that start says nothing.
    assert stays(trials(30.0, much, learned=True, ends=[4.0]), trials(1.0, little, learned=True, ends=[4.0])) is True
    assert stays(trials(1.0, much, learned=True, ends=[4.0])) is False
    assert stays(trials(1.0, [], learned=True)) is None


def test_much_smaller_is_half():
    assert findings.much_smaller([(30.0, [1.0], [4.0]), (1.0, [1.0], [1.0])])["holds"] is True
    assert findings.much_smaller([(30.0, [2.1], [4.0])])["holds"] is False
    assert findings.much_smaller([(30.0, [], [4.0])])["holds"] is None


def test_of_unfinished_models_nothing_is_told():
    found = findings.much_smaller([(30.0, [1.0], [4.0])])
    assert findings.open_if("", found) == found
    told = findings.open_if("; training is unfinished", found)
    assert told["holds"] is None and told["evidence"].endswith("unfinished")


def test_what_is_unfinished():
    assert not unsettled(trials(1.0, [0.0, 50.0], moment=1.4), trials(1.0, []))
    assert "ends at 1" in unsettled(trials(1.0, [0.0], moment=1.6))
    assert "ends at 1" in unsettled(trials(1.0, [0.0], moment=0.4))
    assert not unsettled(trials(30.0, [0.0], learned=True, ends=[1.9], tuned=1.0))
    assert not unsettled(trials(30.0, [0.0], learned=True, ends=[1.0], moved=0.92))
    assert "0.893 times what it was" in unsettled(trials(30.0, [0.0], learned=True, ends=[1.0], moved=1 / 1.12))
    assert "ends at 1" in unsettled(trials(30.0, [0.0], learned=True, ends=[1.0], moment=2.0))
    assert "2.1 times" in unsettled(trials(30.0, [0.0], learned=True, ends=[2.1], tuned=1.0))
    assert "0.4 times" in unsettled(trials(30.0, [0.0], learned=True, ends=[0.4], tuned=1.0))


def test_what_still_moves_is_unfinished_at_a_fixed_noise_too():
    assert not unsettled(trials(1.0, [0.0], error=0.92, kl=0.95))
    assert "squared error is 0.885 times" in unsettled(trials(1.0, [0.0], error=1 / 1.13))
    assert "squared error is 1.13 times" in unsettled(trials(1.0, [0.0], error=1.13))
    # A line through 1, 1.12, 1.26 and 1.41 nats rises by 0.406; the mean of what it moves is a tenth and more.
    assert "the KL rose by 0.41" in unsettled(trials(1.0, [0.0], kl=1.41))
    assert "the KL fell" in unsettled(trials(1.0, [0.0], kl=0.7))


def test_a_few_epochs_are_not_finished_whatever_they_show():
    """All is flat, every moment is 1: as it may be by chance after an epoch."""
    assert "of 1 epochs no end" in unsettled(trials(1.0, [0.0], epochs=1))
    assert unsettled(trials(1.0, [0.0], epochs=9)) and not unsettled(trials(1.0, [0.0], epochs=10))


def test_what_jitters_has_not_moved():
    rng = np.random.default_rng(0)
    for seed in range(20):
        [one] = trials(1.0, [0.0]).outcomes
        jittered = [[float(v) for v in np.exp(rng.normal(0, 0.1, 3))] for _ in range(250)]
        assert not settled.unsettled(replace(one, history=jittered)), seed
