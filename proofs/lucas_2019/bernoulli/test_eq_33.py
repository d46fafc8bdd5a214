"""Eq. 33: the expected reconstruction term of the Bernoulli ELBO.

Statement   E_q(z|x)[log p(x|z)] = int y(z)^x (1 - y(z))^{1-x} N(z; V (x - mu), D) dz.
Hypotheses  D > 0 diagonal.
Correction  a log is dropped, and the sum over the pixels with it: sum_i log[y_i^x_i (1 - y_i)^{1-x_i}] stands under the
            integral. The twin of the product that Eq. 32 drops (claim eq-31-32), and a misprint as that is. So
            corrected the term is a sum of n integrals over one variable, whatever k is; that none of them has a closed
            form ("intractable") is not disputed, and App. C.3 says itself that numerical integration may be easy.
Source      Lucas et al. 2019, Eq. 33, App. C.3; theory 4.1.
Method      signs and a Jensen gap, symbolically; each logit's law in words, for all n and k; beside them mpmath,
            and the definition integrated over z in k dimensions.
Trusted     fact gaussian-moments; mpmath's quadrature beside the proofs.
"""

import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from proofs.lucas_2019.bernoulli.problems import binary_data, digits, gaussian_mean_with_digits, grey_data
from proofs.machinery.checks import agree, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from verify.arrays import to_numpy
from verify.models import bernoulli as model
from verify.models.quadrature import spacing_for_sigmoids, uniform
from verify.symbolic.expectations import expectation
from verify.symbolic.letters import D, W, z
from verify.symbolic.letters import k as K_DIM
from verify.symbolic.letters import n as N_DIM
from verify.symbolic.matrix_calculus import letter
from verify.symbolic.traces import trace

CLAIM = Claim(
    id="eq-33",
    source="Eq. 33, App. C.3",
    statement="E_q[log p(x|z)] = int y^x (1 - y)^{1-x} N(z; V (x - mu), D) dz",
    hypotheses="D > 0 diagonal; corrected: sum_i log[y_i^x_i (1 - y_i)^{1-x_i}] under the integral",
    section="Bernoulli pPCA",
    trusts=("gaussian-moments",),
    quote="Similarly, under ELBO we need to compute the expected reconstruction error. This can be written as, ... "
    "Eq(z|x) [log p(x|z)] = ... y(z)x (1 − y(z))1−x N (z; V(x − µ), D)dz, (33) another intractable integral.",
    fault="misprint",
    finding="with the log, and the sum over pixels, under the integral it is right: then n integrals over one variable",
)
PRINTED = CLAIM.step(
    "printed",
    "as printed the left side is negative and the right side, pixel by pixel, positive, whatever x in [0, 1]^n, W, V, "
    "D and mu",
)
OUTSIDE = CLAIM.step(
    "log-outside",
    "a log put before the integral does not mend it: at n = k = 1, mu = V = 0, D = 1, x = 1 and any W != 0, E log p < "
    "log E p",
)
CORRECTED = CLAIM.step(
    "corrected",
    "log p(x|z) = sum_i [x_i a_i - log(1 + e^a_i)], a = W z + mu, which is sum_i log[y_i^x_i (1 - y_i)^{1-x_i}]: one "
    "function of one logit for each pixel",
)
LOGITS = CLAIM.step(
    "logits",
    "under q the logit a_i is one Gaussian variable, of mean e_i^T (W m + mu) and variance e_i^T W D W^T e_i, m the "
    "mean of q (the constant mu_i where row i of W is zero), for all n and k",
)


def problem(rng, n, k, scale=1.0):
    """W, V, D, mu of order one; W with rows of norm about `scale`."""
    W = scale * rng.standard_normal((n, k)) / np.sqrt(k)
    return W, rng.standard_normal((k, n)) / np.sqrt(n), rng.uniform(0.2, 1.0, k), rng.standard_normal(n)


def by_definition(W, V, D, mu, x, of_density):
    """The mean over x of E_q[of_density(p(x|z))], z on a grid in k dimensions; p multiplied out over the pixels."""
    k = len(D)
    # Scales of a = W z under q, which set the distance of the poles.
    rule = uniform(k, spacing_for_sigmoids(float(np.sqrt((W * W) @ D).max())))
    total = 0.0
    for datum in x:
        z = V @ (datum - x.mean(axis=0)) + rule.nodes * np.sqrt(D)
        y = 1 / (1 + np.exp(-(z @ W.T + mu)))
        p = np.prod(y**datum * (1 - y) ** (1 - datum), axis=1)
        total += np.exp(rule.log_weights) @ of_density(p)
    return total / len(x)


def with_digits(W, V, D, mu, x):
    """The sum of one-dimensional integrals in mpmath: E[x a - softplus(a)], a ~ N(m, v), pixel by pixel."""
    total = mpmath.mpf(0)
    for datum in x:
        means = W @ V @ (datum - x.mean(axis=0)) + mu
        for m, v, value in zip(means, (W * W) @ D, datum, strict=True):
            total += value * mpmath.mpf(m) - gaussian_mean_with_digits(lambda a: mpmath.log(1 + mpmath.exp(a)), m, v)
    return float(total / len(x))


def check_reconstruction(value, exact):
    """`value` is the expected reconstruction term: twelve digits of mpmath's."""
    return agree(value, exact, tolerance=1e-12)


@PRINTED.evidence(role="refutes", kind="symbolic", strength="proved")
def test_the_two_sides_have_opposite_signs_for_all_parameters(record):
    """0 < y < 1, so log p(x|z) = sum x log y + (1 - x) log(1 - y) < 0 < p(x|z) at every z, for all x in [0, 1]."""
    a = sp.Symbol("a", real=True)
    y = 1 / (1 + sp.exp(-a))
    minus_log_y, minus_log_rest = sp.log(1 + sp.exp(-a)), sp.log(1 + sp.exp(a))
    vanishes(sp.simplify(sp.exp(-minus_log_y) - y))
    vanishes(sp.simplify(sp.exp(-minus_log_rest) - (1 - y)))
    check(minus_log_y.is_positive and minus_log_rest.is_positive, "a log density could be positive")
    check(y.is_positive and sp.exp(-minus_log_rest).is_positive, "a density could be negative")
    record(instances=1)
    record.witness("n = 1, W = 0, mu = 0, x = 1: the left side is log(1/2) = -0.6931, the right side 1/2")


@OUTSIDE.evidence(role="refutes", kind="symbolic", strength="proved")
def test_the_mean_of_the_log_is_below_the_log_of_the_mean(record):
    """a = W z and -a have one law: E y = 1/2, E log y = E log sqrt(y (1 - y)), and y (1 - y) < 1/4 but at a = 0."""
    a = sp.Symbol("a", real=True)
    y, other = 1 / (1 + sp.exp(-a)), 1 / (1 + sp.exp(a))
    check_symmetric_gap(y, other, sp.Rational(1, 4), a)
    with rejected():
        check_symmetric_gap(y, other, sp.Rational(1, 3), a)
    with rejected():  # y^2 is not below 1/4
        check_symmetric_gap(y, y, sp.Rational(1, 4), a)
    record(instances=1)
    record.witness("n = k = 1, mu = V = 0, D = 1, x = 1, W != 0: log E p = -log 2, E log p < 1/2 log(1/4) = -log 2")


def check_symmetric_gap(y, other, bound, a):
    """y(a) + y(-a) = 1, and bound - y(a) y(-a) = tanh(a/2)^2/4, which is positive but at a = 0."""
    vanishes(sp.simplify(y + other - 1))
    vanishes(sp.simplify((bound - y * other - sp.tanh(a / 2) ** 2 / 4).rewrite(sp.exp)))


@OUTSIDE.evidence(role="refutes", kind="numeric")
def test_a_log_outside_the_integral_does_not_save_it(record):
    """x = 1, n = k = 1, W = 4, mu = 0, V = 0, D = 1: log E y = -log 2 by symmetry, E log y < -4/sqrt(2 pi).

    For log y = -softplus(-4 z) < -max(-4 z, 0), whose mean is -4/sqrt(2 pi) = -1.596.
    """
    p = np.array([[4.0]]), np.array([[0.0]]), np.array([1.0]), np.array([0.0])
    x = np.array([[1.0]])
    left = float(model.reconstruction(*p, x))
    right = float(np.log(by_definition(*p, x, lambda density: density)))
    record(worst_error=agree(right, -np.log(2), tolerance=1e-12))
    record(worst_error=check_reconstruction(left, with_digits(*p, x)))
    check(left < -4 / np.sqrt(2 * np.pi) < right, "no Jensen gap")
    record.witness(
        f"n = k = 1, W = 4, mu = V = 0, D = 1, x = 1: E log p = {left:.6f} < -4/sqrt(2 pi) = -1.595769, "
        f"while log E p = -log 2 = -0.693147, and Eq. 33 as printed is 1/2"
    )


@OUTSIDE.evidence(role="refutes", kind="numeric")
def test_jensen_is_strict_on_random_problems(record, thorough):
    rng = np.random.default_rng(33)
    for _ in range(thorough(30, 300)):
        n, k = int(rng.integers(1, 6)), int(rng.integers(1, 3))
        p, x = problem(rng, n, k, 1.5), binary_data(rng, 1 + n, n)[:1]
        left = float(model.reconstruction(*p, x))
        right = by_definition(*p, x, lambda density: density)
        check(left < 0 < right, "the sides of Eq. 33 have one sign")
        check(np.log(right) - left > 1e-6, "no Jensen gap")
        record(instances=1)


@CORRECTED.evidence(role="corrected", kind="symbolic", strength="proved")
def test_the_log_of_each_factor_is_a_function_of_its_logit(record):
    """log y = a - log(1 + e^a), log(1 - y) = -log(1 + e^a); p is a product over pixels, so log p is the sum."""
    a, x = sp.symbols("a x", real=True)
    check_log_factor(x * a - sp.log(1 + sp.exp(a)), a, x)
    for wrong in (-sp.log(1 + sp.exp(a)), (1 - x) * a - sp.log(1 + sp.exp(a)), x * a - sp.log(1 + sp.exp(-a))):
        with rejected():
            check_log_factor(wrong, a, x)
    record(instances=1)


def check_log_factor(claimed, a, x):
    """`claimed` = x log y + (1 - x) log(1 - y), as equal slopes in a and equal values at a = 0."""
    of_y = x * sp.log(1 / (1 + sp.exp(-a))) + (1 - x) * sp.log(1 / (1 + sp.exp(a)))
    vanishes(sp.simplify(sp.diff(of_y - claimed, a)))
    vanishes(sp.expand_log((of_y - claimed).subs(a, 0), force=True).simplify())


@LOGITS.evidence(role="corrected", kind="symbolic", strength="proved")
def test_each_logit_has_its_mean_and_variance_for_all_n_and_k(record):
    e, m, mu = letter("e", N_DIM, 1), letter("m", K_DIM, 1), letter("mu", N_DIM, 1)
    a = e.T @ (W @ z + mu)
    mean = e.T @ (W @ m + mu)
    centred = a - mean
    same(expectation(trace(a), z, m, D), trace(mean))
    check_variance(centred, m, e.T @ W @ D @ W.T @ e)
    for wrong in (e.T @ W @ D @ D @ W.T @ e, e.T @ W @ W.T @ e):  # D for sqrt(D); the variance of the prior
        with rejected():
            check_variance(centred, m, wrong)
    record(instances=2)


def check_variance(centred, mean, variance):
    same(expectation(trace(centred @ centred.T), z, mean, D), trace(variance))


@LOGITS.evidence(role="corrected", kind="symbolic")
@pytest.mark.parametrize("k", [1, 2, 3])
def test_given_the_datum_each_logit_is_one_gaussian(k, record):
    """E e^{s w^T z} under N(m, D) is e^{s mean + s^2 variance/2} with mean w^T m and variance sum_j w_j^2 D_j."""
    s, t = sp.symbols("s t", real=True)
    w, m = sp.symbols(f"w:{k}", real=True), sp.symbols(f"m:{k}", real=True)
    d = sp.symbols(f"d:{k}", positive=True)
    log_moment = 0
    for wj, mj, dj in zip(w, m, d, strict=True):
        # z_j = m_j + sqrt(d_j) t: the square completed, and the integral of a Gaussian.
        exponent = s * wj * (mj + sp.sqrt(dj) * t) - t**2 / 2
        rest = sp.expand(exponent + (t - s * wj * sp.sqrt(dj)) ** 2 / 2)
        same(rest.has(t), False)
        log_moment += rest
    mean = sum(a * b for a, b in zip(w, m, strict=True))
    variance = sum(a**2 * b for a, b in zip(w, d, strict=True))
    vanishes(sp.expand(log_moment - s * mean - s**2 * variance / 2))
    record(instances=1)


@CORRECTED.evidence(role="corrected", kind="numeric")
def test_the_term_is_computed_to_twelve_digits_for_any_k(record, thorough, xp):
    rng = np.random.default_rng(331)
    for i in range(thorough(10, 60)):
        n, k = int(rng.integers(1, 4)), int(rng.integers(1, 40))
        p = problem(rng, n, k, float(10 ** rng.uniform(-1, 0.8)))
        x = (binary_data if i % 2 else grey_data)(rng, 3, n)
        value = float(to_numpy(model.reconstruction(*(xp.asarray(v) for v in p), xp.asarray(x))))
        record(worst_error=check_reconstruction(value, with_digits(*p, x)))


@CORRECTED.evidence(role="corrected", kind="numeric")
def test_the_definition_integrated_over_z_agrees(record, thorough):
    """E_q[log of the product of probabilities], z on a grid in k dimensions: no log is taken apart."""
    rng = np.random.default_rng(332)
    for k, many in ((1, 10), (2, 6), (3, 2)):
        for _ in range(thorough(many, 10 * many)):
            n = int(rng.integers(1, 6))
            p, x = problem(rng, n, k), grey_data(rng, 4, n)
            expected = by_definition(*p, x, np.log)
            record(worst_error=agree(model.reconstruction(*p, x), expected, tolerance=1e-12))


@CORRECTED.evidence(role="corrected", kind="property")
@given(
    mean=st.floats(-30, 30),
    deviation=st.one_of(st.just(0.0), st.floats(-8, 1.5).map(lambda e: 10.0**e)),
)
def test_the_one_dimensional_integral_is_exact_for_all_scales(mean, deviation, record):
    """E softplus(m + s t), s up to 30, by 24 to 1000 nodes; at s = 0 softplus itself."""
    found = model.gaussian_mean(model.softplus, np.array([[mean]]), np.array([deviation]))
    exact = gaussian_mean_with_digits(lambda a: mpmath.log1p(mpmath.exp(a)), mean, deviation**2, digits=20)
    # Relative to the value, or to rounding in a sum of terms of size |m| + s.
    record(worst_error=agree(found, float(exact), tolerance=1e-12, scale=max(1.0, abs(mean), deviation)))


@CORRECTED.evidence(role="corrected", kind="numeric")
def test_fifty_latents_need_one_variable_per_pixel_as_one_does(record):
    """scikit-learn's digits, 64 pixels, k = 50: 115008 integrals, one vectorised sum over the nodes."""
    rng = np.random.default_rng(333)
    p, x = problem(rng, 64, 50), digits()
    value = float(model.reconstruction(*p, x))
    # A few of the integrals by mpmath, for one datum.
    few, centre = slice(20, 36), x.mean(axis=0)
    means, variances = p[0] @ p[1] @ (x[0] - centre) + p[3], (p[0] ** 2) @ p[2]
    found = model.gaussian_mean(model.softplus, means[None], np.sqrt(variances))[0, few]
    pairs = zip(means[few], variances[few], strict=True)
    exact = [float(gaussian_mean_with_digits(lambda a: mpmath.log1p(mpmath.exp(a)), m, v, 20)) for m, v in pairs]
    record(instances=x.size, worst_error=agree(found, np.array(exact), tolerance=1e-12))
    one = x[0] @ means - model.gaussian_mean(model.softplus, means[None], np.sqrt(variances)).sum()
    record(worst_error=agree(model.reconstruction(*p, x[:1], centre=centre), one, tolerance=1e-12))
    record.witness(f"scikit-learn's digits, k = 50, random weights: E_q log p(x|z) = {value:.12f} per datum")


@PRINTED.evidence(role="control", kind="symbolic")
def test_slips_in_the_signs_are_rejected():
    a = sp.Symbol("a", real=True)
    with rejected():  # log y + 1 has no certain sign
        check((sp.log(1 + sp.exp(-a)) - 1).is_positive, "no certain sign")
    with rejected():  # log(1 - y) taken for log y
        vanishes(sp.simplify(sp.exp(-sp.log(1 + sp.exp(a))) - 1 / (1 + sp.exp(-a))))


@CORRECTED.evidence(role="control", kind="numeric")
def test_slips_in_the_reconstruction_term_are_rejected():
    rng = np.random.default_rng(334)
    p, x = problem(rng, 3, 2), binary_data(rng, 4, 3)
    W, V, D, mu = p
    exact = with_digits(*p, x)
    check_reconstruction(model.reconstruction(*p, x), exact)
    for wrong in (
        model.reconstruction(W, V, 0 * D, mu, x),  # log p at the mean of q
        model.reconstruction(W, V, np.ones(2), mu, x),  # the variance of the prior
        model.reconstruction(W, V, D**2, mu, x),
        model.reconstruction(W, V, D, mu, x, centre=mu),  # x - mu, as printed
        by_definition(*p, x, lambda density: density),  # Eq. 33 as printed
        np.log(by_definition(*p, x, lambda density: density)),
    ):
        with rejected():
            check_reconstruction(wrong, exact)
    with rejected():  # three nodes are too few
        coarse = np.sqrt(3) * np.array([-1, 0, 1])
        found = np.dot([1 / 6, 2 / 3, 1 / 6], np.logaddexp(0, 2.0 * coarse))
        agree(found, float(gaussian_mean_with_digits(lambda a: mpmath.log1p(mpmath.exp(a)), 0, 4)), tolerance=1e-12)
