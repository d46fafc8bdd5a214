"""A diagnosis in words: each verdict, singular and plural, and no number that says more than is known."""

import copy

import pytest

from tests.verify.diagnosis.made_up import holding, outputs_of, spread
from verify.diagnosis.document import Asked, diagnosis
from verify.landscape.judged import VERDICTS, verdict
from verify.models.losses import noise_of_loss
from verify.words.diagnosis import at_least, at_most, capital, gain, headline, nats, noise, sections, with_error

LAM = [9.0, 6.0, 4.0, *[0.95] * 5]


@pytest.fixture(scope="module")
def facts():
    """One of three directions is held: two latents would pay."""
    import numpy as np

    lam = np.array(LAM)
    x, U = spread(lam, 900)
    return diagnosis(outputs_of(holding(x, U, lam, [0], 4, 1.0), x), Asked(1.0)).document


def changed(facts, **fields):
    made = copy.deepcopy(facts)
    for name, value in fields.items():
        part, _, inner = name.partition("__")
        if inner:
            made[part][inner] = value
        else:
            made[part] = value
    return made


def test_numbers():
    assert nats(1824.93) == "1824.9" and nats(1.7489) == "1.75" and nats(0.0) == "0"
    assert with_error(2.0, 0.04) == "2.00 ± 0.04 nats" and with_error(28.479, 0.157) == "28.5 ± 0.2 nats"
    assert with_error(1234.5, 12.0) == "1234 ± 12 nats" and with_error(3.0, 0.0) == with_error(3.0, None) == "3 nats"
    # An error of 0.096 is one of 0.1, and the value has as many decimals.
    assert with_error(2.345, 0.096) == "2.3 ± 0.1 nats"
    # Errors of rounding bring no digits.
    assert with_error(3.348707453502976, 9e-17) == "3.35 nats" and with_error(0.1234, 9e-5) == "0.123 nats"
    assert noise(0.1) == "sigma2 = 0.1" and noise(19.6) == "sigma2 = 19.6"
    assert noise(0.018154338826832487) == "sigma2 = 0.01815" and noise(1e-36) == "sigma2 = 1e-36"


def test_training(facts):
    said = headline(facts)
    assert said.startswith("3 of 4 latents have collapsed. It is the training, not the optimum: at the noise that was ")
    assert "2 unused latents, put to linear use, would add" in said and "a linear VAE of the same size is" in said


def test_only_networks_that_contain_the_linear_vae_are_blamed(facts):
    """A sigmoid at the output does not contain it. Where unused latents would pay too, it is clear without."""
    condition = "a linear VAE of the same size, which a wide enough network with linear outputs contains, is"
    alone = changed(facts, revival__within=0, revival__within_nats=0.0)
    assert condition in headline(alone)
    assert "contains" not in headline(facts) and "contains" not in headline(changed(alone, hidden=[64]))


VERDICTS_SAID = {
    "noise": "It is the noise, not the training",
    "data": "the data ask for no more",
    "optimum": "that is no failure",
    "mixed": "It is both, training and noise",
    "undecided": "cannot be told",
    "training": "It is the training, not the optimum",
}


@pytest.mark.parametrize("told", VERDICTS)
def test_every_verdict_is_said(facts, told):
    said = headline(changed(facts, verdict=told))
    assert VERDICTS_SAID[told] in said and said.endswith(".") and said[0] == "3"
    assert len(said) < 300


def test_none_one_and_all(facts):
    assert headline(changed(facts, collapsed=[1, 2, 3, 4], verdict="data")).startswith("All 4 latents have collapsed")
    assert headline(changed(facts, collapsed=[2], verdict="data")).startswith("1 of 4 latents has collapsed")
    assert headline(changed(facts, k=1, collapsed=[1], verdict="data")).startswith("The only latent has collapsed")
    none = changed(facts, collapsed=[], verdict="optimum", linear__below=-0.2, linear__below_error=0.01)
    assert headline(none).startswith(
        "No latent has collapsed at sigma2 = 1, and the ELBO is 0.20 ± 0.01 nats above that of the best linear VAE"
    )
    one = changed(facts, collapsed=[2], revival__within=1, revival__within_nats=2.0, revival__within_error=0.04)
    assert "one unused latent, put to linear use, would add 2.00 ± 0.04 nats" in headline(one)


def test_a_noise_that_costs_much_is_not_passed_over_where_nothing_collapsed(facts):
    none = changed(facts, collapsed=[], verdict="optimum", tuned_sigma2=0.2, tuning_gain=50.0)
    assert "the noise is too large for its errors: a smaller one brings 50 nats" in headline(none)
    assert "too large" not in headline(changed(none, tuning_gain=0.5))
    assert "too large" not in headline(changed(none, tuned_sigma2=3.0))
    assert "brings up to 50 nats" in headline(changed(none, elbo_from="posterior mean"))
    # Errors that are larger still ask for more where they exceed the noise already.
    small = changed(none, elbo_from="posterior mean", tuned_sigma2=3.0)
    assert "too small for its errors: a larger one brings at least 50 nats" in headline(small)


def test_a_noise_fits_only_where_it_does(facts):
    some = changed(facts, verdict="optimum", tuned_sigma2=10.0, tuning_gain=33.6)
    said = headline(some)
    assert "that is no failure" in said and "the noise fits the errors" not in said
    assert said.endswith("would pay. But the noise is too small for its errors: a larger one brings 33.6 nats.")
    assert "the noise fits the errors." in headline(changed(some, tuning_gain=0.5))


def test_the_linear_vae_is_that_of_the_comparison(facts):
    said = dict(sections(changed(facts, linear__latents=2, linear__retained=2)))
    assert any("A linear VAE of 2 latents" in one for one in said["1. The noise"])
    assert any("keeps 2 of 2 latents" in one for one in said["3. Optimum or training"])


def test_what_is_minor_beside_the_noise_does_not_contradict_it(facts):
    """A latent that would pay half a nat, where another noise brings sixty, is told as that in every place."""
    minor = changed(
        facts, verdict="noise", tuned_sigma2=0.05, tuning_gain=61.7, revival__within=1, revival__within_nats=0.45,
        revival__within_error=0.02, linear__below=0.45, linear__below_error=0.02,
    )  # fmt: skip
    assert verdict(minor) == "noise"
    assert "further linear latents would add 0.45 nats, little beside 61.7 of it" in headline(minor)
    said = " ".join(dict(sections(minor))["3. Optimum or training"])
    assert "0.45 ± 0.02 nats worse: little beside another noise." in said and "training failed" not in said
    assert "no further linear latent would pay" in headline(changed(minor, revival__within_nats=0.0))
    assert "training failed" in " ".join(dict(sections(facts))["3. Optimum or training"])


def test_what_is_open_is_what_is_said(facts):
    """Of two nats that are minor beside another noise it is known that they are, and of thirty that are chance not."""
    many = {"tuned_sigma2": 0.05, "tuning_gain": 300.0, "revival__within_nats": 2.0, "revival__within_error": 1.0}
    some = changed(facts, verdict="undecided", linear__below=30.0, linear__below_error=20.0, **many)
    assert verdict(some) == "undecided" and "how far it lies below a linear VAE" in headline(some)
    some = changed(some, revival__within_nats=30.0, revival__within_error=20.0)
    assert verdict(some) == "undecided" and "what further latents would add is within its error" in headline(some)


def test_less_than_nothing_is_nothing(facts):
    said = " ".join(dict(sections(changed(facts, revival__nats=-0.069)))["3. Optimum or training"])
    assert "would add nothing, as that is no more than chance" in said and "-0.069" not in said
    assert "would add nothing" not in " ".join(dict(sections(facts))["3. Optimum or training"])


def test_rows_that_were_not_trained_on_have_their_own_linear_vae(facts):
    """What it has is what it has more than the ELBO."""
    held = changed(facts, held_out=True, elbo=-20.0, linear__below=1.5, linear__below_error=0.1)
    said = " ".join(dict(sections(held))["3. Optimum or training"])
    assert "fitted to the other half of these rows each time, has -18.5, 1.5 ± 0.1 nats more." in said
    assert "on the same rows has" in " ".join(dict(sections(facts))["3. Optimum or training"])


def test_the_four_questions(facts):
    found = sections(facts)
    assert [question[:2] for question, _ in found] == ["1.", "2.", "3.", "4."]
    for _, sentences in found:
        assert sentences and all(
            s.endswith(".") and (s[0].isupper() or s[0].isdigit() or s[:2] == "k:") for s in sentences
        )
    text = " ".join(sentence for _, sentences in found for sentence in sentences)
    assert "None" not in text and "nan" not in text and "  " not in text
    assert "3 of 4 latents have collapsed (numbers 2–4): a KL below 0.01 nats for 99% of the 900 data." in text
    assert "At this noise the best linear VAE keeps 3 of 4 latents" in text
    assert "in 2 directions (by " in text and "2 linear latents beside this decoder" in text


def test_the_loss_is_said_in_words(facts):
    loss = noise_of_loss("mse-mean", n=8, k=4, beta=0.25)
    said = sections(changed(facts, loss={"words": loss.words, "error_weight": loss.a, "kl_weight": loss.b}))[0][1]
    assert said[0].startswith("The loss was: squared error averaged over the 8 entries + 0.25 times the KL")
    assert "sigma2 = 1, up to constants" in said[0]
    assert "beta sigma2" in sections(changed(facts, beta=4.0))[0][1][0]


def test_what_is_not_known_is_not_said(facts):
    blank = changed(
        facts, revival=None, elbo=None, elbo_error=None, elbo_from=None, tuned_sigma2=None, tuning_gain=None,
        linear__below=None, linear__below_error=None, any_decoder=None, verdict="undecided", advice=[],
    )  # fmt: skip
    assert "it takes reconstructions" in headline(blank)
    blind = changed(facts, verdict="undecided", revival__within_nats=0.0, linear__below=0.0)
    assert "it takes decoded draws of z" in headline(blind)
    text = " ".join(sentence for _, sentences in sections(blank) for sentence in sentences)
    assert "mean squared error" not in text and "Nothing that this theory knows of." in text


def test_errors_at_the_means_are_bounds(facts):
    text = " ".join(sections(changed(facts, elbo_from="posterior mean"))[2][1])
    assert "The ELBO is at most" in text and "it is at least" in text
    assert "at most" not in " ".join(sections(facts)[2][1]).partition("The ELBO is")[2][:12]


def test_what_the_network_contains_is_said_with_its_condition(facts):
    assert "If every hidden layer has at least 4 ReLU units" in " ".join(sections(facts)[2][1])
    known = changed(facts, hidden=[20, 10])
    said = " ".join(sections(known)[2][1])
    assert "Your network, with 4 or more ReLU units in every hidden layer and a linear output, comes up to" in said
    assert "and a linear output" not in " ".join(sections(changed(known, output="linear"))[2][1])
    assert "it need not be the training" in " ".join(sections(changed(known, output="bounded"))[2][1])


def test_single_data_learned_by_heart_are_named(facts):
    above = changed(facts, sigma2=50.0, any_decoder__lower=20.0, any_decoder__data=300.0)
    assert "no decoder was found that gains by using any latent, however deep" in " ".join(sections(above)[2][1])
    assert "by heart" not in " ".join(sections(above)[2][1])
    assert "by heart" in " ".join(sections(changed(above, any_decoder__data=1.2))[2][1])


def test_advice_begins_as_a_sentence():
    assert capital("k: 3 in place of 5") == "k: 3 in place of 5" and capital("noise: learn it") == "Noise: learn it"
    assert (
        gain({"nats": None}) == ""
        and gain({"nats": 0.0}) == ": nothing to gain"
        and gain({"nats": 2.5}) == ": 2.5 nats"
    )


def certified(facts, lower, upper, **fields):
    """The document with these bounds proved, or not where they are None, and the number retained."""
    status = {"lower": "undecided" if lower is None else "certified", "upper": "certified" if upper else "undecided"}
    bounds = {"lower": lower or 17.0, "data": 300.0, "upper": upper, "certified": status}
    return changed(facts, any_decoder=bounds, linear__certified="certified", **fields)


def test_bounds_are_rounded_to_the_safe_side():
    assert at_least(191.8686907) == "191.8" and at_most(222.6) == "222.6" and at_most(222.61) == "222.7"
    assert at_least(0.19999) == "0.1999" and at_most(0.10001) == "0.1001" and at_most(1234567.0) == "1.235e+06"
    for value in (1 / 3, 2e-30, 7e20, 99999.0):
        assert float(at_least(value)) <= value <= float(at_most(value))


def test_what_is_certified_is_said_and_no_more(facts):
    plain = " ".join(sections(facts)[2][1])
    assert "certified" not in plain and "whatever" not in plain
    told = certified(facts, 17.25678, 20.01)
    below, between, above = (" ".join(sections(changed(told, sigma2=s))[2][1]) for s in (1.0, 18.0, 20.01))
    none = "No decoder whatever beats collapse at a noise of 20.01 or more (certified)"
    for said in (below, between, above):
        assert none in said and "up to sigma2 = 17.25 (certified)" in said and "of 4 latents (certified" in said
    assert f"{none}." in below and f"{none}; between the two it is open." in between
    assert f"{none}, and so at this one; up to sigma2 = 17.25 (certified) some decoder does." in above
    assert "no decoder was found" in between and "no decoder was found" not in above


def test_what_was_to_be_certified_and_is_not_is_not_called_so(facts):
    told = changed(certified(facts, None, None), linear__certified="undecided")
    said = " ".join(sections(told)[2][1])
    assert "of 4 latents (not certified" in said and "up to sigma2 = 17 some" in said
    assert "(certified)" not in said and "whatever" not in said


def test_the_headline_speaks_of_every_decoder_only_where_that_is_proved(facts):
    alone = {"revival__within": 0, "revival__within_nats": 0.0, "tuned_sigma2": 9.0, "tuning_gain": 3.0}
    whole = changed(certified(facts, 17.0, 20.0), sigma2=20.0, collapsed=[1, 2, 3, 4], **alone)
    every = "no decoder whatever beats collapse (certified)"
    for verdict_, fields in (("noise", {}), ("optimum", {"tuning_gain": 0.0})):
        one = changed(whole, verdict=verdict_, **fields)
        assert every in headline(one) and "no further linear latent" not in headline(one)
        for other in (changed(one, sigma2=19.99), changed(one, collapsed=[2, 3, 4]), changed(one, any_decoder=None)):
            assert every not in headline(other) and "no further linear latent would pay" in headline(other)
    assert every in headline(changed(whole, verdict="noise", revival__within_nats=0.5))
