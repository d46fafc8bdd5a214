"""At every stationary point of a Gaussian encoder's ELBO each latent has the second moment of its prior.

Statement   mean_x[mu_i(x)^2 + s_i(x)^2] = 1 for every latent i wherever the (beta-)ELBO is stationary, q(z|x) =
            N(mu(x), diag s(x)^2), whatever decoder and likelihood follow: Gaussian, of fixed or learned noise, or
            Bernoulli. Where it is not 1, rescaling the latents alone would bring beta/2 sum_i (m_i - 1 - log m_i) nats.
Hypotheses  rescaling latent i is free: the decoder reads z through a linear layer, the mean comes from a linear head,
            the log variance from a head with a bias, and none of these is tied, normalised or held. beta > 0. The ELBO
            is differentiable in the weights there (along the rescaling it always is, at a kink of a ReLU too). The mean
            is over the data that the objective averages over. A penalty on the weights moves it (step decay).
Source      ours; theory 6.4. The linear VAE's case is claim stationary-identity, which is in matrices of its own.
Method      along mu_i -> c mu_i, s_i -> c s_i, column i of the first layer divided by c, the decoder's input does not
            change, draw by draw, in words for any number of latents; KL does. Numeric: tanh networks with derivatives
            written out, at random weights (a combination of gradients) and trained to rest.
Trusted     the rules of verify.symbolic; gaussian-moments for the KL; chain-rule along the path.
"""

from dataclasses import replace

import numpy as np
import pytest
import sympy as sp

from proofs.machinery.checks import agree, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.machinery.logic import concludes
from proofs.problems.spectra import climb
from proofs.problems.tanh_networks import LIKELIHOODS, network
from verify.landscape.rescaling import rescaling, spare_nats
from verify.symbolic import ppca
from verify.symbolic.differentials import gradient
from verify.symbolic.expectations import expectation, log_gaussian
from verify.symbolic.letters import D, k, z
from verify.symbolic.matrix_calculus import diag, identity, inverse, letter
from verify.symbolic.relations import substitute
from verify.symbolic.traces import log_det, trace

CLAIM = Claim(
    id="second-moment",
    source="ours, for every Gaussian encoder",
    statement="at every stationary point of the (beta-)ELBO mean_x[mu_i^2 + s_i^2] = 1 for every latent, whatever the "
    "decoder and the likelihood",
    hypotheses="beta > 0; q = N(mu, diag s^2) and the prior N(0, I); linear first layer of the decoder, linear mean "
    "head, log variance head with a bias: so rescaling a latent is free",
    section="Every Gaussian VAE",
    trusts=("chain-rule", "gaussian-moments"),
)
FREE = CLAIM.step(
    "free",
    "mu_i -> t_i mu_i, s_i -> t_i s_i and the columns of the decoder's linear first layer divided by t_i leave its "
    "input as it is, draw by draw: no likelihood of the data can tell; for any number of latents",
    says="rescalable -> input_stays",
    place="One identity for every latent",
)
SLOPE = CLAIM.step(
    "slope",
    "the KL of latent i becomes 1/2 (t_i^2 m_i - 1 - mean log s_i^2 - log t_i^2), m_i = mean(mu_i^2 + s_i^2): its "
    "slope at t = 1 is m_i - 1, and that of the beta-ELBO -beta (m_i - 1); for any number of latents",
    says="input_stays & moments -> slope_is_beta_times_deviation",
    place="One identity for every latent",
)
ZERO = CLAIM.step(
    "zero",
    "beta (m - 1) = 0 with beta > 0 is m = 1",
    says="slope_is_beta_times_deviation & flat & weighted -> moment_one",
    place="One identity for every latent",
)
CONCLUSION = CLAIM.step(
    "conclusion",
    "so the second moment is 1 at every stationary point where rescaling is free",
    place="One identity for every latent",
)
NATS = CLAIM.step(
    "nats",
    "along t the KL of a latent is convex in log t with its minimum at t^2 = 1/m: rescaling alone gains 1/2 (m - 1 - "
    "log m) >= 0 nats of it, 0 iff m = 1",
    place="One identity for every latent",
)
SHIFT = CLAIM.step(
    "shift",
    "if the mean head and the decoder's first layer have biases, mu -> mu + a is free as well, with slope mean mu_i of "
    "the KL: there mean mu_i = 0, and so v_i, the variance of mu_i plus the mean of s_i^2, is 1; shift and "
    "scale together gain 1/2 (v_i - 1 - log v_i) + (mean mu_i)^2/2 nats of the KL",
    place="One identity for every latent",
)
DECAY = CLAIM.step(
    "decay",
    "with a penalty a/2 (|B_i|^2 + |H_i|^2) on the columns of the first layer and the rows of the mean head, "
    "stationary points have m_i = 1 + (a/beta) (|B_i|^2 - |H_i|^2); with a/2 g_i^2 on the bias g_i of the log variance "
    "too, m_i = 1 + (a/beta) (|B_i|^2 - |H_i|^2 - 2 g_i)",
    place="One identity for every latent",
)
NEEDED = CLAIM.step(
    "needed",
    "there are stationary points with another moment where rescaling is not free: beta = 0, free bits, a first layer "
    "of fixed norm, a variance that is held fixed",
    place="One identity for every latent",
)

hidden = sp.Symbol("h", integer=True, positive=True)
B, T, R = letter("B", hidden, k), letter("T", k, k, "diagonal"), letter("R", k, k, "diagonal")
mean, eps = letter("m", k, 1), letter("eps", k, 1)


@FREE.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_decoders_input_is_the_same_draw_by_draw_for_any_number_of_latents(record):
    """z = mean + R eps with the deviations R on the diagonal."""
    before = B @ (mean + R @ eps)
    same(B @ inverse(T) @ (T @ mean + T @ R @ eps), before)
    with rejected():  # a log variance head without a bias: the deviations stay
        same(B @ inverse(T) @ (T @ mean + R @ eps), before)
    with rejected():  # a first layer that is left alone, or of a fixed norm
        same(B @ (T @ mean + T @ R @ eps), before)
    record()


def kl_after(scaled_mean, covariance):
    """KL(N(scaled_mean, covariance), N(0, I)) at one datum, from log densities."""
    density = log_gaussian(z - scaled_mean, inverse(covariance), log_det(covariance))
    return expectation(density - ppca.log_prior(), z, scaled_mean, covariance)


@SLOPE.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_slope_of_the_kl_is_the_second_moment_less_one(record):
    found = kl_after(T @ mean, T @ D @ T)
    expected = (trace(T @ mean @ mean.T @ T) + trace(T @ D @ T) - log_det(T @ D @ T) - k) / 2
    same(found, expected)
    moment = diag(mean @ mean.T) + D  # linear in what is averaged over the data
    slope = substitute(gradient(found, T), {"T": identity(k)})
    same(slope, moment - identity(k))
    with rejected():  # the mean square of the means alone
        same(slope, diag(mean @ mean.T) - identity(k))
    with rejected():  # that of samples, E z^2 = mean^2 + s^2, beside the variance
        same(slope, moment + D - identity(k))
    record(instances=2)
    record.witness("d KL / d t_i = mean(mu_i^2 + s_i^2) - 1 at t = 1, for any number of latents")


b, m, c, a = sp.symbols("beta m c a", positive=True)
# What the KL of one latent, averaged over the data, gains along z_i -> c z_i, times -1: see step slope.
CHANGE = (c**2 * m - m - sp.log(c**2)) / 2


@ZERO.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_slope_vanishes_at_moment_one_alone(record):
    slope = sp.diff(-b * CHANGE, c).subs(c, 1)
    same(sp.solve(slope, m), [1])
    for wrong in (slope + b, slope - b * m / 2):
        with rejected():
            same(sp.solve(wrong, m), [1])
    record()


@CONCLUSION.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_steps_entail_it(record):
    premises = {"chain-rule": "stationary & rescalable -> flat", "gaussian-moments": "moments"}
    record(instances=concludes(CLAIM, "stationary & rescalable & weighted -> moment_one", premises))
    for wrong in ("stationary & weighted -> moment_one", "stationary & rescalable -> moment_one"):
        with rejected():
            concludes(CLAIM, wrong, premises)


@NATS.evidence(role="supports", kind="symbolic", strength="proved")
def test_rescaling_gains_half_of_m_minus_one_minus_log_m(record):
    t = sp.Symbol("t", real=True)  # log c
    along = CHANGE.subs(c, sp.exp(t)).subs(sp.log(sp.exp(2 * t)), 2 * t)
    check(sp.diff(along, t, 2).is_positive, "not convex in log c")
    same(sp.solve(sp.diff(along, t), t), [-sp.log(m) / 2])
    gain = sp.expand_log(-CHANGE.subs(c, 1 / sp.sqrt(m)))
    vanishes(gain - (m - 1 - sp.log(m)) / 2)
    # h(m) = m - 1 - log m is convex with its minimum 0 at 1.
    same((gain.subs(m, 1), sp.solve(sp.diff(gain, m), m)), (0, [1]))
    check(sp.diff(gain, m, 2).is_positive, "the gain is not convex in m")
    with rejected():
        vanishes(gain - (m - 1 - sp.log(m)))
    with rejected():
        check(sp.diff(-gain, m, 2).is_positive, "concave")
    record(instances=2)
    record.witness("rescaling latent i alone brings beta/2 (m_i - 1 - log m_i) nats")


@SHIFT.evidence(role="supports", kind="symbolic", strength="proved")
def test_shifting_is_free_with_biases_and_has_the_mean_as_its_slope(record):
    shift, bias = letter("a", k, 1), letter("b", hidden, 1)
    before = B @ (mean + R @ eps) + bias
    same(B @ (mean + shift + R @ eps) + bias - B @ shift, before)
    with rejected():  # without a bias that can take it up
        same(B @ (mean + shift + R @ eps) + bias, before)
    slope = substitute(gradient(kl_after(mean + shift, D), shift), {"a": 0 * shift})
    same(slope, mean)
    # mu -> c (mu + a): m, the mean square v + first^2 without, becomes c^2 (v + (first + a)^2), least at a = -first.
    first, v, by = sp.symbols("first v by", real=True)
    same(sp.solve(sp.diff(v + (first + by) ** 2, by), by), [-first])
    gain = (m + first**2 - 1 - sp.log(m)) / 2  # v = m here, which is positive; c^2 = 1/v by step nats
    vanishes(gain - (-CHANGE.subs(c, 1 / sp.sqrt(m)) + first**2 / 2))
    with rejected():  # the mean's square twice
        vanishes(gain - (-CHANGE.subs(c, 1 / sp.sqrt(m)) + first**2))
    record(instances=3)


@DECAY.evidence(role="supports", kind="symbolic", strength="proved")
def test_a_penalty_on_the_weights_moves_the_moment_by_so_much(record):
    layer, head = sp.symbols("B2 H2", positive=True)  # |B_i|^2, |H_i|^2
    penalised = -b * CHANGE - a * (layer / c**2 + head * c**2) / 2
    at_rest = sp.solve(sp.diff(penalised, c).subs(c, 1), m)
    same([sp.expand(x) for x in at_rest], [sp.expand(1 + a * (layer - head) / b)])
    with rejected():  # the penalty unseen
        same(at_rest, [1])
    # s_i -> c s_i is g_i -> g_i + 2 log c.
    g = sp.Symbol("g", real=True)
    with_bias = penalised - a * (g + 2 * sp.log(c)) ** 2 / 2
    at_rest = sp.solve(sp.diff(with_bias, c).subs(c, 1), m)
    same([sp.expand(x) for x in at_rest], [sp.expand(1 + a * (layer - head - 2 * g) / b)])
    with rejected():  # as if the bias were free
        same([sp.expand(x) for x in at_rest], [sp.expand(1 + a * (layer - head) / b)])
    record(instances=2)


@NEEDED.evidence(role="supports", kind="symbolic", strength="proved")
@pytest.mark.parametrize("case", ["beta 0", "free bits", "fixed norm", "fixed variance"])
def test_where_rescaling_is_not_free_or_not_paid_for_the_moment_is_another(case, record):
    """n = k = 1, the linear VAE of data of mean square S at noise 1: all slopes that are free vanish, exactly."""
    w, v, d, S, weight = sp.symbols("w v d S weight", positive=True)
    fit = -(w**2 * d + w**2 * v**2 * S - 2 * w * v * S + S) / 2
    kl = (v**2 * S + d - 1 - sp.log(d)) / 2
    half, four = sp.Rational(1, 2), sp.Integer(4)
    free, at = {
        # beta = 0 at the end of an annealing: a decoder that ignores the latent, and any variance.
        "beta 0": ((w, v, d), {w: 0, v: 0, d: half, S: 1, weight: 0}),
        # max(KL, floor) below its floor has no slope: again the weight is 0.
        "free bits": ((w, v, d), {w: 0, v: 0, d: 2, S: 1, weight: 0}),
        "fixed norm": ((v, d), {w: 1, v: half, d: half, S: 3, weight: 1}),
        "fixed variance": ((w, v), {w: 1, v: half, d: 1, S: four, weight: 1}),
    }[case]
    for X in free:
        vanishes(sp.diff(fit - weight * kl, X).subs(at))
    with rejected():
        same((v**2 * S + d).subs(at), 1)
    if case == "free bits":
        check(bool((kl.subs(at) < half).simplify()), "the KL is not below a floor of half a nat")
    record()
    record.witness(f"{case}: w = {at[w]}, v = {at[v]}, d = {at[d]}, S = {at[S]}: m = {(v**2 * S + d).subs(at)}")


@SLOPE.evidence(role="supports", kind="numeric")
@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_the_gradients_of_a_network_combine_to_the_deviation(likelihood, record, thorough):
    rng = np.random.default_rng(641)
    for _ in range(thorough(20, 200)):
        net = network(rng, likelihood, float(np.exp(rng.uniform(-3, 2))))
        v = net.start(rng)
        value, slope = net.value_and_gradient(v)
        way = rng.standard_normal(len(v))
        finite = (net.value_and_gradient(v + 1e-6 * way)[0] - net.value_and_gradient(v - 1e-6 * way)[0]) / 2e-6
        # Central differences: 1e-12 of truncation, 1e-10 of cancellation.
        agree(finite, way @ slope, tolerance=1e-6, scale=np.abs(way) @ np.abs(slope) + abs(value))
        expected = -net.beta * (net.moments(v) - 1)
        # The combination cancels terms of the size of weights times gradients.
        scale = float(np.linalg.norm(v) * np.linalg.norm(slope))
        record(worst_error=agree(net.scaling_slope(v), expected, tolerance=1e-12, scale=scale))
        with rejected():  # the means alone
            agree(net.scaling_slope(v), -net.beta * (np.mean(net.encode(v)[0] ** 2, axis=0) - 1), tolerance=1e-3)


def at_rest(net, rng):
    """(v, |gradient|, the begin) where ascent ends."""
    begin = net.start(rng)
    v = climb(net.value_and_gradient, begin)
    rest = float(np.linalg.norm(net.value_and_gradient(v)[1]))
    check(rest < 1e-4, f"not at rest: |gradient| = {rest}")
    check(np.var(net.encode(v)[0], axis=0).max() > 0.2, "every latent is collapsed, where nothing is to be seen")
    return v, rest, begin


@CONCLUSION.evidence(role="supports", kind="numeric")
@pytest.mark.parametrize(("likelihood", "beta", "units"), [("fixed", 3.0, 2), ("learned", 2.0, 3)])
def test_a_network_at_rest_has_second_moments_one(likelihood, beta, units, record):
    """Penalised, so that the optimum is not at infinity, but only where a rescaling does not touch."""
    rng = np.random.default_rng(642)
    net = replace(network(rng, likelihood, beta, decay=0.01), units=units)
    v, rest, begin = at_rest(net, rng)
    # |m - 1| <= |weights| |gradient| / beta by the identity at all weights.
    record(worst_error=agree(net.moments(v), np.ones(2), tolerance=10 * np.linalg.norm(v) * rest / beta + 1e-12))
    mu, logs = net.encode(v)
    samples = mu + np.exp(logs / 2) * rng.standard_normal(mu.shape)
    for wrong in (samples**2 + np.exp(logs), mu**2 + np.exp(logs / 2), mu**2 + logs, mu**2):
        with rejected():  # samples for means; deviations, or log variances, for variances; means alone
            agree(wrong.mean(axis=0), np.ones(2), tolerance=1e-2)
    with rejected():  # before the training
        agree(net.moments(begin), np.ones(2), tolerance=1e-2)


@DECAY.evidence(role="supports", kind="numeric")
@pytest.mark.parametrize(("likelihood", "beta"), [("fixed", 0.5), ("learned", 1.0), ("Bernoulli", 0.3)])
def test_a_penalised_network_at_rest_has_the_moments_of_its_weights(likelihood, beta, record):
    rng = np.random.default_rng(642)
    net = network(rng, likelihood, beta, decay=0.03, everywhere=True)
    v, rest, _ = at_rest(net, rng)
    H, h0, B = (net.parts(v)[i] for i in (2, 3, 6))
    expected = 1 + net.decay / beta * ((B**2).sum(axis=1) - (H**2).sum(axis=0) - h0**2)
    record(worst_error=agree(net.moments(v), expected, tolerance=10 * np.linalg.norm(v) * rest / beta + 1e-12))
    with rejected():
        agree(net.moments(v), np.ones(2), tolerance=0.02)


def installed(net, v, scale, shift):
    """The weights after z_i -> scale_i (z_i + shift_i)."""
    parts = net.parts(v.copy())
    parts[7] -= shift @ parts[6]
    parts[3] += shift
    for index, factor in ((2, scale), (3, scale), (6, 1 / scale[:, None])):
        parts[index] *= factor
    parts[5] += 2 * np.log(scale)
    return np.concatenate([part.ravel() for part in parts])


@NATS.evidence(role="supports", kind="numeric")
def test_the_promised_nats_come_when_the_latents_are_rescaled(record):
    """Of networks that were never trained."""
    rng = np.random.default_rng(643)
    for likelihood in LIKELIHOODS:
        net = network(rng, likelihood, 0.7)
        v = net.start(rng)
        moments, before = net.moments(v), net.value_and_gradient(v)[0]
        gained = net.value_and_gradient(installed(net, v, 1 / np.sqrt(moments), np.zeros(2)))[0] - before
        promised = net.beta / 2 * np.sum(moments - 1 - np.log(moments))
        record(worst_error=agree(gained, promised, tolerance=1e-11, scale=abs(before) + promised))
        with rejected():
            agree(gained, promised / net.beta, tolerance=1e-3)


@SHIFT.evidence(role="supports", kind="numeric")
def test_the_promised_nats_come_when_they_are_shifted_too(record):
    rng = np.random.default_rng(644)
    for likelihood in LIKELIHOODS:
        net = network(rng, likelihood, 0.7)
        v = net.start(rng)
        best, before = rescaling(*net.encode(v)), net.value_and_gradient(v)[0]
        gained = net.value_and_gradient(installed(net, v, best.scale, best.shift))[0] - before
        promised = net.beta * spare_nats(*net.encode(v)).sum()
        record(worst_error=agree(gained, promised, tolerance=1e-11, scale=abs(before) + promised))
        with rejected():  # a shift that the decoder's bias does not take up
            wrong = net.parts(installed(net, v, best.scale, best.shift))
            wrong[7] += best.shift @ net.parts(v)[6]
            value = net.value_and_gradient(np.concatenate([part.ravel() for part in wrong]))[0]
            agree(value - before, promised, tolerance=1e-3)
