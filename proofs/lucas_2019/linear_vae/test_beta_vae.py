"""Sec. 5: a beta-VAE with Gaussian observations takes the steps of a VAE with another noise and learning rate.

Statement   for every beta > 0 there are a sigma2 and a learning rate with which the gradient updates to the network
            parameters are those of the beta-VAE: sigma2' = beta sigma2, and beta times the rate. Any decoder and any
            encoder, any estimate of the expectations from shared samples.
Hypotheses  beta > 0: at beta = 0 the VAE would have the noise 0. Gradient descent. (An optimiser that divides by the
            size of its gradients, as Adam does but for its epsilon, takes the same steps at the same rate.) The noise
            is no network parameter: where it is learned, the network's updates still match at beta sigma2, step by
            step, and those of the noise do not. That is ours, not the paper's, and stands in claim beta-threshold.
Source      Lucas et al. 2019, Sec. 5.
Method      with E||x - D(z)||^2 and the KL as arbitrary functions of the parameters; in words for all n, k; descent
            on both models step by step; networks on the same samples.
Trusted     SymPy's algebra; the rules of verify.symbolic.
"""

import numpy as np
import pytest
import sympy as sp
from scipy.stats import norm

from proofs.lucas_2019.linear_vae.beta_weights import at_noise, beta, beta_elbo_in_words, beta_gradients, constant
from proofs.machinery.checks import agree, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.problems.linear_vaes import random_vae
from verify.symbolic import linear_vae
from verify.symbolic.differentials import gradient
from verify.symbolic.letters import D, V, W, sigma2

CLAIM = Claim(
    id="beta-vae",
    source="Sec. 5",
    statement="for every beta > 0 there are a sigma2 and a learning rate with which the gradient updates to the "
    "network parameters are those of the beta-VAE",
    hypotheses="beta > 0; gradient descent; any Gaussian VAE, deep or linear",
    section="The linear VAE",
    rests_on=("eq-16-20",),
    quote="However, for a given β, one can find a corresponding σ 2 (and a learning rate) such that the gradient "
    "updates to the network parameters are identical.",
)
OBJECTIVE = CLAIM.step(
    "objective",
    "for any decoder and encoder and beta > 0 ELBO_beta(sigma2) = beta ELBO_1(beta sigma2) + "
    "n/2 [(beta - 1) log(2 pi sigma2) + beta log beta], whose last term has no network parameter in it",
    place="Beta-VAE",
)
UPDATES = CLAIM.step(
    "updates",
    "so a gradient step in the network parameters at the rate eta > 0 on ELBO_beta(sigma2) is one at the rate beta eta "
    "on ELBO_1(beta sigma2), and no other noise and rate do this for all gradients of error and KL",
    place="Beta-VAE",
)


@OBJECTIVE.evidence(role="supports", kind="symbolic", strength="proved")
def test_for_any_decoder_and_encoder_the_objectives_differ_by_a_constant(record):
    """error and KL are arbitrary functions of the parameters: deep or linear, amortised or not."""
    t, b, s = sp.symbols("t beta sigma2", positive=True)
    size = sp.Symbol("n", integer=True, positive=True)
    error, kl = sp.Function("E")(t), sp.Function("KL")(t)

    def objective(weight, noise):
        return -error / (2 * noise) - size * sp.log(2 * sp.pi * noise) / 2 - weight * kl

    difference = objective(b, s) - b * objective(1, b * s)
    vanishes(sp.expand_log(difference - size * ((b - 1) * sp.log(2 * sp.pi * s) + b * sp.log(b)) / 2, force=True))
    vanishes(sp.diff(difference, t))
    record(instances=2)
    record.witness("ELBO_beta(sigma2) = beta ELBO_1(beta sigma2) + n/2 [(beta - 1) log(2 pi sigma2) + beta log beta]")


@OBJECTIVE.evidence(role="supports", kind="symbolic")
def test_the_linear_vae_for_all_n_and_k(record):
    other = beta * at_noise(linear_vae.elbo(), beta * sigma2)
    same(beta_elbo_in_words(), other + constant())
    for X in (W, V, D):
        same(gradient(beta_elbo_in_words(), X), gradient(other, X))
    record(instances=4)


@UPDATES.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_steps_are_equal_at_beta_sigma2_and_the_scaled_rate_and_at_no_other(record):
    e, kl, b, s, eta, other, rate = sp.symbols("dE dKL beta sigma2 eta sigma2' rate", positive=True)

    def step(weight, noise, speed):
        """Speed times the derivative of -E/(2 noise) - weight KL in a network parameter."""
        return speed * (-e / (2 * noise) - weight * kl)

    vanishes(step(b, s, eta) - step(1, b * s, b * eta))
    for noise, speed in ((s, b * eta), (b * s, eta), (s / b, eta / b)):
        with rejected():
            vanishes(step(b, s, eta) - step(1, noise, speed))
    # Equal for whatever dE and dKL: their coefficients match one by one.
    match = sp.expand(step(1, other, rate) - step(b, s, eta))
    same(sp.solve([match.coeff(e), match.coeff(kl)], [rate, other], dict=True), [{rate: b * eta, other: b * s}])
    record(instances=2)
    record.witness("sigma2' = beta sigma2, rate' = beta rate")


@OBJECTIVE.evidence(role="supports", kind="numeric")
def test_a_deep_vae_with_both_noises_on_the_same_samples(record, thorough):
    """A tanh encoder with amortised variances and a tanh decoder; the densities come from scipy."""
    rng = np.random.default_rng(102)
    for _ in range(thorough(20, 200)):
        s, b = float(rng.uniform(0.1, 2.0)), float(np.exp(rng.uniform(-2, 2)))
        X, noise = rng.standard_normal((7, 5)), rng.standard_normal((4, 7, 3))
        shapes = ((5, 6), (6, 3), (6, 3), (3, 6), (6, 5))
        nets = [[rng.standard_normal(shape) for shape in shapes] for _ in range(2)]
        rises = []
        for weight, variance in ((b, s), (1.0, b * s)):
            values = [deep_objective(net, X, noise, weight, variance) for net in nets]
            rises.append(values[1] - values[0])
        error = agree(rises[0], b * rises[1], tolerance=1e-12, scale=sum(map(abs, values)) * b + abs(rises[0]))
        record(worst_error=error)


def deep_objective(net, X, noise, weight, s):
    """E_q log p(x|z) - weight KL, averaged over the data X (N, n) and the given samples (m, N, k)."""
    A, B_mean, B_log, G, H = net
    hidden = np.tanh(X @ A)
    mean, deviation = hidden @ B_mean, np.exp(0.3 * np.tanh(hidden @ B_log))
    z = mean + deviation * noise
    log_p = norm.logpdf(X, np.tanh(z @ G) @ H, np.sqrt(s)).sum(axis=-1).mean()
    kl = 0.5 * (mean**2 + deviation**2 - 1 - 2 * np.log(deviation)).sum(axis=-1).mean()
    return float(log_p - weight * kl)


def trajectory(p, b, s, rate, steps=30):
    """W, V, log D after plain gradient ascent of the beta-ELBO at noise s."""
    W, V, log_D = p.W.copy(), p.V.copy(), np.log(p.D)
    for _ in range(steps):
        g = beta_gradients(W, V, np.exp(log_D), s, p.S, b)
        W, V, log_D = W + rate * g[0], V + rate * g[1], log_D + rate * np.exp(log_D) * g[2]
    return np.concatenate([W.ravel(), V.ravel(), log_D])


@UPDATES.evidence(role="supports", kind="numeric")
def test_gradient_descent_takes_the_same_steps_at_the_scaled_rate(record, thorough):
    rng = np.random.default_rng(103)
    for _ in range(thorough(20, 200)):
        p, b = random_vae(rng, 4, 2), float(np.exp(rng.uniform(-1.5, 1.5)))
        rate = 1e-2 * min(1.0, p.sigma2) / (1 + b)
        ours = trajectory(p, b, p.sigma2, rate)
        # Rounding grows along 30 steps, by less than a factor 1e3 at this rate.
        record(worst_error=agree(ours, trajectory(p, 1.0, b * p.sigma2, b * rate), tolerance=1e-12))


@OBJECTIVE.evidence(role="control", kind="symbolic")
def test_another_noise_or_constant_is_rejected():
    for noise, factor in ((sigma2 / beta, beta), (beta * sigma2, 1), (sigma2, beta), (sp.sqrt(beta) * sigma2, beta)):
        for X in (W, V, D):
            with rejected():
                same(gradient(beta_elbo_in_words(), X), gradient(factor * at_noise(linear_vae.elbo(), noise), X))
    with rejected():
        same(beta_elbo_in_words(), beta * at_noise(linear_vae.elbo(), beta * sigma2) - constant())


@UPDATES.evidence(role="control", kind="numeric")
@pytest.mark.parametrize("b", [0.5, 2.0])
def test_the_same_learning_rate_is_rejected(b):
    p = random_vae(np.random.default_rng(105), 4, 2)
    ours = trajectory(p, b, p.sigma2, 2e-3)
    agree(ours, trajectory(p, 1.0, b * p.sigma2, b * 2e-3), tolerance=1e-12)
    with rejected():
        agree(ours, trajectory(p, 1.0, b * p.sigma2, 2e-3), tolerance=1e-12)
