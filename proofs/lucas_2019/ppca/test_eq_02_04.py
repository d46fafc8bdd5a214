"""Eqs. 2-4, 15: the evidence is the ELBO plus KL(q(z|x), p(z|x)), and so at least the ELBO.

Statement   log p(x) = E_q[log p(x, z) - log q] + KL(q, p(z|x)) (2) >= E_q[log p(x, z) - log q] (3) =
            E_q[log p(x|z)] - KL(q, p(z)) (4), and log p(x) = (A) - (B) + (C) (15).
Hypotheses  q(z|x) has a density (is absolutely continuous), E_q log q and E_q |z|^2 are finite; else the KL to the
            prior is infinite, the ELBO -infinity, and only the inequality says something (no step says this).
Source      Lucas et al. 2019, Eqs. 2-4, 15.
Method      in words, for all n and k: log p(x|z) + log p(z) - log p(z|x) = log p(x) whatever z (claim eq-05-06), so the
            mean over any q is; and with the closed forms for q = N(m, Q), any m and any Q > 0, diagonal or not, as well
            as for the linear VAE's N(V x, D), at a datum and over data. Sampling and quadrature beside it, for q that
            are no Gaussians as well.
Trusted     that a KL is not negative (proofs/standard_facts); the rules of verify.symbolic.
"""

import numpy as np
from hypothesis import given
from scipy.stats import multivariate_normal

from proofs.machinery.checks import agree, at_most, check, rejected, same
from proofs.machinery.claims import Claim
from proofs.machinery.logic import concludes
from proofs.problems.linear_vaes import hard_vaes, random_vae
from verify.models import linear_vae as model
from verify.models import ppca as likelihood
from verify.symbolic import linear_vae, ppca
from verify.symbolic.expectations import expectation, log_gaussian
from verify.symbolic.letters import C, D, M, V, gram, k, log_det_of_marginal, marginal_precision, x, z
from verify.symbolic.matrix_calculus import inverse, letter
from verify.symbolic.relations import reduce, substitute_log_det
from verify.symbolic.traces import Scalar, log_det

CLAIM = Claim(
    id="eq-02-04",
    source="Eqs. 2-4, 15",
    statement="log p(x) = ELBO + KL(q(z|x), p(z|x)) >= ELBO = E_q[log p(x|z)] - KL(q(z|x), p(z))",
    hypotheses="q(z|x) absolutely continuous, E_q log q and E_q |z|^2 finite (else the ELBO of Eq. 4 is -infinity, "
    "and the inequality stays; no step says this)",
    section="Probabilistic PCA",
    rests_on=("eq-05-06",),
    trusts=("kl-nonnegative",),
)
SPLIT = CLAIM.step(
    "split",
    "log p(x, z) - log p(z|x) is log p(x) at every z, for all n and k; so E_q of it is, for every q with finite E_q "
    "log q and E_q |z|^2, where the mean of each term is finite: Eq. 2. (Eq. 3 is Eq. 4 for these q because "
    "log p(x, z) = log p(x|z) + log p(z) by definition)",
    says="posterior -> evidence_splits",
)
TERMS = CLAIM.step(
    "terms",
    "for every Gaussian q, of any mean and positive definite covariance, E_q[log p(x, z) - log q] = E_q[log p(x|z)] - "
    "KL(q, p(z)) (Eqs. 3 and 4) and log p(x) = (A) - (B) + (C) (Eq. 15) in closed form at a datum, and over data with "
    "the linear VAE's q, for all n and k",
    says="closed_forms_add_up",
)
CONCLUSION = CLAIM.step("conclusion", "so Eqs. 2-4 and 15 hold, the inequality because a KL is not negative")


def in_M(A):
    """A with C^-1 and log det C by M (both checked in claim eq-05-06)."""
    return reduce(substitute_log_det(reduce(A, marginal_precision(), gram), C, log_det_of_marginal()), gram)


def log_joint():
    """log p(x, z)."""
    return ppca.log_observation() + ppca.log_prior()


def terms(mean, covariance):
    """(A), (B), (C) of Eq. 15 for q = N(mean, covariance), whatever these are, at one datum."""
    log_q = log_gaussian(z - mean, inverse(covariance), log_det(covariance))
    integrands = (log_q - ppca.log_posterior(), log_q - ppca.log_prior(), ppca.log_observation())
    return tuple(expectation(f, z, mean, covariance) for f in integrands)


@SPLIT.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_evidence_is_the_same_whatever_z_for_all_n_and_k(record):
    """So for every q: E_q[log p(x, z) - log q] + E_q[log q - log p(z|x)] = log p(x), log q dropping out."""
    same(in_M(log_joint() - ppca.log_posterior() - ppca.log_density()), Scalar(0))
    record()


@TERMS.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_three_terms_add_up_for_every_gaussian_q_for_all_n_and_k(record):
    """q = N(m, Q), Q > 0: an encoder of any kind, with any covariance."""
    for mean, covariance in ((letter("m", k, 1), letter("Q", k, k, "symmetric")), (V @ x, D)):
        to_posterior, to_prior, reconstruction = terms(mean, covariance)
        same(in_M(ppca.log_density() - to_posterior + to_prior - reconstruction), Scalar(0))
        log_q = log_gaussian(z - mean, inverse(covariance), log_det(covariance))
        # Eq. 3 = Eq. 4
        same(expectation(log_joint() - log_q, z, mean, covariance), reconstruction - to_prior)
        record(instances=2)


@TERMS.evidence(role="supports", kind="symbolic", strength="proved")
def test_they_add_up_over_the_data_for_every_linear_encoder_for_all_n_and_k(record):
    same(in_M(ppca.log_likelihood() - linear_vae.posterior_kl() - linear_vae.elbo()), Scalar(0))
    record()
    record.witness("L - ELBO(V, D) - KL(V, D) = 0 for all n, k and all W, V, D, sigma2, S")


@CONCLUSION.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_steps_entail_the_decomposition_and_the_bound(record):
    used = {"eq-05-06": "posterior", "kl-nonnegative": "gap_not_negative"}
    record(instances=concludes(CLAIM, "evidence_splits & gap_not_negative & closed_forms_add_up", used))
    with rejected():  # equality for every q
        concludes(CLAIM, "evidence_splits & gap_zero & closed_forms_add_up", used)


def drawn(rng, p, datum, draw_of, count):
    """Samples of log p(x, z) - log q, of log q - log p(z|x) for z ~ q: what Eqs. 2 and 3 average."""
    samples, log_q = draw_of(rng, count)
    residual = datum - samples @ p.W.T
    log_observation = -0.5 * (np.sum(residual**2, axis=1) / p.sigma2 + len(datum) * np.log(2 * np.pi * p.sigma2))
    log_prior = -0.5 * (np.sum(samples**2, axis=1) + samples.shape[1] * np.log(2 * np.pi))
    mean, covariance = likelihood.posterior(p.W, p.sigma2, datum)
    log_posterior = multivariate_normal(mean, covariance).logpdf(samples).reshape(count)
    return log_observation + log_prior - log_q, log_q - log_posterior


def gaussian(p, datum):
    """The linear VAE's q(z|x) = N(V x, D), to draw from."""
    mean, scale = p.V @ datum, np.sqrt(p.D)

    def draw_of(rng, count):
        e = rng.standard_normal((count, len(mean)))
        return mean + scale * e, -0.5 * np.sum(e**2 + np.log(2 * np.pi * p.D), axis=1)

    return draw_of


def laplace(p, datum):
    """A q with other tails than a Gaussian's."""
    mean = p.V @ datum

    def draw_of(rng, count):
        e = rng.laplace(size=(count, len(mean)))
        return mean + e, -np.sum(np.abs(e) + np.log(2), axis=1)

    return draw_of


def standard_score(values, exact):
    """How many standard errors the mean of the samples is from `exact`."""
    return float((np.mean(values) - exact) / (np.std(values) / np.sqrt(len(values))))


@TERMS.evidence(role="supports", kind="numeric")
def test_sampling_gives_the_elbo_and_the_kl_of_the_closed_forms(record, thorough):
    rng = np.random.default_rng(2)
    count = thorough(20_000, 500_000)
    for shape in ((3, 2), (5, 3), (4, 1), (2, 2)):
        p = random_vae(rng, *shape)
        datum = rng.standard_normal(shape[0])
        outer = np.outer(datum, datum)
        elbo = float(model.elbo(p.W, p.V, p.D, p.sigma2, outer))
        evidence = float(likelihood.log_likelihood(p.W, p.sigma2, outer))
        bound, kl = drawn(rng, p, datum, gaussian(p, datum), count)
        # Five standard errors: one false alarm in two million.
        at_most(abs(standard_score(bound, elbo)), 5.0)
        at_most(abs(standard_score(kl, evidence - elbo)), 5.0)
        record(instances=count)


@SPLIT.evidence(role="supports", kind="numeric")
def test_for_a_q_that_is_no_gaussian_every_sample_adds_up(record, thorough):
    rng = np.random.default_rng(3)
    for shape in ((3, 2), (5, 3), (2, 1)):
        p = random_vae(rng, *shape)
        datum = rng.standard_normal(shape[0])
        evidence = likelihood.log_likelihood(p.W, p.sigma2, np.outer(datum, datum))
        bound, kl = drawn(rng, p, datum, laplace(p, datum), thorough(500, 5000))
        # Log densities of order ten to a hundred cancel; the KL is positive by more than its sampling error.
        size = np.linalg.norm(np.abs(bound) + np.abs(kl))
        record(instances=len(kl), worst_error=agree(bound + kl, evidence, tolerance=1e-13, scale=size))
        check(standard_score(kl, 0.0) > 5, "the KL of a Laplace distribution is not seen to be positive")
        with rejected():  # the ELBO alone
            agree(bound, evidence, tolerance=1e-13, scale=size)


@TERMS.evidence(role="supports", kind="property")
@given(p=hard_vaes())
def test_no_elbo_is_above_the_evidence_on_hostile_problems(p, record, xp):
    W, V_, D_, s, S = p.on(xp)
    evidence = likelihood.log_likelihood(W, s, S)
    # Rounding is relative to the largest terms; solving with M loses its condition number.
    slack = (1e-13 + 20 * np.finfo(float).eps * np.linalg.cond(p.M)) * (p.size_of_elbo + abs(float(evidence)))
    record(worst_error=at_most(model.elbo(W, V_, D_, s, S), evidence, slack=slack) / (1 + p.size_of_elbo))


@SPLIT.evidence(role="supports", kind="numeric")
def test_what_a_q_without_a_density_does(record):
    """q uniform of width w about the posterior mean: ELBO = -infinity as w -> 0, by the log w of its entropy."""
    W = np.array([[1.0]])
    evidence = float(likelihood.log_likelihood(W, 1.0, np.array([[1.0]])))
    # Posterior N(1/2, 1/2): KL = log(sqrt(pi)/w) + w^2/12.
    nodes, weights = np.polynomial.legendre.leggauss(20)
    losses = []
    for width in (1e-2, 1e-4, 1e-6):
        z_ = 0.5 + width * nodes / 2
        log_joint_ = -0.5 * (1.0 - z_) ** 2 - 0.5 * z_**2 - np.log(2 * np.pi)
        loss = evidence - (weights / 2) @ log_joint_ - np.log(width)
        record(worst_error=agree(loss, np.log(np.sqrt(np.pi) / width) + width**2 / 12, tolerance=1e-12))
        losses.append(loss)
    check(losses[0] < losses[1] < losses[2], "the KL of a narrowing q does not grow")
    with rejected():  # w^2/4, of the two ends, for the variance w^2/12
        agree(losses[0], np.log(np.sqrt(np.pi) / 1e-2) + 1e-2**2 / 4, tolerance=1e-12)
    record.witness(
        "W = 1, sigma2 = 1, x = 1, q uniform of width w around 1/2: evidence - ELBO = log(sqrt(pi)/w) + w^2/12, "
        f"here {losses[0]:.4f} at w = 0.01, without bound as w -> 0"
    )
    energies = [loss + np.log(width) for loss, width in zip(losses, (1e-2, 1e-4, 1e-6), strict=True)]
    with rejected():  # without its entropy it does not: log sqrt(pi) + w^2/12
        check(energies[0] < energies[1] < energies[2], "the energy of a narrowing q does not grow")


@SPLIT.evidence(role="control", kind="symbolic")
def test_slips_in_what_the_mean_is_taken_of_are_rejected():
    with rejected():  # log p(x|z) for log p(x, z)
        same(in_M(ppca.log_observation() - ppca.log_posterior() - ppca.log_density()), Scalar(0))
    with rejected():  # M^-1 for the posterior covariance
        other = log_gaussian(z - inverse(M) @ ppca.W.T @ x, M, -log_det(M))
        same(in_M(log_joint() - other - ppca.log_density()), Scalar(0))


@TERMS.evidence(role="control", kind="symbolic")
def test_slips_in_the_decomposition_are_rejected():
    to_posterior, to_prior, reconstruction = terms(V @ x, D)
    evidence = ppca.log_density()
    for wrong in (
        evidence + to_posterior + to_prior - reconstruction,  # the sign of (A)
        evidence - to_posterior - to_prior - reconstruction,  # the sign of (B)
        evidence - to_prior + to_prior - reconstruction,  # the KL to the prior for that to the posterior
        evidence + to_prior - reconstruction,  # no gap at all
    ):
        with rejected():
            same(in_M(wrong), Scalar(0))
    with rejected():  # the KL to the prior over the data, too
        same(in_M(ppca.log_likelihood() - linear_vae.kl() - linear_vae.elbo()), Scalar(0))


@TERMS.evidence(role="control", kind="numeric")
def test_sampling_sees_an_elbo_that_is_off_and_the_bound_one_that_is_too_high():
    rng = np.random.default_rng(4)
    p = random_vae(rng, 3, 2)
    datum = rng.standard_normal(3)
    outer = np.outer(datum, datum)
    bound, kl = drawn(rng, p, datum, gaussian(p, datum), 20_000)
    # The KL to the prior in the place of that to the posterior, and an ELBO of another encoder.
    with rejected():
        at_most(abs(standard_score(kl, model.kl(p.V, p.D, outer))), 5.0)
    with rejected():
        at_most(abs(standard_score(bound, model.elbo(p.W, 0.9 * p.V, p.D, p.sigma2, outer))), 5.0)
    with rejected():  # the reconstruction term alone is no bound
        best = model.optimal_encoder(p.W, p.sigma2)[0]
        evidence = likelihood.log_likelihood(p.W, p.sigma2, outer)
        at_most(model.reconstruction(p.W, best, 1e-6 * p.D, p.sigma2, outer), evidence, slack=1e-9)
