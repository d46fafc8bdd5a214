"""Each finding on annealing shows, does not show, and cannot be told, on numbers that were made up."""

from dataclasses import replace

import numpy as np

from reports.paper_figures import annealing_findings as findings
from reports.paper_figures.settled import unsettled
from reports.training import settled
from tests.reports.paper_figures.made_up import trials


def lower(*pairs, unit="%"):
    return findings.lower("less", list(pairs), unit)["holds"]


def test_less_means_less_at_one_noise_and_more_at_none():
    less, more = (1.0, [11.0, 12.0], [48.0, 49.0]), (2.0, [48.0, 49.0], [11.0, 12.0])
    same = (3.0, [1.0, 2.0], [2.0, 1.0])
    assert lower(less) is True and lower(less, same) is True
    assert lower(more) is False and lower(less, more) is False
    still = (3.0, [20.0, 20.2], [20.2, 20.0])
    assert lower(still) is False  # less would have shown
    assert lower((3.0, [1.0, 15.0], [2.0, 16.0])) is None  # and here it would not
    assert lower((1.0, [0.0, 0.0], [0.0, 0.0])) is None and lower((1.0, [100.0] * 2, [100.0] * 2)) is None
    assert lower((1.0, [], [1.0])) is None


def test_of_single_trials_nothing_is_told():
    assert lower((1.0, [1.0], [90.0])) is None
    assert findings.recovered([(1.0, [50.0], [50.0])])["holds"] is None
    assert findings.recovered([(1.0, [5.0], [50.0])])["holds"] is None
    assert findings.much_smaller([(30.0, [1.0], [9.0])])["holds"] is None


def test_noises_are_compared_by_their_ratio():
    wide = (30.0, [8.0, 9.0], [20.0, 22.0])
    fine = (1.0, [0.10, 0.11], [0.20, 0.21])  # far less than what the others differ by
    assert lower(wide, fine, unit="") is True and lower(fine, unit="") is True
    assert lower((1.0, [0.20, 0.21], [0.10, 0.11]), unit="") is False


def test_four_noises_at_which_nothing_differs_seldom_seem_to():
    rng, told = np.random.default_rng(0), 0
    for _ in range(200):
        pairs = [(s, *(50 + 5 * rng.normal(size=(2, 2))).tolist()) for s in (30.0, 10.0, 3.0, 1.0)]
        told += lower(*pairs) is True
    assert told <= 15  # 2.5%, and four standard deviations of that


def recovered(*pairs):
    return findings.recovered(list(pairs))["holds"]


def test_what_is_recovered():
    assert recovered((1.0, [50.0, 50.5], [51.0, 51.5]), (2.0, [90.0, 90.5], [94.0, 94.5])) is True
    assert recovered((1.0, [50.0, 50.5], [51.0, 51.5]), (2.0, [50.0, 50.5], [94.0, 94.5])) is False
    assert recovered((1.0, [40.0, 60.0], [55.0, 75.0])) is None  # 15 points, within chance: neither
    assert recovered((1.0, [40.0, 60.0], [41.0, 61.0])) is None  # one point, and chance hides forty
    assert recovered((1.0, [0.0], [0.0])) is None
    assert recovered() is None


def test_what_standard_training_leaves():
    def stays(*several):
        return findings.standard_stays_collapsed(several)["holds"]

    much, little = ([percent] for percent in (60.0, 20.0))
    assert stays(trials(30.0, much, learned=True, ends=[4.0])) is True
    assert stays(trials(30.0, much, learned=True, ends=[4.0]), trials(9.0, little, learned=True, ends=[4.0])) is False
    assert stays(trials(30.0, [60.0, 20.0], learned=True, ends=[4.0, 4.0])) is None  # one trial so, one not
    # From below the noise rises, and that start says nothing.
    assert stays(trials(30.0, much, learned=True, ends=[4.0]), trials(1.0, little, learned=True, ends=[4.0])) is True
    assert stays(trials(1.0, much, learned=True, ends=[4.0])) is False
    assert stays(trials(1.0, [], learned=True)) is None


def test_much_smaller_is_half():
    def smaller(*pairs):
        return findings.much_smaller(pairs)["holds"]

    assert smaller((30.0, [1.0, 1.02], [4.0, 4.1]), (1.0, [1.0, 1.01], [1.0, 1.01])) is True
    assert smaller((30.0, [3.0, 3.1], [4.0, 4.1])) is False
    assert smaller((30.0, [2.1, 2.3], [4.0, 4.4])) is None  # half, but for chance
    assert smaller((30.0, [1.0, 9.0], [8.0, 9.0])) is None
    assert smaller((30.0, [], [4.0])) is None


def test_the_papers_own_threshold_is_told_beside():
    whole, near = (findings.lower("less", [(1.0, [1.0, 2.0], [b, b + 1])], "%") for b in (60.0, 1.0))
    found = findings.twice(whole, near)
    assert found["holds"] is True
    assert found["evidence"].startswith("depends on the threshold: 1.5±0.71%")
    assert "At epsilon = 0.01 alone it does not show: 1.5±0.71% against 1.5±0.71%" in found["evidence"]


def test_of_fewer_than_half_of_the_noises_nothing_is_told():
    shown = {"finding": "f", "holds": True, "evidence": "e"}
    assert findings.of_enough(shown, 1, 2) == shown
    few = findings.of_enough(shown, 1, 3)
    assert few["holds"] is None and few["evidence"].startswith("only 1 of 3 noises") and few["evidence"].endswith("e")


def test_percentages_stand_with_their_spread():
    found = findings.lower("less", [(1.0, [40.0, 50.0], [100.0, 100.0])], "%")
    assert found["evidence"].startswith("45±7.1% against 100% at 1 (± standard deviation of 2 trials each)")
    assert "±" not in findings.lower("less", [(1.0, [4.0, 5.0], [9.0, 9.0])])["evidence"]


def test_what_is_unfinished():
    assert not unsettled(trials(1.0, [0.0, 50.0]), trials(1.0, []))
    assert not unsettled(trials(30.0, [0.0], learned=True, ends=[1.9], tuned=1.0))
    assert not unsettled(trials(30.0, [0.0], learned=True, ends=[1.0], moved=0.92))
    assert "0.893 times what it was" in unsettled(trials(30.0, [0.0], learned=True, ends=[1.0], moved=1 / 1.12))
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


def test_a_steady_state_need_not_be_a_stationary_point():
    """At a fixed learning rate steps do not become smaller: moments that stay off 1 announce nothing."""
    [one] = trials(1.0, [0.0]).outcomes
    assert not settled.unsettled(replace(one, evaluation=replace(one.evaluation, second_moment=[3.0] * 15)))


def course_of(error, kl):
    """A history of 250 epochs at noise 1."""
    return [[float(a), float(b), 1.0] for a, b in zip(error, kl, strict=True)]


def test_what_jitters_has_not_moved():
    rng = np.random.default_rng(0)
    [one] = trials(1.0, [0.0]).outcomes
    for seed in range(20):
        calm = course_of(1 + rng.normal(0, 0.1, 250), 20 + rng.normal(0, 0.2, 250))
        assert not settled.unsettled(replace(one, history=calm)), seed
        wild = course_of(1000 + rng.normal(0, 10, 250), np.full(250, 20.0))
        assert not settled.unsettled(replace(one, history=wild)), seed


def test_an_elbo_that_rises_by_a_tenth_of_the_kl_is_unfinished_though_the_error_hardly_moves():
    """1% of an error of 1000 at noise 1 is 5 nats, of a KL of 20."""
    [one] = trials(1.0, [0.0]).outcomes
    falls = 1000 * 0.99 ** np.linspace(0, 10, 250)
    assert "the ELBO rose by 4." in settled.unsettled(replace(one, history=course_of(falls, np.full(250, 20.0))))
    assert not settled.unsettled(replace(one, history=course_of(falls, np.full(250, 60.0))))
