"""Models that were trained here, diagnosed: what they make of the data, the verdicts, and one voice with the signs."""

import numpy as np
import pytest

from gpu.vae.architecture import Architecture, Layout
from gpu.vae.evaluation import evaluate
from gpu.vae.model import Ensemble
from gpu.vae.noise import DIAGNOSIS, EVALUATION, generator
from gpu.vae.plan import Plan, Run
from gpu.vae.training import State, train
from reports.training import diagnosed
from reports.training.best import Best
from reports.training.diagnosed import agreed, diagnoses, judged, outputs_of
from reports.training.document import described, material
from reports.training.signs import bests
from reports.training.verdicts import CONVOLUTIONS
from tests.gpu.vae.test_training import rows as spread_rows
from verify.data import load_rows
from verify.errors import InputError
from verify.landscape.collapse import kl
from verify.landscape.revival import direction_nats

X = spread_rows(400, 6, spread=[2.0, 1.6, 1.2, 0.5, 0.4, 0.3])
LAM = np.linalg.eigvalsh(np.cov(X.T, bias=True))[::-1]


def saved(tmp_path, data=X, **options):
    np.save(tmp_path / "x.npy", data)
    return material("x", load_rows(str(tmp_path / "x.npy"), **options))


def drawn(architecture, seed=0, dtype=np.float32):
    """One model with parameters as they are drawn."""
    return Ensemble(architecture, Layout(architecture).initial([seed], [1.0], np.dtype(dtype)), np.array([False]))


def performed(data, runs, kind="linear", hidden=(), k=3, epochs=40, **options):
    """Trained: the plan, outcomes, models of train.json, diagnoses by place, notes."""
    plan = Plan(Architecture(kind, data.rows.shape[1], k, hidden), tuple(runs), epochs, 50, **options)
    best = Best(plan)
    outcomes = train(plan, data.rows, store=best)
    models = [described(outcome, data, plan) for outcome in outcomes]
    return plan, outcomes, *judged(models, outcomes, plan, data, 0, best.ensembles)


@pytest.mark.parametrize("architecture", [Architecture("mlp", 6, 2, (5,)), Architecture("linear", 6, 2)])
def test_outputs_are_those_of_single_rows(tmp_path, monkeypatch, architecture):
    """Written out row by row; draws by a stream of their own, to both sides of the mean."""
    monkeypatch.setattr(diagnosed, "ENCODED", 150)  # ragged: 400 rows
    data, model = saved(tmp_path).rows, drawn(architecture, dtype=np.float64)
    vae = outputs_of(model, data, seed=7)
    single = data.array(0).astype(np.float64)
    for row in (0, 149, 150, 399):
        mean, logvar = (np.array(half[0, 0]) for half in model.encode(single[None, row : row + 1]))
        noise = generator(7, DIAGNOSIS, row // 150).standard_normal((150, 2))[row % 150]
        np.testing.assert_allclose(vae.mu[row], mean, rtol=1e-12)
        np.testing.assert_allclose(vae.logvar[row], logvar, rtol=1e-12)
        for made, sign in ((vae.reconstructions, 0), (vae.samples[0], 1), (vae.samples[1], -1)):
            z = mean + sign * np.exp(logvar / 2) * noise
            np.testing.assert_allclose(made[row], model.decode(z[None, None])[0, 0], rtol=1e-10, atol=1e-12)
    assert (generator(7, DIAGNOSIS).standard_normal(3) != generator(7, EVALUATION).standard_normal(3)).all()


def test_what_was_taken_away_from_the_rows_is_added_to_the_outputs(tmp_path):
    data = saved(tmp_path, X + 1e6).rows
    assert data.offset is not None
    vae = outputs_of(drawn(Architecture("linear", 6, 2)), data, seed=0)
    assert vae.reconstructions.dtype == np.float64
    x = next(iter(vae.blocks())).x
    assert np.abs(vae.reconstructions - x).max() < 100  # and not 1e6
    inside = outputs_of(drawn(Architecture("linear", 6, 2)), saved(tmp_path, X + 1e6 - data.offset).rows, seed=0)
    np.testing.assert_allclose(vae.reconstructions - data.offset, inside.reconstructions, atol=1e-5)


def test_the_elbo_is_that_of_the_evaluation(tmp_path):
    """Another draw of the same: within four standard errors of a mean over 400 data."""
    data, architecture = saved(tmp_path), Architecture("mlp", 6, 2, (8,))
    model = drawn(architecture)
    [e] = evaluate(model, data.rows.array(0), [0], 100, np.array([0.7]))
    vae = outputs_of(model, data.rows, seed=0)
    error = ((vae.samples - data.rows.array(0)) ** 2).sum(axis=2).mean(axis=0)
    values = -error / 1.4 - kl(vae.mu, vae.logvar).sum(axis=1)
    assert abs(values.mean() - 3 * np.log(2 * np.pi * 0.7) - e.elbo) < 4 * np.sqrt(2) * values.std() / 20


def test_a_linear_model_is_as_far_from_its_optimum_as_the_signs_say(tmp_path):
    """To the last digits, although draws of z know it to some hundredths only; beta weighs both alike."""
    data = saved(tmp_path)
    runs = [Run(1.0, False, seed=1, learning_rate=1e-3), Run(0.5, False, seed=2, learning_rate=1e-3, beta=2.0)]
    _, _, models, found, notes = performed(data, runs, epochs=15)
    assert notes == [] and len(found) == 2
    for place, model in enumerate(models):
        told, c = found[place], model["convergence"]
        assert told["linear"]["below"] * c["final_beta"] == pytest.approx(c["below_linear_optimum"], rel=1e-9)
        assert told["linear"]["below_error"] == 0 and told["sigma2"] == runs[place].sigma2 * runs[place].beta
        assert told["linear"]["retained"] == model["evaluation"]["linear_retained"]
        assert len(told["collapsed"]) == 3 - model["evaluation"]["retained"]
        assert told["verdict"] == "training" and told["below_linear"] and "below linear" in c["unfinished"]
    assert "beta sigma2 = 1" in found[1]["headline"] and "beta" not in found[0]["headline"]


def test_at_the_optimum_it_is_no_failure_and_at_a_large_noise_it_is_the_noise(tmp_path):
    """Three directions of variance above 1.4, the others at 0.09 to 0.25: a noise of 2 gives up one of three latents,
    and the errors ask for less."""
    data = saved(tmp_path)
    runs = [Run(0.3, False, learning_rate=1e-2), Run(2.0, False, learning_rate=1e-2)]
    _, _, models, found, _ = performed(data, runs, k=4, epochs=250, analytic=True)
    assert [len(found[i]["collapsed"]) for i in (0, 1)] == [1, 2]
    assert found[0]["verdict"] == "optimum" and found[1]["verdict"] == "noise"
    assert all(not told["below_linear"] for told in found.values())
    assert all("below linear" not in model["convergence"]["unfinished"] for model in models)
    mle = found[1]["tuned_sigma2"]
    assert 0.2 < mle < 1.8 and f"{mle:.4g}" in found[1]["headline"]


def zeroed(plan, data, which):
    """The outcomes of a training whose model answers with the mean of the data, whatever it sees, and its store."""
    best = Best(plan)
    kept = []

    class Keeping(Best):
        def save(self, state, outcomes=()):
            kept.append((state, outcomes))

    outcomes = train(plan, data.rows, store=Keeping(plan))
    [(state, _)] = kept
    views = Layout(plan.architecture).views(state.parameters)
    for name, view in views.items():
        if name.split(".")[0] in which:
            view[...] = 0
    views["decoder.0.bias"][...] = data.rows.array(0).mean(axis=0)
    ensemble = Ensemble(plan.architecture, state.parameters, np.array([plan.runs[0].learned]))
    [e] = evaluate(ensemble, data.rows.array(0), [0], 100, np.array([plan.runs[0].sigma2]))
    outcomes = [type(outcomes[0])(outcomes[0].run, e, None, outcomes[0].history)]
    best.save(state, outcomes)
    return outcomes, best


def test_a_collapse_that_directions_would_mend_is_the_training(tmp_path):
    """All weights 0: what linear latents add is known from the eigenvalues (theory 6.1)."""
    data = saved(tmp_path)
    for sigma2, verdict in ((0.3, "training"), (2.0, "mixed"), (5.0, "noise")):
        plan = Plan(Architecture("linear", 6, 4), (Run(sigma2, False),), 1, 50)
        outcomes, best = zeroed(plan, data, ("encoder", "decoder", "log_variance"))
        [told] = diagnoses([0], outcomes, plan, data, 0, best.ensembles)[0].values()
        above = LAM[sigma2 < LAM]
        assert told["verdict"] == verdict and told["collapsed"] == [1, 2, 3, 4]
        assert told["revival"]["directions"] == len(above) == told["revival"]["within"]
        # The rows are centred to rounding in single precision.
        assert told["revival"]["nats"] == pytest.approx(direction_nats(above, sigma2).sum(), rel=1e-5, abs=1e-9)
        assert told["linear"]["below"] == pytest.approx(direction_nats(above, sigma2).sum(), rel=1e-5, abs=1e-5)
        assert not any("--save-escape" in line["change"] for line in told["advice"])


def test_a_learned_noise_that_is_still_too_large_is_a_matter_of_training(tmp_path):
    """The same weights with a noise that is learned; nobody is told to learn it."""
    data = saved(tmp_path)
    for sigma2, already in ((5.0, False), (2.0, True)):
        plan = Plan(Architecture("linear", 6, 4), (Run(sigma2, True),), 1, 50)
        outcomes, best = zeroed(plan, data, ("encoder", "decoder", "log_variance"))
        [told] = diagnoses([0], outcomes, plan, data, 0, best.ensembles)[0].values()
        assert told["verdict"] == "training" and told["tuned_sigma2"] < 0.9 * sigma2
        assert f"has not come down to the errors of this model, sigma2 = {LAM.mean():.4g}" in told["headline"]
        assert ("Already at this one 2 of them would pay" in told["headline"]) == already
        assert not any(line["change"].startswith(("noise:", "scale:")) for line in told["advice"])


def test_without_noise_or_room_nothing_is_told_and_a_note_says_so(tmp_path, monkeypatch):
    data = saved(tmp_path)
    _, _, models, found, notes = performed(data, [Run(1.0, False, beta=0.0), Run(2.0, False)], epochs=2)
    assert list(found) == [1] and notes == ["model 1: no verdict, as the training ended with a KL that weighs 0"]
    for name, most in (("LARGEST", 400 * 6), ("LONGEST", 400 * 6 * 6)):
        monkeypatch.setattr(diagnosed, name, most - 1)
        _, _, models, found, [note] = performed(data, [Run(1.0, False)], epochs=2)
        assert found == {} and "400 x 6 data are too many" in note and models[0]["convergence"]["unfinished"]
        monkeypatch.setattr(diagnosed, name, most)
        assert performed(data, [Run(1.0, False)], epochs=2)[3]  # control


def test_what_cannot_be_diagnosed_gets_a_note(tmp_path, monkeypatch):
    def refused(*given):
        raise InputError("the data have one row")

    monkeypatch.setattr(diagnosed, "diagnosis", refused)
    _, _, models, found, [note] = performed(saved(tmp_path), [Run(1.0, False)], epochs=2)
    assert found == {} and note == "model 1: no verdict, optimum or training: the data have one row"
    assert models[0]["evaluation"] is not None


def test_convolutions_may_be_the_wrong_architecture(tmp_path):
    images = np.random.default_rng(0).normal(size=(60, 16)) @ np.diag(np.geomspace(9, 0.1, 16))
    data, told = saved(tmp_path, images), {}
    for kind, hidden in (("conv", (2, 3)), ("mlp", (8,))):
        _, _, models, found, _ = performed(data, [Run(0.3, False)], kind, hidden, epochs=2)
        told[kind] = found[0]
        assert ("below linear" in models[0]["convergence"]["unfinished"]) == found[0]["below_linear"] == (kind == "mlp")
    assert told["conv"]["verdict"] == told["mlp"]["verdict"] == "training"
    assert CONVOLUTIONS in told["conv"]["headline"] and CONVOLUTIONS not in told["mlp"]["headline"]


@pytest.mark.parametrize(
    ("noise", "before", "below", "after"),
    [
        ("fixed", ["rising", "below linear"], False, ["rising"]),
        ("fixed", ["rising"], True, ["rising", "below linear"]),
        ("fixed", ["below linear"], True, ["below linear"]),
        ("learned", ["below linear"], False, ["below linear"]),
        ("learned", [], True, ["below linear"]),
    ],
)
def test_the_sign_says_what_the_verdict_says(noise, before, below, after):
    model = {"noise": noise, "convergence": {"unfinished": before, "rise": 1.0}}
    assert agreed(model, {"below_linear": below})["convergence"] == {"unfinished": after, "rise": 1.0}
    assert agreed(model, None) == model and model["convergence"]["unfinished"] == before


def test_in_memory_the_best_of_each_noise_is_kept_and_no_other(tmp_path):
    """In whatever order groups end, and of equals the first."""
    data = saved(tmp_path)
    runs = [Run(s, learned, seed) for s, learned in ((1.0, False), (2.0, True), (0.5, True)) for seed in range(3)]
    kept = []

    class Keeping(Best):
        def save(self, state, outcomes=()):
            kept.append((state, outcomes))

    plan = Plan(Architecture("linear", 6, 2), tuple(runs), 2, 50, group=2)
    outcomes = train(plan, data.rows, store=Keeping(plan))
    best = Best(plan)
    for state, ended in reversed(kept):
        best.save(state, ended)
        best.save(state)  # a state on the way is nothing to keep
    models = [described(outcome, data, plan) for outcome in outcomes]
    places = [group["best"] - 1 for group in bests(models)]
    found = best.ensembles(range(9))
    assert sorted(found) == sorted(places) and len(places) == 2
    for place, ensemble in found.items():
        [(state, at)] = [(s, s.models.index(place)) for s, _ in kept if place in s.models]
        assert np.array_equal(ensemble.parameters[0], state.parameters[at])
        assert bool(ensemble.learned[0]) == runs[place].learned
    assert best.states() == [] and best.outcomes() == {} and isinstance(kept[0][0], State)
