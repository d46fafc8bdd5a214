"""A training that is watched: the numbers against those of whole arrays, and what is called certain."""

import json

import numpy as np
import pytest

from tests.verify.data.files.test_objects import Tensor
from verify.data.sources import load
from verify.errors import InputError
from verify.landscape.any_decoder import lower_bound, two_atoms
from verify.landscape.collapse import active_units, collapsed, kl, second_moment
from verify.monitor import LatentWatch

SPECTRUM = [6.0, 4.0, 2.5, 1.2, 0.5]
MU = np.random.default_rng(0).standard_normal((60, 3)) * [1.0, 0.3, 0.0]
LOGVAR = np.log([[0.2, 0.9, 1.0]]) * np.ones((60, 1))


def ended(watch, mu=MU, logvar=LOGVAR, **now):
    watch.add(mu, logvar, **now)
    return watch.epoch_end()


def refusal(*given, **named):
    with pytest.raises(InputError) as caught:
        LatentWatch(*given, **named)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_numbers_are_those_of_the_whole_arrays():
    watch = LatentWatch(SPECTRUM, 3, sigma2=1.0)
    for part in np.array_split(np.arange(60), 7):
        watch.add(MU[part], LOGVAR[part])
    document = watch.epoch_end()
    divergence = kl(MU, LOGVAR)
    np.testing.assert_allclose(document["kl"], divergence.mean(axis=0), rtol=1e-12, atol=1e-15)
    assert document["kl_total"] == pytest.approx(divergence.sum(axis=1).mean(), rel=1e-12)
    np.testing.assert_allclose(document["second_moment"], second_moment(MU, LOGVAR), rtol=1e-12)
    assert document["active_units"] == active_units(MU) == 2
    assert document["collapsed"] == [3] == [int(i) + 1 for i in np.flatnonzero(collapsed(divergence, 0.01, 0.01))]
    assert (document["N"], document["epoch"], document["state"]) == (60, 1, "open")
    json.dumps(document, allow_nan=False)


def test_an_epoch_forgets_the_one_before():
    watch = LatentWatch(SPECTRUM, 3, sigma2=1.0)
    first = ended(watch, mu=100 * MU)
    second = ended(watch)
    assert (second["N"], second["epoch"]) == (60, 2)
    assert second["kl"] == ended(LatentWatch(SPECTRUM, 3, sigma2=1.0))["kl"] != first["kl"]
    assert "no data came" in " ".join(watch.epoch_end()["notes"])


def test_what_is_logged_are_floats_with_names():
    watch = LatentWatch(SPECTRUM, 3, sigma2=1.0, beta=2.0)
    with pytest.raises(InputError, match="epoch_end"):
        watch.log()
    document = ended(watch)
    logged = watch.log("train/")
    assert all(type(value) is float for value in logged.values())
    assert logged["train/kl_2"] == document["kl"][1] and logged["train/second_moment_1"] == document["second_moment"][0]
    one = {name: logged[f"train/{name}"] for name in ("noise", "retained", "lam_1", "collapsed", "active_units")}
    assert one == {"noise": 2.0, "retained": 3.0, "lam_1": 6.0, "collapsed": 1.0, "active_units": 2.0}


def test_the_short_form_of_what_is_logged_leaves_out_the_single_latents():
    watch = LatentWatch(SPECTRUM, 3, sigma2=1.0)
    ended(watch)
    whole, short = watch.log("train/"), watch.log("train/", latents=False)
    single = {f"train/{name}_{i}" for name in ("kl", "second_moment") for i in (1, 2, 3)}
    assert short == {name: value for name, value in whole.items() if name not in single}
    assert len(short) == 7 and len(whole) == 7 + len(single)


def test_an_epoch_without_data_shows_nothing():
    """The control: the same noise, with data, is certain collapse."""
    watch = LatentWatch(SPECTRUM, 3, sigma2=6.5, linear=True)
    document = watch.epoch_end()
    assert (document["N"], document["state"], watch.should_stop) == (0, "no data", False)
    assert document["notes"] == ["no data came in this epoch: call add(mu, logvar) for each batch"] == watch.warn()
    assert watch.log()["certain_collapse"] == 0.0
    diverged = ended(watch, mu=np.nan * MU)
    assert (diverged["N"], diverged["state"], watch.should_stop) == (0, "no data", False)
    assert len(diverged["notes"]) == 1 and "60 data had a mean" in diverged["notes"][0]
    assert ended(watch)["state"] == "certain collapse" and watch.should_stop


@pytest.mark.parametrize(
    ("noise", "kept", "state"),
    [(1.0, 3, "open"), (2.5, 2, "partial"), (5.9, 1, "partial"), (6.0, 0, "predicted collapse")],
)
@pytest.mark.parametrize("beta", [1.0, 0.25])
def test_the_linear_optimum_keeps_what_exceeds_the_noise(noise, kept, state, beta):
    watch = LatentWatch(SPECTRUM, 3, sigma2=noise / beta, beta=beta)
    document = ended(watch)
    assert (document["noise"], document["retained"], document["state"]) == (noise, kept, state)
    assert not watch.should_stop
    told = " ".join(watch.warn())
    assert ("is a prediction" in told) == (state != "open") and watch.warn() == []


def test_collapse_is_certain_only_where_it_is():
    """The control: at lam_1 a deep decoder may still keep something, and nothing is stopped."""
    assert not LatentWatch(SPECTRUM, 3, sigma2=6.5).should_stop
    assert LatentWatch(SPECTRUM, 3, sigma2=6.5, linear=True).should_stop
    assert LatentWatch(SPECTRUM, 3, sigma2=6.0, linear=True).should_stop
    assert not LatentWatch(SPECTRUM, 3, sigma2=5.99, linear=True).should_stop
    assert not LatentWatch(SPECTRUM, 3, sigma2=6.5, certain_above=7.0).should_stop
    watch = LatentWatch(SPECTRUM, 3, sigma2=3.5, beta=2, certain_above=7.0)
    document = ended(watch)
    assert watch.should_stop and document["state"] == "certain collapse"
    told = " ".join(document["notes"])
    assert "no decoder gains" in told and "not yet collapsed: 1, 2 of 3" in told and "prediction" not in told
    assert watch.log()["certain_collapse"] == 1.0
    assert "below lam_1 = 6" in refusal(SPECTRUM, 3, sigma2=1.0, certain_above=5.0)


def test_rows_tell_by_themselves_from_where_on_no_decoder_gains():
    """Between lam_1 and the bound nothing is certain; for two values +-1 they are the same number."""
    rows = np.random.default_rng(3).exponential(size=(50, 2))
    data = load(rows)
    bound = lower_bound(rows).upper
    watch = LatentWatch(rows, 2, sigma2=1.0)
    # The watch takes lam_1 at its upper end and rounds upwards.
    assert bound <= watch.certain_above <= bound * (1 + 1e-8) and bound > 1.5 * watch.lam_1
    assert LatentWatch(rows, 2, sigma2=1.01 * bound).should_stop
    for below in (0.99 * bound, 1.01 * watch.lam_1):
        assert not LatentWatch(rows, 2, sigma2=below).should_stop
    for scale in (1e-3, 1e3):
        scaled = LatentWatch(load(rows, scale=scale), 2, sigma2=1.0)
        assert scaled.certain_above == pytest.approx(bound / scale**2, rel=1e-8)
    shifted = LatentWatch(rows + 1e3, 2, sigma2=1.0)  # the mean is taken off
    assert shifted.certain_above == pytest.approx(bound, rel=1e-6)
    two = np.repeat([[1.0], [-1.0]], 10, axis=0)
    assert LatentWatch(two, 1, sigma2=1.0).certain_above == pytest.approx(1.0, rel=1e-6)
    assert LatentWatch(data.eigenvalues, 2, sigma2=9.0).certain_above is None  # a spectrum does not tell
    assert LatentWatch(data.eigenvalues, 2, sigma2=9.0).should_stop is False


def test_above_that_bound_two_outputs_do_not_pay_and_below_the_witness_they_do():
    """The control: the same search for a better decoder finds one where nothing is called certain."""
    rows = np.random.default_rng(3).exponential(size=(50, 2))
    watch, witness = LatentWatch(rows, 2, sigma2=1.0), lower_bound(rows)
    assert two_atoms(rows, witness.t, watch.certain_above).nats <= 1e-12  # rounding of a sum of 50 logarithms
    assert two_atoms(rows, witness.t, 0.9 * witness.value).nats > 0
    assert not LatentWatch(rows, 2, sigma2=0.9 * witness.value).should_stop


def test_the_weight_at_the_end_decides_and_the_present_one_is_told():
    """Warm-up: with a small weight now the latents are open, and the end is known already."""
    watch = LatentWatch(SPECTRUM, 3, sigma2=1.0, beta=8.0, linear=True)
    document = ended(watch, beta=0.0)
    assert (document["noise"], document["retained"], document["noise_at_end"]) == (0.0, 3, 8.0)
    assert watch.should_stop
    # The control: a weight above the end's, for a while, makes nothing certain.
    cyclic = LatentWatch(SPECTRUM, 3, sigma2=1.0, beta=1.0, linear=True)
    assert ended(cyclic, beta=8.0)["retained"] == 0 and not cyclic.should_stop


def test_a_learned_noise_makes_nothing_certain():
    watch = LatentWatch(SPECTRUM, 3, sigma2=1.0, linear=True)
    document = ended(watch, sigma2=9.0)
    assert (document["state"], document["retained"], watch.should_stop) == ("predicted collapse", 0, False)
    assert "at the present beta sigma2 = 9" in document["notes"][0]


def test_a_learned_noise_may_come_as_an_array_of_one_number():
    watch = LatentWatch(SPECTRUM, 3, sigma2=1.0)
    document = ended(watch, sigma2=np.array([2.0], dtype=np.float32), beta=np.float64(0.5))
    assert (document["sigma2"], document["beta"], document["noise"]) == (2.0, 0.5, 1.0)
    for wrong in (np.array([1.0, 2.0]), "1"):
        with pytest.raises(InputError, match="one real number"):
            watch.add(MU, LOGVAR, sigma2=wrong)


def test_collapse_that_the_noise_does_not_explain_is_the_training():
    watch = LatentWatch(SPECTRUM, 3, sigma2=2.0)
    assert "so it is the training" in " ".join(ended(watch, 0 * MU, 0 * LOGVAR)["notes"])
    explained = LatentWatch(SPECTRUM, 3, sigma2=6.0)
    assert "so it is the training" not in " ".join(ended(explained, 0 * MU, 0 * LOGVAR)["notes"])
    assert "so it is the training" not in " ".join(ended(watch)["notes"])


def test_a_loss_as_it_was_written():
    """mse_loss with its mean over 5 entries, the KL averaged over 3 latents: n beta/(2k)."""
    watch = LatentWatch(SPECTRUM, 3, loss="mse-mean", kl="mean", beta=1.2)
    assert ended(watch)["noise"] == pytest.approx(5 * 1.2 / 6, rel=1e-15)
    assert LatentWatch(SPECTRUM, 3, loss="mse-sum", beta=20.0, linear=True).should_stop


def test_the_spectrum_is_that_of_rows_words_and_covariances():
    rows = np.random.default_rng(2).standard_normal((40, 4)) * [3.0, 2.0, 1.0, 0.5]
    lam_1 = float(np.linalg.eigvalsh(np.cov(rows.T, bias=True))[-1])
    for data in (rows, rows.tolist(), Tensor(rows), load(rows), load(rows).eigenvalues):
        assert LatentWatch(data, 2, sigma2=1.0).lam_1 == pytest.approx(lam_1, rel=1e-12)
    assert LatentWatch("eigenvalues:3,2,1", 2, sigma2=1.0).lam_1 == 3.0


def test_tensors_of_a_device_with_gradients():
    watch, plain = (LatentWatch(SPECTRUM, 3, sigma2=1.0) for _ in range(2))
    assert ended(watch, Tensor(MU), Tensor(LOGVAR))["kl"] == ended(plain)["kl"]
    assert ended(watch, MU.reshape(60, 3, 1, 1), LOGVAR)["kl"] == ended(plain)["kl"]


def test_torch_itself():
    torch = pytest.importorskip("torch")
    watch, plain = (LatentWatch(SPECTRUM, 3, sigma2=1.0) for _ in range(2))
    mu, logvar = (torch.tensor(a, requires_grad=True) for a in (MU, LOGVAR))
    assert ended(watch, mu * 1, logvar)["kl"] == ended(plain)["kl"]
    assert ended(watch, mu, logvar, sigma2=torch.tensor(2.0, requires_grad=True))["noise"] == 2.0
    half = ended(watch, mu.to(torch.bfloat16), logvar.to(torch.bfloat16))["kl"]
    np.testing.assert_allclose(half, ended(plain)["kl"], atol=0.02)  # eight bits


def test_what_a_file_hides_shows_at_once():
    watch = LatentWatch(SPECTRUM, 3, sigma2=1.0)
    assert "variances, or standard deviations" in " ".join(ended(watch, MU, np.exp(LOGVAR))["notes"])
    assert not any("standard deviations" in note for note in ended(watch, 0 * MU, 0 * LOGVAR)["notes"])
    broken = MU.copy()
    broken[:2, 0] = np.nan
    document = ended(watch, broken)
    assert document["left_out"] == 2 and "2 data had a mean" in document["notes"][0]


def test_bad_input():
    assert "said once" in refusal(SPECTRUM, 3)
    assert "said once" in refusal(SPECTRUM, 3, sigma2=1.0, loss="mse-sum")
    assert "must be positive" in refusal(SPECTRUM, 3, sigma2=0.0)
    assert "at least one latent" in refusal(SPECTRUM, 0, sigma2=1.0)
    assert "beta = 0" in refusal(SPECTRUM, 3, sigma2=1.0, beta=0.0)
    assert "choose one of" in refusal(SPECTRUM, 3, loss="mse")
    for delta in (2, 1, "many", float("nan")):
        assert "delta" in refusal(SPECTRUM, 3, sigma2=1.0, delta=delta)
    for epsilon in (-0.1, float("nan"), "small"):
        assert "epsilon" in refusal(SPECTRUM, 3, sigma2=1.0, epsilon=epsilon)
    watch = LatentWatch(SPECTRUM, 3, sigma2=1.0)
    for mu, logvar, said in (
        (MU[:, :2], LOGVAR[:, :2], "(batch, 3)"),
        (MU, LOGVAR[:5], "both must be"),
        (MU.astype(str), LOGVAR, "real numbers"),
        (None, LOGVAR, "NoneType"),
    ):
        with pytest.raises(InputError) as caught:
            watch.add(mu, logvar)
        assert said in str(caught.value) and "\n" not in str(caught.value)
