"""Above which noise total collapse is the optimum of every decoder, however deep.

Statement   let y be the data less their mean, K(t) = log mean exp <y, t>. Collapse, with the decoder at the mean and
            the encoder at the prior, has the largest ELBO over all decoders, encoders, priors and numbers of latents
            iff K(t) <= s |t|^2/2 for all t: iff the data are sub-Gaussian with variance proxy s.
Hypotheses  finitely many data; p(x|z) = N(f(z), s I), s fixed (of a beta-VAE: s = beta sigma2); f measurable, q(z|x)
            any density, where the ELBO is finite (else nothing is gained). "Only if" is for a prior with parts of any
            small mass, N(0, I) say, for classes with a decoder of two outputs, or ReLU networks, which come near one,
            and for encoders that reach the posterior, that is for the likelihood. A class of Gaussian encoders only has
            a threshold of its own: at most this one by "if", at least lam_1 by the linear VAE.
Source      ours; theory 6.2. Lindsay, Ann. Statist. 11 (1983), for the likelihood and mixing measures.
Method      the ELBO less that of collapse is, exactly, E_qbar[K(f/s) - |f|^2/(2 s) - KL(pi, p_{f/s})] - KL(qbar, p):
            pi(z) the weights of the data at a latent z, qbar their mean q. Term by term, so for all N, n, k.
Trusted     SymPy's algebra; the normal form of words; Gibbs' inequality; for certificates the checker and python-flint.
"""

import math
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from proofs.machinery.checks import agree, at_most, certified, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.machinery.logic import concludes
from verify.certify.checker.certificate import KINDS
from verify.certify.propose import decoder as propose
from verify.certify.subjects import of_rows
from verify.data import load_rows
from verify.landscape.any_decoder import lower_bound, proxy, two_atoms, upper_bound
from verify.symbolic.letters import n
from verify.symbolic.matrix_calculus import letter
from verify.symbolic.traces import trace

CLAIM = Claim(
    id="any-decoder",
    source="ours, beside Sec. 4.4",
    statement="total collapse is the global optimum over all decoders and encoders iff log mean exp <y, t> <= "
    "s |t|^2/2 for all t: iff the centred data are sub-Gaussian with variance proxy s",
    hypotheses="finitely many data; Gaussian observations at fixed noise; only if: a prior with parts of any small "
    "mass, a class with a decoder of two outputs, or ReLU networks of a standard normal latent, and encoders that "
    "reach the posterior",
    section="Every Gaussian VAE",
    trusts=("kl-nonnegative",),
)
IDENTITY = CLAIM.step(
    "identity",
    "for any decoder f, prior p, densities q(z|x_i) and N, n the ELBO, where it is finite, less that of collapse is "
    "E_qbar[<m, f>/s - |f|^2/(2 s) - KL(pi, uniform)] - KL(qbar, p): at each z, pi_i = q_i/(N qbar), qbar = mean q_i, "
    "m = sum pi_i y_i",
    says="any_vae -> gain_by_output",
    place="Every decoder",
)
CELL = CLAIM.step(
    "output",
    "<m, f>/s - |f|^2/(2 s) - KL(pi, uniform) = K(t) - s |t|^2/2 - KL(pi, p_t) at t = f/s, p_t the weights "
    "proportional to exp <y_i, t>: by Gibbs' inequality no output gains where K(t) <= s |t|^2/2 for all t",
    says="gain_by_output & gibbs & sub_gaussian -> no_gain",
    place="Every decoder",
)
TWO = CLAIM.step(
    "two outputs",
    "a decoder that is s t on a part of the prior of mass e and 0 elsewhere has the mean log likelihood of collapse "
    "plus mean log(1 + e (r - 1)), r = exp(<y, t> - s |t|^2/2), of slope exp(K(t) - s |t|^2/2) - 1 at e = 0: where "
    "K(t) > s |t|^2/2, small e gain",
    says="~sub_gaussian -> two_outputs_gain",
    place="Every decoder",
)
NETWORK = CLAIM.step(
    "network",
    "of a standard normal latent two ReLU units of slope m give s t and 0 but for a part of the prior of mass at most "
    "1/(m (2 pi)^(1/2)), and further layers can hand that on: their likelihood is at least 1 + e (r - 1) - r/(m (2 "
    "pi)^(1/2)) times that of collapse at every datum, so a large m gains what two outputs gain, as nearly as one "
    "likes",
    says="two_outputs_gain -> network_gains",
    place="Every decoder",
)
LEADING = CLAIM.step(
    "leading",
    "2 K(e u)/e^2 = u^T S u + e mean <y, u>^3/3 + O(e^2) for |u| = 1: below lam_1 collapse is not optimal, nor at "
    "lam_1 if the third moment of <y, u_1> is not 0",
    says="below_lam_1 -> ~sub_gaussian",
    place="Every decoder",
)
CONCLUSION = CLAIM.step(
    "conclusion",
    "so no VAE gains on collapse iff the data are sub-Gaussian with proxy s, which cannot be below lam_1",
    place="Every decoder",
)
USED = {"kl-nonnegative": "any_vae -> gibbs"}

s = sp.Symbol("s", positive=True)


@CONCLUSION.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_steps_entail_both_directions(record):
    goal = "any_vae -> ((sub_gaussian & no_gain) | (~sub_gaussian & network_gains)) & (~below_lam_1 | network_gains)"
    record(instances=concludes(CLAIM, goal, USED))
    with rejected():  # lam_1 in place of the proxy
        concludes(CLAIM, "any_vae -> below_lam_1 | no_gain", USED)


@IDENTITY.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_gain_is_a_mean_over_outputs(record):
    y, f = letter("y", n, 1), letter("f", n, 1)
    # |y|^2 - |y - f|^2, what the error of a datum falls by, for all n.
    same(trace(y.T @ y) - trace((y - f).T @ (y - f)), 2 * trace(y.T @ f) - trace(f.T @ f))
    with rejected():
        same(trace(y.T @ y) - trace((y - f).T @ (y - f)), 2 * trace(y.T @ f) + trace(f.T @ f))
    # The integrand at one z and one datum of N, with a = <y, f> and b = |f|^2: a sum of such terms is the whole.
    q, qbar, p, N, b = sp.symbols("q qbar p N b", positive=True)
    a = sp.Symbol("a", real=True)
    pi = q / (N * qbar)
    whole = q / N * ((2 * a - b) / (2 * s) - sp.log(q / p))
    vanishes(sp.expand_log(whole - qbar * pi * (a / s - b / (2 * s) - sp.log(N * pi) - sp.log(qbar / p)), force=True))
    with rejected():  # the prior in the place of qbar
        vanishes(sp.expand_log(whole - qbar * pi * (a / s - b / (2 * s) - sp.log(N * pi)), force=True))
    # Where q is 0 both are: the logarithm of q, or of pi, does not make up for it.
    vanishes(sp.limit(whole, q, 0, "+"))
    vanishes(sp.limit(qbar * pi * (a / s - b / (2 * s) - sp.log(N * pi) - sp.log(qbar / p)), q, 0, "+"))
    record(instances=4)


@CELL.evidence(role="supports", kind="symbolic", strength="proved")
def test_an_output_gains_by_the_excess_of_k(record):
    y, t = letter("y", n, 1), letter("t", n, 1)
    # With f = s t: <y, f>/s - |f|^2/(2 s) = <y, t> - s |t|^2/2, for all n.
    f = s * t
    same(trace(y.T @ f) / s - trace(f.T @ f) / (2 * s), trace(y.T @ t) - s * trace(t.T @ t) / 2)
    with rejected():
        same(trace(y.T @ f) / s - trace(f.T @ f) / (2 * s), trace(y.T @ t) - trace(t.T @ t) / 2)
    # One datum: pi (a - log(N pi)) = pi (K - log(pi/p_t)) with p_t = exp(a - K)/N and a = <y, t>; and sum pi = 1.
    pi, N = sp.symbols("pi N", positive=True)
    a, K = sp.symbols("a K", real=True)
    tilted = sp.exp(a - K) / N
    vanishes(sp.expand_log(pi * (a - sp.log(N * pi)) - pi * (K - sp.log(pi / tilted)), force=True))
    with rejected():  # weights that do not sum to one
        vanishes(sp.expand_log(pi * (a - sp.log(N * pi)) - pi * (K - sp.log(pi / (tilted * N))), force=True))
    for side in (pi * (a - sp.log(N * pi)), pi * (K - sp.log(pi / tilted))):  # a datum without weight
        vanishes(sp.limit(side, pi, 0, "+"))
    record(instances=4)
    record.witness("ELBO - collapse = E_qbar[K(f/s) - |f|^2/(2 s) - KL(pi, p_{f/s})] - KL(qbar, p), for all N, n, k")


@TWO.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_slope_of_two_outputs_is_lindsays_gradient(record):
    x, t = letter("x", n, 1), letter("t", n, 1)
    f = s * t  # x measured from the mean: log N(x; s t)/N(x; 0) by completing the square, for all n
    exponent = (trace(x.T @ x) - trace((x - f).T @ (x - f))) / (2 * s)
    same(exponent, trace(x.T @ t) - s * trace(t.T @ t) / 2)
    with rejected():
        same(exponent, trace(x.T @ t) - trace(t.T @ t) / (2 * s))
    e, a, b = sp.Symbol("e", nonnegative=True), sp.Symbol("a", real=True), sp.Symbol("b", positive=True)
    r = sp.exp(a - s * b / 2)  # b = |t|^2; the mean of the slopes r - 1 is mean exp(a) exp(-s b/2) - 1
    vanishes(sp.diff(sp.log(1 + e * (r - 1)), e).subs(e, 0) - (sp.exp(a) * sp.exp(-s * b / 2) - 1))
    # It is a mixture of N(x; 0) and N(x; s t), over N(x; 0).
    vanishes(((1 - e) + e * r) - (1 + e * (r - 1)))
    record(instances=3)


def relu(a):
    return sp.Max(a, 0)


def ramp(z, slope, start):
    """Two units: 0 up to `start`, 1 from start + 1/slope."""
    return relu(slope * (z - start)) - relu(slope * (z - start) - 1)


@NETWORK.evidence(role="supports", kind="symbolic", strength="proved")
def test_two_relu_units_come_near_two_outputs(record):
    c = sp.Symbol("c", real=True)
    slope, w, e, r, u = sp.symbols("slope w e r u", positive=True)
    vanishes(ramp(c - w, slope, c))
    vanishes(sp.expand(ramp(c + 1 / slope + w, slope, c)) - 1)
    vanishes(relu(w) - w)  # a layer of ReLUs hands nonnegative values on
    with rejected():
        vanishes(sp.expand(ramp(c + 1 / slope + w, slope, c)))
    # The standard normal density is nowhere above 1/(2 pi)^(1/2): so much is the mass between, at most.
    x = sp.Symbol("x", real=True)
    density = sp.exp(-(x**2) / 2) / sp.sqrt(2 * sp.pi)
    vanishes(sp.diff(density, x) + x * density)  # it rises before 0 and falls after it
    lost = density.subs(x, 0) / slope
    # Outputs 0 on a mass 1 - e and s t on e - lost at least: what remains has a likelihood >= 0.
    vanishes((1 - e) + (e - lost) * r - (1 + e * (r - 1) - r / (slope * sp.sqrt(2 * sp.pi))))
    vanishes(sp.limit((1 - e) + (e - lost) * r, slope, sp.oo) - (1 + e * (r - 1)))
    with rejected():
        vanishes(sp.limit((1 - e) + (e - lost) * r, slope, u) - (1 + e * (r - 1)))
    record(instances=6)


@LEADING.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_quotient_near_zero(record):
    e, m2, m4 = sp.symbols("e m2 m4", positive=True)
    m3 = sp.Symbol("m3", real=True)
    mean_exp = 1 + m2 * e**2 / 2 + m3 * e**3 / 6 + m4 * e**4 / 24  # the data are centred
    quotient = sp.expand(sp.series(2 * sp.log(mean_exp), e, 0, 4).removeO() / e**2)
    vanishes(quotient - m2 - m3 * e / 3)
    with rejected():
        vanishes(quotient - m2 - m3 * e / 6)
    record(instances=1)


def gain(y, prior, q, outputs, noise):
    """The ELBO less that of collapse, of a decoder with these outputs (m, n) on parts of the prior (m,), q (N, m)."""
    better = ((y * y).sum(axis=1)[:, None] - ((y[:, None] - outputs) ** 2).sum(axis=2)) / (2 * noise)
    return float((q * (better - np.log(q / prior))).sum(axis=1).mean())


def by_output(y, prior, q, outputs, noise):
    """E_qbar[K(t) - s |t|^2/2] and the two divergences that are taken from it."""
    qbar = q.mean(axis=0)
    t = outputs / noise
    K = np.log(np.exp(y @ t.T).mean(axis=0))
    pi, tilted = q / q.sum(axis=0), np.exp(y @ t.T - K) / len(y)
    value = qbar @ (K - noise * (t * t).sum(axis=1) / 2)
    return float(value), float(qbar @ (pi * np.log(pi / tilted)).sum(axis=0) + qbar @ np.log(qbar / prior))


@st.composite
def hostile_rows(draw):
    """Skewed rows of few values, some of them equal, some columns 0, fewer rows than columns or more."""
    N, columns = draw(st.integers(2, 12)), draw(st.integers(1, 8))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    y = rng.exponential(size=(N, columns)) ** draw(st.integers(1, 3)) * 10.0 ** draw(st.integers(-6, 6))
    y[:, 0] *= draw(st.sampled_from([0.0, 1.0]))
    y[1 : N // 2] = y[-1]
    y[0] = y[-1] + np.abs(y).max() + (y.max() == 0)  # so something varies
    return y - y.mean(axis=0)


@CELL.evidence(role="supports", kind="property")
@given(y=hostile_rows(), seed=st.integers(0, 10**6))
def test_no_vae_of_any_outputs_gains_at_noise_above_the_proxy(y, seed, record):
    rng = np.random.default_rng(seed)
    variance = float(np.linalg.eigvalsh(y.T @ y / len(y))[-1])
    noise = upper_bound(variance, float(np.sqrt((y * y).sum(axis=1).max()))) * rng.choice([1.0, 1.01, 3.0])
    for _ in range(5):
        m = int(rng.integers(1, 6))
        prior, q = rng.dirichlet(np.ones(m)) + 1e-9, rng.dirichlet(np.ones(m), size=len(y)) + 1e-9
        prior, q = prior / prior.sum(), q / q.sum(axis=1, keepdims=True)
        outputs = (q / q.sum(axis=0)).T @ y * rng.choice([0.1, 1.0, 1.0])  # the best outputs for this q, and less
        found = gain(y, prior, q, outputs, noise)
        value, divergences = by_output(y, prior, q, outputs, noise)
        # Sums of terms of this size.
        scale = 1 + float((y * y).sum(axis=1).max()) / noise
        record(worst_error=agree(found, value - divergences, tolerance=1e-12, scale=scale))
        at_most(found, 0.0, slack=1e-13 * scale)
    with rejected():  # a nat off
        agree(found, value + 1, tolerance=1e-12, scale=scale)


def skewed(p=0.05, N=400):
    """N rows of one column, p of them 1 and the others 0, centred: s* is known (claim variance-proxy)."""
    y = np.zeros((N, 1))
    y[: round(p * N)] = 1.0
    return y - p, (1 - 2 * p) / (2 * math.log((1 - p) / p))


@IDENTITY.evidence(role="supports", kind="numeric")
def test_a_nonlinear_decoder_and_gaussian_encoders(record):
    """Networks of tanh units from one latent, and q(z|x) = N(m(x), d(x)) on a fine grid."""
    rng = np.random.default_rng(71)
    z = np.linspace(-9, 9, 4001)
    prior = np.exp(-z * z / 2)
    prior /= prior.sum()
    for _ in range(10):
        y = rng.exponential(size=(7, 3))
        y -= y.mean(axis=0)
        f = np.tanh(np.outer(z, rng.normal(size=8)) + rng.normal(size=8)) @ rng.normal(size=(8, 3))
        mean, d = rng.normal(size=(7, 1)), rng.uniform(0.1, 1.0, size=(7, 1))
        q = np.exp(-((z - mean) ** 2) / (2 * d)) + 1e-300
        q /= q.sum(axis=1, keepdims=True)
        value, divergences = by_output(y, prior, q, f, 0.7)
        record(worst_error=agree(gain(y, prior, q, f, 0.7), value - divergences, tolerance=1e-11))
        with rejected():
            agree(gain(y, prior, q, f, 0.7), value, tolerance=1e-3)


def em_gain(y, noise, atoms, weights, steps):
    """The gain in log likelihood of a mixture of N(atoms, noise), improved by EM."""
    for _ in range(steps):
        ratio = weights * np.exp((y @ atoms.T - (atoms * atoms).sum(axis=1) / 2) / noise)
        share = ratio / ratio.sum(axis=1, keepdims=True)
        weights = share.mean(axis=0)
        atoms = share.T @ y / (share.sum(axis=0)[:, None] + 1e-300)
    return float(np.log(ratio.sum(axis=1)).mean())


@CELL.evidence(role="supports", kind="numeric")
def test_searches_find_nothing_above_the_threshold(record, thorough):
    """Mixtures of five atoms from many starts, by EM, at noise from s* on; just below it the same search gains."""
    rng = np.random.default_rng(72)
    y, threshold = skewed()
    best = {1.001: -math.inf, 0.9: -math.inf}
    for factor in best:
        for _ in range(thorough(20, 200)):
            atoms, weights = rng.normal(size=(5, 1)), rng.dirichlet(np.ones(5))
            best[factor] = max(best[factor], em_gain(y, factor * threshold, atoms, weights, 400))
    record(worst_error=at_most(best[1.001], 0.0, slack=1e-13))
    check(best[0.9] > 1e-4, "the search is too weak to find what is there")
    with rejected():
        check(best[1.001] > 1e-4, "nothing is there")


@TWO.evidence(role="supports", kind="numeric")
def test_two_outputs_gain_below_it_and_not_above(record):
    rows = np.random.default_rng(73).exponential(size=(300, 4)) @ np.diag([2.0, 1.0, 1.0, 0.5])
    for y in (skewed()[0], rows):
        found = lower_bound(y)
        for part in (0.1, 0.5, 0.99):  # of the way from lam_1, where the linear VAE collapses, to the bound
            below = found.lam_1 + part * (found.value - found.lam_1)
            pair = two_atoms(y, found.t, below)
            centred, atoms = y - y.mean(axis=0), pair.atoms - y.mean(axis=0)
            again = em_gain(centred, below, atoms, pair.weights, 1)
            record(worst_error=agree(pair.nats, again, tolerance=1e-12, scale=1.0))
            check(pair.nats > 0, "two outputs gain nothing")
    with rejected():
        check(two_atoms(y, found.t, 1.5 * found.value).nats > 0, "two outputs gain nothing")


@CELL.evidence(role="control", kind="numeric")
def test_the_largest_eigenvalue_in_place_of_the_proxy_is_rejected():
    y, threshold = skewed()
    noise = 1.5 * float((y * y).mean())  # so the linear VAE collapses, for certain
    check(noise < threshold, "the example has no gap")
    with rejected():
        at_most(two_atoms(y, lower_bound(y).t, noise).nats, 0.0, slack=1e-6)


@LEADING.evidence(role="supports", kind="numeric")
def test_the_quotient_along_the_leading_direction(record):
    y = np.random.default_rng(74).exponential(size=(50, 3))
    y -= y.mean(axis=0)
    values, vectors = np.linalg.eigh(y.T @ y / 50)
    third = float(((y @ vectors[:, -1]) ** 3).mean())
    for length in (1e-9, 1e-5, 1e-3):
        found = float(proxy(y, length * vectors[:, -1]))
        # Beyond the third moment terms of the order of length^2.
        expected = values[-1] + length * third / 3
        record(worst_error=agree(found, expected, tolerance=1e-13 + 10 * length**2))
    with rejected():
        agree(found, values[-1], tolerance=1e-5)


def check_proved(statement, subject):
    """Disagreement unless the checker of certificates, which trusts no search, proves it."""
    certified(KINDS[statement["kind"]](statement, subject))


@TWO.evidence(role="supports", kind="certificate", strength="certified")
@pytest.mark.parametrize("name", ["iris", "wine"])
def test_a_witness_in_balls_shows_that_two_outputs_gain(name, record):
    pytest.importorskip("flint")
    rows = load_rows(name)
    subject, found = of_rows(rows), lower_bound(rows.array())
    check_proved(propose.witness(subject, Fraction(found.value * (1 - 1e-9)), found.t), subject)
    with rejected():
        check_proved(propose.witness(subject, Fraction(found.value * (1 + 1e-9)), found.t), subject)
    with rejected():  # another vector
        check_proved(propose.witness(subject, Fraction(found.value * (1 - 1e-9)), -found.t), subject)
    record(instances=1)


@CELL.evidence(role="supports", kind="certificate", strength="certified")
@pytest.mark.parametrize("name", ["iris", "wine"])
def test_no_decoder_gains_a_fiftieth_above_the_witness(name, record):
    """One kernel for all of R^n around 0, and tilted ones in boxes along the leading direction."""
    pytest.importorskip("flint")
    rows = load_rows(name)
    subject, found = of_rows(rows), lower_bound(rows.array())
    statement = propose.every_decoder(subject, Fraction(1.02 * found.value))
    check_proved(statement, subject)
    record(instances=1)
    record.witness(f"{name}: {found.value:.6g} <= s* <= {1.02 * found.value:.6g}")
    with rejected():  # below the witness
        check_proved(statement | {"level": float(0.999 * found.value).hex()}, subject)
    with rejected():  # boxes left out
        evidence = statement["evidence"] | {"tree": statement["evidence"]["tree"][:-1]}
        check_proved(statement | {"evidence": evidence}, subject)


@CELL.evidence(role="control", kind="certificate")
def test_a_level_between_the_largest_eigenvalue_and_the_witness_is_not_certified():
    pytest.importorskip("flint")
    subject, found = of_rows(load_rows("iris")), lower_bound(load_rows("iris").array())
    level = Fraction((found.lam_1 + found.value) / 2)
    with rejected():
        check(propose.every_decoder(subject, level) is not None, "nothing can be proposed")
