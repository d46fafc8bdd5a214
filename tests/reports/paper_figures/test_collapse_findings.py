"""Each finding on collapse shows, does not show, and cannot be told, on models that were made up."""

import pytest

from gpu.vae.evaluation import EPSILONS
from gpu.vae.plan import Outcome, Run
from reports.paper_figures import collapse_findings as findings
from reports.paper_figures.collapse import at_threshold, curve_of, diverged, over_thresholds
from tests.reports.paper_figures.made_up import evaluation, trials


def holds(found):
    assert found["finding"] and found["evidence"]
    return found["holds"]


def test_large_noise():
    large, small = trials(30.0, [90.0, 80.0]), trials(0.1, [10.0, 0.0])
    assert holds(findings.large_noise_collapses([large, small])) is True
    assert holds(findings.large_noise_collapses([trials(30.0, [10.0]), trials(0.1, [10.0, 20.0])])) is False
    # More at 0.01, but fewer beyond: not at whatever threshold.
    crossing = trials(0.1, [10.0], later=95.0)
    assert holds(findings.large_noise_collapses([large, crossing])) is False
    all_lost = [trials(30.0, [100.0]), trials(0.1, [100.0])]
    assert holds(findings.large_noise_collapses(all_lost)) is None
    assert holds(findings.large_noise_collapses([trials(30.0, []), small])) is None
    # Latents that have not settled may still collapse; those of the small noise need not.
    assert holds(findings.large_noise_collapses([trials(30.0, [0.0], moment=2.0), trials(0.1, [5.0])])) is None
    assert holds(findings.large_noise_collapses([large, trials(0.1, [5.0], moment=9.0)])) is True


def linear(percent):
    return [0.0] + [percent] * (len(EPSILONS) - 1)


def test_no_more_than_linear():
    models = [trials(30.0, [90.0]), trials(1.0, [40.0])]
    assert holds(findings.no_more_than_linear(models, [linear(80.0), linear(40.0)])) is True
    assert holds(findings.no_more_than_linear(models, [linear(80.0), linear(41.0)])) is False
    # Where the theory keeps all, there is nothing that could fail.
    assert holds(findings.no_more_than_linear(models, [linear(0.0), linear(0.0)])) is None
    assert holds(findings.no_more_than_linear([trials(30.0, [100.0])], [linear(80.0)])) is None
    assert holds(findings.no_more_than_linear([trials(30.0, [])], [linear(80.0)])) is None
    unfinished = [trials(30.0, [0.0], moment=3.0)]
    assert holds(findings.no_more_than_linear(unfinished, [linear(16.0)])) is None
    assert holds(findings.no_more_than_linear([*unfinished, models[1]], [linear(16.0), linear(50.0)])) is False


def learned(start, percents, end=1.0, **options):
    return trials(start, percents, learned=True, ends=[end] * len(percents), **options)


def test_large_starts():
    assert holds(findings.large_start_collapses([learned(30.0, [90.0]), learned(0.1, [10.0])])) is True
    assert holds(findings.large_start_collapses([learned(30.0, [10.0]), learned(0.1, [10.0])])) is False
    assert holds(findings.large_start_collapses([learned(30.0, [100.0]), learned(0.1, [100.0])])) is None
    moving = learned(30.0, [0.0], end=22.0, tuned=1.0)
    found = findings.large_start_collapses([moving, learned(0.1, [10.0])])
    assert holds(found) is None and "22 times" in found["evidence"]
    # The rest is compared without it: 10% against 5%, not 0% against 5%.
    found = findings.large_start_collapses([moving, learned(10.0, [10.0]), learned(0.1, [5.0])])
    assert holds(found) is True and "Left out, from 30;" in found["evidence"]


def test_starts_against_fixed_noises():
    fixed = [trials(30.0, [90.0, 92.0]), trials(0.1, [0.0, 0.0])]
    near = [learned(30.0, [50.0, 52.0]), learned(0.1, [40.0, 42.0])]
    far = [learned(30.0, [99.0, 99.0]), learned(0.1, [0.0, 0.0])]
    assert holds(findings.narrower_than_fixed(near, fixed)) is True
    assert holds(findings.narrower_than_fixed(far, fixed)) is False
    # 95 +- 7 points against 91 +- 1.4 are the same.
    assert holds(findings.narrower_than_fixed([learned(30.0, [95.0, 85.0]), learned(0.1, [0.0, 0.0])], fixed)) is None
    assert holds(findings.narrower_than_fixed([learned(30.0, [1.0])], fixed)) is None
    # What lies far off because it is unfinished does not count, nor does the fixed noise of that start.
    unfinished, wide = learned(0.01, [0.0, 0.0], before=0.5), trials(0.01, [0.0, 0.0])
    assert holds(findings.narrower_than_fixed([*far, unfinished], [*fixed, wide])) is False
    assert holds(findings.narrower_than_fixed([near[0], unfinished], [*fixed, wide])) is None


def test_whether_the_start_matters():
    apart = [learned(30.0, [90.0, 92.0]), learned(0.1, [10.0, 12.0])]
    assert holds(findings.start_matters(apart)) is True
    luck = [learned(30.0, [20.0, 60.0]), learned(0.1, [10.0, 50.0])]
    assert holds(findings.start_matters(luck)) is False
    assert holds(findings.start_matters([apart[0], learned(0.1, [10.0, 12.0], moment=2.0)])) is None
    assert holds(findings.start_matters([learned(30.0, [90.0]), learned(0.1, [10.0])])) is None
    assert holds(findings.start_matters([learned(30.0, [100.0]), learned(0.1, [100.0])])) is None


def test_another_draw_of_the_noise():
    models = [trials(1.0, [40.0])]
    same = [curve_of(models[0].evaluations)[0]]
    assert holds(findings.robust(models, same)) is True
    [moved] = [[*same[0][:-1], same[0][-1] + 11]]
    found = findings.robust(models, [moved])
    assert holds(found) is False and "11 at most (sigma2 = 1, epsilon = 2)" in found["evidence"]
    assert holds(findings.robust(models, [None])) is None
    assert holds(findings.robust([trials(1.0, [100.0])], [linear(100.0)])) is None


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
