"""The noise that a loss means: by the losses themselves on arrays, and the bad input."""

import numpy as np
import pytest

from verify.errors import InputError
from verify.models.losses import BATCHED, DIVERGENCES, ERRORS, LossNoise, noise_of_loss

WRITTEN = {
    "mse-sum": lambda e: sum(row.sum() for row in e) / len(e),
    "mse-mean": lambda e: e.sum() / e.size,
    "half-mse-sum": lambda e: 0.5 * sum(row.sum() for row in e) / len(e),
    "half-mse-mean": lambda e: 0.5 * e.sum() / e.size,
    "mse-batch-sum": lambda e: e.sum(),
}
OF_KL = {
    "sum": lambda d: sum(row.sum() for row in d) / len(d),
    "mean": lambda d: d.sum() / d.size,
    "batch-sum": lambda d: d.sum(),
}


@pytest.mark.parametrize("loss", ERRORS)
@pytest.mark.parametrize("kl", DIVERGENCES)
def test_two_models_differ_in_the_loss_as_in_the_elbo_at_that_noise(loss, kl):
    """The loss is a factor times -ELBO plus a constant: so its differences are proportional, whatever the terms."""
    rng = np.random.default_rng(0)
    batch, n, k, beta = 7, 5, 3, 0.25
    meant = noise_of_loss(loss, n=n, k=k, beta=beta, kl=kl, batch=batch)
    first, second = ((rng.random((batch, n)), rng.random((batch, k))) for _ in range(2))

    def written(error, divergence):
        return WRITTEN[loss](error) + beta * OF_KL[kl](divergence)

    def minus_elbo(error, divergence, s):
        return float(np.mean(divergence.sum(axis=1) + error.sum(axis=1) / (2 * s)))

    rise = written(*first) - written(*second)
    of_elbo = minus_elbo(*first, meant.sigma2) - minus_elbo(*second, meant.sigma2)
    assert rise == pytest.approx(meant.b * of_elbo, rel=1e-11)
    # The control: another noise.
    other = minus_elbo(*first, 2 * meant.sigma2) - minus_elbo(*second, 2 * meant.sigma2)
    assert rise != pytest.approx(meant.b * other, rel=1e-3)


@pytest.mark.parametrize("loss", ERRORS)
@pytest.mark.parametrize("kl", DIVERGENCES)
def test_the_weights_are_those_of_a_datum(loss, kl):
    """a and b themselves, and not only their ratio: a sum over the batch is B times the mean over it."""
    batch, n, k = 4, 6, 3
    meant = noise_of_loss(loss, n=n, k=k, beta=2.0, kl=kl, batch=batch)
    one, none = np.ones((batch, n)), np.zeros((batch, n))
    assert WRITTEN[loss](one) - WRITTEN[loss](none) == pytest.approx(meant.a * n, rel=1e-14)
    assert 2.0 * OF_KL[kl](np.ones((batch, k))) == pytest.approx(meant.b * k, rel=1e-14)
    assert meant.sigma2 == pytest.approx(meant.b / (2 * meant.a), rel=1e-15)


def test_the_usual_losses_by_hand():
    at = {"n": 784, "k": 20}
    assert noise_of_loss("mse-sum", **at).sigma2 == 0.5
    assert noise_of_loss("mse-mean", **at).sigma2 == 392.0
    assert noise_of_loss("mse-mean", **at, kl="mean").sigma2 == 784 / 40
    assert noise_of_loss("half-mse-sum", **at, beta=4.0).sigma2 == 4.0
    assert noise_of_loss("half-mse-mean", **at).sigma2 == 784.0
    assert noise_of_loss("mse-mean", **at, kl="batch-sum", batch=128).sigma2 == 392.0 * 128
    assert noise_of_loss("mse-batch-sum", **at, batch=128).sigma2 == 0.5 / 128


def test_both_terms_summed_over_the_batch_need_not_its_size():
    assert noise_of_loss("mse-batch-sum", n=4, k=2, kl="batch-sum").sigma2 == 0.5
    assert noise_of_loss("mse-batch-sum", n=4, k=2, kl="batch-sum", batch=9).sigma2 == 0.5


def test_the_loss_is_said_in_words():
    said = noise_of_loss("mse-mean", n=784, k=20, beta=0.5, kl="batch-sum", batch=64)
    assert said.words == (
        "squared error averaged over the 784 entries + 0.5 times the KL summed over the 20 latents and the 64 data of "
        "a batch"
    )
    plain = noise_of_loss("mse-sum", n=4, k=2)
    assert isinstance(plain, LossNoise)
    assert plain.words == "squared error summed over the 4 entries + the KL summed over the 2 latents"


@pytest.mark.parametrize("one", BATCHED)
def test_a_term_summed_over_the_batch_alone_needs_the_size_of_the_batch(one):
    loss, kl = (one, "sum") if one in ERRORS else ("mse-sum", one)
    with pytest.raises(InputError, match=f"^{one}: .*say how large it was$"):
        noise_of_loss(loss, n=4, k=2, kl=kl)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"loss": "mse"}, "loss 'mse': choose one of mse-sum, mse-mean"),
        ({"kl": "max"}, "kl 'max': choose one of sum, mean"),
        ({"loss": "bce"}, "loss bce: a Bernoulli likelihood"),
        ({"loss": "l1"}, "loss l1: a Laplace likelihood"),
        ({"beta": 0.0}, "beta = 0: "),
        ({"beta": -1.0}, "beta = -1: "),
        ({"beta": float("nan")}, "beta = nan"),
        ({"beta": float("inf")}, "beta = inf: "),
        ({"beta": "much"}, "beta"),
        ({"n": 0}, "n = 0, k = 2, batch = 1: all from 1"),
        ({"k": 0}, "n = 4, k = 0, batch = 1: all from 1"),
        ({"n": 1.5}, "n = 1.5"),
        ({"batch": 0}, "n = 4, k = 2, batch = 0: all from 1"),
    ],
    ids=str,
)
def test_bad_input_is_one_line(changed, said):
    with pytest.raises(InputError) as error:
        noise_of_loss(**{"loss": "mse-sum", "n": 4, "k": 2, **changed})
    assert str(error.value).startswith(said)
    assert "\n" not in str(error.value)
