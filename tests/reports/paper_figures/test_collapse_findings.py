"""Each finding on collapse shows, does not show, and cannot be told, on models that were made up."""

import numpy as np
import pytest

from gpu.vae.plan import Outcome, Run
from reports.paper_figures import collapse_findings as findings
from reports.paper_figures.collapse import at_threshold, curve_of, diverged, over_thresholds
from reports.paper_figures.redrawn import robust
from tests.reports.paper_figures.made_up import FALLS, evaluation, trials
from verify.landscape.collapse import EPSILONS


def holds(found):
    assert found["finding"] and found["evidence"]
    return found["holds"]


def ladder(percents, *, learned=False, **options):
    """Trials at noises a decade apart, from 100 down."""
    return [
        trials(10.0 ** (2 - at), values, learned=learned, ends=[1.0] * len(values) if learned else None, **options)
        for at, values in enumerate(percents)
    ]


def test_large_noise():
    falls = ladder([[90.0, 80.0], [60.0, 50.0], [10.0, 0.0]])
    assert holds(findings.large_noise_collapses(falls)) is True
    up = ladder([[0.0, 10.0], [40.0, 50.0], [90.0, 80.0]])
    assert holds(findings.large_noise_collapses(up)) is False
    flat = ladder([[50.0, 51.0], [51.0, 50.0], [50.0, 51.0]])
    assert holds(findings.large_noise_collapses(flat)) is False
    # 10 points over the range, by trials that spread by as much: chance, or not; nobody can tell.
    vague = ladder([[60.0, 40.0], [55.0, 35.0], [50.0, 30.0]])
    assert holds(findings.large_noise_collapses(vague)) is None
    # More on average, but far fewer beyond a threshold: not at whatever threshold.
    large, small = trials(30.0, [90.0, 91.0]), trials(0.1, [80.0, 81.0])
    assert holds(findings.large_noise_collapses([large, small])) is True
    low = trials(30.0, [100.0, 100.0], later=95.0)
    high = trials(0.1, [0.0, 0.0], later=94.0)
    assert holds(findings.large_noise_collapses([low, high])) is True
    assert holds(findings.large_noise_collapses([trials(30.0, [100.0]), trials(0.1, [100.0])])) is None


def test_single_trials_tell_a_trend_over_many_noises_and_nothing_over_two():
    assert holds(findings.large_noise_collapses(ladder([[90.0], [10.0]]))) is None
    assert holds(findings.large_noise_collapses(ladder([[95.0], [90.0], [60.0], [20.0], [5.0], [0.0]]))) is True
    assert holds(findings.large_start_collapses(ladder([[20.0], [90.0], [5.0], [80.0], [0.0]], learned=True))) is None


def test_what_is_unfinished_speaks_neither_for_nor_against():
    """At the largest noise nothing collapses and at the smallest all, and then the other way round."""
    middle = ladder([[60.0, 50.0], [40.0, 30.0], [10.0, 0.0]])
    for lowest, highest in (([0.0, 0.0], [99.0, 99.0]), ([99.0, 99.0], [0.0, 0.0])):
        far = [trials(1e4, lowest, error=FALLS), *middle, trials(1e-4, highest, error=FALLS)]
        found = findings.large_noise_collapses(far)
        assert holds(found) is True and "Left out" in found["evidence"]
        assert found["evidence"].split(". Left out")[0] == findings.large_noise_collapses(middle)["evidence"]
    finished_alone = [trials(1e4, [99.0, 99.0], error=FALLS), trials(1.0, [0.0, 1.0])]
    assert holds(findings.large_noise_collapses(finished_alone)) is None


def test_the_papers_own_threshold_is_told_beside_the_mean_over_all():
    """At 0.01 the starts are alike; beyond, they are not."""
    beyond = ((10.0, 90.0), (1.0, 60.0), (0.1, 30.0))
    alike = [trials(s, [50.0, 51.0], learned=True, ends=[1.0, 1.0], later=c) for s, c in beyond]
    found = findings.large_start_collapses(alike)
    assert holds(found) is True and "averaged over the thresholds" in found["finding"]
    assert "At epsilon = 0.01 alone it does not show: 50.5% at 10" in found["evidence"]


def linear(percent):
    return [0.0] + [percent] * (len(EPSILONS) - 1)


def test_no_more_than_linear():
    models = [trials(30.0, [90.0]), trials(1.0, [40.0])]
    assert holds(findings.no_more_than_linear(models, [linear(80.0), linear(40.0)])) is True
    assert holds(findings.no_more_than_linear(models, [linear(80.0), linear(41.0)])) is False
    # One trial keeps more and another fewer: neither.
    assert holds(findings.no_more_than_linear([trials(30.0, [90.0, 70.0])], [linear(80.0)])) is None
    # Where the theory keeps all, there is nothing that could fail.
    assert holds(findings.no_more_than_linear(models, [linear(0.0), linear(0.0)])) is None
    assert holds(findings.no_more_than_linear([trials(30.0, [100.0])], [linear(80.0)])) is None
    assert holds(findings.no_more_than_linear([trials(30.0, [])], [linear(80.0)])) is None
    # Unfinished, neither for nor against.
    for percents in ([0.0], [90.0]):
        unfinished = [trials(30.0, percents, error=FALLS)]
        assert holds(findings.no_more_than_linear(unfinished, [linear(16.0)])) is None
        assert holds(findings.no_more_than_linear([*unfinished, models[1]], [linear(16.0), linear(50.0)])) is False
    assert "of ours" in findings.no_more_than_linear(models, [linear(80.0), linear(40.0)])["finding"]


def learned(start, percents, end=1.0, **options):
    return trials(start, percents, learned=True, ends=[end] * len(percents), **options)


def test_large_starts():
    def judged(*starts):
        return findings.large_start_collapses(starts)

    assert holds(judged(learned(30.0, [90.0, 88.0]), learned(0.1, [10.0, 12.0]))) is True
    assert holds(judged(learned(30.0, [10.0, 12.0]), learned(0.1, [10.0, 12.0]))) is False
    assert holds(judged(learned(30.0, [90.0, 10.0]), learned(0.1, [20.0, 50.0]))) is None  # chance
    assert holds(judged(learned(30.0, [100.0]), learned(0.1, [100.0]))) is None
    moving = learned(30.0, [0.0, 0.0], end=22.0, tuned=1.0)
    found = judged(moving, learned(0.1, [10.0, 11.0]))
    assert holds(found) is None and "22 times" in found["evidence"]
    # The rest is compared without it.
    found = judged(moving, learned(10.0, [10.0, 11.0]), learned(0.1, [5.0, 6.0]))
    assert holds(found) is True and ": 30 (0); training" in found["evidence"]


def test_starts_against_fixed_noises():
    fixed = [trials(30.0, [90.0, 92.0]), trials(0.1, [0.0, 0.0])]
    near = [learned(30.0, [50.0, 52.0]), learned(0.1, [40.0, 42.0])]
    far = [learned(30.0, [99.0, 99.5]), learned(0.1, [0.0, 0.0])]
    assert holds(findings.narrower_than_fixed(near, fixed)) is True
    assert holds(findings.narrower_than_fixed(far, [trials(30.0, [60.0, 62.0]), fixed[1]])) is False
    # 90 points, give or take some, against 91 are the same.
    assert holds(findings.narrower_than_fixed([learned(30.0, [95.0, 85.0]), learned(0.1, [0.0, 0.0])], fixed)) is None
    assert holds(findings.narrower_than_fixed([learned(30.0, [1.0])], fixed)) is None
    # Of single trials nothing is known.
    single = [trials(30.0, [90.0]), trials(0.1, [0.0])]
    found = findings.narrower_than_fixed([learned(30.0, [50.0]), learned(0.1, [40.0])], single)
    assert holds(found) is None and "one trial each" in found["evidence"]
    # What lies far off because it is unfinished does not count, on whichever side, nor does its counterpart.
    unfinished, wide = learned(0.01, [0.0, 0.0], moved=2.0), trials(0.01, [0.0, 0.0])
    assert holds(findings.narrower_than_fixed([near[0], unfinished], [*fixed, wide])) is None
    assert holds(findings.narrower_than_fixed(near, [fixed[0], trials(0.1, [0.0, 0.0], error=FALLS)])) is None


def test_whether_the_start_matters():
    apart = [learned(30.0, [90.0, 92.0]), learned(0.1, [10.0, 12.0])]
    assert holds(findings.start_matters(apart)) is True
    luck = [learned(30.0, [20.0, 60.0]), learned(0.1, [10.0, 50.0])]
    assert holds(findings.start_matters(luck)) is None  # a difference that matters need not have shown
    same = [learned(s, [50.0, 50.5]) for s in (30.0, 1.0, 0.1)]
    assert holds(findings.start_matters(same)) is False  # here it would have
    assert holds(findings.start_matters([apart[0], learned(0.1, [10.0, 12.0], error=FALLS)])) is None
    assert holds(findings.start_matters([learned(30.0, [90.0]), learned(0.1, [10.0])])) is None
    assert holds(findings.start_matters([learned(30.0, [100.0]), learned(0.1, [100.0])])) is None


def test_no_points_beyond_a_hundred_are_said():
    few = findings.start_matters([learned(1.0, [50.0, 0.0]), learned(10.0, [10.0, 90.0])])
    assert few["holds"] is None and "too much for so few trials to tell any two starts apart" in few["evidence"]
    assert "so few trials cannot tell that from chance" in few["evidence"]


def test_ten_starts_that_are_alike_seldom_seem_to_matter():
    """The farthest two of ten means lie three standard errors apart by chance alone, more often than not."""
    rng, told = np.random.default_rng(0), 0
    for _ in range(100):
        starts = [learned(10.0 ** (1 - at / 2), (50 + 5 * rng.normal(size=2)).tolist()) for at in range(10)]
        told += findings.start_matters(starts)["holds"] is True
    assert told <= 14  # 5, and four standard deviations of that


def test_another_draw_of_the_noise():
    models = [trials(1.0, [40.0])]
    same = [curve_of(models[0].evaluations)[0]]
    assert holds(robust(models, same)) is True
    [moved] = [[*same[0][:-1], same[0][-1] + 11]]
    found = robust(models, [moved])
    assert holds(found) is False and "11 at most (sigma2 = 1, epsilon = 2)" in found["evidence"]
    assert holds(robust(models, [None])) is None
    assert holds(robust([trials(1.0, [100.0])], [linear(100.0)])) is None


def test_curves_are_means_over_trials_with_their_spread():
    mean, spread = curve_of([evaluation(40.0), evaluation(50.0, later=60.0)])
    assert mean[0] == 0 and mean[1] == 45 and mean[-1] == 50
    assert spread[1] == pytest.approx(50**0.5) and spread[-1] == pytest.approx(200**0.5)
    assert curve_of([evaluation(40.0)])[1] is None
    assert curve_of([])[0][1] is None
    assert at_threshold([evaluation(40.0, later=60.0)], 0.5) == (60.0, None)
    assert over_thresholds(evaluation(40.0, later=60.0)) == pytest.approx((40 + 49 * 60) / 50)


def test_models_that_blew_up_do_not_count():
    """The ELBO of the first epoch, from error and KL: -0.5 (1 + log 2 pi) - 1 nats of one dimension."""
    alive = Outcome(Run(1.0, False), evaluation(0.0), None, [[200.0, 1.0, 1.0]])
    assert not diverged(alive, 1) and alive.elbos(1)[0] < -100
    assert diverged(Outcome(Run(1.0, False), evaluation(0.0), None, [[1.0, 1.0, 1.0]]), 1)
    assert diverged(Outcome(Run(1.0, False), None, 3, []), 1)
