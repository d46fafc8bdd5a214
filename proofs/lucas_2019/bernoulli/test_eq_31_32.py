"""Eqs. 31, 32: the marginal likelihood of Bernoulli pPCA.

Statement   p(x) = int p(x|z) p(z) dz = E_z[y(z)^x (1 - y(z))^{1-x}], powers elementwise.
Hypotheses  pixels independent given z, as the paper assumes below Eq. 29.
Correction  a product over the pixels is dropped, inside the expectation: as printed the right side is a vector of n
            numbers for n > 1; multiplied outside the expectation it is another number. A misprint, as in Eq. 33.
            The sentence that follows ("we cannot tractably compute the marginal likelihood") is no part of this claim:
            App. C.3 says itself that numerical integration may make it easy; for k = 1 some hundred nodes give 1e-12.
            "No closed form" holds in general, not everywhere: at n = 1, mu = -j w^2, j an integer, there is one.
Source      Lucas et al. 2019, Eqs. 31, 32, App. C.3; theory 4.1.
Method      exact values at W = 0; probabilities add up to 1, by induction over the pixels; Gauss-Hermite against the
            trapezoidal rule, against mpmath on the integrand, against sampling, and against exact values.
Trusted     mpmath's quadrature and the integral of a Gaussian, beside the proofs.
"""

from itertools import product

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from proofs.lucas_2019.bernoulli.problems import binary_data, digits, grey_data, log_density_with_digits
from proofs.machinery.checks import agree, at_most, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from verify.arrays import to_numpy
from verify.models import bernoulli as model
from verify.models.quadrature import hermite, spacing_for_sigmoids, uniform

CLAIM = Claim(
    id="eq-31-32",
    source="Eqs. 31, 32, App. C.3",
    statement="p(x) = int p(x|z) p(z) dz = E_z[y^x (1 - y)^{1-x}], powers elementwise",
    hypotheses="pixels independent given z; corrected: a product over the pixels inside the expectation",
    section="Bernoulli pPCA",
    quote="We can write the marginal likelihood as, ... p(x) = p(x|z)p(z)dz, ... = Ez y(z)x (1 − y(z))1−x , (31) (32) "
    "where (·)x is taken to be elementwise.",
    fault="misprint",
    finding="with the product over the pixels inside the expectation it is right",
)
PRINTED = CLAIM.step(
    "printed",
    "as printed Eq. 32 is one number for each pixel: at n = 2, W = 0, mu = 0, x = (1, 1) it is (1/2, 1/2), and p(x) is "
    "1/4",
)
OUTSIDE = CLAIM.step(
    "outside",
    "the product cannot be taken outside the expectation: for n = 2, W = (w, w)^T, w != 0, mu = 0, x = (1, 1), it "
    "gives 1/4, and p(1, 1) = 1/4 + Var y > 1/4",
)
CORRECTED = CLAIM.step(
    "corrected",
    "p(x|z) of independent pixels is the product of y_i at x_i = 1 and 1 - y_i at x_i = 0, so that with the product "
    "inside Eq. 32 is the definition of p(x); at every y in (0, 1)^n the factors are positive, and over all 2^n binary "
    "x the product adds up to 1, for all n",
)


def all_binary(n):
    return np.array(list(product((0.0, 1.0), repeat=n)))


def per_pixel(W, mu, x, rule):
    """E_z[y^x (1 - y)^{1-x}] as printed: one expectation for each pixel.  -> (N, n)."""
    return np.stack(
        [np.exp(model.log_densities(W[i : i + 1], mu[i : i + 1], x[:, i : i + 1], rule)) for i in range(len(W))], axis=1
    )


def check_total(probabilities):
    """The probabilities of all 2^n binary x add up to 1."""
    return agree(np.sum(probabilities), 1.0, tolerance=1e-12)


def lattice(w, j):
    """P(x = 1) at n = 1, mu = -j w^2, exactly: 1 - P_j = exp(j w^2 + w^2/2) P_{j+1}, from P_0 = 1/2."""
    p = 0.5
    for i in range(j):
        p = (1 - p) * np.exp(-(i + 0.5) * w * w)
    return p


def narrow(W):
    """The trapezoidal rule fine enough for a posterior of width 1/sqrt(1 + |W|^2/4), in k = W.shape[1] dimensions."""
    width = 1 / np.sqrt(1 + np.linalg.norm(W, 2) ** 2 / 4)
    spacing = min(0.7 * width, spacing_for_sigmoids(float(np.linalg.norm(W, axis=1).max())))
    return uniform(W.shape[1], spacing, reach=12.0 if W.shape[1] == 1 else 9.5)


def bernoulli(y, x):
    """Eq. 32 for one pixel."""
    return y**x * (1 - y) ** (1 - x)


@PRINTED.evidence(role="refutes", kind="symbolic", strength="proved")
def test_as_printed_it_is_a_vector_even_where_nothing_is_random(record):
    """W = 0: y = sigmoid(0) = 1/2 at every z, so that expectations are the values themselves."""
    y = 1 / (1 + sp.exp(sp.Integer(0)))
    printed = sp.Matrix([bernoulli(y, 1), bernoulli(y, 1)])
    same((printed.shape, list(printed)), ((2, 1), [sp.Rational(1, 2)] * 2))
    same(sp.prod(printed), sp.Rational(1, 4))  # p(1, 1), pixels independent
    check_probability_at_a_half(sp.prod)
    for wrong in (lambda entries: entries[0], lambda entries: sum(entries), lambda entries: sum(entries) / 2):
        with rejected():  # an entry, the sum, the mean of the printed vector
            check_probability_at_a_half(wrong)
    record(instances=1)
    record.witness("n = 2, W = 0, mu = 0, x = (1, 1): p(x) = 1/4; Eq. 32 as printed is the vector (1/2, 1/2)")


def check_probability_at_a_half(of_entries):
    """`of_entries`, a number made of the printed vector, adds up to 1 over the four binary x at y = (1/2, 1/2)."""
    half = sp.Rational(1, 2)
    same(sum(of_entries([bernoulli(half, a), bernoulli(half, b)]) for a, b in product((0, 1), repeat=2)), 1)


@OUTSIDE.evidence(role="refutes", kind="symbolic", strength="proved")
def test_the_variance_of_y_is_what_the_product_outside_loses(record):
    """y(a) + y(-a) = 1, so E y = 1/2; (y - 1/2)^2 = tanh(a/2)^2/4, positive but at a = 0."""
    a = sp.Symbol("a", real=True)
    y = 1 / (1 + sp.exp(-a))
    check_centre(y, a, sp.Rational(1, 2))
    with rejected():
        check_centre(y, a, sp.Rational(1, 3))
    with rejected():
        check_centre(y**2, a, sp.Rational(1, 2))
    # E[y^2] = (E y)^2 + E[(y - 1/2)^2].
    vanishes(sp.expand((a - sp.Rational(1, 2)) ** 2 - (a**2 - a + sp.Rational(1, 4))))
    record(instances=1)
    record.witness("n = 2, W = (w, w)^T, mu = 0: p(1, 1) = 1/4 + E tanh(w z/2)^2/4; the product of expectations is 1/4")


def check_centre(y, a, centre):
    """y has the mean `centre` whenever a and -a have one law, and is tanh(a/2)/2 away from it."""
    vanishes(sp.simplify((y + y.subs(a, -a)) / 2 - centre))
    vanishes(sp.simplify((y - centre - sp.tanh(a / 2) / 2).rewrite(sp.exp)))


@PRINTED.evidence(role="refutes", kind="numeric")
def test_as_printed_it_is_one_number_per_pixel_and_no_probability(record):
    """W = 0, mu = 0, n = 2: every y is 1/2, p(1, 1) = 1/4; the printed expectation is (1/2, 1/2)."""
    W, mu, x = np.zeros((2, 1)), np.zeros(2), all_binary(2)
    rule = hermite(1)
    printed = per_pixel(W, mu, x, rule)
    same(printed.shape, (4, 2))
    agree(printed, 0.5, tolerance=1e-14)
    for i in range(2):
        with rejected():
            check_total(printed[:, i])
    agree(np.exp(model.log_densities(W, mu, x, rule)), 0.25, tolerance=1e-14)
    record(instances=1)
    record.witness("n = 2, W = 0, mu = 0, x = (1, 1): p(x) = 1/4; Eq. 32 as printed is the vector (1/2, 1/2)")


@OUTSIDE.evidence(role="refutes", kind="numeric")
def test_the_product_of_the_printed_expectations_is_another_number(record):
    """w_1 = w_2 = w, mu = 0: E y = 1/2 by symmetry, so the product is 1/4; p(1, 1) = 1/4 + Var y."""
    W, mu, x = np.array([[4.0], [4.0]]), np.zeros(2), np.ones((1, 2))
    outside = float(per_pixel(W, mu, x, narrow(W)).prod())
    inside = float(np.exp(model.log_densities(W, mu, x, narrow(W)))[0])
    agree(outside, 0.25, tolerance=1e-12)
    # |y - 1/2| > 0.38 where |z| > 1/2, since sigmoid(2) > 0.88: P(|z| > 1/2) > 0.61, so Var y > 0.61 * 0.38^2 > 0.088.
    check(inside > 0.25 + 0.088, "the product may be taken outside after all")
    with rejected():  # at W = (1, 1)^T the variance of y is less than that
        weaker = float(np.exp(model.log_densities(W / 4, mu, x, narrow(W / 4)))[0])
        check(weaker > 0.25 + 0.088, "the product may be taken outside after all")
    record(worst_error=agree(np.log(inside), log_density_with_digits(W, mu, x[0]), tolerance=1e-12))
    record.witness(f"n = 2, W = (4, 4)^T, mu = 0: p(1, 1) = {inside:.6f}; the product of the expectations is 1/4")


@CORRECTED.evidence(role="corrected", kind="numeric")
def test_it_is_computed_to_twelve_digits_from_a_few_hundred_nodes(record, xp):
    """1797 digits of 64 pixels, k = 1, strong weights: 256 nodes against 512, and a datum against mpmath."""
    x = digits()
    rng = np.random.default_rng(31)
    W, mu = 0.5 * rng.standard_normal((64, 1)), rng.standard_normal(64)
    on = [xp.asarray(v) for v in (W, mu, x)]
    values = to_numpy(model.log_densities(*on, hermite(1, 256)))
    record(instances=len(x), worst_error=agree(values, model.log_densities(W, mu, x, hermite(1, 512)), tolerance=1e-12))
    error = agree(values[0], float(log_density_with_digits(W, mu, x[0])), tolerance=1e-12)
    record(worst_error=error)
    record.witness(f"scikit-learn's digits, k = 1: mean log p(x) = {values.mean():.12f} from 256 nodes")


@CORRECTED.evidence(role="corrected", kind="symbolic", strength="proved")
def test_the_product_form_is_a_probability_at_every_z(record):
    """By induction: a further pixel multiplies the sum over all x by its two factors, which add up to 1."""
    y, before = sp.Symbol("y", positive=True), sp.Symbol("sum over n pixels")
    vanishes(before * bernoulli(y, 0) + before * bernoulli(y, 1) - before)
    same((bernoulli(y, 1), bernoulli(y, 0)), (y, 1 - y))
    # Both are positive for 0 < y < 1: y = 1/(1 + t), t > 0.
    odds = sp.Symbol("t", positive=True)
    check(all(sp.simplify(bernoulli(1 / (1 + odds), x)).is_positive for x in (0, 1)), "a factor that is not positive")
    for n in (1, 2, 3):  # and spelled out
        ys = sp.symbols(f"y:{n}")
        total = sum(
            sp.prod([bernoulli(v, b) for v, b in zip(ys, bits, strict=True)]) for bits in product((0, 1), repeat=n)
        )
        vanishes(sp.expand(total - 1))
    record(instances=4)


@CORRECTED.evidence(role="corrected", kind="numeric")
def test_the_probabilities_of_all_binary_data_add_up_to_one(record, thorough, xp):
    rng = np.random.default_rng(311)
    for _ in range(thorough(20, 200)):
        n, k = int(rng.integers(1, 9)), int(rng.integers(1, 4))
        W, mu = 2 * rng.standard_normal((n, k)), 2 * rng.standard_normal(n)
        # At every node they add up to 1, so the rule hardly matters.
        values = model.log_densities(*(xp.asarray(v) for v in (W, mu, all_binary(n))), hermite(k, 12))
        record(worst_error=check_total(np.exp(to_numpy(values))))


@CORRECTED.evidence(role="corrected", kind="numeric")
def test_two_rules_and_mpmath_agree(record, thorough, xp):
    rng = np.random.default_rng(312)
    for k, many in ((1, 12), (2, 6)):
        for i in range(thorough(many, 10 * many)):
            n = int(rng.integers(1, 7))
            W, mu = 0.6 * rng.standard_normal((n, k)), rng.standard_normal(n)
            x = (binary_data if i % 2 else grey_data)(rng, 8, n)
            found = to_numpy(model.log_densities(*(xp.asarray(v) for v in (W, mu, x)), hermite(k, 200 // k)))
            other = model.log_densities(W, mu, x, narrow(W))
            record(worst_error=agree(found, other, tolerance=1e-12))
            if i < 6 // k**2:  # six data for k = 1, one for k = 2
                exact = float(log_density_with_digits(W, mu, x[0], digits=30 if k == 1 else 15))
                record(worst_error=agree(found[0], exact, tolerance=1e-12))


@CORRECTED.evidence(role="corrected", kind="numeric")
def test_three_latents_agree_with_a_finer_rule(record, xp):
    rng = np.random.default_rng(313)
    W, mu, x = 0.4 * rng.standard_normal((6, 3)), rng.standard_normal(6), binary_data(rng, 10, 6)
    found = to_numpy(model.log_densities(*(xp.asarray(v) for v in (W, mu, x))))
    # The default of 32 nodes per dimension; a user is promised no more than this for weights below one.
    record(worst_error=agree(found, model.log_densities(W, mu, x, narrow(W)), tolerance=1e-9))


@CORRECTED.evidence(role="corrected", kind="property")
@given(w=st.floats(0.01, 3), j=st.integers(0, 3), sign=st.sampled_from([-1.0, 1.0]), k=st.integers(1, 2))
def test_one_pixel_has_exact_values_on_a_lattice(w, j, sign, k, record):
    """E sigmoid(w z - w^2) = exp(-w^2/2)/2, and so on: 1 - sigmoid(a) = e^-a sigmoid(a), and e^-a shifts the mean."""
    W = np.full((1, k), sign * w / np.sqrt(k))
    p = lattice(w, j)
    density = np.exp(model.log_densities(W, np.array([-j * w * w]), np.array([[1.0], [0.0]]), narrow(W)))
    # The recurrence subtracts 1 - p from 1 at most three times.
    record(worst_error=agree(density, np.array([p, 1 - p]), tolerance=1e-12))
    # The smaller one, down to 1e-10, relative to itself: its share beyond the reach of the nodes counts for more.
    record(worst_error=agree(density[0], p, tolerance=1e-10))


@CORRECTED.evidence(role="corrected", kind="symbolic")
def test_the_lattice_follows_by_a_shift_of_the_gaussian(record):
    """(1 - sigmoid(a)) N(a; m, v) = e^{-m + v/2} sigmoid(a) N(a; m - v, v), pointwise."""
    a, m = sp.symbols("a m", real=True)
    v = sp.Symbol("v", positive=True)
    y = 1 / (1 + sp.exp(-a))
    # 1 - y = e^-a y, so all that is left to compare are the exponents.
    vanishes(sp.simplify((1 - y) - sp.exp(-a) * y))
    vanishes(sp.expand(-a - (a - m) ** 2 / (2 * v) - (-m + v / 2 - (a - m + v) ** 2 / (2 * v))))
    record(instances=1)
    record.witness("n = 1: p(x = 1) = exp(-w^2/2)/2 at mu = -w^2, and in closed form at mu = j w^2 for every integer j")


@CORRECTED.evidence(role="corrected", kind="numeric")
def test_sampling_agrees_within_its_standard_error(record, thorough):
    rng = np.random.default_rng(314)
    samples = thorough(20_000, 500_000)
    for k in (1, 2, 3):
        W, mu, x = 0.7 * rng.standard_normal((4, k)), rng.standard_normal(4), binary_data(rng, 20, 4)
        value, error = model.monte_carlo(W, mu, x, samples, seed=k)
        exact = float(model.log_likelihood(W, mu, x, hermite(k, 48)))
        # Five standard errors: one false alarm in two million.
        at_most(abs(value - exact), 5 * error)
        check(error < 0.01, "a standard error that lets everything pass")
        record(instances=samples)


@CORRECTED.evidence(role="corrected", kind="numeric")
def test_many_latents_are_sampled(record, thorough):
    """k = 6 with rows of W in a plane is k = 2 in disguise, which quadrature knows."""
    rng = np.random.default_rng(315)
    thin, mu, x = 0.7 * rng.standard_normal((5, 2)), rng.standard_normal(5), binary_data(rng, 20, 5)
    W = thin @ np.linalg.qr(rng.standard_normal((6, 6)))[0][:2]
    value, error = model.monte_carlo(W, mu, x, thorough(20_000, 500_000), seed=1)
    at_most(abs(value - float(model.log_likelihood(thin, mu, x, hermite(2)))), 5 * error)
    record(instances=1)
    # Without a rule the likelihood is the mean over the default samples.
    agree(model.log_likelihood(W, mu, x), model.monte_carlo(W, mu, x).value, tolerance=1e-13)


@CORRECTED.evidence(role="control", kind="symbolic")
def test_other_factors_are_no_probabilities():
    y, x = sp.symbols("y x")
    for wrong in (y**x * (1 - y) ** x, y**x + (1 - y) ** (1 - x), y ** (1 - x) * (1 - y) ** (1 + x)):
        with rejected():
            vanishes(wrong.subs(x, 0) + wrong.subs(x, 1) - 1)


@CORRECTED.evidence(role="control", kind="numeric")
def test_slips_in_the_likelihood_are_rejected():
    rng = np.random.default_rng(316)
    W, mu, x = rng.standard_normal((3, 1)), rng.standard_normal(3), all_binary(3)
    right = np.array([float(log_density_with_digits(W, mu, datum)) for datum in x])
    rule = narrow(W)
    agree(model.log_densities(W, mu, x, rule), right, tolerance=1e-12)
    for wrong in (
        model.log_densities(-W + 0.001, mu, x, rule),
        model.log_densities(W, -mu, x, rule),
        model.log_densities(W, mu, 1 - x, rule),
        np.log(per_pixel(W, mu, x, rule)).sum(axis=1),  # independent pixels
        np.log(per_pixel(W, mu, x, rule)[:, 0]),  # one entry of the printed vector
        model.log_densities(W, mu, x, hermite(1, 4)),  # too few nodes
    ):
        with rejected():
            agree(wrong, right, tolerance=1e-12)
    with rejected():
        check_total(np.exp(right[1:]))
    with rejected():  # the likelihood of independent pixels against sampling
        value, error = model.monte_carlo(2 * W, mu, x, 20_000)
        at_most(abs(value - float(np.log(per_pixel(2 * W, mu, x, narrow(2 * W))).sum(axis=1).mean())), 5 * error)
