"""What a training that is being watched is told: each sentence where it holds, and not beside it."""

import pytest

from verify.words.watched import STATES, messages

CALM = {
    "N": 100, "k": 4, "left_out": 0, "lowest_logvar": -2.0, "highest_logvar": 0.0, "collapsed": [4], "noise": 1.0,
    "noise_at_end": 1.0, "lam_1": 3.0, "certain_above": 5.0, "retained": 4, "retained_at_end": 4, "state": "open",
    "learned_noise": False,
}  # fmt: skip


def told(**changes):
    return messages(CALM | changes)


def test_a_training_without_trouble_is_told_nothing():
    assert told() == {}


@pytest.mark.parametrize("state", STATES[1:])
def test_every_other_state_says_what_it_is_and_how_sure(state):
    said = told(state=state, retained_at_end=1 if state == "partial" else 0)[state]
    assert ("prediction" in said) == (state != "certain collapse")
    assert ("no decoder" in said) == (state == "certain collapse")
    assert "beta sigma2 = 1" in said and "present" not in said
    assert "at the present" in told(state=state, learned_noise=True)[state]


def test_one_latent_and_several():
    assert "all 4 latents have collapsed" in told(collapsed=[1, 2, 3, 4])["all collapsed"]
    assert told(k=1, collapsed=[1], retained=1)["all collapsed"].startswith("the only latent has collapsed")
    assert "all collapsed" not in told(collapsed=[1, 2, 3])
    assert "all collapsed" not in told(collapsed=[1, 2, 3, 4], retained=0)  # then it is the noise
    assert "1, 3, 4 of 4" in told(state="certain collapse", collapsed=[2])["still alive"]


def test_what_looks_like_variances():
    assert "never negative" in told(lowest_logvar=0.0, highest_logvar=0.5)
    assert "never negative" not in told(lowest_logvar=0.0, highest_logvar=0.0)  # collapsed to the last bit
    assert "never negative" not in told(lowest_logvar=-0.1, highest_logvar=0.5)


def test_an_epoch_without_data():
    assert list(told(N=0, lowest_logvar=None, highest_logvar=None, collapsed=[])) == ["no data"]
    assert "3 data" in told(left_out=3)["left out"]
