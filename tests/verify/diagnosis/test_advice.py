"""Advice from documents alone: what each number changes, and nothing else."""

import math

import pytest

from tests.verify.measured_facts import facts
from verify.diagnosis.advice import advice, spoken


def changes(**changed):
    return [line["change"].partition(":")[0] for line in advice(facts(**changed))]


def test_what_brings_most_comes_first():
    lines = advice(
        facts(tuning_gain=2.0, tuned_sigma2=0.5, linear_below=7.0, revival_bias_nats=3.0, rescaling_nats=1.0)
    )
    known = [line["nats"] for line in lines]
    assert known == sorted(known, reverse=True) and known[:4] == [7.0, 3.0, 2.0, 1.0]
    assert lines[3]["change"].startswith("epochs")


@pytest.mark.parametrize("named", ["noise", "training"])
def test_what_the_verdict_names_comes_before_all(named):
    changed = {"tuning_gain": 2.0, "tuned_sigma2": 0.5, "linear_below": 7.0, "revival_bias_nats": 1.0}
    assert changes(verdict=named, **changed)[0] == named
    assert changes(verdict=named, linear_sigma2_mle=0.04, linear_value_mle=90.0, **changed)[-1] == "scale"


def test_a_bounded_output_is_not_blamed_for_what_linear_maps_do():
    changed = {"linear_below": 7.0, "output": "bounded"}
    (line,) = [line["change"] for line in advice(facts(**changed)) if "sigmoid" in line["change"]]
    assert "without a sigmoid" in line and not any("sigmoid" in x["change"] for x in advice(facts(linear_below=7.0)))


def test_of_a_noise_that_is_learned_nothing_is_said():
    changed = {"tuning_gain": 2.0, "tuned_sigma2": 0.5, "linear_sigma2_mle": 0.04, "linear_value_mle": -2.0}
    assert {"noise", "scale"} <= set(changes(**changed))
    told = [line["change"].partition(":")[0] for line in advice(facts(**changed), learned=True)]
    assert not {"noise", "scale"} & set(told) and "k" in told


def test_where_the_escape_is_found_is_said_as_it_is_asked_for():
    changed = facts(revival_within=1, revival_within_nats=2.0)
    assert any("--save-escape" in line["change"] for line in advice(changed))
    assert not any("--save-escape" in line["change"] for line in advice(changed, hint=""))


def test_the_noise_is_told_as_the_loss_writes_it():
    loss = {"words": "w", "error_weight": 1.0, "kl_weight": 2.0}
    told = advice(facts(loss=loss, beta=2.0, tuned_sigma2=0.25, tuning_gain=3.0))
    assert any("beta = 0.5 in place of 2" in line["change"] for line in told)
    told = advice(facts(beta=2.0, tuned_sigma2=0.25, tuning_gain=3.0))
    assert any("with beta = 1; or beta = 0.5 at your sigma2" in line["change"] for line in told)


def test_the_scale_is_the_same_noise_in_other_units():
    (line,) = [
        line
        for line in advice(facts(linear_sigma2_mle=0.04, linear_value_mle=-2.0, tuned_sigma2=0.5, tuning_gain=2.0))
        if line["change"].startswith("scale")
    ]
    assert f"data multiplied by {math.sqrt(1 / 0.04):.3g}" in line["change"] and line["nats"] == 12.0


def test_what_does_not_pay_is_not_advised():
    assert changes() == ["k", "warm-up"]  # both bring nothing, and say so
    assert all(line["nats"] == 0 for line in advice(facts()))
    assert "k" not in changes(collapsed=[], revival_directions=5, revival_further_nats=0.05)
    assert "k" in changes(collapsed=[], revival_directions=5, revival_further_nats=3.0)
    assert "epochs" in changes(rescaling_nats=1.0) and "epochs" not in changes(held_out=True, rescaling_nats=1.0)
    assert "epochs" not in changes(rescaling_nats=None)


def test_latents_that_say_much_are_not_for_nothing():
    """By an epsilon of 2 nats all of these count as collapsed."""
    assert "k" in changes() and "k" not in changes(collapsed=[2, 3, 4]) and "k" not in changes(collapsed=[1, 3])
    assert spoken(facts(collapsed=[2, 3])) == 0.501 and spoken(facts(collapsed=[])) == 0


@pytest.mark.parametrize(("tuned", "bound"), [(0.5, "at most"), (2.0, "at least")])
def test_errors_at_the_means_are_bounds_of_what_another_noise_brings(tuned, bound):
    """By the definition: at the noise that they ask for, the ELBO with errors that are a tenth larger."""
    told = facts(tuned_sigma2=tuned, tuning_gain=5 * (tuned - 1 - math.log(tuned)), elbo_from="posterior mean")
    (line,) = [line for line in advice(told) if "these reconstructions" in line["change"]]
    assert f"; {bound}, as the error" in line["change"]
    true = -5 * math.log(tuned) - 5 * 1.1 * tuned * (1 / tuned - 1)
    assert (true < line["nats"]) == (bound == "at most")
    (drawn,) = [line for line in advice(told | {"elbo_from": "draws"}) if "these reconstructions" in line["change"]]
    assert "at the means" not in drawn["change"]


def test_one_latent_is_one():
    (line,) = [
        x for x in advice(facts(collapsed=[], revival_directions=1, revival_further_nats=3.0)) if "more" in x["change"]
    ]
    assert "1 more latent," in line["change"]
