"""Verdicts from documents alone: what each number changes, and nothing else."""

import pytest

from tests.verify.measured_facts import facts
from verify.landscape.judged import reasons, settled, surely, verdict


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({}, "optimum"),
        ({"linear_below": 3.0}, "training"),
        ({"linear_below": 0.09}, "optimum"),
        # A hundredth of what another noise brings is beside the point, where the noise is too large.
        ({"linear_below": 3.0, "tuned_sigma2": 0.1, "tuning_gain": 301.0}, "noise"),
        ({"linear_below": 3.1, "tuned_sigma2": 0.1, "tuning_gain": 301.0}, "training"),
        ({"linear_below": 3.0, "tuned_sigma2": 9.0, "tuning_gain": 301.0}, "training"),
        ({"linear_below": 3.0, "linear_below_error": 2.0}, "undecided"),
        ({"revival_within": 1, "revival_within_nats": 2.0, "revival_within_error": 0.1}, "training"),
        ({"revival_within": 1, "revival_within_nats": 2.0, "revival_within_error": 1.0}, "undecided"),
        ({"revival_within": 1, "revival_within_nats": 2.0, "tuned_sigma2": 0.5, "tuning_gain": 2.0}, "mixed"),
        ({"revival_within": 2, "revival_within_nats": 2.0, "tuned_sigma2": 0.5, "tuning_gain": 2.0}, "training"),
        # A regression on few rows finds -12 +- 11 nats of the 60 that there are, of 200 at most.
        ({"revival_within_nats": -12.0, "revival_within_error": 11.0, "revival_at_most": 200.0}, "undecided"),
        ({"revival_within_nats": -12.0, "revival_within_error": 11.0, "revival_at_most": 0.05}, "optimum"),
        ({"revival_within_nats": -12.0, "revival_within_error": 1.0, "revival_at_most": 200.0}, "optimum"),
        ({"revival_within_nats": -12.0, "revival_within_error": 11.0}, "optimum"),
        ({"tuned_sigma2": 0.5, "tuning_gain": 2.0}, "noise"),
        ({"tuned_sigma2": 0.5, "tuning_gain": 0.05}, "optimum"),
        # At the means, two latents of ten columns may hide a fifth of the noise.
        ({"tuned_sigma2": 0.75, "tuning_gain": 2.0, "elbo_from": "posterior mean"}, "undecided"),
        ({"tuned_sigma2": 0.65, "tuning_gain": 2.0, "elbo_from": "posterior mean"}, "noise"),
        ({"tuned_sigma2": 0.75, "tuning_gain": 2.0}, "noise"),
        ({"linear_beyond_noise": 2}, "data"),
        ({"linear_beyond_noise": 2, "tuned_sigma2": 0.5, "tuning_gain": 2.0}, "data"),
        ({"collapsed": [], "tuned_sigma2": 0.5, "tuning_gain": 2.0}, "optimum"),
        ({"tuned_sigma2": None, "tuning_gain": None}, "undecided"),
        ({"elbo": None, "revival": None, "linear_below": None}, "undecided"),
    ],
)  # fmt: skip
def test_verdicts(changed, wanted):
    assert verdict(facts(**changed)) == wanted


def test_what_is_sure():
    assert surely(None, None) is None and surely(0.05, 0.0) is False and surely(1.0, 0.3) is True
    assert surely(1.0, 0.4) is None and surely(-5.0, 0.1) is False


def test_a_noise_is_too_large_only_where_it_costs():
    assert reasons(facts(tuned_sigma2=0.5, tuning_gain=5.0)).noise_too_large
    assert not reasons(facts(tuned_sigma2=0.5, tuning_gain=0.01)).noise_too_large
    assert not reasons(facts(tuned_sigma2=2.0, tuning_gain=5.0)).noise_too_large


def test_what_a_bounded_output_cannot_follow_is_no_fault_of_its_training():
    changed = {"linear_below": 7.0, "output": "bounded"}
    assert verdict(facts(**changed)) == "undecided" and verdict(facts(linear_below=7.0, output="linear")) == "training"
    assert verdict(facts(linear_below=-7.0, output="bounded")) == "optimum"


def test_what_lies_on_a_limit_is_not_beyond_it():
    assert surely(0.1, 0.0) is False and surely(3.0, 1.0) is None and surely(2.0, 0.0, least=2.0) is False
    assert reasons(facts(tuned_sigma2=0.9, tuning_gain=5.0)).noise_too_large is False
    assert reasons(facts(tuned_sigma2=0.5, tuning_gain=0.1)).noise_too_large is False
    assert reasons(facts(tuned_sigma2=0.5, tuning_gain=None, linear_below=0.5)).below_linear is True


@pytest.mark.parametrize("s", [4.0, 0.25])
def test_noise_and_errors_are_compared_in_their_units(s):
    told = {"sigma2": s, "tuning_gain": 5.0, "elbo_from": "posterior mean"}
    assert reasons(facts(tuned_sigma2=0.95 * s, **told)).noise_too_large is False
    # 2 of 4 latents are in use, n = 10: up to s/5 may be missing from errors at the means.
    assert reasons(facts(tuned_sigma2=0.71 * s, **told)).noise_too_large is None
    assert reasons(facts(tuned_sigma2=0.69 * s, **told)).noise_too_large is True


def test_one_collapsed_latent_is_judged_as_several():
    assert verdict(facts(collapsed=[4], linear_beyond_noise=3)) == "data"
    assert verdict(facts(collapsed=[4], linear_beyond_noise=4, tuned_sigma2=0.5, tuning_gain=2.0)) == "noise"


def test_without_an_elbo_the_residual_decides_and_without_that_nothing_does():
    unknown = {"elbo": None, "elbo_from": None, "linear_below": None}
    assert (
        verdict(facts(**unknown, tuned_sigma2=0.5, tuning_gain=2.0, revival_within=1, revival_within_nats=3.0))
        == "mixed"
    )
    assert verdict(facts(**unknown, collapsed=[])) == "optimum"
    assert verdict(facts(revival=None, elbo=-14.0)) == "undecided"


def test_a_regression_that_finds_nothing_leaves_it_open_only_above_the_limit():
    found = {"revival_within_nats": 0.05, "revival_within_error": 1.0}
    assert reasons(facts(**found, revival_at_most=5.0)).revivable is None
    assert reasons(facts(**found, revival_at_most=0.1)).revivable is False


def test_a_certified_bound_settles_what_chance_leaves_open():
    """All have collapsed, at a noise from which on no decoder beats that: an uncertain gain is none."""
    open_ = {"collapsed": [1, 2, 3, 4], "revival_within": 1, "revival_within_nats": 2.0, "revival_within_error": 1.0}
    bounds = {"lower": 0.8, "data": 50.0}
    proved = facts(**open_, any_decoder={**bounds, "upper": 1.0})
    assert settled(proved) and verdict(proved) == "optimum" and reasons(proved).revivable is False
    for changed in (
        facts(**open_),
        facts(**open_, any_decoder=None),
        facts(**open_, any_decoder={**bounds, "upper": None}),
        facts(**open_, any_decoder={**bounds, "upper": 1.0000001}),
        facts(**open_ | {"collapsed": [2, 3, 4]}, any_decoder={**bounds, "upper": 1.0}),
    ):
        assert not settled(changed) and verdict(changed) == "undecided"
    # A gain that is sure is one all the same: these latents say a little, and the decoder is not at its best.
    sure = facts(**open_ | {"revival_within_error": 0.1}, any_decoder={**bounds, "upper": 1.0})
    assert verdict(sure) == "training"
