"""Signs of a training that has not ended: none at a stationary point, each where it must be."""

import numpy as np
import pytest

from gpu.vae.architecture import Architecture
from gpu.vae.plan import Plan, Run
from gpu.vae.training import train
from reports.training.experiment import _duration
from reports.training.signs import _lost, bests, caveats, contains_linear, last_tenth, signs
from tests.gpu.vae.problems import Fixed
from tests.gpu.vae.test_training import descend, rows
from verify.models import ppca

X = rows(200, 6, spread=[2.0, 1.6, 1.2, 0.5, 0.4, 0.3])
S = np.cov(X.T, bias=True)
LAM = np.linalg.eigvalsh(S)[::-1]
RATES = [1e-2, 1e-3, 1e-4, 1e-5]


def test_at_the_optimum_of_a_linear_model_there_is_no_sign():
    """Fixed and learned noise, and a KL that weighs half: the distance to the known optimum is none."""
    runs = (Run(1.0, False, seed=3), Run(1.0, True, seed=4), Run(1.0, False, seed=3, beta=0.5))
    plan = Plan(Architecture("linear", 6, 3), runs, 10**9, len(X), analytic=True, dtype="float64")
    found = [signs(o, plan, LAM, len(X)) for o in descend(plan, X, RATES, 3000).outcomes()]
    for told in found:
        assert told["unfinished"] == []
        assert -1e-9 <= told["below_linear_optimum"] <= 1e-6  # steps of 1e-5 end this near a parabola's top
        np.testing.assert_allclose(told["second_moment"], 1, atol=1e-3)
    W, mle = ppca.maximum_likelihood(LAM, np.eye(6), 3)
    assert found[1]["linear_optimum"] == pytest.approx(ppca.log_likelihood(W, mle, np.diag(LAM)), rel=1e-12)
    assert found[1]["linear_optimum_sigma2"] == pytest.approx(mle, rel=1e-12)
    assert found[1]["noise_ratio"] == pytest.approx(1, abs=1e-4) and found[0]["noise_ratio"] is None


@pytest.mark.parametrize(("largest", "said"), [(255.0, "--scale 255"), (254.0, "--scale 100"), (256.0, "--scale 100")])
def test_grey_levels_are_divided_by_the_largest_there_is(largest, said):
    data = {"rms": 104.0, "variance": 1e4, "largest": largest, "typical": 90.0}
    lost = {"evaluation": None, "init_sigma2": 1.0}
    assert said in _lost({"data": data, "models": [lost]})[0]


def test_a_run_that_has_just_begun_shows_every_sign():
    runs = (Run(30.0, True, seed=4, anneal=80),)
    plan = Plan(Architecture("linear", 6, 3), runs, 40, 50)
    [outcome] = train(plan, Fixed(X))
    told = signs(outcome, plan, LAM, len(X))
    assert told["final_beta"] == pytest.approx((40 - 1 / 4) / 80, rel=1e-12)
    assert set(told["unfinished"]) == {"warm-up", "rising", "noise", "moments", "below linear"}
    assert told["noise_ratio"] > 1.1 and told["below_linear_optimum"] > 1


def test_a_linear_decoder_under_a_deep_encoder_has_the_same_optimum():
    """And is not above it, with an ELBO that draws no z."""
    plan = Plan(Architecture("linear-decoder", 6, 3, (20,)), (Run(1.0, False, seed=1),), 10**9, len(X), analytic=True)
    [outcome] = descend(plan, X, RATES[:3], 2000).outcomes()
    told = signs(outcome, plan, LAM, len(X))
    W = ppca.fixed_noise_maximum(LAM, np.eye(6), 3, 1.0)
    assert told["linear_optimum"] == pytest.approx(ppca.log_likelihood(W, 1.0, np.diag(LAM)), rel=1e-12)
    assert -1e-4 <= told["below_linear_optimum"] <= 0.01 and told["unfinished"] == []  # single precision


def test_deep_models_are_held_to_linear_maps_that_they_contain():
    wide, narrow = (Architecture("mlp", 6, 3, (width,)) for width in (3, 2))
    assert contains_linear(wide) and not contains_linear(narrow)
    assert contains_linear(Architecture("mlp", 3, 9, (3,)))  # no linear map needs more latents than columns
    found = []
    for architecture in (wide, narrow):
        plan = Plan(architecture, (Run(0.1, False, seed=1),), 3, 50)
        [outcome] = train(plan, Fixed(X))
        found.append(signs(outcome, plan, LAM, len(X)))
    assert ["below linear" in told["unfinished"] for told in found] == [True, False]
    assert found[1]["below_linear_optimum"] > 10


def test_the_last_tenth_is_a_straight_line():
    rng = np.random.default_rng(0)
    curve = [-500.0] * 90 + [-10 + 0.3 * t + 0.01 * s for t, s in enumerate(rng.normal(size=10))]
    rise, error = last_tenth(curve)
    expected, covariance = np.polyfit(np.arange(10), curve[-10:], 1, cov="unscaled")
    residual = np.polyval([expected[0], expected[1]], np.arange(10)) - curve[-10:]
    assert rise == pytest.approx(9 * expected[0], rel=1e-9)
    assert error == pytest.approx(9 * np.sqrt(covariance[0, 0] * (residual @ residual) / 8), rel=1e-9)
    assert last_tenth([-3.0, -2.0, -1.5]) == (None, None) and last_tenth([1.0, np.nan, 1, 1, 1, np.nan]) == (None, None)
    assert last_tenth([-5.0, -3.0, -2.0, -1.0])[0] == pytest.approx(2.0)


def test_the_best_of_nothing_is_nobody():
    models = [{"noise": "fixed", "init_sigma2": 1.0, "evaluation": None}]
    assert bests(models) == [{"noise": "fixed", "sigma2": 1.0, "models": 1, "best": None}]


def test_words_name_the_models_that_show_a_sign():
    quiet = {"final_beta": 1, "noise_ratio": 1.0, "second_moment": [1.0], "rise": 0.0, "below_linear_optimum": 3.0}
    rising = quiet | {"rise": 4.0, "unfinished": ["rising"]}
    falling = quiet | {"rise": -2.5, "unfinished": ["falling"]}
    models = [
        {"beta": 1, "evaluation": {}, "convergence": c} for c in (quiet | {"unfinished": []}, rising, falling, rising)
    ]
    [note] = caveats({"models": models, "training": {"epochs": 5}, "data": {}})
    assert "the ELBO still rose by 4 or fell by 2.5 nats over the last tenth of the epochs (models 2–4)" in note
    assert caveats({"models": models[:1], "training": {"epochs": 5}, "data": {}}) == []


def test_no_training_is_said_to_take_no_time():
    said = [_duration(seconds) for seconds in (0.2, 1.2, 90, 130, 3 * 3600)]
    assert said == ["less than a second", "about 1 second", "about 90 seconds", "about 2 minutes", "about 3 hours"]
