"""Eqs. 1, 5, 6: the marginal and the posterior of probabilistic PCA.

Statement   for p(z) = N(0, I) and p(x|z) = N(W z + mu, sigma2 I) (Eq. 1): p(x) = N(mu, W W^T + sigma2 I) (Eq. 5) and
            p(z|x) = N(M^-1 W^T (x - mu), sigma2 M^-1), M = W^T W + sigma2 I (Eq. 6).
Hypotheses  sigma2 > 0.
Source      Lucas et al. 2019, Eqs. 1, 5, 6.
Method      in words, for all n and k: p(x|z) p(z) = p(x) p(z|x) identically in x and z, normalisers included. The right
            side is a density of x times a density of z for each x, so the factors are the marginal and the posterior.
            Beside it Gaussian conditioning, W^T C^-1 and I - W^T C^-1 W. Numeric: the joint covariance of (z, x)
            conditioned naively, quadrature over z, hostile problems against 50 digits.
Trusted     that the normal density integrates to one; Jacobi's formula; the rules of verify.symbolic.
"""

import mpmath
import numpy as np
import sympy as sp
from hypothesis import given
from scipy.stats import multivariate_normal

from proofs.machinery.checks import agree, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.machinery.logic import concludes
from proofs.problems.linear_vaes import hard_vaes, random_vae
from verify import reference
from verify.arrays import to_numpy
from verify.models import ppca as model
from verify.symbolic import ppca
from verify.symbolic.differentials import gradient
from verify.symbolic.expectations import expectation, log_gaussian
from verify.symbolic.letters import C, M, W, gram, k, log_det_of_marginal, marginal_precision, n, sigma2, x, z
from verify.symbolic.matrix_calculus import identity, inverse, letter, zero
from verify.symbolic.relations import expand, reduce, substitute, substitute_log_det
from verify.symbolic.traces import Scalar, log_det, trace

CLAIM = Claim(
    id="eq-05-06",
    source="Eqs. 1, 5, 6",
    statement="p(x) = N(mu, W W^T + sigma2 I) and p(z|x) = N(M^-1 W^T (x - mu), sigma2 M^-1)",
    hypotheses="sigma2 > 0",
    section="Probabilistic PCA",
    trusts=("gaussian-integral", "jacobi"),
)
PRECISION = CLAIM.step("precision", "C^-1 = (I - W M^-1 W^T)/sigma2, for all n and k", says="precision")
LOG_DET = CLAIM.step(
    "log-det",
    "log det C and log det M + (n - k) log sigma2 have the same gradient in W everywhere (Jacobi) and the same value "
    "at W = 0, so they are equal, for all n and k",
    says="jacobi -> log_det",
)
FACTORS = CLAIM.step(
    "factors",
    "p(x|z) p(z) = p(x) p(z|x) with the densities of Eqs. 5 and 6, normalisers included, for all n, k, x and z",
    says="precision & log_det -> factors",
)
UNIQUE = CLAIM.step(
    "unique",
    "if p(x|z) p(z) = f(x) g(z, x) and g integrates to one over z for each x, then f is the marginal and g the "
    "posterior",
    says="factors & integrates_to_one -> marginal & posterior",
)
CONCLUSION = CLAIM.step("conclusion", "so Eq. 5 is the marginal and Eq. 6 the posterior")

POSTERIOR_MEAN, POSTERIOR_COVARIANCE = inverse(M) @ W.T @ x, sigma2 * inverse(M)


def joint_less_product(mean, covariance, marginal_log_det):
    """log p(x|z) + log p(z) - log N(x; 0, C) - log N(z; mean, covariance): zero iff these are Eqs. 5 and 6."""
    density = log_gaussian(z - mean, inverse(covariance), log_det(covariance))
    rest = reduce(ppca.log_observation() + ppca.log_prior() - ppca.log_density() - density, marginal_precision(), gram)
    return reduce(expand(substitute_log_det(rest, C, marginal_log_det), M), gram)


@PRECISION.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_inverse_of_c_for_all_n_and_k(record):
    same(reduce(expand(C, C) @ reduce(inverse(C), marginal_precision()), gram), identity(n))
    record()


@LOG_DET.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_determinant_of_c_for_all_n_and_k(record):
    difference = log_det(C) - log_det_of_marginal()
    same(reduce(gradient(difference, W), marginal_precision(), gram), 0 * W)
    # Along t W, t from 0 to 1, the difference stays what it is at W = 0.
    same(substitute(difference, {"W": zero(n, k)}), Scalar(0))
    record(instances=2)


@FACTORS.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_joint_density_factors_into_eqs_5_and_6_for_all_n_and_k(record):
    same(joint_less_product(POSTERIOR_MEAN, POSTERIOR_COVARIANCE, log_det_of_marginal()), Scalar(0))
    record()
    record.witness("log p(x|z) + log p(z) - log p(x) - log p(z|x) = 0 for all n, k, x, z")


def marginal_and_posterior(f, mass):
    """int f g dz and f g / int f g dz for a factor g of z whose integral is `mass`; f does not depend on z."""
    at, g = sp.Symbol("z", real=True), sp.Function("g")(sp.Symbol("z", real=True))
    over_z = sp.Integral(f * g, (at, -sp.oo, sp.oo))
    marginal = sp.factor_terms(over_z).subs(sp.Integral(g, (at, -sp.oo, sp.oo)), mass)
    return marginal, f * g / marginal, g


@UNIQUE.evidence(role="supports", kind="symbolic", strength="proved")
def test_a_density_of_x_times_a_density_of_z_for_each_x_is_marginal_times_posterior(record):
    f, mass = sp.symbols("f mass", positive=True)
    marginal, posterior, g = marginal_and_posterior(f, sp.Integer(1))
    vanishes(marginal - f)
    vanishes(posterior - g)
    with rejected():  # a g that is no density
        vanishes(marginal_and_posterior(f, mass)[0] - f)
    with rejected():  # an f that depends on z
        vanishes(marginal_and_posterior(sp.Symbol("z", real=True) * f, sp.Integer(1))[0] - f)
    record(instances=2)


@CONCLUSION.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_steps_entail_eqs_5_and_6(record):
    used = {"gaussian-integral": "integrates_to_one", "jacobi": "jacobi"}
    record(instances=concludes(CLAIM, "marginal & posterior", used))
    with rejected():  # a factorisation by itself says nothing of a maximum
        concludes(CLAIM, "marginal & posterior & optimal", used)


@FACTORS.evidence(role="supports", kind="symbolic", strength="proved")
def test_gaussian_conditioning_gives_the_posterior_for_all_n_and_k(record):
    # x = W z + noise: for every A the means of x^T A x and z^T B x are those of the covariances C and W.
    A, B, noise = letter("A", n, n), letter("B", k, n), letter("noise", n, 1)
    datum = W @ z + noise
    for form, covariance in ((datum.T @ A @ datum, trace(A @ C)), (z.T @ B @ datum, trace(B @ W))):
        over_noise = expectation(trace(form), noise, zero(n, 1), sigma2 * identity(n))
        same(expectation(over_noise, z, zero(k, 1), identity(k)), expand(covariance, C))
    # Cov(z, x) Cov(x)^-1 = W^T C^-1, and Cov(z) - W^T C^-1 W.
    same(reduce(W.T @ inverse(C) @ x, marginal_precision(), gram), POSTERIOR_MEAN)
    same(reduce(identity(k) - W.T @ inverse(C) @ W, marginal_precision(), gram), POSTERIOR_COVARIANCE)
    record(instances=4)


def conditioned(W_, noise, datum):
    """Mean and covariance of z given x, from the (k + n, k + n) covariance of (z, x) and nothing else."""
    rows, columns = W_.shape
    joint = np.block([[np.eye(columns), W_.T], [W_, W_ @ W_.T + noise * np.eye(rows)]])
    precision = np.linalg.inv(joint)[:columns, :columns]  # of z given x
    across = np.linalg.inv(joint)[:columns, columns:]
    return -np.linalg.solve(precision, across @ datum), np.linalg.inv(precision)


@FACTORS.evidence(role="supports", kind="numeric")
def test_the_joint_covariance_conditioned_naively_agrees(record, thorough, xp):
    rng = np.random.default_rng(5)
    for _ in range(thorough(50, 500)):
        p = random_vae(rng, *(int(i) for i in rng.integers(1, 8, 2)))
        datum = rng.standard_normal(len(p.W))
        mean, covariance = model.posterior(xp.asarray(p.W), p.sigma2, xp.asarray(datum))
        expected = conditioned(p.W, p.sigma2, datum)
        # Inverses of matrices with condition numbers up to a few hundred.
        record(instances=0, worst_error=agree(mean, expected[0], tolerance=1e-11, scale=1 + np.linalg.norm(datum)))
        record(worst_error=agree(covariance, expected[1], tolerance=1e-11))


@UNIQUE.evidence(role="supports", kind="numeric")
def test_the_likelihood_is_the_mean_log_density_of_eq_5(record, thorough, xp):
    rng = np.random.default_rng(55)
    for _ in range(thorough(30, 300)):
        p = random_vae(rng, *(int(i) for i in rng.integers(1, 7, 2)))
        data = rng.standard_normal((9, len(p.W)))
        covariance = xp.asarray(data.T @ data / 9)
        marginal = multivariate_normal(cov=p.W @ p.W.T + p.sigma2 * np.eye(len(p.W)))
        actual = model.log_likelihood(xp.asarray(p.W), p.sigma2, covariance)
        record(worst_error=agree(actual, np.mean(marginal.logpdf(data)), tolerance=1e-12))


def integrated_density(W_, noise, datum, nodes=81):
    """p(x) = int p(x|z) p(z) dz and E[z|x] by the trapezoidal rule on [-9, 9]^k, all but exact for Gaussians."""
    columns = W_.shape[1]
    line = np.linspace(-9, 9, nodes)
    grid = np.stack(np.meshgrid(*[line] * columns, indexing="ij"), axis=-1).reshape(-1, columns)
    squares = np.sum((datum - grid @ W_.T) ** 2, axis=1) / noise + np.sum(grid**2, axis=1)
    normaliser = (2 * np.pi * noise) ** (-len(datum) / 2) * (2 * np.pi) ** (-columns / 2)
    weights = np.exp(-squares / 2) * normaliser * (line[1] - line[0]) ** columns
    return weights.sum(), weights @ grid / weights.sum()


@UNIQUE.evidence(role="supports", kind="numeric")
def test_integrating_over_z_gives_eqs_5_and_6(record, thorough):
    rng = np.random.default_rng(56)
    for index in range(thorough(10, 60)):
        p = random_vae(rng, int(rng.integers(1, 5)), 1 + index % 2)
        datum = rng.standard_normal(len(p.W))
        density, mean = integrated_density(p.W, p.sigma2, datum)
        expected = model.log_likelihood(p.W, p.sigma2, np.outer(datum, datum))
        # Beyond 9 standard deviations lies 1e-18; the step, 0.225, is below the posterior's width.
        record(instances=0, worst_error=agree(np.log(density), expected, tolerance=1e-9, scale=1 + abs(expected)))
        record(worst_error=agree(mean, model.posterior(p.W, p.sigma2, datum)[0], tolerance=1e-8, scale=1.0))


@FACTORS.evidence(role="supports", kind="property")
@given(p=hard_vaes())
def test_the_posterior_survives_hostile_problems_against_50_digits(p, record, xp):
    datum = np.linspace(-1.0, 1.0, len(p.W)) + 0.3
    mean, covariance = model.posterior(xp.asarray(p.W), p.sigma2, xp.asarray(datum))
    with reference.precision():
        W_ = reference.exact(p.W)
        marginal = W_ @ W_.T + reference.exact(p.sigma2)[()] * reference.exact(np.eye(len(W_)))
        gain = W_.T @ np.array(mpmath.inverse(mpmath.matrix(marginal.tolist())).tolist(), dtype=object)
        expected = (gain @ reference.exact(datum)).astype(float), (np.eye(p.W.shape[1]) - gain @ W_).astype(float)
    # Solving with M loses its condition number, and |W^T C^-1| is at most 1/(2 sqrt sigma2).
    loss = 30 * np.finfo(float).eps * np.linalg.cond(p.M)
    gain_size = np.linalg.norm(datum) / (2 * np.sqrt(p.sigma2))
    record(instances=0, worst_error=agree(mean, expected[0], tolerance=loss, scale=gain_size))
    record(worst_error=agree(to_numpy(covariance), expected[1], tolerance=loss, scale=np.sqrt(p.W.shape[1])))


@FACTORS.evidence(role="supports", kind="numeric")
def test_a_posterior_to_check_by_hand(record):
    W_, datum = np.array([[1.0], [2.0]]), np.array([1.0, 1.0])
    mean, covariance = model.posterior(W_, 1.0, datum)
    # M = 1 + 4 + 1 = 6: mean (1 + 2)/6, variance 1/6; C = [[2, 2], [2, 5]], det 6, x^T C^-1 x = (5 - 4 + 2)/6.
    agree(mean, np.array([0.5]), tolerance=1e-15)
    agree(covariance, np.array([[1 / 6]]), tolerance=1e-15)
    value = model.log_likelihood(W_, 1.0, np.outer(datum, datum))
    record(worst_error=agree(value, -np.log(2 * np.pi) - np.log(6) / 2 - 1 / 4, tolerance=1e-15))
    record.witness("W = (1, 2)^T, sigma2 = 1, x = (1, 1): M = 6, p(z|x) = N(1/2, 1/6), p(x) = exp(-1/4)/(2 pi sqrt 6)")


@FACTORS.evidence(role="control", kind="symbolic")
def test_slips_in_eqs_5_and_6_are_rejected():
    nothing = Scalar(0)
    for mean, covariance, marginal in (
        (W.T @ x / sigma2, POSTERIOR_COVARIANCE, log_det_of_marginal()),  # M taken for sigma2 I
        (POSTERIOR_MEAN, inverse(M), log_det_of_marginal()),  # without sigma2
        (POSTERIOR_MEAN, sigma2**2 * inverse(M), log_det_of_marginal()),
        (POSTERIOR_MEAN, POSTERIOR_COVARIANCE, log_det(M)),  # det M for det C
        (POSTERIOR_MEAN, POSTERIOR_COVARIANCE, log_det(M) + (k - n) * sp.log(sigma2)),
    ):
        with rejected():
            same(joint_less_product(mean, covariance, marginal), nothing)


@PRECISION.evidence(role="control", kind="symbolic")
def test_slips_in_the_inverse_are_rejected():
    for wrong in (
        identity(n) - W @ inverse(M) @ W.T,  # without 1/sigma2
        (identity(n) - W @ W.T) / sigma2,
        (identity(n) + W @ inverse(M) @ W.T) / sigma2,
    ):
        with rejected():
            same(reduce(expand(C, C) @ wrong, gram), identity(n))
    with rejected():  # C^-1 W is W M^-1, without a factor
        same(reduce(inverse(C) @ W, marginal_precision(), gram), sigma2 * W @ inverse(M))


@LOG_DET.evidence(role="control", kind="symbolic")
def test_slips_in_the_determinant_are_rejected():
    with rejected():  # the right gradient, another constant: what the value at W = 0 is for
        same(substitute(log_det(C) - log_det(M), {"W": zero(n, k)}), Scalar(0))
    with rejected():  # the right value at W = 0, another gradient
        same(reduce(gradient(log_det(C) - log_det_of_marginal() * 2, W), marginal_precision(), gram), 0 * W)


@UNIQUE.evidence(role="control", kind="numeric")
def test_a_posterior_of_another_noise_is_rejected_by_conditioning_and_by_quadrature():
    p = random_vae(np.random.default_rng(57), 4, 2)
    datum = np.ones(4)
    wrong_mean, wrong_covariance = model.posterior(p.W, 1.001 * p.sigma2, datum)
    with rejected():
        agree(wrong_mean, conditioned(p.W, p.sigma2, datum)[0], tolerance=1e-11)
    with rejected():
        agree(wrong_covariance, conditioned(p.W, p.sigma2, datum)[1], tolerance=1e-11)
    with rejected():
        agree(wrong_mean, integrated_density(p.W, p.sigma2, datum)[1], tolerance=1e-8, scale=1.0)
    with rejected():  # the covariance W W^T alone, without the noise
        expected = model.log_likelihood(p.W, 0.01 * p.sigma2, np.outer(datum, datum))
        agree(np.log(integrated_density(p.W, p.sigma2, datum)[0]), expected, tolerance=1e-9)
