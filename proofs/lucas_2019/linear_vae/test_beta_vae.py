"""Sec. 5: a beta-VAE with Gaussian observations is a VAE with another noise, as long as the noise is fixed.

Statement   for every beta there are a sigma2 and a learning rate with which the gradient updates of the VAE are those
            of the beta-VAE.
Hypotheses  as corrected: the beta-VAE's sigma2 is fixed, and so is the VAE's; plain gradient descent.
Correction  ELBO_beta(sigma2) = beta ELBO_1(beta sigma2) + n/2 [(beta - 1) log(2 pi sigma2) + beta log beta], for any
            decoder and encoder: the noise of the VAE is beta sigma2, and its learning rate beta times that of the
            beta-VAE. The linear beta-VAE retains exactly the lam_j > beta sigma2. The last term depends on sigma2, so
            with a learned noise nothing matches: there the beta-VAE has sigma2 = E||x - D(z)||^2/n, and the VAE of the
            same gradients, at beta sigma2, would move. For the linear model with q latents the threshold is then
            beta sigma2 = lost / (n/beta - q), lost the sum of the discarded eigenvalues, instead of lost / (n - q).
Source      Lucas et al. 2019, Sec. 5.
Method      with E||x - D(z)||^2 and the KL as arbitrary functions of the parameters; in words for all n, k; descent
            on both models step by step; ascent of a linear beta-VAE from random starts; 50 digits on hostile spectra.
Trusted     SymPy's algebra; the rules of verify.symbolic; which latents the VAE retains (claims theorem-1 and
            fixed-noise-maxima).
"""

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from proofs.lucas_2019.linear_vae.stationary_problems import orthogonal_points
from proofs.machinery.checks import agree, at_most, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.problems.linear_vaes import random_vae
from proofs.problems.spectra import climb
from proofs.problems.spectra import random_problem as random_spectrum
from verify import reference
from verify.landscape.stationary import retained_count
from verify.models import linear_vae as model
from verify.symbolic import linear_vae
from verify.symbolic.differentials import derivative, gradient
from verify.symbolic.letters import D, V, W, n, sigma2
from verify.symbolic.traces import Scalar

CLAIM = Claim(
    id="beta-vae",
    source="Sec. 5",
    statement="for every beta there are a sigma2 and a learning rate with which the gradient updates of the VAE are "
    "those of the beta-VAE",
    hypotheses="noise fixed in both; plain gradient descent",
    section="The linear VAE",
    rests_on=("theorem-1", "fixed-noise-maxima"),
)

beta = sp.Symbol("beta", positive=True)


def at_noise(f, noise):
    """The scalar f with sigma2 replaced in its coefficients; for scalars without M or C."""
    constant, words = f.constant.subs(sigma2, noise), [(w, c.subs(sigma2, noise)) for w, c in f.traces.items()]
    return Scalar(constant, words, f.log_dets.items())


def beta_elbo_in_words():
    """Reconstruction - beta KL."""
    return linear_vae.reconstruction() - beta * linear_vae.kl()


def constant():
    """n/2 [(beta - 1) log(2 pi sigma2) + beta log beta]."""
    return n * ((beta - 1) * sp.log(2 * sp.pi * sigma2) + beta * sp.log(beta)) / 2


def beta_gradients(W, V, D, sigma2, S, b):
    """The gradients of E_q log p(x|z) - b KL in W, V, D and sigma2, from those of its two parts."""
    g = model.gradients(W, V, D, sigma2, S)
    # ELBO_1 has -KL; dKL/dV = V S and dKL/dD = (1 - 1/D)/2.
    return g.W, g.V + (1 - b) * V @ S, g.D + (1 - b) * (1 - 1 / D) / 2, g.sigma2


@CLAIM.evidence(role="corrected", kind="symbolic", strength="proved")
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


@CLAIM.evidence(role="corrected", kind="symbolic", strength="proved")
def test_the_linear_vae_for_all_n_and_k(record):
    other = beta * at_noise(linear_vae.elbo(), beta * sigma2)
    same(beta_elbo_in_words(), other + constant())
    for X in (W, V, D):
        same(gradient(beta_elbo_in_words(), X), gradient(other, X))
    record(instances=4)


@CLAIM.evidence(role="refutes", kind="symbolic", strength="proved")
def test_with_a_learned_noise_no_learning_rate_does(record):
    """In the parameters only (beta sigma2, rate times beta) matches; in the noise that leaves a difference."""
    e, kl, b, s, other, rate = sp.symbols("dE dKL beta sigma2 sigma2' rate", positive=True)
    # Equal updates for whatever dE and dKL: their coefficients match one by one.
    match = sp.expand(rate * (-e / (2 * other) - kl) - (-e / (2 * s) - b * kl))
    solutions = sp.solve([match.coeff(e), match.coeff(kl)], [rate, other], dict=True)
    same(solutions, [{rate: b, other: b * s}])
    off = derivative(beta_elbo_in_words(), sigma2) - derivative(
        beta * at_noise(linear_vae.elbo(), beta * sigma2), sigma2
    )
    same(off, Scalar(n * (beta - 1) / (2 * sigma2)))
    # Where the beta-VAE's noise is at rest, E||x - W z||^2 = n sigma2, the other's moves, at every rate.
    at_rest = linear_vae.squared_error() - n * sigma2
    same(derivative(beta_elbo_in_words(), sigma2), at_rest / (2 * sigma2**2))
    of_other = at_noise(linear_vae.gradients().sigma2, beta * sigma2)
    same(of_other - at_rest / (2 * beta**2 * sigma2**2), Scalar(n * (1 - beta) / (2 * beta**2 * sigma2)))
    record(instances=4)
    record.witness(
        "at E||x - D(z)||^2 = n sigma2: dELBO_beta/dsigma2 = 0, dELBO_1 at beta sigma2 = n (1 - beta)/(2 beta^2 sigma2)"
    )


def linear_point(lam, s, effective):
    """n = 2, k = 1: W, V, D, sigma2 = s and S = diag(lam), with W, V, D optimal for the VAE at noise `effective`."""
    w = np.sqrt(lam[0] - effective)
    return np.array([[w], [0.0]]), np.array([[w / lam[0], 0.0]]), np.array([effective / lam[0]]), s, np.diag(lam)


@CLAIM.evidence(role="refutes", kind="numeric")
def test_a_learned_noise_to_check_by_hand(record):
    """S = diag(4, 1), k = 1, beta = 1/2: sigma2 = 2/3, w^2 = 4 - 1/3; the VAE itself has sigma2 = 1, w^2 = 3."""
    lam = np.array([4.0, 1.0])
    found = linear_point(lam, 2 / 3, 1 / 3)
    for g in beta_gradients(*found, 0.5):
        record(worst_error=agree(g, np.zeros_like(g), tolerance=1e-14))
    plain = linear_point(lam, 1.0, 1.0)
    for g in beta_gradients(*plain, 1.0):
        agree(g, np.zeros_like(g), tolerance=1e-14)
    check(abs(found[0][0, 0] ** 2 - plain[0][0, 0] ** 2) > 0.6, "both learn the same decoder")
    # The VAE of the same gradients has the noise 1/3 = beta sigma2, where its own noise gradient is not zero.
    matched = model.gradients(*linear_point(lam, 1 / 3, 1 / 3))
    agree(matched.W, np.zeros((2, 1)), tolerance=1e-14)
    agree(matched.sigma2, 3.0, tolerance=1e-14)
    record.witness(
        "S = diag(4, 1), k = 1, beta = 1/2, noise learned: w^2 = 11/3, sigma2 = 2/3; a VAE with learned noise has "
        "w^2 = 3, sigma2 = 1; at w^2 = 11/3 and sigma2 = 1/3 its noise gradient is 3"
    )


@CLAIM.evidence(role="corrected", kind="numeric")
def test_with_a_learned_noise_the_threshold_is_another(record, thorough):
    """beta sigma2 = lost/(n/beta - q), wherever that is positive and below lam_q: all four gradients vanish."""
    rng, seen = np.random.default_rng(101), 0
    for _ in range(thorough(60, 600)):
        p, b = random_spectrum(rng), float(rng.uniform(0.2, 2.0))
        room = p.n / b - p.k
        effective = p.lam[p.k :].sum() / room if room > 0 else np.inf
        if effective >= p.lam[p.k - 1]:
            continue
        lengths = np.sqrt(p.lam[: p.k] - effective)
        U = p.U[:, : p.k]
        V, D = (U * (lengths / p.lam[: p.k])).T, effective / p.lam[: p.k]
        for g in beta_gradients(U * lengths, V, D, effective / b, p.S, b):
            record(worst_error=agree(g, np.zeros_like(g), tolerance=1e-11, scale=p.n * (1 + p.lam[0] / effective) ** 2))
        seen += 1
    check(seen > 15, f"only {seen} spectra had such a point")


@CLAIM.evidence(role="corrected", kind="numeric")
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


@CLAIM.evidence(role="corrected", kind="numeric")
def test_gradient_descent_takes_the_same_steps_at_the_scaled_rate(record, thorough):
    rng = np.random.default_rng(103)
    for _ in range(thorough(20, 200)):
        p, b = random_vae(rng, 4, 2), float(np.exp(rng.uniform(-1.5, 1.5)))
        rate = 1e-2 * min(1.0, p.sigma2) / (1 + b)
        ours = trajectory(p, b, p.sigma2, rate)
        # Rounding grows along 30 steps, by less than a factor 1e3 at this rate.
        record(worst_error=agree(ours, trajectory(p, 1.0, b * p.sigma2, b * rate), tolerance=1e-12))


@CLAIM.evidence(role="corrected", kind="numeric")
def test_a_linear_beta_vae_retains_what_exceeds_beta_sigma2(record, thorough):
    """Ascent in W, V and log D from random starts; a latent is retained where its mean KL is not zero."""
    rng, counts = np.random.default_rng(104), set()
    for _ in range(thorough(12, 120)):
        p, b = random_spectrum(rng, 4, 3), float(np.exp(rng.uniform(-1.2, 1.2)))
        threshold = b * p.sigma2
        if np.min(np.abs(np.log(p.lam / threshold))) < 0.1:  # too flat to climb
            continue
        retained, found = retained_count(p.lam, p.k, threshold), ascend(p, b, rng)
        check_retained(*found, p, retained)
        lengths = np.sort(np.sum(found[0] ** 2, axis=0))[::-1]
        expected = np.maximum(p.lam[: p.k] - threshold, 0.0)
        record(worst_error=agree(lengths, expected, tolerance=1e-3, scale=p.lam[0]))
        counts.add(retained)
    check(len(counts) > 2, f"only {counts} latents were retained")


def ascend(p, b, rng):
    """W, V, D at the end of L-BFGS on the beta-ELBO."""
    size = p.n * p.k

    def parts(x):
        return x[:size].reshape(p.n, p.k), x[size : 2 * size].reshape(p.k, p.n), np.exp(x[2 * size :])

    def value_and_gradient(x):
        W, V, D = parts(x)
        g = beta_gradients(W, V, D, p.sigma2, p.S, b)
        value = model.reconstruction(W, V, D, p.sigma2, p.S) - b * model.kl(V, D, p.S)
        return value, np.concatenate([g[0].ravel(), g[1].ravel(), D * g[2]])

    return parts(climb(value_and_gradient, rng.standard_normal(2 * size + p.k)))


def check_retained(W, V, D, p, expected):
    """The number of latents whose mean KL is above 1e-3 (at lam/(beta sigma2) = 1.1 it is 0.048)."""
    kl = 0.5 * (np.einsum("ij,jl,il->i", V, p.S, V) + D - 1 - np.log(D))
    same(int((kl > 1e-3).sum()), expected)


@CLAIM.evidence(role="corrected", kind="property")
@given(p=orthogonal_points(max_n=4), exponent=st.floats(-3, 3))
def test_to_50_digits_the_points_at_beta_sigma2_are_stationary_for_beta(p, exponent, record):
    """Hostile spectra: p is stationary for the VAE at noise p.sigma2 = beta sigma2."""
    mp = reference.mpmath
    with reference.precision():
        b = mp.mpf(10.0**exponent)
        s = p.sigma2 / b
        second, lengths = p.V @ p.S @ p.V.T, (p.W**2).sum(axis=0)
        scale = b * (1 + p.S.trace() / p.sigma2) ** 2 / min(1, p.sigma2, p.D.min())
        for g in (
            (p.S @ p.V.T - p.W * p.D - p.W @ second) / s,
            (p.W.T - p.W.T @ p.W @ p.V) @ p.S / s - b * p.V @ p.S,
            (b / p.D - b - lengths / s) / 2,
        ):
            at_most(abs(g) / scale, 0.0, slack=1e-35)
        kl = p.kl_per_latent.sum()
        ours = reference.elbo(p.W, p.V, p.D, s, p.S) + (1 - b) * kl
        other = b * reference.elbo(p.W, p.V, p.D, p.sigma2, p.S)
        rest = len(p.S) * ((b - 1) * mp.log(2 * mp.pi * s) + b * mp.log(b)) / 2
        record(worst_error=at_most(abs(ours - other - rest) / scale, 0.0, slack=1e-35))


@CLAIM.evidence(role="control", kind="symbolic")
def test_another_noise_or_constant_is_rejected():
    for noise, factor in ((sigma2 / beta, beta), (beta * sigma2, 1), (sigma2, beta), (sp.sqrt(beta) * sigma2, beta)):
        for X in (W, V, D):
            with rejected():
                same(gradient(beta_elbo_in_words(), X), gradient(factor * at_noise(linear_vae.elbo(), noise), X))
    with rejected():
        same(beta_elbo_in_words(), beta * at_noise(linear_vae.elbo(), beta * sigma2) - constant())


@CLAIM.evidence(role="control", kind="numeric")
@pytest.mark.parametrize("b", [0.5, 2.0])
def test_the_same_learning_rate_is_rejected(b):
    p = random_vae(np.random.default_rng(105), 4, 2)
    ours = trajectory(p, b, p.sigma2, 2e-3)
    agree(ours, trajectory(p, 1.0, b * p.sigma2, b * 2e-3), tolerance=1e-12)
    with rejected():
        agree(ours, trajectory(p, 1.0, b * p.sigma2, 2e-3), tolerance=1e-12)


@CLAIM.evidence(role="control", kind="numeric")
def test_the_threshold_without_beta_is_rejected():
    """lam = 4, 2, 1, 1/2, sigma2 = 0.8, beta = 2: two of three latents are retained, not three."""
    rng = np.random.default_rng(106)
    p = random_spectrum(rng, 4, 3)
    p = type(p)(np.array([4.0, 2.0, 1.0, 0.5]), p.U, 3, 0.8)
    found = ascend(p, 2.0, rng)
    check_retained(*found, p, 2)
    with rejected():
        check_retained(*found, p, retained_count(p.lam, p.k, p.sigma2))


@CLAIM.evidence(role="control", kind="numeric")
def test_with_a_learned_noise_the_threshold_of_the_vae_is_rejected():
    """lost/(n - q) for beta sigma2 (or for sigma2): the gradients do not vanish."""
    lam = np.array([4.0, 1.0])
    for s, effective in ((2.0, 1.0), (1.0, 0.5)):
        with rejected():
            for g in beta_gradients(*linear_point(lam, s, effective), 0.5):
                agree(g, np.zeros_like(g), tolerance=1e-6)
