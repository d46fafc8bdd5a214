"""A deep VAE that is trained here into collapse, diagnosed, and mended by the escape that the diagnosis gives.

Notation   f the trained decoder; e(x) = x - f(mu(x)); w the further latents, q(w|x) = N(V (e - center), D).
"""

from typing import Any

import numpy as np
import pytest

from gpu.vae.architecture import Architecture, Layout
from gpu.vae.plan import Plan, Run
from gpu.vae.training import Group, fresh
from tests.verify.diagnosis.made_up import rows_of, spread
from verify.diagnosis.document import Asked, diagnosis
from verify.diagnosis.outputs import outputs

N, K, HIDDEN = 1500, 4, 24
LAM = np.array([3.0, 2.0, 1.2, *[0.04] * 9])


class Fixed:
    """The same rows in every epoch."""

    redrawn = False

    def __init__(self, x):
        self.x = x

    def array(self, epoch):
        return self.x


class Trained:
    """A VAE as its owner holds it: encode, decode, in float64."""

    def __init__(self, x, sigma2, epochs=60, dead=False, rate=3e-3, seed=0):
        plan = Plan(
            Architecture("mlp", x.shape[1], K, (HIDDEN,)), (Run(sigma2, False, seed, rate),), epochs, 100,
            dtype="float64",
        )  # fmt: skip
        state = fresh(plan, [0])
        if dead:
            Layout(plan.architecture).views(state.parameters)["decoder.0.bias"][...] -= 10
        group = Group(plan, state, Fixed(x))
        group.advance(group.steps)
        self.ensemble = group.ensemble

    def encode(self, x):
        return tuple(np.array(half[0]) for half in self.ensemble.encode(x[None]))

    def decode(self, z):
        return np.array(self.ensemble.decode(z[None])[0])

    def draw(self, x, rng):
        mu, logvar = self.encode(x)
        return self.decode(mu + np.exp(logvar / 2) * rng.normal(size=mu.shape))


def diagnosed(model, x, s, draws=2, **asked: Any):
    rng = np.random.default_rng(1)
    mu, logvar = model.encode(x)
    samples = np.stack([model.draw(x, rng) for _ in range(draws)])
    return diagnosis(outputs(rows_of(x), mu, logvar, model.decode(mu), samples), Asked(s, hidden=[HIDDEN], **asked))


def elbos(model, x, s, rng, escape=None, draws=10):
    """ELBO of each datum with one draw of z and w at a time, (N,): the definition, nothing integrated."""
    mu, logvar = model.encode(x)
    e = x - model.decode(mu)
    total = np.zeros(len(x))
    for _ in range(draws):
        z = mu + np.exp(logvar / 2) * rng.normal(size=mu.shape)
        mean, paid = model.decode(z), 0.5 * (np.exp(logvar) + mu**2 - 1 - logvar).sum(axis=1)
        if escape is not None:
            at = (e - escape.center) @ escape.V.T
            mean = mean + escape.b + (at + np.sqrt(escape.D) * rng.normal(size=at.shape)) @ escape.U.T
            paid = paid + 0.5 * (escape.D + at**2 - 1 - np.log(escape.D)).sum(axis=1)
        total += -0.5 * x.shape[1] * np.log(2 * np.pi * s) - ((x - mean) ** 2).sum(axis=1) / (2 * s) - paid
    return total / draws


@pytest.fixture(scope="module")
def x():
    return spread(LAM, N)[0]


@pytest.fixture(scope="module")
def collapsed(x):
    """Hidden units of the decoder that begin dead never hear of z, and the encoder is trained to say nothing."""
    return Trained(x, 0.05, dead=True)


def test_a_training_that_collapsed_is_found_out_and_its_escape_brings_what_is_promised(x, collapsed):
    one = diagnosed(collapsed, x, 0.05)
    facts, revival = one.document, one.document["revival"]
    assert len(facts["collapsed"]) == K and facts["verdict"] == "training"
    assert facts["linear"]["retained"] == revival["within"] == 3
    assert facts["linear"]["below"] > 10
    rng = np.random.default_rng(7)
    risen = elbos(collapsed, x, 0.05, rng, one.escape) - elbos(collapsed, x, 0.05, rng)
    error = np.hypot(risen.std() / np.sqrt(N), revival["standard_error"])
    assert revival["nats"] > 10
    assert risen.mean() > revival["nats"] - 3 * error
    # It brings no more either: the promise is exact.
    assert risen.mean() < revival["nats"] + 3 * error


def test_of_a_decoder_that_bends_the_escape_brings_what_is_promised_too(x):
    """Stopped early: latents are in use, and their decoder is anything but constant."""
    model = Trained(x, 0.05, epochs=12)
    one = diagnosed(model, x, 0.05)
    revival, rng = one.document["revival"], np.random.default_rng(7)
    assert one.document["active_units"] and revival["nats"] > 1
    risen = elbos(model, x, 0.05, rng, one.escape, draws=40) - elbos(model, x, 0.05, rng, draws=40)
    error = np.hypot(risen.std() / np.sqrt(N), revival["standard_error"])
    assert abs(risen.mean() - revival["nats"]) < 3 * error


def test_another_escape_does_not_bring_it(x, collapsed):
    """The control: the same latents, decoded along other directions, bring less than promised."""
    one = diagnosed(collapsed, x, 0.05)
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(len(LAM), len(LAM))))[0]
    wrong = type(one.escape)(turn @ one.escape.U, one.escape.V, one.escape.D, one.escape.b, one.escape.center)
    rng = np.random.default_rng(7)
    risen = elbos(collapsed, x, 0.05, rng, wrong) - elbos(collapsed, x, 0.05, rng)
    assert risen.mean() < one.document["revival"]["nats"] - 10


def test_a_noise_at_which_nothing_pays_is_not_called_training(x):
    model = Trained(x, 6.0)
    one = diagnosed(model, x, 6.0)
    facts = one.document
    assert len(facts["collapsed"]) == K and facts["linear"]["retained"] == 0
    assert facts["verdict"] == "noise" and facts["revival"]["within_nats"] == 0 and one.escape.latents == 0


def test_a_good_training_is_no_failure(x):
    """The same network, data and noise, from a start that works."""
    facts = diagnosed(Trained(x, 0.05, epochs=200), x, 0.05).document
    assert facts["active_units"] >= 3 and facts["verdict"] == "optimum"
    assert facts["linear"]["below"] < 0.1
