"""The derivative of the ELBO in sigma2, which App. C.2 announces and never gives.

Statement   dELBO/dsigma2 = (E||x - W z||^2 - n sigma2) / (2 sigma2^2), so sigma2 = E||x - W z||^2 / n wherever it
            vanishes; that is the only maximum over sigma2 at given W, V, D.
Hypotheses  per datum; mu at the mean; E over q(z|x) and the data. E||x - W z||^2 > 0, that is, not both W = 0 and
            S = 0; else the ELBO grows without bound as sigma2 falls to 0.
Source      ours; announced in Lucas et al. 2019, App. C.2.
Method      derived from the Gaussian densities, for all n and k. The envelope theorem (at V*, D* the profile ELBO has
            the same derivative) and Eq. 7 (what it says at the maximum of pPCA) as two independent readings.
            Numeric: differences of a 50-digit ELBO, and the expectation as an average over points z with the moments of
            q, which is exact for a quadratic.
Trusted     claim eq-16-20 for the ELBO; jacobi for that of the profile; the rules of differentials.py
            (tests/verify/symbolic); SymPy's algebra. A convex function with slope 0 at r = 1 has its only minimum
            there.
"""

from dataclasses import replace

import numpy as np
import pytest
import sympy as sp
from hypothesis import given

from proofs.lucas_2019.linear_vae.stationary_problems import families
from proofs.machinery.checks import agree, at_most, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.problems.linear_vaes import STEP, Problem, elbo_with_50_digits, hard_vaes, random_vae
from proofs.problems.on_device import gradient_agrees
from verify import reference
from verify.models import linear_vae as model
from verify.symbolic import linear_vae
from verify.symbolic.differentials import derivative
from verify.symbolic.evaluation import on_matrices
from verify.symbolic.explicit import Explicit
from verify.symbolic.letters import D, S, V, W, gram, k, n, sigma2, x
from verify.symbolic.matrix_calculus import defined, identity, inverse, letter
from verify.symbolic.relations import reduce, relation, substitute
from verify.symbolic.traces import Scalar, trace

CLAIM = Claim(
    id="noise-gradient",
    source="ours, announced in App. C.2",
    statement="dELBO/dsigma2 = (E||x - W z||^2 - n sigma2) / (2 sigma2^2): zero iff sigma2 = E||x - W z||^2 / n, "
    "its only maximum over sigma2",
    hypotheses="per datum; not both W = 0 and S = 0",
    section="The linear VAE",
    rests_on=("eq-16-20",),
    trusts=("jacobi",),
)
DERIVATIVE = CLAIM.step("derivative", "dELBO/dsigma2 is as stated, for all n and k", place="Gradients")
OPTIMUM = CLAIM.step(
    "optimum",
    "E||x - W z||^2 > 0 unless W = 0 and S = 0, and then E||x - W z||^2 / n is the only maximum over sigma2",
)
PROFILE = CLAIM.step("profile", "at V*, D* it is the derivative of the profile ELBO P in sigma2, for all n and k")
EQ_7 = CLAIM.step(
    "eq-7",
    "where S W = W K, K = W^T W + sigma2 I diagonal, it vanishes at V*, D* iff tr S - tr K = (n - k) sigma2, "
    "for all n and k: with k < n, Eq. 7 at W = U_k (Lam_k - sigma2 I)^{1/2}",
)
ROUNDING = 1e-12  # relative, in float64, for a few products of small matrices with entries of order 1


def closed_form(squared_error):
    """The statement, for a given E||x - W z||^2."""
    return (squared_error - n * sigma2) / (2 * sigma2**2)


def split_error():
    """tr((I - W V) S (I - W V)^T) + tr(W D W^T): both parts are nonnegative."""
    residual = identity(n) - W @ V
    return trace(residual @ S @ residual.T) + trace(W @ D @ W.T)


@DERIVATIVE.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_derivative_for_all_n_and_k(record):
    same(linear_vae.gradients().sigma2, closed_form(linear_vae.squared_error()))
    record()
    record.witness(f"dELBO/dsigma2 = {linear_vae.gradients().sigma2} for all n, k")


@OPTIMUM.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_stationary_noise_is_the_only_maximum(record):
    """ELBO(E/n) - ELBO(sigma2) = n/2 (r - 1 - log r) >= 0 with r = E/(n sigma2), zero only at r = 1."""
    # E||x - W z||^2 is a mean square plus sum_i d_i |w_i|^2 (D = F^2): it is 0 iff W = 0 and, then, tr S = 0.
    same(linear_vae.squared_error(), split_error())
    residual, F = (identity(n) - W @ V) @ x, letter("F", k, k, "diagonal")
    squares = linear_vae.over_data(trace(residual.T @ residual)) + trace((W @ F).T @ (W @ F))
    same(substitute(linear_vae.squared_error(), {"D": F @ F}), squares)
    with rejected():  # without the encoder's variance W = S = 0 would not be needed
        same(linear_vae.squared_error(), linear_vae.over_data(trace(residual.T @ residual)))
    e, r = sp.symbols("E r", positive=True)
    # All of sigma2 in the ELBO is -E/(2 sigma2) - n/2 log(2 pi sigma2); neither E nor the KL depends on it.
    rest = linear_vae.elbo() + linear_vae.squared_error() / (2 * sigma2) + n * sp.log(2 * sp.pi * sigma2) / 2
    same(rest, -linear_vae.kl())
    for part in (linear_vae.kl(), linear_vae.squared_error()):
        same(derivative(part, sigma2), Scalar(0))
    of_noise = -e / (2 * sigma2) - n * sp.log(2 * sp.pi * sigma2) / 2
    loss = (of_noise.subs(sigma2, e / n) - of_noise).subs(e, r * n * sigma2)
    vanishes(sp.expand_log(loss - n * (r - 1 - sp.log(r)) / 2, force=True))
    term = r - 1 - sp.log(r)
    vanishes(term.subs(r, 1))
    same(sp.solve(sp.diff(term, r), r), [1])
    check(sp.diff(term, r, 2).is_positive, "r - 1 - log r is not convex")
    with rejected():  # the sign of the logarithm
        check(sp.diff(r - 1 + sp.log(r), r, 2).is_positive, "r - 1 + log r is not convex")
    with rejected():  # E/(n - 1) would not be the best
        vanishes((of_noise.subs(sigma2, e / n) - of_noise.subs(sigma2, e / (n - 1))).subs(n, 2))
    record(instances=7)


@PROFILE.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_profile_elbo_has_the_same_derivative(record):
    """The envelope theorem: V* and D* depend on sigma2, and that does not show."""
    profile = linear_vae.at_optimal_encoder(linear_vae.elbo())
    expected = linear_vae.at_optimal_encoder(linear_vae.gradients().sigma2)
    same(reduce(derivative(profile, sigma2), gram), expected)
    with rejected():  # the likelihood has another one, where there is a gap
        same(reduce(derivative(profile + linear_vae.gap(), sigma2), gram), expected)
    record()


@EQ_7.evidence(role="supports", kind="symbolic", strength="proved")
def test_at_the_maximum_of_ppca_it_is_eq_7(record):
    """With S W = W K and W^T W = K - sigma2 I: E||x - W z||^2 = tr S - tr K + k sigma2, so sigma2 = lost / (n - k)."""
    K = defined("K", letter("L", k, k, "diagonal") + sigma2 * identity(k))
    at_maximum = (relation(S @ W, W @ K), relation(W.T @ W, K - sigma2 * identity(k)))
    encoder = {"V": inverse(K) @ W.T, "D": sigma2 * inverse(K)}
    error = reduce(substitute(linear_vae.squared_error(), encoder), *at_maximum)
    lost = trace(S) - trace(K)
    same(error - n * sigma2, lost - (n - k) * sigma2)
    with rejected():  # divided by n
        same(error - n * sigma2, lost - n * sigma2)
    record()


@DERIVATIVE.evidence(role="supports", kind="symbolic")
@pytest.mark.parametrize("size", [(1, 1), (3, 2), (2, 3)], ids=str)
def test_differentiation_of_the_explicit_elbo_gives_the_same(size, record):
    """On small explicit matrices, moments inserted monomial by monomial."""
    explicit = Explicit(*size)
    closed = on_matrices(closed_form(split_error()), explicit.matrices, explicit.values)
    vanishes((sp.diff(explicit.elbo, explicit.sigma2) - closed).expand())
    record()


def error_over_sigma_points(p, rng):
    """E||x - W z||^2 as an average over data with covariance S and over the 2k points V x +- sqrt(k d_j) e_j."""
    n, k = p.W.shape
    half = np.linalg.cholesky(p.S)
    columns = np.linalg.qr(rng.standard_normal((n + 3, n)))[0] * np.sqrt(n + 3)
    X = half @ columns.T  # (n, N) with X X^T / N = S
    steps = np.sqrt(k * p.D) * np.eye(k)
    errors = [np.mean(np.sum((X - p.W @ (p.V @ X + z[:, None])) ** 2, axis=0)) for z in (*steps, *-steps)]
    return float(np.mean(errors))


@DERIVATIVE.evidence(role="supports", kind="numeric")
def test_the_numpy_derivative_is_that_of_the_expectation(record, thorough, xp):
    rng = np.random.default_rng(31)
    for _ in range(thorough(30, 300)):
        p = random_vae(rng, *(int(i) for i in rng.integers(1, 8, 2)))
        expected = (error_over_sigma_points(p, rng) - len(p.S) * p.sigma2) / (2 * p.sigma2**2)
        size = p.size_of_elbo / p.sigma2
        record(worst_error=agree(model.gradients(*p.on(xp)).sigma2, expected, tolerance=ROUNDING, scale=size))


def derivative_from_differences(p):
    """dELBO/dsigma2 by central differences of a 50-digit ELBO."""
    with reference.precision():
        h = reference.mpmath.mpf(STEP)
        above, below = (
            elbo_with_50_digits(replace(p, sigma2=reference.mpmath.mpf(p.sigma2) + sign * h)) for sign in (1, -1)
        )
        return float((above - below) / (2 * h))


@DERIVATIVE.evidence(role="supports", kind="numeric")
def test_differences_of_a_50_digit_elbo_agree(record, thorough, xp):
    rng = np.random.default_rng(32)
    for _ in range(thorough(20, 200)):
        p = random_vae(rng, *(int(i) for i in rng.integers(1, 5, 2)))
        expected = derivative_from_differences(p)
        size = p.size_of_elbo / p.sigma2
        record(worst_error=agree(model.gradients(*p.on(xp)).sigma2, expected, tolerance=ROUNDING, scale=size))


@OPTIMUM.evidence(role="supports", kind="property")
@given(p=hard_vaes())
def test_no_other_noise_is_better_on_hostile_spectra(p, record, xp):
    """Naively: the error from its two nonnegative parts, the optimum from it, and the ELBO on both sides of it."""
    root = np.linalg.eigh(p.S)
    half = root[1] * np.sqrt(np.maximum(root[0], 0.0))
    error = np.sum((half - p.W @ (p.V @ half)) ** 2) + np.sum(p.D * np.sum(p.W**2, axis=0))
    actual = model.gradients(*p.on(xp)).sigma2
    # Rounding is relative to the largest term of the error, of which tr S and |W V| |S| may cancel most.
    size = (1 + np.linalg.norm(p.W) * np.linalg.norm(p.V)) ** 2 * (1e-300 + np.linalg.norm(p.S)) + error
    scale = size / p.sigma2**2 + len(p.S) / p.sigma2
    expected = (error / p.sigma2 - len(p.S)) / (2 * p.sigma2)
    record(worst_error=agree(actual, expected, tolerance=1e-13, scale=scale))
    best = error / len(p.S)
    if best < 1e-30:  # W and S vanish but for rounding
        return
    with reference.precision():
        at = elbo_with_50_digits(replace(p, sigma2=best))
        for factor in (0.5, 0.99, 1.01, 2.0):
            other = elbo_with_50_digits(replace(p, sigma2=factor * best))
            at_most(other - at, 0.0)
            with rejected():  # the other for the better one
                at_most(at - other, 0.0)


@OPTIMUM.evidence(role="supports", kind="numeric")
def test_every_family_with_learned_noise_has_that_noise(record, thorough):
    """The families solve an equation of their own for sigma2 (claim elbo-points); it must be this one."""
    for p, _, _ in families(thorough(20, 200), seed=33, learned=True):
        expected = float(error_over_data(p)) / len(p.S)
        # S = U lam U^T errs by eps lam_1 / sigma2, and landscapes have lam_1 / sigma2 up to 100 or so.
        record(worst_error=agree(p.sigma2, expected, tolerance=1e-10))


def error_over_data(p):
    """tr((I - W V) S (I - W V)^T) + tr(W D W^T), with NumPy."""
    residual = np.eye(len(p.S)) - p.W @ p.V
    return np.trace(residual @ p.S @ residual.T) + np.sum(p.D * p.W**2)


WITNESS = Problem(np.array([[1.0], [0.0]]), np.array([[0.5, 0.0]]), np.array([0.5]), 1.0, np.diag([2.0, 1.0]))


@DERIVATIVE.evidence(role="supports", kind="numeric")
def test_a_noise_to_check_by_hand(record, xp):
    agree(error_over_data(WITNESS), 2.0, tolerance=1e-15)
    record(worst_error=agree(model.gradients(*WITNESS.on(xp)).sigma2, 0.0, tolerance=1e-15))
    record.witness(
        "S = diag(2, 1), W = (1, 0)^T, V = (1/2, 0), D = 1/2: E||x - W z||^2 = 2 (1/2)^2 + 1 + 1/2 = 2, so "
        "sigma2 = 2/2 = 1; without the posterior's variance W D W^T it would be 3/4"
    )


@DERIVATIVE.evidence(role="control", kind="symbolic")
def test_a_slip_in_the_derivative_is_rejected():
    error = linear_vae.squared_error()
    for wrong in (
        (error - sigma2) / (2 * sigma2**2),  # without the n, as Eq. 10 has it
        (error - n * sigma2) / sigma2**2,  # a factor
        closed_form(error - trace(W @ D @ W.T)),  # the error of the mean reconstruction
        closed_form(error) * sigma2,  # the derivative in log sigma2
        (error - (n - k) * sigma2) / (2 * sigma2**2),  # divided by n - k, as Eq. 7 divides what is lost
    ):
        with rejected():
            same(linear_vae.gradients().sigma2, wrong)


@DERIVATIVE.evidence(role="control", kind="numeric")
def test_the_mean_reconstruction_gives_another_noise_and_is_rejected():
    p = random_vae(np.random.default_rng(34), 4, 2)
    residual = np.eye(4) - p.W @ p.V
    wrong = (np.trace(residual @ p.S @ residual.T) - 4 * p.sigma2) / (2 * p.sigma2**2)
    with rejected():
        agree(wrong, derivative_from_differences(p), tolerance=ROUNDING, scale=p.size_of_elbo / p.sigma2)


@DERIVATIVE.evidence(role="control", kind="numeric")
def test_a_point_at_another_noise_is_rejected():
    p = replace(WITNESS, sigma2=1.01)
    with rejected():
        agree(model.gradients(p.W, p.V, p.D, p.sigma2, p.S).sigma2, 0.0, tolerance=1e-15)


@DERIVATIVE.evidence(role="supports", kind="device")
def test_the_kernel_in_batches_is_the_derived_gradient(record, thorough, xp):
    count = thorough(50, 500)
    record(instances=count, worst_error=gradient_agrees("sigma2", xp, count, seed=26))


@DERIVATIVE.evidence(role="control", kind="device")
def test_the_kernel_is_not_the_gradient_at_half_the_noise(xp):
    with rejected():
        gradient_agrees("sigma2", xp, 5, seed=26, moved=0.5)
