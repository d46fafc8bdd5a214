"""Posterior collapse of Bernoulli pPCA: the Hessian at W = 0, and what follows from it.

Statement   at W = 0, mu = logit(xbar) the Hessian in W of the log marginal likelihood is B (x) I_k with
            B = S - diag(xbar (1 - xbar)); the mixed block with mu is zero, that of mu is -diag(xbar (1 - xbar)). The
            ELBO with encoder N(V (x - xbar), D), profiled over V and D, has the same second order.
            tr B = -mean of sum_i x_i (1 - x_i). For binary data it is zero: collapse is no local maximum unless the
            pixels are pairwise uncorrelated. Inside (0, 1) it is one if the largest eigenvalue of B is negative, and
            none if it is positive (no step says this).
Hypotheses  no pixel constantly 0 or 1 (mu would be infinite: dropped and reported); S divided by N; the encoder
            centred at xbar: centred at mu, as in Eq. 33, the ELBO has less curvature.
Source      ours (theory 4.2); the paper leaves the stationary points of this model open.
Method      exact derivatives under the expectation, no expansion is cut off: first two cumulants in words, for all n
            and k; the same entry by entry; differences of values and gradients of the quadrature, and of mpmath's; the
            encoder maximised numerically; real digits.
Trusted     differentiation-under-the-integral (its bound is step dominated); implicit-functions, for the best encoder
            near V = 0, D = I, V on the range of S; second-order.
"""

from itertools import product

import mpmath
import numpy as np
import sympy as sp
from hypothesis import assume, given
from hypothesis import strategies as st

from proofs.lucas_2019.bernoulli.problems import (
    best_encoder,
    binary_data,
    curvature_by_gradients,
    digits,
    grey_data,
    log_density_with_digits,
    second_derivatives,
)
from proofs.machinery.checks import agree, at_most, certified, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.machinery.logic import concludes
from proofs.problems.boxes import outcome_on
from verify.arrays import to_numpy
from verify.landscape.bernoulli import collapsed_point
from verify.models import bernoulli as model
from verify.models.quadrature import hermite
from verify.symbolic import bernoulli as symbolic
from verify.symbolic import linear_vae
from verify.symbolic.differentials import differential, gradient
from verify.symbolic.expectations import expectation
from verify.symbolic.letters import D, S, V, W, k, n
from verify.symbolic.letters import x as symbolic_x
from verify.symbolic.letters import z as symbolic_z
from verify.symbolic.matrix_calculus import identity, letter, zero
from verify.symbolic.relations import substitute
from verify.symbolic.traces import Scalar, trace

CLAIM = Claim(
    id="bernoulli-collapse",
    source="ours, after App. C.3",
    statement="at collapse the likelihood and the profile ELBO have the Hessian (S - diag(xbar (1 - xbar))) (x) I_k in "
    "W; for binary data it is never a local maximum unless the pixels are pairwise uncorrelated",
    hypotheses="no constant pixel; the encoder centred at xbar",
    section="Bernoulli pPCA",
    trusts=("differentiation-under-the-integral", "implicit-functions", "second-order"),
)
DOMINATED = CLAIM.step(
    "dominated",
    "p(x|z) is positive, at most 1, and its derivatives of first and second order in the entries of (W, mu) are "
    "p(x|z) times a monomial in z, of degree 2 at most, times a function of z that is at most 1 + 1/4 in size; log "
    "p(x|z) is at most the sum of (|a_i| + log 2) in size, a the logits, and its derivatives of first and second "
    "order in (W, V, D^{1/2}, mu) at z = V (x - xbar) + D^{1/2} eps are sums of functions between -1 and 1 times "
    "polynomials in eps, with coefficients that are polynomials in (W, V, D^{1/2}, mu) and x - xbar: all of degree 2"
    " at most in z and eps",
    says="dominated",
    place="Proposition 10",
)
HESSIAN = CLAIM.step(
    "hessian",
    "the derivatives of log E_z p(x|z) under the expectation, averaged over the data, at W = 0, mu = logit(xbar): the "
    "gradient vanishes, the Hessian in W is B (x) I_k, B = S - diag(xbar (1 - xbar)), for all n and k",
    says="under_the_expectation -> hessian_is_B",
    place="Proposition 10",
)
MU_BLOCK = CLAIM.step(
    "mu-block",
    "the likelihood and the profile ELBO are even in W for every mu, so that their mixed blocks are zero; at W = 0 the "
    "best encoder is the prior and the two are one function of mu, with, at mu = logit(xbar), gradient zero and the "
    "Hessian -diag(xbar (1 - xbar)); for all n and k",
    place="Proposition 10",
)
ENCODER = CLAIM.step(
    "encoder",
    "the ELBO is concave in (V, D^{1/2}) at every W, strictly up to changes Y of V with Y S = 0, and its second "
    "derivatives there at the collapsed point, V = 0, D = I, are -tr(Y S Y^T) and -2 per entry of D^{1/2}. Y S = 0 "
    "changes V x at no datum: in D^{1/2} and in V on the range of S, all of V that the ELBO depends on, they are "
    "invertible",
    says="invertible_in_the_encoder",
    place="Proposition 10",
)
PROFILE = CLAIM.step(
    "profile",
    "to second order in (W, V), D = I, the ELBO less its value at 0 is 1/2 tr(W^T B W) - 1/2 tr((V - W^T) S (V - "
    "W^T)^T), for all n and k, and D does not couple with W or V: so its maximum over a smooth encoder has the Hessian "
    "B (x) I_k",
    says="smooth_encoder & under_the_expectation -> profile_hessian_is_B",
    place="Proposition 10",
)
BINARY = CLAIM.step(
    "binary",
    "for binary pixels B has a zero diagonal, and with B_ij != 0 the direction e_i + sign(B_ij) e_j in one column has "
    "the curvature 2 |B_ij| > 0, for all n and k",
    says="binary & correlated & hessian_is_B & profile_hessian_is_B -> both_rise",
    place="Proposition 10",
)
CONCLUSION = CLAIM.step(
    "conclusion",
    "for binary, correlated pixels the collapsed point is a local maximum of neither the likelihood nor the ELBO",
    place="Proposition 10",
)
USED = {
    "differentiation-under-the-integral": "dominated -> under_the_expectation & twice_continuously_differentiable",
    "implicit-functions": "twice_continuously_differentiable & invertible_in_the_encoder -> smooth_encoder",
    "second-order": "both_rise -> ~likelihood_maximum & ~elbo_maximum",
}
B_IN_WORDS = S - symbolic.Y
DIRECTION = letter("X", n, k)


@CONCLUSION.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_steps_entail_that_collapse_is_no_maximum(record):
    concluded = "binary & correlated -> ~likelihood_maximum & ~elbo_maximum"
    record(instances=concludes(CLAIM, concluded, USED))
    with rejected():  # grey pixels may collapse
        concludes(CLAIM, "correlated -> ~likelihood_maximum & ~elbo_maximum", USED)


def joint_hessian(x, columns):
    """What is claimed: B (x) I_k and -diag(xbar (1 - xbar)), coordinates W.reshape(-1) and then mu."""
    size = x.shape[1]
    H = np.zeros((size * (columns + 1),) * 2)
    H[: size * columns, : size * columns] = model.collapsed_hessian(x, columns)
    mean = x.mean(axis=0)
    H[size * columns :, size * columns :] = -np.diag(mean * (1 - mean))
    return H


def check_hessian(x, columns, H, step=2e-2):
    """H is the Hessian of the likelihood in (W, mu) at the collapsed point, by differences of its values."""
    size = x.shape[1]
    rule = hermite(columns, 24)

    def likelihood(p):
        return float(model.log_likelihood(p[: size * columns].reshape(size, columns), p[size * columns :], x, rule))

    at = np.concatenate([np.zeros(size * columns), model.collapsed_mean(x)])
    # Differences that are exact for degree 5: step^4 of truncation, and eps/step^2 of rounding.
    return agree(second_derivatives(likelihood, at, step), H, tolerance=1e-5, scale=1.0)


def check_profile(x, X, B, centre=None):
    """B X is the Hessian of the profile ELBO along X (n, k); its gradient is that of the ELBO at the best V, D."""
    mu = model.collapsed_mean(x)

    def of_gradient(W):
        g = best_encoder(W, mu, x, centre)[2]
        agree(g.V, np.zeros(g.V.shape), tolerance=1e-12)
        agree(g.D, np.zeros(g.D.shape), tolerance=1e-12)
        return g.W

    # h^4 = 1e-8 of truncation times sixth derivatives.
    return agree(curvature_by_gradients(of_gradient, X), B @ X, tolerance=1e-5, scale=float(np.linalg.norm(X)))


def check_second_order(quadratic):
    """`quadratic` = 1/2 tr(X^T B X) in words."""
    same(quadratic, trace(W.T @ B_IN_WORDS @ W) / 2)


def check_not_negative(*values):
    for value in values:
        check(bool(sp.factor(value).is_nonnegative), f"{value} may be negative")


@DOMINATED.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_derivatives_of_the_density_are_bounded_by_polynomials(record):
    """log p = sum over pixels of phi(a_i), phi(a) = x a - log(1 + e^a), a_i = w_i^T z + mu_i, x and 1 - x >= 0."""
    a, s, t = sp.symbols("a s t", real=True)
    x, rest = sp.symbols("x rest", nonnegative=True)  # rest = 1 - x
    odds = sp.Symbol("odds", positive=True)  # e^a, so that y = odds/(1 + odds)
    phi = x * a - sp.log(1 + sp.exp(a))
    y = odds / (1 + odds)
    slope, curvature = (sp.diff(phi, a, m).subs(a, sp.log(odds)) for m in (1, 2))
    vanishes(slope - (x - y))
    vanishes(curvature + y * (1 - y))
    # |phi'| <= 1 and -1/4 <= phi'' <= 0, whatever a.
    check_not_negative(1 + slope, (1 - slope).subs(x, 1 - rest), -curvature, curvature + sp.Rational(1, 4))
    # phi(0) = -log 2, so that |phi(a)| <= log 2 + |a|.
    vanishes(phi.subs(a, 0) + sp.log(2))
    for wrong in (sp.Rational(1, 2) + slope, curvature + sp.Rational(1, 5)):
        with rejected():
            check_not_negative(wrong)
    # -phi = x log(1 + 1/odds) + (1 - x) log(1 + odds) >= 0: each factor of p is at most 1.
    parts = x * sp.log(1 + 1 / odds) + rest * sp.log(1 + odds)
    vanishes(sp.expand_log(sp.factor(parts.subs(rest, 1 - x) + phi.subs(a, sp.log(odds))), force=True))
    check_not_negative(*parts.args)
    # Of two parameters s, t: p_s = p f_s and p_st = p (f_st + f_s f_t), and f is a sum over pixels of phi(a).
    f, logit = sp.Function("f")(s, t), sp.Function("a")(s, t)
    vanishes(sp.diff(sp.exp(f), s) - sp.exp(f) * f.diff(s))
    vanishes(sp.diff(sp.exp(f), s, t) - sp.exp(f) * (f.diff(s, t) + f.diff(s) * f.diff(t)))
    with rejected():
        vanishes(sp.diff(sp.exp(f), s, t) - sp.exp(f) * f.diff(s, t))
    # Of phi(a), a any function of s, t.  In (W, mu) a is linear, a_s is some z_j or 1, a_st = 0; with z = V x + r eps
    # it is a polynomial in W, V, r, mu, of degree 1 in eps.
    once, twice = (sp.diff(phi, a, m).subs(a, logit) for m in (1, 2))
    second = twice * logit.diff(s) * logit.diff(t) + once * logit.diff(s, t)
    vanishes(sp.diff(phi.subs(a, logit), s, t) - second)
    with rejected():
        vanishes(sp.diff(phi.subs(a, logit), s, t) - twice * logit.diff(s) * logit.diff(t))
    record(instances=9)


@HESSIAN.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_second_order_of_the_likelihood_for_all_n_and_k(record):
    d, mean = sp.symbols("d xbar")
    slopes = symbolic.observation_slopes(2)
    vanishes(slopes[0] - d)
    vanishes(slopes[1] + mean * (1 - mean))  # which is the entry of -Y
    check_second_order(symbolic.likelihood())
    same(differential(gradient(symbolic.likelihood(), W), W, DIRECTION), B_IN_WORDS @ DIRECTION)
    # The first order: in W x^T W z, whose mean over z is 0; in mu x - xbar, whose mean over the data is 0.
    first, _ = symbolic.log_ratio()
    same(expectation(first, symbolic_z, zero(k, 1), identity(k)), Scalar(0))
    same(linear_vae.over_data(trace(letter("c", n, 1).T @ symbolic_x)), Scalar(0))
    with rejected():  # of latents that are not centred
        same(expectation(first, symbolic_z, letter("m", k, 1), identity(k)), Scalar(0))
    record(instances=3)
    record.witness(f"L = L(0) + {symbolic.likelihood()} + O(|W|^4) for all n, k, with Y = diag(xbar (1 - xbar))")


@HESSIAN.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_second_derivative_of_a_log_expectation_is_that_of_two_cumulants(record):
    """m(t) = E e^f(t), f(0) = 0, has m = 1, m' = E f', m'' = E[f'' + f'^2]: (log m)'' = E f'' + E f'^2 - (E f')^2."""
    t = sp.Symbol("t")
    m, f = sp.Function("m")(t), sp.Function("f")(t)
    one, slope = sp.symbols("f' f''")
    integrand = sp.diff(sp.exp(f), t, 2).subs({f.diff(t, 2): slope, f.diff(t): one}).subs(f, 0)
    vanishes(integrand - slope - one**2)
    of_log = sp.diff(sp.log(m), t, 2)
    second, first = sp.symbols("m'' m'")
    vanishes(of_log.subs({m.diff(t, 2): second, m.diff(t): first}).subs(m, 1) - (second - first**2))
    with rejected():
        vanishes(of_log.subs({m.diff(t, 2): second, m.diff(t): first}).subs(m, 1) - second)
    # At W = 0 along X the slope is x^T X z, whose mean over z is 0 (above).
    record(instances=2)


@MU_BLOCK.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_likelihood_is_even_in_w_and_its_curvature_in_mu_is_that_of_the_pixels(record):
    # (W, z) and (-W, -z) have the same logits, and z and -z the same law.
    same((-W) @ (-symbolic_z), W @ symbolic_z)
    with rejected():
        same((-W) @ symbolic_z, W @ symbolic_z)
    # With the encoder: (W, V, noise) and (-W, -V, -noise) have the same logits and the same KL, and so the same best.
    noise = letter("noise", k, 1)
    same((-W) @ ((-V) @ symbolic_x - noise), W @ (V @ symbolic_x + noise))
    with rejected():  # W alone
        same((-W) @ (V @ symbolic_x - noise), W @ (V @ symbolic_x + noise))
    same(substitute(linear_vae.kl(), {"V": -V}), linear_vae.kl())
    with rejected():
        same(substitute(linear_vae.kl(), {"V": 2 * V}), linear_vae.kl())
    # At W = 0 all that the ELBO has beside log p(x|0) is -KL, which is 0 at the prior, V = 0 and D = I.
    same(substitute(linear_vae.kl(), {"V": zero(k, n), "D": identity(k)}), Scalar(0))
    # At W = 0 the likelihood is a sum over pixels of x mu - log(1 + e^mu): no mixed derivatives of two pixels.
    slopes, mean = symbolic.observation_slopes(2), sp.Symbol("xbar")
    check_mu_block(slopes, -mean * (1 - mean))
    for wrong in (mean * (1 - mean), -mean, -sp.Rational(1, 4)):
        with rejected():
            check_mu_block(slopes, wrong)
    record(instances=5)


def check_mu_block(slopes, curvature):
    """The slope is x - xbar, zero in the mean; the curvature in mu_i does not depend on x."""
    vanishes(slopes[0] - sp.Symbol("d"))
    vanishes(slopes[1] - curvature)


@ENCODER.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_elbo_is_concave_in_the_encoder(record):
    """In (V, r), D = r^2: log p is concave in a = W (V x + r eps) + mu, which is linear in (V, r) at every eps."""
    a, x = sp.symbols("a x", real=True)
    r = sp.Symbol("r", positive=True)
    curvature = sp.diff(x * a - sp.log(1 + sp.exp(a)), a, 2)
    y = 1 / (1 + sp.exp(-a))
    vanishes(sp.simplify(curvature + y / (1 + sp.exp(a))))  # -y (1 - y) < 0
    # -KL = 1/2 sum_i [1 + 2 log r_i - r_i^2] - 1/2 tr(V S V^T): strictly concave in r, and in V but for Y S = 0.
    minus_kl = (1 + 2 * sp.log(r) - r**2) / 2
    check_concave(minus_kl, r)
    for wrong in (-minus_kl, sp.log(r) + r**2 / 2):
        with rejected():
            check_concave(wrong, r)
    same(differential(gradient(linear_vae.kl(), V), V, letter("Y", k, n)), letter("Y", k, n) @ S)
    # The mean over the data of |Y x|^2 is tr(Y S Y^T): zero iff Y x = 0 at every datum, x from xbar.
    check_seen(letter("Y", k, n))
    with rejected():
        check_seen(letter("Y", k, n), 2)
    # At W = 0 log p does not see the encoder: these are all the second derivatives, and the slope in r is 0 at 1.
    same((sp.diff(minus_kl, r).subs(r, 1), sp.diff(minus_kl, r, 2).subs(r, 1)), (0, -2))
    record(instances=4)


def check_seen(Y, scale=1):
    """The mean of |Y x|^2 is scale tr(Y S Y^T)."""
    same(linear_vae.over_data(trace((Y @ symbolic_x).T @ (Y @ symbolic_x))), trace(Y @ S @ Y.T) * scale)


def check_concave(f, r):
    check(sp.simplify(-sp.diff(f, r, 2)).is_positive, "not strictly concave")


@PROFILE.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_second_order_of_the_profile_elbo_for_all_n_and_k(record):
    """1/2 tr(W^T B W) - 1/2 tr((V - W^T) S (V - W^T)^T): the best V is W^T, and what it leaves is that of L."""
    second = symbolic.second_order(symbolic.elbo())
    rest = V - W.T
    same(second, trace(W.T @ B_IN_WORDS @ W) / 2 - trace(rest @ S @ rest.T) / 2)
    # (W, V, D) -> (-W, -V, D) leaves the ELBO, so that no second derivative couples D with W or V; here:
    mixed = differential(gradient(symbolic.elbo(), D), W, DIRECTION)
    same(substitute(mixed, {"W": zero(n, k), "V": zero(k, n), "D": identity(k)}), 0 * D)
    with_V = differential(gradient(symbolic.elbo(), D), V, DIRECTION.T)
    same(substitute(with_V, {"W": zero(n, k), "V": zero(k, n), "D": identity(k)}), 0 * D)
    with rejected():  # at another encoder than the best
        same(second, trace(W.T @ B_IN_WORDS @ W) / 2)
    record(instances=3)


@HESSIAN.evidence(role="supports", kind="symbolic")
def test_derivatives_under_the_integral_entry_by_entry(record):
    """n = 3, k = 2: p(x|z) differentiated twice in W and mu at W = 0, moments of z put in, averaged over data."""
    size, columns = 3, 2
    check_explicit(size, columns, lambda s, y: s - sp.diag(*[v * (1 - v) for v in y]))
    record(instances=((size * (columns + 1)) * (size * (columns + 1) + 1)) // 2)


def check_explicit(size, columns, bracket):
    """The explicit Hessian is bracket(S, xbar) (x) I_k and -diag(xbar (1 - xbar)), entry by entry."""
    H, s, y = symbolic.explicit_hessian(size, columns)
    slopes = sp.diag(*[v * (1 - v) for v in y])
    vanishes(H - sp.diag(sp.kronecker_product(bracket(s, y), sp.eye(columns)), -slopes))


@BINARY.evidence(role="supports", kind="symbolic", strength="proved")
def test_a_correlated_pair_of_binary_pixels_rises_for_all_n_and_k(record):
    """x^2 = x makes the diagonal of B zero, pixel by pixel; along e_i + sign(B_ij) e_j in one column the slope is
    2 |B_ij|."""
    mean_of_square, mean = sp.symbols("m2 xbar")
    diagonal = mean_of_square - mean**2 - mean * (1 - mean)
    vanishes(diagonal.subs(mean_of_square, mean))
    vanishes(diagonal + (mean - mean_of_square))  # in general -mean of x (1 - x) <= 0
    b, c = sp.symbols("b c", real=True, nonzero=True)
    pair = sp.Matrix([[0, b], [b, 0]])
    w = sp.Matrix([1, sp.sign(b)])
    vanishes((w.T * pair * w)[0] - 2 * sp.Abs(b))
    check((2 * sp.Abs(c)).is_positive, "the direction does not rise")
    record(instances=1)
    record.witness("B_ii = -mean x_i (1 - x_i): 0 for binary pixels; e_i + sign(B_ij) e_j has w^T B w = 2 |B_ij| > 0")


@HESSIAN.evidence(role="supports", kind="numeric")
def test_the_hessian_is_that_of_the_quadrature(record, thorough):
    rng = np.random.default_rng(40)
    for i in range(thorough(8, 60)):
        size, columns = int(rng.integers(1, 4)), int(rng.integers(1, 3))
        x = (binary_data if i % 2 else grey_data)(rng, 9, size)
        record(instances=1, worst_error=check_hessian(x, columns, joint_hessian(x, columns)))


@HESSIAN.evidence(role="supports", kind="numeric")
def test_hessian_vector_products_by_differences_of_the_gradient(record, thorough, xp):
    """Larger n, and the mixed block: the gradient in mu stays zero to second order in W."""
    rng = np.random.default_rng(41)
    for i in range(thorough(12, 120)):
        size, columns = int(rng.integers(2, 9)), int(rng.integers(1, 4))
        x = (binary_data if i % 2 else grey_data)(rng, 30, size)
        mu, X, rule = model.collapsed_mean(x), rng.standard_normal((size, columns)), hermite(columns, 16)
        X /= np.linalg.norm(X)

        def gradients(W, mu=mu, x=x, rule=rule):
            return [to_numpy(g) for g in model.gradient(xp.asarray(W), xp.asarray(mu), xp.asarray(x), rule)]

        H = model.collapsed_hessian(x, columns)
        found = curvature_by_gradients(lambda W: gradients(W)[0], X)
        # h^4 = 1e-8 of truncation times sixth derivatives of order one to ten.
        record(instances=1, worst_error=agree(found.ravel(), H @ X.ravel(), tolerance=1e-5, scale=1.0))
        # In mu zero at W = 0, and of second order in W: 1e-12, beside rounding of thirty data times weights.
        for step in (0.0, 1e-6):
            agree(gradients(step * X)[1], np.zeros(size), tolerance=1e-10)


@HESSIAN.evidence(role="supports", kind="numeric")
def test_thirty_digits_agree(record):
    """Second differences of mpmath's integral at step 1e-7, along single entries and pairs; k = 1."""
    x = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 0.25], [0.5, 1.0]])
    mean, h = x.mean(axis=0), 1e-7
    with mpmath.workdps(30):
        mu = np.array([mpmath.log(mpmath.mpf(m) / (1 - mpmath.mpf(m))) for m in mean], dtype=object)

        def likelihood(w):
            return mpmath.fsum(log_density_with_digits(np.array([[w[0]], [w[1]]]), mu, datum) for datum in x) / len(x)

        at_zero, B = likelihood((0.0, 0.0)), model.collapsed_bracket(x)
        for w in ((1, 0), (0, 1), (1, 1), (1, -2)):
            # Even in W: one side is enough. Fourth order: h^2 = 1e-14.
            found = 2 * (likelihood((w[0] * h, w[1] * h)) - at_zero) / mpmath.mpf(h) ** 2
            record(instances=1, worst_error=agree(float(found), float(w @ B @ w), tolerance=1e-12, scale=1.0))


@PROFILE.evidence(role="supports", kind="numeric")
def test_the_profile_elbo_has_the_same_hessian(record, thorough):
    rng = np.random.default_rng(42)
    for i in range(thorough(6, 40)):
        size, columns = int(rng.integers(2, 5)), int(rng.integers(1, 3))
        x = (binary_data if i % 2 else grey_data)(rng, 12, size)
        X = rng.standard_normal((size, columns))
        X /= np.linalg.norm(X)
        record(instances=1, worst_error=check_profile(x, X, model.collapsed_bracket(x)))


@PROFILE.evidence(role="supports", kind="numeric")
def test_the_elbo_stays_below_the_likelihood_and_touches_it_at_collapse(record):
    rng = np.random.default_rng(43)
    x = binary_data(rng, 20, 4)
    mu = model.collapsed_mean(x)
    for scale in (0.0, 0.1, 0.5):
        W = scale * rng.standard_normal((4, 2))
        V, D, g = best_encoder(W, mu, x)
        agree(g.V, np.zeros(g.V.shape), tolerance=1e-12)
        bound, value = float(model.elbo(W, V, D, mu, x)), float(model.log_likelihood(W, mu, x))
        at_most(bound, value, slack=1e-12)
        if scale == 0.0:
            agree(bound, value, tolerance=1e-14)
        else:
            with rejected():  # they touch there only
                at_most(value, bound, slack=1e-12)
        record(instances=1)


@BINARY.evidence(role="supports", kind="certificate", strength="certified")
def test_two_correlated_pixels_of_all_means_in_a_box_leave_collapse_in_ball_arithmetic(record):
    """The series of the likelihood itself along W = theta (1, 1)^T; if the correlation is negative, invert a pixel."""
    found = outcome_on("two pixels", ">", [("0", "1"), ("1/20", "19/20"), ("1/20", "19/20")])
    certified(found)
    with rejected():  # a falling likelihood
        certified(outcome_on("two pixels", "<", [("1/2", "1"), ("1/20", "19/20"), ("1/20", "19/20")]))
    record(instances=1)
    record.witness(
        "two binary pixels, means in [1/20, 19/20], any correlation in (0, 1]: the likelihood rises from collapse "
        f"along (1, 1)^T, in balls, {found.reason}"
    )


@BINARY.evidence(role="supports", kind="property")
@given(
    rows=st.lists(st.lists(st.integers(0, 1), min_size=4, max_size=4), min_size=2, max_size=12),
    copies=st.sampled_from([0, 1, 2000]),
)
def test_binary_data_are_unstable_unless_exactly_uncorrelated(rows, copies, record):
    """Decided against whole numbers: N sum x_i x_j = sum x_i sum x_j for all pairs that vary."""
    varying = [i for i in range(4) if 0 < sum(r[i] for r in rows) < len(rows)]
    assume(varying)
    # Many copies of one row make all correlations tiny, and zero ones hard to tell.
    x = np.array(rows + copies * rows[:1], dtype=float)
    counts = (x.T @ x).astype(int).tolist()
    N = len(x)
    correlated = any(N * counts[i][j] != counts[i][i] * counts[j][j] for i in varying for j in varying if i < j)
    found = collapsed_point(x)
    same(found.kept, tuple(varying))
    same(found.verdict, "unstable" if correlated else "open")
    same(found.unstable_directions > 0, correlated)
    agree(found.eigenvalues.sum(), 0.0, tolerance=1e-14)
    record(instances=1)


@BINARY.evidence(role="supports", kind="numeric")
def test_binarised_digits_leave_collapse(record):
    """scikit-learn's digits at half of their grey range: the likelihood rises along the top eigenvector as said."""
    x = (digits() >= 0.5).astype(float)
    found = collapsed_point(x)
    same(found.verdict, "unstable")
    same(len(found.kept) + len(found.dropped), 64)
    x = x[:, found.kept]
    mean = x.mean(axis=0)
    centred = x - mean
    B = centred.T @ centred / len(x) - np.diag(mean * (1 - mean))
    expected = np.linalg.eigvalsh(B)
    record(instances=len(x), worst_error=agree(found.eigenvalues, expected[::-1], tolerance=1e-13))
    same(found.unstable_directions, int((expected > 1e-12).sum()))
    check(abs(np.trace(B)) < 1e-12, "binary data whose bracket has a trace")
    t = 1e-2
    there, here = (float(model.log_likelihood(s * found.direction[:, None], found.mu, x)) for s in (t, 0.0))
    rise = there - here
    # Fourth order: t^2 relative, times sums over 54 pixels.
    agree(2 * rise / t**2, found.rate, tolerance=1e-2)
    check(rise > 0, "the likelihood does not rise")
    record.witness(
        f"digits >= 8 of 16, {len(found.kept)} of 64 pixels vary: largest eigenvalue {found.rate:.6f}, "
        f"{found.unstable_directions} unstable directions per column of W; trace {np.trace(B):.0e}"
    )


@HESSIAN.evidence(role="supports", kind="numeric")
def test_inside_the_unit_interval_both_signs_occur(record, thorough):
    rng = np.random.default_rng(44)
    seen = {"stable": 0, "unstable": 0}
    for spread in np.geomspace(0.1, 30, thorough(30, 300)):
        x = grey_data(rng, 40, 4, spread)
        found = collapsed_point(x)
        seen[found.verdict] += 1
        # The definition: does the likelihood fall along every W, or rise along one?
        top, t = found.direction[:, None], 1e-2
        zero = float(model.log_likelihood(0 * top, found.mu, x))
        sign = 1 if found.verdict == "unstable" else -1
        if abs(found.rate) > 1e-3:
            check(sign * (float(model.log_likelihood(t * top, found.mu, x)) - zero) > 0, "the wrong sign")
        if found.verdict == "stable":
            for _ in range(5):
                move, shift = t * rng.standard_normal((4, 1)), t * rng.standard_normal(4)
                at_most(float(model.log_likelihood(move, found.mu + shift, x)), zero, slack=0.0)
        record(instances=1)
    check(min(seen.values()) > 3, f"one sign only: {seen}")
    grey = collapsed_point(digits())
    record.witness(
        f"two grey pixels x = (0.4, 0.4) and (0.6, 0.6): B = [[-.24, .01], [.01, -.24]], stable; "
        f"scikit-learn's grey digits / 16: largest eigenvalue {grey.rate:.6f}, {grey.unstable_directions} unstable ones"
    )
    same(collapsed_point(np.array([[0.4, 0.4], [0.6, 0.6]])).verdict, "stable")
    agree(model.collapsed_bracket(np.array([[0.4, 0.4], [0.6, 0.6]])), [[-0.24, 0.01], [0.01, -0.24]], tolerance=1e-14)


@BINARY.evidence(role="supports", kind="numeric")
def test_independent_pixels_are_open_and_collapse_is_then_the_best_there_is(record):
    """All of 2 x 2 x 3 combinations once: B = 0, and W = 0 reaches minus the entropy of the data, which bounds L."""
    x = np.array([(a, b, c) for a, b, c in product((0, 1), (0, 1), (0, 1, 1))], dtype=float)
    found = collapsed_point(x)
    same(found.verdict, "open")
    agree(model.collapsed_bracket(x), np.zeros((3, 3)), tolerance=0.0)
    best = -2 * np.log(2) - (np.log(3) - 2 / 3 * np.log(2))
    zero = float(model.log_likelihood(np.zeros((3, 1)), found.mu, x))
    record(instances=1, worst_error=agree(zero, best, tolerance=1e-14))
    rng = np.random.default_rng(45)
    for _ in range(50):
        W, mu = rng.standard_normal((3, 2)), found.mu + 0.3 * rng.standard_normal(3)
        at_most(float(model.log_likelihood(W, mu, x, hermite(2, 40))), zero)


@HESSIAN.evidence(role="control", kind="numeric")
def test_other_hessians_are_rejected():
    rng = np.random.default_rng(46)
    for x in (binary_data(rng, 9, 3), grey_data(rng, 9, 3)):
        mean = x.mean(axis=0)
        covariance = model.second_moment(x)
        right = joint_hessian(x, 2)
        check_hessian(x, 2, right)
        for bracket in (
            covariance,  # without the diagonal
            covariance - 0.2 * np.eye(3),  # as for Gaussian noise
            covariance - np.mean(mean * (1 - mean)) * np.eye(3),  # its best noise
            covariance * 9 / 8 - np.diag(mean * (1 - mean)),  # S divided by N - 1
            covariance + np.diag(mean * (1 - mean)),
            covariance - np.diag(np.diag(covariance)) - np.diag(mean * (1 - mean)),
        ):
            wrong = right.copy()
            wrong[:6, :6] = np.kron(bracket, np.eye(2))
            with rejected():
                check_hessian(x, 2, wrong)
        mixed = right.copy()
        mixed[0, 6] = mixed[6, 0] = 1e-3
        swapped = right.copy()
        swapped[:6, :6] = np.kron(np.eye(2), model.collapsed_bracket(x))
        for wrong in (mixed, swapped):
            with rejected():
                check_hessian(x, 2, wrong)


@PROFILE.evidence(role="control", kind="numeric")
def test_the_profile_elbo_rejects_other_brackets_and_an_encoder_centred_at_mu():
    rng = np.random.default_rng(47)
    x = binary_data(rng, 12, 3)
    B, X = model.collapsed_bracket(x), np.array([[0.6], [0.0], [0.8]])
    check_profile(x, X, B)
    mean = x.mean(axis=0)
    for wrong in (B + np.diag(mean * (1 - mean)), B - 0.01 * np.eye(3), model.second_moment(x) - 0.2 * np.eye(3)):
        with rejected():
            check_profile(x, X, wrong)
    with rejected():
        check_profile(x, X, B, centre=model.collapsed_mean(x))
    # What the printed encoder, centred at mu, has instead: S (S + b b^T)^-1 S for S, with b = xbar - mu.
    covariance, b = model.second_moment(x), mean - model.collapsed_mean(x)
    less = covariance @ np.linalg.solve(covariance + np.outer(b, b), covariance)
    check_profile(x, X, less - np.diag(mean * (1 - mean)), centre=model.collapsed_mean(x))


@HESSIAN.evidence(role="control", kind="symbolic")
def test_slips_in_the_second_order_are_rejected():
    for wrong in (
        symbolic.likelihood() + trace(W.T @ symbolic.Y @ W) / 2,  # without the diagonal
        symbolic.likelihood() * 2,
        symbolic.second_order(symbolic.elbo()),  # the encoder not at its best
    ):
        with rejected():
            check_second_order(wrong)
    with rejected():  # with Gaussian noise
        check_explicit(2, 1, lambda s, y: s - sp.Symbol("sigma2") * sp.eye(2))


@BINARY.evidence(role="control", kind="numeric")
def test_a_verdict_from_a_covariance_with_the_wrong_divisor_is_rejected():
    """Two uncorrelated binary pixels: with N - 1 the trace is positive, and collapse would be called unstable."""
    x = np.array(list(product((0.0, 1.0), repeat=2)))
    wrong = model.second_moment(x) * 4 / 3 - np.diag([0.25, 0.25])
    check(np.linalg.eigvalsh(wrong).max() > 0, "the wrong divisor makes no difference")
    with rejected():
        same("unstable" if np.linalg.eigvalsh(wrong).max() > 0 else "open", collapsed_point(x).verdict)
