"""Which observation noise a weighted loss means: a SE + b KL is the ELBO at sigma2 = b/(2a).

Statement   a SE + b KL = -b ELBO(sigma2 = b/(2a)) + const, SE the squared error of a datum summed over its n entries,
            KL that of its encoder summed over its k latents; so a loss as it is written, with sums and means over
            entries, latents and a batch, means one noise, given below.
Hypotheses  a, b > 0; Gaussian observations with one variance that is no parameter; any decoder, any encoder, any
            estimate of both terms from shared samples; a batch of B data. Both terms reduced alike over the batch, or B
            known.
Source      ours, theory 6.5.
Method      SE and KL as arbitrary functions of a parameter; the reductions as sums over batch, entries and latents, for
            all n, k and B; numbers: a small tanh VAE, gradients by complex steps.
Trusted     SymPy's algebra; lemma-1 and fixed-noise-maxima for what a linear VAE keeps at that noise.
"""

from itertools import product

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from proofs.machinery.checks import agree, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.machinery.logic import concludes
from verify.models.losses import noise_of_loss

CLAIM = Claim(
    id="loss-noise",
    source="ours, what a loss with weights means",
    statement="a squared error with weight a and a KL with weight b, both a datum's, is the ELBO at the noise b/(2a), "
    "up to a factor and a constant; so every way to sum or average them means one noise",
    hypotheses="a, b > 0; Gaussian observations of one fixed variance; any decoder and encoder",
    section="Every Gaussian VAE",
    rests_on=("fixed-noise-maxima", "lemma-1"),
)
GRADIENTS = CLAIM.step(
    "gradients",
    "for any decoder and encoder a SE + b KL = -b ELBO(b/(2a)) - b n/2 log(pi b/a): its gradients in the parameters "
    "are b times those of -ELBO at sigma2 = b/(2a), and for no other noise are they a multiple of them for all SE and "
    "KL",
    says="weighted -> elbo_at_ratio",
    place="The noise of a loss",
)
TABLE = CLAIM.step(
    "table",
    "for all n, k, B the noise is beta/2 (error summed over entries), n beta/2 (averaged over entries), each divided "
    "by k where the KL is averaged over latents, doubled for half the error, and beta sigma2 for a Gaussian "
    "likelihood, also divided by k where the KL is averaged over latents; B times that where only the KL is summed "
    "over the batch, 1/B of it where only the error is, and the same where both are",
    says="written -> weighted",
    place="The noise of a loss",
)
CONCLUSION = CLAIM.step(
    "conclusion",
    "so a linear VAE at the optimum of a written loss keeps the largest lam_j above that noise, k of them at most, and "
    "no others",
    place="The noise of a loss",
)
USED = {
    "lemma-1": "elbo_at_ratio & linear & optimum -> likelihood_optimum",
    "fixed-noise-maxima": "likelihood_optimum -> keeps_what_exceeds_it",
}

n, k, B = sp.symbols("n k B", integer=True, positive=True)
beta, sigma2, a, b = sp.symbols("beta sigma2 a b", positive=True)


def minus_elbo(error, kl, noise):
    return kl + error / (2 * noise) + n * sp.log(2 * sp.pi * noise) / 2


@GRADIENTS.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_weighted_loss_is_the_elbo_at_half_the_ratio_up_to_a_constant(record):
    t = sp.Symbol("t", real=True)  # any parameter of either network
    error, kl = sp.Function("SE")(t), sp.Function("KL")(t)
    loss = a * error + b * kl
    rest = loss - b * minus_elbo(error, kl, b / (2 * a))
    vanishes(rest + b * n * sp.log(sp.pi * b / a) / 2)
    vanishes(sp.diff(rest, t))
    for noise in (b / a, a / b, 2 * b / a, a / (2 * b)):
        with rejected():
            vanishes(sp.diff(loss - b * minus_elbo(error, kl, noise), t))
    # Whatever the two derivatives are: their coefficients match one by one, at one noise and one factor.
    dE, dK = sp.symbols("dE dK")
    factor, noise = sp.symbols("factor noise", positive=True)
    match = sp.expand(a * dE + b * dK - factor * (dK + dE / (2 * noise)))
    found = sp.solve([match.coeff(dE), match.coeff(dK)], [factor, noise], dict=True)
    same(found, [{factor: b, noise: b / (2 * a)}])
    with rejected():
        same(found, [{factor: b, noise: b / a}])
    record(instances=3)
    record.witness("a SE + b KL = -b ELBO(b/(2a)) - b n/2 log(pi b/a)")


# The sum over a batch of all squared errors, entry by entry, and that of all KLs, latent by latent.
i, j, p = sp.symbols("i j p", integer=True)
SQUARES = sp.Sum((sp.IndexedBase("x")[i, p] - sp.IndexedBase("y")[i, p]) ** 2, (p, 1, n), (i, 1, B))
KLS = sp.Sum(sp.IndexedBase("KL")[i, j], (j, 1, k), (i, 1, B))

# Each reduction of a batch as it is written, beside the name that `verify.models.losses` gives to it.
ERRORS = {
    "mse-sum": SQUARES / B,
    "mse-mean": SQUARES / (B * n),
    "half-mse-sum": SQUARES / (2 * B),
    "half-mse-mean": SQUARES / (2 * B * n),
    "mse-batch-sum": SQUARES,
}
DIVERGENCES = {"sum": KLS / B, "mean": KLS / (B * k), "batch-sum": KLS}
# What the step says, in its own words.
NOISE = {"mse-sum": beta / 2, "mse-mean": n * beta / 2, "half-mse-sum": beta, "half-mse-mean": n * beta}
NOISE["mse-batch-sum"] = NOISE["mse-sum"] / B
TIMES = {"sum": 1, "mean": 1 / k, "batch-sum": B}


def check_noise(error, kl, noise, weight=beta):
    """error + weight kl is a multiple of the mean over the batch of SE/(2 noise) + KL.  Disagreement if not."""
    of_batch = (SQUARES / (2 * noise) + KLS) / B  # -ELBO per datum, but for its constant
    E, K = sp.symbols("E K", positive=True)
    loss, target = (sp.expand(f.subs({SQUARES: E, KLS: K})) for f in (error + weight * kl, of_batch))
    vanishes(loss.coeff(E) * target.coeff(K) - loss.coeff(K) * target.coeff(E))


@TABLE.evidence(role="supports", kind="symbolic", strength="proved")
def test_each_reduction_means_the_noise_of_the_table_for_all_sizes(record):
    for (name, error), (of, kl) in product(ERRORS.items(), DIVERGENCES.items()):
        check_noise(error, kl, NOISE[name] * TIMES[of])
        record()
    # Both summed over the batch is both averaged over it.
    vanishes(NOISE["mse-batch-sum"] * TIMES["batch-sum"] - NOISE["mse-sum"])
    # A Gaussian log likelihood at sigma2: SE/(2 sigma2), of which beta KL makes beta sigma2.
    for of, kl in DIVERGENCES.items():
        check_noise(SQUARES / (2 * sigma2 * B), kl, beta * sigma2 * TIMES[of])
        record()
    # A sum over the batch in the place of its mean, of one term alone, whatever else is averaged.
    for name in NOISE.keys() - {"mse-batch-sum"}:
        for of, kl in DIVERGENCES.items():
            check_noise(B * ERRORS[name], kl, NOISE[name] * TIMES[of] / B)
            record()
        check_noise(ERRORS[name], B * DIVERGENCES["mean"], NOISE[name] * B / k)
        record()
    with rejected():  # the latents' mean forgotten
        check_noise(SQUARES / (2 * sigma2 * B), DIVERGENCES["mean"], beta * sigma2)
    record(instances=1)
    for wrong, kl in (
        ("mse-mean", "sum"),  # the mean taken for a sum: n times off
        ("mse-batch-sum", "sum"),  # a sum over the batch of one term alone, its size forgotten
        ("half-mse-sum", "sum"),  # the half forgotten
    ):
        with rejected():
            check_noise(ERRORS[wrong], DIVERGENCES[kl], NOISE["mse-sum"])
    for kl in ("mean", "batch-sum"):  # KL averaged over latents, or summed over the batch, taken for its sum
        with rejected():
            check_noise(ERRORS["mse-sum"], DIVERGENCES[kl], NOISE["mse-sum"])


@CONCLUSION.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_steps_entail_what_a_linear_vae_keeps(record):
    record(instances=concludes(CLAIM, "written & linear & optimum -> keeps_what_exceeds_it", USED))
    with rejected():  # of any VAE: a deep one keeps other directions
        concludes(CLAIM, "written & optimum -> keeps_what_exceeds_it", USED)


def terms_of_batch(parameters, X, noise, sizes):
    """Squared errors (B, n) and KLs (B, k) of a tanh VAE with one draw of z a datum; complex steps pass through."""
    n, h, k = sizes
    shapes = ((n, h), (h, k), (h, k), (k, h), (h, n))
    cuts = np.cumsum([int(np.prod(s)) for s in shapes])[:-1]
    A, to_mean, to_log, G, H = (q.reshape(s) for q, s in zip(np.split(parameters, cuts), shapes, strict=True))
    hidden = np.tanh(X @ A)
    mean, log = hidden @ to_mean, 0.5 * np.tanh(hidden @ to_log)
    y = np.tanh((mean + np.exp(log / 2) * noise) @ G) @ H
    return (X - y) ** 2, 0.5 * (mean**2 + np.exp(log) - 1 - log)


def gradient_of(f, parameters):
    """By complex steps, right to rounding."""
    steps = 1e-30j * np.eye(parameters.size)
    return np.array([f(parameters + step).imag / 1e-30 for step in steps])


REDUCED = {  # as numpy and every network library write them, over arrays (B, n) and (B, k)
    "mse-sum": lambda e: e.sum(axis=1).mean(),
    "mse-mean": lambda e: e.mean(),
    "half-mse-sum": lambda e: 0.5 * e.sum() / len(e),
    "half-mse-mean": lambda e: (0.5 * e).mean(),
    "mse-batch-sum": lambda e: e.sum(),
    "sum": lambda d: d.sum(axis=1).mean(),
    "mean": lambda d: d.mean(),
    "batch-sum": lambda d: d.sum(),
}


@TABLE.evidence(role="supports", kind="numeric")
@pytest.mark.parametrize("loss", ERRORS)
@pytest.mark.parametrize("kl", DIVERGENCES)
def test_the_gradients_of_a_small_vae_are_those_of_the_elbo_at_the_noise_that_is_named(loss, kl, record):
    rng = np.random.default_rng(65)
    sizes, batch, weight = (4, 3, 2), 5, 0.37
    X, noise = rng.standard_normal((batch, 4)), rng.standard_normal((batch, 2))
    parameters = 0.6 * rng.standard_normal(4 * 3 + 2 * 3 * 2 + 2 * 3 + 3 * 4)
    meant = noise_of_loss(loss, n=4, k=2, beta=weight, kl=kl, batch=batch)

    def written(v):
        error, divergence = terms_of_batch(v, X, noise, sizes)
        return REDUCED[loss](error) + weight * REDUCED[kl](divergence)

    def elbo(v, s):
        error, divergence = terms_of_batch(v, X, noise, sizes)
        return (-error.sum(axis=1) / (2 * s) - divergence.sum(axis=1)).mean()

    of_loss = gradient_of(written, parameters)
    scaled = -meant.b * gradient_of(lambda v: elbo(v, meant.sigma2), parameters)
    # Complex steps are right to rounding, over some tens of operations.
    record(worst_error=agree(of_loss, scaled, tolerance=1e-12))
    with rejected():  # a noise one percent off, whatever the factor
        off = gradient_of(lambda v: elbo(v, 1.01 * meant.sigma2), parameters)
        agree(of_loss, off * (of_loss @ off) / (off @ off), tolerance=1e-5)


@TABLE.evidence(role="supports", kind="property")
@given(
    sizes=st.tuples(*3 * [st.integers(1, 10**6)]),
    exponent=st.floats(-12, 12),
    which=st.tuples(st.sampled_from(sorted(ERRORS)), st.sampled_from(sorted(DIVERGENCES))),
)
def test_the_function_gives_the_noise_of_the_table_over_twelve_decades(sizes, exponent, which, record):
    weight = 10.0**exponent
    at = dict(zip((n, k, B), map(sp.Integer, sizes), strict=True))
    expected = float((NOISE[which[0]] * TIMES[which[1]]).subs(at).subs(beta, weight))
    found = noise_of_loss(which[0], n=sizes[0], k=sizes[1], beta=weight, kl=which[1], batch=sizes[2]).sigma2
    record(worst_error=agree(found, expected, tolerance=1e-14))  # a handful of products


@GRADIENTS.evidence(role="control", kind="symbolic")
def test_a_noise_that_is_learned_is_no_such_constant():
    """With sigma2 a parameter the log term has a gradient as well: the loss without it means no ELBO."""
    error, kl = sp.symbols("SE KL", positive=True)
    with rejected():
        vanishes(sp.diff(error / (2 * sigma2) + kl - minus_elbo(error, kl, sigma2), sigma2))
