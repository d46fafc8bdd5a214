"""Eq. 22: the gradient of the ELBO in V, and the V* that it yields.

Statement   dELBO/dV = (W^T - (W^T W + sigma2 I) V) S / sigma2, zero at V* = M^-1 W^T; wherever it is zero the mean of
            q(z|x) is the posterior's at every datum.
Hypotheses  per datum; sigma2 > 0.
Source      Lucas et al. 2019, App. C.2.
Note        V* is the only zero if and only if S > 0. With a singular S every V* + Y with Y S = 0 is one, as good as V*
            and the same q at every datum: all that the paper uses of V* ("the mean of the variational distribution
            exactly matches the true posterior") stands.
Method      the differential of the ELBO derived from Eqs. 15-20, for all n and k; it is -M (V - V*) S / sigma2, and
            what the ELBO loses is 1/(2 sigma2) the mean of |W Y x|^2 + sigma2 |Y x|^2, Y = V - V*: a sum of squares.
            Entry by entry for small n, k; differences of a 50-digit ELBO; an exact witness with a singular S.
Trusted     claim eq-16-20 for the ELBO; the rules of differentials.py (tests/verify/symbolic); SymPy's algebra.
"""

from dataclasses import replace

import numpy as np
import pytest
import sympy as sp
from hypothesis import given

from proofs.machinery.checks import agree, at_most, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.problems.linear_vaes import (
    derivative_with_50_digits,
    hard_vaes,
    random_vae,
)
from proofs.problems.on_device import gradient_agrees
from verify.arrays import to_numpy
from verify.models import linear_vae as model
from verify.symbolic import linear_vae, ppca
from verify.symbolic.differentials import gradient
from verify.symbolic.evaluation import on_arrays, on_matrices
from verify.symbolic.explicit import Explicit
from verify.symbolic.letters import M, S, V, W, gram, k, n, sigma2, x, z
from verify.symbolic.matrix_calculus import WordSum, identity, inverse, letter, zero
from verify.symbolic.relations import reduce, relation, substitute
from verify.symbolic.traces import trace

CLAIM = Claim(
    id="eq-22",
    source="Eq. 22, App. C.2",
    statement="dELBO/dV = (W^T - M V) S / sigma2; zero at V* = M^-1 W^T, and wherever it is zero the mean of q is the "
    "posterior's at every datum",
    hypotheses="per datum; sigma2 > 0",
    section="The linear VAE",
    rests_on=("eq-16-20",),
)
GRADIENT = CLAIM.step("gradient", "dELBO/dV is as printed, for all n and k", place="Gradients")
OPTIMUM = CLAIM.step(
    "optimum",
    "it is zero iff V x = V* x at every datum x, and these V, no others, maximise the ELBO over V, for all n and k",
    place="Proposition 7",
)
POSTERIOR = CLAIM.step(
    "posterior",
    "V* x is the mean of the posterior p(z|x): the slope of log p(x|z) + log p(z) in z is -M (z - V* x)/sigma2, for "
    "all n and k",
)
UNIQUE = CLAIM.step("unique", "V* is the only zero iff S is invertible", place="Proposition 7")
ROUNDING = 1e-12  # relative, in float64, for a few products of small matrices with entries of order 1


def printed() -> WordSum:
    """The right side of Eq. 22, without the factor N."""
    return (W.T - (W.T @ W + sigma2 * identity(k)) @ V) @ S / sigma2


@UNIQUE.evidence(role="supports", kind="symbolic", strength="proved")
def test_with_a_singular_covariance_another_encoder_is_stationary(record):
    matrices = {"W": sp.Matrix([1, 1]), "S": sp.diag(1, 0), "D": sp.Matrix([sp.Rational(1, 2)])}
    values = {n: 2, k: 1, sigma2: sp.Integer(1)}
    best = on_matrices(inverse(M) @ W.T, matrices, values)
    other = best + sp.Matrix([[0, 1]])

    def check_another_zero(V):
        check(best != V, "the witness is V* itself")
        vanishes(on_matrices(linear_vae.gradients().V, {**matrices, "V": V}, values))

    check_another_zero(other)
    for wrong in (best, best + sp.Matrix([[1, 0]])):  # V*, no other; not stationary
        with rejected():
            check_another_zero(wrong)
    # It is no worse, either: the value is that of V*.
    elbo = [on_matrices(linear_vae.elbo(), {**matrices, "V": V}, values) for V in (best, other)]
    vanishes(elbo[0] - elbo[1])
    record()
    record.witness("W = (1, 1)^T, S = diag(1, 0), sigma2 = 1: V* = (1/3, 1/3), yet V = (1/3, 4/3) is stationary")


@GRADIENT.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_gradient_is_as_printed_for_all_n_and_k(record):
    same(linear_vae.gradients().V, printed())
    record()


@OPTIMUM.evidence(role="supports", kind="symbolic", strength="proved")
def test_stationary_in_the_encoder_iff_it_is_optimal_on_the_data(record):
    best, _ = linear_vae.optimal_encoder()
    gradient = reduce(linear_vae.gradients().V, gram)
    # M is invertible, so the gradient vanishes if and only if (V - V*) S does.
    same(gradient, -(M @ (V - best) @ S) / sigma2)
    # Y S = 0 makes the mean of |Y x|^2, which is tr(Y S Y^T), zero: Y x = 0 for every datum. Conversely S is the mean
    # of x x^T.
    Y = letter("Y", k, n)
    same(linear_vae.over_data(trace((Y @ x).T @ (Y @ x))), trace(Y @ S @ Y.T))
    record(instances=2)
    record.witness("dELBO/dV = -M (V - V*) S / sigma2 for all n, k: zero iff (V - V*) S = 0, iff V = V* where S > 0")


@OPTIMUM.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_elbo_is_a_downward_paraboloid_around_the_optimal_encoder(record):
    best, _ = linear_vae.optimal_encoder()
    loss = substitute(linear_vae.elbo(), {"V": best}) - linear_vae.elbo()
    # A mean of squares over the data: never negative, and zero iff (V - V*) x = 0 for every datum x.
    Y = letter("Y", k, n)
    squares = linear_vae.over_data(trace((W @ Y @ x).T @ (W @ Y @ x)) + sigma2 * trace((Y @ x).T @ (Y @ x))) / (
        2 * sigma2
    )
    same(reduce(loss, gram), reduce(substitute(squares, {"Y": V - best}), gram))
    with rejected():  # without the prior
        same(reduce(loss, gram), reduce(substitute(trace(Y.T @ W.T @ W @ Y @ S) / (2 * sigma2), {"Y": V - best}), gram))
    record()


@POSTERIOR.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_mean_is_that_of_the_posterior_for_all_n_and_k(record):
    # So log p(z|x) is -(z - V* x)^T M (z - V* x)/(2 sigma2) and no z beside it: a Gaussian with this mean.
    best, _ = linear_vae.optimal_encoder()
    slope = reduce(gradient(ppca.log_observation() + ppca.log_prior(), z), gram)
    same(slope, reduce(-(M @ (z - best @ x)) / sigma2, gram))
    with rejected():
        same(slope, -(M @ z - W.T @ x / 2) / sigma2)
    record()


@UNIQUE.evidence(role="supports", kind="symbolic", strength="proved")
def test_every_solution_is_the_optimum_iff_the_covariance_is_invertible(record):
    best, _ = linear_vae.optimal_encoder()
    gradient = reduce(linear_vae.gradients().V, gram)
    # With S invertible (V - V*) S = 0 is V = V*.
    same(gradient @ inverse(S), -(M @ (V - best)) / sigma2)
    # Else S y = 0 for some y /= 0, and V* + a y^T is another zero for every a (k, 1).
    a, y = letter("a", k, 1), letter("y", n, 1)
    at_other = reduce(substitute(linear_vae.gradients().V, {"V": best + a @ y.T}), gram)
    same(reduce(at_other, gram, relation(S @ y, zero(n, 1))), zero(k, n))
    with rejected():
        same(at_other, zero(k, n))
    record(instances=2)


@GRADIENT.evidence(role="supports", kind="symbolic")
@pytest.mark.parametrize("size", [(1, 1), (3, 2), (2, 3)], ids=str)
def test_differentiation_entry_by_entry_gives_the_same(size, record):
    explicit = Explicit(*size)
    closed = on_matrices(printed(), explicit.matrices, explicit.values)
    vanishes((explicit.gradient(explicit.elbo, explicit.V) - closed).expand())
    record()


@GRADIENT.evidence(role="supports", kind="numeric")
def test_the_numpy_gradient_is_the_derived_one(record, thorough, xp):
    explicit = Explicit(3, 2)
    entries = explicit.lambdified(explicit.gradient(explicit.elbo, explicit.V))
    rng = np.random.default_rng(22)
    for _ in range(thorough(30, 300)):
        p = random_vae(rng, 3, 2)
        actual = model.gradients(*p.on(xp)).V
        record(worst_error=agree(actual, entries(p.W, p.V, p.D, p.sigma2, p.S), tolerance=ROUNDING))
        p = random_vae(rng, *(int(i) for i in rng.integers(1, 8, 2)))
        values = {n: p.W.shape[0], k: p.W.shape[1], sigma2: p.sigma2}
        expected = on_arrays(printed(), {"W": p.W, "V": p.V, "S": p.S}, values)
        record(worst_error=agree(model.gradients(*p.on(xp)).V, expected, tolerance=ROUNDING))


@GRADIENT.evidence(role="supports", kind="numeric")
def test_differences_of_a_50_digit_elbo_agree(record, thorough, xp):
    rng = np.random.default_rng(23)
    for _ in range(thorough(5, 50)):
        p = random_vae(rng, 3, 2)
        expected = derivative_with_50_digits(p, "V")
        record(worst_error=agree(model.gradients(*p.on(xp)).V, expected, tolerance=ROUNDING))


@OPTIMUM.evidence(role="supports", kind="property")
@given(p=hard_vaes())
def test_the_optimum_is_stationary_and_unbeaten_on_hostile_spectra(p, record, xp):
    W, _, D, s, S = p.on(xp)
    best, _ = model.optimal_encoder(W, s)
    gradient = model.gradients(W, best, D, s, S).V
    # Solving with M loses its condition number; the two terms that cancel are W^T S and M V* S.
    loss = np.linalg.cond(p.M) * np.finfo(float).eps
    scale = np.linalg.norm(p.S) * np.linalg.norm(p.W) / s
    record(worst_error=agree(gradient, 0.0 * gradient, tolerance=20 * loss, scale=max(scale, 1e-300)))
    check_not_ahead(p, best, xp)


def check_not_ahead(p, best, xp):
    """The ELBO at p is not above that with the encoder `best`."""
    W, V, D, s, S = p.on(xp)
    ahead = to_numpy(model.elbo(W, V, D, s, S) - model.elbo(W, best, D, s, S))
    # A gain within the rounding of the largest terms of the two values is no gain.
    at_optimum = replace(p, V=to_numpy(best))
    at_most(ahead, 0.0, slack=1e-13 * (p.size_of_elbo + at_optimum.size_of_elbo))


@OPTIMUM.evidence(role="control", kind="numeric")
def test_an_encoder_a_thousandth_longer_is_beaten(xp):
    p = random_vae(np.random.default_rng(24), 4, 2)
    best, _ = model.optimal_encoder(p.W, p.sigma2)
    check_not_ahead(replace(p, V=1.001 * best), xp.asarray(best), xp)
    with rejected():
        check_not_ahead(replace(p, V=best), xp.asarray(1.001 * best), xp)


@GRADIENT.evidence(role="control", kind="symbolic")
def test_a_slip_in_the_gradient_is_rejected():
    for wrong in (
        (W.T - W.T @ W @ V) @ S / sigma2,  # without the prior
        -printed(),  # the sign
        (W.T - V @ (W @ W.T + sigma2 * identity(n))) @ S / sigma2,  # C on the right for M on the left
        (W.T - (W.T @ W + sigma2 * identity(k)) @ V) / sigma2,  # S cancelled
    ):
        with rejected():
            same(linear_vae.gradients().V, wrong)


@OPTIMUM.evidence(role="control", kind="symbolic")
def test_the_pseudoinverse_is_rejected_as_optimum():
    # (W^T W)^-1 W^T, the best encoder without a prior, is not stationary.
    explicit = Explicit(2, 1)
    pseudoinverse = (explicit.W.T * explicit.W).inv() * explicit.W.T
    matrices = {**explicit.matrices, "V": pseudoinverse}
    gradient = on_matrices(linear_vae.gradients().V, matrices, explicit.values)
    with rejected():
        vanishes(explicit.at_rationals(gradient, 0))


@UNIQUE.evidence(role="control", kind="symbolic")
def test_with_a_regular_covariance_the_witness_is_rejected():
    matrices = {"W": sp.Matrix([1, 1]), "V": sp.Matrix([[sp.Rational(1, 3), sp.Rational(4, 3)]])}
    with rejected():
        vanishes(on_matrices(printed(), {**matrices, "S": sp.diag(1, sp.Rational(1, 100))}, {n: 2, k: 1, sigma2: 1}))


@GRADIENT.evidence(role="supports", kind="device")
def test_the_kernel_in_batches_is_the_derived_gradient(record, thorough, xp):
    count = thorough(50, 500)
    record(instances=count, worst_error=gradient_agrees("V", xp, count, seed=26))


@GRADIENT.evidence(role="control", kind="device")
def test_the_kernel_is_not_the_gradient_at_half_the_noise(xp):
    with rejected():
        gradient_agrees("V", xp, 5, seed=26, moved=0.5)
